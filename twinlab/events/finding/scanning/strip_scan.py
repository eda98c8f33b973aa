"""Scan the tiles of a strip of columns in order of time; what is held at the end of a tile is carried to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.truth import FALSE, TRUE, UNKNOWN
from twinlab.events.finding.scanning.kernels import code_runs, runs_buffer, tile_codes, tile_runs
from twinlab.events.finding.scanning.ranges import Ranges
from twinlab.history.layout.encoding import sentinel
from twinlab.history.scan.cell_scan import STRIP_ASSETS, TILE_ASSETS, CellScan, TileSpan
from twinlab.history.scan.strip import Strip, Tile
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import Signal

__all__ = ["FOREVER", "Part", "StripScan", "Tree"]

#: For how many cells a state's value is valid.
FOREVER = 2**61
_NEVER = -(2**61)
_BANDS = STRIP_ASSETS // TILE_ASSETS
#: Spans whose bytes are in memory at once, if they aren't of a shard.
_TOGETHER = 16


@dataclass(frozen=True)
class Part:
    """A part of a condition that one signal decides."""

    name: str
    #: Of the assets, in the order of the scan's columns.
    ranges: Ranges
    #: For how many cells a value is valid.
    valid: int


#: Number of a part, the truth of each asset, or "All", "Any" or "Not" of others.
Tree: TypeAlias = "int | NDArray[np.uint8] | tuple[str, tuple[Tree, ...]]"


class _Held:
    """What is valid of a part: the truth of each column's last usable value, and until which cell it is."""

    def __init__(self, part: Part, signal: Signal, assets: NDArray[np.int64]) -> None:
        self.name, self.valid = part.name, part.valid
        dtype = signal.storage_dtype
        self.none = dtype.type(sentinel(dtype))
        self.low, self.high = (one[assets] for one in part.ranges.intervals(dtype))
        self.edges, self.codes = part.ranges.edges[assets], part.ranges.codes[assets]
        self.until = np.full(STRIP_ASSETS, _NEVER, np.int64)
        self.truth = np.full(STRIP_ASSETS, UNKNOWN, np.uint8)
        self._nothing: tuple[NDArray[Any], NDArray[np.uint8]] = np.empty((0, 0), dtype), np.empty((0, 0), np.uint8)

    def set(self, columns: slice, values: NDArray[np.signedinteger], until: NDArray[np.int64]) -> None:
        """Set the last usable values of some columns."""
        edge = (values[:, None] >= self.edges[columns]).sum(axis=1)
        code = np.take_along_axis(self.codes[columns], edge[:, None], axis=1)[:, 0]
        self.truth[columns] = np.where(values == self.none, UNKNOWN, code)
        self.until[columns] = until

    def empty(self, cells: int) -> Tile:
        """Return a tile without values."""
        if self._nothing[0].shape[1] < cells:
            values = np.full((TILE_ASSETS, cells), self.none, self.none.dtype)
            self._nothing = values, np.full(values.shape, Flag.MISSING, np.uint8)
        return Tile(*self._nothing, int(Flag.MISSING), (0, cells))


