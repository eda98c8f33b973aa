"""Array-likes that Dask slices; a task contains path, snapshot and span, never an open file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask.array as da
import numpy as np
from dask.base import tokenize
from numpy.typing import NDArray

from twinlab.history.layout.encoding import decode, divisor, sentinel
from twinlab.history.read.meter_changes import leave_out_changes
from twinlab.history.read.signal_kinds import fill_states, increases, shares, wrap_integer
from twinlab.history.read.span_reader import SpanReader
from twinlab.model.twinmodel import Signal, parse_duration

__all__ = ["LazyCells", "LazyShares", "LazyWindows", "as_dask", "finished"]

#: Cells per task: about 50 ms of reading, 64 MB of float64.
TASK_CELLS = 2**23
_SPAN = 2**16
_BAND = 64


def _ends(key: slice | int, size: int) -> tuple[int, int]:
    """Return the bounds of a slice of step one, as Dask passes it."""
    if not isinstance(key, slice):
        return int(key), int(key) + 1
    start, stop, _ = key.indices(size)
    return start, max(start, stop)


def _finish(out: NDArray[np.generic], key: tuple[slice | int, ...]) -> NDArray[np.generic]:
    rest = tuple(
        0 if not isinstance(k, slice) else slice(None, None, k.step if (k.step or 1) > 0 else None) for k in key
    )
    return np.asarray(out[rest])


@dataclass(frozen=True)
class _Lazy:
    reader: SpanReader
    name: str
    first: int
    length: int

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (time, asset)."""
        return (self.length, self.reader.columns.size)

    @property
    def signal(self) -> Signal:
        """The signal read."""
        return self.reader.signals[self.name]


@dataclass(frozen=True)
class LazyCells(_Lazy):
    """Values (float64 in the signal's unit; states filled) or flags (uint8) of cells from ``first`` on."""

    flags: bool = False

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return np.dtype("uint8" if self.flags else "float64")

    def __getitem__(self, key: tuple[slice | int, ...]) -> NDArray[np.generic]:
        """Read a rectangle."""
        (t0, t1), (a0, a1) = _ends(key[0], self.shape[0]), _ends(key[1], self.shape[1])
        k0, k1 = self.first + t0, self.first + t1
        columns = self.reader.columns[a0:a1]
        if self.flags:
            return _finish(self.reader.cells(self.name, k0, k1, columns, what="flags")[1], key)
        if self.signal.kind != "state":
            return _finish(decode(self.reader.cells(self.name, k0, k1, columns, what="values")[0], self.signal), key)
        return _finish(decode(_filled(self.reader, self.name, k0, k1, columns), self.signal), key)


def _filled(reader: SpanReader, name: str, k0: int, k1: int, columns: NDArray[np.int64]) -> NDArray[np.signedinteger]:
    values, flags = reader.cells(name, k0, k1, columns)
    filled = fill_states(values, flags, reader.carry(name, k0, columns))
    # States aren't filled before the first and after the last cell that was written.
    low, high = reader.extent
    filled[: max(0, min(low, k1) - k0)] = sentinel(filled.dtype)
    filled[max(0, high - k0) :] = sentinel(filled.dtype)
    return filled


@dataclass(frozen=True)
class LazyWindows(_Lazy):
    """One statistic of windows of ``step``, numbered from the origin from ``first`` on."""

    step: str = ""
    statistic: str = "mean"

    @property
    def dtype(self) -> np.dtype:
        """int64 for counts, else float64."""
        return np.dtype("float64" if self.statistic in ("mean", "sum", "min", "max", "increase") else "int64")

    def __getitem__(self, key: tuple[slice | int, ...]) -> NDArray[np.generic]:
        """Read a rectangle."""
        (t0, t1), (a0, a1) = _ends(key[0], self.shape[0]), _ends(key[1], self.shape[1])
        w0, w1 = self.first + t0, self.first + t1
        columns = self.reader.columns[a0:a1]
        if self.statistic == "increase":
            return _finish(_increase(self.reader, self.name, self.step, w0, w1, columns), key)
        wanted = ("sum", "count") if self.statistic in ("mean", "sum") else (self.statistic,)
        parts = self.reader.windows(self.name, self.step, w0, w1, columns, wanted)
        return _finish(finished(parts, self.statistic, self.signal), key)


