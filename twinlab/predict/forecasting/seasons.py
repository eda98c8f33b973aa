"""Seasons of regular series, given or found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.protocol.durations import duration

__all__ = ["CYCLES", "find_seasons", "given_seasons"]

Floats = NDArray[np.float64]
#: Cycles of the calendar that are looked for.
_CALENDAR: Final = ("1h", "1d", "7d")
#: Seasons that the data must have for a season to be used.
CYCLES: Final = 4
#: Least autocorrelation of the differences at a season, in the median of the series; it is at least three standard errors, too.
_LEAST, _ERRORS = 0.1, 3.0
#: Least autocorrelation at a season that isn't of the calendar.
_UNUSUAL: Final = 0.5
#: A cycle is taken in place of one of the calendar if it is shorter than this share of it, and its autocorrelation is this many times as great; nearly the
#: greatest one is this share of it.
_SHORTER, _BETTER, _NEARLY = 0.8, 1.25, 0.95


def given_seasons(season: str | Sequence[str] | None, step: np.timedelta64) -> tuple[int, ...]:
    """Return seasons in cells, rising.

    Raises
    ------
    SchemaError
        If one isn't a multiple of the step, or there are more than two.

    >>> given_seasons(("1d", "7d"), np.timedelta64(1, "h"))
    (24, 168)
    """
    texts = (season,) if isinstance(season, str) else tuple(season or ())
    found = []
    for text in texts:
        cells, rest = divmod(duration(text, what="season"), step)
        if rest or cells < 2:
            msg = f"expected a season that is a multiple of the step and at least two steps of {step.astype('timedelta64[s]')}, got {text!r}"
            raise SchemaError(msg)
        found.append(int(cells))
    if len(set(found)) > 2:
        msg = f"expected at most two seasons, such as ('1d', '7d'), got {list(texts)}"
        raise SchemaError(msg)
    return tuple(sorted(set(found)))


def find_seasons(values: Floats, step: np.timedelta64) -> tuple[int, ...]:
    """Return at most two seasons of series (asset, time), in cells, rising; none if nothing repeats.

    Hours, days and weeks are looked for, else the lag at which the differences repeat themselves best. A season counts if the median autocorrelation of the
    differences at it is at least 0.1 and three standard errors, and the data have at least four of it.

    >>> find_seasons(np.sin(np.arange(400) * 2 * np.pi / 24)[None], np.timedelta64(1, "h"))
    (24,)
    """
    size = values.shape[1]
    longest = size // CYCLES
    if longest < 2:
        return ()
    found = _autocorrelation(np.diff(values, axis=1), longest)
    least = max(_LEAST, _ERRORS / np.sqrt(size))
    cells = [duration(text, what="season") / step for text in _CALENDAR]
    usual = [int(one) for one in cells if one == int(one) and 2 <= one <= longest and found[int(one)] >= least]
    other = _peak(found)
    # A week repeats each seven hours, too: a shorter cycle that repeats much better is the season.
    if other and usual and other < _SHORTER * usual[0] and found[other] >= _BETTER * found[usual[0]]:
        return (other,)
    if usual:
        # A longer season that only repeats a shorter one would be without information of its own.
        return tuple(sorted(usual)[-2:]) if _adds(found, usual) else (usual[0],)
    return (other,) if other else ()


def _peak(found: Floats) -> int:
    """Return the first lag from 3 on at which the autocorrelation has nearly its greatest value, if that is large; 0 without one."""
    inner = found[3:-1]
    if not len(inner):
        return 0
    peaks = (inner >= found[2:-2]) & (inner >= found[4:]) & (inner >= max(_UNUSUAL, _NEARLY * float(inner.max())))
    return 3 + int(np.argmax(peaks)) if bool(peaks.any()) else 0


def _adds(found: Floats, usual: Sequence[int]) -> bool:
    """Return whether the longest season repeats better than its neighbours, the multiples of the one before."""
    if len(usual) < 2:
        return False
    short, long = usual[-2:]
    around = [long - short, long + short]
    return bool(found[long] >= max((found[one] for one in around if one < len(found)), default=-1.0) + 0.01)


def _autocorrelation(values: Floats, longest: int) -> Floats:
    """Return the median over series of the autocorrelation at lags 0 to ``longest``; of pairs that are known."""
    known = ~np.isnan(values)
    count = known.sum(axis=1, keepdims=True)
    usable = count[:, 0] > 0
    if not bool(usable.any()):
        return np.zeros(longest + 1)
    values, known, count = values[usable], known[usable], count[usable]
    x = np.where(known, values - np.nansum(values, axis=1, keepdims=True) / count, 0.0)
    size = 1 << int(np.ceil(np.log2(2 * x.shape[1])))

    def correlated(some: Floats) -> Floats:
        power = np.abs(np.fft.rfft(some, size, axis=1)) ** 2
        return np.asarray(np.fft.irfft(power, size, axis=1)[:, : longest + 1], float)

    total, pairs = correlated(x), np.maximum(np.round(correlated(known.astype(float))), 1)
    covariance = total / pairs
    first = covariance[:, :1]
    # Of a series that doesn't change nothing repeats.
    return np.asarray(np.median(np.where(first > 1e-12, covariance / np.where(first > 0, first, 1.0), 0.0), axis=0))
