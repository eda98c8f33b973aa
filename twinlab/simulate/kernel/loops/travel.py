"""How long a trip takes that begins at a time: by hour of the week, weather and speed of the group."""

from __future__ import annotations

from twinlab._compiled import njit

__all__ = ["hour_factor", "travel_time"]


@njit(cache=True, nogil=True, forceinline=True)
def hour_factor(p, o, profile, t):
    """Return a profile's factor at a time of the span."""
    return p.profiles[profile, o.hours[profile, int((t - o.edge[3]) / 900.0)]]


@njit(cache=True, nogil=True)
def travel_time(p, o, t, g, x):
    """Return how long a trip of a group takes that begins at a time, of the time that was drawn for it."""
    group = p.groups[g]
    x /= group.speed_factor
    if group.profile >= 0:
        x *= hour_factor(p, o, group.profile, t)
    for w in range(o.windows.size):
        window = o.windows[w]
        if window.start <= t < window.stop and (window.group < 0 or window.group == g):
            x *= window.factor
    return x
