"""Apply calibrations to a labelled array: a new array, lazy if it came lazy."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.calibration.pieces import Calibration

__all__ = ["calibrated", "corrected"]


def corrected(
    values: npt.NDArray[np.float64], times: npt.NDArray[np.int64], calibrations: Iterable[Calibration]
) -> npt.NDArray[np.float64]:
    """Return values (…, time) of one asset with its calibrations applied; ``times`` in ns since 1970.

    >>> fix = Calibration(asset="room/3", signal="temperature", offset=-0.5, reason="reads too high")
    >>> corrected(np.array([5.0, np.nan]), np.array([0, 10**9]), [fix]).tolist()
    [4.5, nan]
    """
    out = np.array(values, dtype=np.float64)
    for one in calibrations:
        since, until = one.span_ns
        rows = np.flatnonzero((times >= since) & (times < until))
        out[..., rows] = out[..., rows] * one.gain_at(times[rows]) + one.offset_at(times[rows])
    return out


def calibrated(values: xr.DataArray, calibrations: Calibration | Iterable[Calibration]) -> xr.DataArray:
    """Return values corrected by gain and offset where a calibration is valid, and unchanged elsewhere.

    Parameters
    ----------
    values : DataArray with dimension ``time`` (datetime64, UTC)
        Readings of one signal. With a coordinate ``asset``, each calibration applies to its own asset, whose id is compared
        with and without the asset type; calibrations of other assets are ignored. Without it, all apply.
    calibrations : Calibration, or several
        In the unit of ``values.attrs["units"]``. Those of one asset may not overlap.

    Returns
    -------
    DataArray, float64
        Same shape, name and attributes; NaN stays NaN.

    Raises
    ------
    SchemaError
        If there is no dimension ``time`` of instants, calibrations are of several signals, or two of one asset overlap.

    >>> days = np.datetime64("2026-03-01", "ns") + np.arange(4) * np.timedelta64(1, "D")
    >>> values = xr.DataArray([5.0, 5.1, 5.2, 5.3], {"time": days}, "time")
    >>> fix = Calibration.model_validate({
    ...     "asset": "room/3", "signal": "temperature", "until": "2026-03-04", "reason": "0.1 a day",
    ...     "offset": {"2026-03-01": 0, "2026-03-03": -0.2},
    ... })
    >>> calibrated(values, fix).round(3).values.tolist()
    [5.0, 5.0, 5.0, 5.3]
    """
    chosen = [calibrations] if isinstance(calibrations, Calibration) else list(calibrations)
    if "time" not in values.coords or values.coords["time"].dtype.kind != "M":
        msg = f"expected a coordinate 'time' of instants, got {list(values.coords)}; rename or convert it"
        raise SchemaError(msg)
    signals = sorted({one.signal for one in chosen})
    if len(signals) > 1:
        msg = f"expected calibrations of one signal, got {', '.join(signals)}; choose those of {values.name!r}"
        raise SchemaError(msg)
    places = _places(values, chosen)
    if "asset" not in values.dims:
        return values.astype(np.float64) if not places[()] else _applied(values, None, {0: places[()]})
    assets = values.coords["asset"]
    found = {number: places[name] for number, name in enumerate(_ids(assets)) if places[name]}
    if not found:
        return values.astype(np.float64)
    return _applied(values, xr.DataArray(np.arange(assets.size), dims="asset"), found)


def _ids(assets: xr.DataArray) -> list[str]:
    return [str(name) for name in np.atleast_1d(assets.to_numpy())]


def _places(values: xr.DataArray, chosen: list[Calibration]) -> dict[object, list[Calibration]]:
    """Return the calibrations of each asset of an array; of () if it has no dimension ``asset``."""
    if "asset" not in values.coords:
        found: dict[object, list[Calibration]] = {(): chosen}
    else:
        by_name: dict[object, list[Calibration]] = {}
        for one in chosen:
            by_name.setdefault(one.asset, []).append(one)
            by_name.setdefault(one.asset.partition("/")[2], []).append(one)
        found = {name: by_name.get(name, []) for name in _ids(values.coords["asset"])}
        if "asset" not in values.dims:
            found = {(): next(iter(found.values()))}
    for several in found.values():
        for number, one in enumerate(several):
            for other in several[:number]:
                # Without assets in the array, all calibrations are of one.
                if other.model_copy(update={"asset": one.asset}).overlaps(one):
                    msg = (
                        f"expected one calibration of {one.signal} of {one.asset} at a time, got two that overlap: "
                        f"{other.reason!r} and {one.reason!r}; end the first by `until` where the second begins"
                    )
                    raise SchemaError(msg)
    return found


def _applied(values: xr.DataArray, numbers: xr.DataArray | None, found: dict[int, list[Calibration]]) -> xr.DataArray:
    """Correct the assets (by number; all by 0 without numbers) that have calibrations."""
    order = ("time", "asset") if numbers is not None else ("time",)
    moved = values.transpose(..., *order)
    times = xr.DataArray(values.coords["time"].to_numpy().astype("datetime64[ns]").view(np.int64), dims="time")
    chunks = dict(zip(moved.dims, moved.chunks, strict=True)) if moved.chunks is not None else {}
    given = [moved.variable, times.variable]
    if numbers is not None:
        given.append(numbers.variable)
    if chunks:
        given[1:] = [one.chunk({dim: chunks[dim] for dim in one.dims}) for one in given[1:]]

    def block(
        piece: npt.NDArray[np.float64], at: npt.NDArray[np.int64], who: npt.NDArray[np.int64] | None = None
    ) -> npt.NDArray[np.float64]:
        out = np.array(piece, dtype=np.float64)
        columns = [0] if who is None else who.ravel().tolist()
        at = at.ravel()
        for column, number in enumerate(columns):
            place = (...,) if who is None else (..., column)
            if number in found:
                out[place] = corrected(out[place], at, found[number])
        return out

    made = xr.apply_ufunc(block, *given, dask="parallelized", output_dtypes=[np.float64])
    out = xr.DataArray(made.data, values.coords, moved.dims, name=values.name, attrs=values.attrs)
    return out.transpose(*values.dims)
