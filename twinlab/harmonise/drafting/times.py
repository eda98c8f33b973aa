"""Recognise times in tables: columns, formats and evidence; zones are never guessed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import Cells, Rows, encode
from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.drafting.profiles import NO_VALUE_TEXTS, Profile
from twinlab.harmonise.times.formats import DAY_NS, from_format, from_parts, parse_clock

__all__ = ["Clock", "TimeColumn", "Times", "times_of"]

_NAMED = re.compile(
    r"time|date|datum|zeit|uhr|stamp|(^|[_\s])ts($|[_\s])|epoch|when|heure|fecha|hora|dep|arr|start|end", re.IGNORECASE
)
_CLOCKED = re.compile(r"time|zeit|uhr|hhmm|clock|heure|hora", re.IGNORECASE)
_PARTS = {
    "year": r"year|yr|yyyy|jahr",
    "month": r"month|mon|mm|monat",
    "day": r"day|dd|tag",
    "hour": r"hour|hr|hh|stunde",
    "minute": r"minute|min|minuten",
    "second": r"second|sec|sekunde",
}
_RANGES = {
    "year": (1678, 2261),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 24),
    "minute": (0, 59),
    "second": (0, 60),
}
_DATES = (
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%y", "%m/%d/%y",
    "%d-%b-%Y", "%d %b %Y", "%b %d %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%y", "%Y%m%d",
)  # fmt: skip
_CLOCKS = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S.%f",
    " %I:%M %p",
    " %I:%M:%S %p",
    "T%H:%M:%S",
    ", %H:%M",
    ", %H:%M:%S",
    "%H%M",
    "%H%M%S",
    " %H.%M",
)
#: Minimal share of cells that must parse.
_MIN_SHARE = 0.95


@dataclass(frozen=True)
class TimeColumn:
    """A column of times, or a column of dates with one of clock times."""

    # Keys of a TimeRule -> values, without zone: {"column": "t", "format": "iso"}.
    rule: Mapping[str, object]
    # int64[n] ns on the source's clock (NAT where empty); used for cadence and order.
    wall: Ints = field(repr=False)
    columns: tuple[str, ...]
    # Comment for people, written after the format.
    note: str = ""
    # Every value has its offset, or is a count since an instant.
    fixed: bool = False
    # Another format that fits as well, with day and month swapped.
    swapped: str = ""

    @property
    def name(self) -> str:
        """The first column, whose name is used."""
        return self.columns[0]


@dataclass(frozen=True)
class Clock:
    """A column of clock times without a date."""

    column: str
    clock: Ints = field(repr=False)


@dataclass(frozen=True)
class Times:
    """All columns of a table that have times, dates or clock times."""

    instants: tuple[TimeColumn, ...]
    # Columns of year, month, day (and hour ...), if the table has them.
    parts: Mapping[str, str]
    # Clock times on the day given by `parts`.
    clocks: tuple[Clock, ...]


def times_of(profiles: Mapping[str, Profile], rows: Rows) -> Times:
    """Return the columns of times in a table."""
    parts = _parts(profiles)
    taken = set(parts.values())
    clocks = [clock for name in profiles if name not in taken and (clock := _clock(profiles[name], rows))]
    found = [time for name in profiles if name not in taken and (time := _column(profiles[name], rows))]
    dates = [time for time in found if _is_date(time)]
    spelt = [clock for clock in clocks if clock.column not in {time.name for time in found}]
    if len(dates) == 1 and len(spelt) == 1 and len(found) == 1:
        return Times((_dated(dates[0], spelt[0]),), parts, ())
    day = {name: parts[name] for name in ("year", "month", "day") if name in parts}
    if len(day) < 3:
        return Times(tuple(found), {}, ())
    if spelt:
        return Times(tuple(found), parts, tuple(spelt))
    wall = from_parts({part: rows.cells(column).number for part, column in parts.items()})
    whole = TimeColumn(
        {"parts": dict(parts)}, wall, tuple(parts.values()), "composed of the columns " + ", ".join(parts.values())
    )
    # Times with an offset need no zone, so they come first, unless they are coarser than the parts.
    sure = tuple(time for time in found if time.fixed and len(np.unique(time.wall)) >= len(np.unique(wall)))
    return Times((*sure, whole, *(time for time in found if not time.fixed)), parts, ())


def _is_date(time: TimeColumn) -> bool:
    known = time.wall[time.wall != NAT]
    return "column" in time.rule and not time.fixed and bool((known % DAY_NS == 0).all())


def _dated(date: TimeColumn, clock: Clock) -> TimeColumn:
    both = (date.wall != NAT) & (clock.clock != NAT)
    wall = np.where(both, np.where(both, date.wall, 0) + np.where(both, clock.clock, 0), NAT)
    rule = {"clock": clock.column, "date_column": date.name, "format": date.rule["format"]}
    return TimeColumn(rule, wall, (date.name, clock.column), date.note, swapped=date.swapped)


def _parts(profiles: Mapping[str, Profile]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part, words in _PARTS.items():
        low, high = _RANGES[part]
        for name, profile in profiles.items():
            fits = profile.whole and profile.low >= low and profile.high <= high and not profile.odd
            if fits and re.fullmatch(words, name.strip(), re.IGNORECASE):
                found[part] = name
                break
        else:
            break
    return found


def _clock(profile: Profile, rows: Rows) -> Clock | None:
    cells = rows.cells(profile.name)
    if profile.kind == "number":
        if not (
            profile.whole
            and _CLOCKED.search(profile.name)
            and profile.high <= 2400
            and profile.low >= 0
            and profile.high >= 100
        ):
            return None
    elif profile.kind != "text" or not re.search(r"^\d{1,2}:\d\d|^\d{3,4}$", profile.terms[0]):
        return None
    clock = parse_clock(cells)
    if (
        profile.kind == "text"
        and not _CLOCKED.search(profile.name)
        and not all(":" in term for term in profile.terms[:50])
    ):
        return None
    return Clock(profile.name, clock) if _parses(clock, cells) else None


def _parses(times: Ints, cells: Cells) -> bool:
    filled = ~cells.empty
    if cells.text is not None:
        codes, terms = encode(cells.text)
        filled &= ~np.array([*(term.casefold() in NO_VALUE_TEXTS for term in terms), False])[codes]
    return bool(filled.any()) and int((times[filled] != NAT).sum()) >= _MIN_SHARE * int(filled.sum())


def _column(profile: Profile, rows: Rows) -> TimeColumn | None:
    cells = rows.cells(profile.name)
    if profile.kind == "time" and cells.time is not None:
        return TimeColumn(
            {"column": profile.name, "format": "iso"},
            cells.time,
            (profile.name,),
            "typed as a time in the file",
        )
    if profile.kind == "number":
        return _counted(profile, cells, rows)
    if profile.kind != "text" or not any(char.isdigit() for char in profile.terms[0]):
        return None
    texts = rows.texts(profile.name)
    wall, fixed = from_format(cells, lambda: texts, "iso", column=texts)
    if _parses(wall, cells):
        aware = bool(fixed[wall != NAT].all())
        note = "every value has its offset" if aware else "ISO 8601"
        return TimeColumn({"column": profile.name, "format": "iso"}, wall, (profile.name,), note, fixed=aware)
    return _written(profile, cells, texts)


def _counted(profile: Profile, cells: Cells, rows: Rows) -> TimeColumn | None:
    if not _NAMED.search(profile.name):
        return None
    for form, low, high, what in (
        ("epoch_s", 5e8, 4e9, "seconds since 1970"),
        ("epoch_ms", 5e11, 4e12, "milliseconds since 1970"),
        ("excel1900", 2e4, 7e4, "look like Excel dates"),
        ("%Y%m%d", 19_000_101, 22_001_231, "year, month and day in one number"),
    ):
        if low <= profile.low and profile.high <= high and not (form == "excel1900" and profile.distinct < 2):
            array = rows.array(profile.name)
            wall, _ = from_format(cells, lambda: rows.texts(profile.name), form, column=array)
            note = f"numbers {profile.low:g}..{profile.high:g}: {what}"
            return TimeColumn(
                {"column": profile.name, "format": form}, wall, (profile.name,), note, fixed=form.startswith("epoch")
            )
    return None


def _written(profile: Profile, cells: Cells, texts: pa.Array) -> TimeColumn | None:
    shown = [term for term in profile.terms if term.casefold() not in NO_VALUE_TEXTS]
    fits: list[tuple[str, Ints]] = []
    for date, clock in itertools.product(_DATES, _CLOCKS):
        if clock[:2] == "%H" and date != "%Y%m%d":
            continue  # "01.03.2024" isn't 1 March 2020 at 24:00
        if not any(_matches(term, date + clock) for term in (shown[0], shown[len(shown) // 2], shown[-1])):
            continue
        wall, _ = from_format(cells, lambda: texts, date + clock, column=texts)
        if _parses(wall, cells):
            fits.append((date + clock, wall))
    if not fits:
        return None
    fits.sort(key=lambda fit: (_steps_back(fit[1]), _spread(fit[1])))
    best = fits[0]
    note = (
        "day and month told apart by the values"
        if len(fits) == 1
        else f"day and month could be swapped ({fits[1][0]}): check; this order gives more even steps"
    )
    if len(fits) > 1 and (_steps_back(best[1]), _spread(best[1])) == (_steps_back(fits[1][1]), _spread(fits[1][1])):
        note = f"ambiguous: day and month could be swapped ({fits[1][0]}): check"
    swapped = fits[1][0] if len(fits) > 1 else ""
    return TimeColumn({"column": profile.name, "format": best[0]}, best[1], (profile.name,), note, swapped=swapped)


def _matches(term: str, form: str) -> bool:
    try:
        datetime.strptime(term, form)  # noqa: DTZ007  (only tests whether it parses)
    except ValueError:
        return False
    return True


def _steps_back(wall: Ints) -> int:
    known = wall[wall != NAT]
    return int((np.diff(known) < 0).sum())


def _spread(wall: Ints) -> int:
    known = wall[wall != NAT]
    return int(known.max() - known.min()) if len(known) else 0
