"""How far a synthetic history is from the one it was made of: copied runs, nearest neighbours, membership."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["longest_copy", "membership_auc", "nearest_ratio"]

Floats = npt.NDArray[np.float64]


def longest_copy(original: Floats, synthetic: Floats) -> int:
    """Return the longest run of cells that are equal in both, of the same asset at the same places; runs of one value don't count.

    Parameters
    ----------
    original, synthetic : array, shape (time, asset)

    >>> longest_copy(np.array([[1.0], [2], [3], [4], [9]]), np.array([[1.0], [2], [3], [5], [9]]))
    3
    """
    size = min(len(original), len(synthetic))
    equal = np.isfinite(original[:size]) & (original[:size] == synthetic[:size])
    # A value that stays as it is isn't a copy of anything.
    moving = np.ones_like(equal)
    moving[1:] = original[1:size] != original[: size - 1]
    longest = 0
    for asset in range(equal.shape[1]):
        run = moved = 0
        for same, moves in zip(equal[:, asset].tolist(), moving[:, asset].tolist(), strict=True):
            run, moved = (run + 1, moved + moves) if same else (0, 0)
            longest = max(longest, min(run, moved))
    return longest


def _as_days(values: Floats, like: Floats) -> Floats:
    """Return each day of each asset as a vector of deviations in standard deviations of another history, shape (day and asset, cell)."""
    with np.errstate(all="ignore"):
        found = (values - np.nanmean(like, axis=(0, 1))) / np.maximum(np.nanstd(like, axis=(0, 1)), 1e-12)
    return np.asarray(np.nan_to_num(np.moveaxis(found, 2, 1).reshape(-1, values.shape[1])), dtype=np.float64)


def _nearest(points: Floats, among: Floats, *, skip_self: bool = False) -> Floats:
    """Return the distance of each point to the nearest among others."""
    squares = (points**2).sum(axis=1)[:, None] + (among**2).sum(axis=1)[None, :] - 2 * points @ among.T
    if skip_self:
        np.fill_diagonal(squares, np.inf)
    return np.asarray(np.sqrt(np.maximum(squares, 0)).min(axis=1), dtype=np.float64)


def nearest_ratio(original: Floats, synthetic: Floats) -> float:
    """Return how far synthetic days are from the nearest original one, over how far original days are from the nearest other one.

    Medians over days and assets. A copy gives 0; about 1 says that a synthetic day is no nearer to an original one than these are to each other.

    Parameters
    ----------
    original, synthetic : array, shape (day, cell, asset)
    """
    found = []
    for asset in range(original.shape[2]):
        one = original[:, :, [asset]]
        ours, theirs = _as_days(one, one), _as_days(synthetic[:, :, [asset]], one)
        usual = np.median(_nearest(ours, ours, skip_self=True))
        if usual > 0:
            found.append(float(np.median(_nearest(theirs, ours)) / usual))
    return float(np.median(found)) if found else float("nan")


def membership_auc(values: Floats, make: Callable[[Floats], Floats]) -> float:
    """Return how well an attacker distinguishes days that were used from others, by their distance to the nearest synthetic day.

    The area under the curve of an attack by distance [1]_: 0.5 is guessing, 1 is certainty. Weeks are used in turn: the even ones make the
    synthetic history, the odd ones are the days that weren't used.

    Parameters
    ----------
    values : array, shape (history day, cell, asset)
        Whole weeks, at least four.
    make : callable
        History -> synthetic history, of the same shape.

    References
    ----------
    .. [1] D. Chen et al., "GAN-Leaks: A taxonomy of membership inference attacks against generative models", CCS 2020.
    """
    week = np.arange(len(values)) // 7
    used, other = values[week % 2 == 0], values[week % 2 == 1]
    made = make(used)
    scores = []
    for asset in range(values.shape[2]):
        whole = np.concatenate([made, used, other])[:, :, [asset]]
        pool = _as_days(whole, whole)
        synthetic, ours, theirs = np.split(pool, [len(made), len(made) + len(used)])
        near, far = _nearest(ours, synthetic), _nearest(theirs, synthetic)
        scores.append(float((near[:, None] < far[None, :]).mean() + 0.5 * (near[:, None] == far[None, :]).mean()))
    return float(np.mean(scores))
