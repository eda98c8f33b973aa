"""Select events by their relation in time to other events."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.algebra import links
from twinlab.events.algebra.event_spans import Duration, Key, as_times, key_columns, span_length, spans_of
from twinlab.events.algebra.kernels import furthest_so_far
from twinlab.events.algebra.spans import NEVER, Integers, Spans, intersections, merged

__all__ = ["after", "before", "during", "follows", "near", "overlap_pairs", "overlaps"]


def overlaps(
    events: pd.DataFrame, others: pd.DataFrame, *, by: Key = "asset", through: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the events that have an instant in common with another event of the same asset.

    Parameters
    ----------
    events, others : DataFrame
        With ``start``, ``end`` and the columns of ``by``. An event without an end isn't over, one without a start matches
        nothing, and one that starts when it ends is an instant.
    by : str or sequence of str
        Columns that must be equal; "all": none.
    through : DataFrame, optional
        A relationship (``source, target, valid_from, valid_until``): ``others`` are events of its targets, ``events`` of its
        sources, and another event counts while the link is valid; see `twinlab.events.through`.

    Returns
    -------
    DataFrame
        Rows of ``events``, with their index.

    Raises
    ------
    SchemaError
        If a time column is missing or isn't naive.
    UnknownTermError
        If a column of ``by`` is missing.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> doors = pd.DataFrame({"asset": ["a", "b"], "start": hour[[0, 0]], "end": hour[[1, 1]]})
    >>> warm = pd.DataFrame({"asset": ["a", "b"], "start": hour[[0, 1]], "end": hour[[2, 2]]})
    >>> overlaps(doors, warm)["asset"].tolist()
    ['a']
    """
    mine, theirs = links.spans_of_both(events, others, by, through, instants=True)
    return events[_overlap(mine, theirs)]


