"""A transporter of a pool that has no load: free, on its way to who called it, or on its way home."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.docks.line import occupy, vacate
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import set_clock
from twinlab.simulate.kernel.loops.pools.dispatching import dispatch
from twinlab.simulate.kernel.loops.random import TRAVEL
from twinlab.simulate.kernel.loops.tracing import trace
from twinlab.simulate.kernel.loops.travel import travel_time
from twinlab.simulate.kernel.records import EMPTY, IDLE, LINE_TO_LOAD, READY, TRIP

__all__ = ["step_without_load"]

_TRAVEL: Final = np.uint64(TRAVEL)


@njit(cache=True, nogil=True)
def _drive(s, p, o, t, k, towards):
    """Begin the drive over the next link on the way to a node."""
    unit, one = p.transporters[k], s.transporters[k]
    pool = p.groups[unit.group].pool
    drive = p.drives[p.next_drive[pool * s.nodes.size + one.at, towards]]
    x = draw(
        p.distributions, p.values, drive.travel, np.uint64(one.trip), np.uint64(unit.source), np.uint64(unit.number), _TRAVEL,
        s.key[0], s.key[1],
    )  # fmt: skip
    one.trip += 1
    one.stage = EMPTY
    one.began = t
    one.came = one.at
    one.at = drive.destination
    cell = o.transporter[k]
    cell.trips += 1.0
    cell.distance += drive.distance
    cell.empty_distance += drive.distance
    cell.driving_area += o.edge[0] - t
    cell.empty_area += o.edge[0] - t
    set_clock(s.clock_time, s.clock_item, s.clock_place, k, t + travel_time(p, o, t, unit.group, x))


@njit(cache=True, nogil=True)
def _release(s, o, t, k):
    """Let a transporter be free after an order."""
    one = s.transporters[k]
    if one.leg >= 0:
        one.leg = -1
        o.transporter[k].busy_area -= o.edge[0] - t
    one.stage = IDLE
    one.began = t


@njit(cache=True, nogil=True)
def step_without_load(s, p, o, t, k):
    """Do what a transporter without a load does at a time; return whether it loads now."""
    one = s.transporters[k]
    g = p.transporters[k].group
    if one.stage == EMPTY:
        o.transporter[k].driving_area -= o.edge[0] - t
        o.transporter[k].empty_area -= o.edge[0] - t
        # Its number is that of a leg, or behind those of all legs that of a group.
        trace(o, TRIP, k, one.came, one.at, 0, p.legs.size + g, one.began, one.began, t)
        one.stage = IDLE
        one.began = t
    elif one.stage == READY:
        _release(s, o, t, k)
    while True:
        if one.leg < 0:
            set_clock(s.clock_time, s.clock_item, s.clock_place, k, np.inf)
            dispatch(s, p, o, t, g)
        if one.leg < 0:
            home = p.groups[g].home
            if home >= 0 and home != one.at:
                _drive(s, p, o, t, k, home)
            return False
        link = p.legs[p.groups[g].first_leg + one.leg].link
        origin = p.links[link].origin
        if one.at != origin:
            _drive(s, p, o, t, k, origin)
            return False
        if not occupy(s, p, o, t, k, origin, LINE_TO_LOAD):
            return False
        s.links[link].coming -= p.groups[g].capacity
        if s.links[link].waiting > 0:
            return True
        vacate(s, p, o, t, origin)
        # Who called went another way meanwhile.
        _release(s, o, t, k)
