"""Read when a question is about: spans such as "last week", "since Monday" or "between 6 and 9 on 12 February"."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.parsing.instants import DAY, InstantReader, When

if TYPE_CHECKING:
    from twinlab.ask.languages import Language
    from twinlab.ask.parsing.items import Items

__all__ = ["read_when"]

_UNITS = {"s": "s", "min": "min", "h": "h", "d": "D", "week": "7D"}


class _SpanReader(InstantReader):
    """Reads spans at a place of the items, too; ``data`` is where open ones end."""

    def __init__(self, items: Items, now: pd.Timestamp, language: Language, data: When) -> None:
        super().__init__(items, now, language)
        self.data = data

    def relative(self, place: int) -> tuple[When, int] | None:
        """``last week``, ``the last 7 days``, ``this month``, ``3 days ago``, ``last weekend``."""
        number = self._count(place)
        if (
            number is not None
            and (unit := self.items.is_symbol(place + 1, "unit "))
            and self.items.is_symbol(place + 2, "ago")
        ):
            start = self.today - number * _span_of(unit.split()[1])
            return When(start, start + DAY), place + 3
        rel = self.items.is_symbol(place, "last", "this")
        if rel is None:
            return None
        number = self._count(place + 1)
        unit_place = place + (1 if number is None else 2)
        unit = self.items.is_symbol(unit_place, "unit ")
        if unit is None:
            return None
        name = unit.split()[1]
        if number is not None or name in ("s", "min", "h"):
            return When(self.now - (number or 1) * _span_of(name), self.now), unit_place + 1
        return self._calendar(name, over=rel == "last"), unit_place + 1

    def _count(self, place: int) -> int | None:
        if not self.items.free(place):
            return None
        named = self.items[place].symbol("number ")
        if named is not None:
            count = float(named.split()[1])
            return int(count) if count.is_integer() else None
        text = self.items[place].text
        return int(text) if self.items[place].kind == "number" and text.isdigit() else None

    def _calendar(self, name: str, *, over: bool) -> When:
        """Return the latest whole day, week, month or year that is over, or the present one up to now."""
        base = self.now.normalize() if over else self.today
        if name == "weekend":
            start = base - ((base.day_of_week - 5) % 7) * DAY
            start -= 7 * DAY if start + 2 * DAY > self.now else 0 * DAY
            return When(start, start + 2 * DAY)
        steps = {
            "d": pd.DateOffset(days=1),
            "week": pd.DateOffset(days=7),
            "month": pd.DateOffset(months=1),
            "year": pd.DateOffset(years=1),
        }
        first = {
            "d": base,
            "week": base - base.day_of_week * DAY,
            "month": base.replace(day=1),
            "year": base.replace(month=1, day=1),
        }[name]
        return When(first - steps[name], first) if over else When(first, self.now)

    def span(self, place: int) -> tuple[When, int] | None:
        """Any span that begins at a place."""
        if self.items.is_symbol(place, "all_time"):
            return self.data, place + 1
        found = self.relative(place)
        if found is not None:
            return found
        if self.items.is_symbol(place, "between", "from") is not None:
            return self._range(place)
        word = self.items.is_symbol(place, "since", "until", "before", "after") or self._by_a_day(place)
        if word is not None:
            bound = self.relative(self._skip(place + 1)) or self.point(self._skip(place + 1))
            if bound is None:
                return None
            when, after = bound
            if not when.whole and word in ("before", "until", "since", "after") and self._names_a_day(place, after):
                # "Before 7 am on 4 July" is that day up to 7.
                day = when.start.normalize()
                low, high = (day, when.start) if word in ("before", "until") else (when.start, day + DAY)
                return (When(low, high), after) if low < high else None
            edges = {
                "since": (when.start, self.now),
                "after": (when.stop if when.whole else when.start, self.now),
                "until": (self.data.start, when.stop if when.whole else when.start),
                "before": (self.data.start, when.start),
            }[word]
            return (When(*edges), after) if edges[0] < edges[1] else None
        return self._to_point(self.point(place))

    def _by_a_day(self, place: int) -> str | None:
        """Return "until" for "by Friday", which isn't "by month"."""
        named = self.items.is_symbol(place, "by") and self.items[place].text.casefold() == "by"
        return "until" if named and self.point(self._skip(place + 1)) is not None else None

    def _names_a_day(self, place: int, after: int) -> bool:
        """Return whether a clock time is followed by its day: a clock time before anything else."""
        first = self._clock(self._skip(place + 1))
        return first is not None and first[1] < after

    def _to_point(self, first: tuple[When, int] | None) -> tuple[When, int] | None:
        """What was read, up to a later day or month: "June to August"."""
        if first is None or not first[0].whole or not self.items.is_symbol(first[1], "to", "until"):
            return first
        second = self.point(self._skip_fillers(first[1] + 1))
        if second is None or not second[0].whole or second[0].stop <= first[0].start:
            return first
        return When(first[0].start, second[0].stop), second[1]

    def _range(self, place: int) -> tuple[When, int] | None:
        first = (
            self.relative(self._skip_fillers(place + 1))
            or self.point(self._skip_fillers(place + 1))
            or self._bare(place + 1)
        )
        if first is None or not self.items.is_symbol(first[1], "and", "to", "until"):
            return None
        after = self._skip_fillers(first[1] + 1)
        second = self.point(after) or self._bare(after)
        if second is None:
            return None
        low, high = first[0], second[0]
        if isinstance(low, int) or isinstance(high, int):
            return self._of_bare(low, high, first[1] + 1, second[1])
        if not low.whole and not high.whole:
            day = low.start.normalize() if low.start.normalize() != self.today else high.start.normalize()
            start = day + (low.start - low.start.normalize())
            stop = high.start if high.start.normalize() != self.today else day + (high.start - high.start.normalize())
            return (When(start, stop), second[1]) if start < stop else None
        stop = high.stop if high.whole else high.start
        return (When(low.start, stop), second[1]) if low.start < stop else None

    def _skip_fillers(self, place: int) -> int:
        while self.items.is_symbol(place, "filler"):
            place += 1
        return place

    def _bare(self, place: int) -> tuple[int, int] | None:
        """A number that gets its meaning from the other end: "from 5 to 9 January", "between 6 and 9 am"."""
        number = self._count(place)
        if number is None:
            match = (
                re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", self.items[place].text) if self.items.free(place) else None
            )
            match = match or (re.fullmatch(r"(\d{1,2})\.", self.items[place].text) if self.items.free(place) else None)
            number = int(match[1]) if match else None
        return None if number is None else (number, place + 1)

    def _of_bare(self, low: When | int, high: When | int, second: int, after: int) -> tuple[When, int] | None:
        if isinstance(high, int) or not isinstance(low, int):
            return None
        if high.whole:
            try:
                start = high.start.replace(day=low)
            except ValueError:
                return None
            return (When(start, high.stop), after) if start < high.stop else None
        hour = pd.Timedelta(
            hours=low
            + (12 if self.items.is_symbol(second + 1, "clock pm") and low < 12 and low < high.start.hour - 11 else 0)
        )
        start = high.start.normalize() + hour
        return (When(start, high.start), after) if start < high.start else None


