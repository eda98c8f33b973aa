"""The tiles of a strip of columns: stored ones are decoded where they are, others read as any cells are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import sentinel
from twinlab.history.scan.cell_scan import TILE_ASSETS, CellScan, TileSpan
from twinlab.history.store.chosen_tiles import chosen_tiles
from twinlab.history.store.codecs import ArraySpec, constant_flag, decode_tile

__all__ = ["Strip", "Tile"]


class Tile(NamedTuple):
    """Cells of eight columns, valid until the next tile of the signal is read."""

    # Stored integers (asset, cell), contiguous.
    values: NDArray[np.signedinteger]
    # Flags of the same cells; where `flag` isn't 0, all cells have that flag and the array isn't filled.
    flags: NDArray[np.uint8]
    flag: int
    # First column of the arrays that is a cell of the span, and the one after the last.
    cells: tuple[int, int]


class _Year(NamedTuple):
    """What is stored of a signal in a year."""

    values: ArraySpec
    flags: ArraySpec
    #: Number of the year's first cell.
    base: int
    #: Arrays that tiles are decoded into.
    numbers: NDArray[Any]
    marks: NDArray[Any]


#: Row and column of a tile -> its bytes.
_Bodies = Mapping[tuple[int, int], "bytes | memoryview"]


class Strip:
    """Reads tiles of 64 columns, in one thread.

    Parameters
    ----------
    scan : CellScan
    first : int
        First column of the strip.
    """

    def __init__(self, scan: CellScan, first: int) -> None:
        self._scan, self._first = scan, first
        self._years: dict[tuple[str, int], _Year | None] = {}
        #: Signal and year -> bytes of values and of flags.
        self._bodies: dict[tuple[str, int], tuple[_Bodies, _Bodies]] = {}

    def load(self, spans: Sequence[TileSpan], places: Sequence[tuple[int, int]]) -> None:
        """Fetch the bytes of the tiles that will be read next: number of a span in ``spans``, and of eight columns."""
        rows: dict[int, list[tuple[int, int]]] = {}
        for at, band in places:
            stored = spans[at].stored
            if stored is not None:
                rows.setdefault(stored[0], []).append((stored[1], self._first // TILE_ASSETS + band))
        self._bodies = {}
        view = self._scan.reader.stored_view()
        for year, tiles in rows.items():
            for name in self._scan.names:
                here = self._year(name, year)
                if here is not None and view is not None:
                    store = view.bytes_store()
                    parts = (chosen_tiles(spec, tiles, store=store) for spec in (here.values, here.flags))
                    self._bodies[name, year] = next(parts), next(parts)

    def tile(self, name: str, span: TileSpan, band: int) -> Tile | None:
        """Return a signal's cells of a span and of eight columns; None if none of them has a value."""
        first = self._first + band * TILE_ASSETS
        if span.stored is None or self._scan.overlaid(span, (first, first + TILE_ASSETS)):
            return self._read(name, span, first)
        year, row = span.stored
        place, here = (row, first // TILE_ASSETS), self._year(name, year)
        bodies = self._bodies.get((name, year))
        if here is None or bodies is None or place not in bodies[0]:
            return None
        decode_tile(bodies[0][place], here.values, here.numbers, where=f"{here.values.path} tile {place}")
        long, body, flag = here.values.layout.tile[0], bodies[1].get(place), 0
        if body is None:
            times = row * long, (row + 1) * long
            here.marks[...] = here.flags.background(times, (first, first + TILE_ASSETS))
        else:
            flag = constant_flag(body, here.flags) or 0
            if not flag:
                decode_tile(body, here.flags, here.marks, where=f"{here.flags.path} tile {place}")
        base = here.base + row * long
        return Tile(here.numbers, here.marks, flag, (span.first - base, span.stop - base))

    def _read(self, name: str, span: TileSpan, first: int) -> Tile | None:
        columns = np.arange(first, first + TILE_ASSETS)
        values, flags = self._scan.reader.cells(name, span.first, span.stop, columns)
        if (values == sentinel(values.dtype)).all():
            return None
        return Tile(np.ascontiguousarray(values.T), np.ascontiguousarray(flags.T), 0, (0, span.stop - span.first))

    def _year(self, name: str, year: int) -> _Year | None:
        key = name, year
        if key not in self._years:
            self._years[key] = self._found(name, year)
        return self._years[key]

    def _found(self, name: str, year: int) -> _Year | None:
        entry = self._scan.entry
        if entry is None or name not in entry.signals:
            return None
        values, flags = (entry.cell_spec(year, name, part="cold", flags=one) for one in (False, True))
        if values.path.removeprefix(entry.path(year) + "/") not in entry.year(year).arrays:
            return None
        shape = values.layout.tile[::-1]
        return _Year(
            values, flags, entry.axis.year_cells(year)[0], np.empty(shape, values.dtype), np.empty(shape, flags.dtype)
        )
