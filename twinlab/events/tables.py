"""Pure functions on event tables: pandas DataFrames that start with the columns of `twinlab.model.schema.EVENT_COLUMNS`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["STATUSES", "delays", "overlapping", "select", "status"]

#: Values of `status`.
STATUSES = ("planned", "cancelled", "not started", "running", "done", "no end")

#: How long after its planned end an event without a recorded end counts as running.
_GRACE = pd.Timedelta(days=1)
_TIMES = ("start", "end", "planned_start", "planned_end")


def overlapping(events: pd.DataFrame, *, start: object = None, stop: object = None) -> pd.DataFrame:
    """Return the events that overlap ``[start, stop)``.

    The actual time counts; where an event has none, the planned one. An event without any end lasts an instant, unless
    it has begun: then it counts as running from its start until a day after its planned end, or without an end if it has no
    planned end; as in `status`.

    Parameters
    ----------
    events : DataFrame
        With ``start, end, planned_start, planned_end`` (naive UTC, NaT where unknown).
    start, stop : anything pandas reads as an instant, optional
        Naive is UTC. None is open.

    Raises
    ------
    SchemaError
        If a time column is missing, or ``start`` isn't before ``stop``.

    >>> day = pd.to_datetime(["2013-01-01", "2013-01-03"])
    >>> table = pd.DataFrame({"start": day, "end": day, "planned_start": day, "planned_end": day})
    >>> len(overlapping(table, start="2013-01-02"))
    1
    """
    _need(events, _TIMES)
    low, high = _instant(start), _instant(stop)
    if low is not None and high is not None and not low < high:
        msg = f"expected start before stop, got {low} and {high}; swap them or widen the window"
        raise SchemaError(msg)
    begin = events["start"].fillna(events["planned_start"]).fillna(events["end"]).fillna(events["planned_end"])
    keep = pd.Series(data=True, index=events.index)
    if high is not None:
        keep &= begin < high
    if low is not None:
        running = events["start"].notna() & events["end"].isna()
        finish = events["end"].fillna(events["planned_end"].where(events["start"].isna()))
        lost = running & (events["planned_end"] + _GRACE <= low)
        finish = finish.fillna(begin)
        # Half-open: what ends at the window's start is before it, unless it's an instant.
        keep &= (running & ~lost) | (finish > low) | ((finish == begin) & (begin == low))
    return events[keep]


def select(events: pd.DataFrame, *, filters: Mapping[str, object]) -> pd.DataFrame:
    """Return the events whose columns have the given values.

    Parameters
    ----------
    events : DataFrame
    filters : mapping of column to a value, or to a list, tuple or set of values
        All must be fulfilled. None means "unknown" (NaN, NaT).

    Raises
    ------
    UnknownTermError
        If a column isn't in the table.

    >>> table = pd.DataFrame({"origin": ["EWR", "JFK", "LGA"], "distance": [200, 300, 200]})
    >>> select(table, filters={"origin": ["EWR", "JFK"], "distance": 200})["origin"].tolist()
    ['EWR']
    """
    keep = pd.Series(data=True, index=events.index)
    for column, wanted in filters.items():
        if column not in events:
            msg = f"events have no column {column!r}{nearest(column, map(str, events.columns))}"
            raise UnknownTermError(msg)
        values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
        hit = events[column].isin([value for value in values if value is not None])
        if None in values:
            hit |= events[column].isna()
        keep &= hit
    return events[keep]


def delays(events: pd.DataFrame) -> pd.DataFrame:
    """Return how much later than planned events started and ended.

    Returns
    -------
    DataFrame
        ``start_delay`` and ``end_delay`` as timedeltas, actual minus planned: negative is early, NaT where either time is
        unknown. Same index as ``events``.

    Raises
    ------
    SchemaError
        If a time column is missing.

    >>> plan, actual = pd.to_datetime(["2013-01-01 05:15"]), pd.to_datetime(["2013-01-01 05:17"])
    >>> table = pd.DataFrame({"start": actual, "end": actual, "planned_start": plan, "planned_end": plan})
    >>> str(delays(table)["start_delay"][0])
    '0 days 00:02:00'
    """
    _need(events, _TIMES)
    return pd.DataFrame(
        {
            "start_delay": events["start"] - events["planned_start"],
            "end_delay": events["end"] - events["planned_end"],
        }
    )


def status(
    events: pd.DataFrame,
    *,
    now: object = None,
    cancelled: str = "cancelled",
    without_start: str = "not started",
) -> pd.Series:
    """Return each event's state as text, one of `STATUSES`.

    ``cancelled`` needs a source or a model that says so; ``not started`` is only the fact that the planned start has
    passed. An event that started is ``running`` until a day after its planned end, then ``no end``: no end was
    recorded.

    Parameters
    ----------
    events : DataFrame
    now : anything pandas reads as an instant, optional
        As of when. By default the latest actual time in the table.
    cancelled : str
        Name of a boolean column that says so; it needn't exist.
    without_start : str
        What an event without an actual start is once its planned start has passed, one of `STATUSES`: the event type's
        ``without_start``.

    Returns
    -------
    Series
        Categorical text, same index as ``events``.

    Raises
    ------
    SchemaError
        If a time column is missing, or ``without_start`` isn't one of `STATUSES`.

    >>> at = pd.to_datetime(["2013-01-01", None])
    >>> table = pd.DataFrame({"start": at, "end": at, "planned_start": at, "planned_end": at, "cancelled": [False, True]})
    >>> status(table).tolist()
    ['done', 'cancelled']
    """
    _need(events, _TIMES)
    if without_start not in STATUSES:
        msg = f"expected without_start to be one of {', '.join(STATUSES)}, got {without_start!r}"
        raise SchemaError(msg)
    when = _instant(now)
    if when is None:
        when = pd.concat([events["start"], events["end"]]).max()
    started, ended = events["start"].notna(), events["end"].notna()
    off = np.zeros(len(events), bool)
    if cancelled in events:
        off = events[cancelled].eq(other=True).fillna(value=False).to_numpy(dtype=bool)
    overdue = events["planned_start"].isna() | (events["planned_start"] < when)
    lost = events["planned_end"] + _GRACE < when
    codes = np.select(
        [off, ended, started & lost, started, ~overdue], [1, 4, 5, 3, 0], default=STATUSES.index(without_start)
    )
    texts = pd.Categorical(STATUSES, categories=list(STATUSES))
    return pd.Series(texts.take(codes), index=events.index, name="status")


def _need(events: pd.DataFrame, columns: Iterable[str]) -> None:
    lacking = [column for column in columns if column not in events]
    if lacking:
        msg = f"an event table needs the columns {', '.join(lacking)}; it has {', '.join(map(str, events.columns))}"
        raise SchemaError(msg)


def _instant(when: object) -> pd.Timestamp | None:
    if when is None:
        return None
    try:
        stamp = pd.Timestamp(when)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        msg = f"expected an instant such as '2013-02-12T06:00', got {when!r}"
        raise SchemaError(msg) from error
    return stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)
