"""A proposal: what was asked, the state that was looked at, checks, effects and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from twinlab.control.proposals.effects.outcome import Change, Effect, Verdict, worst_verdict
from twinlab.control.proposals.situation.neighbours import Neighbour

__all__ = ["Check", "Proposal"]


@dataclass(frozen=True)
class Check:
    """One thing that must be so."""

    name: str
    """``limits``, ``step``, ``fresh``, ``settled``, ``interlock`` …"""
    passed: bool
    said: str
    """What was expected, what was found."""


@dataclass(frozen=True)
class Proposal:
    """What a command would do, from the state at an instant. Nothing is sent by it."""

    id: str
    twin: str
    target: str
    """Asset: "forklift/F07"."""
    parameter: str
    value: float
    """Setpoint in `unit`."""
    unit: str
    reason: str
    """Why, in the words of who proposes."""
    at: str
    """When the state was looked at, UTC."""
    reported: float
    """Reported value then, in `unit`; NaN if it isn't known."""
    expected_state: str
    """SHA-256 of that state, which the device compares with its own; "" if it isn't known. See `twinlab.commands.messages.state_hash`."""
    checks: tuple[Check, ...]
    effects: tuple[Effect, ...]
    """Empty if a check failed: what can't be sent isn't simulated."""
    neighbours: tuple[Neighbour, ...]
    people: int
    """How many persons must sign."""
    roles: tuple[str, ...]
    """With one of these roles."""

    @property
    def verdict(self) -> Verdict:
        """Safe, unsafe or "can't tell". A check that failed is no verdict on the effect: see `refused`."""
        return worst_verdict(self.effects)

    @property
    def refused(self) -> tuple[str, ...]:
        """Return why it can't be approved or sent, a sentence each; empty if it can."""
        failed = tuple(check.said for check in self.checks if not check.passed)
        if failed:
            return failed
        if not self.effects:
            return ("nothing was simulated",)
        return tuple(f"{one.verdict}: {one.title}: {one.reason}" for one in self.effects if one.verdict != "safe")

    @property
    def asset_type(self) -> str:
        """The asset's type."""
        return self.target.partition("/")[0]

    @property
    def asset(self) -> str:
        """The asset's name."""
        return self.target.partition("/")[2]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return a proposal from what `to_dict` returned, after JSON."""
        known = {name: data[name] for name in (field.name for field in fields(cls))}
        known["checks"] = tuple(Check(**one) for one in data["checks"])
        known["neighbours"] = tuple(Neighbour(**one) for one in data["neighbours"])
        known["effects"] = tuple(_effect(one) for one in data["effects"])
        known["roles"] = tuple(data["roles"])
        return cls(**known)


def _effect(data: Mapping[str, Any]) -> Effect:
    curves = {name: tuple(data[name]) for name in ("minutes", "before", "after", "low", "high")}
    # Named tuples are lists in JSON.
    kpis = {
        name: Change(*one.values()) if isinstance(one, dict) else Change(*one) for name, one in data["kpis"].items()
    }
    return Effect(**{**data, **curves, "kpis": kpis})
