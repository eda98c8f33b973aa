"""Refine an event table: events that last long enough or are in a window, joined, cut, padded or shifted ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.algebra.cuts import cut_places
from twinlab.events.algebra.event_spans import Duration, Key, nanoseconds, parts_of, span_length, spans_of, window_ns
from twinlab.events.algebra.spans import NEVER, merged
from twinlab.events.reading import instant_ns

__all__ = ["at_end", "at_start", "clip", "lasting", "merge", "pad", "shift", "split", "within"]


def lasting(
    events: pd.DataFrame,
    at_least: Duration | None = None,
    *,
    at_most: Duration | None = None,
    now: object = None,
) -> pd.DataFrame:
    """Return the events whose duration is between two limits, both included.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``. One without a start isn't returned.
    at_least, at_most : text such as "10min", or timedelta, optional
    now : instant, optional
        An event that isn't over has lasted until then. By default it lasts longer than any limit.

    Returns
    -------
    DataFrame
        Rows of ``events``, with their index.

    >>> hours = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", None])
    >>> table = pd.DataFrame({"start": hours[[0, 0, 1]], "end": hours[[1, 0, 2]]})
    >>> lasting(table, "1h").index.tolist(), lasting(table, "1h", now="2026-03-01 09:30").index.tolist()
    ([0, 2], [0])
    """
    (spans,) = spans_of(events, by="all")
    end = spans.end
    if now is not None:
        end = np.maximum(np.where(end == NEVER, instant_ns(now), end), spans.start)
    known = spans.key >= 0
    # Without a start there is no difference, and none that overflows.
    length = np.where(end == NEVER, NEVER, end - np.where(known, spans.start, end))
    if at_least is not None:
        known &= length >= span_length(at_least, "at_least")
    if at_most is not None:
        known &= length <= span_length(at_most, "at_most")
    return events[known]


def within(events: pd.DataFrame, start: object = None, stop: object = None) -> pd.DataFrame:
    """Return the events that are in the window ``[start, stop)`` from their start to their end.

    `overlapping` returns those that are partly in it too, `clip` their parts in it, and `during` those within other events.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``. One that isn't over is in a window without ``stop`` only.
    start, stop : instant, optional
        Naive is UTC. None is open.

    Raises
    ------
    SchemaError
        If ``start`` isn't before ``stop``.

    >>> days = pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-03"])
    >>> within(pd.DataFrame({"start": days[:2], "end": days[1:]}), stop="2026-03-02").index.tolist()
    [0]
    """
    low, high = window_ns(start, stop)
    (spans,) = spans_of(events, by="all", instants=True)
    return events[(spans.key >= 0) & (spans.start >= low) & (spans.end <= high)]


def clip(events: pd.DataFrame, start: object = None, stop: object = None) -> pd.DataFrame:
    """Return the parts of events that are in the window ``[start, stop)``.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``.
    start, stop : instant, optional
        Naive is UTC. None is open.

    Returns
    -------
    DataFrame
        A part that isn't the whole event has the event's id, "@" and its own start.

    >>> days = pd.to_datetime(["2026-03-01", None])
    >>> clip(pd.DataFrame({"start": days[:1], "end": days[1:]}), "2026-03-02", "2026-03-05")["end"][0]
    Timestamp('2026-03-05 00:00:00')
    """
    low, high = window_ns(start, stop)
    (spans,) = spans_of(events, by="all")
    first, last = np.maximum(spans.start, low), np.minimum(spans.end, high)
    at = (spans.start == spans.end) & (spans.start >= low) & (spans.start < high)
    rows = np.flatnonzero((spans.key >= 0) & ((first < last) | at))
    return parts_of(events, rows, first[rows], last[rows])


def merge(events: pd.DataFrame, *, gap: Duration = "0s", by: Key = "asset") -> pd.DataFrame:
    """Join events of the same key that overlap, touch, or are at most ``gap`` apart.

    Parameters
    ----------
    events : DataFrame
        With ``start``, ``end`` and the columns of ``by``. One without a time, or without a key, is dropped.
    gap : text such as "2min", or timedelta
    by : str or sequence of str
        Which events belong together: those of an asset by default; "all": all of them.

    Returns
    -------
    DataFrame
        In order of start. ``count`` is the number of events joined. A joined event has the id of the earliest one; other
        columns have the value of its events if it is the same in all, and none otherwise.

    >>> hours = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 09:01", "2026-03-01 10:00"])
    >>> table = pd.DataFrame({"asset": ["a", "a"], "start": hours[[0, 2]], "end": hours[[1, 3]], "cause": ["door", None]})
    >>> merge(table, gap="2min")[["end", "cause", "count"]].values.tolist()
    [[Timestamp('2026-03-01 10:00:00'), nan, 2]]
    """
    (spans,) = spans_of(events, by=by)
    union, group = merged(spans, gap_ns=span_length(gap, "gap"))
    size = len(union.key)
    counts = np.bincount(group[group >= 0], minlength=size)
    ordered = spans.by_start.rows
    # Groups are numbered in this order, too.
    first = ordered[np.cumsum(counts) - counts] if size else ordered[:0]
    out = parts_of(events, first, union.start, union.end)
    if "event_id" in events:
        out["event_id"] = events["event_id"].take(first).array
    fixed = {"event_id", "start", "end", "duration", "count"}
    for name in (name for name in events.columns if name not in fixed):
        codes = pd.factorize(events[name])[0]
        differs = np.zeros(size, dtype=bool)
        differs[group[ordered[codes[ordered] != codes[first[group[ordered]]]]]] = True
        if differs.any():
            out[name] = out[name].mask(differs)
    out["count"] = counts
    return out.iloc[np.argsort(union.start, kind="stable")].reset_index(drop=True)


def split(
    events: pd.DataFrame,
    at: object = None,
    *,
    every: Duration | None = None,
    longest: Duration | None = None,
    zone: str = "UTC",
    now: object = None,
) -> pd.DataFrame:
    """Cut events at instants, at the borders of days or other periods, or so that no part is longer than a duration.

    Exactly one of ``at``, ``every`` and ``longest`` is given.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``. One without a time is dropped.
    at : instants, optional
        Anything pandas reads as instants; naive is UTC.
    every : text such as "1d" or "8h", or timedelta, optional
        Whole days are calendar days of the zone; other periods are counted from its midnight and all have this length.
    longest : text such as "1h", or timedelta, optional
        Length of parts, counted from the start of each event.
    zone : str
        Time zone of ``every``.
    now : instant, optional
        An event that isn't over is cut up to then, and its last part isn't over. By default the latest time in the table.

    Returns
    -------
    DataFrame
        Parts in the order of their events, then by time. A part that isn't the whole event has the event's id, "@" and its
        own start.

    Raises
    ------
    SchemaError
        If not exactly one way to cut is given, or there were more than 50 million parts.

    >>> night = pd.to_datetime(["2026-03-01 22:00", "2026-03-02 04:00"])
    >>> split(pd.DataFrame({"start": night[:1], "end": night[1:]}), every="1d")["start"].dt.hour.tolist()
    [22, 0]
    """
    given = [name for name, one in (("at", at), ("every", every), ("longest", longest)) if one is not None]
    if len(given) != 1:
        msg = f"expected exactly one of at, every and longest, got {' and '.join(given) or 'none'}"
        raise SchemaError(msg)
    (spans,) = spans_of(events, by="all")
    row, cut = cut_places(spans, at=at, every=every, longest=longest, zone=zone, now=now)
    rows = np.concatenate([np.flatnonzero(spans.key >= 0), row])
    start = np.concatenate([spans.start[spans.key >= 0], cut])
    order = np.lexsort((start, rows))
    rows, start = rows[order], start[order]
    end = spans.end[rows]
    same = rows[1:] == rows[:-1]
    end[:-1][same] = start[1:][same]
    return parts_of(events, rows, start, end)


def pad(events: pd.DataFrame, before: Duration = "0s", after: Duration = "0s") -> pd.DataFrame:
    """Lengthen events at their start and their end; a negative duration shortens them.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``. An event that isn't over stays so.
    before, after : text such as "5min" or "-5min", or timedelta

    Returns
    -------
    DataFrame
        The events with their ids, index and other columns; those of which nothing is left are dropped.

    >>> at = pd.to_datetime(["2026-03-01 08:00"])
    >>> pad(pd.DataFrame({"start": at, "end": at}), before="10min")["start"][0]
    Timestamp('2026-03-01 07:50:00')
    """
    earlier, later = nanoseconds(before, "before"), nanoseconds(after, "after")
    (spans,) = spans_of(events, by="all")
    over = events["end"].notna().to_numpy()
    # What isn't over ends later than any padding of its start.
    kept = (spans.key >= 0) & (~over | (spans.end - spans.start >= -(earlier + later)))
    return _moved(events, kept, start=-earlier, end=later)


def shift(events: pd.DataFrame, by: Duration) -> pd.DataFrame:
    """Move events to later times; to earlier ones by a negative duration. Planned times stay.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``.
    by : text such as "1h" or "-1h", or timedelta

    >>> at = pd.to_datetime(["2026-03-01 08:00"])
    >>> shift(pd.DataFrame({"start": at, "end": at}), "-1h")["end"][0]
    Timestamp('2026-03-01 07:00:00')
    """
    step = nanoseconds(by, "by")
    spans_of(events, by="all")
    return _moved(events, np.ones(len(events), dtype=bool), start=step, end=step)


def at_start(events: pd.DataFrame) -> pd.DataFrame:
    """Return an event without duration at the start of each event; those without a start are dropped.

    >>> day = pd.to_datetime(["2026-03-01", "2026-03-02"])
    >>> ten_minutes_before = pd.DataFrame({"start": day[:1], "end": day[1:]}).pipe(at_start).pipe(pad, before="10min")
    >>> ten_minutes_before["start"][0], ten_minutes_before["end"][0]
    (Timestamp('2026-02-28 23:50:00'), Timestamp('2026-03-01 00:00:00'))
    """
    return _instants(events, "start")


def at_end(events: pd.DataFrame) -> pd.DataFrame:
    """Return an event without duration at the end of each event; those that aren't over are dropped.

    >>> day = pd.to_datetime(["2026-03-01", "2026-03-02"])
    >>> at_end(pd.DataFrame({"start": day[:1], "end": day[1:]}))["start"][0]
    Timestamp('2026-03-02 00:00:00')
    """
    return _instants(events, "end")


def _instants(events: pd.DataFrame, name: str) -> pd.DataFrame:
    spans_of(events, by="all")
    found = events[events[name].notna()]
    return _timed(found, start=found[name], end=found[name])


def _moved(events: pd.DataFrame, kept: np.ndarray, *, start: int, end: int) -> pd.DataFrame:
    found = events[kept]
    return _timed(
        found,
        start=found["start"] + pd.Timedelta(start, unit="ns"),
        end=found["end"] + pd.Timedelta(end, unit="ns"),
    )


def _timed(events: pd.DataFrame, *, start: pd.Series, end: pd.Series) -> pd.DataFrame:
    """Return events with other times; a column ``duration`` is computed."""
    out = events.assign(start=start, end=end)
    return out.assign(duration=end - start) if "duration" in out else out
