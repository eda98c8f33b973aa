"""Statistics of windows computed from stored cells, one tile in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.fold_kernels import fold_tile
from twinlab.history.layout.grid import asset_runs
from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.catalog import GroupEntry
from twinlab.history.store.tiles import pool, stream_tiles
from twinlab.model.flags import Flag

__all__ = ["fold_windows"]

#: Number of assets of a band if a group has no cold arrays yet.
_BAND = 64


class _Sums:
    """Accumulated statistics (asset, window)."""

    def __init__(self, assets: int, windows: int, dtype: np.dtype) -> None:
        info = np.iinfo(dtype)
        self.none = dtype.type(sentinel(dtype))
        self.total = np.zeros((assets, windows), "int64")
        self.low = np.full((assets, windows), info.max, dtype)
        self.high = np.full((assets, windows), info.min, dtype)
        self.count = np.zeros((assets, windows), "uint32")

    def add(
        self, values: NDArray[np.signedinteger], flags: NDArray[np.uint8] | None, *, assets: slice, first: int, per: int
    ) -> None:
        """Add one tile (asset, cell); without flags all cells pass."""
        constant = flags is None
        marks = np.empty((0, 0), "uint8") if flags is None else flags
        parts = (self.total[assets], self.low[assets], self.high[assets], self.count[assets])
        fold_tile(values, marks, constant, first, per, self.none, *parts)


def fold_windows(
    entry: GroupEntry, signal: str, per: int, windows: tuple[int, int], columns: NDArray[np.int64], *, store: ByteStore
) -> dict[str, NDArray[np.generic]]:
    """Return ``sum min max count`` (window, asset) computed from the cells; the same integers as of `reduce_cells`.

    Parameters
    ----------
    per : int
        Number of cells of a window.
    windows : (int, int)
        First window and the one after the last, numbered from the origin.
    columns : array of int
        Columns of the assets, in any order.

    Raises
    ------
    CorruptionError
        If stored bytes fail their checksum.
    """
    layouts = [year.cold for year in entry.years.values()]
    wide = max([layout.block[1] for layout in layouts], default=_BAND)
    runs = asset_runs(columns, max([layout.tile[1] for layout in layouts], default=_BAND))
    bands = [(a, min(a + wide, stop)) for start, stop in runs for a in range(start, stop, wide)]
    every = np.concatenate([np.empty(0, np.int64), *(np.arange(a, b) for a, b in bands)])
    sums = _Sums(every.size, windows[1] - windows[0], entry.signal(signal).storage_dtype)
    first = windows[0] * per

    def work(number: int) -> None:
        band = bands[number]
        # Results of all bands are in one array, one band after the other.
        at = sum(b - a for a, b in bands[:number])
        for values, flags, assets, cell in _tiles(entry, signal, (first, windows[1] * per), band, store):
            place = slice(at + assets.start - band[0], at + assets.stop - band[0])
            sums.add(values, flags, assets=place, first=cell - first, per=per)

    if len(bands) > 1:
        list(pool(os.getpid()).map(work, range(len(bands))))
    else:
        for number in range(len(bands)):
            work(number)
    sums.low[sums.count == 0] = sums.none
    out = {"sum": sums.total, "min": sums.low, "max": sums.high, "count": sums.count}
    if every.size == columns.size and (every == columns).all():
        return {name: part.T for name, part in out.items()}
    place = np.searchsorted(every, columns)
    return {name: part[place].T for name, part in out.items()}


_Tile = tuple[NDArray[np.signedinteger], NDArray[np.uint8] | None, slice, int]


def _tiles(
    entry: GroupEntry, signal: str, span: tuple[int, int], band: tuple[int, int], store: ByteStore
) -> Iterator[_Tile]:
    """Yield values and flags (asset, cell) of a band of assets, tile by tile, with their columns and first cell."""
    for year, first, stop in entry.axis.split(*span):
        base = entry.axis.year_cells(year)[0]
        for hot, l0, l1 in entry.year(year).runs(first - base, stop - base):
            part = "hot" if hot else "cold"
            specs = [entry.cell_spec(year, signal, part=part, flags=flags) for flags in (False, True)]
            both = [stream_tiles(spec, (l0, l1), band, store=store) for spec in specs]
            for (values, assets, at), (flags, _, _) in zip(*both, strict=True):
                constant = isinstance(flags, int)
                # A tile that isn't stored has no value; one that is flagged fail or missing throughout doesn't count.
                if not isinstance(values, int) and (not constant or flags in (Flag.PASS, Flag.SUSPECT)):
                    yield values, None if constant else np.asarray(flags), assets, base + at
