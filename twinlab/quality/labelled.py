"""Run the kernels over labelled arrays: any dimensions, and lazy if they came lazy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag, flag_attributes
from twinlab.model.twinmodel import parse_duration
from twinlab.quality.kernels import NEVER, Limits, judge, judge_plain

__all__ = [
    "Duration",
    "along_time",
    "along_time_together",
    "cell_by_cell",
    "cell_by_cell_with",
    "each_instant",
    "judged",
    "nanoseconds",
    "series_flags",
    "series_table",
    "step_of",
    "times_of",
]

Duration = str | np.timedelta64
Block = Callable[[npt.NDArray[np.float64], npt.NDArray[np.int64]], npt.NDArray[np.uint8]]
BlockOfSeveral = Callable[[Sequence[npt.NDArray[np.float64]], npt.NDArray[np.int64]], npt.NDArray[np.uint8]]
Instants = Callable[[npt.NDArray[np.float64], npt.NDArray[np.int64]], npt.NDArray[np.uint8]]

FewSeries = Callable[[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.uint8]], None]

#: Up to so many series, one after the other is faster than side by side.
_FEW: Final = 4
_ROW: Final = 2**12
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


def times_of(signal: xr.DataArray, *, repeated: bool = False) -> npt.NDArray[np.int64]:
    """Return the ``time`` coordinate in ns since 1970.

    Raises
    ------
    SchemaError
        If there is none of type datetime64, or it doesn't rise strictly; if ``repeated``, times may repeat.
    """
    if "time" not in signal.dims or "time" not in signal.coords:
        msg = f"expected a dimension 'time' with a coordinate, got dimensions {list(signal.dims)}; rename or add it"
        raise SchemaError(msg)
    labels = signal.coords["time"].to_numpy()
    if labels.dtype.kind != "M":
        msg = f"expected the coordinate 'time' as datetime64 (UTC, without a zone), got {labels.dtype}; convert it"
        raise SchemaError(msg)
    times: npt.NDArray[np.int64] = labels.astype("datetime64[ns]").view(np.int64)
    # NaT is the smallest number, so that in times that rise only the first one can be it.
    nat = times.size > 0 and bool(np.isnat(labels[0]))
    if repeated and (nat or (times[1:] < times[:-1]).any()):
        msg = "expected a coordinate 'time' in order, got falling or missing times; sort it"
        raise SchemaError(msg)
    if not repeated and (nat or (times[1:] <= times[:-1]).any()):
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
    if times.size < 2:
        return 1
    steps = np.diff(times)
    # Regular, as nearly always: a median takes ten times as long.
    return int(steps[0] if (steps == steps[0]).all() else np.median(steps))


def series_table(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return values of shape [..., time] as a table [time, series].

    >>> series_table(np.zeros((2, 3, 5))).shape
    (5, 6)
    """
    table = values.reshape(math.prod(values.shape[:-1]), values.shape[-1])
    return np.ascontiguousarray(table.T, dtype=np.float64)


