"""A predictor with conformal intervals around another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.conformal.errors import Columns, Truth, columns_of, truth_by
from twinlab.predict.conformal.pools import Errors, Pools, keys_of, needed_cases
from twinlab.predict.predictions.joining import join
from twinlab.predict.predictions.schema import CANT_TELL, check_predictions, places_of, reasons, target_of
from twinlab.predict.protocol.durations import duration, text_of
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import Fitted, Predictor
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary
from twinlab.predict.protocol.target import Target

__all__ = ["Conformal", "FittedConformal"]

#: Share of the calibration span whose errors make the interval that the rest measures.
_FIRST: Final = 0.6


@dataclass(frozen=True)
class Conformal:
    """Intervals around a predictor from its errors on past cases that it wasn't fitted to.

    The training span is cut in two: the predictor is fitted to the first part, and its errors in the second one, the calibration span, make the
    interval, for each lead time and group. The coverage is at least ``level`` if past and coming cases are exchangeable; "adaptive"
    follows a drift [1]_.

    Parameters
    ----------
    predictor : Predictor
        Of quantiles. Its lowest and highest quantile are corrected; of a point estimate both are the estimate.
    target : Target
        Its true values; not needed with ``truth``.
    level : float
        Coverage that is promised, such as 0.9.
    calibration : str
        Length of the second part.
    every : str
        Span between the issue times in it.
    method : "split" or "adaptive"
        With "adaptive", `update` adds the newest errors, drops those older than the calibration span, and adapts the share that is left out; so
        does the calibration span itself.
    gamma : float
        Speed of the adaptation.
    group : str, mapping or None
        Errors are pooled in groups: a coordinate such as "asset", a group of each asset, or None, all together.
    lead_edges : tuple of str
        Classes of lead times whose errors are pooled; by default each lead time is one.
    least_cases : int
        A group with fewer past errors at a lead time gets no interval.
    least_coverage : float
        A group of whose recent outcomes a smaller share was inside has drifted, and gets no interval.
    truth : callable, optional
        ``truth(state, predictions)``: true values, of predictions that aren't on a grid.
    name : str, optional

    Raises
    ------
    SchemaError
        If a parameter is out of range.

    References
    ----------
    .. [1] I. Gibbs, E. Candès, "Adaptive conformal inference under distribution shift", NeurIPS 2021.
    """

    predictor: Predictor
    target: Target
    level: float = 0.9
    calibration: str = "28d"
    every: str = "6h"
    method: Literal["split", "adaptive"] = "split"
    gamma: float = 0.02
    group: str | Mapping[str, str] | None = None
    lead_edges: tuple[str, ...] = ()
    least_cases: int = 40
    least_coverage: float = 0.7
    truth: Truth | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", f"{self.predictor.name} conformal")
        if not 0 < self.level < 1 or not 0 <= self.least_coverage <= self.level or not 0 < self.gamma < 1:
            msg = (
                f"expected a level and gamma between 0 and 1 and a least_coverage of at most the level, got level={self.level}, "
                f"gamma={self.gamma}, least_coverage={self.least_coverage}"
            )
            raise SchemaError(msg)
        least = needed_cases(self.level)
        if self.least_cases < least:
            msg = f"expected least_cases of at least {least}, below which an interval of {self.level:.0%} is infinite, got {self.least_cases}"
            raise SchemaError(msg)
        if duration(self.calibration, what="calibration") >= self.predictor.inputs.training_ns:
            msg = f"expected a calibration span shorter than the training span of {self.predictor.inputs.training}, got {self.calibration!r}"
            raise SchemaError(msg)

    @property
    def inputs(self) -> Inputs:
        """What the predictor reads; with "adaptive", as far back as outcomes are compared."""
        inner = self.predictor.inputs
        if self.method == "split":
            return inner
        longest = max((duration(one, what="lead_times") for one in self.lead_times), default=np.timedelta64(0, "ns"))
        return replace(inner, window=text_of(inner.window_ns + longest + 2 * duration(self.every, what="every")))

    @property
    def lead_times(self) -> tuple[str, ...]:
        """Those of the predictor."""
        found: tuple[str, ...] = getattr(self.predictor, "lead_times", ())
        return found

    def content_hash(self) -> str:
        """Hash of the parameters."""
        return hash_of(replace(self, predictor=_Named(self.predictor.content_hash())))  # type: ignore[arg-type]

    def fit(self, state: State) -> FittedConformal:
        """Fit the predictor to the first part, and take its errors in the second one.

        Raises
        ------
        SchemaError
            If the first part is too short for the predictor.
        """
        span = duration(self.calibration, what="calibration")
        every = duration(self.every, what="every")
        inner = self.predictor.inputs
        cut = state.issue_time - span
        # On the grid of the cells.
        cut -= (int(cut.astype("int64")) % int(state.step.astype("int64"))) * np.timedelta64(1, "ns")
        fitted = self.predictor.fit(state.at(cut, window=inner.training_ns))
        instants = np.arange(cut, state.issue_time, every)
        made = join([fitted.predict(state.at(when, window=inner.window_ns)) for when in instants])
        issued, leads, groups, below, above = self._errors(state, made)
        keys, place = keys_of(leads, groups)
        errors = Errors(issued, place, below, above)
        alpha = 1 - self.level
        first = errors.issued < _quantile_of(errors.issued)
        gamma = self.gamma if self.method == "adaptive" else 0.0
        tried = Pools.of(keys, errors.take(first), alpha=alpha).after(
            errors.take(~first), level=self.level, gamma=gamma
        )
        pools = replace(
            Pools.of(keys, errors, alpha=alpha), alpha=tried.alpha, covered=tried.covered, recent=tried.recent
        )
        return FittedConformal(self, fitted, pools, state.issue_time, errors if gamma else None)

    def _errors(
        self, state: State, data: xr.Dataset
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.object_], NDArray[np.float64], NDArray[np.float64]]:
        """Return issue time, lead time, group, and errors below and above, of the places with a number and a true value."""
        columns = columns_of(data, group=self.group, lead_edges=self.lead_edges)
        true = (self.truth or truth_by(self.target))(state, data).ravel()
        known = columns.answered & ~np.isnan(true)
        return (
            columns.issued[known],
            columns.leads[known],
            columns.groups[known],
            (columns.low - true)[known],
            (true - columns.high)[known],
        )


@dataclass(frozen=True)
class _Named:
    """The hash of a predictor, in its place."""

    value: str

    @property
    def name(self) -> str:
        return self.value

    @property
    def inputs(self) -> Inputs:
        return Inputs("any", training="36500d")


def _quantile_of(issued: NDArray[np.int64]) -> int:
    """Return the issue time at which the first part of the errors ends."""
    instants = np.unique(issued)
    return int(instants[min(int(len(instants) * _FIRST), len(instants) - 1)])


@dataclass(frozen=True, repr=False)
class FittedConformal(Summary):
    """A `Conformal` with its fitted predictor and the errors that it made."""

    of: Conformal
    inner: Fitted
    pools: Pools
    seen: np.datetime64
    errors: Errors | None = None
    # Predictions that were made, for `update`; they are made again where they are missing.
    made: dict[int, xr.Dataset] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.of.name

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.of.inputs

    @property
    def training(self) -> tuple[np.datetime64, np.datetime64]:
        """Start of the fit, and the instant up to which errors were taken."""
        return self.inner.training[0], self.seen

    def content_hash(self) -> str:
        """Hash of the parameters, the fitted predictor and the errors."""
        pools = self.pools
        return hash_of(self.of.content_hash(), self.inner.content_hash(), pools.below, pools.above, pools.alpha)

    def predict(self, state: State) -> xr.Dataset:
        """Return predictions with the quantiles ``(1 - level) / 2, 0.5, (1 + level) / 2``, and "can't tell" with its reason."""
        of = self.of
        data = self._inner(state, state.issue_time)
        columns = columns_of(data, group=of.group, lead_edges=of.lead_edges)
        key = self.pools.places(columns.leads, columns.groups)
        low, high = self.pools.margins(np.maximum(key, 0))
        texts, codes = self._refused(
            columns, key, ~(np.isfinite(low) & np.isfinite(high)), reasons(data).values.ravel()
        )
        bounds = np.stack(
            [
                np.minimum(columns.low - low, columns.middle),
                columns.middle,
                np.maximum(columns.high + high, columns.middle),
            ],
            axis=-1,
        )
        bounds[codes > 0] = np.nan
        dims, before = places_of(data), target_of(data)
        shape = tuple(data.sizes[one] for one in dims)
        tail = (1 - of.level) / 2
        attrs = {"reasons": texts}
        out = data.drop_vars([str(before.name), CANT_TELL, "quantile"]).assign(
            {
                str(before.name): ((*dims, "quantile"), bounds.reshape(*shape, 3), before.attrs),
                CANT_TELL: (dims, codes.reshape(shape), attrs),
            }
        )
        levels = np.round([tail, 0.5, 1 - tail], 9)
        out = out.assign_coords(quantile=levels).assign_attrs(
            data.attrs | {"model": self.name, "model_hash": self.content_hash(), "training_stop": str(self.seen)}
        )
        check_predictions(out)
        return out

    def _refused(
        self, columns: Columns, key: NDArray[np.intp], infinite: NDArray[np.bool_], given: NDArray[np.object_]
    ) -> tuple[list[str], NDArray[np.uint16]]:
        """Return the reasons for no number, and the code of each place."""
        of, pools = self.of, self.pools
        at = np.maximum(key, 0)
        count = np.where(key >= 0, pools.count[at], 0)
        few = count < of.least_cases
        drifted = (pools.recent[at] > 0) & (pools.covered[at] < of.least_coverage)
        texts, codes = [""], np.zeros(len(key), "uint16")
        for row in np.flatnonzero(~columns.answered | few | drifted | infinite):
            lead = text_of(np.timedelta64(int(columns.leads[row]), "ns"))
            who = f"{columns.groups[row]} at lead time {lead}"
            if not columns.answered[row]:
                text = str(given[row])
            elif few[row]:
                text = f"{count[row]} past errors of {who}; at least {of.least_cases} are needed"
            elif drifted[row]:
                covered, recent = pools.covered[at[row]], pools.recent[at[row]]
                text = f"{who} has drifted: {covered:.0%} of the last {recent} outcomes were inside, {of.level:.0%} were promised"
            else:
                text = f"{who} has drifted: an interval of {of.level:.0%} is wider than all past errors"
            if text not in texts:
                texts.append(text)
            codes[row] = texts.index(text)
        return texts, codes

    def update(self, state: State) -> FittedConformal:
        """Adapt to the outcomes that have become known since; with "split" only the predictor is updated."""
        of = self.of
        if of.method == "split":
            return replace(self, inner=self.inner.update(state))
        pools, errors, made = self.pools, self.errors, dict(self.made)
        compared = self._compared(state)
        if compared:
            made |= {int(when.astype("int64")): self._inner(state, when) for when in compared}
            parts = [made[int(when.astype("int64"))] for when in compared]
            issued, leads, groups, below, above = of._errors(state, join(parts))  # noqa: SLF001  (its own result)
            key = pools.places(leads, groups)
            # A lead time counts once, when its outcome becomes known.
            known = (key >= 0) & (issued + leads > int(self.seen.astype("int64")))
            fresh = Errors(issued[known], key[known], below[known], above[known])
            after = pools.after(fresh, level=of.level, gamma=of.gamma)
            assert errors is not None  # of every adaptive one
            oldest = int((state.issue_time - duration(of.calibration, what="calibration")).astype("int64"))
            errors = Errors.joined([errors.take(errors.issued >= oldest), fresh])
            pools = replace(
                Pools.of(pools.keys, errors, alpha=1 - of.level),
                alpha=after.alpha,
                covered=after.covered,
                recent=after.recent,
            )
        kept = {
            when: data
            for when, data in made.items()
            if when >= int((state.issue_time - self._longest()).astype("int64"))
        }
        return replace(
            self, inner=self.inner.update(state), pools=pools, seen=state.issue_time, errors=errors, made=kept
        )

    def _compared(self, state: State) -> list[np.datetime64]:
        """Return the past issue times of which an outcome has become known since the last comparison."""
        every = duration(self.of.every, what="every")
        count = int((state.issue_time - self.seen + self._longest()) // every)
        return [state.issue_time - every * k for k in range(count, 0, -1)]

    def _longest(self) -> np.timedelta64:
        return max((duration(one, what="lead_times") for one in self.of.lead_times), default=np.timedelta64(0, "ns"))

    def _inner(self, state: State, when: np.datetime64) -> xr.Dataset:
        """Return the predictor's predictions at an issue time, from what was known then."""
        key = int(when.astype("datetime64[ns]").astype("int64"))
        if key in self.made:
            return self.made[key]
        return self.inner.predict(state.at(when, window=self.of.predictor.inputs.window_ns))
