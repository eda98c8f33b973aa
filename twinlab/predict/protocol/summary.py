"""A short repr of fitted predictors: they have arrays of thousands of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from twinlab.predict.protocol.inputs import Inputs

__all__ = ["Summary"]


class Summary:
    """The base of fitted predictors, whose dataclass has ``repr=False``."""

    if TYPE_CHECKING:

        @property
        def training(self) -> tuple[np.datetime64, np.datetime64]:
            """Start and stop of what it was fitted to."""

        @property
        def name(self) -> str:
            """Name of the model."""

        @property
        def inputs(self) -> Inputs:
            """What it reads."""

    def __repr__(self) -> str:
        start, stop = (str(one.astype("datetime64[m]")) for one in self.training)
        return f"<{type(self).__name__}: {self.name!r} of {self.inputs.asset_type}, fitted to {start} to {stop} UTC>"
