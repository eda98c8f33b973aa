"""Claims of frames in a temporary file: written once, read back by span of time.

A frame of a table that is sorted by tag has rows of the whole time that the table covers, and a rebuild is done in pieces of
time. From here each piece reads its own claims of every frame, about 16 bytes each, instead of translating all rows again.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twinlab.errors import CorruptionError
from twinlab.harmonise.claims import Claims, Series
from twinlab.ledger.format.disk import crc32c, read_at, write_all

__all__ = ["ClaimFile"]

#: Claims with one checksum, which are read together.
_BLOCK = 1024
#: Times are stored in the coarsest of these steps (ns) that all of them are multiples of.
_STEPS = (10**9, 10**6, 1)
#: How often the free space is looked up, in bytes written.
_LOOK = 64 * 2**20
_COLUMNS = (
    "code",
    "event_time",
    "value",
    "epoch",
    "sequence",
    "ordinal",
    "op",
    "tag",
    "priority",
    "row_number",
    "flag",
)

Array = npt.NDArray[Any]


class _Column(NamedTuple):
    """How a column is stored: elements are ``base + step * number``, with the row's place as number if none is stored."""

    kind: np.dtype[Any]
    base: int | float
    # 0: the elements themselves are stored, or all are equal to ``base``.
    step: int
    stored: np.dtype[Any] | None

    def read(self, numbers: Array | None, span: tuple[int, int]) -> Array:
        """Return the elements of a span of rows; ``numbers`` are those that are stored."""
        if numbers is None and not self.step:
            return np.broadcast_to(self.kind.type(self.base), span[1] - span[0])
        if numbers is None:
            first, stop = (int(self.base) + place * self.step for place in span)
            return np.arange(first, stop, self.step, dtype=self.kind)
        out: Array = numbers.astype(self.kind)
        if self.step > 1:
            out *= self.step
        if self.step and self.base:
            out += self.kind.type(self.base)
        return out


@dataclass(frozen=True, slots=True)
class _Stored:
    """The place of one frame's claims in the file, in order of time."""

    series: tuple[Series, ...]
    tags: tuple[str, ...]
    columns: dict[str, _Column]
    # Row of the file; its fields are the columns with stored numbers.
    row: np.dtype[Any]
    count: int
    offset: int
    # Time of the first claim of each block, and of the last claim.
    times: npt.NDArray[np.int64]
    checksums: tuple[int, ...]

    def rows(self, time: tuple[int, int] | None) -> tuple[int, int]:
        """Return the blocks that may have claims in [low, high), as a span of rows."""
        if time is None:
            return 0, self.count
        starts = self.times[:-1]
        if time[0] > self.times[-1] or time[1] <= starts[0]:
            return 0, 0
        first = max(0, int(starts.searchsorted(time[0], side="left")) - 1)
        return first * _BLOCK, min(self.count, int(starts.searchsorted(time[1], side="left")) * _BLOCK)


