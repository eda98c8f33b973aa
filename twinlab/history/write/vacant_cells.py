"""Write vacant cells: the catalogue states where they are missing; only tiles that exist already are rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.grid import rollup_steps
from twinlab.history.layout.spans import Span
from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.catalog import GroupEntry
from twinlab.history.store.codecs import ArraySpec
from twinlab.history.store.tiles import Pending, split_blocks, stored_tiles
from twinlab.history.store.vacant import MOST, Rectangles
from twinlab.model.flags import Flag

__all__ = ["missing_rectangles", "patch_vacant_rollups", "write_missing"]


class _Write(Protocol):
    def __call__(  # noqa: PLR0917
        self, entry: GroupEntry, year: int, spec: ArraySpec, times: Span, assets: Span, data: NDArray[np.generic], /
    ) -> None: ...


def missing_rectangles(
    flags: Mapping[str, NDArray[np.uint8]], span: Span, first_asset: int
) -> list[tuple[str, tuple[int, int, int, int]]]:
    """Return the rectangles of each signal that are missing, from the flag of each asset (asset) throughout a span."""
    out = []
    for name, row in flags.items():
        edges = np.flatnonzero(np.diff((row == Flag.MISSING).astype(np.int8), prepend=0, append=0))
        out += [(name, (*span, first_asset + int(a), first_asset + int(b))) for a, b in edges.reshape(-1, 2)]
    return out


def write_missing(  # noqa: PLR0917
    entry: GroupEntry,
    name: str,
    rectangle: tuple[int, int, int, int],
    store: ByteStore,
    pending: Pending,
    write: _Write,
) -> list[Span]:
    """Flag cells that were never written as missing; ``rectangle`` is (first cell, end, first column, end).

    Returns the cells whose flags were written instead of stated: hot ones, and those of too many rectangles.
    """
    k0, k1, *columns = rectangle
    assets = (columns[0], columns[1])
    written: list[Span] = []
    for year, first, stop in entry.axis.split(k0, k1):
        base, part = entry.axis.year_cells(year)[0], entry.year(year)
        for hot, l0, l1 in part.runs(first - base, stop - base):
            known = part.vacant.get(name, Rectangles())
            stated = not hot and len(known) < MOST
            if stated:
                part.vacant[name] = known.added((l0, l1, *assets))
            spec = entry.cell_spec(year, name, part="hot" if hot else "cold", flags=True)
            # Where the rectangle isn't stated, and where tiles exist, its flags are written.
            exists = spec.path.removeprefix(entry.path(year) + "/") in part.arrays
            places: Iterable[tuple[Span, Span]]
            if stated:
                found = stored_tiles(spec, (l0, l1), assets, store=store, pending=pending) if exists else ()
                places = [(tile.times, tile.assets) for tile in found]
            else:
                written.append((base + l0, base + l1))
                places = [(one.times, one.assets) for one in split_blocks(spec.layout.block, (l0, l1), assets)]
            for times, wide in places:
                flags = np.full((times[1] - times[0], wide[1] - wide[0]), Flag.MISSING, dtype=np.uint8)
                write(entry, year, spec, times, wide, flags)
            if not hot:
                part.cold_end = max(part.cold_end, l1)
    return written


def patch_vacant_rollups(  # noqa: PLR0917
    entry: GroupEntry,
    name: str,
    rectangle: tuple[int, int, int, int],
    store: ByteStore,
    pending: Pending,
    write: _Write,
) -> None:
    """Write the windows within missing cells to those tiles of rollups that exist; windows at its ends are folded."""
    k0, k1, *columns = rectangle
    assets = (columns[0], columns[1])
    for year, first, stop in entry.axis.split(k0, k1):
        base, part = entry.axis.year_cells(year)[0], entry.year(year)
        for step in rollup_steps(entry.group.cadence_ns):
            per = entry.per(step)
            windows = (-(-(first - base) // per), (stop - base) // per)
            if windows[0] >= windows[1]:
                continue
            for statistic, number in (("missing", per), ("not_evaluated", 0)):
                spec = entry.rollup_spec(year, name, step, statistic)
                if spec.path.removeprefix(entry.path(year) + "/") not in part.arrays:
                    continue
                for tile in list(stored_tiles(spec, windows, assets, store=store, pending=pending)):
                    shape = (tile.times[1] - tile.times[0], tile.assets[1] - tile.assets[0])
                    write(entry, year, spec, tile.times, tile.assets, np.full(shape, number, dtype=np.uint32))
