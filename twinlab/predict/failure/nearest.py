"""The past case that is most like the present one, for the same reasons, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["PastCases"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PastCases:
    """Training cases that present ones are compared with.

    Cases are near each other if the same features move their risk by the same amounts ("supervised clustering" of [1]_): features that don't matter don't count.

    Parameters
    ----------
    contributions : array (case, feature)
        To the log odds.
    asset : array (case,) of str
    issued : array (case,) of datetime64
    days : array (case,)
        Remaining life; of one that didn't end, the days without a failure that are known.
    ended : array (case,) of bool
    ending : array (case,) of str
        What the failure was.

    References
    ----------
    .. [1] S. Lundberg et al., "Consistent individualized feature attribution for tree ensembles", arXiv:1802.03888 (2018), section 5.
    """

    contributions: Floats
    asset: NDArray[np.object_]
    issued: NDArray[np.datetime64]
    days: Floats
    ended: NDArray[np.bool_]
    ending: NDArray[np.object_]

    def nearest(
        self, contributions: Floats, assets: list[str], issue_time: np.datetime64, *, within: float
    ) -> list[str]:
        """Return the nearest case of each asset, in words; one of the asset itself only if it is older than ``within`` days."""
        out = []
        for one, asset in zip(contributions, assets, strict=True):
            distance = ((self.contributions - one) ** 2).sum(axis=1)
            recent = (issue_time - self.issued) / np.timedelta64(1, "D") < within
            distance[(self.asset == asset) & recent] = np.inf
            place = int(np.argmin(distance)) if len(distance) else -1
            out.append("" if place < 0 or np.isinf(distance[place]) else self._text(place))
        return out

    def _text(self, place: int) -> str:
        day = pd.Timestamp(self.issued[place]).strftime("%Y-%m-%d")
        if not self.ended[place]:
            return f"{self.asset[place]} on {day}: no failure in the {self.days[place]:.0f} d that are known since"
        ending = f" ({self.ending[place]})" if self.ending[place] else ""
        return f"{self.asset[place]} on {day}: failed {self.days[place]:.1f} d later{ending}"
