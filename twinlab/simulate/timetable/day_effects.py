"""Effects of the day on normal scores: how large they are, and what the part of a day that is known says about the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.stats import f as f_distribution

__all__ = ["BLOCKS", "DayEffects", "Known", "day_of", "fit_day_effects"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Blocks of a day, each with one effect for each group.
BLOCKS = 8
_HOUR = 3600
_DAY = 24 * _HOUR
_BLOCK = _DAY // BLOCKS
#: What is known is taken from these spans before the start: of delays, and of durations, which are known later.
_OF_DELAYS = (2 * _HOUR, 6 * _HOUR, 7 * _DAY)
_OF_OTHERS = (8 * _HOUR, 26 * _HOUR, 7 * _DAY)
#: Longest of them: how far back what is known has to reach, seconds.
MEMORY = 7 * _DAY
#: Effects are kept if chance alone gives as large ones less often than this.
_LEVEL = 0.001
#: Probabilities in the tables of scores.
QUANTILES = 401
#: Shares of the trips at which the effects are cut into levels.
_EDGES = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.985, 1.0])
#: Days that are left out together to see how wrong a prediction is.
_LEFT_OUT = 28
#: Strengths of the ridge regression that are tried.
_RIDGES = np.array([0.3, 1, 3, 10, 30, 100, 300, 1000, 3000])


@dataclass(frozen=True)
class Known:
    """What had happened on a day by some second of it."""

    values: Floats
    group: Ints
    epoch: Ints
    """Planned starts, seconds since 1970 in the time of the fits, rising."""
    seen: Ints
    """When the value was known, in the same time."""
    features: Floats
    """What is known about the day by other means, shape ``(k,)``."""


@dataclass(frozen=True)
class DayEffects:
    """Effects by day, group and block: none if the days don't differ by more than chance."""

    noise: float
    """Standard deviation of scores within a day, group and block."""
    levels: Floats
    """Effects for which the distribution of the scores is tabulated, rising, shape ``(level,)``."""
    quantiles: Floats
    """Scores at equally spaced probabilities, shape ``(level, QUANTILES)``: on bad days they scatter more."""
    spread: float
    """Standard deviation of the effects; 0 without any."""
    mean: Floats
    """Effects of the days of the window, shrunk, shape ``(day, group, block)``."""
    doubt: Floats
    """Standard deviation of each, shape ``(day, group, block)``."""
    values: Floats
    """Values of the trips of the window, for what is known by some second of a day; empty without effects."""
    group: Ints
    epoch: Ints
    seen: Ints
    growing: bool
    """Whether values grow with the time that passes: a trip that hasn't left is late by at least that."""
    first_day: int
    day_start: int
    features: Floats
    """What is known about each day by other means, shape ``(day, k)``."""

    def scores(self, effect: Floats, u: Floats) -> Floats:
        """Return the scores at probabilities ``u``, given the effects; both have the same shape."""
        low, part, beyond = self._between(effect)
        at = u * (QUANTILES - 1)
        column = np.minimum(at.astype(np.int64), QUANTILES - 2)
        rest = at - column
        first, second = (
            self.quantiles[row, column] * (1 - rest) + self.quantiles[row, column + 1] * rest
            for row in (low, np.minimum(low + 1, len(self.levels) - 1))
        )
        return np.asarray(first * (1 - part) + second * part + beyond)

    def probability(self, effect: Floats, score: Floats) -> Floats:
        """Return the probability of lower scores, given the effects."""
        low, part, beyond = self._between(effect)
        high = np.minimum(low + 1, len(self.levels) - 1)
        whole = self.quantiles[low] * (1 - part[..., None]) + self.quantiles[high] * part[..., None]
        return np.asarray((whole < (score - beyond)[..., None]).sum(axis=-1) / QUANTILES)

    def _between(self, effect: Floats) -> tuple[Ints, Floats, Floats]:
        """Return the level below each effect, how far it is to the next, and what it is beyond all levels."""
        inside = np.clip(effect, self.levels[0], self.levels[-1])
        low = np.clip(np.searchsorted(self.levels, inside, side="right") - 1, 0, max(len(self.levels) - 2, 0))
        if len(self.levels) == 1:
            return low, np.zeros(effect.shape), effect - inside
        return low, (inside - self.levels[low]) / (self.levels[low + 1] - self.levels[low]), effect - inside

    def forecast(self, known: Known, start: int) -> tuple[Floats, Floats]:
        """Return what to expect for the rest of the day of the start, and how wrong that was on the days of the window.

        Ridge regression of the later effects on what was known by the same second of the day; errors are those on days that
        the regression doesn't know.

        Returns
        -------
        expected : ndarray, shape (group, block)
        errors : ndarray, shape (day, group, block)
            Errors of one day belong together.
        """
        second = (start - self.day_start * _HOUR) % _DAY
        of_days = np.stack([self._at(day, second) for day in range(len(self.mean))])
        now = self._summary(known.values, known.group, known.epoch, known.seen, start)
        x = np.concatenate([of_days, self.features], axis=1)
        x_now = np.concatenate([now, known.features])
        return _ridge(x, self.mean.reshape(len(self.mean), -1), x_now, self.mean.shape[1:])

    def _at(self, day: int, second: int) -> Floats:
        instant = (self.first_day + day) * _DAY + self.day_start * _HOUR + second
        low, high = np.searchsorted(self.epoch, [instant - MEMORY, instant])
        part = slice(low, high)
        return self._summary(self.values[part], self.group[part], self.epoch[part], self.seen[part], instant)

    def _summary(self, values: Floats, group: Ints, epoch: Ints, seen: Ints, instant: int) -> Floats:
        """Return, by group and span before an instant, the mean of the values known by then.

        Delays enter by their logarithm, those of what hasn't left as far as they have grown.
        """
        count = self.mean.shape[1]
        if self.growing:
            known = np.log1p(np.clip(np.minimum(values, instant - epoch), 0, 4 * _HOUR) / 600)
            usable = np.ones(len(values), dtype=bool)
        else:
            usable = (seen < instant) & np.isfinite(values)
            known = np.where(usable, values, 0.0)
        found = []
        for span in _OF_DELAYS if self.growing else _OF_OTHERS:
            here = usable & (epoch >= instant - span) & (epoch < instant)
            many = np.bincount(group[here], minlength=count)
            found.append(np.bincount(group[here], weights=known[here], minlength=count) / (many + 2.0))
        return np.concatenate(found)


