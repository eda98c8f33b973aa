"""A predictor of the delays of planned events: training cases, the check that features were known, the fit, and its intervals."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.conformal.pools import Errors, Pools, keys_of
from twinlab.predict.delay.chains import usual_turnaround
from twinlab.predict.delay.estimators import LEVELS, classifier, regressor
from twinlab.predict.delay.features import Planned, stacked
from twinlab.predict.delay.fitted import FittedDelay
from twinlab.predict.delay.phases import past_cases, phases
from twinlab.predict.delay.plan import Floats
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import check_same
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.estimator import Estimator
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.state import State

__all__ = ["DelayPredictor"]


@dataclass(frozen=True)
class DelayPredictor:
    """Quantiles of the delays of planned events, and the probability of being late.

    The errors of a model that is fitted without the newest part of the training span, the calibration span, widen or narrow the quantiles 0.05 and
    0.95 of the model that is fitted to all of it (conformalized quantile regression).

    Parameters
    ----------
    settings : DelaySettings
    regressor, classifier : Estimator
        By default LightGBM.
    calibration : str
        Newest part of the training span, from whose errors the interval comes.
    least_cases : int
        With fewer training cases, `fit` refuses; a phase (before, overdue, under way) with fewer past errors gets no number.
    name : str
    """

    settings: DelaySettings
    regressor: Estimator = field(default_factory=regressor)
    classifier: Estimator = field(default_factory=classifier)
    calibration: str = "28d"
    least_cases: int = 100
    name: str = "delay"

    def __post_init__(self) -> None:
        if self.regressor.quantiles != LEVELS or self.classifier.quantiles:
            msg = f"expected a regressor with the levels {LEVELS} and a classifier, got levels {self.regressor.quantiles} and {self.classifier.quantiles}"
            raise SchemaError(msg)
        if duration(self.calibration, what="calibration") >= self.inputs.training_ns:
            msg = f"expected a calibration span shorter than the training span of {self.inputs.training}, got {self.calibration!r}"
            raise SchemaError(msg)

    @property
    def inputs(self) -> Inputs:
        """What is read."""
        return self.settings.inputs

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
        cases, true = past_cases(planned.plan, settings)
        if len(cases) < self.least_cases:
            msg = (
                f"expected at least {self.least_cases} training cases of {settings.event_type!r}, got {len(cases)} up to {state.issue_time}: "
                f"too few events with a planned and an actual {settings.of} are known"
            )
            raise SchemaError(msg)
        names, kinds, x = stacked(planned.columns(cases, turnaround))

        def again(known: State, some: Cases) -> Floats:
            return stacked(Planned(known, settings).columns(some, turnaround))[2]

        check_same(names, again, state, cases, x, window=self.inputs.window_ns)
        pools = self._pools(state, planned, cases, x=x, true=true, names=names)
        late = (true >= duration(settings.late, what="late") / np.timedelta64(1, "m")).astype(float)
        first = np.datetime64(int(cases.issued.astype("int64").min()), "ns")
        return FittedDelay(
            settings,
            self.name,
            hash_of(self),
            self.regressor.fit(x, true, names),
            self.classifier.fit(x, late, names),
            pools,
            turnaround,
            self.least_cases,
            tuple(names),
            tuple(kinds),
            np.nanmedian(x, axis=0),
            (first, state.issue_time),
        )

    def _pools(
        self, state: State, planned: Planned, cases: Cases, *, x: Floats, true: Floats, names: list[str]
    ) -> Pools:
        """Return the errors in the calibration span of a model that is fitted to what was known at its begin."""
        cut = state.issue_time - duration(self.calibration, what="calibration")
        # The outcome of an event that began before and ended after isn't known at the cut.
        plan = planned.plan
        ended = plan.end[plan.rows(cases.ids)[cases.asset]]
        old: NDArray[np.bool_] = ended <= cut.astype("datetime64[ns]").astype("int64")
        new = cases.issued >= cut
        if old.sum() < self.least_cases or not new.any():
            msg = (
                f"expected at least {self.least_cases} events before the calibration span of {self.calibration}, and one in it, got {int(old.sum())} and "
                f"{int(new.sum())}; give a shorter calibration="
            )
            raise SchemaError(msg)
        found = self.regressor.fit(x[old], true[old], names).predict(x[new])
        phase = phases(plan, cases.take(new))
        keys, place = keys_of(phase, np.full(len(phase), "", object))
        errors = Errors(cases.issued[new].astype("int64"), place, found[:, 0] - true[new], true[new] - found[:, -1])
        return Pools.of(keys, errors, alpha=1 - (LEVELS[-1] - LEVELS[0]))
