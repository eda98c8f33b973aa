"""The loop over events."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.begin import begin, gap
from twinlab.simulate.kernel.loops.borrowed import borrowed
from twinlab.simulate.kernel.loops.breakdowns import break_or_repair_node, break_transporter
from twinlab.simulate.kernel.loops.cells import close_cell
from twinlab.simulate.kernel.loops.climate import add_doors, switch_compressor
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import pop, replace_first, set_clock
from twinlab.simulate.kernel.loops.moving import finish_service, mark_aboard
from twinlab.simulate.kernel.loops.pools.dispatching import dispatch
from twinlab.simulate.kernel.loops.pools.service import change_duty
from twinlab.simulate.kernel.loops.queues import new_entity
from twinlab.simulate.kernel.loops.random import ARRIVAL, DESTINATION, DUE, philox
from twinlab.simulate.kernel.loops.serving import FULL, HOLE, enter, settle, wait_for_room
from twinlab.simulate.kernel.loops.tracing import trace
from twinlab.simulate.kernel.loops.transport import step_transporter
from twinlab.simulate.kernel.loops.travel import hour_factor
from twinlab.simulate.kernel.records import BEGUN, HIGHEST, LEG, PENDING, SERVED

__all__ = ["DONE", "FULL_ENTITIES", "run"]

_ARRIVAL: Final = np.uint64(ARRIVAL)
_DESTINATION: Final = np.uint64(DESTINATION)
_DUE: Final = np.uint64(DUE)
_ZERO: Final = np.uint64(0)
#: Results of `run`.
DONE: Final = 0
FULL_ENTITIES: Final = 1


@njit(cache=True, nogil=True, forceinline=True)
def _share(word):
    """Return a number between 0 and 1 of 32 bits."""
    return (float(word) + 0.5) * (1.0 / 4294967296.0)


@njit(cache=True, nogil=True)
def _destination(p, i, u):
    """Return the destination of a source for a number between 0 and 1."""
    source = p.sources[i]
    at = source.first_share + min(int(u * source.shares), source.shares - 1)
    while at > source.first_share and p.shares_to[at - 1] > u:
        at -= 1
    while p.shares_to[at] <= u:
        at += 1
    return p.shares_node[at]


@njit(cache=True, nogil=True)
def _arrive(s, p, o, t, i, u):
    """Make an entity of a source and let it in."""
    source = p.sources[i]
    e = new_entity(s.counts, s.entities)
    one = s.entities[e]
    one.source = source.key
    one.number = s.numbers[i]
    s.numbers[i] += 1
    one.stop = 0
    one.leg = 0
    one.at = -1
    one.kind = source.kind
    one.priority = source.priority
    one.created = t
    one.since = t
    one.target = _destination(p, i, u) if source.shares > 0 else source.target
    one.due = np.inf
    if source.due >= 0:
        one.due = t + draw(
            p.distributions, p.values, source.due, _ZERO, np.uint64(source.key), np.uint64(one.number), _DUE, s.key[0],
            s.key[1],
        )  # fmt: skip
    if enter(s, p, o, t, e, source.node) == FULL:
        wait_for_room(s, source.node, e)


@njit(cache=True, nogil=True)
def _source_event(s, p, o, t):
    """Let the entities of the first source arrive, and draw its next arrival."""
    i = s.source_item[0]
    source = p.sources[i]
    words = philox(np.uint64(s.drawn[i]), np.uint64(source.key), _ZERO, _ARRIVAL, s.key[0], s.key[1])
    # The candidates come at the highest rate; a share of them counts.
    if source.profile < 0 or _share(words[2]) < hour_factor(p, o, source.profile, t):
        if source.batch == 1:
            _arrive(s, p, o, t, i, _share(words[3]))
        else:
            for _ in range(source.batch):
                own = philox(np.uint64(s.numbers[i]), np.uint64(source.key), _ZERO, _DESTINATION, s.key[0], s.key[1])
                _arrive(s, p, o, t, i, _share(own[0]))
    x = gap(s, p, i, words)
    s.drawn[i] += 1
    replace_first(s.source_time, s.source_item, s.source_time.size, t + x, i)


@njit(cache=True, nogil=True)
def _calendar_event(s, p, o):
    """Close cells and change servers up to the next event of the calendar; return the time of the one after it."""
    change = o.place[1]
    switch = o.switch_time[change] if change < o.switch_time.size else np.inf
    if o.edge[0] <= switch:
        close_cell(s, p, o)
    else:
        n = o.switch_node[change]
        o.place[1] = change + 1
        if n >= s.nodes.size:
            change_duty(s, p, o, switch, n - s.nodes.size, o.switch_servers[change])
        else:
            node = s.nodes[n]
            node.planned = o.switch_servers[change]
            if node.down == 0:
                o.node[n].servers_area += (node.planned - node.servers) * (o.edge[0] - switch)
                node.servers = node.planned
                settle(s, p, o, switch, n)
    change = o.place[1]
    return min(o.edge[0], o.switch_time[change] if change < o.switch_time.size else np.inf)


@njit(cache=True, nogil=True)
def _clock_event(s, p, o, t, k):
    """Handle the event of a clock: a transporter's next step, a breakdown, a repair, a thermostat, a door, calls of a pool."""
    units, nodes = s.transporters.size, s.nodes.size
    if k < units:
        step_transporter(s, p, o, t, k)
    elif k < units + nodes:
        break_or_repair_node(s, p, o, t, k - units)
    elif k < 2 * units + nodes:
        break_transporter(s, p, o, t, k - units - nodes)
    elif k < 2 * (units + nodes):
        switch_compressor(s, p, o, t, k - 2 * units - nodes)
    elif k < 2 * units + 3 * nodes:
        set_clock(s.clock_time, s.clock_item, s.clock_place, k, np.inf)
        add_doors(s, p, o, t, k - 2 * (units + nodes), -1)
    else:
        dispatch(s, p, o, t, p.group_of_pool[k - 2 * units - 3 * nodes])


