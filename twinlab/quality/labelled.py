"""Run the kernels over labelled arrays: any dimensions, and lazy if they came lazy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab._cores import in_parts
from twinlab.errors import SchemaError
from twinlab.model.flags import Flag, flag_attributes
from twinlab.model.twinmodel import parse_duration
from twinlab.quality.kernels import NEVER, Limits, judge, judge_line, shortest_and_longest

__all__ = [
    "Duration",
    "along_time",
    "along_time_together",
    "cell_by_cell",
    "cell_by_cell_with",
    "each_instant",
    "extreme_steps",
    "judged",
    "labelled_flags",
    "nanoseconds",
    "on_the_same",
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
_FLAGS: Final = "flags of quality"
#: Above, a compiled pass is faster than NumPy's.
_MANY_TIMES: Final = 2**16
#: Arrays in memory are judged in parts if they are that many times longer than what a part reads twice.
_MARGINS: Final = 20
#: Values that fit into the cache of a core, whatever their type is.
_IN_CACHE: Final = 2**14
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
    times: npt.NDArray[np.int64] = labels.astype("datetime64[ns]", copy=False).view(np.int64)
    # NaT is the smallest number: steps around one show it, but the step to one that is last, which overflows.
    nat = times.size > 0 and bool(np.isnat(labels[[0, -1]]).any())
    shortest, _ = extreme_steps(times)
    if repeated and (nat or shortest < 0):
        msg = "expected a coordinate 'time' in order, got falling or missing times; sort it"
        raise SchemaError(msg)
    if not repeated and (nat or shortest < 1):
        msg = (
            "expected a strictly rising coordinate 'time', got repeated, falling or missing times; sort and deduplicate"
        )
        raise SchemaError(msg)
    return times


def extreme_steps(times: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Return the shortest and the longest step of a time axis in ns (1 if there's none): equal if it is regular.

    >>> extreme_steps(np.array([0, 10, 20, 90]))
    (10, 70)
    """
    if times.size < 2:
        return 1, 1
    if times.size < _MANY_TIMES:
        steps = np.diff(times)
        return int(steps.min()), int(steps.max())
    shortest, longest = shortest_and_longest(np.ascontiguousarray(times))
    return int(shortest), int(longest)


def step_of(times: npt.NDArray[np.int64]) -> int:
    """Return the usual step of a time axis in ns: the median one (1 if there's none).

    >>> step_of(np.array([0, 10, 20, 90]))
    10
    """
    if times.size < 2:
        return 1
    shortest, longest = extreme_steps(times)
    # Regular, as nearly always: a median takes ten times as long.
    return shortest if shortest == longest else int(np.median(np.diff(times)))


