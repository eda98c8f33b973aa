"""Bring the states of finders up to date: search their conditions again where cells have changed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans, merged, together
from twinlab.events.finders.blocks import PresentCells, WindowBlock, true_within, window_blocks
from twinlab.events.finders.changes import changed_events, no_changes
from twinlab.events.finders.splicing import Windows, spliced
from twinlab.events.finders.state import FinderState
from twinlab.events.finding.cells import TwinCells
from twinlab.events.finding.evaluation.reach import look_back_ns
from twinlab.events.finding.search import true_spans
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import descendants, signals_of

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.history.changes.changed_windows import ChangedWindows
    from twinlab.model.finders.finder import Finder
    from twinlab.model.reader import TwinReader

__all__ = ["Searched", "definition_hash", "found_again", "found_anew", "found_instead", "needs_all", "searched"]

Integers = NDArray[np.int64]


def definition_hash(finder: Finder, condition: bound.Condition) -> str:
    """Return the hash of what a finder's events depend on beside the data."""
    depends_on = repr((finder.on, condition, finder.lasting_ns, finder.gap_ns))
    return hashlib.blake2b(depends_on.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Searched:
    """The cells of changed windows of one asset type, for all of its finders."""

    cells: PresentCells
    # Not overlapping, by number of the asset; each finder's spans in them are found anew.
    windows: Spans
    blocks: tuple[WindowBlock, ...]

    def true_of(self, condition: bound.Condition, stop: int) -> Spans:
        """Return where a condition is true within the windows, before ``stop``, and perhaps after the end of some of them."""
        return together([true_within(one, condition, stop) for one in self.blocks], self.windows.keys)


def searched(
    twin: HistoryReader,
    on: str,
    conditions: Sequence[bound.Condition],
    states: Sequence[FinderState],
    changes: Mapping[str, ChangedWindows],
) -> Searched:
    """Read the cells in which the truth of some conditions may have changed.

    Parameters
    ----------
    twin : HistoryReader
    on : str
        Asset type of the conditions.
    conditions : sequence of bound.Condition
    states : sequence of FinderState
        Those that are to be updated, one a condition.
    changes : mapping of str to ChangedWindows
        Where cells differ from those of all the states.
    """
    cells = PresentCells(twin, on, bound.All(tuple(conditions)))
    coarse = cells.steps_ns[1]
    lead = max(look_back_ns(one, cells.valid_ns, step_ns=cells.steps_ns[0]) for one in conditions)
    lead = -(-(lead + coarse) // coarse) * coarse
    known = set.intersection(*(set(one.assets) for one in states))
    windows = _windows(cells, min(one.stop for one in states), known, lead, changes.get(on))
    durations = [each.duration_ns for one in conditions for each in descendants(one) if isinstance(each, bound.Window)]
    blocks = tuple(window_blocks(cells, windows, lead, period_ns=math.lcm(coarse, *durations)))
    return Searched(cells, windows, blocks)


def found_anew(twin: TwinReader, finder: Finder, condition: bound.Condition, history: dict[str, Any]) -> FinderState:
    """Return the state of a finder, searched in all cells."""
    cells = TwinCells(twin, finder.on, condition)
    first, stop = cells.extent_ns
    spans = true_spans(cells, condition, low_ns=first, stop_ns=stop, assets=np.arange(len(cells.assets)))
    return FinderState(definition_hash(finder, condition), history, stop, cells.assets, merged(spans)[0])


def found_instead(
    name: str, finder: Finder, before: FinderState | None, now: FinderState
) -> tuple[FinderState, pd.DataFrame]:
    """Return a state that was found anew with the ids of the one before, and what became of each event that changed."""
    if before is None:
        return now, no_changes()
    assets = tuple(dict.fromkeys((*now.assets, *before.assets)))
    old, new = (_renumbered(one, assets) for one in (before, now))
    ids, what = changed_events({name: finder}, {name: before}, {name: now.stop}, assets, old, new)[name]
    return replace(now, ids=ids), what


def found_again(
    finders: Mapping[str, Finder],
    conditions: Mapping[str, bound.Condition],
    states: Mapping[str, FinderState],
    found: Searched,
    history: dict[str, Any],
) -> dict[str, tuple[FinderState, pd.DataFrame]]:
    """Return the states of finders of one asset type after changes, and what became of each event that changed.

    Parameters
    ----------
    finders, conditions, states : mapping of str
        Of the same names; the states before.
    found : Searched
    history : dict
        Description of the present history.
    """
    present = found.cells.assets
    assets = tuple(dict.fromkeys((*present, *(name for one in states.values() for name in one.assets))))
    count = max(1, len(assets))
    before = {name: _renumbered(states[name], assets) for name in finders}
    # Nothing is true of assets that are gone.
    gone = [one.take(one.key >= len(present)) for one in before.values()]
    windows = Windows(merged(together([found.windows, *gone], count))[0])
    now: dict[str, FinderState] = {}
    old: list[Spans] = []
    new: list[Spans] = []
    for name, finder in finders.items():
        stop = found.cells.end_of(signals_of(conditions[name]))
        true = found.true_of(conditions[name], stop)
        spans, was, became = spliced(before[name], windows, true, np.full(count, finder.gap_ns))
        spans = replace(spans, keys=max(1, len(present)))
        now[name] = FinderState(states[name].definition, history, stop, present, spans)
        old.append(was)
        new.append(became)
    stops = {name: one.stop for name, one in now.items()}
    changes = changed_events(finders, states, stops, assets, _stacked(old, count), _stacked(new, count))
    return {name: (replace(now[name], ids=ids), what) for name, (ids, what) in changes.items()}


def needs_all(condition: bound.Condition) -> bool:
    """Return whether a condition also depends on cells of other assets, which aren't among the changed windows."""
    return any(isinstance(one, bound.Related) for one in descendants(condition))


def _windows(cells: PresentCells, stop_before: int, known: set[str], lead: int, change: ChangedWindows | None) -> Spans:
    """Return where the truth of conditions may have changed, by number of the asset; they don't overlap."""
    (first, stop), coarse, origin = cells.extent_ns, cells.steps_ns[1], cells.twin.model.origin_ns
    number = pd.Index(list(cells.assets))
    held = any(valid is None for valid in cells.valid_ns.values())
    count = len(cells.assets)
    # What was held at the end of the cells goes on in the new ones, also of assets without new rows.
    keys, lows, highs = [np.arange(count)], [np.full(count, stop_before)], [np.full(count, stop)]
    added = np.array([place for place, one in enumerate(cells.assets) if one not in known], dtype=np.int64)
    keys.append(added)
    lows.append(np.full(len(added), first))
    highs.append(np.full(len(added), stop))
    if change is not None:
        # A state is valid until its next observation, which may be far away.
        after = np.full(len(change.stop), stop) if held else np.minimum(change.stop + lead, stop)
        mine = number.get_indexer(pd.Index(list(change.assets))).astype(np.int64)[change.place]
        keys.append(mine[mine >= 0])
        lows.append(change.start[mine >= 0])
        highs.append(after[mine >= 0])
    key, low, high = (np.concatenate(part).astype(np.int64) for part in (keys, lows, highs))
    # A cell of the coarsest signal is evaluated as a whole.
    low = np.maximum(low - (low - origin) % coarse, first)
    keep = low < high
    return merged(Spans(key[keep], low[keep], high[keep], max(1, count)))[0]


def _renumbered(state: FinderState, assets: tuple[str, ...]) -> Spans:
    """Return the spans of a state by the numbers of its assets among others."""
    if state.assets == assets[: len(state.assets)]:
        return replace(state.spans, keys=max(1, len(assets)))
    place = pd.Index(list(assets)).get_indexer(pd.Index(list(state.assets))).astype(np.int64)
    key = place[state.spans.key] if len(place) else state.spans.key
    return merged(Spans(key, state.spans.start, state.spans.end, max(1, len(assets))))[0]


def _stacked(parts: Sequence[Spans], count: int) -> Spans:
    """Return the spans of several finders as one: their keys are less than ``count``, and follow those of the finder before."""
    keyed = [Spans(one.key + number * count, one.start, one.end, 0) for number, one in enumerate(parts)]
    return together(keyed, len(parts) * count)
