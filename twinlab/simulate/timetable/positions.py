"""When carriers arrive that are under way, given how much of the way they have behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PositionFits", "arrivals_under_way"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PositionFits:
    """How long the rest of a trip takes, by the share of the way that is covered."""

    edges: Floats
    """Shares of the way between which trips are alike, rising from 0 to 1, shape ``(bin + 1,)``."""
    remaining: Floats
    """Actual over usual time from a record of the position to the arrival: values at equally spaced probabilities, ``(bin, quantile)``."""
    count: int
    """Number of trips that this comes from."""


def arrivals_under_way(fits: PositionFits, share: Floats, seen: Floats, usual: Floats, u: Floats) -> Floats:
    """Return the arrivals of trips under way, seconds since the start; shape of ``u``, ``(replication, trip)``.

    Parameters
    ----------
    fits : PositionFits
    share : ndarray, shape (trip,)
        Share of the way that was covered at the last record of the position.
    seen : ndarray, shape (trip,)
        When that was, seconds since the start: below 0.
    usual : ndarray, shape (trip,)
        Usual time of the whole trip, seconds.
    u : ndarray
        Numbers in (0, 1).
    """
    bins = np.clip(np.searchsorted(fits.edges, share, side="right") - 1, 0, len(fits.remaining) - 1)
    left = np.maximum((1 - share) * usual, 60.0)
    levels = np.linspace(0, 1, fits.remaining.shape[1])
    found = np.empty(u.shape)
    for trip, one in enumerate(bins.tolist()):
        quantiles = fits.remaining[one] * left[trip] + seen[trip]
        # It hasn't arrived by the start.
        passed = float(np.interp(1.0, quantiles, levels, left=0.0, right=1.0))
        found[:, trip] = np.interp(passed + u[:, trip] * (1 - passed), levels, quantiles)
    return np.maximum(found, 1.0)
