"""Where events are cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.algebra.event_spans import Duration, span_length
from twinlab.events.algebra.spans import NEVER, NOT_A_TIME, Integers, Spans
from twinlab.events.reading import instant_ns

__all__ = ["borders", "cut_places"]

_DAY = 86_400 * 10**9
#: More parts than this are refused: a slip in a duration would fill the memory.
_MOST_PARTS = 50_000_000


def cut_places(
    spans: Spans, *, at: object, every: Duration | None, longest: Duration | None, zone: str, now: object
) -> tuple[Integers, Integers]:
    """Return the cuts of spans as rows and instants, which are after the start and before the end; see `split`."""
    known = np.flatnonzero((spans.key >= 0) & (spans.start < spans.end))
    start, end = spans.start[known], spans.end[known]
    if not known.size:
        return known, known
    latest = max(int(start.max()), int(end[end < NEVER].max(initial=NOT_A_TIME))) if now is None else instant_ns(now)
    end = np.where(end == NEVER, np.maximum(latest, start), end)
    if longest is not None:
        size = _positive(longest, "longest")
        counts = np.maximum(-((start - end) // size) - 1, 0)
        row, number = _numbered(counts)
        return known[row], start[row] + size * (number + 1)
    instants = _instants(at) if every is None else borders(int(start.min()), int(end.max()), every=every, zone=zone)
    first = np.searchsorted(instants, start, side="right")
    row, number = _numbered(np.searchsorted(instants, end, side="left") - first)
    return known[row], instants[first[row] + number]


def borders(start_ns: int, stop_ns: int, *, every: Duration, zone: str = "UTC") -> Integers:
    """Return the borders of periods, in nanoseconds, from the last one at or before ``start`` to the first at or after ``stop``.

    Parameters
    ----------
    every : text such as "1d", or timedelta
        Whole days are calendar days of the zone, counted from 1 January 1970; other periods all have this length and are
        counted from midnight of that day, in UTC or at the zone's offset at ``start``.
    zone : str
        Time zone.

    Raises
    ------
    SchemaError
        If the zone isn't known, or there were too many periods.

    >>> borders(1, 7_200 * 10**9, every="1h").tolist()
    [0, 3600000000000, 7200000000000]
    """
    size = _positive(every, "every")
    if (stop_ns - start_ns) // size > _MOST_PARTS:
        msg = f"expected at most {_MOST_PARTS:,} periods, got {(stop_ns - start_ns) // size:,} of {every}; take longer ones"
        raise SchemaError(msg)
    if zone == "UTC":
        return np.arange(start_ns // size * size, -(-stop_ns // size) * size + 1, size)
    # One period more at both ends, since the offset from UTC may change.
    low, high = (_local(one, zone) for one in (start_ns, stop_ns))
    local = np.arange((low // size - 1) * size, (-(-high // size) + 1) * size + 1, size)
    if size % _DAY == 0:
        index: Any = pd.DatetimeIndex(local.view("datetime64[ns]"))
        # Midnight that a clock change leaves out is the instant of the change; of two, the first counts.
        made = index.tz_localize(zone, nonexistent="shift_forward", ambiguous=np.ones(len(index), dtype=bool))
        found = made.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[ns]").view(np.int64)
    else:
        found = local - (low - start_ns)
    found = np.unique(found)
    return found[max(np.searchsorted(found, start_ns, side="right") - 1, 0) : np.searchsorted(found, stop_ns) + 1]


def _local(at_ns: int, zone: str) -> int:
    try:
        local = pd.Timestamp(at_ns, tz="UTC").tz_convert(zone).tz_localize(None)
    except (KeyError, ValueError, OSError) as error:
        msg = f"expected a time zone such as 'Europe/Berlin', got {zone!r}"
        raise SchemaError(msg) from error
    return int(local.as_unit("ns").value)


def _positive(duration: Duration, what: str) -> int:
    size = span_length(duration, what)
    if not size:
        msg = f"expected {what} to be longer than zero, got {duration!r}"
        raise SchemaError(msg)
    return size


def _instants(at: object) -> Integers:
    try:
        found: Any = pd.DatetimeIndex(pd.to_datetime(np.atleast_1d(np.asarray(at))))
    except (ValueError, TypeError) as error:
        msg = f"at: expected instants such as ['2026-03-01T06:00'], got {at!r}"
        raise SchemaError(msg) from error
    if found.tz is not None:
        found = found.tz_convert("UTC").tz_localize(None)
    return np.unique(found.dropna().to_numpy(dtype="datetime64[ns]").view(np.int64))


def _numbered(counts: Integers) -> tuple[Integers, Integers]:
    """Return each row as often as its count says, and the numbers 0, 1, … of its repetitions."""
    total = int(counts.sum())
    if total > _MOST_PARTS:
        msg = f"expected at most {_MOST_PARTS:,} parts of events, got {total:,}; cut less often"
        raise SchemaError(msg)
    row = np.repeat(np.arange(len(counts)), counts)
    return row, np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
