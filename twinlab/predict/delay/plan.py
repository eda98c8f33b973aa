"""Planned events as arrays, those that are one journey together, and sums over those of a group up to an instant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["GIVEN_UP", "HOUR", "MINUTE", "NEVER", "Plan", "Sums", "shown"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
MINUTE: Final = 60 * 10**9
HOUR: Final = 60 * MINUTE
#: An event that hasn't begun this long after its planned start is taken as never to begin.
GIVEN_UP: Final = 6 * HOUR
#: The instant of what hasn't happened.
NEVER: Final = np.iinfo("int64").max // 4
#: Keys of a group and an instant: milliseconds in the lower bits.
_BITS: Final = 44


@dataclass(frozen=True)
class Plan:
    """The planned events of one type; times are ns since 1970, `NEVER` where a state doesn't know them.

    Events that share what does them and their plan, such as the parcels on one truck, are one journey: a single row.

    Parameters
    ----------
    table : DataFrame
        A row for each journey, that of its first event, with a planned start and a planned end.
    planned_start, planned_end, start, end : array (journey,)
        Start and end are the earliest of its events.
    events : DataFrame
        All events with a plan.
    journey : array (event,)
        Row of each event's journey.
    """

    table: pd.DataFrame
    planned_start: Ints
    planned_end: Ints
    start: Ints
    end: Ints
    events: pd.DataFrame
    journey: NDArray[np.intp]

    @classmethod
    def of(cls, table: pd.DataFrame, columns: Sequence[str] = (), *, what: str) -> Plan:
        """Return the plan in an event table.

        Parameters
        ----------
        table : DataFrame
        columns : sequence of str
            What the events of a journey share beside the plan; the first one is what does them. Without any, each event is a journey.
        what : str
            Event type, for messages.

        Raises
        ------
        UnknownTermError
            If it lacks one of the columns.
        """
        for name in columns:
            if name not in table.columns:
                msg = f"events {what!r} have no column {name!r}{nearest(name, map(str, table.columns))}"
                raise UnknownTermError(msg)
        rows = table[(table["planned_start"] <= table["planned_end"]).to_numpy(bool)].reset_index(drop=True)
        names = ("planned_start", "planned_end", "start", "end")
        times = [rows[name].to_numpy("datetime64[ns]").astype("int64") for name in names]
        planned_start, planned_end, start, end = (np.where(one == np.iinfo("int64").min, NEVER, one) for one in times)
        first, journey = _journeys(rows, columns)
        if len(first) == len(rows):
            return cls(rows, planned_start, planned_end, start, end, rows, journey)
        begun, over = (np.full(len(first), NEVER, "int64") for _ in range(2))
        np.minimum.at(begun, journey, start)
        np.minimum.at(over, journey, end)
        single = rows.iloc[first].reset_index(drop=True)
        return cls(single, planned_start[first], planned_end[first], begun, over, rows, journey)

    def __len__(self) -> int:
        return len(self.table)

    def codes(self, *columns: str) -> Ints:
        """Return a number for each different combination of columns; -1 where one is missing."""
        found = np.zeros(len(self), "int64")
        for name in columns:
            code, values = pd.factorize(self.table[name])
            # Numbered anew, so that many columns don't overflow.
            joined = pd.factorize(found * (len(values) + 1) + code)[0]
            found = np.where((code < 0) | (found < 0), -1, joined)
        return found

    def rows(self, event_ids: Sequence[str]) -> NDArray[np.intp]:
        """Return the journeys of events; -1 of an unknown one."""
        place = pd.Index(self.events["event_id"]).get_indexer(pd.Index(event_ids))
        return np.where(place >= 0, self.journey[np.maximum(place, 0)], -1) if len(self.events) else place

    def members(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the events of different journeys, in the order of the table: for each the place of its journey in ``rows``, and its own in ``events``."""
        place = np.full(len(self), -1, np.intp)
        place[rows] = np.arange(len(rows))
        case = place[self.journey]
        event = np.flatnonzero(case >= 0)
        return case[event], event


def _journeys(rows: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first event of each journey, and the journey of each event; events of nothing known are journeys of their own."""
    alone = np.arange(len(rows))
    if not columns or not len(rows):
        return alone, alone
    keys = [*dict.fromkeys(columns), "planned_start", "planned_end"]
    codes = np.asarray(rows.groupby(keys, sort=False, dropna=False, observed=True).ngroup(), np.intp)
    codes = np.where(rows[columns[0]].isna(), codes.max() + 1 + alone, codes)
    _, first, journey = np.unique(codes, return_index=True, return_inverse=True)
    # In the order of the table.
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[journey]


class Sums:
    """Sums and counts of the values of each group up to an instant; whole numbers, so that they are exact.

    Parameters
    ----------
    codes : array (event,)
        Group of each event.
    times : array (event,)
        When the value is known, ns; `NEVER` is left out.
    values : array of int64 (event,)
    """

    def __init__(self, codes: Ints, times: Ints, values: Ints) -> None:
        rows = np.flatnonzero(times < NEVER)
        self._base = int(times[rows].min()) if len(rows) else 0
        # Rounded up, and instants rounded down: a value is never used before it is known.
        keys = (codes[rows] << _BITS) + -((self._base - times[rows]) // 10**6)
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._sums = np.concatenate([[0], np.cumsum(values[rows][order])])

    def until(self, codes: Ints, when: Ints) -> tuple[Ints, Ints]:
        """Return sums and counts of the events of groups that are known at instants."""
        shifted = np.clip((when - self._base) // 10**6, -1, (1 << _BITS) - 2)
        last = np.searchsorted(self._keys, (codes << _BITS) + shifted, side="right")
        first = np.searchsorted(self._keys, codes << _BITS)
        last = np.maximum(last, first)
        return self._sums[last] - self._sums[first], last - first

    def between(self, codes: Ints, after: Ints, until: Ints) -> tuple[Ints, Ints]:
        """Return sums and counts of the events of groups that became known after an instant, and not after another."""
        high, more = self.until(codes, until)
        low, fewer = self.until(codes, after)
        return high - low, more - fewer


def shown(sums: Ints, counts: Ints, *, unit: int = 60) -> Floats:
    """Return means in minutes of sums in seconds; NaN of none."""
    return np.where(counts > 0, sums / np.maximum(counts, 1) / unit, np.nan)
