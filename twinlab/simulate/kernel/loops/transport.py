"""Transporters: wait for a load, load, drive, unload, turn round."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.borrowed import prefetch
from twinlab.simulate.kernel.loops.climate import add_doors
from twinlab.simulate.kernel.loops.docks.line import occupy, vacate
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import set_clock
from twinlab.simulate.kernel.loops.moving import take_load
from twinlab.simulate.kernel.loops.pools.driving import step_without_load
from twinlab.simulate.kernel.loops.pools.service import in_service
from twinlab.simulate.kernel.loops.random import LOAD, TRAVEL, TURN, UNLOAD
from twinlab.simulate.kernel.loops.serving import FULL, enter, wait_for_room
from twinlab.simulate.kernel.loops.tracing import trace
from twinlab.simulate.kernel.loops.travel import travel_time
from twinlab.simulate.kernel.records import (
    DRIVING,
    EMPTY,
    HOLDING,
    IDLE,
    LEG,
    LINE_TO_LOAD,
    LINE_TO_UNLOAD,
    LOADING,
    READY,
    SCHEDULED,
    STUCK,
    TRIP,
    UNLOADING,
)

__all__ = ["step_transporter"]

_LOAD: Final = np.uint64(LOAD)
_TRAVEL: Final = np.uint64(TRAVEL)
_UNLOAD: Final = np.uint64(UNLOAD)
_TURN: Final = np.uint64(TURN)


@njit(cache=True, nogil=True)
def _drawn(s, p, k, which, purpose):
    unit, one = p.transporters[k], s.transporters[k]
    count, owner, number = np.uint64(one.trip), np.uint64(unit.source), np.uint64(unit.number)
    if p.groups[unit.group].pool >= 0 and one.load > 0:
        # Which transporter was called depends on the order of events; who is carried doesn't.
        first = s.entities[one.first]
        count, owner, number = np.uint64(first.stop), np.uint64(first.source), np.uint64(first.number)
    return draw(p.distributions, p.values, which, count, owner, number, purpose, s.key[0], s.key[1])


@njit(cache=True, nogil=True)
def _hold(s, p, t, k, link):
    """Whether a transporter waits for more entities; then it is in the link's list."""
    group = p.groups[p.transporters[k].group]
    one = s.transporters[k]
    way = s.links[link]
    if one.stage != HOLDING:
        one.until = t + group.wait_at_most
    if way.waiting >= group.at_least or t >= one.until:
        return False
    one.stage = HOLDING
    one.next = -1
    if way.first_holding < 0:
        way.first_holding = k
    else:
        s.transporters[way.last_holding].next = k
    way.last_holding = k
    set_clock(s.clock_time, s.clock_item, s.clock_place, k, one.until)
    return True


@njit(cache=True, nogil=True)
def _stop_holding(s, k, link):
    """Remove a transporter from the list of a link, where it is in it."""
    before = -1
    other = s.links[link].first_holding
    while other >= 0 and other != k:
        before, other = other, s.transporters[other].next
    if other < 0:
        return
    if before < 0:
        s.links[link].first_holding = s.transporters[k].next
    else:
        s.transporters[before].next = s.transporters[k].next
    if s.links[link].last_holding == k:
        s.links[link].last_holding = before
    s.transporters[k].next = -1


@njit(cache=True, nogil=True)
def _first_departure(o, low, high, t):
    """Return the place of the first departure of a timetable that isn't before a time."""
    while low < high:
        middle = (low + high) // 2
        if o.departures[middle] < t:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _next_departure(s, p, o, t, g, leg):
    """Return the first departure of the timetable that no other has taken, and take it."""
    every = p.groups[g].every
    if every > 0.0:
        number = math.ceil(t / every)
        if number * every <= s.taken[leg]:
            number = round(s.taken[leg] / every) + 1
        found = number * every
    else:
        low, high = o.departures_first[leg], o.departures_first[leg + 1]
        at = _first_departure(o, low, high, t)
        while at < high and o.departures[at] <= s.taken[leg]:
            at += 1
        found = o.departures[at] if at < high else np.inf
    s.taken[leg] = found
    return found


@njit(cache=True, nogil=True)
def _depart(s, p, o, t, k, leg):
    """Begin a trip; return how long it takes."""
    g = p.transporters[k].group
    one = s.transporters[k]
    x = travel_time(p, o, t, g, _drawn(s, p, k, p.legs[leg].travel, _TRAVEL))
    one.trip += 1
    one.stage = DRIVING
    one.began = t
    cell = o.transporter[k]
    cell.trips += 1.0
    cell.distance += p.legs[leg].distance
    cell.driving_area += o.edge[0] - t
    return x


