"""Run the kernels over labelled arrays: any dimensions, and lazy if they came lazy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import flag_attributes
from twinlab.model.twinmodel import parse_duration
from twinlab.quality.kernels import NEVER, Limits, judge, judge_plain

__all__ = ["Duration", "along_time", "cell_by_cell", "judged", "nanoseconds", "series_table", "step_of", "times_of"]

Duration = str | np.timedelta64
Block = Callable[[npt.NDArray[np.float64], npt.NDArray[np.int64]], npt.NDArray[np.uint8]]

NO_CODES: Final = np.zeros(1, dtype=np.bool_)


def nanoseconds(duration: Duration, name: str) -> int:
    """Return a positive duration in nanoseconds.

    Raises
    ------
    SchemaError
        If it can't be read, or isn't positive.

    >>> nanoseconds("10min", "gap")
    600000000000
    """
    try:
        found = parse_duration(duration) if isinstance(duration, str) else int(duration / np.timedelta64(1, "ns"))
    except (ValueError, TypeError) as error:
        msg = f"expected {name} as a duration such as '10min' or np.timedelta64(10, 'm'), got {duration!r}"
        raise SchemaError(msg) from error
    if not 0 < found < NEVER:
        msg = f"expected {name} longer than zero and shorter than a century, got {duration!r}"
        raise SchemaError(msg)
    return found


def times_of(signal: xr.DataArray) -> npt.NDArray[np.int64]:
    """Return the ``time`` coordinate in ns since 1970.

    Raises
    ------
    SchemaError
        If there is none of type datetime64, or it doesn't rise strictly.
    """
    if "time" not in signal.dims or "time" not in signal.coords:
        msg = f"expected a dimension 'time' with a coordinate, got dimensions {list(signal.dims)}; rename or add it"
        raise SchemaError(msg)
    labels = signal.coords["time"].to_numpy()
    if labels.dtype.kind != "M":
        msg = f"expected the coordinate 'time' as datetime64 (UTC, without a zone), got {labels.dtype}; convert it"
        raise SchemaError(msg)
    times: npt.NDArray[np.int64] = labels.astype("datetime64[ns]").astype(np.int64)
    if np.isnat(labels).any() or (np.diff(times) <= 0).any():
        msg = (
            "expected a strictly rising coordinate 'time', got repeated, falling or missing times; sort and deduplicate"
        )
        raise SchemaError(msg)
    return times


def step_of(times: npt.NDArray[np.int64]) -> int:
    """Return the usual step of a time axis in ns: the median one (1 if there's none).

    >>> step_of(np.array([0, 10, 20, 90]))
    10
    """
    return int(np.median(np.diff(times))) if times.size > 1 else 1


def series_table(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return values of shape [..., time] as a table [time, series].

    >>> series_table(np.zeros((2, 3, 5))).shape
    (5, 6)
    """
    table = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    return np.ascontiguousarray(table.T, dtype=np.float64)


def _labelled(data: object, signal: xr.DataArray, dims: tuple[object, ...], standard_name: str) -> xr.DataArray:
    # A new array, not a copy of the signal: flags must not inherit its units.
    name = "signal" if signal.name is None else str(signal.name)
    attributes = flag_attributes(name) | {"standard_name": standard_name}
    flags = xr.DataArray(data, coords=signal.coords, dims=dims, name=f"{name}_qc", attrs=attributes)
    return flags.transpose(*signal.dims)


def _check_numbers(signal: xr.DataArray) -> None:
    if signal.dtype.kind not in "fiub":
        msg = f"expected numbers (NaN for missing) in {signal.name!r}, got {signal.dtype}; convert them first"
        raise SchemaError(msg)


def _depth(times: npt.NDArray[np.int64], before: int, after: int) -> tuple[int, int]:
    """Return the largest number of samples within ``before`` and ``after`` ns of a sample."""
    here = np.arange(times.size)
    back = here - np.searchsorted(times, times - before, side="left")
    ahead = np.searchsorted(times, times + after, side="right") - 1 - here
    return int(back.max(initial=0)), int(ahead.max(initial=0))


def along_time(
    signal: xr.DataArray, block: Block, *, times: npt.NDArray[np.int64], before: int, after: int, standard_name: str
) -> xr.DataArray:
    """Apply ``block(values [..., time], times [time])``, whose flags depend on samples ``before`` and ``after`` ns away."""
    _check_numbers(signal)
    moved = signal.transpose(..., "time")
    if moved.chunks is None:
        return _labelled(block(moved.to_numpy(), times), signal, moved.dims, standard_name)
    import dask.array as da  # noqa: PLC0415 (only for lazy arrays: it takes seconds)

    back, ahead = _depth(times, before, after)
    if len(moved.chunks[-1]) > 1 and min(moved.chunks[-1]) <= max(back, ahead):
        # Pieces shorter than the look-back would copy their neighbours many times over.
        moved = moved.chunk(time=min(times.size, 4 * (back + ahead) + 1))
    chunks = moved.chunks or ()
    if len(chunks[-1]) == 1:
        back = ahead = 0
    axis = moved.ndim - 1
    data = da.map_overlap(
        block,
        moved.data,
        da.from_array(times, chunks=(chunks[-1],)),
        depth=[{axis: (back, ahead)}, {0: (back, ahead)}],
        boundary="none",
        dtype=np.uint8,
        meta=np.empty((0,) * moved.ndim, dtype=np.uint8),
    )
    return _labelled(data, signal, moved.dims, standard_name)


def judged(
    signal: xr.DataArray,
    limits: Limits,
    *,
    times: npt.NDArray[np.int64],
    before: int,
    after: int,
    standard_name: str,
    codes: npt.NDArray[np.bool_] = NO_CODES,
    rounded_to: float | None = None,
) -> xr.DataArray:
    """Run the full kernel along time; values are rounded to steps of ``rounded_to`` first, if given."""

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        if rounded_to is not None:
            table = np.rint(table / rounded_to)
        out = np.empty(table.shape, dtype=np.uint8)
        since, until = np.full((2, table.shape[1]), NEVER)
        judge(table, np.ascontiguousarray(ns), 0, -since, until, None, limits, codes, out)
        return np.ascontiguousarray(out.T).reshape(values.shape)

    return along_time(signal, block, times=times, before=before, after=after, standard_name=standard_name)


def cell_by_cell(
    signal: xr.DataArray, limits: Limits, *, standard_name: str, codes: npt.NDArray[np.bool_] = NO_CODES
) -> xr.DataArray:
    """Run the kernel of single cells on an array of any shape."""
    _check_numbers(signal)

    def block(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        line = np.ascontiguousarray(values, dtype=np.float64).reshape(1, -1)
        out = np.empty(line.shape, dtype=np.uint8)
        since, until = np.full((2, line.shape[1]), NEVER)
        judge_plain(line, 0, -since, until, None, limits, codes, out)
        return out.reshape(values.shape)

    flags = xr.apply_ufunc(block, signal.variable, dask="parallelized", output_dtypes=[np.uint8], keep_attrs=False)
    return _labelled(flags.data, signal, signal.dims, standard_name)
