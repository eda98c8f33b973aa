"""Fewer rows at the edge: means of windows, or only rows that differ from the last one sent. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from twinlab.edge.readings import Reading

__all__ = ["SUFFIXES", "Deadband", "Reduced", "Reducer", "State", "Windows"]

#: What a reducer knows of a tag.
State: TypeAlias = list[float | str | int | None]
#: Tags of a window's rows: that of the machine with one of these behind it.
SUFFIXES = ("/mean", "/min", "/max", "/count")


@dataclass(frozen=True, slots=True)
class Reduced:
    """What becomes of rows."""

    sent: list[Reading]
    left_out: list[Reading]
    """Rows that the historian gets only on request."""


class Reducer(Protocol):
    """Reduces the rows of one stream. Its state is JSON, so that a gateway that was killed continues where it was."""

    state: dict[str, State]
    """By tag."""

    def take(self, rows: Iterable[Reading]) -> Reduced:
        """Return what is sent of rows, and what is left out."""

    def close(self, now: int) -> list[Reading]:
        """Return rows that are due at a time, ns, although no reading came."""


class Deadband:
    """Report by exception: a row is sent if it differs from the last one sent of its tag.

    It differs if its value does by more than ``width``, its text or status does, or it is ``longest`` nanoseconds later. So every
    row that is left out is within ``width`` of the last row before it that is sent.

    Examples
    --------
    >>> rows = [Reading("t", n, value) for n, value in enumerate([4.0, 4.1, 4.2, 4.6, 4.5])]
    >>> [row.value for row in Deadband(0.5).take(rows).sent]
    [4.0, 4.6]
    """

    def __init__(self, width: float, *, longest: int | None = None, state: dict[str, State] | None = None) -> None:
        self._width, self._longest = width, longest
        self.state = dict(state or {})

    def take(self, rows: Iterable[Reading]) -> Reduced:
        """Return what is sent of rows, and what is left out."""
        sent, left_out = [], []
        for row in rows:
            if self._differs(row):
                self.state[row.tag] = [row.time, row.value, row.text, row.status]
                sent.append(row)
            else:
                left_out.append(row)
        return Reduced(sent, left_out)

    def close(self, now: int) -> list[Reading]:
        """Return nothing: a row is due only when one comes."""
        del now
        return []

    def _differs(self, row: Reading) -> bool:
        last = self.state.get(row.tag)
        if last is None:
            return True
        time, value, text, status = last
        if (row.text, row.status) != (text, status) or (row.value is None) != (value is None):
            return True
        if self._longest is not None and abs(row.time - int(time or 0)) >= self._longest:
            return True
        if row.value is None or value is None:
            return False
        change = abs(row.value - float(value))
        # A value that isn't a number differs from every number, and not from itself.
        return math.isnan(row.value) != math.isnan(float(value)) if math.isnan(change) else change > self._width


class Windows:
    """Mean, least and greatest value and number of values of each tag in windows that are aligned with 1970 UTC.

    A window is sent when a row of a later one comes, or ``grace`` nanoseconds after its end. Rows without a value, with a status,
    or of a window that was sent are sent as they are.

    Examples
    --------
    >>> rows = [Reading("t", n, float(n)) for n in range(12)]
    >>> [(row.tag, row.time, row.value) for row in Windows(10).take(rows).sent]
    [('t/mean', 0, 4.5), ('t/min', 0, 0.0), ('t/max', 0, 9.0), ('t/count', 0, 10.0)]
    """

    def __init__(self, width: int, *, grace: int = 0, state: dict[str, State] | None = None) -> None:
        self._width, self._grace = width, grace
        # Tag -> start, number, sum, least, greatest; a number of 0 is a window that was sent.
        self.state = dict(state or {})

    def take(self, rows: Iterable[Reading]) -> Reduced:
        """Return what is sent of rows, and what is left out."""
        sent: list[Reading] = []
        left_out = []
        for row in rows:
            start = row.time - row.time % self._width
            own = self.state.get(row.tag)
            opened = None if own is None else int(own[0] or 0)
            closed = own is not None and not own[1]
            if (
                row.value is None or math.isnan(row.value) or row.text is not None or row.status is not None
                or (opened is not None and (start < opened or (start == opened and closed)))
            ):  # fmt: skip
                sent.append(row)
                continue
            if own is not None and opened != start:
                sent += self._rows(row.tag)
                own = None
            if own is None:
                self.state[row.tag] = [start, 1, row.value, row.value, row.value]
            else:
                _, count, total, least, greatest = (float(one or 0) for one in own)
                self.state[row.tag] = [
                    start,
                    int(count) + 1,
                    total + row.value,
                    min(least, row.value),
                    max(greatest, row.value),
                ]
            left_out.append(row)
        return Reduced(sent, left_out)

    def close(self, now: int) -> list[Reading]:
        """Return the windows that ended at least the grace before a time, ns."""
        due = [tag for tag, own in self.state.items() if own[1] and int(own[0] or 0) + self._width + self._grace <= now]
        return [row for tag in due for row in self._rows(tag)]

    def _rows(self, tag: str) -> list[Reading]:
        start, count, total, least, greatest = (float(one or 0) for one in self.state[tag])
        if not count:
            return []
        start = int(self.state[tag][0] or 0)
        self.state[tag] = [start, 0, 0.0, 0.0, 0.0]
        values = (total / count, least, greatest, count)
        return [Reading(f"{tag}{suffix}", start, value) for suffix, value in zip(SUFFIXES, values, strict=True)]
