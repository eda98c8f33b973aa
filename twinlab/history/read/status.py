"""Extent and size of a twin's history, for summaries; read from coarse rollups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.history.layout.grid import rollup_steps
from twinlab.history.layout.rollup import COUNTS
from twinlab.history.read.span_reader import SpanReader
from twinlab.history.store.view import View
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import parse_duration

__all__ = ["HistoryStatus", "ValueExtent", "flag_counts", "value_extent"]

_FLAG_OF = dict(zip(COUNTS, (Flag.PASS, Flag.NOT_EVALUATED, Flag.SUSPECT, Flag.FAIL, Flag.MISSING), strict=True))
#: Statistics of cells with a value.
_SAMPLED = ("pass", "suspect", "fail")


@dataclass(frozen=True)
class HistoryStatus:
    """Position, extent and size of a twin's history."""

    position: dict[str, int]
    watermarks: dict[str, np.datetime64]
    # Ledger rows that aren't published yet.
    behind: int
    # Cells with a value.
    points: int
    # Arrays of cells, flags and rollups; the rest of the history is tables and Icechunk's metadata.
    array_bytes: int
    history_bytes: int
    ledger_bytes: int
    note: str = ""

    @property
    def bytes_per_point(self) -> float:
        """Bytes of the arrays, flags and rollups included, per cell with a value."""
        return self.array_bytes / self.points if self.points else 0.0

    def __str__(self) -> str:
        points = f"{self.points:,} points in {self.array_bytes:,} bytes ({self.bytes_per_point:.2f} a point)"
        lines = [f"{points}, {self.history_bytes:,} bytes of history, {self.ledger_bytes:,} bytes of ledger"]
        for name, at in sorted(self.position.items()):
            until = self.watermarks.get(name)
            lines.append(
                f"  {name}: {at:,} rows" + (f", to {until.astype('datetime64[s]')} UTC" if until is not None else "")
            )
        lines.append(f"  {self.behind:,} rows not published yet")
        return "\n".join([*lines, *([f"  {self.note}"] if self.note else [])])


@dataclass(frozen=True)
class ValueExtent:
    """Where a signal has values: start of the first and of the last cell with one, and the missing cells between them."""

    first: np.datetime64
    last: np.datetime64
    # Of all assets.
    missing: int


def array_bytes(view: View) -> int:
    """Return the bytes of all chunks of cells, flags and rollups, without tables."""
    groups = tuple(f"{group.path}/" for group in view.groups())
    return sum(size for path, size in view.bytes().items() if path.lstrip("/").startswith(groups)) if groups else 0


def flag_counts(reader: SpanReader, name: str) -> dict[Flag, int]:
    """Return the number of cells of a signal with each flag, from the coarsest rollup."""
    low, high = reader.extent
    steps = rollup_steps(reader.group.cadence_ns)
    if not steps:
        flags = reader.cells(name, low, high, reader.columns, what="flags")[1]
        return {flag: int((flags == flag.value).sum()) for flag in Flag}
    per = parse_duration(steps[-1]) // reader.group.cadence_ns
    first, stop = low // per, -(-high // per)
    found = reader.windows(name, steps[-1], first, stop, reader.columns, COUNTS)
    out = {_FLAG_OF[what]: int(part.astype(np.int64).sum()) for what, part in found.items()}
    # Windows are complete; their cells outside the extent were never written and don't count.
    beyond = ((stop - first) * per - (high - low)) * len(reader.columns)
    out[Flag.NOT_EVALUATED] = max(0, out[Flag.NOT_EVALUATED] - beyond)
    return out


def value_extent(reader: SpanReader, name: str, *, origin_ns: int) -> ValueExtent | None:
    """Return where a signal has values, of any asset; None if it has none."""
    cells = _extent_in_cells(reader, name)
    if cells is None:
        return None
    first, last = (np.datetime64(origin_ns + cell * reader.group.cadence_ns, "ns") for cell in cells[:2])
    return ValueExtent(first, last, cells[2])


def _extent_in_cells(reader: SpanReader, name: str) -> tuple[int, int, int] | None:
    low, high = reader.extent
    steps = rollup_steps(reader.group.cadence_ns)
    if not steps:
        return _extent_within(reader, name, low, high)
    per = parse_duration(steps[-1]) // reader.group.cadence_ns
    w0 = low // per
    found = reader.windows(name, steps[-1], w0, -(-high // per), reader.columns, (*_SAMPLED, "missing"))
    busy = np.flatnonzero(np.logical_or.reduce([found[what] > 0 for what in _SAMPLED]).any(axis=1))
    if not len(busy):
        return None
    # Exact at both ends: the first and the last window with values are read cell by cell.
    begin, end = int(busy[0]), int(busy[-1])
    spans = [(max(low, (w0 + at) * per), min(high, (w0 + at + 1) * per)) for at in (begin, end)]
    head, tail = (_extent_within(reader, name, *span) for span in spans)
    if head is None or tail is None or begin == end:
        return head
    between = int(found["missing"][begin + 1 : end].sum(dtype="int64"))
    between += _missing(reader, name, head[1] + 1, spans[0][1]) + _missing(reader, name, spans[1][0], tail[0])
    return head[0], tail[1], head[2] + between + tail[2]


def _extent_within(reader: SpanReader, name: str, start: int, stop: int) -> tuple[int, int, int] | None:
    values, flags = reader.cells(name, start, stop, reader.columns)
    missing = flags == Flag.MISSING.value
    rows = np.flatnonzero(((values != np.iinfo(values.dtype).min) & ~missing).any(axis=1))
    if not len(rows):
        return None
    first, last = int(rows[0]), int(rows[-1])
    return start + first, start + last, int(missing[first : last + 1].sum())


def _missing(reader: SpanReader, name: str, start: int, stop: int) -> int:
    if start >= stop:
        return 0
    return int((reader.cells(name, start, stop, reader.columns, what="flags")[1] == Flag.MISSING.value).sum())
