"""Which request is served next, and by which transporter."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.heap import set_clock
from twinlab.simulate.kernel.loops.pools.service import call_pool, in_service
from twinlab.simulate.kernel.loops.pools.waiting import first_without_call, oldest_without_call
from twinlab.simulate.kernel.records import EMPTY, IDLE

__all__ = ["dispatch"]

_BY_PRIORITY: Final = 1
_BY_DUE: Final = 2


@njit(cache=True, nogil=True)
def _is_free(s, p, t, k):
    """Whether a transporter can be called: in service, without an order, at a node and sound, or on its way home."""
    one = s.transporters[k]
    return one.leg < 0 and (one.stage == EMPTY or (one.stage == IDLE and t >= one.down_until)) and in_service(s, p, k)


@njit(cache=True, nogil=True)
def _time_to(s, p, t, k, node):
    """Return how long a free transporter takes to a node on average, seconds."""
    one = s.transporters[k]
    way = p.empty_time[p.groups[p.transporters[k].group].pool * s.nodes.size + one.at, node]
    # One on its way home turns off at the next node.
    return way + (s.clock_time[s.clock_place[k]] - t if one.stage == EMPTY else 0.0)


@njit(cache=True, nogil=True)
def _nearest(s, p, t, g, node):
    """Return the free transporter that gets to a node first, of equal ones who has been free longest, and its time; or -1."""
    first = p.groups[g].first_unit
    found, best = -1, np.inf
    for k in range(first, first + p.groups[g].count):
        if not _is_free(s, p, t, k):
            continue
        time = _time_to(s, p, t, k, node)
        if found < 0 or time < best or (time == best and s.transporters[k].began < s.transporters[found].began):
            found, best = k, time
    return found, best


@njit(cache=True, nogil=True)
def _ready_since(s, p, t, g, link, e):
    """Return when enough entities from ``e`` on wait at a link, or one has waited long enough: the past, or an instant ahead."""
    group = p.groups[g]
    if s.links[link].waiting - s.links[link].coming >= group.at_least:
        return t
    return oldest_without_call(s, e) + group.wait_at_most


@njit(cache=True, nogil=True)
def _rank(s, p, link, e):
    """Return by what requests are ordered, least first."""
    order = p.links[link].order
    if order == _BY_PRIORITY:
        return -float(s.entities[e].priority)
    if order == _BY_DUE:
        return s.entities[e].due
    return s.entities[e].since


@njit(cache=True, nogil=True)
def _next_call(s, p, t, g):
    """Return link (as a place among those of the pool) and transporter of the next call; -1 without one, and when to try again."""
    group = p.groups[g]
    place, unit, again = -1, -1, np.inf
    best, since = np.inf, np.inf
    for i in range(group.legs):
        link = p.legs[group.first_leg + i].link
        e = first_without_call(s, link)
        if e < 0:
            continue
        ready = _ready_since(s, p, t, g, link, e)
        if ready > t:
            again = min(again, ready)
            continue
        if group.nearest:
            k, rank = _nearest(s, p, t, g, p.links[link].origin)
        else:
            k, rank = -1, _rank(s, p, link, e)
        if place < 0 or rank < best or (rank == best and s.entities[e].since < since):
            place, unit, best, since = i, k, rank, s.entities[e].since
    if place >= 0 and not group.nearest:
        unit, _ = _nearest(s, p, t, g, p.links[p.legs[group.first_leg + place].link].origin)
    return place, unit, again


@njit(cache=True, nogil=True)
def _some_are_free(s, p, t, g):
    first = p.groups[g].first_unit
    for k in range(first, first + p.groups[g].count):  # noqa: SIM110  (numba)
        if _is_free(s, p, t, k):
            return True
    return False


@njit(cache=True, nogil=True)
def dispatch(s, p, o, t, g):
    """Call free transporters of a pool to who waits for them, and set the time at which the next batch has waited enough."""
    call_pool(s, p, np.inf, g)
    while _some_are_free(s, p, t, g):
        place, k, again = _next_call(s, p, t, g)
        if place < 0:
            call_pool(s, p, again, g)
            return
        one = s.transporters[k]
        one.leg = place
        s.links[p.legs[p.groups[g].first_leg + place].link].coming += p.groups[g].capacity
        o.transporter[k].busy_area += o.edge[0] - t
        if one.stage == IDLE:
            set_clock(s.clock_time, s.clock_item, s.clock_place, k, t)
