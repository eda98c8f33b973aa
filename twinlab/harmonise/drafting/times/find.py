"""Find the times of a table: columns of instants, dates with their clocks, parts of dates, counts since a start."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twinlab.harmonise.cells import Rows
from twinlab.harmonise.claims import NAT
from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.times.columns import (
    Asked,
    Clock,
    TimeColumn,
    clock_of,
    time_column,
    unread_column,
)
from twinlab.harmonise.drafting.times.zones import StatedZone, zone_column, zone_in_header
from twinlab.harmonise.times.formats import DAY_NS, from_parts
from twinlab.model.twinmodel import parse_duration

__all__ = ["Times", "times_of"]

_PARTS = {
    "year": r"year|yr|yyyy|jahr",
    "month": r"month|mon|mm|monat",
    "day": r"day|dd|tag",
    "hour": r"hour|hr|hh|stunde",
    "minute": r"minute|min|minuten",
    "second": r"second|sec|sekunde",
}
_CLOCK_PARTS = {"hour": r"h|hour|hr|hh|stunde", "minute": r"m|min|mm|minutes?", "second": r"s|sec|ss|seconds?"}
_RANGES = {
    "year": (1678, 2261),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 24),
    "minute": (0, 59),
    "second": (0, 60),
}
_STOP = re.compile(r"stop|end|finish|until|bis|fine|fin|arr|close", re.IGNORECASE)
_START = re.compile(r"start|begin|from|von|inizio|d[eé]but|dep|open", re.IGNORECASE)
_COUNT = re.compile(
    r"(?:(?:elapsed|relative|run|test)[\s_]*)?(?:time|t|elapsed|seconds?|sec|zeit|minutes|hours|milliseconds)(?:[\s_]*[\[(]?(?:s|sec|seconds|ms|min|h|hours?)[\])]?)?",
    re.IGNORECASE,
)
_CYCLE = re.compile(r"(?:time[\s_]*in[\s_]*)?cycles?(?:[\s_]*(?:no|number|nr|index))?|zyklus|zyklen", re.IGNORECASE)
_STEPS = {"ms": "1ms", "s": "1s", "min": "1min", "h": "1h", "d": "1d"}
_DAY_IN_NAME = r"(?P<year>(?:19|20)\d\d)[-_.]?(?P<month>[01]\d)[-_.]?(?P<day>[0-3]\d)"
#: The day that a draft states where the source has none; always with a question.
_NO_DAY = "1970-01-01"


@dataclass(frozen=True)
class Times:
    """All columns of a table that have times, dates or clock times."""

    instants: tuple[TimeColumn, ...]
    # Columns of year, month, day (and hour ...), if the table has them.
    parts: Mapping[str, str]
    # Clock times on the day given by `parts`.
    clocks: tuple[Clock, ...]
    # The date of the clock times, where one column states it.
    day: TimeColumn | None = None
    # Start and end, where a table has one date and two clocks.
    span: tuple[TimeColumn, TimeColumn] | None = None
    # Columns that look like times, but can't be read.
    unread: tuple[TimeColumn, ...] = ()
    # Columns of clock times and zones that no instant uses.
    unused: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All these columns; none of them is an asset's id or a signal."""
        both = (*self.instants, *(self.span or ()), *((self.day,) if self.day else ()), *self.unread)
        names = [name for time in both for name in time.columns]
        names += [time.zone.column for time in both if time.zone is not None and time.zone.column]
        return tuple(
            dict.fromkeys([*names, *self.parts.values(), *(clock.column for clock in self.clocks), *self.unused])
        )


def times_of(profiles: Mapping[str, Profile], rows: Rows, *, zone: StatedZone | None = None) -> Times:
    """Return the columns of times in a table; ``zone`` is the one that is stated above it."""
    parts = _parts(profiles)
    taken = set(parts.values())
    by_row = zone_column(profiles, taken=taken)
    taken |= {by_row.column} if by_row is not None else set()
    left = [profile for name, profile in profiles.items() if name not in taken]
    clocks = [clock for profile in left if (clock := clock_of(profile, rows))]
    clocked = {clock.column for clock in clocks}
    found = [time for profile in left if profile.name not in clocked and (time := time_column(profile, rows))]
    if len(found) > 1:
        # A count without a telling name is taken for times only where the table has no others.
        found = [time for time in found if not (time.asked and time.fixed)] or found[:1]
    known = {time.name for time in found} | clocked
    unread = [time for profile in left if profile.name not in known and (time := unread_column(profile, rows))]
    times = _combined(found, clocks, parts, rows)
    if not times.instants and times.span is None and not times.clocks:
        times = _undated(times, profiles, rows, unread)
    times = replace(times, unread=tuple(unread))
    return _with_zones(times, by_row, zone, clocks)


