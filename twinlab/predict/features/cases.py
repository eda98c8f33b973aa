"""Cases: what is predicted for which asset, when, and how far ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cases"]

Instants = NDArray[np.datetime64]
Spans = NDArray[np.timedelta64]


@dataclass(frozen=True)
class Cases:
    """Cases, as arrays of one length.

    Parameters
    ----------
    issued : array of datetime64[ns]
        Issue times.
    leads : array of timedelta64[ns]
        Lead times.
    asset : array of int
        Places in ``ids``.
    ids : tuple of str
        Assets.
    """

    issued: Instants
    leads: Spans
    asset: NDArray[np.intp]
    ids: tuple[str, ...]

    @classmethod
    def grid(
        cls, issued: Sequence[np.datetime64] | Instants, leads: Sequence[np.timedelta64], ids: Sequence[str]
    ) -> Self:
        """Return a case for each issue time, lead time and asset; assets change fastest."""
        shape = (len(issued), len(leads), len(ids))
        when, ahead, which = np.indices(shape).reshape(3, -1)
        return cls(
            np.asarray(issued, "datetime64[ns]")[when], np.array(leads, "timedelta64[ns]")[ahead], which, tuple(ids)
        )

    def __len__(self) -> int:
        return len(self.issued)

    @property
    def valid(self) -> Instants:
        """Instants that are predicted: issue time + lead time."""
        return self.issued + self.leads

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return some cases."""
        return type(self)(self.issued[rows], self.leads[rows], self.asset[rows], self.ids)
