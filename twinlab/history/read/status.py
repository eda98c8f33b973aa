"""Extent and size of a twin's history, for summaries; read from coarse rollups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinlab.history.layout.grid import rollup_steps
from twinlab.history.layout.rollup import COUNTS
from twinlab.history.read.span_reader import SpanReader
from twinlab.history.store.view import View
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import parse_duration

__all__ = ["HistoryStatus", "bytes_below", "flag_counts", "last_cell"]

_FLAG_OF = dict(zip(COUNTS, (Flag.PASS, Flag.NOT_EVALUATED, Flag.SUSPECT, Flag.FAIL, Flag.MISSING), strict=True))


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


def last_cell(reader: SpanReader, name: str) -> int | None:
    """Return the last cell of a signal with a value."""
    low, high = reader.extent
    steps = rollup_steps(reader.group.cadence_ns)
    per = parse_duration(steps[-1]) // reader.group.cadence_ns if steps else max(1, high - low)
    end = high
    if steps:
        first = low // per
        found = reader.windows(name, steps[-1], first, -(-high // per), reader.columns, ("pass", "suspect", "fail"))
        busy = np.flatnonzero(sum(part.astype(np.int64) for part in found.values()).any(axis=1))  # type: ignore[union-attr]
        if len(busy):
            end = min(high, (first + int(busy[-1]) + 1) * per)
    start = max(low, end - per)
    values, flags = reader.cells(name, start, end, reader.columns)
    has_value = (values != np.iinfo(values.dtype).min) & (flags != Flag.MISSING.value)
    rows = np.flatnonzero(has_value.any(axis=1))
    return start + int(rows[-1]) if len(rows) else None


def bytes_below(folder: Path) -> int:
    """Return the size of all files in a folder."""
    total = 0
    for path in folder.rglob("*") if folder.is_dir() else ():
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            # Removed meanwhile, for example by a rebuild.
            continue
    return total
