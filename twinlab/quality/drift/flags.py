"""The verdicts on drift as flags of values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.model.flags import Flag
from twinlab.quality.drift.find import drift_from_past, drift_from_peers
from twinlab.quality.labelled import along_time, times_of

__all__ = ["drift_flags"]


def drift_flags(
    signal: xr.DataArray, *, against: str = "peers", season: bool = True, tolerance: float = 0.0
) -> xr.DataArray:
    """Flag values from the onset of a drift until its reset: suspect; not evaluated where the data can't decide.

    Parameters
    ----------
    signal : DataArray with dimension ``time``, and ``asset`` for peers
    against : {"peers", "past"}
        See `drift_from_peers` and `drift_from_past`.
    season : bool
        As in `drift_from_past`.
    tolerance : float
        A smaller change in all is no drift, in the signal's unit.

    Raises
    ------
    SchemaError
        If dimensions or times don't fit.

    >>> rng = np.random.default_rng(0)
    >>> days = np.datetime64("2026-01-01", "ns") + np.arange(120) * np.timedelta64(1, "D")
    >>> table = rng.normal(5, 0.05, (120, 6))
    >>> table[60:, 2] += 0.02 * np.arange(60)
    >>> flags = drift_flags(xr.DataArray(table, {"time": days, "asset": list("abcdef")}, ("time", "asset")))
    >>> flags[-1].values.tolist(), bool((flags[:50] == 1).all())
    ([1, 1, 3, 1, 1, 1], True)
    """
    times = times_of(signal)
    whole = int(times[-1] - times[0]) if times.size else 0
    if "asset" in signal.dims and signal.chunks is not None:
        signal = signal.chunk(asset=-1)
    dims = tuple(dim for dim in signal.dims if dim != "time")

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        if not ns.size:
            return np.empty(values.shape, dtype=np.uint8)
        labels = ns.view("datetime64[ns]")
        array = xr.DataArray(values, {"time": labels}, ("time", *dims)).transpose(..., "time")
        if against == "peers":
            found = drift_from_peers(array, tolerance=tolerance)
        else:
            found = drift_from_past(array, season=season, tolerance=tolerance)
        out = np.full(values.shape, Flag.PASS.value, dtype=np.uint8)
        series = out.reshape(ns.size, -1).T
        for row, one in zip(series, found, strict=True):
            if one.verdict == "unknown":
                row[:] = Flag.NOT_EVALUATED.value
            elif one.verdict == "drift":
                row[(labels >= one.onset) & (labels < (one.until or labels[-1] + 1))] = Flag.SUSPECT.value
        out[np.isnan(values)] = Flag.MISSING.value
        return out

    return along_time(signal, block, times=times, before=whole, after=whole, standard_name="quality_flag")
