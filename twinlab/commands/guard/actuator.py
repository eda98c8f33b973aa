"""What a guard acts on: the state that an asset reports, and the protocol of what sets it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

__all__ = ["Actuator", "State"]


@dataclass(frozen=True)
class State:
    """What an asset reports of one parameter."""

    value: float
    """Reported value."""
    unit: str
    """Its unit."""
    at: datetime
    """When it was measured, with a zone."""
    sha256: str
    """`twinlab.commands.messages.state_hash` of what a person looks at before a command."""
    blocked: tuple[str, ...] = ()
    """Interlocks that don't allow a setpoint now, in words: "fork_height: expected less than 1 m, got 2.4 m"."""


@runtime_checkable
class Actuator(Protocol):
    """What sets parameters of assets and reads them back.

    Any method may raise: before `apply` the command is then refused, from `apply` on the target goes to fail-safe. All may be
    called from several threads, because an emergency stop doesn't wait for a command that is under way.
    """

    def take_over(self) -> int:
        """Return a new epoch, one higher than the last, and refuse older ones in `apply` from now on, also after a restart.

        A guard calls it once when it starts, so that of two guards the older one can't act any more. If it isn't one higher
        than its own last one, another guard may have acted meanwhile: what was signed before is refused then. `Fence` does it.
        """

    def state(self, target: str, parameter: str) -> State:
        """Return what the asset reports now."""

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        """Set a value, and return whether the asset acknowledged it within `timeout` seconds.

        Raises
        ------
        CommandRejectedError
            If the epoch is older than the one of the last `take_over`: nothing changes then.
        """

    def read_back(self, target: str, parameter: str) -> State:
        """Return the value that the asset itself reports after a change: not what was sent to it."""

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        """Take the asset to a value, or to what is safe for it where that is None, and return whether it acknowledged.

        Has no epoch: whatever guard asks for it, the asset goes to safety. Must return within 100 ms where it can.
        """
