"""Read when a change is in effect: "next week", "tomorrow from 6 to 12", "for 6 hours", "from 6:00 to 18:00 each day"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.parsing.instants import DAY, InstantReader, When

if TYPE_CHECKING:
    from twinlab.ask.languages.language import Language
    from twinlab.ask.parsing.items import Items

__all__ = ["EffectWindow", "read_window"]

_HOUR = pd.Timedelta(hours=1)
_LONGEST = pd.Timedelta(days=366)
_UNITS = {"s": "1s", "min": "1min", "h": "1h", "d": "1D", "week": "7D"}


@dataclass(frozen=True)
class EffectWindow:
    """When a change is in effect.

    Parameters
    ----------
    start, stop : Timestamp or None
        UTC, naive; None is without an end.
    daily : bool
        Whether it is the times of day of both, each day.
    assumed_daily : bool
        Whether no word says "each day".
    """

    start: pd.Timestamp | None = None
    stop: pd.Timestamp | None = None
    daily: bool = False
    assumed_daily: bool = False

    def stated(self) -> dict[str, str]:
        """Return the keys ``start`` and ``stop`` of a change."""
        if self.daily:
            assert self.start is not None
            assert self.stop is not None
            return {"start": self.start.strftime("%H:%M"), "stop": self.stop.strftime("%H:%M")}
        edges = {"start": self.start, "stop": self.stop}
        return {name: f"{edge:%Y-%m-%dT%H:%M}" for name, edge in edges.items() if edge is not None}


class _FutureReader(InstantReader):
    """Reads times that come: "Monday" is the next one, "5 January" the next such day."""

    def _day(self, year: tuple[int, bool], month: int, day: int, after: int) -> tuple[When, int] | None:
        try:
            start = pd.Timestamp(year=year[0] or self.now.year, month=month, day=day)
            if not year[0] and start + DAY <= self.now:
                start = pd.Timestamp(year=self.now.year + 1, month=month, day=day)
        except ValueError:
            return None
        return When(start, start + DAY), after + (1 if year[1] else 0)

    def _named_day(self, place: int) -> tuple[When, int] | None:
        today = self.now.normalize()
        found = self.items.is_symbol(place, "today", "tomorrow", "day_after")
        if found is not None:
            start = today + {"today": 0, "tomorrow": 1, "day_after": 2}[found] * DAY
            return When(max(start, self.now), start + DAY), place + 1
        if self.items.is_symbol(place, "next", "this") and self.items.is_symbol(place + 1, "weekday "):
            place += 1
        day = self.items.is_symbol(place, "weekday ")
        if day is None:
            return None
        dated = self._date(place + 1) if self.items.free(place + 1) else None
        if dated is not None and dated[0].start.day_of_week == int(day.split()[1]):
            return dated
        start = today + ((int(day.split()[1]) - today.day_of_week) % 7 or 7) * DAY
        return When(start, start + DAY), place + 1

    def _month(self, place: int) -> tuple[When, int] | None:
        month = self.items.is_symbol(place, "month ")
        if month is None:
            return None
        year, there = self._year_at(place + 1)
        start = pd.Timestamp(year=year or self.now.year, month=int(month.split()[1]), day=1)
        if not there and start < self.now:
            start += pd.DateOffset(years=1)
        return When(start, start + pd.DateOffset(months=1)), place + (2 if there else 1)

    def _with_clock(self, when: When, after: int) -> tuple[When, int]:
        # "Tomorrow from 8:00 to 10:00" is a span of a day, not an instant.
        return (when, after) if _clock_range(self, after) is not None else super()._with_clock(when, after)

    def whole(self, place: int) -> tuple[When, int] | None:
        """``next week``, ``the next 3 days``, ``this week``, ``at the weekend``; or a day."""
        unit = self.items.is_symbol(place, "unit weekend")
        if unit is not None:
            return self._weekend(), place + 1
        word = self.items.is_symbol(place, "next", "this")
        if word is not None:
            number = self.count(place + 1)
            after = place + (1 if number is None else 2)
            unit = self.items.is_symbol(after, "unit ")
            if unit is not None:
                name = unit.split()[1]
                span = _times(number, name) if number is not None and name in _UNITS else None
                if span is not None:
                    return When(self.now, self.now + span), after + 1
                read = self._calendar(name, this=word == "this")
                if read is not None:
                    return read, after + 1
        return self.point(place)

    def _calendar(self, name: str, *, this: bool) -> When | None:
        today = self.now.normalize()
        if name == "weekend":
            return self._weekend()
        if name == "week":
            monday = today - today.day_of_week * DAY
            return When(self.now, monday + 7 * DAY) if this else When(monday + 7 * DAY, monday + 14 * DAY)
        if name == "month":
            first = today.replace(day=1)
            then = first + pd.DateOffset(months=1)
            return When(self.now, then) if this else When(then, then + pd.DateOffset(months=1))
        if name == "d" and not this:
            return When(today + DAY, today + 2 * DAY)
        return None

    def _weekend(self) -> When:
        today = self.now.normalize()
        start = (
            today + (5 - today.day_of_week) % 7 * DAY
            if today.day_of_week < 5
            else today + (12 - today.day_of_week) * DAY
        )
        return When(start, start + 2 * DAY)

    def count(self, place: int) -> int | None:
        """Return the whole number at a place."""
        if not self.items.free(place):
            return None
        named = self.items[place].symbol("number ")
        if named is not None:
            number = float(named.split()[1])
            return int(number) if number.is_integer() else None
        text = self.items[place].text
        return int(text) if self.items[place].kind == "number" and text.isdigit() else None

    def duration(self, place: int) -> tuple[pd.Timedelta, int] | None:
        """``6 hours``, ``half an hour``."""
        if not self.items.free(place):
            return None
        named = self.items[place].symbol("number ")
        text = self.items[place].text.replace(",", ".")
        try:
            number = float(named.split()[1]) if named else float(text)
        except ValueError:
            return None
        unit = self.items.is_symbol(place + 1, "unit ")
        if unit is None or unit.split()[1] not in _UNITS:
            return None
        found = _times(number, unit.split()[1])
        return None if found is None else (found, place + 2)

    def clock_at(self, place: int) -> tuple[pd.Timedelta, int] | None:
        """``6:00``, ``6 am``; and a bare number, whose meaning the other end gives."""
        found = self._clock(place)
        if found is not None:
            return found
        number = self.count(place)
        return None if number is None or number > 24 else (number * _HOUR, place + 1)


def read_window(items: Items, now: pd.Timestamp, language: Language) -> EffectWindow | None:
    """Read and use all times of a clause; None if it names none."""
    found = _Times(_FutureReader(items, now, language))
    place = 0
    while place < len(items):
        end = found.read(place) if items.free(place) else None
        if end is None:
            place += 1
            continue
        items.use(*range(place, end))
        place = end
    return found.window()


def _times(number: float, unit: str) -> pd.Timedelta | None:
    """Return so many units of time; None if that is nothing, or longer than a year."""
    one = pd.Timedelta(_UNITS[unit])
    return number * one if 0 < number <= _LONGEST / one else None


def _skipped(items: Items, place: int) -> int:
    while items.is_symbol(place, "filler", "at") and not items.is_symbol(place, "now"):
        place += 1
    return place


def _clock_range(reader: _FutureReader, place: int) -> tuple[tuple[pd.Timedelta, pd.Timedelta], int] | None:
    """``from 6 to 12 o'clock``, ``between 6:00 and 18:00``, ``6:00 to 18:00``; one end has to be a time of day."""
    items = reader.items
    first = _skipped(items, place + 1) if items.is_symbol(place, "from", "between") else place
    low = reader.clock_at(first)
    if low is None or not items.is_symbol(low[1], "to", "until", "and"):
        return None
    high = reader.clock_at(_skipped(items, low[1] + 1))
    if high is None or low[0] == high[0]:
        return None
    surely = reader._clock(first) is not None or reader._clock(_skipped(items, low[1] + 1)) is not None  # noqa: SLF001
    return ((low[0], high[0]), high[1]) if surely else None


