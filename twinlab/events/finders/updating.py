"""Bring a finder's state up to date: search its condition again where cells have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.algebra.spans import Spans, gaps, merged, pieces
from twinlab.events.finders.matching import matched
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

__all__ = ["definition_hash", "updated"]

Integers = NDArray[np.int64]


def definition_hash(finder: Finder, condition: bound.Condition) -> str:
    """Return the hash of what a finder's events depend on beside the data."""
    told = repr((finder.on, condition, finder.lasting_ns, finder.gap_ns))
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()


def updated(  # noqa: PLR0917  (what, of what, where)
    twin: TwinReader,
    name: str,
    finder: Finder,
    state: FinderState | None,
    changes: Sequence[ChangedWindow] | None,
    history: dict[str, Any],
) -> tuple[FinderState, pd.DataFrame, pd.DataFrame]:
    """Return the state of a finder at the present history, its events, and what became of those that changed.

    Parameters
    ----------
    twin : TwinReader
    name : str
        Of the finder.
    finder : Finder
    state : FinderState, optional
        An earlier one; None if there is none.
    changes : sequence of ChangedWindow, optional
        Where cells differ from those of the earlier state; None: they may anywhere.
    history : dict
        Description of the present history, see `twinlab.history.changes.changed_windows.state_of`.

    Returns
    -------
    FinderState
    DataFrame
        Event table, sorted by asset and start.
    DataFrame
        As `twinlab.events.finders.matching.matched` returns it.
    """
    condition = finder.condition(twin.model)
    cells = TwinCells(twin, finder.on, condition)
    definition = definition_hash(finder, condition)
    first, stop = cells.extent_ns
    fresh = state is None or changes is None or state.definition != definition or _needs_all(condition)
    if fresh or state is None:
        spans = true_spans(cells, condition, low_ns=first, stop_ns=stop, assets=np.arange(len(cells.assets)))
    else:
        windows = _windows(cells, condition, finder.on, state, changes or ())
        spans = _spliced(_renumbered(state, cells.assets), windows, _search(cells, condition, windows))
    now = FinderState(definition, history, stop, cells.assets, spans)
    sizes = {"gap_ns": finder.gap_ns, "lasting_ns": finder.lasting_ns}
    before = None if state is None else event_table(state, events_of(state, **sizes), name)
    events = event_table(now, events_of(now, **sizes), name)
    if before is None:
        nothing = pd.DataFrame({one: pd.Series(dtype="str") for one in ("change", "event_id", "event_id_before")})
        return now, events, nothing
    own = events["event_id"]
    events, what = matched(before, events)
    other = np.flatnonzero((events["event_id"] != own).to_numpy())
    starts = events["start"].to_numpy(dtype="datetime64[ns]").astype(np.int64)
    ids = {(str(events["asset"].iloc[k]), int(starts[k])): str(events["event_id"].iloc[k]) for k in other.tolist()}
    return replace(now, ids=ids), events, what


def _needs_all(condition: bound.Condition) -> bool:
    """Return whether a condition also depends on cells of other assets, which aren't among the changed windows."""
    return any(isinstance(one, bound.Related) for one in descendants(condition))


def _windows(
    cells: TwinCells, condition: bound.Condition, on: str, state: FinderState, changes: Sequence[ChangedWindow]
) -> Spans:
    """Return where the condition's truth may have changed, by number of the asset; they don't overlap."""
    stop, origin = cells.extent_ns[1], cells.twin.model.origin_ns
    number = pd.Index(list(cells.assets))
    step = cells.steps_ns[1]
    held = any(valid is None for valid in cells.valid_ns.values())
    reach = look_back_ns(condition, cells.valid_ns, step_ns=cells.steps_ns[0]) + step
    count = len(cells.assets)
    # What was held at the end of the cells goes on in the new ones, also of assets without new rows.
    keys, lows, highs = [np.arange(count)], [np.full(count, state.stop)], [np.full(count, stop)]
    known = set(state.assets)
    added = np.array([place for place, one in enumerate(cells.assets) if one not in known], dtype=np.int64)
    keys.append(added)
    lows.append(np.full(len(added), cells.extent_ns[0]))
    highs.append(np.full(len(added), stop))
    for one in changes:
        if one.asset_type != on or not len(one.starts):
            continue
        mine = number.get_indexer(pd.Index(list(one.assets)))
        mine = mine[mine >= 0].astype(np.int64)
        # A state is valid until its next observation, which may be far away.
        after = np.full(len(one.stops), stop) if held else np.minimum(one.stops + reach, stop)
        keys.append(np.repeat(mine, len(one.starts)))
        lows.append(np.tile(one.starts, len(mine)))
        highs.append(np.tile(after, len(mine)))
    key, low, high = (np.concatenate(part).astype(np.int64) for part in (keys, lows, highs))
    # A cell of the coarsest signal is evaluated as a whole.
    low = np.maximum(low - (low - origin) % step, cells.extent_ns[0])
    keep = low < high
    return merged(Spans(key[keep], low[keep], high[keep], count))[0]


def _search(cells: TwinCells, condition: bound.Condition, windows: Spans) -> Spans:
    """Return the spans in which the condition is true within the windows; windows of the same time are searched at once."""
    parts: list[Spans] = []
    times, place = np.unique(np.stack([windows.start, windows.end]), axis=1, return_inverse=True)
    order = np.argsort(place.ravel(), kind="stable")
    edges = np.searchsorted(place.ravel()[order], np.arange(times.shape[1] + 1))
    for number in range(times.shape[1]):
        assets = windows.key[order[edges[number] : edges[number + 1]]]
        low, high = times[:, number].tolist()
        parts.append(true_spans(cells, condition, low_ns=low, stop_ns=high, assets=np.sort(assets)))
    none = np.empty(0, dtype=np.int64)
    key, start, end = (
        np.concatenate([none, *arrays])
        for arrays in ([p.key for p in parts], [p.start for p in parts], [p.end for p in parts])
    )
    return Spans(key, start, end, max(1, len(cells.assets)))


def _renumbered(state: FinderState, assets: tuple[str, ...]) -> Spans:
    """Return the spans of a state with the assets' present numbers; those of assets that are gone are left out."""
    place = pd.Index(list(assets)).get_indexer(pd.Index(list(state.assets))).astype(np.int64)
    key = place[state.spans.key] if len(state.spans.key) else state.spans.key
    keep = key >= 0
    return Spans(key[keep], state.spans.start[keep], state.spans.end[keep], max(1, len(assets)))


def _spliced(old: Spans, windows: Spans, new: Spans) -> Spans:
    """Return the old spans outside of the windows together with the new ones within them."""
    outside = gaps(Spans(windows.key, windows.start, windows.end, max(1, windows.keys)))
    row, start, end = pieces(old, outside)
    key = np.concatenate([old.key[row], new.key])
    joined = Spans(key, np.concatenate([start, new.start]), np.concatenate([end, new.end]), max(1, old.keys))
    return merged(joined)[0]
