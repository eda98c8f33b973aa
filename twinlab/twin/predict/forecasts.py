"""Forecasts of a twin's signals, KPIs and counts of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.kpis.compute import kpi
from twinlab.model.terms import nearest
from twinlab.predict.forecasting import Forecaster, forecast
from twinlab.predict.known.knowledge import ByEventTime, Knowledge
from twinlab.predict.known.reading import default_knowledge, facts_of, read_state
from twinlab.predict.predictions.schema import check_predictions
from twinlab.predict.protocol.durations import duration, instant, lead_times, text_of
from twinlab.predict.protocol.events import EventColumns
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.targets.counts import CountTarget
from twinlab.predict.targets.signal import SignalTarget

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.predict.forecasting import FittedForecaster

__all__ = ["ForecastOptions", "event_forecast", "kpi_forecast", "signal_forecast"]

#: Lead times of a forecast whose step isn't given, at most.
_MOST: Final = 100
_ANY: Final = (-np.inf, np.inf)


@dataclass(frozen=True)
class ForecastOptions:
    """What all forecasts of a twin have in common.

    Parameters
    ----------
    horizon : str
    at : instant, optional
        Issue time; by default the end of what is known.
    quantiles : sequence of float
    season : str, sequence of str or None
    training : str
        Span before the issue time that is learnt from.
    knowledge : Knowledge, optional
        By default, of the end of the history, all that is there; of another instant by ingest time if the twin has a ledger.
    future : Dataset, optional
    fitted : FittedForecaster, optional
    """

    horizon: str
    at: object
    quantiles: Sequence[float]
    season: str | Sequence[str] | None
    training: str
    knowledge: Knowledge | None
    future: xr.Dataset | None = None
    fitted: FittedForecaster | None = None

    def rule(self, twin: TwinReader) -> Knowledge:
        """Return what was known at the issue time."""
        if self.knowledge is not None:
            return self.knowledge
        return ByEventTime() if self.at is None else default_knowledge(twin)

    def issue_time(self, newest: np.datetime64, step: np.timedelta64) -> np.datetime64:
        """Return the issue time, a multiple of the step: by default the last one that isn't after the newest instant."""
        if self.at is not None:
            return instant(self.at, what="at")
        return newest - (int(newest.astype("int64")) % int(step.astype("int64"))) * np.timedelta64(1, "ns")

    def run(self, twin: TwinReader, predictor: Forecaster, newest: np.datetime64) -> xr.Dataset:
        """Fit unless a fit is given, and predict.

        Raises
        ------
        SchemaError
            If the fit is of something else, or of what became known later than the issue time.
        """
        inputs, rule = predictor.inputs, self.rule(twin)
        at = self.issue_time(newest, inputs.step_ns)
        fitted = self.fitted
        if fitted is not None:
            _check_fit(fitted, predictor, at)
            inputs = fitted.inputs
        state = read_state(twin, inputs, at, knowledge=rule, span=inputs.training_ns, future=self.future)
        data: xr.Dataset = (fitted or predictor.fit(state)).predict(state)
        check_predictions(data)
        return data

    def predictor(self, inputs: Inputs, target: SignalTarget | CountTarget, span: tuple[float, float]) -> Forecaster:
        """Return the forecaster of a target."""
        return Forecaster(
            inputs,
            target,
            lead_times(self.horizon, every=inputs.step),
            self.season if self.season is None or isinstance(self.season, str) else tuple(self.season),
            tuple(self.quantiles),
            span,
            () if self.future is None else tuple(map(str, self.future.data_vars)),
        )


def _check_fit(fitted: FittedForecaster, wanted: Forecaster, at: np.datetime64) -> None:
    of = fitted.of
    if (of.inputs.asset_type, of.target, of.inputs.step, of.lead_times) != (
        wanted.inputs.asset_type, wanted.target, wanted.inputs.step, wanted.lead_times,
    ) or fitted.training[1] > at:  # fmt: skip
        msg = (
            f"expected a forecaster of {wanted.target.name!r} of {wanted.inputs.asset_type!r}, {wanted.lead_times[-1]} ahead in steps of {wanted.inputs.step}, "
            f"fitted to what was known at {at}; got one of {of.target.name!r} of {of.inputs.asset_type!r}, {of.lead_times[-1]} ahead in steps of "
            f"{of.inputs.step}, fitted at {fitted.training[1]}"
        )
        raise SchemaError(msg)


