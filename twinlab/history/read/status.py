"""Extent and size of a twin's history, for summaries; read from coarse rollups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import rollup_steps, search_step
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
    """Return the first and the last cell with a value, and the number of missing cells between them."""
    low, high = reader.extent
    steps = rollup_steps(reader.group.cadence_ns)
    ends = ((low, high), (low, high))
    if steps:
        per = parse_duration(steps[-1]) // reader.group.cadence_ns
        found = reader.windows(name, steps[-1], low // per, -(-high // per), reader.columns, _SAMPLED)
        busy = low // per + np.flatnonzero(_any(found))
        if not len(busy):
            return None
        first, last = (int(busy[at]) * per for at in (0, -1))
        ends = ((max(low, first), min(high, first + per)), (max(low, last), min(high, last + per)))
    begin, end = _valued(reader, name, *ends[0]), _valued(reader, name, *ends[1], newest=True)
    if steps:
        # Cells of the windows may be removed, whose rollups count them still.
        begin, end = (ends[0][0] if begin is None else begin), (ends[1][1] - 1 if end is None else end)
    return None if begin is None or end is None else (begin, end, _missing(reader, name, begin, end + 1))


def _any(found: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Return which windows have a count above zero, of any asset."""
    out: NDArray[np.bool_] = np.logical_or.reduce([part > 0 for part in found.values()]).any(axis=1)
    return out


def _valued(reader: SpanReader, name: str, start: int, stop: int, *, newest: bool = False) -> int | None:
    """Return the first or the newest cell of a span with a value; only windows that may have one are read, in this order."""
    cadence = reader.group.cadence_ns
    step = search_step(rollup_steps(cadence), cadence)
    spans = [(start, stop)]
    if step is not None and stop - start > (per := parse_duration(step) // cadence):
        # The newest cells may have values and not be evaluated yet.
        found = reader.windows(name, step, start // per, -(-stop // per), reader.columns, (*_SAMPLED, "not_evaluated"))
        firsts = ((start // per + np.flatnonzero(_any(found))) * per).tolist()
        spans = [(max(start, first), min(stop, first + per)) for first in firsts]
    for low, high in reversed(spans) if newest else spans:
        values, flags = reader.cells(name, low, high, reader.columns)
        rows = np.flatnonzero(((values != sentinel(values.dtype)) & (flags != Flag.MISSING.value)).any(axis=1))
        if len(rows):
            return low + int(rows[-1 if newest else 0])
    return None


def _missing(reader: SpanReader, name: str, start: int, stop: int) -> int:
    """Return the number of missing cells of a span: counted in whole windows, and in the cells at both ends."""
    cadence = reader.group.cadence_ns
    steps = rollup_steps(cadence)
    levels = {one: None for one in (search_step(steps, cadence), *steps[-1:]) if one is not None}
    return _missing_by(reader, name, start, stop, list(levels))


def _missing_by(reader: SpanReader, name: str, start: int, stop: int, steps: list[str]) -> int:
    if start >= stop:
        return 0
    if not steps:
        return int((reader.cells(name, start, stop, reader.columns, what="flags")[1] == Flag.MISSING.value).sum())
    per = parse_duration(steps[-1]) // reader.group.cadence_ns
    first, last = -(-start // per), stop // per
    if first >= last:
        return _missing_by(reader, name, start, stop, steps[:-1])
    whole = reader.windows(name, steps[-1], first, last, reader.columns, ("missing",))["missing"]
    ends = ((start, first * per), (last * per, stop))
    return int(whole.sum(dtype="int64")) + sum(_missing_by(reader, name, *end, steps[:-1]) for end in ends)
