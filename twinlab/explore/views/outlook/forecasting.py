"""Forecasts of several issue times, and observed values: of a signal, of counts of events, of a KPI."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.explore.views.outlook.computing import Steps, arrived_later, knowledge_of
from twinlab.explore.views.outlook.requests import ForecastRequest
from twinlab.languages import tr

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Forecasts", "compute_forecasts"]


@dataclass(frozen=True)
class Forecasts:
    """Forecasts, observed values, and the source of both.

    Parameters
    ----------
    request : ForecastRequest
    data : Dataset
        Predictions by issue time.
    truth : DataArray
        Their true values, as far as they are known.
    actual : DataArray
        What was measured, dims ``time, asset``; times are the ends of the cells.
    """

    request: ForecastRequest
    data: xr.Dataset
    truth: xr.DataArray
    actual: xr.DataArray


def compute_forecasts(twin: Any, request: ForecastRequest, steps: Steps) -> Forecasts:
    """Return the newest forecast, earlier ones, and observed values."""
    from twinlab.predict.predictions.joining import join  # noqa: PLC0415
    from twinlab.predict.protocol.durations import duration  # noqa: PLC0415

    many = request.past + 2
    steps.at(0, many, tr("What was known is read …"))
    horizon = duration(request.horizon, what="horizon")
    late = request.at is not None and _arrived_later(twin, request, request.at)
    newest = request.forecast(twin, at=request.at, **(knowledge_of(late) if request.at is not None else {}))
    when = newest["issue_time"].values[0]
    earlier = tuple(when - horizon * k for k in range(request.past, 0, -1))
    first = _first(twin, request)
    earlier = tuple(one for one in earlier if one - horizon > first)
    late = late or (bool(earlier) and _arrived_later(twin, request, earlier[0]))
    request = replace(request, issued=earlier, by_event_time=late)
    parts = []
    for place, at in enumerate(earlier):
        steps.at(place + 1, many, tr("The forecast of {t} UTC is issued again …", t=str(at)[:16].replace("T", " ")))
        parts.append(request.forecast(twin, at=at, **knowledge_of(late)))
    data = join([*parts, newest])
    steps.at(many - 1, many, tr("What came is read …"))
    return Forecasts(request, data, *_what_came(twin, request, data))


def _first(twin: Any, request: ForecastRequest) -> np.datetime64:
    """Return when what is forecast begins."""
    if request.of == "events":
        return np.datetime64(twin.events(request.name)["start"].min(), "ns")
    if request.of == "kpi":
        return np.datetime64(twin.kpi(request.name)["time"].values[0], "ns")
    return np.datetime64(twin.history(request.asset_type, signals=[request.name])["time"].values[0], "ns")


def _arrived_later(twin: Any, request: ForecastRequest, at: np.datetime64) -> bool:
    """Return whether nothing had arrived by an instant."""
    if request.of == "signal":
        return arrived_later(twin, request.asset_type, request.name, at)
    on = request.name if request.of == "events" else str(twin.model.kpis[request.name].on)
    spec = twin.model.asset_types.get(on)
    if spec is not None:
        return not spec.signals or arrived_later(twin, on, next(iter(spec.signals)), at)
    if not hasattr(twin, "as_of"):
        return True
    table: pd.DataFrame = twin.as_of(at).events(on)
    return table.empty


def _what_came(twin: Any, request: ForecastRequest, data: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the true values of the forecasts, and what was measured around them."""
    from twinlab.predict.protocol.durations import duration  # noqa: PLC0415
    from twinlab.predict.targets.truth import truth_of  # noqa: PLC0415

    width, span = duration(str(data.attrs["step"]), what="step"), data["lead_time"].values[-1]
    start, stop = data["issue_time"].values[0] - span, data["issue_time"].values[-1] + span
    if request.of == "signal":
        return truth_of(twin, data), _measured(twin, request, data, (start, stop)).pipe(_at_ends, width)
    if request.of == "events":
        return truth_of(twin, data), _counted(twin, data, start=start, stop=stop, width=width)
    actual = _kpi(twin, request, data, start=start, stop=stop, width=width)
    return _at_leads(actual, data), actual


def _measured(
    twin: Any, request: ForecastRequest, data: xr.Dataset, span: tuple[np.datetime64, np.datetime64]
) -> xr.DataArray:
    """Return a signal; a value that failed a test is left out."""
    target = str(data.attrs["target"])
    step = None if target == request.name else str(data.attrs["step"])
    found = twin.history(request.asset_type, signals=[request.name], start=span[0], stop=span[1], step=step)
    values: xr.DataArray = found[target]
    if f"{target}_qc" in found:
        values = values.where(found[f"{target}_qc"] != 4)
    return values.load()


def _at_ends(values: xr.DataArray, width: np.timedelta64) -> xr.DataArray:
    """Return values at the ends of their cells."""
    return values.assign_coords(time=values["time"].values.astype("datetime64[ns]") + width)


def _counted(
    twin: Any, data: xr.Dataset, *, start: np.datetime64, stop: np.datetime64, width: np.timedelta64
) -> xr.DataArray:
    """Return how many events began in each cell, at its end."""
    from twinlab.predict.targets.truth import truth_of  # noqa: PLC0415

    # The true values of one forecast of the whole span.
    leads = np.arange(width, stop - start + width, width)
    shell = (
        data.isel(issue_time=[0], lead_time=[0]).drop_vars("lead_time").isel(lead_time=np.zeros(len(leads), dtype=int))
    )
    shell = shell.assign_coords(issue_time=[start], lead_time=leads)
    true = truth_of(twin, shell).isel(issue_time=0, drop=True)
    return true.rename(lead_time="time").assign_coords(time=start + leads)


def _kpi(
    twin: Any,
    request: ForecastRequest,
    data: xr.Dataset,
    *,
    start: np.datetime64,
    stop: np.datetime64,
    width: np.timedelta64,
) -> xr.DataArray:
    """Return the settled windows of a KPI, at their ends."""
    found = twin.kpi(
        request.name, by=str(data.attrs["by"]) or None, every=str(data.attrs["step"]), start=start, stop=stop
    )
    values = (
        found["value"]
        .where(found["time"] + width <= found["settled_until"])
        .drop_vars("settled_until", errors="ignore")
    )
    values = values.rename({str(one): "asset" for one in values.dims if one != "time"})
    if "asset" not in values.dims:
        values = values.expand_dims(asset=data["asset"].values)
    return _at_ends(values.reindex(asset=data["asset"].values), width)


def _at_leads(actual: xr.DataArray, data: xr.Dataset) -> xr.DataArray:
    """Return what was measured at each lead time of each issue time; NaN where nothing is known yet."""
    issued, leads = data["issue_time"].values, data["lead_time"].values
    found = actual.transpose("time", "asset").reindex(time=(issued[:, None] + leads[None, :]).ravel())
    values = found.to_numpy().reshape(len(issued), len(leads), -1)
    shape = (
        data[str(data.attrs["target"])]
        .transpose("issue_time", "lead_time", "asset", "quantile")
        .isel(quantile=0, drop=True)
    )
    return shape.copy(data=values)
