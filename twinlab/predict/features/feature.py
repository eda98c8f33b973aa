"""The protocol of a feature, and the check that it is known at the issue time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twinlab.predict.features.cases import Cases
from twinlab.predict.protocol.durations import text_of
from twinlab.predict.protocol.state import LeakError, State

__all__ = ["Feature", "check_known", "matrix"]


@runtime_checkable
class Feature(Protocol):
    """A number for each case, with the instant at which it is known."""

    @property
    def name(self) -> str:
        """Name of the column."""

    def known_after(self, lead_time: np.timedelta64) -> np.timedelta64:
        """Return how long after the issue time the feature is known for a lead time; 0 or less if it is known then."""

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,); NaN where the state has no value."""


def check_known(features: Sequence[Feature], lead_times: Sequence[np.timedelta64]) -> None:
    """Check that features are known at the issue time, for all lead times.

    Raises
    ------
    LeakError
        If one isn't; names it, the lead time and how much later it is known.
    """
    for feature in features:
        for lead in lead_times:
            late = feature.known_after(lead)
            if late > np.timedelta64(0, "ns"):
                msg = (
                    f"the feature {feature.name!r} is known {text_of(late)} after the issue time for the lead time {text_of(lead)}; "
                    "use a longer lag, a shorter lead time, or an input that is known ahead"
                )
                raise LeakError(msg)


def matrix(features: Sequence[Feature], state: State, cases: Cases) -> NDArray[np.float64]:
    """Return the features of cases as an array (cases, features)."""
    if not features:
        return np.empty((len(cases), 0))
    return np.stack([feature.values(state, cases) for feature in features], axis=1)