def signal_forecast(
    twin: TwinReader, asset_type: str, signal: str, *, step: str | None, options: ForecastOptions
) -> xr.Dataset:
    """Return a forecast of a signal, see `twinlab.Twin.forecast`."""
    spec = twin.model.asset_types.get(asset_type)
    if spec is None:
        msg = f"unknown asset type {asset_type!r}{nearest(asset_type, twin.model.asset_types)}"
        raise UnknownTermError(msg)
    name = _signal_of(signal, list(spec.signals), asset_type)
    found = spec.signals[name]
    cadence = text_of(np.timedelta64(found.cadence_ns, "ns"))
    width = step or _default_step((cadence, *twin.steps(asset_type, name)), options.horizon)
    plain = duration(width, what="step") == np.timedelta64(found.cadence_ns, "ns")
    if found.kind == "state":
        msg = f"{signal!r} of {asset_type!r} is a state, not a number; forecast a KPI of it, such as a share of time, with twin.forecast_kpi"
        raise SchemaError(msg)
    variable = signal if plain or signal != name else f"{name}_{'mean' if found.kind == 'gauge' else 'increase'}"
    inputs = Inputs(asset_type, (variable,), step=width, window=options.training, training=options.training)
    newest = twin.history(asset_type, signals=[name], step=None if plain else width)["time"].values[-1:]
    if not len(newest):
        msg = f"{asset_type!r} has no history of {name!r}"
        raise SchemaError(msg)
    target = SignalTarget(variable, str(found.unit))
    # A sensor reports nothing beyond its span; sums and counts of cells aren't bound by it, and a span of single assets isn't one of all.
    bound = variable in (name, *(f"{name}_{one}" for one in ("mean", "min", "max")))
    span = (found.sensor_span[0], found.sensor_span[1]) if bound and isinstance(found.sensor_span, tuple) else _ANY
    return options.run(twin, options.predictor(inputs, target, span), newest[0] + duration(width, what="step"))


def event_forecast(twin: TwinReader, event_type: str, *, by: str, step: str, options: ForecastOptions) -> xr.Dataset:
    """Return a forecast of counts of events, see `twinlab.Twin.forecast_events`."""
    spec = twin.model.event_types.get(event_type)
    if spec is None:
        msg = f"unknown event type {event_type!r}{nearest(event_type, twin.model.event_types)}"
        raise UnknownTermError(msg)
    links = {"asset": str(spec.asset), **{name: str(kind) for name, kind in spec.links.items()}}
    if by not in links:
        msg = f"expected by= among the links of {event_type!r}, {', '.join(links)}; got {by!r}{nearest(by, links)}"
        raise UnknownTermError(msg)
    known = EventColumns(planned=() if by == "asset" else (by,))
    inputs = Inputs(
        links[by], step=step, window=options.training, training=options.training, events=(event_type,),
        columns={event_type: known}, ahead="0s",
    )  # fmt: skip
    newest = twin.events(event_type)["start"].max()
    if str(newest) == "NaT":
        msg = f"no event of type {event_type!r} has begun"
        raise SchemaError(msg)
    target = CountTarget(event_type, by)
    return options.run(twin, options.predictor(inputs, target, (0.0, np.inf)), np.datetime64(newest, "ns"))


def kpi_forecast(
    twin: TwinReader, name: str, *, by: str | None, every: str | None, options: ForecastOptions
) -> xr.Dataset:
    """Return a forecast of a KPI, see `twinlab.Twin.forecast_kpi`."""
    now = kpi(twin, name, by=by, every=every)
    width = duration(str(now.attrs["every"]), what="every")
    at = options.issue_time(np.datetime64(str(now["settled_until"].values), "ns"), width)
    start = at - duration(options.training, what="training") // width * width
    known = kpi(options.rule(twin).view(twin, at, columns={}), name, by=by, every=every, start=start, stop=at)
    # A window that isn't settled has a value that still changes.
    data = (
        known["value"]
        .where(known["time"] + width <= known["settled_until"])
        .drop_vars("settled_until", errors="ignore")
    )
    group = [str(one) for one in data.dims if one != "time"]
    data = data.reindex(time=np.arange(start, at, width)).rename(dict.fromkeys(group, "asset")).rename(name)
    data.attrs = {"units": str(known.attrs["units"]), "asset_type": str(known.attrs["on"])}
    share = data.attrs["units"] == "%" and bool(((data >= 0) & (data <= 100) | data.isnull()).all())
    found: xr.Dataset = forecast(
        data, horizon=options.horizon, step=text_of(width), season=options.season, quantiles=options.quantiles,
        span=(0.0, 100.0) if share else _ANY, future=options.future,
    )  # fmt: skip
    return found.assign_attrs(truth="kpi", kpi=name, by=by or "", **facts_of(twin))


def _signal_of(variable: str, signals: Sequence[str], asset_type: str) -> str:
    fits = [one for one in signals if variable == one or variable.startswith(f"{one}_")]
    if not fits:
        msg = f"expected a signal of {asset_type!r}, or a variable of it such as temperature_max, got {variable!r}{nearest(variable, signals)}"
        raise UnknownTermError(msg)
    return max(fits, key=len)


def _default_step(steps: Sequence[str], horizon: str) -> str:
    """Return the finest step with at most a hundred lead times that fits into the horizon."""
    ahead = duration(horizon, what="horizon")
    fits = [one for one in steps if not ahead % duration(one, what="step") and duration(one, what="step") <= ahead]
    return next((one for one in fits if ahead // duration(one, what="step") <= _MOST), fits[-1] if fits else steps[0])
