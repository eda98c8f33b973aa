"""What a predictor reads of a twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from twinlab.errors import SchemaError
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.events import EventColumns

__all__ = ["Inputs"]


@dataclass(frozen=True)
class Inputs:
    """What a predictor reads of a twin, and how far back.

    Parameters
    ----------
    asset_type : str
        Type whose assets are predicted.
    variables : tuple of str
        Variables of its history at ``step``, such as ``"temperature_mean"``.
    step : str
        Width of the cells, a step of the twin's rollups or the cadence of the signals.
    window : str
        Span before the issue time that `predict` reads.
    training : str
        Span before the instant of the fit that `fit` reads.
    others : mapping of str to tuple of str
        Variables of other asset types, at the same step.
    events : tuple of str
        Event types.
    columns : mapping of event type to EventColumns
        When the columns of their tables become known; by default plan and links with the plan, all else at the end.
    ahead : str
        Span after the issue time of which events that are planned are read.
    relationships : tuple of str
    on_grid : bool
        Whether issue times must be multiples of ``step``, as lead times of cells need it; predictions of events don't.
    """

    asset_type: str
    variables: tuple[str, ...] = ()
    step: str = "1h"
    window: str = "14d"
    training: str = "365d"
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    columns: Mapping[str, EventColumns] = field(default_factory=dict)
    ahead: str = "2d"
    relationships: tuple[str, ...] = ()
    on_grid: bool = True

    def __post_init__(self) -> None:
        for name in ("step", "window", "training", "ahead"):
            duration(getattr(self, name), what=f"Inputs.{name}")
        if self.window_ns < self.step_ns:
            msg = f"expected a window of at least one step of {self.step}, got window={self.window!r}"
            raise SchemaError(msg)

    @property
    def step_ns(self) -> np.timedelta64:
        """Width of a cell."""
        return duration(self.step, what="Inputs.step")

    @property
    def window_ns(self) -> np.timedelta64:
        """Span before the issue time."""
        return duration(self.window, what="Inputs.window")

    @property
    def training_ns(self) -> np.timedelta64:
        """Span before the fit."""
        return duration(self.training, what="Inputs.training")