@njit(cache=True, nogil=True)
def _unload(s, p, o, t, k, link):
    """Bring the load to the end of a link; return whether all of it found room."""
    one = s.transporters[k]
    origin, node = p.links[link].origin, p.links[link].destination
    while one.load > 0:
        e = one.first
        following = s.entities[e].next
        # By the time that this one is in, the next one has come from memory.
        prefetch(s.entities, following)
        source, number = s.entities[e].source, s.entities[e].number
        if enter(s, p, o, t, e, node) == FULL:
            one.stage = STUCK
            wait_for_room(s, node, -2 - k)
            set_clock(s.clock_time, s.clock_item, s.clock_place, k, np.inf)
            return False
        trace(o, LEG, k, origin, node, source, number, one.began, one.began, t)
        one.first = following
        one.load -= 1
        o.transporter[k].load_area -= o.edge[0] - t
    return True


@njit(cache=True, nogil=True)
def _may_load(s, p, o, t, k, leg):
    """Whether a transporter at a node loads now; else it waits for its departure or for more entities."""
    g = p.transporters[k].group
    one = s.transporters[k]
    link = p.legs[leg].link
    if not in_service(s, p, k):
        if one.stage == HOLDING:
            _stop_holding(s, k, link)
        one.stage = READY
        set_clock(s.clock_time, s.clock_item, s.clock_place, k, np.inf)
        return False
    if one.stage == SCHEDULED:
        return True
    if p.groups[g].every > 0.0 or o.departures_first[leg] < o.departures_first[leg + 1]:
        departure = _next_departure(s, p, o, t, g, leg)
        one.stage = SCHEDULED
        if departure > t:
            set_clock(s.clock_time, s.clock_item, s.clock_place, k, departure)
        return departure <= t
    if one.stage == HOLDING:
        _stop_holding(s, k, link)
    return not _hold(s, p, t, k, link)


@njit(cache=True, nogil=True)
def step_transporter(s, p, o, t, k):
    """Do what a transporter does at a time, until something takes time."""
    one = s.transporters[k]
    if t < one.down_until:
        set_clock(s.clock_time, s.clock_item, s.clock_place, k, one.down_until)
        return
    g = p.transporters[k].group
    first, size, pooled = p.groups[g].first_leg, p.groups[g].legs, p.groups[g].pool >= 0
    while True:
        empty = one.stage == READY or one.stage == IDLE or one.stage == EMPTY or one.stage == LINE_TO_LOAD  # noqa: PLR1714  (numba)
        if pooled and empty and not step_without_load(s, p, o, t, k):
            return
        leg = first + one.leg
        link = p.legs[leg].link
        x = 0.0
        if empty or one.stage == HOLDING or one.stage == SCHEDULED:  # noqa: PLR1714  (numba)
            if not pooled and not (one.stage == LINE_TO_LOAD or _may_load(s, p, o, t, k, leg)):
                return
            if not pooled and not occupy(s, p, o, t, k, p.links[link].origin, LINE_TO_LOAD):
                return
            take_load(s, o, t, link, k, p.groups[g].capacity)
            one.stage = LOADING
            if p.nodes[p.links[link].origin].doored:
                add_doors(s, p, o, t, p.links[link].origin, 1)
            x = _drawn(s, p, k, p.groups[g].loading, _LOAD)
        elif one.stage == LOADING:
            if p.nodes[p.links[link].origin].doored:
                add_doors(s, p, o, t, p.links[link].origin, -1)
            vacate(s, p, o, t, p.links[link].origin)
            x = _depart(s, p, o, t, k, leg)
        elif one.stage == DRIVING or one.stage == LINE_TO_UNLOAD:  # noqa: PLR1714  (numba)
            if one.stage == DRIVING:
                o.transporter[k].driving_area -= o.edge[0] - t
                trace(
                    o, TRIP, k, p.links[link].origin, p.links[link].destination, one.load, leg, one.began, one.began, t
                )
            if not occupy(s, p, o, t, k, p.links[link].destination, LINE_TO_UNLOAD):
                return
            one.stage = UNLOADING
            if p.nodes[p.links[link].destination].doored:
                add_doors(s, p, o, t, p.links[link].destination, 1)
            x = _drawn(s, p, k, p.groups[g].unloading, _UNLOAD)
        else:
            # At the end of unloading, or once the last of its load found room.
            if not _unload(s, p, o, t, k, link):
                return
            if p.nodes[p.links[link].destination].doored:
                add_doors(s, p, o, t, p.links[link].destination, -1)
            vacate(s, p, o, t, p.links[link].destination)
            if pooled:
                one.at = p.links[link].destination
            else:
                one.leg = one.leg + 1 if one.leg + 1 < size else 0
            one.stage = READY
            x = _drawn(s, p, k, p.groups[g].turnaround, _TURN)
        if x > 0.0:
            set_clock(s.clock_time, s.clock_item, s.clock_place, k, t + x)
            return
