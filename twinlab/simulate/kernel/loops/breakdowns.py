"""Breakdowns and repairs of nodes and transporters."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import set_clock
from twinlab.simulate.kernel.loops.random import REPAIR, UPTIME
from twinlab.simulate.kernel.loops.serving import settle
from twinlab.simulate.kernel.loops.tracing import trace
from twinlab.simulate.kernel.records import HOLDING, IDLE, NODE_DOWN, SCHEDULED, STUCK, TRANSPORTER_DOWN

__all__ = ["add_down", "break_or_repair_node", "break_transporter"]

_UPTIME: Final = np.uint64(UPTIME)
_REPAIR: Final = np.uint64(REPAIR)
_ZERO: Final = np.uint64(0)


@njit(cache=True, nogil=True)
def break_or_repair_node(s, p, o, t, n):
    """Stop all servers of a node, or let them go on; services under way are interrupted."""
    node, what = s.nodes[n], p.nodes[n]
    clock = s.transporters.size + n
    if node.down:
        node.down = 0
        node.servers = node.planned
        o.node[n].servers_area += node.servers * (o.edge[0] - t)
        o.node[n].down_area -= o.edge[0] - t
        node.breakdowns += 1
        x = draw(
            p.distributions, p.values, what.uptime, np.uint64(node.breakdowns), np.uint64(what.key), _ZERO, _UPTIME, s.key[0],
            s.key[1],
        )  # fmt: skip
        set_clock(s.clock_time, s.clock_item, s.clock_place, clock, t + x)
        settle(s, p, o, t, n)
        return
    x = draw(
        p.distributions, p.values, what.repair, np.uint64(node.breakdowns), np.uint64(what.key), _ZERO, _REPAIR, s.key[0], s.key[1]
    )  # fmt: skip
    node.down = 1
    node.stopped += x
    o.node[n].servers_area -= node.servers * (o.edge[0] - t)
    o.node[n].down_area += o.edge[0] - t
    node.servers = 0
    set_clock(s.clock_time, s.clock_item, s.clock_place, clock, t + x)
    trace(o, NODE_DOWN, n, 0, 0, 0, 0, t, t, t + x)


@njit(cache=True, nogil=True)
def add_down(o, k, start, stop):
    """Add the part of a repair that falls into the present cell."""
    o.transporter[k].down_area += max(min(stop, o.edge[0]) - start, 0.0)


@njit(cache=True, nogil=True)
def break_transporter(s, p, o, t, k):
    """Stop a transporter for a repair; what it is doing ends later by that."""
    unit, one = p.transporters[k], s.transporters[k]
    group = p.groups[unit.group]
    owner, number, count = np.uint64(unit.source), np.uint64(unit.number), np.uint64(one.breakdowns)
    x = draw(p.distributions, p.values, group.repair, count, owner, number, _REPAIR, s.key[0], s.key[1])
    one.down_until = t + x
    one.breakdowns += 1
    add_down(o, k, t, one.down_until)
    trace(o, TRANSPORTER_DOWN, k, 0, 0, 0, 0, t, t, t + x)
    pending = s.clock_time[s.clock_place[k]]
    if one.stage == SCHEDULED:
        pending = max(pending, one.down_until)
    elif one.stage == IDLE and one.leg < 0:
        pending = one.down_until
    elif one.stage != HOLDING and one.stage != STUCK:  # noqa: PLR1714  (numba)
        pending += x
    set_clock(s.clock_time, s.clock_item, s.clock_place, k, pending)
    count = np.uint64(one.breakdowns)
    x = draw(p.distributions, p.values, group.uptime, count, owner, number, _UPTIME, s.key[0], s.key[1])
    set_clock(s.clock_time, s.clock_item, s.clock_place, s.transporters.size + s.nodes.size + k, one.down_until + x)