def day_of(epoch: Ints, day_start: int) -> Ints:
    """Return the day of operation, days since 1970, of instants in seconds."""
    return (epoch - day_start * _HOUR) // _DAY


def block_of(epoch: Ints, day_start: int) -> Ints:
    """Return the block of the day of operation."""
    return (epoch - day_start * _HOUR) % _DAY // _BLOCK


def fit_day_effects(
    scores: Floats,
    values: Floats,
    group: Ints,
    epoch: Ints,
    seen: Ints,
    *,
    growing: bool,
    groups: int,
    day_start: int,
    features: Floats | None,
) -> DayEffects:
    """Return the effects of days on scores: means of cells of day, group and block, shrunk by their variance components."""
    days = day_of(epoch, day_start)
    first = int(days.min())
    count = int(days.max()) - first + 1
    cell = ((days - first) * groups + group) * BLOCKS + block_of(epoch, day_start)
    size = count * groups * BLOCKS
    many = np.bincount(cell, minlength=size).astype(np.float64)
    sums = np.bincount(cell, weights=scores, minlength=size)
    squares = np.bincount(cell, weights=scores**2, minlength=size)
    used = many > 0
    mean = np.where(used, sums / np.maximum(many, 1), 0.0)
    inside, free = float((squares - many * mean**2)[used].sum()), float((many[used] - 1).sum())
    shape = (count, groups, BLOCKS)
    nothing, none = np.zeros((0, groups, BLOCKS)), np.zeros(0, dtype=np.int64)
    without = DayEffects(
        1.0,
        np.zeros(1),
        _normal_scores()[None],
        0.0,
        nothing,
        nothing,
        np.zeros(0),
        none,
        none,
        none,
        growing,
        first,
        day_start,
        np.zeros((0, 0)),
    )
    if free < 30 or count < 20:
        return without
    within = inside / free
    # The usual level of a group and block isn't an effect of the day: cells by hour have taken most of it out.
    usual = _means_by(mean, many, shape)
    between = float((many * (mean - usual) ** 2)[used].sum())
    rows = float(used.sum()) - groups * BLOCKS
    ratio = between / rows / within
    if rows < 10 or f_distribution.sf(ratio, rows, free) > _LEVEL:
        return without
    typical = (many.sum() - (many**2).sum() / many.sum()) / max(rows, 1.0)
    variance = max((between / rows - within) / typical, 1e-9)
    weight = many * variance / (many * variance + within)
    effect = np.where(used, weight * (mean - usual), 0.0).reshape(shape)
    doubt = np.sqrt(variance * (1 - weight)).reshape(shape)
    order = np.argsort(epoch, kind="stable")
    extra = np.zeros((count, 0)) if features is None else features
    return DayEffects(
        float(np.sqrt(within)),
        *_by_level(scores, effect.ravel()[cell]),
        float(np.sqrt(variance)),
        effect,
        doubt,
        values[order],
        group[order],
        epoch[order],
        seen[order],
        growing,
        first,
        day_start,
        extra,
    )


