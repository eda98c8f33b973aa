"""Rectangles of history that aren't read yet; one is picklable: path, snapshot and span, never an open file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import decode, divisor, sentinel
from twinlab.history.layout.grid import rollup_steps
from twinlab.history.read.meter_changes import leave_out_changes
from twinlab.history.read.signal_kinds import fill_states, increases, shares, wrap_integer
from twinlab.history.read.span_reader import SpanReader
from twinlab.model.twinmodel import Signal, parse_duration

if TYPE_CHECKING:
    from twinlab.history.remote.read_ahead import ReadAhead

__all__ = [
    "DIRECT_CELLS",
    "Lazy",
    "LazyCells",
    "LazyShares",
    "LazyWindows",
    "finished",
    "read_statistics",
    "with_read_ahead",
]

#: Cells that a page reads at once, without Dask: 64 MB of float64, about 50 ms.
DIRECT_CELLS = 2**23


def _span(key: slice | int, size: int) -> tuple[int, int, slice | int]:
    """Return the bounds of what is read along an axis, and the key that selects from it."""
    if not isinstance(key, slice):
        return int(key), int(key) + 1, 0
    start, stop, step = key.indices(size)
    return start, max(start, stop), slice(None, None, step)


@dataclass(frozen=True)
class Lazy(ABC):
    """A variable of some cells or windows, numbered from the origin from ``first`` on, dims ``time, asset``."""

    reader: SpanReader
    name: str
    first: int
    length: int
    ahead: ReadAhead | None = field(default=None, repr=False, compare=False, kw_only=True)
    """Reads the variables of this Dataset; None if each is read alone."""

    def __getstate__(self) -> dict[str, object]:
        """Pickle without the other variables of the Dataset: another process reads those that it is asked for."""
        return self.__dict__ | {"ahead": None}

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

    @property
    def dtype(self) -> np.dtype:
        """Type of the numbers."""
        return np.dtype("float64")

    @property
    def cost(self) -> int:
        """Number of cells that are read for one element."""
        return 1

    @property
    def cells(self) -> int:
        """Number of cells that are read for all of it."""
        return int(np.prod(self.shape)) * self.cost

    @property
    def token(self) -> tuple[object, ...]:
        """What distinguishes it from any other."""
        return (type(self).__name__, self.reader.token, self.name, self.first, self.length)

    def __getitem__(self, key: tuple[slice | int, ...]) -> NDArray[np.generic]:
        """Read a rectangle: elements, or slices of a step above zero."""
        (t0, t1, time), (a0, a1, asset) = (_span(one, size) for one, size in zip(key, self.shape[:2], strict=False))
        if t0 >= t1 or a0 >= a1:
            out: NDArray[np.generic] = np.empty((t1 - t0, a1 - a0, *self.shape[2:]), self.dtype)
        else:
            wanted = (self.first + t0, self.first + t1, self.reader.columns[a0:a1])
            out = self.rectangle(*wanted) if self.ahead is None else self.ahead.read(self.token, *wanted)
        return np.asarray(out[(time, asset, *key[2:])])

    @abstractmethod
    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return cells or windows, numbered from the origin, of stored columns."""


def with_read_ahead(variables: Mapping[str, Lazy]) -> dict[str, Lazy]:
    """Return the variables of a Dataset such that, if they are in an object store, others are fetched while one is read."""
    if not any(one.reader.far for one in variables.values()):
        return dict(variables)
    # Loaded when needed: few histories are in an object store.
    from twinlab.history.remote.read_ahead import ReadAhead  # noqa: PLC0415

    ahead = ReadAhead({one.token: one for one in variables.values()})
    return {name: replace(one, ahead=ahead) for name, one in variables.items()}


@dataclass(frozen=True)
class LazyCells(Lazy):
    """Values (float64 in the signal's unit; states filled) or flags (uint8) of cells from ``first`` on."""

    flags: bool = False

    @property
    def dtype(self) -> np.dtype:
        """Type of the values."""
        return np.dtype("uint8" if self.flags else "float64")

    @property
    def token(self) -> tuple[object, ...]:
        """What distinguishes it from any other."""
        return (*super().token, self.flags)

    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return cells, numbered from the origin, of stored columns."""
        if self.flags:
            return self.reader.cells(self.name, first, stop, columns, what="flags")[1]
        if self.signal.kind == "state":
            return decode(_filled(self.reader, self.name, first, stop, columns), self.signal)
        return decode(self.reader.cells(self.name, first, stop, columns, what="values")[0], self.signal)


def _filled(reader: SpanReader, name: str, k0: int, k1: int, columns: NDArray[np.int64]) -> NDArray[np.signedinteger]:
    values, flags = reader.cells(name, k0, k1, columns)
    filled = fill_states(values, flags, reader.carry(name, k0, columns))
    # States aren't filled before the first and after the last cell that was written.
    low, high = reader.extent
    filled[: max(0, min(low, k1) - k0)] = sentinel(filled.dtype)
    filled[max(0, high - k0) :] = sentinel(filled.dtype)
    return filled


@dataclass(frozen=True)
class LazyWindows(Lazy):
    """One statistic of windows of ``step``, numbered from the origin from ``first`` on."""

    step: str = ""
    statistic: str = "mean"

    @property
    def dtype(self) -> np.dtype:
        """int64 for counts, else float64."""
        return np.dtype("float64" if self.statistic in ("mean", "sum", "min", "max", "increase") else "int64")

    @property
    def cost(self) -> int:
        """Number of cells that are read for one element: a stored window is one."""
        cadence = self.reader.group.cadence_ns
        if self.statistic != "increase" and self.step in rollup_steps(cadence):
            return 1
        return parse_duration(self.step) // cadence

    @property
    def token(self) -> tuple[object, ...]:
        """What distinguishes it from any other."""
        return (*super().token, self.step, self.statistic)

    @property
    def parts(self) -> tuple[str, ...]:
        """The stored statistics that it is computed from."""
        return ("sum", "count") if self.statistic in ("mean", "sum") else (self.statistic,)

    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return windows, numbered from the origin, of stored columns."""
        if self.statistic == "increase":
            return _increase(self.reader, self.name, self.step, first, stop, columns)
        parts = self.reader.windows(self.name, self.step, first, stop, columns, self.parts)
        return finished(parts, self.statistic, self.signal)


def read_statistics(windows: Sequence[LazyWindows]) -> list[NDArray[np.generic]]:
    """Return statistics of the same windows of one signal in full; what they are computed from is read once."""
    one = windows[0]
    wanted = tuple(dict.fromkeys(part for each in windows for part in each.parts))
    stop = one.first + one.length
    parts = one.reader.windows(one.name, one.step, one.first, stop, one.reader.columns, wanted)
    return [finished(parts, each.statistic, each.signal) for each in windows]


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
class LazyShares(Lazy):
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
    def cost(self) -> int:
        """Number of cells that are read for one element."""
        return parse_duration(self.step) // self.reader.group.cadence_ns

    @property
    def token(self) -> tuple[object, ...]:
        """What distinguishes it from any other."""
        return (*super().token, self.step)

    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.generic]:
        """Return windows, numbered from the origin, of stored columns, and all states."""
        filled = _filled(self.reader, self.name, first * self.cost, stop * self.cost, columns)
        return shares(filled, self.cost, stop - first, self.codes)