def finished(parts: dict[str, NDArray[Any]], statistic: str, signal: Signal) -> NDArray[np.generic]:
    """Return a statistic in the signal's unit from the exact integers of a rollup; NaN where the count is zero."""
    if statistic in ("min", "max"):
        return decode(parts[statistic], signal)
    if statistic not in ("mean", "sum"):
        return parts[statistic].astype(np.int64)
    total = parts["sum"].astype(np.float64)
    count = parts["count"]
    scale = divisor(signal)
    if statistic == "mean":
        # Integers are divided before the unit is applied: the same bits however the sum was computed.
        total = total / np.where(count == 0, np.nan, count)
    out = total / scale if scale is not None else total * (signal.resolution or 1.0)
    return np.where(count == 0, np.nan, out)


def _increase(  # noqa: PLR0917
    reader: SpanReader, name: str, step: str, w0: int, w1: int, columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    signal = reader.signals[name]
    per = parse_duration(step) // reader.group.cadence_ns
    values, flags = reader.cells(name, w0 * per, w1 * per, columns)
    carry = reader.carry(name, w0 * per, columns)
    rise, seen = increases(values, flags, per, w1 - w0, carry=carry, wrap=wrap_integer(signal))
    leave_out_changes(reader, name, w0 * per, per, columns, (values, flags), carry, rise)
    scale = divisor(signal)
    out = rise / scale if scale is not None else rise * (signal.resolution or 1.0)
    return np.where(seen == 0, np.nan, out)


@dataclass(frozen=True)
class LazyShares(_Lazy):
    """Shares of states (window, asset, state), weighted by duration."""

    step: str = ""

    @property
    def codes(self) -> NDArray[np.int64]:
        """The state codes, in order."""
        return np.array(sorted(self.signal.states or {}), dtype=np.int64)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape (window, asset, state)."""
        return (self.length, self.reader.columns.size, self.codes.size)

    @property
    def dtype(self) -> np.dtype:
        """Type of the shares."""
        return np.dtype("float64")

    def __getitem__(self, key: tuple[slice | int, ...]) -> NDArray[np.generic]:
        """Read a box."""
        (t0, t1), (a0, a1), (s0, s1) = (_ends(k, n) for k, n in zip(key, self.shape, strict=True))
        per = parse_duration(self.step) // self.reader.group.cadence_ns
        w0, w1 = self.first + t0, self.first + t1
        filled = _filled(self.reader, self.name, w0 * per, w1 * per, self.reader.columns[a0:a1])
        return _finish(shares(filled, per, w1 - w0, self.codes)[:, :, s0:s1], key)


def as_dask(lazy: _Lazy, *, per: int = 1, offset: int = 0) -> da.Array:
    """Return a dask array over an array-like, in tasks of about `TASK_CELLS` cells (``per`` cells per element).

    ``offset`` is the index of the first element in its year's arrays; tasks end at the edges of shards.
    """
    length, wide = lazy.shape[:2]
    band = min(wide, _BAND * 2)
    span = _SPAN
    while span * band < TASK_CELLS and span < length * per:
        span *= 2
    while span * band * 2 <= TASK_CELLS and band < wide:
        band *= 2
    step = max(1, span // per)
    head = -offset % step if length > step else 0
    times = [head] if 0 < head < length else []
    left = length - sum(times)
    times += [step] * (left // step) + ([left % step] if left % step else [])
    assets = [band] * (wide // band) + ([wide % band] if wide % band else []) if wide else [0]
    chunks = (tuple(times) or (0,), tuple(assets), *((n,) for n in lazy.shape[2:]))
    reader = lazy.reader
    parts = [(id(b), b.k0) for b in reader.overlay]
    extra = [getattr(lazy, field, None) for field in ("flags", "step", "statistic")]
    token = tokenize(
        str(reader.path),
        reader.snapshot,
        reader.group.path,
        reader.columns,
        lazy.name,
        lazy.first,
        lazy.length,
        extra,
        parts,
        reader.changes.get(lazy.name, ()),
    )
    kind = type(lazy).__name__.lower()
    out: da.Array = da.from_array(lazy, chunks=chunks, name=f"{kind}-{lazy.name}-{token}", asarray=False, fancy=False)
    return out
