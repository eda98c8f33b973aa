"""Cells of the results: sums of what happened, and areas under numbers that last."""

from __future__ import annotations

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.borrowed import borrowed
from twinlab.simulate.kernel.loops.climate import bring_up_to
from twinlab.simulate.kernel.loops.pools.service import in_service
from twinlab.simulate.kernel.records import DRIVING, EMPTY

__all__ = ["begin_cells", "close_cell"]


@njit(cache=True, nogil=True)
def _open_cell(s, p, o, start):
    """Begin a cell at a time: areas as if nothing changed until its end; each change corrects them."""
    edge = start + o.edge[2]
    # Sums of widths such as 0.4 s end a little before the span does: no cell is opened for what is left.
    if edge > o.edge[1] - 1e-6 * o.edge[2]:
        edge = o.edge[1]
    o.edge[0] = edge
    width = edge - start
    for n in range(s.nodes.size):
        node, cell = s.nodes[n], o.node[n]
        cell.arrivals = 0.0
        cell.served = 0.0
        cell.started = 0.0
        cell.wait = 0.0
        cell.rejected = 0.0
        cell.delivered = 0.0
        cell.with_due = 0.0
        cell.on_time = 0.0
        cell.sojourn = 0.0
        cell.queue_area = node.waiting * width
        cell.busy_area = node.busy * width
        cell.servers_area = node.servers * width
        cell.blocked_area = node.blocked * width
        cell.outbound_area = node.outbound * width
        cell.down_area = node.down * width
        cell.docked_area = node.docked * width
        cell.line_area = node.in_line * width
    for c in range(p.climates.size):
        room = o.climate[c]
        room.since = start
        room.temperature_area = 0.0
        room.temperature_max = -np.inf
        room.cooling_area = 0.0
        room.spoilage_area = 0.0
    for k in range(s.transporters.size):
        one, done = s.transporters[k], o.transporter[k]
        done.trips = 0.0
        done.carried = 0.0
        done.distance = 0.0
        done.empty_distance = 0.0
        done.wait = 0.0
        done.driving_area = width if one.stage == DRIVING or one.stage == EMPTY else 0.0  # noqa: PLR1714  (numba)
        done.empty_area = width if one.stage == EMPTY else 0.0
        done.busy_area = width if p.groups[p.transporters[k].group].pool >= 0 and one.leg >= 0 else 0.0
        done.duty_area = width if in_service(s, p, k) else 0.0
        done.load_area = one.load * width
        done.down_area = max(min(one.down_until, edge) - start, 0.0)


@njit(cache=True, nogil=True)
def close_cell(s, p, o):
    """Keep the present cell and open the next one."""
    at = o.place[0]
    for c in range(p.climates.size):
        bring_up_to(s, p, o, o.edge[0], p.climates[c].node)
        o.climate_cells[at, c] = o.climate[c]
    for n in range(s.nodes.size):
        o.node_cells[at, n] = o.node[n]
    for k in range(s.transporters.size):
        o.transporter_cells[at, k] = o.transporter[k]
    o.place[0] = at + 1
    if o.edge[0] < o.edge[1]:
        _open_cell(s, p, o, o.edge[0])


@njit(cache=True, nogil=True)
def begin_cells(state, plan, out, start):
    """Open the first cell of a span."""
    _open_cell(borrowed(state), borrowed(plan), borrowed(out), start)
