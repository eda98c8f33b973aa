"""Switches: from when until when a hypothesis makes a series continue as it was before."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from twinlab.quality.unit_faults.features import Features, median_of

__all__ = ["Period", "best_periods", "switch_sample"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Largest evidence of one block, so that a single odd day decides nothing.
_CAP: Final = 6.0


class Period(NamedTuple):
    """Blocks ``first`` until before ``stop`` are wrong by a hypothesis; medians of the features outside and inside."""

    first: int
    stop: int
    outside_seen: Floats
    outside_right: Floats
    inside_seen: Floats
    inside_right: Floats


def best_periods(features: Features, asset: int) -> list[Period | None]:
    """Return the period of each hypothesis in which it explains an asset's blocks best; None if there is none.

    Blocks outside are compared with the level at the begin, the middle and the end of the series, since any of these may
    be the right one.
    """
    seen, noise = features.seen[asset], features.noise[asset]
    right = features.right[:, asset]
    blocks = len(seen)
    if np.isfinite(seen[:, 0]).sum() < 4:
        return [None] * len(right)
    part = max(2, blocks // 5)
    slices = (
        slice(0, part),
        slice(blocks - part, blocks),
        slice((blocks - part) // 2, (blocks + part) // 2),
        slice(None),
    )
    every = [median_of(seen[each]) for each in slices]
    levels = np.array([level for level in every if np.isfinite(level).all()])
    if not len(levels):
        return [None] * len(right)
    as_seen = _cost((seen[None] - levels[:, None]) / noise)[:, None]
    as_right = _cost((right[None] - levels[:, None, None]) / noise)
    gain = np.clip(np.nan_to_num(as_seen - as_right, nan=0.0), -_CAP, _CAP)
    total = np.concatenate([np.zeros((*gain.shape[:2], 1)), np.cumsum(gain, axis=-1)], axis=-1)
    least = np.minimum.accumulate(total, axis=-1)
    rise = total - least
    stop = rise.argmax(axis=-1)
    best = np.take_along_axis(rise, stop[..., None], axis=-1)[..., 0]
    found: list[Period | None] = []
    for number in range(len(right)):
        level = int(best[:, number].argmax())
        end = int(stop[level, number])
        if best[level, number] < 2 * _CAP / 3:
            found.append(None)
            continue
        sums: Floats = total[level, number]
        # The last of equal places: blocks without evidence aren't part of the period.
        first = end - int(sums[end::-1].argmin())
        # A further switch needs evidence: a fault lasts to the end, or from the begin, unless the blocks there contradict.
        least = np.log(blocks)
        end = blocks if sums[blocks] - sums[end] > -least else end
        first = 0 if sums[first] - sums[0] > -least else first
        found.append(_period(seen, right[number], first, end))
    return found


def _period(seen: Floats, right: Floats, first: int, stop: int) -> Period | None:
    blocks = len(seen)
    inside = np.zeros(blocks, dtype=bool)
    inside[first:stop] = True
    outside = ~inside
    # The blocks at the switch are of both kinds.
    for edge in (first, stop):
        for block in (edge - 1, edge):
            if 0 < edge < blocks and 0 <= block < blocks:
                mine = inside if inside[block] else outside
                if mine.sum() > 3:
                    mine[block] = False
    known = np.isfinite(seen[:, 0])
    if min((inside & known).sum(), (outside & known).sum()) < 2:
        return None
    return Period(first, stop, *(median_of(part[where]) for where in (outside, inside) for part in (seen, right)))


def _cost(z: Floats) -> Floats:
    return np.asarray((2.5 * np.log1p(z * z / 4.0)).sum(axis=-1))


def switch_sample(values: Floats, right: Floats, inner: slice, *, back: bool = False, ranges: bool = True) -> int:
    """Return the position of the first sample that is like those after a switch rather than those before it.

    Two things are compared: whether a sample is in the range before or after, and whether the series goes on from one sample to
    the next if the hypothesis applies from there.

    Parameters
    ----------
    values, right : float64 [time]
        Samples around a switch as seen, and if the hypothesis is true; NaN is no evidence.
    inner : slice
        Where the switch may be; the samples before are certainly before it, those after certainly after it.
    back : bool
        The switch is the end of the wrong period.
    ranges : bool
        Compare ranges; not of a counter's total, which is never in the same range again.

    >>> seen = np.concatenate([np.tile([20.0, 21.0, 22.0], 9), np.tile([70.0, 71.0, 72.0], 9)])
    >>> switch_sample(seen, seen * 0.3, slice(10, 44))
    27
    """
    at = np.arange(inner.start, inner.stop)
    at = at[np.isfinite(values[at])]
    before, after = (part[np.isfinite(part)] for part in (values[: inner.start], values[inner.stop :]))
    if not at.size:
        return int(inner.start)
    evidence = np.zeros(at.size)
    if ranges and before.size and after.size:
        both = np.sort(np.concatenate([before, after]))
        edges = np.unique(both[np.linspace(0, len(both) - 1, 25).astype(np.int64)])[1:-1]
        bins = np.searchsorted(edges, values[at], side="right")
        evidence = np.log(_shares(after, edges)[bins] / _shares(before, edges)[bins])
    # total[i]: evidence against the samples before the i-th for a switch there.
    total = np.concatenate([[0.0], np.cumsum(evidence)])
    steps = np.abs(np.diff(values[at]))
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if usual > 0.0:
        joined = np.abs(values[at][1:] - right[at][:-1]) if back else np.abs(right[at][1:] - values[at][:-1])
        total[1:-1] += 3.0 * (np.log1p((joined / usual) ** 2 / 5.0) - np.log1p((steps / usual) ** 2 / 5.0))
    # The last of equal places: a sample without evidence is not the first wrong one.
    place = len(total) - 1 - int(total[::-1].argmin())
    return int(at[min(place, at.size - 1)])


def _shares(values: Floats, edges: Floats) -> Floats:
    """Return the share of values in each bin, none of them zero."""
    counts = np.bincount(np.searchsorted(edges, values[np.isfinite(values)], side="right"), minlength=len(edges) + 1)
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))
