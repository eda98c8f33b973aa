"""Which event of a new state is which one of the old state."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twinlab.events.algebra.spans import NEVER, Spans, intersections

__all__ = ["matched", "no_changes"]

_COLUMNS = ["change", "event_id", "event_id_before"]


def no_changes() -> pd.DataFrame:
    """Return the table of changes without a row."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in _COLUMNS})


def matched(before: pd.DataFrame, after: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the new events with the ids of the old ones that they are, and what became of each that changed.

    A new event is the old one of the same asset that it overlaps most; if several new ones are parts of an old one, the largest
    part keeps the id.

    Parameters
    ----------
    before, after : DataFrame
        Event tables; what isn't over has no end.

    Returns
    -------
    DataFrame
        ``after`` with its ``event_id``.
    DataFrame
        ``change`` (moved: beginning or end; split: a part of an old event with an id of its own; withdrawn; appeared),
        ``event_id`` and ``event_id_before``, "" where there is none. What is as it was has no row.

    >>> day = lambda *hours: pd.to_datetime([f"2026-01-01T{hour:02}" for hour in hours])
    >>> old = pd.DataFrame({"event_id": ["warm/a/6"], "asset": ["a"], "start": day(6), "end": day(9)})
    >>> new = pd.DataFrame({"event_id": ["warm/a/5"], "asset": ["a"], "start": day(5), "end": day(9)})
    >>> found, changes = matched(old, new)
    >>> found["event_id"].tolist(), changes["change"].tolist()
    (['warm/a/6'], ['moved'])
    """
    old, new = _spans(before, after)
    row, other = intersections(new, old)
    shared = np.minimum(new.end[row], old.end[other]) - np.maximum(new.start[row], old.start[other])
    order = np.lexsort((new.start[row], -shared))
    row, other = row[order], other[order]
    # The pairs with the largest overlap first: each old event once, each new one once.
    owner, taken = np.full(len(new.key), -1, dtype=np.int64), np.zeros(len(old.key), dtype=np.bool_)
    parent = np.full(len(new.key), -1, dtype=np.int64)
    for mine, theirs in zip(row.tolist(), other.tolist(), strict=True):
        if parent[mine] < 0:
            parent[mine] = theirs
        if owner[mine] < 0 and not taken[theirs]:
            owner[mine], taken[theirs] = theirs, True
    ids_before = before["event_id"].to_numpy(dtype=object)
    ids = _free_ids(after["event_id"].to_numpy(dtype=object), owner, set(ids_before.tolist()))
    kept = owner >= 0
    ids[kept] = ids_before[owner[kept]]
    moved = kept.copy()
    moved[kept] = (new.start[kept] != old.start[owner[kept]]) | (new.end[kept] != old.end[owner[kept]])
    split = ~kept & (parent >= 0)
    new_ones = ~kept & (parent < 0)
    parts = [
        ("moved", ids[moved], ids[moved]),
        ("split", ids[split], ids_before[parent[split]] if split.any() else []),
        ("appeared", ids[new_ones], [""] * int(new_ones.sum())),
        ("withdrawn", [""] * int((~taken).sum()), ids_before[~taken]),
    ]
    changes = pd.concat(
        [
            pd.DataFrame({"change": what, "event_id": now, "event_id_before": then}, dtype="str")
            for what, now, then in parts
        ],
        ignore_index=True,
    )
    return after.assign(event_id=pd.Series(ids, index=after.index, dtype="str")), changes[_COLUMNS]


def _free_ids(ids: np.ndarray, owner: np.ndarray, used: set[str]) -> np.ndarray:
    """Return ids of which none is that of an old event: an event that begins where another one began before isn't it."""
    out = ids.copy()
    for place in np.flatnonzero(owner < 0).tolist():
        number = 1
        while out[place] in used:
            number += 1
            out[place] = f"{ids[place]}/{number}"
    return out


def _spans(before: pd.DataFrame, after: pd.DataFrame) -> tuple[Spans, Spans]:
    names = pd.Index(pd.unique(pd.concat([before["asset"], after["asset"]]).to_numpy(dtype=object)))
    out = []
    for table in (before, after):
        start, end = (table[name].to_numpy(dtype="datetime64[ns]") for name in ("start", "end"))
        finish = np.where(np.isnat(end), NEVER, end.astype(np.int64))
        key = names.get_indexer(pd.Index(table["asset"].to_numpy(dtype=object))).astype(np.int64)
        out.append(Spans(key, start.astype(np.int64), finish, max(1, len(names))))
    return out[0], out[1]
