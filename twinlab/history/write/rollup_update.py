"""Bring stored rollups up to date with changed cells."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.grid import rollup_steps
from twinlab.history.layout.rollup import reduce_cells, reduce_rollup
from twinlab.history.layout.spans import Span, Spans, holes, union
from twinlab.history.store.catalog import GroupEntry
from twinlab.history.store.cells import CellReader
from twinlab.history.store.codecs import ArraySpec

__all__ = ["update_rollups"]

#: Cells folded at once.
_FOLD_CELLS = 2**24
#: Windows between changed ones are folded with them, which gives what they are already, if they have at most so many cells
#: (or windows of the step below).
_GAP_CELLS = 2**14


class _Write(Protocol):
    def __call__(  # noqa: PLR0917
        self, entry: GroupEntry, year: int, spec: ArraySpec, times: Span, assets: Span, data: NDArray[np.generic], /
    ) -> None: ...


def update_rollups(
    entry: GroupEntry, name: str, spans: Spans, columns: Span, *, reader: CellReader, write: _Write
) -> None:
    """Compute the stored windows of a signal that overlap ``spans``, for a range of columns.

    Windows with hot cells are left out: readers compute them, since every commit would have to rewrite them.
    """
    wide = max(1, columns[1] - columns[0])
    for step in rollup_steps(entry.group.cadence_ns):
        per, parent = entry.per(step), entry.parent(name, step)
        limit = per * max(1, _FOLD_CELLS // (per * wide))
        gap = _GAP_CELLS // wide * (1 if parent is None else entry.per(parent))
        for first, stop in union(spans.widened(per), gap=gap):
            for year, k0, k1 in entry.axis.split(first, stop):
                base = entry.axis.year_cells(year)[0]
                windows = ((k0 - base) // per, (k1 - base) // per)
                for w0, w1 in holes(entry.year(year).hot_windows(per, *windows), windows):
                    low, high = base + w0 * per, base + w1 * per
                    for start in range(low, high, limit):
                        cells = (start, min(start + limit, high))
                        found = _windows(entry, name, step, cells, columns, reader)
                        at = ((cells[0] - base) // per, (cells[1] - base) // per)
                        for statistic, data in found.items():
                            write(entry, year, entry.rollup_spec(year, name, step, statistic), at, columns, data)


def _windows(  # noqa: PLR0917
    entry: GroupEntry, name: str, step: str, cells: Span, columns: Span, reader: CellReader
) -> dict[str, NDArray[np.generic]]:
    (k0, k1), per, parent = cells, entry.per(step), entry.parent(name, step)
    statistics, assets = entry.statistics(name, step), np.arange(*columns)
    if parent is None:
        result = reduce_cells(*reader.cells(entry.group, name, k0, k1, assets), per)
    else:
        below = entry.per(parent)
        finer = reader.rollup(entry.group, name, parent, k0 // below, k1 // below, assets, statistics=statistics)
        result = reduce_rollup(finer, per // below)
    return {statistic: result[statistic] for statistic in statistics}
