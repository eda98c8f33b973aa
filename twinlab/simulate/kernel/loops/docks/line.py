"""The line of transporters before the docks of a node."""

from __future__ import annotations

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.heap import set_clock

__all__ = ["admit", "occupy", "vacate"]


@njit(cache=True, nogil=True)
def occupy(s, p, o, t, k, n, in_line):
    """Give a transporter a dock of a node; return False if it has to wait in line, where it has the stage ``in_line``."""
    limit, node, one = p.nodes[n].docks, s.nodes[n], s.transporters[k]
    # Who comes out of the line was given its dock when it became free.
    if limit < 0 or one.stage == in_line:
        return True
    if node.docked < limit:
        node.docked += 1
        o.node[n].docked_area += o.edge[0] - t
        return True
    one.stage = in_line
    one.next = -1
    if node.first_in_line == 0:
        node.first_in_line = k + 1
    else:
        s.transporters[node.last_in_line - 1].next = k
    node.last_in_line = k + 1
    node.in_line += 1
    o.node[n].line_area += o.edge[0] - t
    set_clock(s.clock_time, s.clock_item, s.clock_place, k, np.inf)
    return False


@njit(cache=True, nogil=True)
def _call_first(s, o, t, n):
    """Let the first in line go to the dock that it was given."""
    node = s.nodes[n]
    k = node.first_in_line - 1
    node.first_in_line = s.transporters[k].next + 1
    s.transporters[k].next = -1
    node.in_line -= 1
    o.node[n].line_area -= o.edge[0] - t
    set_clock(s.clock_time, s.clock_item, s.clock_place, k, t)


@njit(cache=True, nogil=True)
def admit(s, p, o, t, n):
    """Give docks that a node has more than before to who waits in line."""
    node = s.nodes[n]
    while node.in_line > 0 and node.docked < p.nodes[n].docks:
        node.docked += 1
        o.node[n].docked_area += o.edge[0] - t
        _call_first(s, o, t, n)


@njit(cache=True, nogil=True)
def vacate(s, p, o, t, n):
    """Free a dock of a node, and give it to the first in line."""
    limit, node = p.nodes[n].docks, s.nodes[n]
    if limit < 0:
        return
    # There may be more than there are docks: in a state from tables, or since a scenario closed one.
    if node.in_line == 0 or node.docked > limit:
        node.docked -= 1
        o.node[n].docked_area -= o.edge[0] - t
        return
    _call_first(s, o, t, n)
