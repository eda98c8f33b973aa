"""A predictor of failures: training cases, the check that features were known, and the fit."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.failure.features import Rows, feature_names, rows_of
from twinlab.predict.failure.fitted import FittedFailure
from twinlab.predict.failure.index import WearIndex
from twinlab.predict.failure.lives import Lives, lives_of
from twinlab.predict.failure.nearest import PastCases
from twinlab.predict.failure.refusals import Learnt, training_refusal
from twinlab.predict.failure.settings import DAY, FailureSettings
from twinlab.predict.failure.survival import Training, fit_survival
from twinlab.predict.failure.trees import Trees
from twinlab.predict.features.cases import Cases
from twinlab.predict.features.feature import check_same
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.state import State

__all__ = ["FailurePredictor"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Past cases without a failure that present ones are compared with.
_OTHERS = 3000


@dataclass(frozen=True)
class FailurePredictor:
    """The probability of a failure within spans, and the remaining life, learnt from past failures of assets of one type.

    Parameters
    ----------
    settings : FailureSettings
    within : tuple of str
        Spans of which `predict` of the fitted one returns the probability, none longer than ``settings.longest``.
    risk, life : Trees
        Of the probability and of the remaining life.
    name : str
    """

    settings: FailureSettings
    within: tuple[str, ...] = ("7d",)
    risk: Trees = field(default_factory=lambda: Trees("binary"))
    life: Trees = field(default_factory=lambda: Trees("regression"))
    name: str = "failure"

    @property
    def inputs(self) -> Inputs:
        """What is read."""
        return self.settings.inputs

    def content_hash(self) -> str:
        """Hash of the parameters."""
        return hash_of(self)

    def refusal(self, state: State) -> str:
        """Return why nothing can be learnt from a state; empty if something can."""
        return training_refusal(self.settings, state.events[self.settings.event_type], self._rows(state).values)

    def fit(self, state: State) -> FittedFailure:
        """Fit to the rows and failures of a state.

        Raises
        ------
        SchemaError
            If there are too few past failures, the history is too short, or nothing varies; see `refusal`.
        LeakError
            If a feature has another value in training than it would have had at its issue time.
        """
        settings, failures = self.settings, state.events[self.settings.event_type]
        rows = self._rows(state)
        reason = training_refusal(settings, failures, rows.values)
        if reason:
            msg = f"can't fit the failures of {settings.asset_type!r}: {reason}"
            raise SchemaError(msg)
        lives = lives_of(failures, rows.issued, state.asset_ids, known=state.issue_time)
        usable = ~lives.down & ~np.isnan(rows.deviations).all(axis=2)
        row, asset = np.nonzero(usable)
        training = Training(lives.days[row, asset], lives.ended[row, asset], asset)
        longest = settings.longest_days

        def index_of(some: Bools) -> WearIndex:
            some = some & training.settled(longest)
            at = row[some], asset[some]
            return WearIndex.fit(rows.values[at], rows.deviations[at], training.days[some], longest=longest)

        def features(some: Bools) -> Floats:
            found: Floats = rows.with_index(index_of(some), settings.index_spans)[row, asset]
            return found

        index = index_of(np.ones(len(row), bool))
        x = rows.with_index(index, settings.index_spans)[row, asset]
        self._check(state, rows, index, x=x, places=(row, asset))
        rate = len(np.unique(lives.failure[lives.ended & usable])) / (len(row) * float(settings.every_ns / DAY))
        model = fit_survival(training, features, longest=longest, rate=rate, risk=self.risk, life=self.life)
        return FittedFailure(
            settings,
            self.within,
            self.name,
            hash_of(self),
            model,
            index,
            Learnt.of(rows.values, state.history),
            _spread(rows.deviations),
            self._past(
                state, model.contributions(x, longest / 2), training, lives=lives, rows=rows, places=(row, asset)
            ),
            (rows.issued[0] - settings.every_ns, state.issue_time),
        )

    def _rows(self, state: State) -> Rows:
        times = state.history["time"].values
        span = state.issue_time - state.latency - times[0] if times.size else np.timedelta64(0, "ns")
        return rows_of(state, self.settings, count=max(1, int(span // self.settings.every_ns)))

    def _check(
        self,
        state: State,
        rows: Rows,
        index: WearIndex,
        *,
        x: Floats,
        places: tuple[NDArray[np.intp], NDArray[np.intp]],
    ) -> None:
        """Check that features are those that would have been computed at their issue times."""
        window = self.inputs.window_ns
        issued = rows.issued[places[0]]
        cases = Cases(issued, np.zeros(len(issued), "timedelta64[ns]"), places[1], tuple(state.asset_ids))

        def again(known: State, some: Cases) -> Floats:
            count = min(int(window // self.settings.every_ns), int(np.searchsorted(rows.issued, some.issued[0])) + 1)
            found = rows_of(known, self.settings, count=count)
            features: Floats = found.with_index(index, self.settings.index_spans)[-1, some.asset]
            return features

        check_same(feature_names(self.settings)[0], again, state, cases, x, window=window)

    def _past(
        self, state: State, contributions: Floats, training: Training, *, lives: Lives, rows: Rows,
        places: tuple[NDArray[np.intp], NDArray[np.intp]],
    ) -> PastCases:  # fmt: skip
        """Return the cases before a failure, and some of the others whose outcome is known."""
        longest = self.settings.longest_days
        before = training.ended & (training.days <= longest)
        others = np.flatnonzero(~before & (training.days >= longest))
        chosen = np.random.default_rng(0).choice(others, min(_OTHERS, len(others)), replace=False)
        kept = np.sort(np.concatenate([np.flatnonzero(before), chosen]))
        table = state.events[self.settings.event_type]
        endings = np.array(["", *_endings(table, self.settings.ending)], object)
        row, asset = places[0][kept], places[1][kept]
        return PastCases(
            contributions[kept],
            np.array(state.asset_ids, object)[asset],
            rows.issued[row],
            training.days[kept],
            training.ended[kept],
            endings[lives.failure[row, asset] + 1],
        )


def _spread(found: Floats) -> Floats:
    """Return the typical size of deviations (row, asset, indicator) of each indicator: 1.4826 times the median of their absolute values."""
    flat = np.abs(found.reshape(-1, found.shape[2]))
    return np.array([1.4826 * np.median(one[~np.isnan(one)]) if (~np.isnan(one)).any() else 0.0 for one in flat.T])


def _endings(table: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    """Return what is shown of each failure: its properties, as far as they are known."""
    parts = [table[name] for name in names if name in table.columns]
    return (
        [", ".join(str(one) for one in row if pd.notna(one) and str(one)) for row in zip(*parts, strict=True)]
        if parts
        else [""] * len(table)
    )
