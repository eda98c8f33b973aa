"""Read one instant, day, month or year of a question: "yesterday", "5 January", "2026-01-05 06:00", "6 am"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from twinlab.ask.languages import Language
    from twinlab.ask.parsing.items import Items

__all__ = ["DAY", "InstantReader", "When"]

DAY = pd.Timedelta(days=1)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


@dataclass(frozen=True)
class When:
    """A span that a question names.

    Parameters
    ----------
    start, stop : Timestamp
        Half-open, UTC, naive.
    whole : bool
        Whether it is named as a whole (a day, a week), not as an instant.
    """

    start: pd.Timestamp
    stop: pd.Timestamp
    whole: bool = True


class InstantReader:
    """Reads times at a place of the items; each method returns what it read and the place after it, or None.

    Parameters
    ----------
    items : Items
    now : Timestamp
        What "today" counts from; naive UTC.
    language : Language
    """

    def __init__(self, items: Items, now: pd.Timestamp, language: Language) -> None:
        self.items, self.now, self.language = items, now, language
        # Data that end at midnight end with the day before.
        self.today = (now - pd.Timedelta(1, unit="ns")).normalize()

    def point(self, place: int) -> tuple[When, int] | None:
        """A day, month, year or instant: ``yesterday``, ``Monday``, ``5 January``, ``2026-01-05 06:00``, ``6 am``."""
        found = (
            self._date(place)
            or self._named_day(place)
            or self._month(place)
            or self._part_of_year(place)
            or self._season(place)
            or self._present_year(place)
            or self._year(place)
        )
        if found is None:
            clock = self._clock(place)
            if clock is None:
                return None
            hours, after = clock
            day = self._date(self._skip(after)) or self._named_day(self._skip(after))
            base, after = (day[0].start, day[1]) if day is not None else (self.today, after)
            start = base + hours
            return When(start, start + pd.Timedelta(minutes=1), whole=False), after
        when, after = found
        return self._with_clock(when, after)

    def _with_clock(self, when: When, after: int) -> tuple[When, int]:
        if when.stop - when.start != DAY:
            return when, after
        part = self.items.is_symbol(after, "part ")
        if part is not None:
            low, high = (int(one) for one in part.split()[1:])
            return When(when.start + pd.Timedelta(hours=low), when.start + pd.Timedelta(hours=high)), after + 1
        clock = self._clock(self._skip(after))
        if clock is not None and clock[0] < DAY:
            start = when.start + clock[0]
            return When(start, start + pd.Timedelta(minutes=1), whole=False), clock[1]
        return when, after

    def _skip(self, place: int) -> int:
        while (
            self.items.is_symbol(place, "at", "filler", "and", "during", "from") and self.items[place].kind == "phrase"
        ):
            place += 1
        return place

    def _clock(self, place: int) -> tuple[pd.Timedelta, int] | None:
        if not self.items.free(place):
            return None
        item = self.items[place]
        if item.symbol("midnight", "noon"):
            return pd.Timedelta(hours=12 if item.symbol("noon") else 0), place + 1
        match = _CLOCK.fullmatch(item.text) if item.kind == "clock" else None
        suffix = self.items.is_symbol(place + 1, "clock", "clock am", "clock pm")
        if match is None and (suffix is None or item.kind != "number" or not item.text.isdigit()):
            return None
        hours = int(match[1] if match else item.text)
        minutes = int(match[2]) if match else 0
        if suffix == "clock pm" and hours < 12:
            hours += 12
        if suffix == "clock am" and hours == 12:
            hours = 0
        if hours > 24 or minutes > 59:
            return None
        return pd.Timedelta(hours=hours, minutes=minutes), place + (2 if suffix else 1)

    def _date(self, place: int) -> tuple[When, int] | None:
        if not self.items.free(place):
            return None
        item = self.items[place]
        if item.kind == "date":
            return self._written_date(item.text, place)
        feast = item.symbol("date ")
        if feast is not None:
            _, month_of, day_of = feast.split()
            return self._day(self._year_at(place + 1), int(month_of), int(day_of), place + 1)
        # "5 January 2026", "5. Januar"
        month = self.items.is_symbol(place + 1, "month ") or self._month_after_of(place)
        day = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", item.text)
        if month is not None and day is not None:
            after = place + (2 if self.items.is_symbol(place + 1, "month ") else 3)
            return self._day(self._year_at(after), int(month.split()[1]), int(day[1]), after)
        # "January 5, 2026"
        month = self.items.is_symbol(place, "month ")
        if month is not None and self.items.free(place + 1):
            day = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", self.items[place + 1].text)
            if day is not None:
                return self._day(self._year_at(place + 2), int(month.split()[1]), int(day[1]), place + 2)
        return None

    def _month_after_of(self, place: int) -> str | None:
        return self.items.is_symbol(place + 2, "month ") if self.items.is_symbol(place + 1, "filler") else None

    def _written_date(self, text: str, place: int) -> tuple[When, int] | None:
        dotted, slashed = _DOTTED.fullmatch(text), _SLASHED.fullmatch(text)
        if dotted is not None:
            after = place + 1
            named_month = self.items.is_symbol(after, "month ")
            if named_month is not None and dotted[3] is None:
                return None
            named = (int(dotted[3]), False) if dotted[3] else self._year_at(after)
            return self._day(named, int(dotted[2]), int(dotted[1]), after)
        if slashed is not None:
            low, high, year = (int(one) for one in slashed.groups())
            if low <= 12 and high <= 12 and low != high and not self.language.day_first:
                # 2/3 may be February or March.
                return None
            day_first = self.language.day_first if high <= 12 else False
            day_first = day_first or low > 12
            return self._day((year, False), high if day_first else low, low if day_first else high, place + 1)
        try:
            found = pd.Timestamp(text.rstrip("Zz"))
        except ValueError:
            return None
        if len(text.rstrip("Zz")) > 10:
            return When(found, found + pd.Timedelta(minutes=1), whole=False), place + 1
        return When(found, found + DAY), place + 1

    def _year_at(self, place: int) -> tuple[int, bool]:
        """Return the year at a place and whether it is there; else that of the latest such day in the data."""
        if self.items.free(place) and re.fullmatch(r"[12]\d{3}", self.items[place].text):
            return int(self.items[place].text), True
        return 0, False

    def _day(self, year: tuple[int, bool], month: int, day: int, after: int) -> tuple[When, int] | None:
        try:
            if year[0]:
                start = pd.Timestamp(year=year[0], month=month, day=day)
            else:
                start = pd.Timestamp(year=self.now.year, month=month, day=day)
                if start > self.now:
                    start = pd.Timestamp(year=self.now.year - 1, month=month, day=day)
        except ValueError:
            return None
        return When(start, start + DAY), after + (1 if year[1] else 0)

    def _named_day(self, place: int) -> tuple[When, int] | None:
        found = self.items.is_symbol(place, "today", "yesterday", "day_before")
        if found is not None:
            start = self.today - {"today": 0, "yesterday": 1, "day_before": 2}[found] * DAY
            return When(start, self.now if found == "today" else start + DAY), place + 1
        if self.items.is_symbol(place, "last", "this") and self.items.is_symbol(place + 1, "weekday "):
            place += 1
        day = self.items.is_symbol(place, "weekday ")
        if day is None:
            return None
        dated = self._date(place + 1) if self.items.free(place + 1) else None
        if dated is not None and dated[0].start.day_of_week == int(day.split()[1]):
            # "Thursday 8 January".
            return dated
        start = self.today - (self.today.day_of_week - int(day.split()[1])) % 7 * DAY
        return When(start, start + DAY), place + 1

    def _month(self, place: int) -> tuple[When, int] | None:
        month = self.items.is_symbol(place, "month ")
        if month is None:
            return None
        number = int(month.split()[1])
        year, there = self._year_at(place + 1)
        year = year or (
            self.now.year if pd.Timestamp(year=self.now.year, month=number, day=1) < self.now else self.now.year - 1
        )
        start = pd.Timestamp(year=year, month=number, day=1)
        return When(start, start + pd.DateOffset(months=1)), place + (2 if there else 1)

    def _part_of_year(self, place: int) -> tuple[When, int] | None:
        part = self.items.is_symbol(place, "half ", "quarter ")
        if part is None:
            return None
        name, number = part.split()
        months = 6 if name == "half" else 3
        year, there = self._year_at(place + 1)
        first = pd.Timestamp(year=year or self.now.year, month=1 + months * (int(number) - 1), day=1)
        if not there and first >= self.now:
            first -= pd.DateOffset(years=1)
        return When(first, first + pd.DateOffset(months=months)), place + (2 if there else 1)

    def _season(self, place: int) -> tuple[When, int] | None:
        """Three whole months, the latest that have begun: spring from March on."""
        season = self.items.is_symbol(place, "season ")
        if season is None:
            return None
        year, there = self._year_at(place + 1)
        first = pd.Timestamp(year=year or self.now.year, month=int(season.split()[1]), day=1)
        if not there and first >= self.now:
            first -= pd.DateOffset(years=1)
        return When(first, first + pd.DateOffset(months=3)), place + (2 if there else 1)

    def _present_year(self, place: int) -> tuple[When, int] | None:
        """The present year: "of the year", and the one of "in the year 2013"."""
        if self.items.is_symbol(place, "this_year") is None:
            return None
        named = self._year(place + 1) if self.items.free(place + 1) else None
        if named is not None:
            return named
        start = pd.Timestamp(year=self.today.year, month=1, day=1)
        return When(start, start + pd.DateOffset(years=1)), place + 1

    def _year(self, place: int) -> tuple[When, int] | None:
        year, there = self._year_at(place)
        if not there or self.items[place].kind != "number" or not 1900 <= year < 2100:
            return None
        if self.items.is_symbol(place - 1, ">", "<", ">=", "<=") or self.items.is_symbol(
            place + 1, "unit ", "measure "
        ):
            # "Above 2013 m".
            return None
        start = pd.Timestamp(year=year, month=1, day=1)
        return When(start, start + pd.DateOffset(years=1)), place + 1
