"""Learn how a signal follows from other signals of the same asset: a robust linear regression."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.labelled import times_of
from twinlab.quality.related.others import other_signal

__all__ = ["LearntRelation", "learn_relation"]

Floats = npt.NDArray[np.float64]

#: Of more rows, evenly spread ones are used.
_MOST: Final = 2_000_000
#: Tukey's constant: 95 % of the efficiency of least squares where errors are normal.
_TUKEY: Final = 4.685
_ROUNDS: Final = 50
#: A normal distribution's standard deviation from its median absolute deviation.
_SIGMA: Final = 1.4826


@dataclass(frozen=True)
class LearntRelation:
    """A linear combination of other signals, as `learn_relation` found it."""

    coefficients: Mapping[str, float]
    """Other signal -> units of this one per unit of it."""
    intercept: float
    suspect: float
    """Distance from the combination above which a value is suspect."""
    start: np.datetime64
    """Time of the first row."""
    stop: np.datetime64
    """Time of the last row."""
    samples: int
    """Number of rows with a value of all signals."""
    share_outside: float
    """Share of these rows that is suspect, 0..1."""
    explained: float
    """Share of the signal's variation, without outliers, that the combination explains, 0..1."""

    def options(self) -> dict[str, object]:
        """Return the options of the quality test ``multivariate``."""
        return {"coefficients": dict(self.coefficients), "intercept": self.intercept, "suspect": self.suspect}

    @property
    def evidence(self) -> str:
        """What the relation comes from, one sentence."""
        first, last = (np.datetime_as_string(one, unit="D") for one in (self.start, self.stop))
        return (
            f"learnt from {self.samples:,} rows, {first} to {last}, by robust regression (Tukey's biweight); it explains "
            f"{100 * self.explained:.3g} % of the variation, and {100 * self.share_outside:.3g} % of the rows are outside"
        )


def learn_relation(
    signal: xr.DataArray,
    others: xr.Dataset,
    *,
    margin: float = 6.0,
    least: int = 100,
    flags: xr.DataArray | None = None,
) -> LearntRelation:
    """Return how a signal follows from other signals, and how far from it a value normally is.

    A third of the rows may be wrong: far ones get no weight (M-estimate, Tukey's biweight, from least absolute deviations).

    Parameters
    ----------
    signal : DataArray with dimension ``time``
        NaN means missing.
    others : Dataset
        The other signals, on the same coordinates; all of its variables are used.
    margin : float
        A value is suspect that is so many robust standard deviations away.
    least : int
        Fewest rows with a value of all signals.
    flags : DataArray, optional
        Flags of the signal's values; those that are suspect or fail aren't learnt from.

    Raises
    ------
    SchemaError
        If there is no other signal, too few rows, or one that follows from the others or doesn't change.

    References
    ----------
    .. [1] P. W. Holland and R. E. Welsch, "Robust regression using iteratively reweighted least-squares", Communications in
       Statistics A6 (1977), 813-827.

    >>> hours = np.arange(500).astype("datetime64[h]").astype("datetime64[ns]")
    >>> power = xr.DataArray(np.arange(500) % 37, {"time": hours}, "time")
    >>> flow = 2.0 * power + 5
    >>> flow[::7] = 300
    >>> found = learn_relation(flow, xr.Dataset({"power": power}))
    >>> found.coefficients, found.intercept
    ({'power': 2.0}, 5.0)
    """
    names = [str(name) for name in others.data_vars]
    if not names or margin <= 0 or least < 10:
        msg = f"expected other signals, margin > 0 and least >= 10, got {names}, margin={margin!r}, least={least!r}"
        raise SchemaError(msg)
    known = signal if flags is None else signal.where(flags.isin([Flag.PASS, Flag.NOT_EVALUATED]))
    times = times_of(signal)
    stride = max(1, math.ceil(known.size / _MOST))
    rows = slice(None, None, stride)
    columns = [known, *(other_signal(others, name) for name in names)]
    table = np.stack([one.isel(time=rows).transpose("time", ...).to_numpy().ravel() for one in columns])
    table = table[:, np.isfinite(table).all(axis=0)].astype(np.float64)
    if table.shape[1] < least:
        msg = (
            f"expected at least {least} rows with a value of all signals, got {table.shape[1]}; choose a longer period"
        )
        raise SchemaError(msg)
    wanted, given = table[0], table[1:].T
    centre, scale = np.median(given, axis=0), np.ptp(given, axis=0)
    design = np.column_stack([np.ones(len(wanted)), (given - centre) / np.where(scale > 0, scale, 1.0)])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        msg = (
            f"expected signals that change independently, got {', '.join(names)}, one of which follows from the others"
        )
        raise SchemaError(msg)
    found, sigma = _regression(design, wanted)
    step = _digits(sigma, wanted)
    slopes = {name: _rounded(value) for name, value in zip(names, found[1:] / scale, strict=True)}
    intercept = round(float(found[0] - (found[1:] / scale) @ centre) / step) * step
    suspect = max(step, math.ceil(margin * sigma / step) * step)
    distance = np.abs(wanted - given @ np.array(list(slopes.values())) - intercept)
    inside = distance <= suspect
    variance = float(np.var(wanted[inside]))
    explained = 1 - float(np.mean(np.square(distance[inside]))) / variance if variance else 0.0
    return LearntRelation(
        coefficients=slopes,
        intercept=_rounded(intercept, 12),
        suspect=_rounded(suspect, 12),
        start=np.datetime64(int(times[0]), "ns"),
        stop=np.datetime64(int(times[-1]), "ns"),
        samples=table.shape[1],
        share_outside=1 - float(inside.mean()),
        explained=max(0.0, explained),
    )


def _regression(design: Floats, wanted: Floats) -> tuple[Floats, float]:
    """Return coefficients and the robust standard deviation of what they leave."""
    weights = np.ones(len(wanted))
    found: Floats = np.zeros(design.shape[1])
    sigma = 0.0
    for number in range(2 * _ROUNDS):
        root = np.sqrt(weights)
        before = found
        found = np.linalg.lstsq(design * root[:, None], wanted * root, rcond=None)[0].astype(np.float64)
        left = np.abs(wanted - design @ found)
        sigma = _SIGMA * float(np.median(left))
        if sigma <= 1e-12 * float(np.abs(wanted).max(initial=1.0)):
            break
        if number < _ROUNDS:
            # Least absolute deviations first: with Tukey's weights alone, where one starts decides where one ends.
            weights = 1 / np.maximum(left, 1e-3 * sigma)
        else:
            weights = np.square(np.clip(1 - np.square(left / (_TUKEY * sigma)), 0, None))
            if np.allclose(found, before, rtol=1e-9, atol=1e-12):
                break
    return found, sigma


def _digits(sigma: float, wanted: Floats) -> float:
    """Return the step to which thresholds are rounded: a hundredth of what is left, as a power of ten."""
    span = float(np.ptp(wanted)) or 1.0
    # An exact relation leaves what floating-point numbers leave.
    size = sigma if sigma > 1e-9 * span else 1e-3 * span
    return float(10.0 ** (math.floor(math.log10(size)) - 1))


def _rounded(value: float, digits: int = 6) -> float:
    return float(f"{value:.{digits}g}")
