"""What local times show about their zone: hours that a zone leaves out or repeats on the days when its clocks change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.times.formats import DAY_NS
from twinlab.harmonise.times.zones import ZoneTable

__all__ = ["ClockChanges", "clock_changes"]

#: Zones that are tested and named, those of most people first; other zones change with one of these.
_ZONES = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Denver"),
    *("Europe/Paris", "Europe/Madrid", "Europe/Rome", "Europe/Lisbon", "Europe/Dublin", "Europe/Helsinki", "Europe/Athens"),
    *("Europe/Bucharest", "Europe/Kyiv", "Europe/Moscow", "Europe/Istanbul", "Europe/Chisinau", "Atlantic/Azores"),
    *("America/Halifax", "America/St_Johns", "America/Anchorage", "America/Phoenix", "America/Mexico_City"),
    *("America/Havana", "America/Sao_Paulo", "America/Santiago", "America/Asuncion", "America/Nuuk"),
    *("Asia/Jerusalem", "Asia/Beirut", "Asia/Amman", "Asia/Damascus", "Asia/Tehran", "Africa/Cairo", "Africa/Casablanca"),
    *("Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Auckland"),
)  # fmt: skip
#: Times that are recorded as an example, and zones that are named.
_MOST_TIMES, _MOST_ZONES = 12, 3
_MINUTE = 60 * 10**9


@dataclass(frozen=True)
class ClockChanges:
    """What local times show about their zone."""

    # One sentence for each kind of evidence; "" if there is none.
    evidence: str = ""
    # Local times, ISO: a zone in which one of them doesn't exist isn't the clock's.
    times: tuple[str, ...] = ()
    # Zones that repeat the hour which the data have twice.
    fitting: tuple[str, ...] = ()


def clock_changes(wall: Ints) -> ClockChanges:
    """Return what local times show about their zone.

    Parameters
    ----------
    wall : int64[n]
        Times on the source's clock in the order of the rows, ns; NAT where a row has none.

    >>> half_past_one = np.array(["2026-03-29T01:30"], "M8[ns]").astype("int64")
    >>> clock_changes(half_past_one).times
    ('2026-03-29T01:30',)
    """
    known = wall[wall != NAT]
    # Dates alone show no clock.
    if not (known % DAY_NS).any():
        return ClockChanges()
    ordered = np.unique(known)
    steps = np.flatnonzero(np.diff(known) < 0)
    absent: dict[tuple[int, int], list[str]] = {}
    twice: dict[tuple[int, int], list[str]] = {}
    for zone in _ZONES:
        for begin, end, forward in _changes(zone, int(ordered[0]), int(ordered[-1])):
            if forward and _within(ordered, begin, end):
                absent.setdefault((begin, end), []).append(zone)
            elif not forward and _steps_back(known, steps, begin, end):
                twice.setdefault((begin, end), []).append(zone)
    fitting = tuple(dict.fromkeys(zone for zones in twice.values() for zone in zones))
    ruled_out = {zone for zones in absent.values() for zone in zones}
    first, again = _first_of_each(absent), _first_of_each(twice)
    said = [_absent(known, *span, zones) for span, zones in first[:_MOST_ZONES]]
    said += [
        f"the clock steps back within {_span(begin, end - _MINUTE)}, as in {_names(zones)}"
        for (begin, end), zones in again[:_MOST_ZONES]
    ]
    examples = sorted({_within(ordered, *span)[0] for span, _ in first[:_MOST_TIMES]})
    return ClockChanges(
        "; ".join(said),
        tuple(_text(time) for time in examples),
        tuple(zone for zone in fitting if zone not in ruled_out)[:_MOST_ZONES],
    )


def _first_of_each(found: dict[tuple[int, int], list[str]]) -> list[tuple[tuple[int, int], list[str]]]:
    """Return the first change of each group of zones, the zones of most people first."""
    groups: dict[str, tuple[tuple[int, int], list[str]]] = {}
    for span, zones in sorted(found.items()):
        groups.setdefault(zones[0], (span, zones))
    return sorted(groups.values(), key=lambda one: _ZONES.index(one[1][0]))


def _within(ordered: Ints, begin: int, end: int) -> list[int]:
    first, last = np.searchsorted(ordered, [begin, end])
    return [int(ordered[first]), int(ordered[last - 1])] if last > first else []


def _steps_back(known: Ints, steps: Ints, begin: int, end: int) -> bool:
    before, after = known[steps], known[steps + 1]
    return bool(((before >= begin) & (before < end) & (after >= begin) & (after < end)).any())


def _changes(zone: str, first: int, last: int) -> list[tuple[int, int, bool]]:
    """Return the wall times that a zone leaves out (True) or repeats (False) from ``first`` to ``last``, ns."""
    found = []
    for utc, before, after in ZoneTable(zone, np.array([first, last])).changes():
        begin, end = sorted((utc + before, utc + after))
        if end > first and begin <= last:
            found.append((begin, end, after > before))
    return found


def _absent(known: Ints, begin: int, end: int, zones: list[str]) -> str:
    inside = known[(known >= begin) & (known < end)]
    count = f"{len(inside):,} row{'' if len(inside) == 1 else 's'}"
    do = "doesn't" if len(inside) == 1 else "don't"
    return f"{count} at {_span(int(inside.min()), int(inside.max()))} {do} exist in {_names(zones)}"


def _names(zones: list[str]) -> str:
    more = len(zones) - _MOST_ZONES
    return ", ".join(zones[:_MOST_ZONES]) + (f" and {more} other zone{'' if more == 1 else 's'}" if more > 0 else "")


def _span(begin: int, end: int) -> str:
    first, last = _text(begin).replace("T", " "), _text(end).replace("T", " ")
    if first == last:
        return first
    return f"{first} to {last[11:] if first[:10] == last[:10] else last}"


def _text(time: int) -> str:
    text = str(np.datetime64(time, "ns").astype("M8[s]"))
    return text.removesuffix(":00") if len(text) == 19 else text
