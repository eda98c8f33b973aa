"""Format of what predictors read and predict."""

from __future__ import annotations

from twinlab.predict.models.format import dataclass_format
from twinlab.predict.protocol.events import EventColumns
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.targets.counts import CountTarget
from twinlab.predict.targets.event import EventTarget
from twinlab.predict.targets.signal import SignalTarget

__all__ = ["FORMAT"]

FORMAT = dataclass_format(
    "protocol", "inputs and targets", CountTarget, EventColumns, EventTarget, Inputs, SignalTarget
)
