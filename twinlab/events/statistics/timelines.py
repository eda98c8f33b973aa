"""Events by windows of time: how many begin, how many last, for how long together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.algebra.cuts import borders
from twinlab.events.algebra.event_spans import Duration, as_times, spans_of, window_ns
from twinlab.events.algebra.spans import ALWAYS, NEVER, Integers
from twinlab.events.statistics.counts import latest_ns
from twinlab.model.terms import nearest

__all__ = ["timeline"]

_MOST_ROWS = 10_000_000


def timeline(
    events: pd.DataFrame,
    every: Duration = "1d",
    *,
    by: str | None = None,
    start: object = None,
    stop: object = None,
    zone: str = "UTC",
    now: object = None,
) -> pd.DataFrame:
    """Return for each window of time how many events begin and last in it, and for how long together.

    An event that lasts in several windows adds to each what is in it, so that durations add up to those of the events.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``. One without a time isn't counted.
    every : text such as "1d" or "8h", or timedelta
        Length of the windows. Whole days are calendar days of ``zone``; other windows all have this length and are counted
        from its midnight.
    by : str, optional
        Column, such as a cause or ``asset``: each of its values has windows of its own.
    start, stop : instant, optional
        Only what is in ``[start, stop)``, of which the first and the last window may be a part. By default the windows from
        the first event to the last one.
    zone : str
        Time zone of the windows.
    now : instant, optional
        An event that isn't over counts up to then; by default up to the latest time in the table.

    Returns
    -------
    DataFrame
        Indexed by ``time``, the start of the window in UTC, or by ``by`` and ``time``: ``stop`` of the window; ``started``, the
        number of events that began in it; ``active``, the number of events with an instant in it; ``duration`` of all together.

    Raises
    ------
    UnknownTermError
        If there is no column ``by``.
    SchemaError
        If ``start`` isn't before ``stop``, or the zone isn't known.

    >>> night = pd.to_datetime(["2026-03-01 22:00", "2026-03-02 04:00"])
    >>> found = timeline(pd.DataFrame({"start": night[:1], "end": night[1:]}))
    >>> found["started"].tolist(), (found["duration"] / pd.Timedelta(hours=1)).tolist()
    ([1, 0], [2.0, 4.0])
    """
    if by is not None and by not in events:
        msg = f"events have no column {by!r}{nearest(by, map(str, events.columns))}"
        raise UnknownTermError(msg)
    low, high = window_ns(start, stop)
    (spans,) = spans_of(events, by="all")
    groups, names = (
        (np.zeros(len(events), dtype=np.int64), None) if by is None else pd.factorize(events[by], use_na_sentinel=False)
    )
    end = np.where(spans.end == NEVER, np.maximum(latest_ns(events, now), spans.start), spans.end)
    # An event without duration is an instant.
    lasting = np.maximum(end, spans.start + 1)
    rows = np.flatnonzero((spans.key >= 0) & (spans.start < high) & (lasting > low))
    first, end, group = np.maximum(spans.start[rows], low), np.minimum(end[rows], high), groups[rows]
    last = np.minimum(lasting[rows], high)
    edges = _edges(first, last, (low, high), every, zone)
    size, kinds = max(len(edges) - 1, 0), 1 if names is None else len(names)
    if size * kinds > _MOST_ROWS:
        msg = f"expected at most {_MOST_ROWS:,} windows, got {size:,} for each of {kinds:,}; take a longer every"
        raise SchemaError(msg)
    began = np.searchsorted(edges, first, side="right") - 1
    ended = np.searchsorted(edges, last, side="left") - 1
    fresh = spans.start[rows] >= low
    columns = {
        "started": _count(group[fresh], began[fresh], kinds, size),
        "active": np.cumsum(_count(group, began, kinds, size + 1) - _count(group, ended + 1, kinds, size + 1), axis=1)[
            :, :size
        ],
        "duration": _durations(edges, group, (began, ended), (first, end), kinds).view("timedelta64[ns]"),
    }
    time = pd.DatetimeIndex(as_times(edges[:-1]), name="time")
    index = time if names is None else pd.MultiIndex.from_product([pd.Index(names, name=by), time])
    stops = np.tile(as_times(edges[1:]), kinds)
    return pd.DataFrame({"stop": stops} | {name: one.ravel() for name, one in columns.items()}, index=index)


def _edges(first: Integers, last: Integers, window: tuple[int, int], every: Duration, zone: str) -> Integers:
    """Return the borders of the windows; those of the window asked for where there is one."""
    low, high = window
    if not len(first) and (low == ALWAYS or high == NEVER):
        borders(0, 1, every=every, zone=zone)
        return np.zeros(1, dtype=np.int64)
    begin = int(first.min()) if low == ALWAYS else low
    stop = int(last.max()) if high == NEVER else high
    edges = borders(begin, stop, every=every, zone=zone)
    edges = edges if low == ALWAYS else np.append(low, edges[edges > low])
    return edges if high == NEVER else np.append(edges[edges < high], high)


def _count(group: Integers, window: Integers, kinds: int, size: int) -> Integers:
    counts: Integers = np.bincount(group * size + window, minlength=kinds * size).astype(np.int64)
    return counts.reshape(kinds, size)


def _durations(
    edges: Integers, group: Integers, windows: tuple[Integers, Integers], times: tuple[Integers, Integers], kinds: int
) -> Integers:
    """Return the exact nanoseconds in each window: whole windows by a running count, first and last ones by their parts."""
    (began, ended), (first, end) = windows, times
    size = max(len(edges) - 1, 0)
    total = np.zeros((kinds, size), dtype=np.int64)
    if not len(group):
        return total
    one = began == ended
    np.add.at(total, (group[one], began[one]), (end - first)[one])
    several = ~one
    np.add.at(total, (group[several], began[several]), edges[began[several] + 1] - first[several])
    np.add.at(total, (group[several], ended[several]), end[several] - edges[ended[several]])
    whole = _count(group[several], began[several] + 1, kinds, size + 1) - _count(
        group[several], ended[several], kinds, size + 1
    )
    total += np.cumsum(whole, axis=1)[:, :size] * np.diff(edges)
    return total
