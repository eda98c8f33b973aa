"""Combine event tables: time in both, in either, in one without the other, in none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.algebra import links
from twinlab.events.algebra.event_spans import Key, key_columns, new_events, parts_of, spans_of, window_ns
from twinlab.events.algebra.refine import merge
from twinlab.events.algebra.spans import ALWAYS, Spans, gaps, merged, pieces

__all__ = ["both", "complement", "either", "without"]


def both(
    events: pd.DataFrame, others: pd.DataFrame, *, by: Key = "asset", through: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the parts of events in which another event of the same asset lasts, too: "and".

    Parameters
    ----------
    events, others : DataFrame
        With ``start``, ``end`` and the columns of ``by``. An event without an end isn't over; one without a start, or without
        duration, has no time.
    by : str or sequence of str
        Columns that must be equal; "all": none.
    through : DataFrame, optional
        A relationship (``source, target, valid_from, valid_until``): ``others`` are events of its targets, ``events`` of its
        sources, and another event counts while the link is valid; see `twinlab.events.through`.

    Returns
    -------
    DataFrame
        Parts with all columns of ``events``, in the order of their events. A part that isn't the whole event has the event's
        id, "@" and its own start. Others that touch don't cut a part.

    Raises
    ------
    SchemaError
        If a time column is missing or isn't naive.
    UnknownTermError
        If a column of ``by`` is missing.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> warm = pd.DataFrame({"event_id": ["w"], "asset": ["a"], "start": hour[:1], "end": hour[2:]})
    >>> door = pd.DataFrame({"asset": ["a"], "start": hour[1:2], "end": [pd.NaT]})
    >>> both(warm, door)[["event_id", "start"]].values.tolist()
    [['w@2026-03-01T09:00:00.000000000', Timestamp('2026-03-01 09:00:00')]]
    """
    mine, theirs = links.spans_of_both(events, others, by, through)
    return parts_of(events, *pieces(mine, theirs))


def without(
    events: pd.DataFrame, others: pd.DataFrame, *, by: Key = "asset", through: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the parts of events in which no other event of the same asset lasts: "and not".

    Parameters, rows and errors as in `both`.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> warm = pd.DataFrame({"asset": ["a"], "start": hour[:1], "end": hour[2:]})
    >>> door = pd.DataFrame({"asset": ["a"], "start": hour[1:2], "end": [pd.NaT]})
    >>> without(warm, door)["end"].tolist()
    [Timestamp('2026-03-01 09:00:00')]
    """
    mine, theirs = links.spans_of_both(events, others, by, through)
    has_duration = theirs.take(theirs.start < theirs.end)
    return parts_of(events, *pieces(mine, gaps(merged(has_duration)[0])))


def either(
    events: pd.DataFrame, others: pd.DataFrame, *, by: Key = "asset", through: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the time in which an event of one table or the other lasts, as one event each: "or".

    Parameters and errors as in `both`.

    Returns
    -------
    DataFrame
        As `merge` returns it, with the columns of both tables. The type of events of several types is "a or b".

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> warm = pd.DataFrame({"type": ["warm"], "asset": ["a"], "start": hour[:1], "end": hour[1:2]})
    >>> door = pd.DataFrame({"type": ["door"], "asset": ["a"], "start": hour[1:2], "end": hour[2:]})
    >>> either(warm, door)[["type", "end"]].values.tolist()
    [['warm or door', Timestamp('2026-03-01 10:00:00')]]
    """
    if through is not None:
        others = links.through(others, through)
    spans = spans_of(events, others, by=by)
    tables = [table[(one.start < one.end) & (one.key >= 0)] for table, one in zip((events, others), spans, strict=True)]
    full = [table for table in tables if len(table)] or tables[:1]
    found = merge(pd.concat(full, ignore_index=True), by=by)
    if "type" in found:
        found["type"] = found["type"].fillna(_name("", *tables))
    return found


def complement(
    events: pd.DataFrame,
    lifetimes: pd.DataFrame | None = None,
    *,
    start: object = None,
    stop: object = None,
    by: Key = "asset",
) -> pd.DataFrame:
    """Return the time in which no event lasts: "not".

    Parameters
    ----------
    events : DataFrame
        With ``start``, ``end`` and the columns of ``by``.
    lifetimes : DataFrame, optional
        When assets exist: ``start``, ``end`` and the columns of ``by``, as `twinlab.events.lifetime_table` returns it; assets
        without an event have their whole lifetime. By default the assets of ``events``, which always exist.
    start, stop : instant, optional
        Only time in the window ``[start, stop)``. Without ``stop`` the last part of an asset isn't over.
    by : str or sequence of str
        Which events belong together; "all": all of them.

    Returns
    -------
    DataFrame
        In order of the lifetimes, then of time. ``type`` is "not" and the type of ``events``; ids are made of type, key and start.

    Raises
    ------
    SchemaError
        If neither ``lifetimes`` nor ``start`` says when the time of an asset begins, or ``start`` isn't before ``stop``.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00"])
    >>> door = pd.DataFrame({"type": ["open"], "asset": ["a"], "start": hour[:1], "end": hour[1:]})
    >>> complement(door, start="2026-03-01", stop="2026-03-02")[["event_id", "end"]].values.tolist()
    [['not open/a/2026-03-01T00:00:00.000000000', Timestamp('2026-03-01 08:00:00')],
     ['not open/a/2026-03-01T09:00:00.000000000', Timestamp('2026-03-02 00:00:00')]]
    """
    low, high = window_ns(start, stop)
    names = key_columns(by)
    table = _times_of_assets(events, names) if lifetimes is None else lifetimes
    table = table.assign(start=table["start"].fillna(pd.Timestamp(ALWAYS)))
    window, theirs = spans_of(table, events, by=by)
    mine = Spans(window.key, np.maximum(window.start, low), np.minimum(window.end, high), window.keys)
    if (mine.start[mine.key >= 0] == ALWAYS).any():
        msg = "expected start, or lifetimes with a start of each asset: the time without an event has no beginning otherwise"
        raise SchemaError(msg)
    row, first, last = pieces(mine, gaps(merged(theirs.take(theirs.start < theirs.end))[0]))
    keys = {name: table[name].take(row).reset_index(drop=True) for name in names}
    return new_events(_name("not ", events), keys, first, last)


def _times_of_assets(events: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return all of time for each key of a table of events."""
    spans_of(events, by=names or "all")
    keys = events[names].dropna().drop_duplicates(ignore_index=True) if names else pd.DataFrame(index=range(1))
    nothing = pd.Series(pd.NaT, index=keys.index, dtype="datetime64[ns]")
    return keys.assign(start=nothing, end=nothing)


def _name(first: str, *tables: pd.DataFrame) -> str:
    """Return the types of events, in order of appearance, as a type."""
    types = [str(one) for table in tables if "type" in table for one in table["type"].dropna().unique()]
    return (first + " or ".join(dict.fromkeys(types))).strip()
