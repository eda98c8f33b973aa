"""What trips carry: bookings that are known, new arrivals, and what becomes of both in one replication."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.stats import poisson

from twinlab.simulate.timetable.draws import Purpose, generator
from twinlab.simulate.timetable.following import follow
from twinlab.simulate.timetable.routing import quickest_paths
from twinlab.simulate.timetable.weeks import hour_of_week, local_seconds

__all__ = ["Carried", "Demand", "Entities", "carry_entities", "next_wave"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_HOUR = 3600


def next_wave(epoch: Floats, wave: float, zone: str | None) -> Floats:
    """Return the next multiple of a time of day on the clocks of a zone, seconds since 1970; the same instant without waves.

    >>> next_wave(np.array([3600.0]), 4 * 3600.0, "Europe/Berlin").tolist()
    [10800.0]
    """
    if not wave:
        return epoch
    clock = local_seconds(epoch, zone)
    return np.asarray(np.ceil(clock / wave) * wave - (clock - epoch))


@dataclass(frozen=True)
class Demand:
    """New entities: how many, from where, to where, and how they are booked."""

    rate: Floats
    """Arrivals an hour by hub and hour of the week, shape ``(hub, 168)``."""
    share: Floats
    """Share of each destination by origin, shape ``(hub, hub)``."""
    lead: float
    """Least time from arrival to the first trip that may be booked, seconds."""
    wave: float
    """Bookings are made for trips from the next multiple of this time of day on, seconds; 0 without such waves."""
    change: float
    """Least time between a planned arrival and the next planned departure of an entity, seconds."""
    most_legs: int
    """Largest number of trips of an entity."""
    delivery: Floats
    """Time from the last arrival until delivery: values at equally spaced probabilities, seconds."""
    promise: float
    """Time from the planned arrival at the destination to what is promised, seconds."""
    more: tuple[tuple[int, float, float, float], ...] = ()
    """Hub, start and end in seconds since the start of the simulation, and factor on the rate from then to then."""
    wave_zone: str | None = field(default=None, metadata={"newer": True})
    """Time zone of the waves of bookings; None is UTC."""
    moved: tuple[tuple[int, int, float, float], ...] = field(default=(), metadata={"newer": True})
    """Hub, the hub where its entities arrive instead, start and end."""

    def ready(self, registered: Floats, epoch: float) -> Floats:
        """Return the planned start from which trips may be booked; both in seconds since ``epoch``."""
        return next_wave(registered + self.lead + epoch, self.wave, self.wave_zone) - epoch


@dataclass(frozen=True)
class Entities:
    """Entities that are known at the start; times in seconds since then."""

    origin: Ints
    destination: Ints
    registered: Floats
    promised: Floats
    """NaN where nothing is promised."""
    delivered: Floats
    """NaN where it isn't delivered yet."""
    first_leg: Ints
    """Entity e has the trips ``leg_trip[first_leg[e]:first_leg[e + 1]]``; none if it isn't booked yet."""
    leg_trip: Ints


@dataclass(frozen=True)
class Carried:
    """Entities of one replication, the known ones first, with the trips that they took or will take."""

    origin: Ints
    destination: Ints
    registered: Floats
    promised: Floats
    delivered: Floats
    leg_entity: Ints
    leg_number: Ints
    leg_trip: Ints
    unplaced: int
    """Entities for which there was no connection within a week."""


