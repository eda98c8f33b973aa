"""One parameter of an asset type that may be set."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from twinlab.model.access.roles import Role
from twinlab.model.basics import Duration, Model, Term, Unit, parse_duration
from twinlab.model.commands.effects import Effect

__all__ = ["CommandSpec"]

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class CommandSpec(Model):
    """A parameter of an asset type: how it is reported, within which limits it may be set, by whom, and what is simulated first."""

    signal: Term
    """Signal with the reported value."""
    unit: Unit
    """Unit of the setpoint and of all values below."""
    limits: tuple[Finite, Finite]
    """Least and greatest setpoint."""
    largest_step: Positive
    """How far a setpoint may be from the reported value."""
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """How far the value that is read back may be from the setpoint."""
    fail_safe: Finite | None = None
    """What the device sets if it loses its connection, or what is read back differs: within `limits`. By default the device knows
    it for each asset: a freezer goes to another set point than a chilled room."""
    roles: Annotated[list[Role], Field(min_length=1)]
    """Roles that may send it; one of them is enough."""
    people: Annotated[int, Field(ge=1, le=8)] = 1
    """How many different persons must sign."""
    simulate_with: Annotated[list[Effect], Field(min_length=1)]
    """What is simulated from the present state before it is sent: `queue`, `room`, `trip`, `stopping`."""
    interlocks: list[str] = Field(default_factory=list)
    """Conditions of the asset that must be true: "battery > 10 %". They compare present values; unknown counts as false."""
    watched: list[Term] = Field(default_factory=list)
    """Signals, besides the reported one, whose change makes a proposal void: a door, a mode. Of readings that change by
    themselves none."""
    fresh: Duration = "10min"
    """How old the values may be that a proposal is based on."""
    timeout: Duration = "5s"
    """How long the acknowledgement may take."""
    carrier: Term | None = None
    """Endpoint of the twin's ``control.yaml`` that it is sent through; by default the one that has the asset."""
    title: str | None = None
    """Name for people."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.limits
        if not low < high:
            msg = f"expected limits with the least setpoint first, got {low:g} and {high:g}"
            raise ValueError(msg)
        if self.fail_safe is not None and not low <= self.fail_safe <= high:
            msg = f"expected a fail_safe within the limits from {low:g} to {high:g} {self.unit}, got {self.fail_safe:g}"
            raise ValueError(msg)
        if self.largest_step > high - low and not math.isclose(self.largest_step, high - low):
            msg = f"expected a largest_step of at most {high - low:g} {self.unit}, the width of the limits, got {self.largest_step:g}"
            raise ValueError(msg)
        return self

    @property
    def fresh_ns(self) -> int:
        """How old values may be, nanoseconds."""
        return parse_duration(self.fresh)

    @property
    def timeout_s(self) -> float:
        """How long the acknowledgement may take, seconds."""
        return parse_duration(self.timeout) / 1e9