def series_table(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Return values of shape [time, ...] as a table [time, series]; a copy only if they aren't float64 in this order.

    >>> series_table(np.zeros((5, 2, 3))).shape
    (5, 6)
    """
    table = values.reshape(len(values), math.prod(values.shape[1:]))
    return np.ascontiguousarray(table, dtype=np.float64)


def series_flags(out: npt.NDArray[np.uint8], shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Return flags [time, series] in the shape [time, ...] of the values that `series_table` got.

    >>> series_flags(np.zeros((5, 6), np.uint8), (5, 2, 3)).shape
    (5, 2, 3)
    """
    return out.reshape(shape)


def labelled_flags(data: object, signal: xr.DataArray, dims: tuple[object, ...], standard_name: str) -> xr.DataArray:
    """Return flags along ``dims`` as an array on the coordinates of a signal, in the order of its dimensions."""
    # A new array, not a copy of the signal: flags must not inherit its units.
    name = "signal" if signal.name is None else str(signal.name)
    attributes = flag_attributes(name) | {"standard_name": standard_name}
    # A DataArray that is made with coordinates copies them, and a long time axis with its index.
    flags = signal.coords.to_dataset().assign({_FLAGS: (dims, data, attributes)})[_FLAGS]
    return flags.rename(f"{name}_qc").transpose(*signal.dims)


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
    """Apply ``block(values [time, ...], times [time])``, whose flags depend on samples ``before`` and ``after`` ns away."""

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
    """Apply ``block([values [time, ...], ...], times [time])`` to several signals on the same coordinates.

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
    # A history's own order: its pieces are judged without a copy.
    dims = signal.transpose("time", ...).dims
    moved = [signal.transpose(*dims), *(on_the_same(other, signal).transpose(*dims) for other in signals[1:])]
    if moved[0].chunks is None:
        found = _in_memory([each.to_numpy() for each in moved], block, times, before=before, after=after)
        return labelled_flags(found, signal, dims, standard_name)
    import dask.array as da  # noqa: PLC0415 (only for lazy arrays: it takes seconds)

    back, ahead = _depth(times, before, after)
    pieces = moved[0].chunks
    if len(pieces[0]) > 1 and min(pieces[0]) <= max(back, ahead):
        # Pieces shorter than the look-back would copy their neighbours many times over.
        moved[0] = moved[0].chunk(time=min(times.size, 4 * (back + ahead) + 1))
    chunks = moved[0].chunks or ()
    if len(chunks[0]) == 1:
        back = ahead = 0

    def of_all(*given: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        return block(given[:-1], given[-1].reshape(-1))

    data = da.map_overlap(
        of_all,
        *(each.chunk(dict(zip(dims, chunks, strict=True))).data for each in moved),
        # As an array of the signal's dimensions: Dask aligns others from the last one.
        da.from_array(times, chunks=(chunks[0],)).reshape(-1, *(1,) * (len(dims) - 1)),
        depth=[{0: (back, ahead)}] * (len(moved) + 1),
        boundary="none",
        dtype=np.uint8,
        meta=np.empty((0,) * len(dims), dtype=np.uint8),
    )
    return labelled_flags(data, signal, dims, standard_name)


def _in_memory(
    tables: Sequence[npt.NDArray[np.float64]],
    block: BlockOfSeveral,
    times: npt.NDArray[np.int64],
    *,
    before: int,
    after: int,
) -> npt.NDArray[np.uint8]:
    """Return the flags of numbers in memory, in parts of time if they are many."""
    shape = tables[0].shape
    found = np.empty(shape, dtype=np.uint8)

    def part(start: int, stop: int) -> None:
        low, high = 0, times.size
        if start > 0:
            low = int(np.searchsorted(times, times[start] - before, side="left"))
        if stop < times.size:
            high = int(np.searchsorted(times, times[stop - 1] + after, side="right"))
        flags = block([each[low:high] for each in tables], times[low:high])
        found[start:stop] = flags[start - low : stop - low]

    # Where a flag depends on most of the times, parts would do the same work several times.
    if times.size and int(times[-1]) - int(times[0]) > _MARGINS * (before + after):
        in_parts(part, len(found), weight=math.prod(shape[1:]))
    else:
        part(0, len(found))
    return found


def on_the_same(other: xr.DataArray, signal: xr.DataArray, *, broadcast: bool = True) -> xr.DataArray:
    """Return another signal on the coordinates of a signal, which must be its own; repeated along dimensions it lacks.

    Raises
    ------
    SchemaError
        If its dimensions or coordinates don't fit.
    """
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
    return aligned.broadcast_like(signal) if broadcast and set(other.dims) != set(signal.dims) else aligned


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
    return labelled_flags(flags.data, signal, moved.dims, standard_name)


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

    ``few`` does the same for a few series ``[series, time]``, faster.
    """

    def block(values: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = series_table(values)
        if rounded_to is not None:
            table = np.rint(table / rounded_to)
        if few is not None and table.shape[1] <= _FEW:
            lines = np.empty(table.shape[::-1], dtype=np.uint8)
            few(np.ascontiguousarray(table.T), np.ascontiguousarray(ns), lines)
            return series_flags(np.ascontiguousarray(lines.T), values.shape)
        out = np.empty(table.shape, dtype=np.uint8)
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
    return labelled_flags(found.data, signal, found.dims, standard_name)


def cell_by_cell(
    signal: xr.DataArray, limits: Limits, *, standard_name: str, codes: npt.NDArray[np.bool_] = NO_CODES
) -> xr.DataArray:
    """Run the kernel of single cells on an array of any shape."""
    _check_numbers(signal)

    def block(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        line = values.reshape(-1)
        out = np.empty(line.shape, dtype=np.uint8)

        def part(start: int, stop: int) -> None:
            width = max(stop - start, 1) if line.dtype == np.float64 else _IN_CACHE
            for at in range(start, stop, width):
                end = min(at + width, stop)
                judge_line(np.ascontiguousarray(line[at:end], dtype=np.float64), limits, codes, out[at:end])

        if signal.chunks is None:
            in_parts(part, line.size)
        else:
            part(0, line.size)
        return out.reshape(values.shape)

    flags = xr.apply_ufunc(block, signal.variable, dask="parallelized", output_dtypes=[np.uint8], keep_attrs=False)
    return labelled_flags(flags.data, signal, signal.dims, standard_name)