def _combined(found: list[TimeColumn], clocks: list[Clock], parts: dict[str, str], rows: Rows) -> Times:
    """Return instants of whole columns, of dates with clocks, or of parts."""
    dates = [time for time in found if time.is_date]
    whole = [time for time in found if not time.is_date]
    if dates and clocks and len(dates) == len(clocks):
        pairs = [_dated(date, clock) for date, clock in zip(dates, clocks, strict=True)]
        return Times(tuple(sorted((*whole, *pairs), key=lambda time: time not in pairs)), {}, ())
    if len(dates) == 1 and len(clocks) == 2:
        return Times(tuple(whole) or (_dated(dates[0], clocks[0]),), {}, (), span=_span(dates[0], clocks))
    if len(dates) == 1 and len(clocks) > 2:
        return Times(tuple(whole), {}, tuple(clocks), day=dates[0])
    day = {name: parts[name] for name in ("year", "month", "day") if name in parts}
    if len(day) < 3:
        return Times(tuple(found), {}, (), unused=tuple(clock.column for clock in clocks))
    if clocks:
        return Times(tuple(found), parts, tuple(clocks))
    wall = from_parts({part: rows.cells(column).number for part, column in parts.items()})
    note = "composed of the columns " + ", ".join(parts.values())
    made = TimeColumn({"parts": dict(parts)}, wall, tuple(parts.values()), note)
    # Times with an offset need no zone, so they come first, unless they are coarser than the parts.
    sure = tuple(time for time in found if time.fixed and len(np.unique(time.wall)) >= len(np.unique(wall)))
    return Times((*sure, made, *(time for time in found if not time.fixed)), parts, ())


def _dated(date: TimeColumn, clock: Clock) -> TimeColumn:
    both = (date.wall != NAT) & (clock.clock != NAT)
    wall = np.where(both, np.where(both, date.wall, 0) + np.where(both, clock.clock, 0), NAT)
    rule: dict[str, object] = {"clock": clock.column}
    if clock.format:
        rule["clock_format"] = list(clock.format) if len(clock.format) > 1 else clock.format[0]
    rule |= {"date_column": date.name, "format": date.rule["format"]}
    asked = date.asked
    if clock.note:
        asked = (*asked, Asked("clock_format", f"How is {clock.column!r} to be read?", clock.note, clock.format))
    zone = date.zone or zone_in_header(clock.column)
    return replace(date, rule=rule, wall=wall, columns=(date.name, clock.column), asked=asked, zone=zone)


def _span(date: TimeColumn, clocks: Sequence[Clock]) -> tuple[TimeColumn, TimeColumn]:
    """Return start and end of rows with one date and two clocks; an end before its start is on the next day."""
    first, last = clocks
    if _STOP.search(first.column) and not _STOP.search(last.column):
        first, last = last, first
    start, stop = _dated(date, first), _dated(date, last)
    early = (stop.wall != NAT) & (start.wall != NAT) & (stop.wall < start.wall)
    wall = np.where(early, np.where(early, stop.wall, 0) + DAY_NS, stop.wall)
    rule = {key: value for key, value in stop.rule.items() if key in ("clock", "clock_format")} | {"after": "start"}
    said = _STOP.search(last.column) or _START.search(first.column)
    ask = Asked(
        "clock", f"Is {last.column!r} the end of what starts at {first.column!r}?", "two clocks a row", (last.column,)
    )
    return start, replace(stop, rule=rule, wall=wall, columns=(last.column,), asked=() if said else (ask,), words={})


