"""Times in the top bar: in UTC or in the reader's time zone, and how old the newest data are."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from twinlab.languages import date_text, tr, trn

__all__ = ["FINISHED", "STALE", "behind_text", "clock_text", "finished"]

#: Data older than this are shown as stale.
STALE = np.timedelta64(15, "m")
#: A data set whose newest data are older is shown as finished, not as late.
FINISHED = np.timedelta64(30, "D")


def clock_text(when: np.datetime64, *, zone: str = "", now: np.datetime64 | None = None) -> str:
    """Return an instant (UTC) in a time zone, with the zone's name; with the date only if it isn't today.

    >>> clock_text(np.datetime64("2026-07-01T12:00:05"), now=np.datetime64("2026-07-01T13:00"))
    '12:00 UTC'
    >>> clock_text(np.datetime64("2026-07-01T12:00:05"), zone="Europe/Berlin")
    '2026-07-01 14:00 CEST'
    """
    own = _own(when, zone)
    today = _own(_now() if now is None else now, zone).date()
    pattern = "%H:%M %Z" if own.date() == today else "%Y-%m-%d %H:%M %Z"
    return date_text(own, pattern)


def behind_text(latest: np.datetime64, *, now: np.datetime64 | None = None) -> str:
    """Return how old the newest data are, in the largest suitable unit; "" if they are newer than now.

    >>> behind_text(np.datetime64("2026-07-01T12:00"), now=np.datetime64("2026-07-04T13:00"))
    '3 days behind'
    """
    seconds = int(((_now() if now is None else now) - latest) / np.timedelta64(1, "s"))
    if seconds < 0:
        return ""
    for unit, length in (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count = seconds // length
        # 36 h is more precise than 1 day.
        if count > 1 or unit == "s":
            if unit == "day":
                return trn("{count} day behind", "{count} days behind", count)
            return tr("{count} {unit} behind", count=count, unit=unit)
    return ""


def stale(latest: np.datetime64, *, now: np.datetime64 | None = None) -> bool:
    """Return whether data are too old to be shown as current."""
    return bool((_now() if now is None else now) - latest > STALE)


def finished(latest: np.datetime64, *, now: np.datetime64 | None = None) -> bool:
    """Return whether the data are so old that the data set is taken as finished.

    >>> finished(np.datetime64("2013-12-30T23:00"), now=np.datetime64("2026-07-04"))
    True
    """
    return bool((_now() if now is None else now) - latest > FINISHED)


def _now() -> np.datetime64:
    return np.datetime64(datetime.now(UTC).replace(tzinfo=None), "ns")


def _own(when: np.datetime64, zone: str) -> datetime:
    stamp = pd.Timestamp(when).tz_localize("UTC").to_pydatetime(warn=False)
    try:
        return stamp.astimezone(ZoneInfo(zone)) if zone else stamp
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # The browser's zone may be unknown to this machine.
        return stamp


def file_stamp() -> str:
    """Return the current time for use in a file name."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%MZ")
