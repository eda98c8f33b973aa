"""The quality tests once more, slowly and plainly: what the kernels are compared with. One series, cells of one step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby

Series = Sequence[float]


def worst(flags: Sequence[int]) -> int:
    return next(number for number in (4, 9, 3, 1, 2) if number in flags)


def range_of(x: float, fail: tuple[float, float], suspect: tuple[float, float]) -> int:
    if math.isnan(x):
        return 9
    if math.isinf(x) or x < fail[0] or x > fail[1]:
        return 4
    return 3 if x < suspect[0] or x > suspect[1] else 1


def neighbour(v: Series, k: int, reach: int, way: int) -> int | None:
    """Return the nearest present cell in the direction ``way``, at most ``reach`` cells off."""
    for distance in range(1, reach + 1):
        other = k + way * distance
        if 0 <= other < len(v) and not math.isnan(v[other]):
            return other
    return None


def over(size: float, suspect: float, fail: float) -> int:
    return 4 if size > fail else 3 if size > suspect else 1


def spike(v: Series, k: int, reach: int, *, suspect: float, fail: float) -> int:
    if math.isnan(v[k]):
        return 9
    a, b = neighbour(v, k, reach, -1), neighbour(v, k, reach, 1)
    if a is None or b is None:
        return 2
    line = (v[a] + v[b]) / 2 if k - a == b - k else v[a] + (v[b] - v[a]) * (k - a) / (b - a)
    return over(abs(v[k] - line), suspect, fail)


def rate(v: Series, k: int, reach: int, *, suspect: float, fail: float, seconds: float) -> int:
    if math.isnan(v[k]):
        return 9
    a = neighbour(v, k, reach, -1)
    return 2 if a is None else over(abs(v[k] - v[a]), suspect * (k - a) * seconds, fail * (k - a) * seconds)


def flat(v: Series, k: int, reach: int, cells: int) -> int:
    if math.isnan(v[k]):
        return 9
    start: int = k
    while True:
        a = neighbour(v, start, reach, -1)
        if a is None or v[a] != v[k]:
            break
        start = a
    if k - start >= cells:
        return 3
    return 2 if a is None else 1


def wraps(high: float, low: float, wraps_at: float) -> bool:
    return 0 < low - high + wraps_at < wraps_at / 2


def goes_on(before: float, within: float, after: float) -> bool:
    return after >= before and 2 * (after - before) <= min(abs(before - within), abs(after - within)) != 0


def spikes(v: Series, reach: int, wraps_at: float) -> set[int]:
    """Return single readings above both neighbours, between which the counter went on."""
    found = set()
    present = [k for k, x in enumerate(v) if not math.isnan(x)]
    for a, k, b in zip(present, present[1:], present[2:], strict=False):
        above = v[k] > v[b] and v[a] > 0 and not wraps(v[k], v[b], wraps_at)
        if above and b - a <= reach and goes_on(v[a], v[k], v[b]):
            found.add(k)
    return found


def transient(v: Series, reach: int, wraps_at: float) -> set[int]:
    """Return the transient readings: spikes, and runs of one value below both neighbours of the run."""
    found = spikes(v, reach, wraps_at)
    present = [k for k, x in enumerate(v) if not math.isnan(x) and k not in found]
    runs = [list(group) for _, group in groupby(present, key=lambda k: v[k])]
    for before, run, after in zip(runs, runs[1:], runs[2:], strict=False):
        a, k, b = before[-1], run[0], after[0]
        counted = wraps(v[a], v[k], wraps_at) and v[b] - v[k] < wraps_at / 2
        if v[k] < v[a] and b - a <= reach and goes_on(v[a], v[k], v[b]) and not counted:
            found |= set(run)
    return found


def counter(v: Series, k: int, reach: int, wraps_at: float) -> int:
    if math.isnan(v[k]):
        return 9
    passing = transient(v, reach, wraps_at)
    if k in passing:
        return 4
    v = [math.nan if n in passing else x for n, x in enumerate(v)]
    a = neighbour(v, k, reach, -1)
    if a is None:
        return 2
    if v[k] >= v[a]:
        return 1
    forward = v[k] - v[a] + wraps_at
    wrapped = 0 < forward < wraps_at / 2
    restarted = 0 <= v[k] <= v[a] / 2
    return 1 if wrapped or restarted else 3


def gap(v: Series, k: int, longest: int) -> int:
    if not math.isnan(v[k]):
        return 1
    first, last = k, k
    while first > 0 and math.isnan(v[first - 1]):
        first -= 1
    while last < len(v) - 1 and math.isnan(v[last + 1]):
        last += 1
    return 9 if last - first + 1 > longest else 2


def due(v: Series, known_until: int, heartbeat: int) -> list[bool]:
    """Tell of each cell whether a report was due: not between two that are at most ``heartbeat`` cells apart.

    The end of what is known counts as a report: what comes there may still be in time.
    """
    reports = [k for k, x in enumerate(v) if k < known_until and not math.isnan(x)]
    reports += [known_until] if reports else []
    short = [range(a, b) for a, b in zip(reports, reports[1:], strict=False) if b - a <= heartbeat]
    return [not any(k in hole for hole in short) for k in range(len(v))]


def each(v: Series, test: Callable[[Series, int], int]) -> list[int]:
    return [test(v, k) for k in range(len(v))]