def _parts(profiles: Mapping[str, Profile], words: Mapping[str, str] = _PARTS) -> dict[str, str]:
    found: dict[str, str] = {}
    for part, pattern in words.items():
        low, high = _RANGES[part]
        for name, profile in profiles.items():
            whole = profile.whole or (part == "second" and profile.kind == "number")
            fits = whole and profile.low >= low and profile.high <= high and not profile.odd
            if fits and name not in found.values() and re.fullmatch(pattern, name.strip(), re.IGNORECASE):
                found[part] = name
                break
        else:
            break
    return found


def _undated(times: Times, profiles: Mapping[str, Profile], rows: Rows, unread: list[TimeColumn]) -> Times:
    """Return clock times without a date, or a count since an unknown start, with the question of the day."""
    parts = _parts(profiles, _CLOCK_PARTS)
    if len(parts) >= 2:
        columns = {"year": np.full(rows.count, 1970.0), "month": np.ones(rows.count), "day": np.ones(rows.count)}
        wall = from_parts({**columns, **{part: rows.cells(name).number for part, name in parts.items()}})
        made = TimeColumn({"parts": parts}, wall, tuple(parts.values()), "clock times without a date")
        return replace(times, instants=(_with_day(made, "date", rows),), unused=())
    for name, profile in profiles.items():
        plain = profile.unit.stem or name
        cycles = _CYCLE.fullmatch(plain.strip()) is not None
        if profile.kind != "number" or profile.low < 0 or profile.low > 1e6 or profile.distinct < 3:
            continue
        if not cycles and not (_COUNT.fullmatch(plain.strip()) and _goes_up(rows.cells(name).number)):
            continue
        step = _STEPS.get(str(profile.unit.unit), "1s") if not cycles else "1h"
        number = rows.cells(name).number
        # In steps: the cadence that is drafted from these times follows the length of a count.
        counts = np.where(np.isfinite(number), number, 0) * parse_duration(step)
        wall = np.where(np.isfinite(number), np.rint(counts), NAT).astype(np.int64)
        what = "cycles" if cycles else "a count from a start"
        made = TimeColumn({"elapsed": name, "step": step}, wall, (name,), what)
        stated = not cycles and str(profile.unit.unit) in _STEPS
        asked = () if stated else (Asked("step", f"How long does one count of {name!r} last?", what, (step,)),)
        unread[:] = [time for time in unread if time.name != name]
        return replace(times, instants=(_with_day(replace(made, asked=asked), "since", rows),))
    return times


def _goes_up(number: np.ndarray) -> bool:
    known = number[np.isfinite(number)]
    return len(known) > 2 and bool((np.diff(known) >= 0).mean() >= 0.9)


def _with_day(time: TimeColumn, key: str, rows: Rows) -> TimeColumn:
    """Return a time on the day in the table's name, or on a day that is asked for."""
    if re.search(_DAY_IN_NAME, rows.table):
        return replace(time, rule={**time.rule, "date_pattern": _DAY_IN_NAME})
    ask = "On which day were these times taken?" if key == "date" else "At which instant is this count 0?"
    evidence = f"neither a column nor the name {rows.table!r} states a day; {_NO_DAY} is a placeholder"
    return replace(time, rule={**time.rule, key: _NO_DAY}, asked=(*time.asked, Asked(key, ask, evidence, (_NO_DAY,))))


def _with_zones(times: Times, by_row: StatedZone | None, above: StatedZone | None, clocks: Sequence[Clock]) -> Times:
    """Return times with the zone that is stated nearest to them: in a value or header, else by row, else above."""
    stated = {zone.zone: zone for clock in clocks if (zone := zone_in_header(clock.column)) is not None}
    clock_zone = next(iter(stated.values())) if len(stated) == 1 else None

    def zoned(time: TimeColumn) -> TimeColumn:
        if time.fixed or time.zone is not None:
            return time
        own = clock_zone if {clock.column for clock in clocks} & set(time.columns) else None
        return replace(time, zone=own or by_row or above)

    used = (*times.instants, *(times.span or ()), *times.unread)
    unused = times.unused
    if by_row is not None and not any(zoned(time).zone is by_row for time in used):
        unused = (*unused, by_row.column)
    return replace(
        times,
        instants=tuple(map(zoned, times.instants)),
        span=None if times.span is None else (zoned(times.span[0]), zoned(times.span[1])),
        unread=tuple(map(zoned, times.unread)),
        unused=unused,
    )
