"""Rows of the ERP as they are at an instant: which ones a step changes, and what they contain then."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twinlab.plant.network.clocks import Ints
from twinlab.plant.network.names import asset_name
from twinlab.plant.network.parcels import FIRST_NUMBER
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.steps.timetable import Timetable

__all__ = ["Row", "changed_rows", "legs_of"]

#: A table and the values of its columns.
Row = tuple[str, tuple[object, ...]]


def changed_rows(timetable: Timetable, begin: int, end: int) -> Iterator[Row]:
    """Yield the rows that change from ``begin`` until before ``end`` (UTC seconds), as they are at ``end``."""

    def within(seconds: Ints) -> np.ndarray:
        return (seconds >= begin) & (seconds < end)

    parcels, trips = timetable.parcels, timetable.trips
    new = within(parcels.registered)
    yield from _parcels(timetable, np.flatnonzero(new | within(parcels.delivered)), end)
    moved = within(trips.start)[parcels.leg_trip] | within(trips.end)[parcels.leg_trip]
    yield from legs_of(timetable, np.flatnonzero(new[parcels.leg_parcel] | moved), end)
    yield from _loads(timetable, np.flatnonzero(moved), end)
    stays = within(parcels.stay_since) | (within(parcels.stay_until) & (parcels.stay_until > 0))
    for stay in np.flatnonzero(stays).tolist():
        number, since, until = (
            int(column[stay]) for column in (parcels.stay_parcel, parcels.stay_since, parcels.stay_until)
        )
        hub = TOWNS[int(parcels.stay_hub[stay])].code
        yield "stays", (number + FIRST_NUMBER, hub, _when(since), _when(until, end))


def legs_of(timetable: Timetable, legs: Ints, end: int) -> Iterator[Row]:
    """Yield the rows of some legs (indices) as they are at ``end``."""
    parcels, trips = timetable.parcels, timetable.trips
    for leg in legs.tolist():
        trip = int(parcels.leg_trip[leg])
        yield "legs", (
            int(parcels.leg_parcel[leg]) + FIRST_NUMBER, int(parcels.leg_number[leg]), asset_name("trip", trip),
            asset_name("truck", int(trips.truck[trip])), TOWNS[int(trips.origin[trip])].code,
            TOWNS[int(trips.destination[trip])].code, _when(int(trips.planned_start[trip])),
            _when(int(trips.planned_end[trip])), _when(int(trips.start[trip]), end), _when(int(trips.end[trip]), end),
        )  # fmt: skip


def _parcels(timetable: Timetable, numbers: Ints, end: int) -> Iterator[Row]:
    parcels = timetable.parcels
    for number in numbers.tolist():
        yield "parcels", (
            number + FIRST_NUMBER, TOWNS[int(parcels.origin[number])].code, TOWNS[int(parcels.destination[number])].code,
            int(parcels.weight[number]), "express" if parcels.express[number] else "standard",
            int(parcels.chilled[number]), _when(int(parcels.registered[number])), _when(int(parcels.promised[number])),
            _when(int(parcels.delivered[number]), end),
        )  # fmt: skip


def _loads(timetable: Timetable, legs: Ints, end: int) -> Iterator[Row]:
    parcels, trips = timetable.parcels, timetable.trips
    for leg in legs.tolist():
        trip = int(parcels.leg_trip[leg])
        if trips.start[trip] < end:
            truck = asset_name("truck", int(trips.truck[trip]))
            times = _when(int(trips.start[trip])), _when(int(trips.end[trip]), end)
            yield "loads", (int(parcels.leg_parcel[leg]) + FIRST_NUMBER, truck, *times)


def _when(seconds: int, end: int | None = None) -> str | None:
    """Return an instant in UTC as the ERP writes it; None if it isn't before ``end``, or isn't known (0).

    >>> _when(60), _when(60, 60)
    ('1970-01-01 00:01:00', None)
    """
    if not seconds or (end is not None and seconds >= end):
        return None
    return str(np.datetime64(seconds, "s")).replace("T", " ")
