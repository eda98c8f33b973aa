"""One step of a lineage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Step", "StepKind"]

StepKind = Literal["kpi", "exception", "event", "value", "flag", "calibration", "model", "mapping", "rows", "file"]


@dataclass(frozen=True)
class Step:
    """One step of a lineage."""

    kind: StepKind
    title: str
    """What it is: a value with its unit, the name of a test, a file."""
    text: str = ""
    """More about it in a sentence or a few words."""
    explains: int | None = None
    """Place of the step that it leads to; None for what is explained."""
