"""Entities between nodes: where to next, by themselves or with a transporter, and out of the network."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import set_clock
from twinlab.simulate.kernel.loops.pools.service import call_pool
from twinlab.simulate.kernel.loops.pools.waiting import join_link
from twinlab.simulate.kernel.loops.queues import free_entity
from twinlab.simulate.kernel.loops.random import MOVE, ROUTE, philox, uniform
from twinlab.simulate.kernel.loops.serving import FULL, enter, later, leave_server, wait_for_room
from twinlab.simulate.kernel.loops.tracing import trace
from twinlab.simulate.kernel.records import ABOARD, MOVING, OUTBOUND, VISIT

__all__ = ["finish_service", "mark_aboard", "take_load", "wait_for_transporter"]

_ROUTE: Final = np.uint64(ROUTE)
_MOVE: Final = np.uint64(MOVE)


@njit(cache=True, nogil=True)
def _by_chance(s, p, e, n):
    """Draw the next node by the transitions; -1 leaves."""
    first, last = p.chances_first[n], p.chances_first[n + 1]
    if first == last:
        return -1
    one = s.entities[e]
    w0, w1, _, _ = philox(np.uint64(one.stop), np.uint64(one.source), np.uint64(one.number), _ROUTE, s.key[0], s.key[1])
    u = uniform(w0, w1)
    for i in range(first, last):
        if u < p.chances_to[i]:
            return p.chances_node[i]
    return -1


@njit(cache=True, nogil=True, forceinline=True)
def _next_node(s, p, e, n):
    """Return where an entity goes from a node; -1 leaves the network."""
    target = s.entities[e].target
    if target >= 0:
        return -1 if target == n else p.next_hop[n, target]
    if target == -1:
        return _by_chance(s, p, e, n)
    at = p.routes_first[-2 - target] + s.entities[e].leg
    if at == p.routes_first[-1 - target]:
        return -1
    s.entities[e].leg += 1
    return p.routes_node[at]


@njit(cache=True, nogil=True, forceinline=True)
def _leave_network(s, o, t, e, n):
    one = s.entities[e]
    cell = o.node[n]
    cell.delivered += 1.0
    cell.sojourn += t - one.created
    if one.due < np.inf:
        cell.with_due += 1.0
        if t <= one.due:
            cell.on_time += 1.0
    free_entity(s.counts, s.entities, e)


@njit(cache=True, nogil=True)
def wait_for_transporter(s, p, o, t, e, link):
    """Let an entity wait at a link; a transporter that waits for enough of them is woken."""
    way = s.links[link]
    one = s.entities[e]
    one.stage = OUTBOUND
    one.since = t
    join_link(s, p, e, link)
    s.nodes[one.at].outbound += 1
    o.node[one.at].outbound_area += o.edge[0] - t
    for i in range(p.links[link].first_pool, p.links[link].first_pool + p.links[link].pools):
        call_pool(s, p, t, p.pools_of_links[i])
    k = way.first_holding
    if k >= 0 and way.waiting >= p.groups[p.transporters[k].group].at_least:
        way.first_holding = s.transporters[k].next
        s.transporters[k].next = -1
        set_clock(s.clock_time, s.clock_item, s.clock_place, k, t)


@njit(cache=True, nogil=True)
def take_load(s, o, t, link, k, most):
    """Put up to ``most`` entities that wait for a link aboard a transporter, the first ones first."""
    way = s.links[link]
    count = min(most, way.waiting)
    if count == 0:
        return
    one = s.transporters[k]
    one.first = way.first
    origin = s.entities[way.first].at
    joined = way.joined
    if count == way.waiting:
        # All of them: without a walk through cold memory.
        one.last = way.last
        way.first = -1
        way.joined = 0.0
    else:
        joined = 0.0
        e = way.first
        for _ in range(count):
            joined += s.entities[e].since
            one.last = e
            e = s.entities[e].next
        way.first = e
        way.joined -= joined
        s.entities[one.last].next = -1
    o.transporter[k].wait += count * t - joined
    way.waiting -= count
    one.load = count
    s.nodes[origin].outbound -= count
    o.node[origin].outbound_area -= count * (o.edge[0] - t)
    o.transporter[k].load_area += count * (o.edge[0] - t)
    o.transporter[k].carried += count


@njit(cache=True, nogil=True)
def mark_aboard(s):
    """Set the stage of the entities aboard, at the end of a span: at each departure it would take a walk through cold memory."""
    for k in range(s.transporters.size):
        e = s.transporters[k].first
        for _ in range(s.transporters[k].load):
            s.entities[e].stage = ABOARD
            e = s.entities[e].next


@njit(cache=True, nogil=True, forceinline=True)
def finish_service(s, p, o, t, e):
    """Send an entity on whose service ends."""
    n = s.entities[e].at
    one = s.entities[e]
    stopped = s.nodes[n].stopped
    if stopped != 0.0:
        paused = s.extras[e].paused
        if paused != stopped:
            # The node was down meanwhile: the service goes on for as long.
            later(s, t + (stopped - paused), e)
            s.extras[e].paused = stopped
            return
        s.extras[e].paused = 0.0
    o.node[n].served += 1.0
    trace(o, VISIT, n, one.kind, 0, one.source, one.number, one.since, one.began, t)
    goes = _next_node(s, p, e, n)
    if goes < 0:
        _leave_network(s, o, t, e, n)
        leave_server(s, p, o, t, n)
        return
    link = p.link_of[n, goes]
    s.entities[e].goes = goes
    if p.links[link].carried:
        wait_for_transporter(s, p, o, t, e, link)
        leave_server(s, p, o, t, n)
        return
    x = draw(
        p.distributions, p.values, p.links[link].travel, np.uint64(one.stop), np.uint64(one.source), np.uint64(one.number),
        _MOVE, s.key[0], s.key[1],
    )  # fmt: skip
    if x > 0.0:
        one.stage = MOVING
        one.began = t
        later(s, t + x, e)
        leave_server(s, p, o, t, n)
    elif enter(s, p, o, t, e, goes) == FULL:
        wait_for_room(s, goes, e)
        s.nodes[n].blocked += 1
        o.node[n].blocked_area += o.edge[0] - t
    else:
        leave_server(s, p, o, t, n)
