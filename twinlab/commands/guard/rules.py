"""What may be set, by whom, within which limits: frozen objects that a device is given once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from twinlab.errors import SchemaError
from twinlab.signing.keys.ring import Role

__all__ = ["STOP_ROLES", "Rates", "Rule"]

#: Who may stop an asset in an emergency, beside those who may send its commands: one of them is enough.
STOP_ROLES: frozenset[Role] = frozenset({"operator", "dispatcher", "security", "admin"})


@dataclass(frozen=True)
class Rule:
    """What may be set of some assets, and who may.

    Raises
    ------
    SchemaError
        If a number isn't possible; names the rule and the field.
    """

    parameter: str
    """What is set: "max_speed"."""
    targets: frozenset[str]
    """Assets: "forklift/7"."""
    unit: str
    """Unit of `limits`, `largest_step`, `tolerance` and `fail_safe`; a command in another unit is refused, not converted."""
    limits: tuple[float, float]
    """Closed span of setpoints."""
    largest_step: float
    """How far a setpoint may be from the reported value."""
    tolerance: float
    """How far the value that is read back may be from the setpoint."""
    roles: frozenset[Role]
    """Who may sign: a person with one of these roles."""
    people: int = 1
    """How many different persons must sign."""
    stop_roles: frozenset[Role] = STOP_ROLES
    """Who may also stop the target in an emergency, one person alone; those with one of `roles` always may."""
    fail_safe: float | None = None
    """Value that is safe without anybody's attention; None: the actuator knows what safe is, such as standing still."""
    timeout: float = 5.0
    """Seconds for the acknowledgement, and the same again for the value that is read back."""
    longest_age: float = 5.0
    """Age of the reported state in seconds from which it is stale."""
    select_lifetime: float = 10.0
    """Seconds from select to operate."""
    link_timeout: float | None = None
    """Seconds without a sign of life after which a target that was set goes to fail-safe; None: it stays as it was set."""

    def __post_init__(self) -> None:
        low, high = self.limits
        checks: Iterable[tuple[bool, str]] = (
            (math.isfinite(low) and math.isfinite(high) and low <= high, f"limits: expected low <= high, got {low:g} and {high:g}"),
            (self.largest_step > 0, f"largest_step: expected a number above 0, got {self.largest_step:g}"),
            (0 <= self.tolerance < math.inf, f"tolerance: expected a number of at least 0, got {self.tolerance:g}"),
            (bool(self.targets), "targets: expected at least one asset, got none"),
            (bool(self.roles) and self.roles <= set(get_args(Role)), f"roles: expected some of {', '.join(get_args(Role))}, got {sorted(self.roles)}"),
            (self.stop_roles <= set(get_args(Role)), f"stop_roles: expected some of {', '.join(get_args(Role))}, got {sorted(self.stop_roles)}"),
            (self.people >= 1, f"people: expected at least 1, got {self.people}"),
            (self.fail_safe is None or math.isfinite(self.fail_safe), f"fail_safe: expected a finite number, got {self.fail_safe}"),
            *(
                (0 < seconds < math.inf, f"{name}: expected seconds above 0, got {seconds:g}")
                for name, seconds in (
                    ("timeout", self.timeout), ("longest_age", self.longest_age),
                    ("select_lifetime", self.select_lifetime), ("link_timeout", self.link_timeout or 1.0),
                )
            ),
        )  # fmt: skip
        for fine, message in checks:
            if not fine:
                msg = f"rule of {self.parameter}: {message}"
                raise SchemaError(msg)


@dataclass(frozen=True)
class Rates:
    """How many messages a guard looks at in a second. An emergency stop is always looked at."""

    total: int = 50
    """Messages of any kind, before anything of them is verified."""
    target: int = 5
    """Commands to one target, once their signatures are verified, so that nobody else can use them up."""
