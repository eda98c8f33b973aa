"""Bring the states of finders up to date: search their conditions again where cells have changed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans, gaps, merged, pieces, together
from twinlab.events.finders.blocks import WindowBlock, true_within, window_blocks
from twinlab.events.finders.matching import matched, no_changes
from twinlab.events.finders.state import FinderState, event_table, events_of
from twinlab.events.finding.cells import TwinCells
from twinlab.events.finding.evaluation.reach import look_back_ns
from twinlab.events.finding.search import true_spans
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import descendants

if TYPE_CHECKING:
    from twinlab.history.changes.changed_windows import ChangedWindow
    from twinlab.model.finders.finder import Finder
    from twinlab.model.reader import TwinReader

__all__ = ["Searched", "changed_events", "definition_hash", "found_again", "found_anew", "needs_all", "searched"]

Integers = NDArray[np.int64]


def definition_hash(finder: Finder, condition: bound.Condition) -> str:
    """Return the hash of what a finder's events depend on beside the data."""
    depends_on = repr((finder.on, condition, finder.lasting_ns, finder.gap_ns))
    return hashlib.blake2b(depends_on.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Searched:
    """The cells of changed windows of one asset type, for all of its finders."""

    cells: TwinCells
    # Not overlapping, by number of the asset; each finder's spans in them are found anew.
    windows: Spans
    blocks: tuple[WindowBlock, ...]


def searched(
    twin: TwinReader,
    on: str,
    conditions: Sequence[bound.Condition],
    states: Sequence[FinderState],
    changes: Sequence[ChangedWindow],
) -> Searched:
    """Read the cells in which the truth of some conditions may have changed.

    Parameters
    ----------
    twin : TwinReader
    on : str
        Asset type of the conditions.
    conditions : sequence of bound.Condition
    states : sequence of FinderState
        Those that are to be updated, one a condition.
    changes : sequence of ChangedWindow
        Where cells differ from those of all the states.
    """
    cells = TwinCells(twin, on, bound.All(tuple(conditions)))
    coarse = cells.steps_ns[1]
    lead = max(look_back_ns(one, cells.valid_ns, step_ns=cells.steps_ns[0]) for one in conditions)
    lead = -(-(lead + coarse) // coarse) * coarse
    known = set.intersection(*(set(one.assets) for one in states))
    windows = _windows(cells, on, min(one.stop for one in states), known, lead, changes)
    durations = [each.duration_ns for one in conditions for each in descendants(one) if isinstance(each, bound.Window)]
    blocks = tuple(window_blocks(cells, windows, lead, period_ns=math.lcm(coarse, *durations)))
    return Searched(cells, windows, blocks)


def found_anew(twin: TwinReader, finder: Finder, condition: bound.Condition, history: dict[str, Any]) -> FinderState:
    """Return the state of a finder, searched in all cells."""
    cells = TwinCells(twin, finder.on, condition)
    first, stop = cells.extent_ns
    spans = true_spans(cells, condition, low_ns=first, stop_ns=stop, assets=np.arange(len(cells.assets)))
    return FinderState(definition_hash(finder, condition), history, stop, cells.assets, spans)


def found_again(
    state: FinderState, found: Searched, stop: int, condition: bound.Condition, history: dict[str, Any]
) -> FinderState:
    """Return the state of a finder after changes: the old spans outside of the windows, with those found within.

    Parameters
    ----------
    state : FinderState
        Before.
    found : Searched
    stop : int
        End of the cells of the condition's signals.
    condition : bound.Condition
    history : dict
        Description of the present history.
    """
    assets = found.cells.assets
    new = together([true_within(one, condition, stop) for one in found.blocks], max(1, len(assets)))
    spans = _spliced(_renumbered(state, assets), found.windows, new)
    return FinderState(state.definition, history, stop, assets, spans, state.ids)


def changed_events(
    before: FinderState | None, now: FinderState, name: str, finder: Finder
) -> tuple[FinderState, pd.DataFrame]:
    """Return the new state with the ids of the events that it has still, and what became of each event that changed."""
    if before is None:
        return now, no_changes()
    sizes = {"gap_ns": finder.gap_ns, "lasting_ns": finder.lasting_ns}
    old, new = events_of(before, **sizes), events_of(now, **sizes)
    # Only events that aren't as they were are looked at.
    old, new = _differing(before, old, now, new), _differing(now, new, before, old)
    own = event_table(replace(now, ids={}), new, name)
    table, what = matched(event_table(before, old, name), own)
    other = np.flatnonzero((table["event_id"] != own["event_id"]).to_numpy())
    starts = table["start"].to_numpy(dtype="datetime64[ns]").astype(np.int64)
    gone = set(zip(np.array(before.assets, dtype=object)[old.key].tolist(), old.start.tolist(), strict=True))
    ids = {key: found for key, found in before.ids.items() if key not in gone}
    ids |= {(str(table["asset"].iloc[k]), int(starts[k])): str(table["event_id"].iloc[k]) for k in other.tolist()}
    return replace(now, ids=ids), what


def needs_all(condition: bound.Condition) -> bool:
    """Return whether a condition also depends on cells of other assets, which aren't among the changed windows."""
    return any(isinstance(one, bound.Related) for one in descendants(condition))


def _differing(mine: FinderState, spans: Spans, other: FinderState, others: Spans) -> Spans:
    """Return the spans of one state that another one doesn't have; those of an asset don't overlap."""
    place = pd.Index(list(mine.assets)).get_indexer(pd.Index(list(other.assets))).astype(np.int64)
    known = Spans(place[others.key], others.start, others.end, spans.keys).by_start
    if not known.rows.size:
        return spans
    at = known.before(spans.key, spans.start)
    there = at < known.offsets[spans.key + 1]
    row = known.rows[np.where(there, at, 0)]
    same = there & (others.start[row] == spans.start) & (others.end[row] == spans.end)
    return spans.take(~same)


def _windows(  # noqa: PLR0917
    cells: TwinCells, on: str, stop_before: int, known: set[str], lead: int, changes: Sequence[ChangedWindow]
) -> Spans:
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
    for one in changes:
        if one.asset_type != on or not len(one.starts):
            continue
        mine = number.get_indexer(pd.Index(list(one.assets)))
        mine = mine[mine >= 0].astype(np.int64)
        # A state is valid until its next observation, which may be far away.
        after = np.full(len(one.stops), stop) if held else np.minimum(one.stops + lead, stop)
        keys.append(np.repeat(mine, len(one.starts)))
        lows.append(np.tile(one.starts, len(mine)))
        highs.append(np.tile(after, len(mine)))
    key, low, high = (np.concatenate(part).astype(np.int64) for part in (keys, lows, highs))
    # A cell of the coarsest signal is evaluated as a whole.
    low = np.maximum(low - (low - origin) % coarse, first)
    keep = low < high
    return merged(Spans(key[keep], low[keep], high[keep], max(1, count)))[0]


def _renumbered(state: FinderState, assets: tuple[str, ...]) -> Spans:
    """Return the spans of a state with the assets' present numbers; those of assets that are gone are left out."""
    place = pd.Index(list(assets)).get_indexer(pd.Index(list(state.assets))).astype(np.int64)
    key = place[state.spans.key] if len(state.spans.key) else state.spans.key
    keep = key >= 0
    return Spans(key[keep], state.spans.start[keep], state.spans.end[keep], max(1, len(assets)))


def _spliced(old: Spans, windows: Spans, new: Spans) -> Spans:
    """Return the old spans outside of the windows together with the new ones within them."""
    row, start, end = pieces(old, gaps(windows))
    # Windows beside each other are as long as the longest: what was found after a window's end is known from elsewhere.
    inside, first, last = pieces(new, windows)
    key = np.concatenate([old.key[row], new.key[inside]])
    joined = Spans(key, np.concatenate([start, first]), np.concatenate([end, last]), max(1, old.keys))
    return merged(joined)[0]