def carry_entities(
    entities: Entities,
    demand: Demand,
    *,
    origin: Ints,
    destination: Ints,
    planned: tuple[Floats, Floats],
    actual: tuple[Floats, Floats],
    cancelled: Bools,
    diverted: Bools,
    until: float,
    epoch: int,
    seed: int,
    replication: int,
    zone: str | None,
) -> Carried:
    """Return what becomes of all entities in one replication, given the times of its trips."""
    hubs = len(demand.rate)
    order = np.argsort(planned[0], kind="stable")
    by_hub = np.lexsort((planned[0], origin))
    bounds = np.searchsorted(origin[by_hub], np.arange(hubs + 1))
    usable = ~cancelled & (planned[0] >= 0)
    paths = quickest_paths(
        origin, destination, planned[0], planned[1], usable, order, hubs, demand.change, demand.most_legs
    )
    where, when, ready, which = _arrivals(demand, until, epoch, seed=seed, replication=replication, zone=zone)
    known = len(entities.origin)
    all_origin = np.concatenate([entities.origin, where])
    goal = np.concatenate([entities.destination, np.full(len(where), -1)])
    registered = np.concatenate([entities.registered, when])
    first = np.concatenate([entities.first_leg, np.full(len(where), entities.first_leg[-1])])
    share = np.cumsum(demand.share, axis=1)
    leg_entity, leg_number, leg_trip, arrived = follow(
        all_origin, goal, np.concatenate([entities.registered, ready]), first, entities.leg_trip,
        np.concatenate([np.zeros(known), which]), share, origin, destination, diverted, planned[0], actual[0], actual[1], cancelled, usable,
        by_hub, bounds, paths,
    )  # fmt: skip
    promised = np.concatenate([entities.promised, np.full(len(where), np.nan)])
    last = np.full(len(all_origin), -1)
    last[leg_entity] = leg_trip
    new = np.arange(len(all_origin)) >= known
    promised = np.where(new & (last >= 0), planned[1][last] + demand.promise, promised)
    u = np.concatenate([
        generator(seed, replication, Purpose.DELIVERY).random(known),
        generator(seed, replication, Purpose.DELIVERY_OF_NEW).random(len(where)),
    ])  # fmt: skip
    levels = np.linspace(0, 1, len(demand.delivery))
    # What waits for delivery at the start is delivered later than it.
    least = np.interp(np.nan_to_num(np.maximum(-arrived, 0.0)), demand.delivery, levels, left=0.0)
    lasting = np.interp(least + u * (1 - least), levels, demand.delivery)
    delivered = np.where(arrived < 0, np.maximum(arrived + lasting, 1.0), arrived + lasting)
    delivered[:known] = np.where(np.isnan(entities.delivered), delivered[:known], entities.delivered)
    placed = goal >= 0
    return Carried(
        all_origin,
        goal,
        registered,
        promised,
        delivered,
        leg_entity,
        leg_number,
        leg_trip,
        int(np.count_nonzero(~placed)),
    )


def _arrivals(
    demand: Demand, until: float, epoch: int, *, seed: int, replication: int, zone: str | None
) -> tuple[Ints, Floats, Floats, Floats]:
    """Return hub, time of arrival, time from which trips may be booked, and a uniform number for the destination."""
    hours = np.arange(epoch // _HOUR, (epoch + int(until)) // _HOUR + 1)
    week = hour_of_week(local_seconds(hours * _HOUR, zone).astype("M8[s]"))
    where: list[npt.NDArray[np.generic]] = [np.zeros(0)]
    when, which = ([np.zeros(0)] for _ in range(2))
    for hour, of_week in zip(hours.tolist(), week.tolist(), strict=True):
        # Numbers are found from uniform ones, one stream for each hub and hour: with more demand there are further arrivals
        # after the same ones.
        rates = demand.rate[:, of_week].copy()
        for place, begin, end, factor in demand.more:
            if begin <= (hour + 0.5) * _HOUR - epoch < end:
                rates[place] *= factor
        for place, other, begin, end in demand.moved:
            if begin <= (hour + 0.5) * _HOUR - epoch < end:
                rates[other] += rates[place]
                rates[place] = 0.0
        for place in np.flatnonzero(rates).tolist():
            random = generator(seed, replication, Purpose.ARRIVALS, hour * len(rates) + place)
            many = int(poisson.ppf(random.random(), rates[place]))
            draws = random.random((many, 2))
            where.append(np.full(many, place))
            when.append(hour * _HOUR - epoch + _HOUR * draws[:, 0])
            which.append(draws[:, 1])
    hub, time = np.concatenate(where).astype(np.int64), np.concatenate(when)
    kept = (time >= 0) & (time < until)
    return hub[kept], time[kept], demand.ready(time[kept], epoch), np.concatenate(which)[kept]
