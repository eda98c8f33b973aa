"""The cells of changed windows, read once for all finders of an asset type; many short windows as one block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans
from twinlab.events.finding.cells import TwinCells, signal_cells, usable
from twinlab.events.finding.evaluation.block import Block, SignalCells
from twinlab.events.finding.evaluation.conditions import evaluate
from twinlab.events.finding.evaluation.truth import TRUE
from twinlab.events.reading import Cells
from twinlab.events.rules.runs import runs_of
from twinlab.history.read.direct import source_of
from twinlab.model.expressions import bound

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["WindowBlock", "true_within", "window_blocks"]

Integers = NDArray[np.int64]

#: Windows of at most this many cells, of at most so many assets, are read one by one and put beside each other.
_SHORT, _FEW = 4096, 16
#: Cells of one signal in memory at once.
_CELLS = 4_000_000


@dataclass(frozen=True)
class WindowBlock:
    """Cells of windows: a column each, of one asset from the time ``lows`` on."""

    block: Block
    keys: Integers
    lows: Integers
    """Time of the first row that counts; earlier rows are what the condition looks back on."""
    stop: int
    """No row from here on counts."""
    lead: int
    """Number of rows before those that count."""
    step: int


def window_blocks(cells: TwinCells, windows: Spans, lead_ns: int, *, period_ns: int) -> Iterator[WindowBlock]:
    """Yield the cells of windows, with those that conditions look back on.

    Parameters
    ----------
    cells : TwinCells
        Of all signals that are needed.
    windows : Spans
        By number of the asset, on the grid of the coarsest cells.
    lead_ns : int
        How far the conditions look back, on the same grid.
    period_ns : int
        Windows are put beside each other only if they begin at the same phase of it: a multiple of the durations of all
        statistics in the conditions, which are summed in blocks of their durations.
    """
    step, stop = cells.steps_ns[0], cells.extent_ns[1]
    times, place = np.unique(np.stack([windows.start, windows.end]), axis=1, return_inverse=True)
    counts = np.bincount(place.ravel(), minlength=times.shape[1])
    length = (times[1] - times[0] + lead_ns) // step
    alone = (counts <= _FEW) & (length + period_ns // step <= _SHORT)
    fitting = cells.steps_ns[0] == cells.steps_ns[1] and cells.twin.model.origin_ns % step == 0
    stacked = np.flatnonzero(alone[place.ravel()]) if fitting else np.empty(0, np.int64)
    if stacked.size > 1:
        yield from _stacked(cells, windows.take(stacked), lead_ns, period_ns)
    else:
        alone[:] = False
    for number in np.flatnonzero(~alone).tolist():
        keys = np.sort(windows.key[place.ravel() == number])
        low, high = times[:, number].tolist()
        width = max(1, _CELLS // len(keys)) * step
        width = -(-max(width, 4 * lead_ns) // cells.steps_ns[1]) * cells.steps_ns[1]
        while low < high:
            after = min(low + width, high)
            block = cells.block(low - lead_ns, after, keys)
            rows = int(np.searchsorted(block.times, low))
            if len(block.times) > rows:
                yield WindowBlock(block, keys, np.full(len(keys), low), min(after, stop), rows, step)
            low = after


def _stacked(cells: TwinCells, windows: Spans, lead_ns: int, period_ns: int) -> Iterator[WindowBlock]:
    """Yield short windows beside each other, as if they were of one time; all as long as the longest."""
    step, (first, stop) = cells.steps_ns[0], cells.extent_ns
    # Sums are the same to the last bit if they are taken in the same blocks.
    begin_ns = windows.start - (windows.start - lead_ns) % period_ns
    windows = Spans(windows.key, begin_ns, windows.end, windows.keys)
    lead = lead_ns // step
    length = int((windows.end - windows.start).max()) // step + lead
    at_once = max(1, _CELLS // length)
    for begin in range(0, len(windows.key), at_once):
        part = windows.take(np.arange(begin, min(begin + at_once, len(windows.key))))
        ids = tuple(cells.assets[key] for key in part.key.tolist())
        relative = np.arange(length, dtype=np.int64) * step
        origin = part.start - lead_ns
        signals: dict[str, SignalCells] = {}
        for data in cells.histories:
            names = [str(one) for one in data.data_vars if not str(one).endswith("_qc")]
            start_of_axis = (
                int(data["time"].values[0].astype("datetime64[ns]").astype(np.int64)) if data.sizes["time"] else first
            )
            rows = (origin - start_of_axis) // step
            places = pd.Index(data["asset"].values.astype(str)).get_indexer(pd.Index(ids)).astype(np.int64)
            arrays = {name: _read(data[name], rows, places, length) for one in names for name in (one, f"{one}_qc")}
            group = Cells(
                times=relative.view("datetime64[ns]"), assets=ids, cadence_ns=step,
                values={one: arrays[one].astype(np.float64) for one in names},
                flags={one: arrays[f"{one}_qc"].astype(np.uint8) for one in names},
                states=frozenset(one for one in names if cells.valid_ns[one] is None),
            )  # fmt: skip
            signals |= {one: signal_cells(group, one, cells.valid_ns[one], usable(group, one)) for one in names}
        numbers, texts, ends = cells.of_assets(part.key)
        # Lifetimes are counted from the window's first row, as its times are.
        ends = np.where(ends > 2**62, ends, ends - origin)
        yield WindowBlock(Block(relative, ids, signals, numbers, texts, ends), part.key, part.start, stop, lead, step)


def _read(array: xr.DataArray, rows: Integers, columns: Integers, length: int) -> NDArray[np.float64]:
    """Return cells (row, window); NaN, or the flag "not evaluated", outside of the axis. Windows of one time are read at once."""
    source = source_of(array.variable._data)  # noqa: SLF001  (`data` would load arrays that aren't Dask's)
    out = np.full((length, len(columns)), 2 if str(array.name).endswith("_qc") else np.nan)
    size = array.sizes["time"]
    order = np.argsort(rows, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
        there = mine[columns[mine] >= 0]
        row = int(rows[mine[0]])
        low, high = max(row, 0), min(row + length, size)
        if low >= high or not there.size:
            continue
        if source is None:
            found = array.isel(time=slice(low, high), asset=columns[there]).to_numpy()
        else:
            found = source.rectangle(source.first + low, source.first + high, source.reader.columns[columns[there]])
        out[low - row : high - row, there] = found
    return out


def true_within(block: WindowBlock, condition: bound.Condition, stop: int) -> Spans:
    """Return the spans in which a condition is true within the windows, before ``stop``; the key is the asset's number."""
    truth = evaluate(condition, block.block)[block.lead :]
    runs = runs_of(truth == TRUE)
    low = block.lows[runs.column]
    start, end = low + runs.first * block.step, low + runs.stop * block.step
    end = np.minimum(end, min(stop, block.stop))
    keep = start < end
    size = int(block.keys.max(initial=0)) + 1
    return Spans(block.keys[runs.column][keep], start[keep], end[keep], size)
