"""The first events: arrivals, transporters that get ready, breakdowns, and the rest of what was under way at the start."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.climate import schedule_thermostat
from twinlab.simulate.kernel.loops.draws import draw
from twinlab.simulate.kernel.loops.heap import push, set_clock
from twinlab.simulate.kernel.loops.random import ARRIVAL, FIRST, INTERVAL, SERVICE, TRAVEL, UPTIME, philox, uniform
from twinlab.simulate.kernel.loops.serving import later
from twinlab.simulate.kernel.records import BEGUN, DRIVING, HIGHEST, PLACED, READY, SERVED, UNLOADING

__all__ = ["begin", "gap"]

_ARRIVAL: Final = np.uint64(ARRIVAL)
_INTERVAL: Final = np.uint64(INTERVAL)
_FIRST: Final = np.uint64(FIRST)
_SERVICE: Final = np.uint64(SERVICE)
_TRAVEL: Final = np.uint64(TRAVEL)
_UPTIME: Final = np.uint64(UPTIME)
_ZERO: Final = np.uint64(0)
_BEFORE_FIRST: Final = np.uint64(0xFFFFFFFF)
_16: Final = np.uint64(16)
_ATTEMPTS: Final = 1000


@njit(cache=True, nogil=True)
def gap(s, p, i, words):
    """Return the time from an arrival of a source to the next; ``words`` are those of the arrival's number."""
    source = p.sources[i]
    if source.interval < 0:
        return -math.log(uniform(words[0], words[1])) * source.mean
    return draw(
        p.distributions, p.values, source.interval, np.uint64(s.drawn[i]), np.uint64(source.key), _ZERO, _INTERVAL, s.key[0],
        s.key[1],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _rest(distributions, values, which, passed, count, c1, c2, purpose, k0, k1):
    """Return the rest of a time of which some has passed: the first draw that is longer, less what has passed."""
    x = passed
    for attempt in range(_ATTEMPTS):
        x = draw(distributions, values, which, np.uint64(count) + (np.uint64(attempt) << _16), c1, c2, purpose, k0, k1)
        if x > passed:
            return x - passed
    # It takes longer than the distribution says: any moment now.
    return 0.0


@njit(cache=True, nogil=True)
def _begin_sources(s, p, t):
    for i in range(p.sources.size):
        words = philox(_BEFORE_FIRST, np.uint64(p.sources[i].key), _ZERO, _ARRIVAL, s.key[0], s.key[1])
        push(s.source_time, s.source_item, i, t + gap(s, p, i, words), i)
        s.drawn[i] += 1


@njit(cache=True, nogil=True)
def _begin_transporters(s, p, t):
    nodes = s.nodes.size
    for k in range(p.transporters.size):
        unit, one = p.transporters[k], s.transporters[k]
        group = p.groups[unit.group]
        owner, number = np.uint64(unit.source), np.uint64(unit.number)
        ready = t
        if one.stage == DRIVING:
            travel = p.legs[group.first_leg + one.leg].travel
            # The next trip has the next number.
            one.trip = 1
            if one.until > t:
                ready = one.until
            else:
                ready = t + _rest(
                    p.distributions, p.values, travel, (t - one.began) * group.speed_factor, 0, owner, number, _TRAVEL, s.key[0],
                    s.key[1],
                ) / group.speed_factor  # fmt: skip
        elif one.stage == PLACED:
            one.stage = READY
        elif one.stage != UNLOADING:
            ready = t + draw(
                p.distributions, p.values, group.first_ready, _ZERO, owner, number, _FIRST, s.key[0], s.key[1]
            )
        set_clock(s.clock_time, s.clock_item, s.clock_place, k, ready)
        if group.uptime >= 0:
            x = draw(p.distributions, p.values, group.uptime, _ZERO, owner, number, _UPTIME, s.key[0], s.key[1])
            set_clock(s.clock_time, s.clock_item, s.clock_place, p.transporters.size + nodes + k, t + x)


@njit(cache=True, nogil=True)
def begin(s, p, t):
    """Draw the first events at the start of a state of which nothing has begun."""
    s.counts[BEGUN] = 1
    _begin_sources(s, p, t)
    _begin_transporters(s, p, t)
    for n in range(p.nodes.size):
        if p.nodes[n].uptime >= 0:
            x = draw(
                p.distributions, p.values, p.nodes[n].uptime, _ZERO, np.uint64(p.nodes[n].key), _ZERO, _UPTIME, s.key[0], s.key[1]
            )  # fmt: skip
            set_clock(s.clock_time, s.clock_item, s.clock_place, p.transporters.size + n, t + x)
    for c in range(p.climates.size):
        schedule_thermostat(s, p, t, p.climates[c].node)
    for e in range(s.counts[HIGHEST]):
        one = s.entities[e]
        if one.stage == SERVED:
            x = _rest(
                p.distributions, p.values, p.service[one.at, one.kind], t - one.began, one.stop, np.uint64(one.source),
                np.uint64(one.number), _SERVICE, s.key[0], s.key[1],
            )  # fmt: skip
            one.stop += 1
            later(s, t + x, e)
