"""Local time and UTC for whole arrays: the offsets of a zone as a table, looked up by binary search.

The table of a zone is sampled from `zoneinfo` day by day and bisected to the second where the offset changes. So it
matches the tz database that Python uses, and there is no call per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import numpy.typing as npt

from twinlab.errors import UnknownTermError
from twinlab.harmonise.claims import NAT, Ints
from twinlab.model.terms import nearest
from twinlab.model.time_rule import fixed_offset

__all__ = ["MISSING", "TWICE", "UNIQUE", "Lookup", "ZoneTable", "Zones", "available_zones", "zone", "zone_name"]

_SECOND = 10**9
_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: Whether a wall time occurs once, twice or not at all in its zone.
UNIQUE, TWICE, MISSING = 0, 1, 2


@cache
def zone(name: str) -> tzinfo:
    """Return the IANA zone of this name, or the fixed offset that it states.

    Raises
    ------
    UnknownTermError
        If it is neither; the message names the nearest zone.

    >>> str(zone("Europe/Berlin")), str(zone("GMT-05:00"))
    ('Europe/Berlin', 'UTC-05:00')
    """
    seconds = fixed_offset(name)
    if seconds is not None:
        return timezone(timedelta(seconds=seconds))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        msg = f"expected an IANA time zone such as 'Europe/Berlin' or an offset such as '-05:00', got {name!r}{nearest(name, available_zones())}"
        raise UnknownTermError(msg) from error


@cache
def available_zones() -> frozenset[str]:
    """Return the names of all IANA zones."""
    return frozenset(available_timezones())


def zone_name(name: str) -> str:
    """Return the name of a zone as `Zones` takes it; raises as `zone` does.

    >>> zone_name("GMT-05:00"), zone_name("UTC")
    ('UTC-05:00', 'UTC')
    """
    return str(zone(name))


@dataclass(frozen=True, slots=True)
class Lookup:
    """The possible instants of wall times, int64[n] ns UTC each."""

    # For a missing wall time: the instant with the offset before the gap (the clock shifted forward).
    earlier: Ints
    later: Ints
    # uint8: UNIQUE, TWICE or MISSING.
    kind: npt.NDArray[np.uint8]


@cache
def _decade(name: str, decade: int) -> tuple[tuple[int, int], ...]:
    """Return ``(utc second, offset in seconds)`` at the start of a decade and at each change within it."""
    info = zone(name)

    def offset(second: int) -> int:
        delta = (_EPOCH + timedelta(seconds=second)).astimezone(info).utcoffset()
        return 0 if delta is None else round(delta.total_seconds())

    if isinstance(info, timezone):
        return ((int((datetime(max(decade * 10, 2), 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()), offset(0)),)
    first = int((datetime(max(decade * 10, 2), 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    last = int((datetime(min(decade * 10 + 10, 9998), 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    found = [(first, offset(first))]
    for start in range(first, last, _DAY):
        after = offset(min(start + _DAY, last))
        if after != found[-1][1]:
            low, high = start, min(start + _DAY, last)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == found[-1][1] else (low, middle)
            found.append((high, after))
    return tuple(found)


class ZoneTable:
    """The offsets of one zone for the years that ``times`` cover."""

    def __init__(self, name: str, times: Ints) -> None:
        self.name = name
        low, high = (int(times.min()), int(times.max())) if len(times) else (0, 0)
        first, last = (np.array([low, high]) // _SECOND + np.array([-2, 2]) * _DAY).astype("M8[s]").astype(
            "M8[Y]"
        ).astype(int) + 1970
        rows = [row for decade in range(first // 10, last // 10 + 1) for row in _decade(name, decade)]
        self._starts = np.array([start for start, _ in rows], dtype=np.int64) * _SECOND
        self._offsets = np.array([offset for _, offset in rows], dtype=np.int64) * _SECOND

    def offset(self, utc: Ints) -> Ints:
        """Return the offset in ns at each instant."""
        index = np.searchsorted(self._starts, utc, side="right") - 1
        return self._offsets[np.maximum(index, 0)]

    def changes(self) -> list[tuple[int, int, int]]:
        """Return the instant of each change in ns UTC, with the offsets before and after it in ns."""
        # A decade begins with the offset of the one before, which is no change.
        at = np.flatnonzero(np.diff(self._offsets)) + 1
        columns = (self._starts[at], self._offsets[at - 1], self._offsets[at])
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def lookup(self, wall: Ints) -> Lookup:
        """Return the possible instants of wall times (the two folds of PEP 495)."""
        before = self.offset(wall - _DAY * _SECOND)
        after = self.offset(wall + _DAY * _SECOND)
        if np.array_equal(before, after):
            utc = wall - before
            return Lookup(utc, utc, np.zeros(len(wall), dtype=np.uint8))
        one, two = wall - before, wall - after
        one_valid, two_valid = self.offset(one) == before, self.offset(two) == after
        earlier = np.where(one_valid | ~two_valid, one, two)
        later = np.where(two_valid, two, one)
        kind = np.where(one_valid & two_valid & (one != two), TWICE, np.where(one_valid | two_valid, UNIQUE, MISSING))
        return Lookup(earlier, later, kind.astype(np.uint8))


class Zones:
    """The zone of each row: one for all rows, or one per row."""

    def __init__(self, names: Sequence[str], codes: Ints | None = None) -> None:
        self.names = tuple(names)
        # int64[n] index into `names`, -1 where the zone is unknown; None: `names[0]` for all rows.
        self.codes = codes
        if codes is not None:
            order = np.argsort(codes, kind="stable")
            self._groups = np.split(order, np.searchsorted(codes[order], np.arange(len(names))))[1:]

    def known(self, count: int) -> npt.NDArray[np.bool_]:
        """bool[n]: rows whose zone is known."""
        return np.ones(count, dtype=bool) if self.codes is None else self.codes >= 0

    def name_of(self, row: int) -> str:
        """Return the zone of one row."""
        return self.names[0 if self.codes is None else int(self.codes[row])]

    def lookup(self, wall: Ints) -> Lookup:
        """Return the possible instants of wall times (int64[n] ns, NAT allowed); NAT where the zone is unknown."""
        result = Lookup(np.full(len(wall), NAT), np.full(len(wall), NAT), np.zeros(len(wall), dtype=np.uint8))
        for name, rows in self._parts(wall):
            found = ZoneTable(name, wall[rows]).lookup(wall[rows])
            result.earlier[rows], result.later[rows], result.kind[rows] = found.earlier, found.later, found.kind
        return result

    def to_local(self, utc: Ints) -> Ints:
        """Return the wall time (int64[n] ns) of each instant; NAT where the instant or the zone is unknown."""
        wall = np.full(len(utc), NAT)
        for name, rows in self._parts(utc):
            wall[rows] = utc[rows] + ZoneTable(name, utc[rows]).offset(utc[rows])
        return wall

    def _parts(self, times: Ints) -> list[tuple[str, Ints]]:
        if self.codes is None:
            rows = np.flatnonzero(times != NAT)
            return [(self.names[0], rows)] if len(rows) else []
        parts = []
        for name, group in zip(self.names, self._groups, strict=True):
            rows = group[times[group] != NAT]
            if len(rows):
                parts.append((name, rows))
        return parts
