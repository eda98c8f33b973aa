"""A predictor of the delays of planned events: training cases, the check that features were known, the fit, and its intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.delay.baselines import delay_baselines
from twinlab.predict.delay.chains import usual_turnaround
from twinlab.predict.delay.estimators import LEVELS, choose, classifiers, outer, regressors
from twinlab.predict.delay.features import Planned, groups_of_events, stacked
from twinlab.predict.delay.fitted import FittedDelay
from twinlab.predict.delay.intervals import Intervals, PastErrors
from twinlab.predict.delay.phases import past_cases, stages
from twinlab.predict.delay.plan import Floats
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import check_same
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.estimator import Estimator
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import Predictor
from twinlab.predict.protocol.state import State

__all__ = ["DelayPredictor"]


@dataclass(frozen=True)
class DelayPredictor:
    """Quantiles of the delays of planned events, and the probability of being late.

    The errors of a model that is fitted without the newest part of the training span, the calibration span, widen or narrow the quantiles 0.05 and
    0.95 of the model that is fitted to all of it (conformalized quantile regression). Of several candidates the one with the lowest loss on the
    calibration span is used.

    Parameters
    ----------
    settings : DelaySettings
    regressors, classifiers : tuple of Estimator
        Candidates; by default one, the mean of LightGBM in two sizes.
    predicts : "delay" or "late"
        Whether `FittedDelay.predict` returns quantiles of the delay, or the probability of being late.
    calibration : str
        Newest part of the training span.
    least_cases : int
        With fewer training cases, `fit` refuses; a stage (far before, before, overdue, under way) with fewer past errors gets no number, and a group with fewer
        has the margins of all groups.
    most_cases : int
        Of more training cases so many are drawn at random, always the same ones.
    name : str
    """

    settings: DelaySettings
    regressors: tuple[Estimator, ...] = field(default_factory=regressors)
    classifiers: tuple[Estimator, ...] = field(default_factory=classifiers)
    predicts: Literal["delay", "late"] = "delay"
    calibration: str = "28d"
    least_cases: int = 100
    most_cases: int = 100_000
    name: str = "delay"

    def __post_init__(self) -> None:
        if not self.regressors or not self.classifiers:
            msg = "expected at least one candidate in regressors and in classifiers, got none"
            raise SchemaError(msg)
        wrong = [one for one in self.regressors if one.quantiles != LEVELS]
        if wrong or any(one.quantiles for one in self.classifiers):
            msg = f"expected regressors with the levels {LEVELS} and classifiers, got levels {[one.quantiles for one in (*self.regressors, *self.classifiers)]}"
            raise SchemaError(msg)
        if duration(self.calibration, what="calibration") >= self.inputs.training_ns:
            msg = f"expected a calibration span shorter than the training span of {self.inputs.training}, got {self.calibration!r}"
            raise SchemaError(msg)

    @property
    def inputs(self) -> Inputs:
        """What is read."""
        return self.settings.inputs

    @property
    def baselines(self) -> dict[str, Predictor]:
        """What a backtest compares it with: the schedule, the delay so far, the usual delays by hour."""
        return delay_baselines(self.settings, self.predicts)

    def content_hash(self) -> str:
        """Hash of the parameters."""
        return hash_of(self)

    def fit(self, state: State) -> FittedDelay:
        """Fit to the events of a state that have ended.

        Raises
        ------
        SchemaError
            If there are fewer than ``least_cases`` of them, or the calibration span is longer than the data.
        LeakError
            If a feature has another value in training than it would have had at its issue time.
        """
        settings = self.settings
        planned = Planned(state, settings)
        given = settings.turnaround
        turnaround = (
            usual_turnaround(planned.chain, state.issue_time)
            if given is None
            else int(duration(given, what="turnaround").astype("int64"))
        )
        cases, true = self._training(planned, state)
        names, kinds, x = stacked(planned.columns(cases, turnaround))

        def again(known: State, some: Cases) -> Floats:
            return stacked(Planned(known, settings).columns(some, turnaround))[2]

        check_same(names, again, state, cases, x, window=self.inputs.window_ns)
        late = (true >= duration(settings.late, what="late") / np.timedelta64(1, "m")).astype(float)
        old, new = self._split(state, planned, cases)
        choices = (
            choose(self.regressors, x, true, names, old=old, new=new),
            choose(self.classifiers, x, late, names, old=old, new=new),
        )
        regressor = self.regressors[choices[0].place]
        found = outer(regressor).fit(x[old], true[old], names).predict(x[new])
        some = cases.take(new)
        errors = PastErrors(
            some.issued.astype("int64"),
            stages(planned.plan, some),
            groups_of_events(planned, some),
            found[:, 0] - true[new],
            true[new] - found[:, -1],
        )
        first = np.datetime64(int(cases.issued.astype("int64").min()), "ns")
        return FittedDelay(
            settings,
            self.name,
            hash_of(self),
            self.predicts,
            self.calibration,
            regressor.fit(x, true, names),
            self.classifiers[choices[1].place].fit(x, late, names),
            choices,
            Intervals.of(errors, alpha=1 - (LEVELS[-1] - LEVELS[0]), least_cases=self.least_cases),
            turnaround,
            tuple(names),
            tuple(kinds),
            pd.DataFrame(x).median().to_numpy(),
            (first, state.issue_time),
            state.issue_time,
        )

    def _training(self, planned: Planned, state: State) -> tuple[Cases, Floats]:
        """Return the training cases with their delays.

        Raises
        ------
        SchemaError
            If there are too few.
        """
        settings = self.settings
        cases, true = past_cases(planned.plan, settings)
        if len(cases) < self.least_cases:
            msg = (
                f"expected at least {self.least_cases} training cases of {settings.event_type!r}, got {len(cases)} up to {state.issue_time}: "
                f"too few events with a planned and an actual {settings.of} are known"
            )
            raise SchemaError(msg)
        if len(cases) > self.most_cases:
            rows = np.sort(np.random.default_rng(0).choice(len(cases), self.most_cases, replace=False))
            return cases.take(rows), true[rows]
        return cases, true

    def _split(self, state: State, planned: Planned, cases: Cases) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the cases whose outcome was known when the calibration span began, and those of the span.

        Raises
        ------
        SchemaError
            If one of the two is empty.
        """
        cut = state.issue_time - duration(self.calibration, what="calibration")
        # The outcome of an event that began before and ended after isn't known at the cut.
        ended = planned.plan.end[cases.asset]
        old: NDArray[np.bool_] = ended <= cut.astype("datetime64[ns]").astype("int64")
        new: NDArray[np.bool_] = cases.issued >= cut
        if old.sum() < self.least_cases or not new.any():
            msg = (
                f"expected at least {self.least_cases} events before the calibration span of {self.calibration}, and one in it, got {int(old.sum())} and "
                f"{int(new.sum())}; give a shorter calibration="
            )
            raise SchemaError(msg)
        return old, new
