"""The cells of changed windows, read once for all finders of an asset type; many short windows as one block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans
from twinlab.events.finding.cells import TwinCells, signal_cells, usable
from twinlab.events.finding.evaluation.block import Block, SignalCells
from twinlab.events.finding.evaluation.conditions import evaluate
from twinlab.events.finding.evaluation.truth import TRUE
from twinlab.events.reading import Cells
from twinlab.events.rules.runs import runs_of
from twinlab.history.changes.window_cells import extent_ns, window_cells
from twinlab.history.read.datasets import natural_order
from twinlab.history.read.direct import computed
from twinlab.model.expressions import bound

if TYPE_CHECKING:
    from twinlab.history import HistoryReader

__all__ = ["PresentCells", "WindowBlock", "true_within", "window_blocks"]

Integers = NDArray[np.int64]

#: Windows of at most this many cells, and at most so many of one time, are put beside others; else they are read as a rectangle.
_SHORT, _FEW = 4096, 256
#: Cells of one signal in memory at once.
_CELLS = 4_000_000


@dataclass(frozen=True)
class PresentCells(TwinCells):
    """The cells of a twin's newest state: nothing is built to know its assets and its extent."""

    twin: HistoryReader

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """All assets with a history."""
        ids = list(self.twin.pinned().assets.get(self.asset_type, ()))
        return tuple(ids[place] for place in natural_order(ids))

    @cached_property
    def extents(self) -> dict[int, tuple[int, int]]:
        """Cadence -> the first cell's start and the last one's end; without those that have no cells."""
        spec = self.twin.model.asset_types[self.asset_type].signals
        found = {
            cadence: extent_ns(self.twin, self.asset_type, spec[names[0]].cadence)
            for cadence, names in self.names_by_cadence.items()
        }
        return {cadence: span for cadence, span in found.items() if span[0] < span[1]}


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


def window_blocks(cells: PresentCells, windows: Spans, lead_ns: int, *, period_ns: int) -> Iterator[WindowBlock]:
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


def _stacked(cells: PresentCells, windows: Spans, lead_ns: int, period_ns: int) -> Iterator[WindowBlock]:
    """Yield short windows beside each other, as if they were of one time; all as long as the longest."""
    step, stop = cells.steps_ns[0], cells.extent_ns[1]
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
        for cadence, names in cells.names_by_cadence.items():
            held = [name for name in names if cells.valid_ns[name] is None]
            found = _held_cells(cells, held, ids, origin, length) if held else {}
            rest = [name for name in names if name not in held]
            if rest:
                found |= window_cells(cells.twin, cells.asset_type, rest, ids, origin, length)
            group = Cells(
                times=relative.view("datetime64[ns]"), assets=ids, cadence_ns=cadence,
                values={one: found[one][0] for one in names}, flags={one: found[one][1] for one in names},
                states=frozenset(held),
            )  # fmt: skip
            signals |= {one: signal_cells(group, one, cells.valid_ns[one], usable(group, one)) for one in names}
        numbers, texts, ends = cells.of_assets(part.key)
        # Lifetimes are counted from the window's first row, as its times are.
        ends = np.where(ends > 2**62, ends, ends - origin)
        yield WindowBlock(Block(relative, ids, signals, numbers, texts, ends), part.key, part.start, stop, lead, step)


def _held_cells(
    cells: PresentCells, names: list[str], ids: Sequence[str], starts: Integers, length: int
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.uint8]]]:
    """Return values and flags (time, window) of states, whose last observation may be long before a window."""
    step = np.timedelta64(cells.steps_ns[0], "ns")
    out = {
        name: (np.full((length, len(ids)), np.nan), np.full((length, len(ids)), 2, dtype=np.uint8)) for name in names
    }
    for start in np.unique(starts).tolist():
        mine = np.flatnonzero(starts == start)
        some = [ids[place] for place in mine.tolist()]
        begin = np.datetime64(start, "ns")
        data = cells.twin.history(
            cells.asset_type,
            signals=names,
            assets=some,
            start=begin,
            stop=begin + length * step,
        )
        data = computed(data)
        # Before the first cell of all there are none.
        rows = (data["time"].values - begin) // step
        for name in names:
            for array, variable in zip(out[name], (name, f"{name}_qc"), strict=True):
                array[np.ix_(rows, mine)] = data[variable].values
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
