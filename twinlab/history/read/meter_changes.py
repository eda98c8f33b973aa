"""Replaced meters: a counter's rule with `valid_from` begins a new run, and nothing was counted between the two meters.

What the old meter counted after its last reading, and the new one before its first, nobody knows. Without this, a new
meter that reads more than the old one would add the difference of two unrelated numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twinlab.harmonise.times.formats import instant
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Axis
from twinlab.history.read.signal_kinds import increases, wrap_integer
from twinlab.history.read.span_reader import SpanReader
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.mapping import TagRule

__all__ = ["cells_of_changes", "changes_of", "leave_out_changes"]

#: Cells that are read at once when looking for an observation.
_LOOK = 4096


def changes_of(mappings: Mapping[str, SourceMapping], asset_type: str, signal: str) -> list[tuple[str | None, int]]:
    """Return when meters of a counter were replaced: (asset, None for all assets; ns UTC), sorted by time.

    Rules of one tag that follow each other with another unit, scale or offset are one meter that reports differently.
    """
    found: set[tuple[str | None, int]] = set()
    for own_type, rules in _rules(mappings):
        for rule in rules:
            kind, _, asset = rule.asset.partition("/") if rule.asset else (own_type, "", "")
            if rule.signal != signal or rule.valid_from is None or kind != asset_type:
                continue
            start = instant(rule.valid_from, 0)
            before = [r for r in rules if r.signal == signal and r.valid_until and instant(r.valid_until, 0) == start]
            if all(_conversion(one) == _conversion(rule) for one in before):
                found.add((None if not asset or "{" in asset else asset, start))
    return sorted(found, key=lambda change: change[1])


def _rules(mappings: Mapping[str, SourceMapping]) -> Iterator[tuple[str, list[TagRule]]]:
    for mapping in mappings.values():
        for table in mapping.tables:
            own_type = table.asset.type if table.asset else ""
            for tags in (table.columns, table.tags):
                yield from ((own_type, rules) for rules in tags.values())
        if mapping.stream is not None:
            yield from (("", rules) for rules in mapping.stream.tags.values())


def _conversion(rule: TagRule) -> tuple[object, ...]:
    return rule.unit, rule.scale, rule.offset


def cells_of_changes(
    changes: Sequence[tuple[str | None, int]], ids: Sequence[str], axis: Axis
) -> tuple[tuple[int, int], ...]:
    """Return the stored column and the first cell of each new meter; of a change within a cell, the next cell."""
    places = {asset: place for place, asset in enumerate(ids)}
    return tuple(
        (place, axis.cell_ceil(time))
        for asset, time in changes
        for place in (range(len(ids)) if asset is None else [places[asset]] if asset in places else [])
    )


def leave_out_changes(  # noqa: PLR0917
    reader: SpanReader,
    name: str,
    k0: int,
    per: int,
    columns: NDArray[np.int64],
    cells: tuple[NDArray[np.signedinteger], NDArray[np.uint8]],
    carry: NDArray[np.signedinteger],
    rise: NDArray[np.int64],
) -> None:
    """Subtract from increases (window, asset) what was counted between the readings of two meters; in place.

    ``cells`` are values and flags from cell ``k0`` on, ``carry`` the last observation of each column before it.
    """
    values, flags = cells
    none = sentinel(values.dtype)
    done: set[tuple[int, int]] = set()
    for stored, cell in reader.changes.get(name, ()):
        for c in np.flatnonzero(columns == stored).tolist():
            seen = np.flatnonzero((flags[:, c] <= 3) & (values[:, c] != none))
            after = seen[seen >= cell - k0]
            if not after.size or (c, int(after[0])) in done:
                continue
            if cell < k0 and _observed(reader, name, cell, k0, stored):
                continue
            at = int(after[0])
            done.add((c, at))
            before = seen[seen < at]
            last = values[before[-1:], c] if before.size else carry[c : c + 1]
            one = slice(at, at + 1), slice(c, c + 1)
            counted, _ = increases(values[one], flags[one], 1, 1, carry=last, wrap=wrap_integer(reader.signals[name]))
            rise[at // per, c] -= counted[0, 0]


def _observed(reader: SpanReader, name: str, low: int, high: int, column: int) -> bool:
    """Whether a column has an observation in the cells [low, high)."""
    low = max(low, reader.extent[0])
    while high > low:
        start = max(low, high - _LOOK)
        values, flags = reader.cells(name, start, high, np.array([column]))
        if ((flags <= 3) & (values != sentinel(values.dtype))).any():
            return True
        high = start
    return False
