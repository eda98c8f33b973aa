"""The line of transporters before the docks of a node."""

from __future__ import annotations

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.heap import set_clock

__all__ = ["occupy", "vacate"]


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
def vacate(s, p, o, t, n):
    """Free a dock of a node, and give it to the first in line."""
    limit, node = p.nodes[n].docks, s.nodes[n]
    if limit < 0:
        return
    # More than there are docks may have been there in a state from tables.
    if node.in_line == 0 or node.docked > limit:
        node.docked -= 1
        o.node[n].docked_area -= o.edge[0] - t
        return
    k = node.first_in_line - 1
    node.first_in_line = s.transporters[k].next + 1
    s.transporters[k].next = -1
    node.in_line -= 1
    o.node[n].line_area -= o.edge[0] - t
    set_clock(s.clock_time, s.clock_item, s.clock_place, k, t)
