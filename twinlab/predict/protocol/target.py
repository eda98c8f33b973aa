"""What is predicted: its name, its unit, and its true values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import xarray as xr

from twinlab.predict.protocol.state import State

__all__ = ["Kind", "Target"]

#: A prediction has quantiles of a value, or the probability of an outcome.
Kind = Literal["quantiles", "probability"]


@runtime_checkable
class Target(Protocol):
    """What is predicted."""

    @property
    def name(self) -> str:
        """Name of the variable in predictions."""

    @property
    def units(self) -> str:
        """Canonical unit; "1" of a probability."""

    @property
    def kind(self) -> Kind:
        """Quantiles of a value, or a probability."""

    @property
    def attrs(self) -> Mapping[str, str]:
        """Attributes that predictions of it get, for `twinlab.predict.truth_of`."""

    def truth(
        self, state: State, issue_times: Sequence[np.datetime64], lead_times: Sequence[np.timedelta64]
    ) -> xr.DataArray:
        """Return true values with dims ``issue_time, lead_time, asset``; NaN where a state doesn't know them (yet)."""
