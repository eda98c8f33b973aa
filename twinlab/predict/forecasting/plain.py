"""Forecasts of a plain DataArray."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.forecasting.forecaster import Forecaster
from twinlab.predict.protocol.durations import duration, lead_times, text_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.state import State
from twinlab.predict.targets.signal import SignalTarget

__all__ = ["forecast"]


def forecast(
    data: xr.DataArray,
    *,
    horizon: str,
    step: str | None = None,
    season: str | Sequence[str] | None = "auto",
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    span: tuple[float, float] = (-math.inf, math.inf),
    future: xr.Dataset | None = None,
) -> xr.Dataset:
    """Return forecasts of regular series, issued at the end of the data.

    One configuration for all series: the median of the values a season before, the usual course of the season at the present level, and autoregressions, with
    intervals from errors at past issue times.

    Parameters
    ----------
    data : DataArray
        Dims ``time`` and, if there are several series, ``asset``; ``time`` is regular, the starts of cells, UTC; NaN where there is no value. Its unit is in
        ``attrs["units"]``.
    horizon : str
        How far ahead, a multiple of the step.
    step : str, optional
        Width of a cell; by default the distance of the times.
    season : str, sequence of str or None
        As in `Forecaster`: ``"auto"`` finds it.
    quantiles : sequence of float
    span : (float, float)
        Least and greatest value that can be.
    future : Dataset, optional
        Inputs known ahead, with dims ``time`` and perhaps ``asset``, from the first time to the horizon; attribute ``issued`` of each variable. All are used.

    Returns
    -------
    Dataset
        Predictions: dims ``issue_time, lead_time, asset, quantile``; where it can't tell, `twinlab.predict.reasons` says why.

    Raises
    ------
    SchemaError
        If the times aren't regular, dims or options are wrong, or no value is known.
    LeakError
        If a future input doesn't say when it was issued, or was issued after the end of the data.

    Examples
    --------
    >>> time = np.datetime64("2026-01-01", "ns") + np.arange(24 * 30) * np.timedelta64(1, "h")
    >>> power = xr.DataArray(np.sin(np.arange(24 * 30) * np.pi / 12), {"time": time}, name="power")
    >>> forecast(power, horizon="2h").power.sel(quantile=0.5).values.ravel().round(2) + 0.0
    array([0.  , 0.26])
    """
    table, width = _checked(data, step)
    name, units = str(table.name), str(table.attrs.get("units", "unknown"))
    times = table["time"].values
    all_of_it = text_of(len(times) * width)
    kind = str(table.attrs.get("asset_type", "series"))
    inputs = Inputs(kind, (name,), step=text_of(width), window=all_of_it, training=all_of_it)
    predictor = Forecaster(
        inputs,
        SignalTarget(name, units),
        lead_times(horizon, every=inputs.step),
        season if season is None or isinstance(season, str) else tuple(season),
        tuple(quantiles),
        span,
        () if future is None else tuple(map(str, future.data_vars)),
    )
    state = State(times[-1] + width, table.to_dataset(name=name), width, future=future)
    # Which twin has the true values isn't known.
    return predictor.fit(state).predict(state).assign_attrs(truth="series")


def _checked(data: xr.DataArray, step: str | None) -> tuple[xr.DataArray, np.timedelta64]:
    """Return data with dims ``time, asset`` and the width of a cell.

    Raises
    ------
    SchemaError
        If dims, times or values are wrong.
    """
    if "time" not in data.dims or not {*data.dims} <= {"time", "asset"}:
        msg = f"expected data with the dims time and perhaps asset, got {tuple(map(str, data.dims))}"
        raise SchemaError(msg)
    if data.dtype.kind not in "fiub":
        msg = f"expected numbers to forecast in {data.name!r}, got values of type {data.dtype}"
        raise SchemaError(msg)
    times = data["time"].values
    if times.dtype.kind != "M" or len(times) < 2:
        msg = f"expected at least two times, as datetime64, in {data.name!r}, got {len(times)} of type {times.dtype}"
        raise SchemaError(msg)
    times = times.astype("datetime64[ns]")
    gaps = np.diff(times)
    width = gaps.min() if step is None else duration(step, what="step")
    if bool((gaps != width).any()):
        place = int(np.argmax(gaps != width))
        msg = (
            f"expected regular times, {text_of(width)} apart; {times[place + 1]} comes {gaps[place] / np.timedelta64(1, 's'):g} s after {times[place]}; "
            "aggregate with data.resample(time=…), or reindex: missing cells are NaN"
        )
        raise SchemaError(msg)
    name = "value" if data.name is None else str(data.name)
    if "asset" not in data.dims:
        data = data.drop_vars("asset", errors="ignore").expand_dims(asset=[name])
    ids = [str(one) for one in data["asset"].values]
    if len(set(ids)) != len(ids):
        msg = f"expected each asset once in {data.name!r}, got {next(one for one in ids if ids.count(one) > 1)!r} again"
        raise SchemaError(msg)
    table = data.transpose("time", "asset").assign_coords(time=times, asset=np.array(ids, object))
    return table.astype(float).rename(name).compute(), width
