"""Peers: how probable the features of an asset are, given those of assets of the same type at the same times."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Peers", "cauchy"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Share of assets that resemble nobody although nothing is wrong.
_ODD: Final = 0.01
#: A group of assets that resemble each other is normal from this share of all on; a smaller one may have one fault in
#: common, such as the boxes of one delivery.
_NORMAL: Final = 0.2
#: Most assets that others are compared with.
_MOST: Final = 1000


class Peers:
    """The density of features among assets that are normal: all but small groups and single ones.

    Parameters
    ----------
    features : float64 [asset, feature]
        As seen; NaN for assets without data.
    floor : float64 [feature]
        Smallest difference that means anything.
    width : float64 [feature]
        How far an odd asset may be off.
    anchored : bool
        The features are differences from a signal of the same quantity, so that zero is normal.
    """

    def __init__(self, features: Floats, *, floor: Floats, width: Floats, anchored: bool = False) -> None:
        known = np.flatnonzero(np.isfinite(features).all(axis=1))
        step = -(-len(known) // _MOST) if len(known) else 1
        self._number = known[::step]
        self._features = features[self._number]
        self._width = width
        self._anchored = anchored
        self._scale = _bandwidth(self._features, floor)
        self._normal = self._established()
        usable = self._features[self._normal]
        self._center = np.zeros(features.shape[1]) if anchored or not len(usable) else np.median(usable, axis=0)
        self._known_center = anchored or len(usable) > 0

    def __len__(self) -> int:
        """Return the number of normal assets."""
        return int(self._normal.sum())

    @property
    def scale(self) -> Floats:
        """How much normal assets that resemble each other differ, [feature]."""
        return self._scale

    def members(self, asset: int) -> npt.NDArray[np.int64]:
        """Return the numbers of the normal assets other than this one."""
        found = self._number[self._normal]
        return np.asarray(found[found != asset])

    @property
    def known(self) -> bool:
        """Whether anything is known of normal features: without peers no features are more probable than others."""
        return self._known_center

    def log_density(self, asked: Floats, assets: npt.NDArray[np.int64], errors: Floats) -> Floats:
        """Return the logarithm of the density of features [n, feature] with errors, each of an asset that isn't its own peer."""
        if not self._known_center:
            return np.zeros(len(asked))
        odd = np.log(_ODD) + cauchy(asked - self._center, self._width).sum(axis=1)
        if self._anchored:
            scale = np.hypot(self._scale, errors)
            near = (_student(asked / scale) - np.log(scale)).sum(axis=1)
            return np.asarray(np.logaddexp(np.log1p(-_ODD) + near, odd))
        found = np.full(len(asked), -np.inf)
        peers, numbers = self._features[self._normal], self._number[self._normal]
        if len(peers) >= 2:
            for first in range(0, len(asked), 512):
                part = slice(first, first + 512)
                scale = np.hypot(self._scale, errors[part])[:, None, :]
                z = (asked[part, None, :] - peers[None, :, :]) / scale
                logs = (_student(z) - np.log(scale)).sum(axis=2)
                own = assets[part, None] == numbers[None, :]
                logs[own] = -np.inf
                others = np.maximum(len(peers) - own.sum(axis=1), 1)
                found[part] = np.logaddexp.reduce(logs, axis=1) - np.log(others)
        return np.asarray(np.logaddexp(np.log1p(-_ODD) + found, odd))

    def _established(self) -> Bools:
        """Return which assets belong to a group of at least a fifth of all, linked by small differences."""
        count = len(self._features)
        if self._anchored or count < 2:
            return np.zeros(count, dtype=bool)
        group = np.arange(count)
        near = (np.abs(self._features[:, None, :] - self._features[None, :, :]) <= 3.0 * self._scale).all(axis=2)
        while True:
            smallest = np.where(near, group[None, :], count).min(axis=1)
            if (smallest == group).all():
                break
            group = smallest
        size = np.bincount(group, minlength=count)[group]
        return np.asarray(size >= max(2.0, _NORMAL * count))


def _bandwidth(features: Floats, floor: Floats) -> Floats:
    """Return a scale per feature: distances to near neighbours, so that groups far apart don't widen it."""
    count = len(features)
    if count < 3:
        return 3.0 * floor
    nearest = min(count - 1, max(2, count // 6))
    scales = []
    for column in features.T:
        distance = np.sort(np.abs(column[:, None] - column[None, :]), axis=1)[:, nearest]
        scales.append(1.5 * float(np.median(distance)))
    return np.asarray(np.maximum(np.array(scales), floor))


def _student(z: Floats) -> Floats:
    """Return the logarithm of the density of Student's t with 5 degrees of freedom."""
    return np.asarray(-3.0 * np.log1p(z * z / 5.0) - 0.9686196)


def cauchy(distance: Floats, width: Floats) -> Floats:
    """Return the logarithm of a density without a scale far out: a broken sensor may report anything."""
    return np.asarray(-np.log1p((distance / width) ** 2) - np.log(np.pi * width))