def _normal_scores() -> Floats:
    """Return the quantiles of the standard normal distribution; the ends are those of the outermost probabilities."""
    return np.asarray(special.ndtri(np.clip(np.linspace(0, 1, QUANTILES), 0.25 / QUANTILES, 1 - 0.25 / QUANTILES)))


def _by_level(scores: Floats, effect: Floats) -> tuple[Floats, Floats]:
    """Return the levels of the effects, and the quantiles of the scores at each."""
    edges = np.unique(np.quantile(effect, _EDGES))
    bin_of = np.clip(np.searchsorted(edges, effect, side="right") - 1, 0, len(edges) - 2)
    # Of few trips, or effects far apart, two edges may have no trip between them.
    parts = [bin_of == one for one in np.unique(bin_of)]
    levels = np.array([effect[part].mean() for part in parts])
    table = np.stack([np.quantile(scores[part], np.linspace(0, 1, QUANTILES)) for part in parts])
    return levels, table


def _means_by(mean: Floats, many: Floats, shape: tuple[int, int, int]) -> Floats:
    """Return the weighted mean over days of each group and block, for every cell."""
    total = (many * mean).reshape(shape).sum(axis=0)
    seen = many.reshape(shape).sum(axis=0)
    usual = np.where(seen > 0, total / np.maximum(seen, 1), 0.0)
    return np.broadcast_to(usual, shape).ravel()


def _ridge(x: Floats, y: Floats, x_now: Floats, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return the prediction and the errors on days left out, of the ridge with the least of these errors.

    Blocks of four weeks are left out: a model is used in a season that it doesn't know. Of less than eight, quarters
    are, so that most days remain.
    """
    block = np.arange(len(x)) // (_LEFT_OUT if len(x) >= 2 * _LEFT_OUT else max(len(x) // 4, 1))
    left_out = [block == one for one in np.unique(block)]
    best: tuple[float, float, Floats] | None = None
    for strength in _RIDGES.tolist():
        errors = np.empty_like(y)
        for fold in left_out:
            errors[fold] = y[fold] - _predicted(x[~fold], y[~fold], x[fold], strength)
        score = float((errors**2).sum())
        if best is None or score < best[0]:
            best = score, strength, errors
    assert best is not None
    return _predicted(x, y, x_now[None], best[1])[0].reshape(shape), best[2].reshape(len(x), *shape)


def _predicted(x: Floats, y: Floats, x_new: Floats, strength: float) -> Floats:
    centre, scale, usual = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9), y.mean(axis=0)
    z = (x - centre) / scale
    # A value far outside those of the window is no ground for going further than they do.
    z_new = np.clip((x_new - centre) / scale, z.min(axis=0), z.max(axis=0))
    beta = np.linalg.solve(z.T @ z + strength * np.eye(z.shape[1]), z.T @ (y - usual))
    return np.asarray(usual + z_new @ beta)