class StripScan:
    """Finds the runs of cells of 64 columns in which a condition is true.

    Parameters
    ----------
    scan : CellScan
    first : int
        First column of the strip.
    parts : sequence of Part
    tree : Tree
        How the parts make up the condition.
    wanted : array (span, asset) of bool
        Where the condition can be true; in other spans nothing is read.
    """

    def __init__(
        self, scan: CellScan, first: int, parts: Sequence[Part], tree: Tree, wanted: NDArray[np.bool_]
    ) -> None:
        self._scan, self._first = scan, first
        self._strip = Strip(scan, first)
        columns, own = np.arange(first, first + STRIP_ASSETS), scan.reader.columns
        order = np.argsort(own)
        found = order[np.minimum(np.searchsorted(own, columns, sorter=order), own.size - 1)]
        asked = own[found] == columns
        #: Number of each column's asset; of columns that aren't asked for, of any.
        self._asset = found
        #: The column itself, -1 if it isn't asked for.
        self._place = np.where(asked, np.arange(STRIP_ASSETS), -1)
        there = wanted[:, found] & asked
        self._wanted = there.reshape(len(scan.spans), _BANDS, TILE_ASSETS).any(axis=2)
        self._tree = _of_columns(tree, found)
        #: Whether one signal decides, so that no truth of cells is needed.
        self._single = isinstance(tree, int)
        self._held = [_Held(part, scan.reader.signals[part.name], found) for part in parts]
        #: First cell of the run that isn't over.
        self._since = np.full(STRIP_ASSETS, -1, np.int64)
        longest = max(span.stop - span.first for span in scan.spans)
        self._codes = np.full((len(parts), TILE_ASSETS, longest), UNKNOWN, np.uint8)
        self._buffer = runs_buffer(TILE_ASSETS, longest)
        self._runs: list[NDArray[np.int64]] = []

    def runs(self) -> NDArray[np.int64]:
        """Return asset, first cell and first cell after each run (3, run)."""
        spans = self._scan.spans
        # Span after the one that was scanned last, of each band.
        after = [0] * _BANDS
        chosen = [(int(at), int(band)) for at, band in np.argwhere(self._wanted)]
        for _, group in groupby(chosen, key=lambda one: _together(one[0], spans[one[0]])):
            some = sorted(group, key=lambda one: one[::-1])
            self._strip.load(spans, some)
            for at, band in some:
                columns = slice(band * TILE_ASSETS, (band + 1) * TILE_ASSETS)
                if at == 0 or at != after[band]:
                    # In the spans between, the condition is nowhere true.
                    self._close(columns, spans[after[band]].first)
                    self._begin(at, columns)
                self._step(spans[at], band, columns)
                after[band] = at + 1
        for band, at in enumerate(after):
            over = self._scan.stop if at == len(spans) else spans[at].first
            self._close(slice(band * TILE_ASSETS, (band + 1) * TILE_ASSETS), over)
        found = np.concatenate([np.empty((3, 0), np.int64), *self._runs], axis=1)
        found[0] = self._asset[found[0]]
        return found

    def _step(self, span: TileSpan, band: int, columns: slice) -> None:
        """Find the runs of eight columns in a span."""
        place, cells = self._place[columns], span.stop - span.first
        tiles = [self._strip.tile(one.name, span, band) or one.empty(cells) for one in self._held]
        if self._single:
            one, tile = self._held[0], tiles[0]
            count = tile_runs(
                tile.values, tile.flags, tile.flag, *tile.cells, span.first, one.none, one.valid, place,
                one.low, one.high, one.until, one.truth, self._since, self._buffer,
            )  # fmt: skip
        else:
            for one, tile, out in zip(self._held, tiles, self._codes, strict=True):
                tile_codes(
                    tile.values, tile.flags, tile.flag, *tile.cells, span.first, one.none, one.valid, place,
                    one.edges, one.codes, one.until, one.truth, out,
                )  # fmt: skip
            truth = _joined(self._tree, self._codes[:, :, :cells], columns)
            count = code_runs(truth, cells, span.first, place, self._since, self._buffer)
        if count:
            self._runs.append(self._buffer[:, :count].copy())

    def _close(self, columns: slice, cell: int) -> None:
        """End the runs of columns at a cell."""
        since = self._since[columns]
        places = np.flatnonzero(since >= 0)
        if places.size:
            self._runs.append(np.stack([columns.start + places, since[places], np.full(places.size, cell)]))
            since[places] = -1

    def _begin(self, at: int, columns: slice) -> None:
        """Find the last usable values before a span that isn't preceded by one that was scanned."""
        cell = self._scan.spans[at].first
        for one in self._held:
            if at and self._single:
                # In the span before, no value of the signal makes the condition true.
                one.truth[columns], one.until[columns] = FALSE, _NEVER
                continue
            one.set(columns, *self._before(one, cell, self._first + np.arange(columns.start, columns.stop)))

    def _before(
        self, one: _Held, cell: int, columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.signedinteger], NDArray[np.int64]]:
        """Return the last usable value before a cell of each column, and the cell until which it is valid."""
        reader = self._scan.reader
        low = reader.extent[0]
        if cell <= low:
            return np.full(columns.size, one.none), np.full(columns.size, _NEVER)
        if one.valid == FOREVER:
            return reader.carry(one.name, cell, columns), np.full(columns.size, FOREVER)
        first = max(low, cell - one.valid + 1)
        values, flags = reader.cells(one.name, first, cell, columns)
        usable = (flags <= Flag.SUSPECT) & (values != one.none)
        last = np.where(usable, np.arange(first, cell)[:, None], _NEVER).max(axis=0, initial=_NEVER)
        row = np.maximum(last - first, 0)
        held = values[row, np.arange(columns.size)] if cell > first else np.full(columns.size, one.none)
        return np.where(last == _NEVER, one.none, held), last + one.valid


def _of_columns(tree: Tree, assets: NDArray[np.int64]) -> Tree:
    """Return a tree whose truths are those of some assets."""
    if isinstance(tree, int):
        return tree
    if isinstance(tree, np.ndarray):
        return tree[assets]
    return tree[0], tuple(_of_columns(one, assets) for one in tree[1])


def _joined(tree: Tree, codes: NDArray[np.uint8], columns: slice) -> NDArray[np.uint8]:
    """Return the truth of a condition (column, cell) from that of its parts (part, column, cell)."""
    if isinstance(tree, int):
        own: NDArray[np.uint8] = codes[tree]
        return own
    if isinstance(tree, np.ndarray):
        return np.broadcast_to(tree[columns, None], codes.shape[1:])
    name, inner = tree
    parts = [_joined(one, codes, columns) for one in inner]
    if name == "Not":
        return np.asarray(TRUE - parts[0])
    return np.asarray(reduce(np.minimum if name == "All" else np.maximum, parts))


def _together(number: int, span: TileSpan) -> tuple[int, ...]:
    """Return what spans have in common whose bytes are read together: the shard, or else their number."""
    if span.stored is None:
        return (number // _TOGETHER,)
    year, row = span.stored
    return year, row // _TOGETHER
