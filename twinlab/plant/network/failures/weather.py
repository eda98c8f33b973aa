"""The weather at hubs by the hour: gusts and rain, with the storms that slow trucks down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import HOUR, Floats, Ints
from twinlab.plant.network.failures.hindrances import Hindrance
from twinlab.plant.network.size import ParcelSize

__all__ = ["Weather", "plan_weather"]

#: Share of an hour's deviation that the next hour has, too.
_PERSISTENCE = 0.9
#: Usual gusts, m/s: mean, and the standard deviations that all hubs share and that each has for itself.
_GUST, _SHARED, _OWN = 8.0, 2.0, 1.0
#: Gusts that a storm adds, m/s, if it left no speed; share of its strength in the hours just before and after it.
_STORM, _EDGE = 45.0, 0.4
#: Share of the hours with rain, their mean in mm, and what a storm adds if it left no speed.
_WET, _RAIN, _DOWNPOUR = 0.12, 0.6, 12.0


@dataclass(frozen=True)
class Weather:
    """Hours and what a weather service measured in each.

    Parameters
    ----------
    time : array of int (hour,)
        Begin of each hour, UTC seconds.
    gust : array (hub, hour)
        Strongest gust, m/s.
    rain : array (hub, hour)
        mm.
    """

    time: Ints
    gust: Floats
    rain: Floats


def plan_weather(size: ParcelSize, hindrances: Sequence[Hindrance]) -> Weather:
    """Return the weather at all hubs in the span of a size; storms are those among the hindrances."""
    random = size.random("weather readings")
    begin, stop = size.span
    time = np.arange(begin // HOUR * HOUR, stop, HOUR, dtype=np.int64)
    shared = _course(random, 1, len(time)) * _SHARED
    gust = _GUST + shared + _course(random, size.hubs, len(time)) * _OWN
    wet = random.random((size.hubs, len(time))) < _WET
    rain = np.where(wet, random.exponential(_RAIN, wet.shape), 0.0)
    for storm in hindrances:
        if storm.cause != "weather":
            continue
        within = np.clip(np.minimum(time + HOUR, storm.stop) - np.maximum(time, storm.start), 0, HOUR) / HOUR
        # It is felt an hour before it slows trucks down, and an hour after.
        near = (time + 2 * HOUR > storm.start) & (time - HOUR < storm.stop)
        strength = (1 - storm.amount) * np.maximum(within, np.where(near, _EDGE, 0.0))
        gust[storm.hub] = np.maximum(gust[storm.hub], _GUST + _STORM * strength)
        rain[storm.hub] = np.maximum(rain[storm.hub], _DOWNPOUR * strength)
    return Weather(time, np.maximum(gust, 0.5).round(1), rain.round(1))


def _course(random: np.random.Generator, rows: int, hours: int) -> Floats:
    """Return a course for each row that deviates by 1 in the long run and changes slowly."""
    noise = random.standard_normal((rows, hours)) * np.sqrt(1 - _PERSISTENCE**2)
    out: Floats = np.empty_like(noise)
    before = random.standard_normal(rows)
    for hour in range(hours):
        out[:, hour] = before = _PERSISTENCE * before + noise[:, hour]
    return out
