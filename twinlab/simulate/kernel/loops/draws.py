"""Draws from the distributions of a plan."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.random import philox, uniform

__all__ = ["draw", "draw_other", "normal_quantile"]

_CONSTANT: Final = 0
_EXPONENTIAL: Final = 1
_UNIFORM: Final = 2
_TRIANGULAR: Final = 3
_NORMAL: Final = 4
_LOGNORMAL: Final = 5
_GAMMA: Final = 6
_ERLANG: Final = 7
_WEIBULL: Final = 8

# Coefficients of Wichura's algorithm AS 241 (PPND16), relative accuracy 1e-16.
_CENTRE: Final = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_SIDE: Final = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_TAIL: Final = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


@njit(cache=True, nogil=True)
def _ratio(pair, x):
    above, below = 0.0, 0.0
    for i in range(7, -1, -1):
        above = above * x + pair[0][i]
        below = below * x + pair[1][i]
    return above / below


@njit(cache=True, nogil=True)
def normal_quantile(u):
    """Return the quantile of the standard normal distribution [1]_.

    References
    ----------
    .. [1] M. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37, 1988.
    """
    q = u - 0.5
    if abs(q) <= 0.425:
        return q * _ratio(_CENTRE, 0.180625 - q * q)
    r = math.sqrt(-math.log(min(u, 1.0 - u)))
    found = _ratio(_SIDE, r - 1.6) if r <= 5.0 else _ratio(_TAIL, r - 5.0)
    return found if q > 0 else -found


@njit(cache=True, nogil=True)
def _draw_gamma(shape, c0, c1, c2, c3, k0, k1):
    """Return a gamma number of scale 1: Marsaglia and Tsang's method, one counter block an attempt."""
    boosted = shape if shape >= 1.0 else shape + 1.0
    d = boosted - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    attempt = np.uint64(256)
    while True:
        w0, w1, w2, w3 = philox(c0, c1, c2, c3 + attempt, k0, k1)
        attempt += np.uint64(256)
        x = normal_quantile(uniform(w0, w1))
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if math.log(uniform(w2, w3)) < 0.5 * x * x + d - d * v + d * math.log(v):
            break
    if shape >= 1.0:
        return d * v
    w0, w1, w2, w3 = philox(c0, c1, c2, c3, k0, k1)
    return d * v * uniform(w0, w1) ** (1.0 / shape)


@njit(cache=True, nogil=True)
def _draw_erlang(phases, c0, c1, c2, c3, k0, k1):
    """Return the sum of exponential numbers of mean 1, two from each counter block."""
    total = 0.0
    block = np.uint64(0)
    done = 0
    while done < phases:
        w0, w1, w2, w3 = philox(c0, c1, c2, c3 + block, k0, k1)
        total -= math.log(uniform(w0, w1))
        if done + 1 < phases:
            total -= math.log(uniform(w2, w3))
        block += np.uint64(256)
        done += 2
    return total


@njit(cache=True, nogil=True)
def draw_other(row, values, c0, c1, c2, c3, k0, k1):  # noqa: PLR0911  (one for each kind)
    """Return a draw from a distribution that is neither constant nor exponential."""
    kind = row.kind
    if kind == _GAMMA:
        return row.b * _draw_gamma(row.a, c0, c1, c2, c3, k0, k1)
    if kind == _ERLANG:
        return row.b * _draw_erlang(int(row.a), c0, c1, c2, c3, k0, k1)
    w0, w1, _, _ = philox(c0, c1, c2, c3, k0, k1)
    u = uniform(w0, w1)
    if kind == _UNIFORM:
        return row.a + (row.b - row.a) * u
    if kind == _TRIANGULAR:
        share = (row.b - row.a) / (row.c - row.a)
        if u < share:
            return row.a + math.sqrt(u * (row.c - row.a) * (row.b - row.a))
        return row.c - math.sqrt((1.0 - u) * (row.c - row.a) * (row.c - row.b))
    if kind == _NORMAL:
        return max(row.a + row.b * normal_quantile(row.c + u * (1.0 - row.c)), 0.0)
    if kind == _LOGNORMAL:
        return math.exp(row.a + row.b * normal_quantile(u))
    if kind == _WEIBULL:
        return row.b * (-math.log(u)) ** (1.0 / row.a)
    return values[row.first + min(int(u * row.a), int(row.a) - 1)]


@njit(cache=True, nogil=True)
def draw(distributions, values, which, c0, c1, c2, c3, k0, k1):
    """Return a draw, seconds, for a counter (number, owner, owner, purpose) and a key."""
    row = distributions[which]
    if row.kind == _CONSTANT:
        return row.a
    if row.kind == _EXPONENTIAL:
        w0, w1, _, _ = philox(c0, c1, c2, c3, k0, k1)
        return -math.log(uniform(w0, w1)) * row.a
    return draw_other(row, values, c0, c1, c2, c3, k0, k1)