class ClaimFile:
    """Claims of any number of frames, in a file that the system removes when it is closed or this process ends.

    Parameters
    ----------
    folder : Path
        Where the file is made; it has no name there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  (closed by `close`)
        self._frames: dict[Hashable, _Stored] = {}
        self._size = self._looked = 0
        self._full = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Remove the file."""
        self._frames.clear()
        self._file.close()

    @property
    def closed(self) -> bool:
        """Whether the file is removed."""
        return self._file.closed

    def put(self, key: Hashable, claims: Claims) -> bool:
        """Write the claims of a frame, which have no keys; return False if there is no room for them.

        The file never gets larger than the space that it leaves free.
        """
        if key in self._frames:
            return True
        columns = {name: getattr(claims, name) for name in _COLUMNS if getattr(claims, name) is not None}
        times = columns["event_time"]
        if (times[1:] < times[:-1]).any():
            order = np.argsort(times, kind="stable")
            columns = {name: one if one.strides == (0,) else one[order] for name, one in columns.items()}
            # With this column the claims are read back in their order.
            columns["place"] = order
        packed = {name: _pack(name, one) for name, one in columns.items()}
        row = np.dtype([(name, one.stored) for name, (one, _) in packed.items() if one.stored is not None])
        rows = np.empty(len(claims), dtype=row)
        for name in row.names or ():
            rows[name] = packed[name][1]
        data = rows.tobytes()
        with self._lock:
            if not self._room(len(data)):
                return False
            offset, self._size = self._size, self._size + len(data)
        try:
            write_all(self._file.fileno(), [data], offset)
        except OSError:
            self._full = True
            return False
        ordered = columns["event_time"]
        checksums = tuple(crc32c(part) for part in _blocks(data, row.itemsize))
        first = np.append(ordered[::_BLOCK], ordered[-1])
        described = {name: one for name, (one, _) in packed.items()}
        self._frames[key] = _Stored(claims.series, claims.tags, described, row, len(claims), offset, first, checksums)
        return True

    def get(self, key: Hashable, time: tuple[int, int] | None = None) -> Claims | None:
        """Return the claims of a frame, None if they weren't written; with ``time`` (ns UTC) at least those in [low, high).

        Raises
        ------
        CorruptionError
            If the bytes aren't those that were written.
        """
        stored = self._frames.get(key)
        if stored is None:
            return None
        span = stored.rows(time)
        if span[0] >= span[1]:
            return Claims.empty()
        rows = self._rows(stored, span)
        names = stored.row.names or ()
        order = None
        if "place" in names:
            order = np.argsort(rows["place"], kind="stable")
            # As plain bytes: NumPy moves the fields of a row one by one.
            rows = rows.view(f"V{stored.row.itemsize}").take(order).view(stored.row)
        found = {}
        for name, one in stored.columns.items():
            column = one.read(rows[name] if name in names else None, span)
            moved = order is not None and name not in names and column.strides != (0,)
            found[name] = column[order] if moved else column
        found.pop("place", None)
        row_number, flag = found.pop("row_number", None), found.pop("flag", None)
        return Claims(stored.series, tags=stored.tags, key=None, row_number=row_number, flag=flag, **found)

    def _rows(self, stored: _Stored, span: tuple[int, int]) -> Array:
        size = stored.row.itemsize
        data = read_at(self._file.fileno(), (span[1] - span[0]) * size, stored.offset + span[0] * size)
        wanted = stored.checksums[span[0] // _BLOCK : -(-span[1] // _BLOCK)]
        if tuple(crc32c(part) for part in _blocks(data, size)) != wanted:
            msg = f"a temporary file in {self._folder} doesn't have the bytes that were written. Check the disk, then run `twinlab rebuild`"
            raise CorruptionError(msg)
        return np.frombuffer(data, dtype=stored.row)

    def _room(self, size: int) -> bool:
        if not self._full and self._size + size > self._looked:
            self._looked = self._size + size + _LOOK
            self._full = shutil.disk_usage(self._folder).free < self._looked
        return not self._full


def _blocks(data: bytes, size: int) -> Iterator[bytes]:
    """Yield the bytes of each block of rows of ``size`` bytes."""
    step = _BLOCK * size
    return (data[low : low + step] for low in range(0, len(data), step)) if step else iter(())


def _pack(name: str, column: Array) -> tuple[_Column, Array]:
    """Return how a column is stored, and its numbers."""
    kind = column.dtype
    if column.strides == (0,):
        return _Column(kind, column[0].item(), 0, None), column
    raw = _Column(kind, 0, 0, kind)
    if kind.kind == "f":
        return raw, column
    low, high = int(column.min()), int(column.max())
    if low == high:
        return _Column(kind, low, 0, None), column
    if high - low >= 2**62:
        return raw, column
    step = (high - low) // (len(column) - 1)
    if step and int(column[0]) == low and (np.diff(column) == step).all():
        return _Column(kind, low, step, None), column
    step = 1
    if name == "event_time":
        step = next(ns for ns in _STEPS if not (high - low) % ns and not ((column - low) % ns).any())
    stored = next(np.dtype(one) for one in ("u1", "u2", "u4", "i8") if (high - low) // step <= np.iinfo(one).max)
    return _Column(kind, low, step, stored), (column - low) // step if step > 1 else column - low
