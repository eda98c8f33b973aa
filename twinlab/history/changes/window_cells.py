"""The cells of many short windows at once, each of one asset from a time on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.history.build.blocks import Block
from twinlab.history.changes.changed_windows import newest
from twinlab.history.layout.encoding import decode, sentinel
from twinlab.history.layout.grid import Axis, Group
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from twinlab.history.read.reader import HistoryReader

__all__ = ["extent_ns", "window_cells"]

Integers = NDArray[np.int64]


def extent_ns(reader: HistoryReader, asset_type: str, cadence: str) -> tuple[int, int]:
    """Return the first cell's start and the last one's end in the newest state, late and new rows included but not built."""
    pin = newest(reader)
    axis = Axis(pin.view.origin_ns, Group(asset_type, cadence).cadence_ns)
    first, stop = pin.extent(Group(asset_type, cadence))
    return axis.time(first), axis.time(stop)


def window_cells(  # noqa: PLR0917
    reader: HistoryReader, asset_type: str, signals: Sequence[str], assets: Sequence[str], starts: Integers, length: int
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.uint8]]]:
    """Return values and flags (time, window) of gauges and counters of one cadence in windows of the newest state.

    Only the late rows within the windows are built.

    Parameters
    ----------
    assets, starts : sequence of str, int64 array
        Asset and first instant of each window, ns since 1970: the start of a cell.
    length : int
        Number of cells.
    """
    pin = newest(reader)
    spec = reader.model.asset_types[asset_type].signals
    group = Group(asset_type, spec[signals[0]].cadence)
    axis = Axis(pin.view.origin_ns, group.cadence_ns)
    firsts = (starts - axis.origin_ns) // axis.cadence_ns
    columns = pd.Index(list(pin.assets.get(asset_type, ()))).get_indexer(pd.Index(list(assets))).astype(np.int64)
    blocks = pin.blocks_of_windows(group, firsts, length, columns)
    placed = [(block, mine) for block in blocks if len(mine := _windows_of(block, firsts, length, columns))]
    known = pin.view.n_assets(group) if group in pin.view.catalog.groups else 0
    stored = np.flatnonzero((columns >= 0) & (columns < known))
    out = {}
    for name in signals:
        found = []
        for flags in (False, True):
            dtype = np.dtype("uint8") if flags else spec[name].storage_dtype
            cells = np.full((len(firsts), length), int(Flag.NOT_EVALUATED) if flags else sentinel(dtype), dtype=dtype)
            if stored.size and name in pin.view.signals(group):
                cells[stored] = pin.view.windows(group, name, firsts[stored], length, columns[stored], flags=flags)
            for block, mine in placed:
                _put(cells, (block.flags if flags else block.values).get(name), block, mine, firsts, columns)
            found.append(cells.T)
        out[name] = decode(found[0], spec[name]), found[1]
    return out


def _windows_of(block: Block, firsts: Integers, length: int, columns: Integers) -> list[int]:
    """Return the numbers of the windows with cells of a block."""
    place = columns - block.first_asset
    wide = next(iter(block.values.values())).shape[1]
    inside = (place >= 0) & (place < wide) & (firsts < block.k1) & (firsts + length > block.k0)
    return np.flatnonzero(inside).tolist()


def _put(  # noqa: PLR0917
    cells: NDArray[Any],
    part: NDArray[Any] | None,
    block: Block,
    windows: list[int],
    firsts: Integers,
    columns: Integers,
) -> None:
    """Put the cells of a block into those of windows (window, time)."""
    if part is None:
        return
    for n in windows:
        first = int(firsts[n])
        low, high = max(block.k0, first), min(block.k1, first + cells.shape[1])
        cells[n, low - first : high - first] = part[low - block.k0 : high - block.k0, columns[n] - block.first_asset]
