"""What came of the risks that were issued after a fit, and the correction that follows from it.

Failures may become rarer or more frequent after a fit, or values that precede them more usual: then all probabilities are too high or too low, however well they
were calibrated at the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Outcomes", "correction"]

Floats = NDArray[np.float64]
#: Standard deviations of offset and slope before anything has come: a factor of e in the odds is nothing unusual.
_USUAL: Final = (1.0, 0.5)
#: Weight of the outcomes, together, from which on there is a correction.
_LEAST: Final = 10.0


@dataclass(frozen=True)
class Outcomes:
    """Log odds that were issued after a fit, on its line, and whether a failure came.

    Parameters
    ----------
    scale : tuple of float
        The line of the fit.
    issued : array (case,) of int64
        Issue times, ns.
    asset : array (case,) of str
    log_odds : array (case,)
        Of a failure within the span.
    """

    scale: tuple[float, ...]
    issued: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    asset: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, "U1"))
    log_odds: Floats = field(default_factory=lambda: np.empty(0))

    def issue(self, when: np.datetime64, assets: list[str], log_odds: Floats, *, since: np.datetime64) -> Outcomes:
        """Return these and the risks of an instant; those that were issued before ``since`` are left out."""
        now = int(when.astype("datetime64[ns]").astype("int64"))
        kept = self.issued >= int(since.astype("datetime64[ns]").astype("int64"))
        return replace(
            self,
            issued=np.concatenate([self.issued[kept], np.full(len(assets), now, np.int64)]),
            asset=np.concatenate([self.asset[kept], np.array(assets, np.str_)]) if assets else self.asset[kept],
            log_odds=np.concatenate([self.log_odds[kept], log_odds]),
        )

    def correction(
        self, failures: pd.DataFrame, now: np.datetime64, *, span: np.timedelta64, every: np.timedelta64
    ) -> tuple[float, float]:
        """Return offset and slope by the outcomes that are known now.

        Parameters
        ----------
        failures : DataFrame
            Events with ``asset, start`` that are known now.
        now : datetime64
        span : timedelta64
            What the log odds are of: an outcome is known once the span is over.
        every : timedelta64
            Between two issue times. Spans that overlap have the same outcome, so that those of one span count as one.
        """
        width = int(span.astype("timedelta64[ns]").astype("int64"))
        known = self.issued + width <= int(now.astype("datetime64[ns]").astype("int64"))
        begun = failures[failures["start"].notna()]
        starts = begun["start"].to_numpy("datetime64[ns]").astype("int64")
        happened = np.zeros(len(self.issued), bool)
        for asset, places in begun.groupby("asset", observed=True).indices.items():
            own, of = np.sort(starts[places]), np.flatnonzero(self.asset == str(asset))
            first, last = (np.searchsorted(own, self.issued[of] + more, side="right") for more in (0, width))
            happened[of] = last > first
        return correction(self.log_odds[known], happened[known], weight=min(1.0, float(every / span)))


def correction(log_odds: Floats, happened: NDArray[np.bool_], *, weight: float) -> tuple[float, float]:
    """Return offset and slope with which ``offset + (1 + slope) * log_odds`` fits outcomes best [1]_.

    Both are 0 unless outcomes say otherwise: the penalty of each is that of a normal distribution with a standard deviation of 1, and of 0.5. The order of the
    log odds stays.

    Parameters
    ----------
    log_odds : array (case,)
    happened : array (case,) of bool
    weight : float
        Of each case; those of one asset at successive issue times aren't independent.

    References
    ----------
    .. [1] D. R. Cox, "Two further applications of a model for binary regression", Biometrika 45 (1958) 562-565.

    Examples
    --------
    >>> offset, slope = correction(np.zeros(200), np.arange(200) < 20, weight=1.0)
    >>> round(offset, 1), round(slope, 1)
    (-2.1, 0.0)
    """
    if weight * len(log_odds) < _LEAST:
        return 0.0, 0.0
    precision = np.diag([1 / deviation**2 for deviation in _USUAL])
    for columns in (np.column_stack([np.ones(len(log_odds)), log_odds]), np.ones((len(log_odds), 1))):
        found = _fitted(
            columns, log_odds, happened.astype(float), weight, precision[: columns.shape[1], : columns.shape[1]]
        )
        offset, slope = (*found.tolist(), 0.0)[:2]
        if slope > -1:
            return offset, slope
    return 0.0, 0.0


def _fitted(x: Floats, base: Floats, y: Floats, weight: float, precision: Floats) -> Floats:
    """Return the coefficients with the lowest penalised loss, by Newton's method; a step that doesn't lower it is halved."""

    def loss(beta: Floats) -> float:
        z = x @ beta + base
        return float(weight * (np.logaddexp(0.0, z) - y * z).sum() + beta @ precision @ beta / 2)

    beta, best = np.zeros(x.shape[1]), loss(np.zeros(x.shape[1]))
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta + base, -40.0, 40.0)))
        slope = weight * (x.T @ (p - y)) + precision @ beta
        step = np.linalg.solve(weight * (x.T * (p * (1 - p))) @ x + precision, slope)
        while (after := loss(beta - step)) > best and np.abs(step).max() > 1e-9:
            step = step / 2
        if after > best or np.abs(step).max() < 1e-9:
            break
        beta, best = beta - step, after
    return beta
