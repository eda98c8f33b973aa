"""Heaps of four children: pending events, earliest first."""

from __future__ import annotations

from twinlab._compiled import njit

__all__ = ["pop", "push", "replace_first", "set_clock"]


@njit(cache=True, nogil=True, forceinline=True)
def _least(times, child, size):
    """Return the place of the earliest of up to four children."""
    if child + 4 <= size:
        # Without branches, which would be predicted wrongly every other time.
        a = child + int(times[child + 1] < times[child])
        b = child + 2 + int(times[child + 3] < times[child + 2])
        return a + (b - a) * int(times[b] < times[a])
    least = child
    for k in range(child + 1, size):
        if times[k] < times[least]:
            least = k
    return least


@njit(cache=True, nogil=True, forceinline=True)
def push(times, items, size, time, item):
    """Add an event; the caller counts."""
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if times[parent] <= time:
            break
        times[i] = times[parent]
        items[i] = items[parent]
        i = parent
    times[i] = time
    items[i] = item


@njit(cache=True, nogil=True, forceinline=True)
def replace_first(times, items, size, time, item):
    """Put an event in the place of the first one."""
    i = 0
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        least = _least(times, child, size)
        if times[least] >= time:
            break
        times[i] = times[least]
        items[i] = items[least]
        i = least
    times[i] = time
    items[i] = item


@njit(cache=True, nogil=True, forceinline=True)
def pop(times, items, size):
    """Remove the first event; the caller counts."""
    last = size - 1
    if last > 0:
        replace_first(times, items, last, times[last], items[last])


@njit(cache=True, nogil=True)
def set_clock(times, items, places, item, time):
    """Set the time of an item of a heap in which each item has one event (infinity for none)."""
    size = times.size
    i = places[item]
    while i > 0 and times[(i - 1) >> 2] > time:
        parent = (i - 1) >> 2
        times[i] = times[parent]
        items[i] = items[parent]
        places[items[i]] = i
        i = parent
    while True:
        child = 4 * i + 1
        if child >= size:
            break
        least = _least(times, child, size)
        if times[least] >= time:
            break
        times[i] = times[least]
        items[i] = items[least]
        places[items[i]] = i
        i = least
    times[i] = time
    items[i] = item
    places[item] = i
