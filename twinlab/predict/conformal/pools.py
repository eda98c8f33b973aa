"""Past errors by group and lead time, and the quantiles that make intervals of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError

__all__ = ["Errors", "Pools", "needed_cases"]

Floats = NDArray[np.float64]
#: Outcomes that the coverage is measured from, beside the newest ones.
_RECENT: Final = 100


def needed_cases(level: float) -> int:
    """Return the number of past errors below which an interval of a level would be infinite.

    >>> needed_cases(0.9), needed_cases(0.99)
    (19, 199)
    """
    return math.ceil(round(2 / (1 - level), 9)) - 1


@dataclass(frozen=True)
class Errors:
    """Errors of past predictions, as columns of one length, in order of issue time.

    Parameters
    ----------
    issued : array of int64
        Issue time, ns.
    key : array of int
        Place of the group and lead time in the pools.
    below, above : array of float
        How far the true value was below the lower bound, and above the upper one; negative inside.
    """

    issued: NDArray[np.int64]
    key: NDArray[np.intp]
    below: Floats
    above: Floats

    @classmethod
    def joined(cls, parts: Sequence[Errors]) -> Errors:
        """Return all errors of several."""
        columns = zip(*((one.issued, one.key, one.below, one.above) for one in parts), strict=True)
        return cls(*(np.concatenate(one) for one in columns))

    def take(self, rows: NDArray[np.bool_]) -> Errors:
        """Return some of them."""
        return Errors(self.issued[rows], self.key[rows], self.below[rows], self.above[rows])


@dataclass(frozen=True)
class Pools:
    """Sorted errors of each key, a group and a lead time.

    Parameters
    ----------
    keys : MultiIndex
        Lead time (ns) and group.
    below, above : array (key, error)
        Sorted; infinite behind the last error of a key.
    count : array (key,)
        Errors of each key.
    alpha : array (key,)
        Share that the next interval may leave out.
    covered : array (key,)
        Share of the recent outcomes that were inside; NaN where none was measured.
    recent : array (key,)
        Number of recent outcomes.
    """

    keys: pd.MultiIndex
    below: Floats
    above: Floats
    count: NDArray[np.intp]
    alpha: Floats
    covered: Floats
    recent: NDArray[np.intp]

    @classmethod
    def of(cls, keys: pd.MultiIndex, errors: Errors, *, alpha: float) -> Pools:
        """Return the pools of errors."""
        size = len(keys)
        count = np.bincount(errors.key, minlength=size).astype(np.intp)
        most = int(count.max(initial=0))
        below, above = np.full((2, size, most), np.inf)
        order = np.argsort(errors.key, kind="stable")
        place = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
        below[errors.key[order], place] = errors.below[order]
        above[errors.key[order], place] = errors.above[order]
        below.sort(axis=1)
        above.sort(axis=1)
        nothing = np.full(size, np.nan)
        return cls(keys, below, above, count, np.full(size, alpha), nothing, np.zeros(size, np.intp))

    def margins(self, key: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Return how far the bounds of cases move outwards; infinite where there are too few errors for the level.

        Each side leaves out half of ``alpha``: the ``ceil((n + 1) (1 - alpha / 2))``-th smallest of n errors [1]_.

        References
        ----------
        .. [1] Y. Romano, E. Patterson, E. Candès, "Conformalized quantile regression", NeurIPS 2019, theorem 2.
        """
        n = self.count[key]
        # Rounded, since (n + 1) (1 - alpha / 2) is often a whole number.
        rank = np.ceil(np.round((n + 1) * (1 - self.alpha[key] / 2), 9)).astype(np.intp)
        rank = np.maximum(rank, 1)
        inside = (rank <= n) & (self.alpha[key] > 0)
        place = np.where(inside, rank - 1, 0)
        if not self.below.shape[1]:
            return np.full((2, len(key)), np.inf)[0], np.full(len(key), np.inf)
        low, high = self.below[key, place], self.above[key, place]
        return np.where(inside, low, np.inf), np.where(inside, high, np.inf)

    def after(self, errors: Errors, *, level: float, gamma: float) -> Pools:
        """Return the pools after outcomes, in order of issue time: coverage measured, and ``alpha`` adapted [1]_.

        ``alpha`` rises by ``gamma * alpha`` after an outcome that was inside, and falls by ``gamma * (1 - alpha)`` after one that wasn't; of several at
        one issue time their mean counts.

        References
        ----------
        .. [1] I. Gibbs, E. Candès, "Adaptive conformal inference under distribution shift", NeurIPS 2021.
        """
        pools, size = self, len(self.keys)
        total, inside = np.zeros(size), np.zeros(size)
        for when in np.unique(errors.issued):
            now = errors.take(errors.issued == when)
            low, high = pools.margins(now.key)
            hit = (now.below <= low) & (now.above <= high)
            cases = np.bincount(now.key, minlength=size)
            hits = np.bincount(now.key, weights=hit, minlength=size)
            total += cases
            inside += hits
            missed = 1 - hits / np.maximum(cases, 1)
            if gamma:
                step = gamma * ((1 - level) - missed)
                pools = replace(pools, alpha=np.where(cases > 0, np.clip(pools.alpha + step, 0.0, 1.0), pools.alpha))
        # Of earlier outcomes the latest ones count.
        earlier = np.minimum(self.recent, _RECENT)
        before = np.where(earlier > 0, self.covered, 0.0) * earlier
        recent = earlier + total.astype(np.intp)
        covered = np.where(recent > 0, (before + inside) / np.maximum(recent, 1), np.nan)
        return replace(pools, covered=covered, recent=recent)

    def places(self, leads: NDArray[np.int64], groups: NDArray[np.object_] | NDArray[np.str_]) -> NDArray[np.intp]:
        """Return the place of each case's key; -1 where there is none."""
        wanted = pd.MultiIndex.from_arrays([leads, groups])
        return np.asarray(self.keys.get_indexer(wanted), np.intp)


def keys_of(
    leads: NDArray[np.int64], groups: NDArray[np.object_] | NDArray[np.str_]
) -> tuple[pd.MultiIndex, NDArray[np.intp]]:
    """Return the different keys of cases, and the place of each case's one.

    Raises
    ------
    SchemaError
        If there is no case.
    """
    if not len(leads):
        msg = "expected past cases to calibrate an interval, got none; give a longer calibration= or a longer training span"
        raise SchemaError(msg)
    places, keys = pd.MultiIndex.from_arrays([leads, groups]).factorize()
    return pd.MultiIndex.from_tuples(list(keys)), np.asarray(places, np.intp)
