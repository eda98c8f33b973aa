"""What became of the events of finders: their ids, and a table of those that changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.algebra.spans import Spans
from twinlab.events.finders.matching import matched
from twinlab.events.finders.splicing import differing, events_of
from twinlab.events.finders.state import FinderState, asset_names, made_ids

if TYPE_CHECKING:
    from twinlab.model.finders.finder import Finder

__all__ = ["Ids", "changed_events", "no_changes"]

_COLUMNS = ["change", "event_id", "event_id_before"]
#: Asset and start -> id of events whose id isn't made of these.
Ids = dict[tuple[str, int], str]


def no_changes() -> pd.DataFrame:
    """Return the table of changes without a row."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in _COLUMNS})


def changed_events(  # noqa: PLR0917
    finders: Mapping[str, Finder],
    before: Mapping[str, FinderState],
    stops: Mapping[str, int],
    assets: tuple[str, ...],
    old: Spans,
    new: Spans,
) -> dict[str, tuple[Ids, pd.DataFrame]]:
    """Return the ids of each finder's events that aren't made of asset and start, and what became of each event that changed.

    Parameters
    ----------
    finders : mapping of str to Finder
    before : mapping of str to FinderState
        Their states before.
    stops : mapping of str to int
        Up to which each one was searched now.
    assets : tuple of str
    old, new : Spans
        Spans before and now of all events that may differ. The key is the number of the finder times the number of assets,
        plus that of the asset.

    Returns
    -------
    dict of str to (dict, DataFrame)
        The table has ``change`` (moved: beginning or end; split: a part of an old event with an id of its own; withdrawn;
        appeared), ``event_id`` and ``event_id_before``, "" where there is none.
    """
    names, count = np.array(list(finders), dtype=object), max(1, len(assets))
    gap, lasting = (
        np.repeat([getattr(one, size) for one in finders.values()], count) for size in ("gap_ns", "lasting_ns")
    )
    was = events_of(old, gap, lasting, np.repeat([before[name].stop for name in finders], count))
    now = events_of(new, gap, lasting, np.repeat([stops[name] for name in finders], count))
    # Most events near a change are as they were.
    was, now = differing(was, now), differing(now, was)
    owner, parent = matched(was, now)
    kept = owner >= 0
    finder_was, finder_now = was.key // count, now.key // count
    assets_was, assets_now = asset_names(assets, was.key % count), asset_names(assets, now.key % count)
    ids_before = made_ids(names[finder_was], assets_was, was.start)
    for place, (name, *key) in enumerate(zip(names[finder_was], assets_was, was.start.tolist(), strict=True)):
        ids_before[place] = before[name].ids.get((key[0], key[1]), ids_before[place])
    made = made_ids(names[finder_now], assets_now, now.start)
    used = set(ids_before.tolist()).union(*(one.ids.values() for one in before.values()))
    ids = np.array([one if mine else _free(one, used) for one, mine in zip(made, kept, strict=True)], dtype=object)
    ids[kept] = ids_before[owner[kept]]

    split, appeared = ~kept & (parent >= 0), ~kept & (parent < 0)
    gone = np.ones(len(was.key), dtype=np.bool_)
    gone[owner[kept]] = False
    nothing = np.full(max(len(was.key), len(now.key)), "", dtype=object)
    parts = [
        ("moved", finder_now[kept], ids[kept], ids[kept]),
        ("split", finder_now[split], ids[split], ids_before[parent[split]]),
        ("appeared", finder_now[appeared], ids[appeared], nothing[: appeared.sum()]),
        ("withdrawn", finder_was[gone], nothing[: gone.sum()], ids_before[gone]),
    ]
    number = np.concatenate([one[1] for one in parts])
    order = np.argsort(number, kind="stable")
    columns = [np.repeat([one[0] for one in parts], [len(one[1]) for one in parts])]
    columns += [np.concatenate([one[place] for one in parts]) for place in (2, 3)]
    table = pd.DataFrame({name: one[order] for name, one in zip(_COLUMNS, columns, strict=True)}, dtype="str")
    edges = np.searchsorted(number[order], np.arange(len(names) + 1))

    other = {name: dict(before[name].ids) for name in finders}
    for name, asset, start in zip(names[finder_was], assets_was, was.start.tolist(), strict=True):
        other[name].pop((asset, start), None)
    for place in np.flatnonzero(ids != made).tolist():
        other[names[finder_now[place]]][assets_now[place], int(now.start[place])] = ids[place]
    return {
        name: (other[name], table.iloc[edges[at] : edges[at + 1]].reset_index(drop=True))
        for at, name in enumerate(finders)
    }


def _free(made: str, used: set[str]) -> str:
    """Return an id that isn't one of an old event: an event that begins where another one began before isn't it."""
    out, number = made, 1
    while out in used:
        number += 1
        out = f"{made}/{number}"
    return out
