"""A predictor of regular series: signals and counts of events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.conformal.pools import needed_cases
from twinlab.predict.forecasting.combination import Combination
from twinlab.predict.forecasting.futures import effect_of, input_values
from twinlab.predict.forecasting.intervals import Intervals
from twinlab.predict.forecasting.refusals import asset_reasons, lead_reasons, unit_reason
from twinlab.predict.forecasting.seasons import CYCLES, find_seasons, given_seasons
from twinlab.predict.predictions.schema import predictions
from twinlab.predict.protocol.durations import text_of
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.parameters import Parameters
from twinlab.predict.protocol.predictor import CantTell
from twinlab.predict.protocol.registry import PredictorKind
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary
from twinlab.predict.targets.counts import CountTarget
from twinlab.predict.targets.signal import SignalTarget
from twinlab.predict.targets.signal_options import SignalOptions

__all__ = ["KIND", "FittedForecaster", "Forecaster"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Forecaster(Parameters):
    """Quantiles of the cells to come of each asset's series: the median of simple forecasts, with conformal intervals; one configuration for all series.

    Parameters
    ----------
    inputs : Inputs
        `fit` reads its ``training``; with a shorter ``window``, a forecast is made from less.
    target : SignalTarget or CountTarget
    lead_times : tuple of str
        Multiples of the step.
    season : str, tuple of str or None
        ``"auto"`` finds hours, days, weeks or another season; one or two such as ``("1d", "7d")`` are given; None is none.
    quantiles : tuple of float
        Rising levels.
    span : (float, float)
        Least and greatest value that can be, such as 0 and infinity of a count.
    future : tuple of str
        Inputs known ahead, variables of ``State.future`` whose values cover training and horizon. The past ones should be what was forecast then: with
        what came, the intervals are too narrow.
    name : str
    """

    inputs: Inputs
    target: SignalTarget | CountTarget
    lead_times: tuple[str, ...]
    season: str | tuple[str, ...] | None = "auto"
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    span: tuple[float, float] = (-math.inf, math.inf)
    future: tuple[str, ...] = ()
    name: str = "forecast"

    def __post_init__(self) -> None:
        levels = self.quantiles
        if not levels or any(not 0 < one < 1 for one in levels) or list(levels) != sorted(set(levels)):
            msg = f"expected rising quantiles between 0 and 1, got {list(levels)}"
            raise SchemaError(msg)
        step = self.inputs.step_ns
        wrong = [text for text, lead in zip(self.lead_times, self.leads, strict=True) if lead < step or lead % step]
        if wrong or not self.lead_times:
            msg = f"expected lead times that are multiples of the step {self.inputs.step}, got {wrong[0] if wrong else 'none'}"
            raise SchemaError(msg)
        if not self.span[0] < self.span[1]:
            msg = f"expected a span of possible values from low to high, got {self.span}"
            raise SchemaError(msg)
        if self.season != "auto":
            given_seasons(self.season, step)

    def fit(self, state: State) -> FittedForecaster:
        """Find the seasons, fit the models to all that is known, and take the errors of models that were fitted to the first two thirds of it.

        Raises
        ------
        SchemaError
            If the state has no cell, or an unknown future input is declared.
        """
        cells = _Cells.of(self, state, self.inputs.training_ns)
        values, step = cells.values, self.inputs.step_ns
        if not values.size:
            msg = f"no cell of {self.target.name!r} is known in the {self.inputs.training} before {state.issue_time}"
            raise SchemaError(msg)
        # What inputs do would hide a season.
        plain = values if cells.inputs is None else values - effect_of(values, cells.inputs)
        found = find_seasons(plain, step) if self.season == "auto" else given_seasons(self.season, step)
        # With a season that the data don't have often enough, no asset gets a number.
        seasons = tuple(one for one in found if CYCLES * one <= values.shape[1])
        horizon = cells.horizon
        usable = np.ones(len(values), bool)
        usable[list(asset_reasons(values, found, horizon=horizon, step=step))] = False
        # A series that can't be forecast gives nothing to the intervals of the others.
        learnt = np.where(usable[:, None], values, np.nan)
        intervals = Intervals.of(learnt, seasons, horizon=horizon, quantiles=self.quantiles, inputs=cells.inputs)
        known = ~np.isnan(values)
        low = np.min(values, axis=1, where=known, initial=np.inf)
        high = np.max(values, axis=1, where=known, initial=-np.inf)
        return FittedForecaster(
            self,
            Combination.fit(values, seasons, cells.inputs),
            intervals,
            tuple(found),
            np.stack([low, high]),
            cells.assets,
            cells.units,
            (cells.times[0], state.issue_time),
        )


@dataclass(frozen=True)
class _Cells:
    """Values (asset, time) of a state in order of the assets' names, inputs (input, asset, time) up to the horizon, and their cells."""

    values: Floats
    inputs: Floats | None
    times: NDArray[np.datetime64]
    assets: tuple[str, ...]
    units: str
    horizon: int
    stop: np.datetime64

    @classmethod
    def of(
        cls, forecaster: Forecaster, state: State, span: np.timedelta64, assets: Sequence[str] | None = None
    ) -> _Cells:
        """Return the cells in a span before the last one that can be known; of all assets of the state, or of some."""
        series = forecaster.target.series(state, span)
        step = state.step
        late = int(-(-state.latency // step))
        ids = tuple(sorted(state.asset_ids)) if assets is None else tuple(assets)
        # The last cells may not have come: they are missing, not absent.
        stop = state.issue_time - late * step
        first = series["time"].values[0] if series.sizes["time"] else stop
        series = series.reindex(time=np.arange(first, stop, step), asset=list(ids))
        values = series.transpose("asset", "time").values.astype(float)
        begun = np.flatnonzero(~np.isnan(values).all(axis=0))
        values = values[:, begun[0] :] if len(begun) else values[:, :0]
        times = series["time"].values[len(series["time"]) - values.shape[1] :]
        horizon = int(max(forecaster.leads) // step) + late
        inputs = None
        if forecaster.future:
            ahead = np.arange(times[0] if len(times) else stop, stop + horizon * step, step)
            inputs = input_values(state, forecaster.future, ahead, ids)
        units = str(series.attrs.get("units", forecaster.target.units))
        return cls(values, inputs, times, ids, units, horizon, stop)


@dataclass(frozen=True, repr=False)
class FittedForecaster(Summary):
    """A `Forecaster` with its models, intervals, seasons, and the bounds (2, asset) and unit of the values of the fit."""

    of: Forecaster
    combination: Combination
    intervals: Intervals
    seasons: tuple[int, ...]
    bounds: Floats
    assets: tuple[str, ...]
    units: str
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
        """Hash of the parameters and of what was fitted."""
        return hash_of(
            self.of.content_hash(), self.combination, self.intervals, list(self.assets), self.bounds, self.units
        )

    def predict(self, state: State) -> xr.Dataset:
        """Return predictions; an asset that wasn't in training, or can't be forecast, has no number.

        Raises
        ------
        SchemaError
            If cells become known later after their end than at the fit, or a future input that was declared is unknown.
        """
        of = self.of
        cells = _Cells.of(of, state, of.inputs.window_ns, self.assets)
        if cells.horizon > len(self.intervals.cases):
            msg = (
                f"cells are known {text_of(state.latency)} after their end, later than at the fit of {self.name!r}; fit it with the same knowledge= as it "
                "predicts with"
            )
            raise SchemaError(msg)
        places = np.array([int(lead // state.step) for lead in of.leads], np.intp) + cells.horizon - 1
        places -= int(max(of.leads) // state.step)
        origin = np.array([cells.values.shape[1]])
        made = self.combination.predict(cells.values, origin, cells.horizon, cells.inputs)[places, :, 0]
        # Cells since the first one of the fit.
        after = int((cells.stop - self.training[0]) // state.step)
        values = self.intervals.around(made, leads=places, origin=after, span=of.span)
        refused = self._refused(cells, self.intervals.cases[places], np.isnan(made), state)
        place = {asset: k for k, asset in enumerate(self.assets)}
        order = np.array([place.get(asset, -1) for asset in state.asset_ids], np.intp)
        values = values[:, order]
        reasons: dict[tuple[int, ...], CantTell] = {}
        for column, one in enumerate(order):
            for lead in range(len(places)):
                text = "the asset wasn't in training" if one < 0 else refused.get((lead, int(one)), "")
                if text:
                    reasons[lead, column] = CantTell(text)
                    values[lead, column] = np.nan
        return predictions(
            values,
            state=state,
            fitted=self,
            target=of.target.name,
            units=self.units,
            lead_times=of.leads,
            quantiles=of.quantiles,
            refused=reasons,
            attrs={**of.target.attrs, "seasons": ", ".join(text_of(one * state.step) for one in self.seasons)},
        )

    def _refused(
        self, cells: _Cells, cases: NDArray[np.intp], missing: NDArray[np.bool_], state: State
    ) -> dict[tuple[int, int], str]:
        """Return the reasons for no number by lead and asset: of all, else of an asset, else of a lead."""
        of, out = self.of, {}
        tail = min(min(one, 1 - one) for one in of.quantiles)
        needed = needed_cases(1 - 2 * tail) if len(of.quantiles) > 1 else 1
        leads = lead_reasons(cases, needed, of.leads)
        unit = unit_reason(self.units, cells.units)
        assets = asset_reasons(cells.values, self.seasons, horizon=cells.horizon, step=state.step, bounds=self.bounds)
        for lead in range(len(of.leads)):
            for asset in range(len(self.assets)):
                text = unit or assets.get(asset) or leads.get(lead, "")
                if not text and missing[lead, asset]:
                    inputs = f"the future input {', '.join(of.future)}" if of.future else "a value that it needs"
                    text = f"{inputs} isn't known for the whole span"
                if text:
                    out[lead, asset] = text
        return out

    def update(self, state: State) -> FittedForecaster:
        """Return a new fit to what the state knows, as far back as `predict` reads: coefficients and intervals follow."""
        return self.of.fit(state)


class ForecastOptions(SignalOptions):
    """Options of a forecaster of a signal by name."""

    season: str | tuple[str, ...] | None = "auto"
    window: str = "90d"


def _build(options: ForecastOptions) -> Forecaster:
    return Forecaster(options.inputs, options.target, options.lead_times, options.season, options.quantiles)


KIND = PredictorKind(
    "forecast", "the median of simple forecasts of a signal, with conformal intervals", _build, ForecastOptions
)