def during(
    events: pd.DataFrame, others: pd.DataFrame, *, by: Key = "asset", through: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the events that are covered by other events of the same asset from their start to their end.

    Several others may cover it together. Parameters, rows and errors as in `overlaps`.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> doors = pd.DataFrame({"asset": ["a", "a"], "start": hour[[0, 0]], "end": hour[[1, 2]]})
    >>> during(doors, doors.iloc[:1]).index.tolist()
    [0]
    """
    mine, theirs = links.spans_of_both(events, others, by, through, instants=True)
    union, _ = merged(theirs)
    place = union.by_start.until(mine.key, mine.start) - 1
    inside = (mine.key >= 0) & (place >= 0)
    found = np.where(inside, place, 0)
    if len(union.key):
        inside &= (union.key[found] == mine.key) & (union.end[found] >= mine.end)
    return events[inside & bool(len(union.key))]


def follows(
    events: pd.DataFrame,
    others: pd.DataFrame,
    within: Duration,
    *,
    by: Key = "asset",
    through: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the events that start while another event lasts, or at most ``within`` after its end.

    It is what "… within 10 min after …" means in a condition. `after` wants the other event to be over. Other parameters, rows
    and errors as in `overlaps`.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 09:10"])
    >>> doors = pd.DataFrame({"asset": ["a"], "start": hour[:1], "end": hour[1:2]})
    >>> warm = pd.DataFrame({"asset": ["a"], "start": hour[2:], "end": [pd.NaT]})
    >>> len(follows(warm, doors, "10min")), len(follows(warm, doors, "9min"))
    (1, 0)
    """
    reach = span_length(within, "within")
    mine, theirs = links.spans_of_both(events, others, by, through)
    order = theirs.by_start
    place = order.until(mine.key, mine.start) - 1
    there = (mine.key >= 0) & (place >= 0)
    if not len(order.rows):
        return events[there & False]
    furthest = furthest_so_far(order.offsets, order.rows, theirs.end)[np.where(there, place, 0)]
    there &= theirs.key[furthest] == mine.key
    return events[there & (mine.start <= _later(theirs.end[furthest], reach))]


def after(
    events: pd.DataFrame,
    others: pd.DataFrame,
    distance: Duration | None = None,
    *,
    by: Key = "asset",
    through: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the events that start when another event is over, at most ``distance`` after its end if given.

    Other parameters, rows and errors as in `overlaps`.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> several = pd.DataFrame({"asset": ["a", "a"], "start": hour[:2], "end": hour[1:]})
    >>> after(several, several.iloc[:1], "10min").index.tolist()
    [1]
    """
    mine, theirs = links.spans_of_both(events, others, by, through)
    return events[_after(mine, theirs, _distance(distance))]


def before(
    events: pd.DataFrame,
    others: pd.DataFrame,
    distance: Duration | None = None,
    *,
    by: Key = "asset",
    through: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the events that are over when another event starts, at most ``distance`` before its start if given.

    Other parameters, rows and errors as in `overlaps`.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> several = pd.DataFrame({"asset": ["a", "a"], "start": hour[:2], "end": hour[1:]})
    >>> before(several, several.iloc[1:], "10min").index.tolist()
    [0]
    """
    mine, theirs = links.spans_of_both(events, others, by, through)
    return events[_before(mine, theirs, _distance(distance))]


def near(
    events: pd.DataFrame,
    others: pd.DataFrame,
    distance: Duration,
    *,
    by: Key = "asset",
    through: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the events that overlap another event, or are at most ``distance`` before or after it.

    Other parameters, rows and errors as in `overlaps`. An event that is in both tables is near itself.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> several = pd.DataFrame({"asset": ["a", "a", "b"], "start": hour, "end": hour})
    >>> near(several, several.iloc[:1], "2h").index.tolist()
    [0, 1]
    """
    size = span_length(distance, "distance")
    mine, theirs = links.spans_of_both(events, others, by, through)
    found = _after(mine, theirs, size) | _before(mine, theirs, size)
    return events[found | _overlap(*links.spans_of_both(events, others, by, through, instants=True))]


def overlap_pairs(
    events: pd.DataFrame, others: pd.DataFrame, *, by: Key = "asset", through: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return each pair of an event and another event of the same asset that have an instant in common.

    Parameters as in `overlaps`.

    Returns
    -------
    DataFrame
        The columns of ``by``, ``event_id`` and ``other_id`` if the tables have ids, their rows ``event`` and ``other`` counted
        from 0 (of the table that `through` returns if there is one), and ``start`` and ``end`` of the time in common. By row
        of ``events``, then by start of the other.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> long = pd.DataFrame({"asset": ["a"], "start": hour[:1], "end": hour[2:]})
    >>> several = pd.DataFrame({"asset": ["a", "a"], "start": hour[:2], "end": hour[1:]})
    >>> overlap_pairs(long, several)[["event", "other"]].values.tolist()
    [[0, 0], [0, 1]]
    """
    if through is not None:
        others = links.through(others, through)
    mine, theirs = spans_of(events, others, by=by, instants=True)
    row, other = intersections(mine, theirs)
    exact_mine, exact_theirs = spans_of(events, others, by=by)
    columns: dict[str, object] = {name: events[name].take(row).array for name in key_columns(by)}
    for name, table, rows in (("event_id", events, row), ("other_id", others, other)):
        if "event_id" in table:
            columns[name] = table["event_id"].take(rows).array
    start = np.maximum(exact_mine.start[row], exact_theirs.start[other])
    end = np.minimum(exact_mine.end[row], exact_theirs.end[other])
    return pd.DataFrame({**columns, "event": row, "other": other, "start": as_times(start), "end": as_times(end)})


def _overlap(mine: Spans, theirs: Spans) -> NDArray[np.bool_]:
    # Those that began before my end, less those that were over at my start.
    begun = theirs.by_start.before(mine.key, mine.end)
    over = theirs.by_end.until(mine.key, mine.start)
    return np.asarray((mine.key >= 0) & (begun > over))


def _after(mine: Spans, theirs: Spans, distance: int) -> NDArray[np.bool_]:
    ends = theirs.by_end
    return _within(mine, ends.before(mine.key, _later(mine.start, -distance)), ends.until(mine.key, mine.start))


def _before(mine: Spans, theirs: Spans, distance: int) -> NDArray[np.bool_]:
    starts = theirs.by_start
    found = _within(mine, starts.before(mine.key, mine.end), starts.until(mine.key, _later(mine.end, distance)))
    # What isn't over is before nothing.
    return found & (mine.end < NEVER)


def _within(mine: Spans, first: Integers, stop: Integers) -> NDArray[np.bool_]:
    return np.asarray((mine.key >= 0) & (first < stop))


def _distance(distance: Duration | None) -> int:
    return NEVER if distance is None else span_length(distance, "distance")


def _later(times: Integers, step: int) -> Integers:
    """Return times moved by a step, at most to the end and to the begin of all time."""
    if step >= 0:
        return np.where(times > NEVER - step, NEVER, times + step)
    return np.where(times < -NEVER - step, -NEVER, times + step)
