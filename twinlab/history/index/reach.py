"""How far a frame reaches in time: where nearly all of its claims are, and which few are far from them."""

# ruff: noqa: PLR0917  (numba takes arrays by position)

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twinlab._compiled import njit
from twinlab.harmonise.claims import Claims

__all__ = ["NEVER", "Reach", "late_in", "summarise"]

NEVER = 2**62
#: Claims at most this far from the others of their frame (ns) aren't late: a window that reads the frame for their sake
#: reads hardly more.
_NEAR = 3600 * 10**9
#: One claim in so many may be late; otherwise the frame has no place in time.
_SHARE = 8
#: In a frame with fewer claims of a group none is late.
_LEAST = 4
_SAMPLE = 256

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class Reach(NamedTuple):
    """Least and greatest event time (ns) of each group, and its number of claims; low > high for none."""

    low: Ints
    high: Ints
    claims: Ints

    @classmethod
    def of_none(cls, groups: int) -> Reach:
        """Return the reach of no claims."""
        return cls(np.full(groups, NEVER), np.full(groups, -NEVER), np.zeros(groups, dtype=np.int64))


@njit(cache=True, nogil=True)
def summarise(
    code: npt.NDArray[np.int32],
    time: Ints,
    op: npt.NDArray[np.int8],
    priority: npt.NDArray[np.int16],
    lut: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    first: Ints,
    changed: Bools,
    low: Ints,
    high: Ints,
    count: Ints,
    least: npt.NDArray[np.int16],
    greatest: npt.NDArray[np.int16],
) -> tuple[int, bool]:
    """Update the reach of each group, and first time and priorities of each series."""
    retracts = False
    latest = -(2**62)
    for i in range(code.size):
        s = lut[code[i]]
        t = time[i]
        latest = max(latest, t)
        g = group[s]
        low[g] = min(low[g], t)
        high[g] = max(high[g], t)
        count[g] += 1
        p = priority[i]
        least[s] = min(least[s], p)
        greatest[s] = max(greatest[s], p)
        if op[i] != 0:
            retracts = True
        elif t < first[s]:
            first[s] = t
            changed[s] = True
    return latest, retracts


@njit(cache=True, nogil=True)
def _sample(
    code: npt.NDArray[np.int32],
    time: Ints,
    lut: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    stride: Ints,
    seen: Ints,
    into: Ints,
    filled: Ints,
) -> None:
    """Copy every ``stride``-th time of each group with a stride > 0."""
    for i in range(code.size):
        g = group[lut[code[i]]]
        if stride[g] > 0:
            if seen[g] % stride[g] == 0 and filled[g] < into.shape[1]:
                into[g, filled[g]] = time[i]
                filled[g] += 1
            seen[g] += 1


@njit(cache=True, nogil=True)
def _divide(
    code: npt.NDArray[np.int32],
    time: Ints,
    lut: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    begin: Ints,
    end: Ints,
    low: Ints,
    high: Ints,
    late: Bools,
    count: Ints,
) -> None:
    """Mark the claims outside [begin, end] of their group as late, and compute the reach of the others."""
    for i in range(code.size):
        g = group[lut[code[i]]]
        t = time[i]
        if t < begin[g] or t > end[g]:
            late[i] = True
            count[g] += 1
        else:
            low[g] = min(low[g], t)
            high[g] = max(high[g], t)


def _place_of(times: Ints) -> tuple[int, int]:
    """Return the shortest span with nearly all of the times; of equally short ones the latest."""
    times = np.sort(times)
    kept = len(times) - max(1, len(times) // _SHARE)
    lengths = times[kept - 1 :] - times[: len(times) - kept + 1]
    at = len(lengths) - 1 - int(np.argmin(lengths[::-1]))
    return int(times[at]), int(times[at + kept - 1])


def late_in(
    parts: Sequence[tuple[Claims, npt.NDArray[np.int32]]], group: npt.NDArray[np.int32], whole: Reach
) -> tuple[Reach, list[Bools]] | None:
    """Return the reach of a frame without its late claims, and masks of these; None if it has none.

    Parameters
    ----------
    parts : sequence of (Claims, int32[series])
        The frame's claims, and the index's number of each of their series.
    group : int32
        Group of each series of the index.
    whole : Reach
        The reach of all claims.
    """
    wanted = (whole.high - whole.low > _NEAR) & (whole.claims >= _LEAST)
    if not wanted.any():
        return None
    groups = len(wanted)
    stride = np.where(wanted, -(-whole.claims // _SAMPLE), 0)
    taken, filled, seen = np.empty((groups, _SAMPLE), np.int64), np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    for claims, lut in parts:
        _sample(claims.code, claims.event_time, lut, group, stride, seen, taken, filled)
    begin, end = np.full(groups, -NEVER), np.full(groups, NEVER)
    for g in np.flatnonzero(wanted).tolist():
        low, high = _place_of(taken[g, : filled[g]])
        margin = max(high - low, _NEAR)
        begin[g], end[g] = low - margin, high + margin
    # A group without late claims keeps its bounds: they contain all of its claims.
    if not ((whole.low < begin) | (whole.high > end))[wanted].any():
        return None
    near, late = Reach.of_none(groups), np.zeros(groups, dtype=np.int64)
    masks = [np.zeros(len(claims), dtype=np.bool_) for claims, _ in parts]
    for (claims, lut), mask in zip(parts, masks, strict=True):
        _divide(claims.code, claims.event_time, lut, group, begin, end, near.low, near.high, mask, late)
    # The sample may have missed what the times are like.
    if (late * _SHARE // 2 > whole.claims).any():
        return None
    return Reach(near.low, near.high, whole.claims - late), masks
