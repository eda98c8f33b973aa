"""A broken line in correlated noise: when a change began, how fast it is, and how sure both are.

The model of one series is ``y = X c + b h(t, onset) + e``: regressors that are known (level, peers, season), a slope that
begins at an unknown onset, and noise that is a sum of a slow wander (a stationary Ornstein-Uhlenbeck process) and white
noise. Onset, time constant and share of the wander are a grid; level, slope and variance are integrated in closed form.
The interval of the slope is that of its marginal distribution, so that it contains the doubt about the onset and about
the wander; a wander may look like a drift, and does widen the interval.

References
----------
.. [1] D. V. Hinkley, "Inference in two-phase regression", Journal of the American Statistical Association 66 (1971) 736.
.. [2] A. Zellner, "An Introduction to Bayesian Inference in Econometrics", 1971, chapters 3 and 4 (regression with
   correlated errors, diffuse priors).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "EDGE",
    "Columns",
    "Fit",
    "Posterior",
    "fit_columns",
    "hinges",
    "hinges_until",
    "posterior_of",
    "steps",
]

Floats = npt.NDArray[np.float64]

#: Time constants of the wander, in steps of the series.
_SCALES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
#: Share of white noise in the variance.
_WHITE: Final = (0.0, 0.5, 0.8, 0.95)
#: Share of the variance that is a wander of a quarter of the series, whatever else the noise is: no sensor is stable for
#: ever, and a series can't show how slow its own slowest wander is. It widens the intervals of long, quiet series.
_SLOW: Final = 0.1
#: Steps at either end of a series in which no onset is looked for.
EDGE: Final = 7
#: Quantiles of a component of a mixture.
_QUANTILES: Final = (np.arange(81) + 0.5) / 81
_NORMAL: Final = np.array([NormalDist().inv_cdf(float(q)) for q in _QUANTILES])


@lru_cache(maxsize=8)
def _noises(n: int) -> tuple[tuple[Floats, float], ...]:
    """Return (whitening matrix, log determinant of the correlation) for each noise of the grid."""
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    slow = _SLOW * np.exp(-lags * 4 / n)
    made = []
    for scale, white in [(1.0, 1.0), *product(_SCALES, _WHITE)]:
        fast = (1 - white) * np.exp(-lags / scale) + white * np.eye(n)
        lower = np.linalg.cholesky((1 - _SLOW) * fast + slow)
        made.append((np.linalg.inv(lower), 2.0 * float(np.log(np.diag(lower)).sum())))
    return tuple(made)


@dataclass(frozen=True, eq=False)
class Columns:
    """Candidates for what begins at an unknown onset.

    Parameters
    ----------
    matrix : float64 [n, column]
    onsets : int64 [column]
        Step of the series at which each begins.
    """

    matrix: Floats
    onsets: npt.NDArray[np.int64]

    @cached_property
    def whitened(self) -> tuple[Floats, ...]:
        """The matrix under each noise of the grid."""
        return tuple(noise @ self.matrix for noise, _ in _noises(len(self.matrix)))


@lru_cache(maxsize=4)
def hinges(n: int, every: int = 1) -> Columns:
    """Return the columns ``max(t - onset, 0)``, one for each ``every``-th onset.

    >>> hinges(16).matrix[5:12, 0].tolist()
    [0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    """
    return hinges_until(n, n, every)


def hinges_until(n: int, until: int, every: int = 1) -> Columns:
    """Return the columns of `hinges`, but 0 from ``until`` on.

    >>> hinges_until(20, 18).matrix[14:20, 0].tolist()
    [7.0, 8.0, 9.0, 10.0, 0.0, 0.0]
    """
    onsets = np.arange(EDGE, until - EDGE, every)
    t = np.arange(n)[:, None]
    return Columns(np.where(t < until, np.maximum(t - onsets, 0.0), 0.0), onsets)


@lru_cache(maxsize=4)
def steps(n: int) -> Columns:
    """Return the columns of 0 before and 1 from each onset on.

    >>> steps(16).matrix[5:9, 0].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    onsets = np.arange(EDGE, n - EDGE)
    return Columns((np.arange(n)[:, None] >= onsets).astype(np.float64), onsets)


@dataclass(frozen=True)
class Fit:
    """What the best column adds to each series.

    Parameters
    ----------
    gain : float64 [series]
        Twice the rise of the largest log likelihood, each over the whole grid of noises.
    best : int64 [series]
        Column with the largest likelihood.
    slope : float64 [series]
        Its coefficient.
    noise : int64 [series]
        Noise of the grid under which that is so.
    """

    gain: Floats
    best: npt.NDArray[np.int64]
    slope: Floats
    noise: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Posterior:
    """Marginal distributions of one series' onset and slope.

    Parameters
    ----------
    onset : float
        Median, in steps; ``onset_interval`` and ``slope_interval`` contain 90 %.
    spread : float
        Standard deviation of the noise, the wander included.
    """

    onset: float
    onset_interval: tuple[float, float]
    slope: float
    slope_interval: tuple[float, float]
    spread: float


def _moments(y: Floats, base: Floats, white_h: Floats, noise: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return, under one noise: rest of y [series], h'h and h'y [column, series], log |X'X| [series]."""
    white_y = noise @ y
    n, count, p = base.shape
    white_x = (noise @ base.reshape(n, count * p)).reshape(n, count, p).transpose(1, 0, 2)
    q, r = np.linalg.qr(white_x)
    q_y = (q * white_y.T[:, :, None]).sum(1)
    rest = (white_y**2).sum(0) - (q_y**2).sum(1)
    q_h = (q.transpose(0, 2, 1).reshape(count * p, n) @ white_h).reshape(count, p, -1)
    size = (white_h**2).sum(0)[:, None]
    h_h = size - (q_h**2).sum(1).T
    h_y = white_h.T @ white_y - (q_h * q_y[:, :, None]).sum(1).T
    # A column that the regressors explain has no information of its own.
    h_h = np.where(h_h > 1e-6 * size + 1e-300, h_h, np.inf)
    log_x = 2.0 * np.log(np.abs(np.diagonal(r, axis1=1, axis2=2))).sum(1)
    return np.maximum(rest, 1e-300), h_h, h_y, log_x


def fit_columns(y: Floats, base: Floats, columns: Columns, noise: int | None = None) -> Fit:
    """Compare each series with and without the one column that explains most of it.

    Parameters
    ----------
    y : float64 [n, series]
    base : float64 [n, series, p]
        Regressors of each series that are known.
    columns : Columns
        Candidates, common to all series.
    noise : int, optional
        Only this noise of the grid; all by default.
    """
    n, count = y.shape
    series = np.arange(count)
    without = np.full(count, -np.inf)
    found = np.full((4, count), -np.inf)
    grid = _noises(n)
    for number in range(len(grid)) if noise is None else (noise,):
        matrix, log_det = grid[number]
        white_h = columns.whitened[number] if noise is None else matrix @ columns.matrix
        rest, h_h, h_y, _ = _moments(y, base, white_h, matrix)
        slope = h_y / h_h
        left = np.maximum(rest - slope * h_y, 1e-12 * rest)
        best = left.argmin(0)
        here = -0.5 * log_det - 0.5 * n * np.log(left[best, series])
        now = np.stack([here, best, slope[best, series], np.full(count, number)])
        found = np.where(here > found[0], now, found)
        without = np.maximum(without, -0.5 * log_det - 0.5 * n * np.log(rest))
    return Fit(2 * (found[0] - without), found[1].astype(np.int64), found[2], found[3].astype(np.int64))


def posterior_of(y: Floats, base: Floats, columns: Columns) -> Posterior:
    """Return the distributions of onset and slope of one series; parameters as `fit_columns`, for one series."""
    n, p = base.shape
    freedom = n - p - 1
    weights, slopes, errors, spreads = [], [], [], []
    onsets = columns.onsets
    for (noise, log_det), white_h in zip(_noises(n), columns.whitened, strict=True):
        rest, h_h, h_y, log_x = _moments(y[:, None], base[:, None, :], white_h, noise)
        h_h, h_y = h_h[:, 0], h_y[:, 0]
        slope = h_y / h_h
        left = np.maximum(rest[0] - slope * h_y, 1e-12 * rest[0])
        weights.append(-0.5 * (log_det + log_x[0] + np.log(h_h) + freedom * np.log(left)))
        slopes.append(slope)
        errors.append(np.sqrt(left / freedom / h_h))
        spreads.append(np.sqrt(left / freedom))
    weight = np.array(weights)
    weight = np.exp(weight - weight.max())
    weight /= weight.sum()
    by_onset = np.cumsum(weight.sum(0))
    at = [float(onsets[min(int(np.searchsorted(by_onset, q)), onsets.size - 1)]) for q in (0.05, 0.5, 0.95)]
    # Student's t by the expansion of Cornish and Fisher, exact enough from ten degrees of freedom.
    t = _NORMAL + (_NORMAL**3 + _NORMAL) / (4 * freedom)
    kept = weight > 1e-6
    points = (np.array(slopes)[kept][:, None] + np.array(errors)[kept][:, None] * t).ravel()
    share = np.repeat(weight[kept] / t.size, t.size)
    order = np.argsort(points)
    total = np.cumsum(share[order])
    low, middle, high = (
        float(points[order][min(np.searchsorted(total, q * total[-1]), order.size - 1)]) for q in (0.05, 0.5, 0.95)
    )
    spread = float((weight * np.array(spreads)).sum())
    return Posterior(at[1], (at[0], at[2]), middle, (low, high), spread)
