"""Features: profiles as level and shape, with the noise of each, and what the assets have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab.quality.unit_faults.hypotheses import Hypothesis
from twinlab.quality.unit_faults.profiles import Profiles

__all__ = ["Features", "features_of", "median_of"]

Floats = npt.NDArray[np.float64]

#: Lengths in blocks of the periods by whose differences real changes of level are measured.
_WINDOWS: Final = (2, 5, 15)
#: Smallest noise of a logarithm; of a level, as a share of the usual spread within a block.
_FLOOR: Final = 0.01


@dataclass(frozen=True)
class Features:
    """Level and shape of each asset and block as seen, and under each hypothesis."""

    seen: Floats
    """[asset, block, feature], without what the assets have in common."""
    right: Floats
    """[hypothesis, asset, block, feature], the same if the hypothesis is true."""
    noise: Floats
    """[asset, feature], of one block."""
    drifts: Floats
    """[window, feature], of the difference of the medians of two adjacent periods of 2, 5 and 15 blocks."""
    rounding: Floats
    """[asset, feature], error by the steps in which values are written."""
    width: Floats
    """[feature], how far an odd but correct asset or change may be off."""
    jacobian: Floats
    """[hypothesis], logarithm by which a density of right features becomes one of seen ones."""

    def drift(self, blocks: int) -> Floats:
        """Return the noise of the difference of two periods, the shorter of so many blocks, [feature]."""
        place = max(0, int(np.searchsorted(_WINDOWS, blocks, side="right")) - 1)
        return np.asarray(self.drifts[place] * np.sqrt(max(1.0, _WINDOWS[0] / max(blocks, 1))))


def features_of(profiles: Profiles, hypotheses: Sequence[Hypothesis]) -> Features:
    """Return the features of all assets; missing where the profile is."""
    affine = any(one.shift for one in hypotheses)
    coupled = profiles.beside is not None
    level = None if affine else _steadiest(profiles.quantiles)
    with np.errstate(divide="ignore", invalid="ignore"):
        beside = 0.0 if profiles.beside is None else _raw(profiles.beside, level)
        seen = _raw(profiles.quantiles, level) - beside
        right = np.stack(
            [_raw(one.apply(profiles.quantiles), level) - beside for one in hypotheses]
            if affine
            else [seen + np.array([np.log(one.slope), 0.0]) for one in hypotheses]
        )
    seen[~np.isfinite(seen).all(axis=-1)] = np.nan
    right[~np.isfinite(right).all(axis=-1)] = np.nan
    common = 0.0 if coupled else _common(seen)
    seen, right = seen - common, right - common
    spread = _spread(profiles.quantiles) if affine else 1.0
    floor = np.array([0.02 * spread if affine else _FLOOR, _FLOOR])
    rounding = _rounding(profiles.quantiles, level)
    noise, drifts = _noise(seen, floor)
    noise = np.hypot(noise, rounding)
    width = np.array([12.0 * spread, 1.0]) if affine else np.array([2.0, 0.5])
    jacobian = np.array([np.log(one.slope) if affine else 0.0 for one in hypotheses])
    return Features(seen, right, noise, drifts, rounding, width, jacobian)


def median_of(features: Floats) -> Floats:
    """Return the median over the blocks, [..., feature]; NaN where all are missing.

    >>> median_of(np.array([[[1.0], [np.nan], [5.0]]])).tolist()
    [[3.0]]
    """
    if not features.shape[-2]:
        return np.full((*features.shape[:-2], features.shape[-1]), np.nan)
    known = np.isfinite(features)
    count = known.sum(axis=-2)
    ordered = np.sort(features, axis=-2)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    high = np.minimum(high, np.maximum(count - 1, 0))
    ends = [np.take_along_axis(ordered, at[..., None, :], axis=-2)[..., 0, :] for at in (low, high)]
    return np.asarray(np.where(count > 0, (ends[0] + ends[1]) / 2, np.nan))


def _raw(quantiles: Floats, level: int | None) -> Floats:
    """Return level and shape: log of a quantile and of the ratio of two; or the median and the log of the spread."""
    if level is None:
        return np.stack([quantiles[..., 2], np.log(quantiles[..., 4] - quantiles[..., 0])], axis=-1)
    logs = np.log(quantiles)
    return np.stack([logs[..., level], logs[..., 4] - logs[..., 2]], axis=-1)


def _steadiest(quantiles: Floats) -> int:
    """Return which of the upper quantiles differs least between blocks and between assets."""
    logs = np.log(quantiles)
    scores = []
    for level in (2, 3, 4):
        of_assets = median_of(logs[..., level, None])[:, 0]
        scores.append(_mad(np.diff(logs[..., level], axis=1)) + _mad(of_assets))
    return 2 + int(np.argmin(np.nan_to_num(scores, nan=np.inf)))


def _rounding(quantiles: Floats, level: int | None) -> Floats:
    """Return the error of level and shape by rounding, [asset, feature], from the smallest step between two quantiles."""
    ordered = np.sort(quantiles.reshape(len(quantiles), -1), axis=1)
    steps = np.diff(ordered, axis=1)
    steps[~(steps > 1e-9 * np.abs(ordered[:, 1:]))] = np.inf
    step = steps.min(axis=1, initial=np.inf)
    typical = median_of(quantiles)
    step = np.where(np.isfinite(step), step, np.abs(typical[:, -1]))
    if level is None:
        return np.stack([step / 4, step / (2 * (typical[:, 4] - typical[:, 0]) + step)], axis=-1)
    upper, middle = np.abs(typical[:, 4]), np.abs(typical[:, 2])
    return np.stack([step / (4 * np.abs(typical[:, level])), step / (4 * upper) + step / (4 * middle)], axis=-1)


def _mad(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(np.abs(known - np.median(known)))) if known.size else 0.0


def _spread(quantiles: Floats) -> float:
    spread = quantiles[..., 4] - quantiles[..., 0]
    known = spread[np.isfinite(spread) & (spread > 0)]
    return float(np.median(known)) if known.size else 1.0


def _common(seen: Floats) -> Floats:
    """Return what the assets' features do in common, [1, block, feature]: the season, the weekend."""
    count, blocks, _ = seen.shape
    if count < 8 or blocks < 4:
        return np.zeros((1, blocks, seen.shape[2]))
    own = seen - median_of(seen)[:, None, :]
    found = median_of(own.transpose(1, 0, 2))
    enough = np.isfinite(own).sum(axis=0) >= 8
    return np.where(enough, found, 0.0)[None]


