"""Who of the transporters works now: by calendar, and by the changes of a scenario."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.heap import set_clock
from twinlab.simulate.kernel.records import READY

__all__ = ["call_pool", "change_duty", "in_service", "wake"]

_CLOCKS_OF_A_NODE: Final = 3
_CLOCKS_OF_A_UNIT: Final = 2


@njit(cache=True, nogil=True)
def in_service(s, p, k):
    """Whether a transporter works now; else it finishes its trip and waits."""
    unit = p.transporters[k]
    if unit.out_of_service:
        return False
    duty = p.groups[unit.group].duty
    return duty < 0 or unit.number < s.duty[duty]


@njit(cache=True, nogil=True)
def call_pool(s, p, t, g):
    """Let the calls of a pool be answered after what else happens at this time."""
    clock = _CLOCKS_OF_A_UNIT * s.transporters.size + _CLOCKS_OF_A_NODE * s.nodes.size + p.groups[g].pool
    set_clock(s.clock_time, s.clock_item, s.clock_place, clock, t)


@njit(cache=True, nogil=True)
def wake(s, p, t, k):
    """Let a transporter go on that is in service again."""
    g = p.transporters[k].group
    if p.groups[g].pool >= 0:
        call_pool(s, p, t, g)
    elif s.transporters[k].stage == READY and np.isinf(s.clock_time[s.clock_place[k]]):
        set_clock(s.clock_time, s.clock_item, s.clock_place, k, t)


@njit(cache=True, nogil=True)
def change_duty(s, p, o, t, duty, count):
    """Have ``count`` transporters of a group with a calendar work from now on, the first ones."""
    before = s.duty[duty]
    s.duty[duty] = count
    for g in range(p.groups.size):
        if p.groups[g].duty != duty:
            continue
        first = p.groups[g].first_unit
        for k in range(first, first + p.groups[g].count):
            unit = p.transporters[k]
            was, now = unit.number < before, unit.number < count
            if was == now or unit.out_of_service:
                continue
            o.transporter[k].duty_area += (1.0 if now else -1.0) * (o.edge[0] - t)
            if now:
                wake(s, p, t, k)