def _from_to(reader: _FutureReader, place: int) -> tuple[pd.Timestamp, pd.Timestamp, int] | None:
    """``from Monday to Wednesday``."""
    items = reader.items
    if not items.is_symbol(place, "from", "between"):
        return None
    low = reader.whole(_skipped(items, place + 1))
    if low is None or not items.is_symbol(low[1], "to", "until", "and"):
        return None
    high = reader.whole(_skipped(items, low[1] + 1))
    if high is None:
        return None
    stop = high[0].stop if high[0].whole else high[0].start
    while high[0].whole and stop <= low[0].start and stop < low[0].start + 7 * DAY:
        stop += 7 * DAY
    return (low[0].start, stop, high[1]) if low[0].start < stop else None


@dataclass
class _Times:
    """The times of a clause, read one by one."""

    reader: _FutureReader
    days: list[When] = field(default_factory=list)
    clocks: tuple[pd.Timedelta, pd.Timedelta] | None = None
    start: pd.Timestamp | None = None
    stop: pd.Timestamp | None = None
    lasting: pd.Timedelta | None = None
    daily: bool = False

    def read(self, place: int) -> int | None:
        """Read what begins at a place, and return the place after it; None if it is no time."""
        return self._of_a_day(place) or self._duration(place) or self._edge(place) or self._whole(place)

    def _of_a_day(self, place: int) -> int | None:
        if self.reader.items.is_symbol(place, "daily"):
            self.daily = True
            return place + 1
        read = _clock_range(self.reader, place)
        if read is None:
            return None
        self.clocks = read[0]
        return read[1]

    def _duration(self, place: int) -> int | None:
        items, after = self.reader.items, _skipped(self.reader.items, place + 1)
        if items.is_symbol(place, "lasting") and (span := self.reader.duration(after)) is not None:
            self.lasting = span[0]
            return span[1]
        if (span := self.reader.duration(place)) is not None and items.is_symbol(span[1], "lasting"):
            self.lasting = span[0]
            return span[1] + 1
        if items.is_symbol(place, "after", "at") and (span := self.reader.duration(after)) is not None:
            self.start = self.reader.now + span[0]
            return span[1]
        return None

    def _edge(self, place: int) -> int | None:
        items, after = self.reader.items, _skipped(self.reader.items, place + 1)
        if items.is_symbol(place, "now"):
            self.start = self.reader.now
            return place + 1
        both = _from_to(self.reader, place)
        if both is not None:
            self.start, self.stop, end = both
            return end
        if items.is_symbol(place, "from", "after", "since") and (bound := self.reader.whole(after)) is not None:
            self.start = bound[0].start
            return bound[1]
        if items.is_symbol(place, "until", "to", "before") and (bound := self.reader.whole(after)) is not None:
            inclusive = bound[0].whole and not items.is_symbol(place, "before")
            self.stop = bound[0].stop if inclusive else bound[0].start
            return bound[1]
        return None

    def _whole(self, place: int) -> int | None:
        read = self.reader.whole(place)
        if read is None:
            return None
        if read[0].whole:
            self.days.append(read[0])
        else:
            self.start = read[0].start
        return read[1]

    def window(self) -> EffectWindow | None:
        """Return when the clause is in effect; None if it names no time. A window that can't be said has no start and is daily."""
        if self.clocks is not None:
            return self._of_clocks(*self.clocks)
        if self.daily:
            return EffectWindow(daily=True)
        start, stop = self.start, self.stop
        if self.days:
            start = self.days[0].start if start is None else start
            stop = self.days[-1].stop if stop is None else stop
        if self.lasting is not None:
            start = self.reader.now if start is None else start
            stop = start + self.lasting
        return None if start is None and stop is None else EffectWindow(start, stop)

    def _of_clocks(self, low: pd.Timedelta, high: pd.Timedelta) -> EffectWindow:
        days = self.days
        if days and days[0].stop - days[0].start.normalize() == DAY:
            begin = days[0].start.normalize()
            return EffectWindow(begin + low, begin + high + (DAY if high <= low else 0 * DAY))
        if days or self.start is not None or self.stop is not None:
            # Times of day in a part of a longer span can't be said by one window.
            return EffectWindow(daily=True)
        base = self.reader.now.normalize()
        return EffectWindow(base + low, base + high % DAY, daily=True, assumed_daily=not self.daily)