def _noise(seen: Floats, floor: Floats) -> tuple[Floats, Floats]:
    """Return the noise of one block of each asset, and that of a difference between two periods."""
    steps = np.abs(np.diff(seen, axis=1))
    pooled = _robust(steps.reshape(-1, steps.shape[-1])) / np.sqrt(2.0)
    pooled = np.maximum(np.nan_to_num(pooled, nan=0.0), floor)
    own = 1.48 * np.nan_to_num(median_of(steps), nan=0.0) / np.sqrt(2.0)
    noise = np.clip(own, pooled / 2, 4 * pooled)
    drifts: list[Floats] = []
    for window in _WINDOWS:
        if 2 * window > seen.shape[1]:
            drifts.append(drifts[-1] if drifts else pooled)
            continue
        medians = np.stack([median_of(seen[:, at : at + window]) for at in range(seen.shape[1] - window + 1)], axis=1)
        contrasts = np.abs(medians[:, window:] - medians[:, :-window])
        scale = _robust(contrasts.reshape(-1, contrasts.shape[-1]))
        drifts.append(np.maximum(np.nan_to_num(scale, nan=0.0), floor))
    return noise, np.stack(drifts)


def _robust(distances: Floats) -> Floats:
    """Return the scale of absolute differences, per feature."""
    return np.asarray(1.48 * median_of(distances[None])[0])
