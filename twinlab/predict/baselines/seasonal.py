"""The seasonal naive forecast: the value of a season before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import predictions
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.parameters import Parameters
from twinlab.predict.protocol.registry import PredictorKind
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary
from twinlab.predict.targets.counts import CountTarget
from twinlab.predict.targets.signal import SignalTarget, cell_values
from twinlab.predict.targets.signal_options import SignalOptions

__all__ = ["KIND", "FittedSeasonalNaive", "SeasonalNaive"]


@dataclass(frozen=True)
class SeasonalNaive(Parameters):
    """The value one season before, or as many whole seasons as the lead time needs; with quantiles of the errors that this had in training.

    Parameters
    ----------
    inputs : Inputs
        Its ``window`` is at least a season.
    target : SignalTarget or CountTarget
    lead_times : tuple of str
    season : str
        A multiple of the step. With the step itself it is the naive forecast: the last value.
    quantiles : tuple of float
        Levels; 0.5 is the value itself.
    name : str

    References
    ----------
    .. [1] R. J. Hyndman, G. Athanasopoulos, "Forecasting: principles and practice", 3rd edition, section 5.2.
    """

    inputs: Inputs
    target: SignalTarget | CountTarget
    lead_times: tuple[str, ...]
    season: str = "1d"
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    name: str = "seasonal_naive"

    def __post_init__(self) -> None:
        season = duration(self.season, what="SeasonalNaive.season")
        if season < self.inputs.step_ns or season % self.inputs.step_ns:
            msg = f"expected a season that is a multiple of the step {self.inputs.step}, got {self.season!r}"
            raise SchemaError(msg)
        if not self.lead_times or self.inputs.window_ns < season:
            msg = f"expected lead times and a window of at least the season of {self.season}, got window={self.inputs.window!r}"
            raise SchemaError(msg)

    def back(self, latency: np.timedelta64) -> list[np.timedelta64]:
        """Return the span from the cell that is predicted back to the one that is used and known, for each lead time."""
        season = duration(self.season, what="SeasonalNaive.season")
        return [season * int(-(-(lead + latency) // season)) for lead in self.leads]

    def fit(self, state: State) -> FittedSeasonalNaive:
        """Take the quantiles of the errors in the training span, for each asset.

        Raises
        ------
        SchemaError
            If the training span isn't longer than a season.
        """
        series = self.target.series(state, self.inputs.training_ns)
        values = series.values
        errors: dict[int, NDArray[np.float64]] = {}
        cells = [int(back // self.inputs.step_ns) for back in self.back(state.latency)]
        for one in set(cells):
            if len(values) <= one:
                msg = f"expected a history longer than the season of {self.season}, got {len(values)} cells of {self.inputs.step}"
                raise SchemaError(msg)
            errors[one] = _quantiles(values[one:] - values[:-one], self.quantiles)
        start = series["time"].values[0]
        return FittedSeasonalNaive(
            self, np.stack([errors[one] for one in cells]), tuple(state.asset_ids), (start, state.issue_time)
        )


def _quantiles(errors: NDArray[np.float64], levels: tuple[float, ...]) -> NDArray[np.float64]:
    """Return quantiles (asset, level) of errors (time, asset) around the median, which is 0; NaN without any error."""
    # Sorted, missing ones are at the end: many times as fast as a quantile of each asset.
    ranked = np.sort(errors, axis=0)
    count = (~np.isnan(ranked)).sum(axis=0)
    columns = np.arange(errors.shape[1])

    def quantile(level: float) -> NDArray[np.float64]:
        place = level * np.maximum(count - 1, 0)
        low = np.floor(place).astype(np.intp)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        found: NDArray[np.float64] = ranked[low, columns] + (place - low) * (
            ranked[high, columns] - ranked[low, columns]
        )
        return found

    middle = quantile(0.5)
    return np.stack([quantile(level) - middle for level in levels], axis=1)


@dataclass(frozen=True, repr=False)
class FittedSeasonalNaive(Summary):
    """A `SeasonalNaive` with the quantiles of its errors: (lead_time, asset, quantile)."""

    of: SeasonalNaive
    errors: NDArray[np.float64]
    assets: tuple[str, ...]
    training: tuple[np.datetime64, np.datetime64]

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.of.name

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.of.inputs

    def content_hash(self) -> str:
        """Hash of parameters and of what was fitted."""
        return hash_of(self.of.content_hash(), self.errors, list(self.assets))

    def predict(self, state: State) -> xr.Dataset:
        """Return predictions for all assets; an asset that wasn't in training has no number."""
        of = self.of
        ends = state.issue_time + np.array(of.leads) - np.array(of.back(state.latency))
        # A season as long as the window reads the cell before it.
        values = cell_values(of.target.series(state, of.inputs.window_ns + state.step), ends, step=state.step)
        known = {asset: place for place, asset in enumerate(self.assets)}
        errors = np.full((*values.shape, len(of.quantiles)), np.nan)
        for place, asset in enumerate(state.asset_ids):
            if asset in known:
                errors[:, place] = self.errors[:, known[asset]]
        return predictions(
            values[..., None] + errors,
            state=state,
            fitted=self,
            target=of.target.name,
            units=of.target.units,
            lead_times=of.leads,
            quantiles=of.quantiles,
            attrs=of.target.attrs,
        )

    def update(self, state: State) -> FittedSeasonalNaive:  # noqa: ARG002  (as the protocol has it)
        """Return itself: the values come with each state."""
        return self


class SeasonalOptions(SignalOptions):
    """Options of the seasonal naive forecast by name."""

    season: str = "1d"


def _build(options: SeasonalOptions) -> SeasonalNaive:
    return SeasonalNaive(options.inputs, options.target, options.lead_times, options.season, options.quantiles)


KIND = PredictorKind(
    "seasonal_naive", "the value a season before, with the quantiles of its errors", _build, SeasonalOptions
)
