"""Temperatures between events, in closed form: a thermostat, doors, heat from work."""

from __future__ import annotations

import math

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.heap import set_clock

__all__ = ["add_busy", "add_doors", "anchor", "bring_up_to", "schedule_thermostat", "switch_compressor"]


@njit(cache=True, nogil=True)
def _tendency(s, p, n):
    """Return how fast (1/s) a temperature tends to which end."""
    node, room = s.nodes[n], p.climates[p.nodes[n].climate]
    rate = room.wall + node.doors * room.door
    # The compressor and the work warm or cool at a constant power, whatever the doors do.
    end = room.ambient + (node.busy * room.heat - node.cooling * room.cold) * room.wall / rate
    return rate, end


@njit(cache=True, nogil=True)
def _above(first, last, rate, end, limit, lasting):
    """Return the area of a temperature above a limit."""
    if first <= limit and last <= limit:
        return 0.0
    if first >= limit and last >= limit:
        return (end - limit) * lasting + (first - last) / rate
    crossing = math.log((first - end) / (limit - end)) / rate
    if first > limit:
        return (end - limit) * crossing + (first - limit) / rate
    return (end - limit) * (lasting - crossing) + (limit - last) / rate


@njit(cache=True, nogil=True)
def bring_up_to(s, p, o, t, n):
    """Add the time since the last addition to the present cell; return the temperature now."""
    c = p.nodes[n].climate
    node, cell = s.nodes[n], o.climate[c]
    rate, end = _tendency(s, p, n)
    first = end + (node.temperature - end) * math.exp(-rate * (cell.since - node.anchored))
    last = end + (node.temperature - end) * math.exp(-rate * (t - node.anchored))
    lasting = t - cell.since
    if lasting > 0.0:
        cell.temperature_area += end * lasting + (first - last) / rate
        cell.cooling_area += node.cooling * lasting
        cell.spoilage_area += _above(first, last, rate, end, p.climates[c].limit, lasting)
        cell.since = t
    cell.temperature_max = max(cell.temperature_max, first, last)
    return last


@njit(cache=True, nogil=True)
def anchor(s, p, o, t, n):
    """Note the temperature before something changes what it tends to."""
    temperature = bring_up_to(s, p, o, t, n)
    s.nodes[n].temperature = temperature
    s.nodes[n].anchored = t


@njit(cache=True, nogil=True)
def schedule_thermostat(s, p, t, n):
    """Set when the thermostat switches next."""
    node, room = s.nodes[n], p.climates[p.nodes[n].climate]
    rate, end = _tendency(s, p, n)
    goal = room.low if node.cooling else room.high
    at = np.inf
    reached = node.temperature <= goal if node.cooling else node.temperature >= goal
    if reached:
        at = t
    elif (end < goal) if node.cooling else (end > goal):
        at = t + math.log((node.temperature - end) / (goal - end)) / rate
    set_clock(s.clock_time, s.clock_item, s.clock_place, 2 * s.transporters.size + s.nodes.size + n, at)


@njit(cache=True, nogil=True)
def switch_compressor(s, p, o, t, n):
    """Let the thermostat switch."""
    anchor(s, p, o, t, n)
    room, node = p.climates[p.nodes[n].climate], s.nodes[n]
    # Exactly the limit, so that rounding can't make it switch twice.
    if node.cooling and abs(node.temperature - room.low) < 1e-6:
        node.temperature = room.low
    elif node.cooling == 0 and abs(node.temperature - room.high) < 1e-6:
        node.temperature = room.high
    node.cooling = 1 - node.cooling
    schedule_thermostat(s, p, t, n)


@njit(cache=True, nogil=True)
def add_busy(s, p, o, t, n, change):
    """Change the number of busy servers of a node whose temperature depends on it."""
    anchor(s, p, o, t, n)
    s.nodes[n].busy += change
    schedule_thermostat(s, p, t, n)


@njit(cache=True, nogil=True)
def add_doors(s, p, o, t, n, change):
    """Open or close a door of a node with a temperature."""
    anchor(s, p, o, t, n)
    s.nodes[n].doors += change
    schedule_thermostat(s, p, t, n)