def _span_of(unit: str) -> pd.Timedelta:
    if unit in _UNITS:
        return pd.Timedelta(1, unit="D") * 7 if unit == "week" else pd.Timedelta(f"1{_UNITS[unit]}")
    return pd.Timedelta(days={"month": 30, "year": 365, "weekend": 7}[unit])


def read_when(
    items: Items, now: pd.Timestamp, language: Language, data: When
) -> tuple[list[When], list[tuple[int, int]]]:
    """Read and use all times of a question.

    Parameters
    ----------
    items : Items
    now : Timestamp
        What "today" and "last week" count from; naive UTC.
    language : Language
    data : When
        First and last instant of the data: where open spans end.

    Returns
    -------
    whens : list of When
        In order; a day with a clock range on it is one.
    places : list of (int, int)
        The items of each.
    """
    reader = _SpanReader(items, now, language, data)
    found: list[tuple[When, int, int]] = []
    place = 0
    while place < len(items):
        read = reader.span(place) if items.free(place) else None
        if read is None:
            place += 1
            continue
        when, after = read
        items.use(*range(place, after))
        found.append((when, place, after))
        place = after
    return _joined(found, reader.today)


def _joined(found: list[tuple[When, int, int]], today: pd.Timestamp) -> tuple[list[When], list[tuple[int, int]]]:
    """Join a day and hours of a day that are named apart: "on 12 February between 6:00 and 9:00"."""
    whens: list[When] = []
    places: list[tuple[int, int]] = []
    for when, start, stop in found:
        hours = when.stop - when.start < DAY and when.start.normalize() == today
        if whens and hours and _is_day(whens[-1]):
            shift = whens[-1].start - today
            whens[-1] = replace(when, start=when.start + shift, stop=when.stop + shift)
        elif (
            whens and _is_day(when) and whens[-1].stop - whens[-1].start < DAY and whens[-1].start.normalize() == today
        ):
            shift = when.start - today
            whens[-1] = replace(whens[-1], start=whens[-1].start + shift, stop=whens[-1].stop + shift)
        else:
            whens.append(when)
            places.append((start, stop))
    return whens, places


def _is_day(when: When) -> bool:
    return when.stop - when.start == DAY and when.start == when.start.normalize()