@njit(cache=True, nogil=True)
def run(state, plan, out, now):
    """Advance to a time, exclusive, or until an array is full; return which."""
    # Without reference counts, which take most of the time of small functions.
    s, p, o = borrowed(state), borrowed(plan), borrowed(out)
    if s.counts[BEGUN] == 0:
        begin(s, p, now)
        for n in range(s.nodes.size):
            settle(s, p, o, now, n)
    limit = min(o.edge[0], o.switch_time[o.place[1]] if o.place[1] < o.switch_time.size else np.inf)
    sources, clocks = s.source_time.size, s.clock_time.size
    while True:
        if s.counts[HIGHEST] + o.place[4] > s.entities.size:
            return FULL_ENTITIES
        t = s.pending_time[0] if s.counts[PENDING] > 0 else np.inf
        source = sources > 0 and s.source_time[0] < t
        if source:
            t = s.source_time[0]
        clock = clocks > 0 and s.clock_time[0] < t
        if clock:
            t = s.clock_time[0]
        if t >= limit:
            if limit >= o.edge[1]:
                close_cell(s, p, o)
                mark_aboard(s)
                return DONE
            limit = _calendar_event(s, p, o)
            continue
        if clock:
            _clock_event(s, p, o, t, s.clock_item[0])
        elif source:
            _source_event(s, p, o, t)
        else:
            e = s.pending_entity[0]
            s.counts[HOLE] = 1
            if s.entities[e].stage == SERVED:
                finish_service(s, p, o, t, e)
            else:
                goes = s.entities[e].goes
                one = s.entities[e]
                trace(o, LEG, -1, one.at, goes, one.source, one.number, one.began, one.began, t)
                if enter(s, p, o, t, e, goes) == FULL:
                    s.entities[e].at = -1
                    wait_for_room(s, goes, e)
            if s.counts[HOLE]:
                s.counts[HOLE] = 0
                pop(s.pending_time, s.pending_entity, s.counts[PENDING])
                s.counts[PENDING] -= 1
