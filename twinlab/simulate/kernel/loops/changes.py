"""From one description to another during a run: servers, arrivals, transporters in service, ways, buffers."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.borrowed import borrowed
from twinlab.simulate.kernel.loops.climate import anchor, schedule_thermostat
from twinlab.simulate.kernel.loops.docks.line import admit
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import push, set_clock
from twinlab.simulate.kernel.loops.moving import wait_for_transporter
from twinlab.simulate.kernel.loops.pools.service import call_pool, in_service, wake
from twinlab.simulate.kernel.loops.random import MOVE
from twinlab.simulate.kernel.loops.serving import later, settle
from twinlab.simulate.kernel.records import HOLDING, MOVING, READY, SCHEDULED

__all__ = ["change_over"]

_MOVE: Final = np.uint64(MOVE)


@njit(cache=True, nogil=True)
def _change_arrivals(s, t, factors):
    """Multiply the time to the next arrival of each source by a factor."""
    # The heap grows over the places that it is read from.
    for i in range(s.source_time.size):
        time, item = s.source_time[i], s.source_item[i]
        if factors[item] != 1.0:
            time = t + (time - t) * factors[item]
        push(s.source_time, s.source_item, i, time, item)


@njit(cache=True, nogil=True)
def _change_transporters(s, q, p, t, dispatched):
    """Wake transporters that are in service again, or whose rule of departure is another one."""
    for k in range(s.transporters.size):
        one, group = s.transporters[k], p.transporters[k].group
        if q.transporters[k].out_of_service and in_service(s, p, k):
            wake(s, p, t, k)
        if dispatched[group] and (one.stage == HOLDING or one.stage == SCHEDULED):  # noqa: PLR1714  (numba)
            if one.stage == SCHEDULED:
                one.stage = READY
            set_clock(s.clock_time, s.clock_item, s.clock_place, k, t)
    for g in range(p.groups.size):
        if dispatched[g] and p.groups[g].pool >= 0:
            call_pool(s, p, t, g)
        elif dispatched[g]:
            for leg in range(p.groups[g].first_leg, p.groups[g].first_leg + p.groups[g].legs):
                s.taken[leg] = -np.inf


@njit(cache=True, nogil=True)
def _change_ways(s, p, o, t):
    """Send entities that wait for a transporter the way that they go now."""
    for place in range(s.links.size):
        way, n = s.links[place], p.links[place].origin
        count, e = way.waiting, way.first
        way.first, way.last, way.waiting, way.joined = -1, -1, 0, 0.0
        s.nodes[n].outbound -= count
        o.node[n].outbound_area -= count * (o.edge[0] - t)
        for _ in range(count):
            one = s.entities[e]
            following, since = one.next, one.since
            if one.target >= 0 and p.next_hop[n, one.target] >= 0:
                one.goes = p.next_hop[n, one.target]
            link = p.link_of[n, one.goes]
            if p.links[link].carried:
                wait_for_transporter(s, p, o, t, e, link)
                one.since = since
                s.links[link].joined += since - t
            else:
                x = draw(
                    p.distributions, p.values, p.links[link].travel, np.uint64(one.stop), np.uint64(one.source),
                    np.uint64(one.number), _MOVE, s.key[0], s.key[1],
                )  # fmt: skip
                one.stage = MOVING
                one.began = t
                later(s, t + x, e)
            e = following


@njit(cache=True, nogil=True)
def change_over(state, before, plan, out, t, servers, factors, dispatched, rerouted):
    """Go on with another plan of the same nodes, links, transporters and sources.

    What has begun ends as it began: services and trips take the time that was drawn.
    """
    s, q, p, o = borrowed(state), borrowed(before), borrowed(plan), borrowed(out)
    for n in range(s.nodes.size):
        node = s.nodes[n]
        node.planned = servers[n]
        if node.down == 0:
            o.node[n].servers_area += (node.planned - node.servers) * (o.edge[0] - t)
            node.servers = node.planned
        if p.nodes[n].climate >= 0:
            anchor(s, q, o, t, n)
            schedule_thermostat(s, p, t, n)
    _change_arrivals(s, t, factors)
    _change_transporters(s, q, p, t, dispatched)
    if rerouted:
        _change_ways(s, p, o, t)
    for n in range(s.nodes.size):
        admit(s, p, o, t, n)
        settle(s, p, o, t, n)
