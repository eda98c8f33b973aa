"""Breakdowns and repairs of a node or a transporter."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from twinlab.simulate.definition import Definition
from twinlab.simulate.network.distributions import Distribution

__all__ = ["Breakdowns"]


class Breakdowns(Definition):
    """What is under way when it breaks down goes on after the repair."""

    uptime: Distribution
    """Time from a repair to the next breakdown."""
    repair: Distribution
    """Time that a repair takes."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.uptime.mean_seconds <= 0:
            msg = "expected an `uptime` with a mean above 0"
            raise ValueError(msg)
        return self