def series_flags(out: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return flags [time, series] in the shape [..., time] of the values that `series_table` got.

    >>> series_flags(np.zeros((5, 6), np.uint8), (2, 3, 5)).shape
    (2, 3, 5)
    """
    return np.ascontiguousarray(out.T).reshape(shape)


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

    def of_one(tables: Sequence[npt.NDArray[np.float64]], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        return block(tables[0], ns)

    return along_time_together([signal], of_one, times=times, before=before, after=after, standard_name=standard_name)


def along_time_together(
    signals: Sequence[xr.DataArray],
    block: BlockOfSeveral,
    *,
    times: npt.NDArray[np.int64],
    before: int,
    after: int,
    standard_name: str,
) -> xr.DataArray:
    """Apply ``block([values [..., time], ...], times [time])`` to several signals on the same coordinates.

    The flags are those of the first signal, and depend on samples ``before`` and ``after`` ns away. They are lazy if the
    first signal is.

    Raises
    ------
    SchemaError
        If the signals' dimensions or coordinates differ, or one doesn't contain numbers.
    """
    signal = signals[0]
    for each in signals:
        _check_numbers(each)
    dims = signal.transpose(..., "time").dims
    moved = [signal.transpose(*dims), *(_like(other, signal).transpose(*dims) for other in signals[1:])]
    if moved[0].chunks is None:
        return _labelled(block([each.to_numpy() for each in moved], times), signal, dims, standard_name)
    import dask.array as da  # noqa: PLC0415 (only for lazy arrays: it takes seconds)

    back, ahead = _depth(times, before, after)
    pieces = moved[0].chunks
    if len(pieces[-1]) > 1 and min(pieces[-1]) <= max(back, ahead):
        # Pieces shorter than the look-back would copy their neighbours many times over.
        moved[0] = moved[0].chunk(time=min(times.size, 4 * (back + ahead) + 1))
    chunks = moved[0].chunks or ()
    if len(chunks[-1]) == 1:
        back = ahead = 0
    axis = len(dims) - 1

    def of_all(*given: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        return block(given[:-1], given[-1])

    data = da.map_overlap(
        of_all,
        *(each.chunk(dict(zip(dims, chunks, strict=True))).data for each in moved),
        da.from_array(times, chunks=(chunks[-1],)),
        depth=[*([{axis: (back, ahead)}] * len(moved)), {0: (back, ahead)}],
        boundary="none",
        dtype=np.uint8,
        meta=np.empty((0,) * len(dims), dtype=np.uint8),
    )
    return _labelled(data, signal, dims, standard_name)


def _like(other: xr.DataArray, signal: xr.DataArray) -> xr.DataArray:
    """Return another signal on the coordinates of a signal, which must be its own."""
    try:
        aligned, _ = xr.align(other, signal, join="exact", copy=False)
    except ValueError as error:
        msg = (
            f"expected {other.name!r} on the coordinates of {signal.name!r}, got others ({error}); select a common part"
        )
        raise SchemaError(msg) from error
    if not set(other.dims) <= set(signal.dims) or "time" not in other.dims:
        msg = f"expected {other.name!r} with dimensions out of {list(signal.dims)} with 'time', got {list(other.dims)}"
        raise SchemaError(msg)
    return aligned if set(other.dims) == set(signal.dims) else aligned.broadcast_like(signal)


def each_instant(
    signal: xr.DataArray, block: Instants, *, across: str, groups: npt.NDArray[np.int64], standard_name: str
) -> xr.DataArray:
    """Apply ``block(values [..., across], groups [across])``, whose flags depend on the other values of an instant.

    Parameters
    ----------
    signal : DataArray with dimension ``across``
    block : callable
    across : str
        The dimension whose entries are compared.
    groups : int64 [across]
        Group of each entry.
    standard_name : str
    """
    _check_numbers(signal)
    moved = signal.transpose(..., across)
    if moved.chunks is not None:
        moved = moved.chunk({across: -1})
    flags = xr.apply_ufunc(
        block,
        moved.variable,
        xr.Variable((across,), groups),
        input_core_dims=[[across], [across]],
        output_core_dims=[[across]],
        dask="parallelized",
        output_dtypes=[np.uint8],
        keep_attrs=False,
    )
    return _labelled(flags.data, signal, moved.dims, standard_name)


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
    few: FewSeries | None = None,
) -> xr.DataArray:
    """Run the full kernel along time; values are rounded to steps of ``rounded_to`` first, if given.

    ``few`` does the same for a few series, faster.
    """

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        if rounded_to is not None:
            table = np.rint(table / rounded_to)
        out = np.empty(table.shape, dtype=np.uint8)
        if few is not None and table.shape[1] <= _FEW:
            few(table, np.ascontiguousarray(ns), out)
            return series_flags(out, values.shape)
        since, until = np.full((2, table.shape[1]), NEVER)
        judge(table, np.ascontiguousarray(ns), 0, -since, until, None, limits, codes, out)
        return series_flags(out, values.shape)

    return along_time(signal, block, times=times, before=before, after=after, standard_name=standard_name)


def cell_by_cell_with(signal: xr.DataArray, flags: xr.DataArray, *, standard_name: str) -> xr.DataArray:
    """Return given flags, of dimensions out of the signal's, for the values of a signal, and 9 where there is none."""
    _check_numbers(signal)

    def block(values: npt.NDArray[np.float64], given: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return np.where(np.isnan(values), np.uint8(Flag.MISSING.value), given)

    found = xr.apply_ufunc(
        block, signal.variable, flags.variable, dask="parallelized", output_dtypes=[np.uint8], keep_attrs=False
    )
    return _labelled(found.data, signal, found.dims, standard_name)


def cell_by_cell(
    signal: xr.DataArray, limits: Limits, *, standard_name: str, codes: npt.NDArray[np.bool_] = NO_CODES
) -> xr.DataArray:
    """Run the kernel of single cells on an array of any shape."""
    _check_numbers(signal)

    def block(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
        line = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
        out = np.empty(line.shape, dtype=np.uint8)
        # Rows of a length whose limits stay in the cache, and what is left.
        whole = line.size - line.size % _ROW
        for part, flags in ((line[:whole], out[:whole]), (line[whole:], out[whole:])):
            width = min(_ROW, part.size)
            if width:
                since, until = np.full((2, width), NEVER)
                table = part.reshape(-1, width)
                judge_plain(table, 0, -since, until, None, limits, codes, flags.reshape(-1, width))
        return out.reshape(values.shape)

    flags = xr.apply_ufunc(block, signal.variable, dask="parallelized", output_dtypes=[np.uint8], keep_attrs=False)
    return _labelled(flags.data, signal, signal.dims, standard_name)
