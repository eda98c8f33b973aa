"""What of calendars and profiles falls into a span, in seconds since a state's start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.simulate.network.calendars import DAYS, minutes_of

if TYPE_CHECKING:
    from twinlab.simulate.network.calendars import Calendar

__all__ = ["hours_of_week", "server_changes", "servers_at"]

_QUARTER = np.timedelta64(15 * 60, "s")


def _utc(day: datetime, minutes: int, zone: ZoneInfo) -> np.datetime64:
    """Return a local time of day as UTC. A time that a change of the clock skips is moved on by the change."""
    local = (day + timedelta(minutes=minutes)).replace(tzinfo=zone)
    return np.datetime64(local.astimezone(ZoneInfo("UTC")).replace(tzinfo=None), "ns")


def _steps(calendar: Calendar, first: np.datetime64, last: np.datetime64) -> tuple[list[np.datetime64], list[int]]:
    """Return instants and by how much the number of servers changes at them, from two days before ``first`` on."""
    zone = ZoneInfo(calendar.zone)
    day = pd.Timestamp(first).floor("D").to_pydatetime() - timedelta(days=2)
    end = pd.Timestamp(last).to_pydatetime() + timedelta(days=2)
    times: list[np.datetime64] = []
    changes: list[int] = []
    while day <= end:
        for shift in calendar.shifts:
            if DAYS[day.weekday()] in shift.days:
                begin = minutes_of(shift.start)
                times += [_utc(day, begin, zone), _utc(day, begin + shift.lasting_minutes, zone)]
                changes += [shift.servers, -shift.servers]
        day += timedelta(days=1)
    return times, changes


def servers_at(calendar: Calendar, at: np.datetime64) -> int:
    """Return how many servers work at an instant (UTC).

    >>> from twinlab.simulate.network import Calendar
    >>> night = Calendar(shifts=[{"from": "22:00", "to": "06:00", "servers": 3}])
    >>> servers_at(night, np.datetime64("2026-01-01T05:00")), servers_at(night, np.datetime64("2026-01-01T06:00"))
    (3, 0)
    """
    times, changes = _steps(calendar, at, at)
    return sum(change for time, change in zip(times, changes, strict=True) if time <= at)


def server_changes(
    calendar: Calendar, first: np.datetime64, last: np.datetime64
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.int32]]:
    """Return when in ``[first, last)`` the number of servers changes, and to how many."""
    times, changes = _steps(calendar, first, last)
    if not times:
        return np.empty(0, "datetime64[ns]"), np.empty(0, np.int32)
    order = np.argsort(np.array(times), kind="stable")
    at, position = np.unique(np.array(times)[order], return_index=True)
    sums = np.cumsum(np.array(changes)[order])
    servers = np.append(sums[position[1:] - 1], sums[-1])
    changed = np.append(True, servers[1:] != servers[:-1])
    inside = (at >= first) & (at < last) & changed
    return at[inside], servers[inside].astype(np.int32)


def hours_of_week(zone: str, first: np.datetime64, last: np.datetime64) -> npt.NDArray[np.int16]:
    """Return the local hour of the week (0 is Monday 00:00) of each quarter of an hour from ``first`` to ``last``.

    >>> hours_of_week("Europe/Berlin", np.datetime64("2026-01-05T00:00"), np.datetime64("2026-01-05T00:30")).tolist()
    [1, 1, 1]
    """
    count = int((last - first) / _QUARTER) + 1
    instants = pd.DatetimeIndex(first + np.arange(count) * _QUARTER).tz_localize("UTC").tz_convert(zone)
    return (instants.day_of_week * 24 + instants.hour).to_numpy().astype(np.int16)


def departures(
    clocks: Sequence[str], days: Sequence[str], zone: str, first: np.datetime64, last: np.datetime64
) -> npt.NDArray[np.datetime64]:
    """Return the instants (UTC) in ``[first, last)`` of times of day on some days.

    >>> departures(["06:00"], ["mon"], "UTC", np.datetime64("2026-01-05"), np.datetime64("2026-01-13")).astype("M8[h]").tolist()
    [datetime.datetime(2026, 1, 5, 6, 0), datetime.datetime(2026, 1, 12, 6, 0)]
    """
    local = ZoneInfo(zone)
    day = pd.Timestamp(first).floor("D").to_pydatetime() - timedelta(days=1)
    end = pd.Timestamp(last).to_pydatetime() + timedelta(days=1)
    found = []
    while day <= end:
        if DAYS[day.weekday()] in days:
            found += [_utc(day, minutes_of(clock), local) for clock in clocks]
        day += timedelta(days=1)
    # The clock's repeated or missing hour can't make two departures of one, but can put them out of order.
    times = np.unique(np.array(found, "datetime64[ns]"))
    return times[(times >= first) & (times < last)]
