"""Entities at nodes: enter, be served, leave; and who may move up when a server or a place becomes free."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.borrowed import prefetch
from twinlab.simulate.kernel.loops.climate import add_busy
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import push, replace_first, set_clock
from twinlab.simulate.kernel.loops.queues import free_entity, queue_pop, queue_push
from twinlab.simulate.kernel.loops.random import SERVICE
from twinlab.simulate.kernel.loops.tracing import trace
from twinlab.simulate.kernel.records import BLOCKED, LEG, PENDING, SERVED, WAITING

__all__ = ["enter", "later", "leave_server", "settle", "wait_for_room"]

_SERVICE: Final = np.uint64(SERVICE)
#: Results of `enter`.
IN: Final = 0
LOST: Final = 1
FULL: Final = 2
#: Whether the first pending event is the one under way, whose place is free.
HOLE: Final = 4


@njit(cache=True, nogil=True, forceinline=True)
def later(s, time, e):
    """Add an event of an entity."""
    if s.counts[HOLE]:
        s.counts[HOLE] = 0
        replace_first(s.pending_time, s.pending_entity, s.counts[PENDING], time, e)
    else:
        push(s.pending_time, s.pending_entity, s.counts[PENDING], time, e)
        s.counts[PENDING] += 1


@njit(cache=True, nogil=True, forceinline=True)
def _add_busy(s, p, o, t, n, change):
    if p.nodes[n].heated:
        add_busy(s, p, o, t, n, change)
    else:
        s.nodes[n].busy += change


@njit(cache=True, nogil=True, forceinline=True)
def _start(s, p, o, t, e, n):
    """Begin a service at a free server."""
    one = s.entities[e]
    x = draw(
        p.distributions, p.values, p.service[n, one.kind], np.uint64(one.stop), np.uint64(one.source), np.uint64(one.number),
        _SERVICE, s.key[0], s.key[1],
    )  # fmt: skip
    one.stop += 1
    one.stage = SERVED
    one.began = t
    if s.nodes[n].stopped != 0.0:
        s.extras[e].paused = s.nodes[n].stopped
    _add_busy(s, p, o, t, n, 1)
    cell = o.node[n]
    cell.busy_area += o.edge[0] - t
    cell.wait += t - one.since
    cell.started += 1.0
    later(s, t + x, e)


@njit(cache=True, nogil=True, forceinline=True)
def enter(s, p, o, t, e, n):
    """Let an entity in at a node, to a server or the queue, if there is room; return what became of it."""
    node = s.nodes[n]
    if node.busy < node.servers and node.waiting == 0:
        s.entities[e].at = n
        s.entities[e].since = t
        o.node[n].arrivals += 1.0
        _start(s, p, o, t, e, n)
        return IN
    room = p.nodes[n].buffer
    if room < 0 or node.waiting < room:
        s.entities[e].at = n
        s.entities[e].since = t
        s.entities[e].stage = WAITING
        queue_push(s.entities, s.extras, s.nodes, n, p.nodes[n].order, e)
        o.node[n].arrivals += 1.0
        o.node[n].queue_area += o.edge[0] - t
        return IN
    if p.nodes[n].reject:
        o.node[n].arrivals += 1.0
        o.node[n].rejected += 1.0
        free_entity(s.counts, s.entities, e)
        return LOST
    return FULL


@njit(cache=True, nogil=True)
def wait_for_room(s, n, sender):
    """Add an entity, or transporter k as -2 - k, to those that wait for room at a node."""
    if sender >= 0:
        s.entities[sender].next = -1
        s.entities[sender].goes = n
        s.entities[sender].stage = BLOCKED
    else:
        s.transporters[-2 - sender].next = -1
    if s.nodes[n].first_sender == -1:
        s.nodes[n].first_sender = sender
    else:
        last = s.nodes[n].last_sender
        if last >= 0:
            s.entities[last].next = sender
        else:
            s.transporters[-2 - last].next = sender
    s.nodes[n].last_sender = sender


@njit(cache=True, nogil=True, forceinline=True)
def _serve_next(s, p, o, t, n):
    e = queue_pop(s.entities, s.extras, s.nodes, n, p.nodes[n].order)
    # It is next at this node, some events from now.
    prefetch(s.entities, s.nodes[n].first)
    o.node[n].queue_area -= o.edge[0] - t
    _start(s, p, o, t, e, n)


@njit(cache=True, nogil=True)
def _admit(s, p, o, t, n):
    """Let the first sender that waits for room in; return the node where it frees a server, or -1."""
    sender = s.nodes[n].first_sender
    if sender < 0:
        k = -2 - sender
        e = s.transporters[k].first
        one = s.entities[e]
        trace(o, LEG, k, one.at, n, one.source, one.number, s.transporters[k].began, s.transporters[k].began, t)
        s.transporters[k].first = s.entities[e].next
        s.transporters[k].load -= 1
        o.transporter[k].load_area -= o.edge[0] - t
        if s.transporters[k].load == 0:
            s.nodes[n].first_sender = s.transporters[k].next
            s.transporters[k].next = -1
            set_clock(s.clock_time, s.clock_item, s.clock_place, k, t)
        enter(s, p, o, t, e, n)
        return -1
    s.nodes[n].first_sender = s.entities[sender].next
    came = s.entities[sender].at
    enter(s, p, o, t, sender, n)
    if came >= 0:
        _add_busy(s, p, o, t, came, -1)
        s.nodes[came].blocked -= 1
        o.node[came].busy_area -= o.edge[0] - t
        o.node[came].blocked_area -= o.edge[0] - t
    return came


@njit(cache=True, nogil=True)
def settle(s, p, o, t, n):
    """Serve who waits at a node and let in who waits for room, and so on upstream."""
    size = 1
    o.work[0] = n
    while size > 0:
        n = o.work[size - 1]
        node = s.nodes[n]
        if node.busy < node.servers and node.waiting > 0:
            _serve_next(s, p, o, t, n)
            continue
        room = p.nodes[n].buffer
        if node.first_sender != -1 and (node.waiting < room or (node.busy < node.servers and node.waiting == 0)):
            came = _admit(s, p, o, t, n)
            known = came < 0
            for i in range(size):
                # It is examined again after those above it.
                known = known or o.work[i] == came
            if not known:
                o.work[size] = came
                size += 1
            continue
        size -= 1


@njit(cache=True, nogil=True, forceinline=True)
def leave_server(s, p, o, t, n):
    """Free a server, and serve the next."""
    node = s.nodes[n]
    _add_busy(s, p, o, t, n, -1)
    o.node[n].busy_area -= o.edge[0] - t
    if node.first_sender != -1:
        settle(s, p, o, t, n)
    elif node.waiting > 0 and node.busy < node.servers:
        _serve_next(s, p, o, t, n)
