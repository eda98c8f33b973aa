"""What the twin's own guard acts on: assets at the other end of a carrier, which check the same bytes themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from twinlab.commands.guard import Fence, State
from twinlab.commands.messages import open_answer
from twinlab.commands.messages.answer import Answer
from twinlab.commands.messages.state import state_hash
from twinlab.control.proposals.setpoints import rounded
from twinlab.errors import CommandRejectedError, ControlError

if TYPE_CHECKING:
    from twinlab.signing.keys.ring import KeyRing

__all__ = ["Carried", "Channel", "ReportedValue"]


class ReportedValue(Protocol):
    """What a device reports of one parameter."""

    @property
    def value(self) -> float:
        """Reported value."""

    @property
    def unit(self) -> str:
        """Its unit."""

    @property
    def at(self) -> datetime:
        """When it was measured."""


class Channel(Protocol):
    """What sends commands to assets and reads what they report; `twinlab.control.carriers.open_endpoints` returns one."""

    def send(self, wire: bytes, *, target: str, timeout: float) -> bytes:
        """Send a signed command, and return the signed answer of the target's device.

        Raises
        ------
        ControlError
            If no answer comes in time: the outcome of the command is unknown.
        """

    def read(self, target: str, parameter: str, *, timeout: float) -> ReportedValue:
        """Return what the device reports now."""


class Carried:
    """Assets that are reached through a channel, as an actuator of a guard.

    A guard decides by value; the asset wants the signed bytes. Who submits a command to the guard gives it to `about` first.

    Parameters
    ----------
    channel : Channel
    epoch : Path
        File of the epoch: of two processes with a guard the older one can't send any more.
    ring : callable
        Returns the keys as they are now.
    resolutions : mapping of (str, str) to float
        Asset type and parameter -> step in which the value is reported.
    timeout : float
        Seconds for reading.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        epoch: Path,
        ring: Callable[[], KeyRing],
        resolutions: Mapping[tuple[str, str], float | None],
        timeout: float = 5.0,
    ) -> None:
        self.channel = channel
        self._fence = Fence(epoch)
        self._epoch = 0
        self._ring = ring
        self._resolutions = resolutions
        self._timeout = timeout
        self._wires: dict[str, bytes] = {}
        self._stops: dict[str, bytes] = {}
        #: The last signed answer of each target's device.
        self.answers: dict[str, Answer] = {}

    def about(self, target: str, wire: bytes, *, stop: bool = False) -> None:
        """State the signed bytes of the command that is submitted next."""
        (self._stops if stop else self._wires)[target] = wire

    def take_over(self) -> int:
        """Return a new epoch; older ones can't send any more."""
        self._epoch = int(self._fence.advance())
        return self._epoch

    @property
    def overtaken(self) -> bool:
        """Whether a guard of another process has taken over since."""
        return int(self._fence.newest()) != self._epoch

    def state(self, target: str, parameter: str) -> State:
        """Return what the device reports now."""
        found = self.channel.read(target, parameter, timeout=self._timeout)
        step = self._resolutions.get((target.partition("/")[0], parameter))
        own = getattr(found, "sha256", None)
        value = rounded(found.value, step)
        return State(value, found.unit, found.at, own or state_hash(target, parameter, value, found.unit))

    read_back = state

    def send(self, wire: bytes, target: str, *, timeout: float) -> Answer:
        """Send signed bytes, and return the device's answer, whose signature counts.

        Raises
        ------
        ControlError
            If no answer comes, or it isn't about these bytes.
        """
        self.answers.pop(target, None)
        answer: Answer = open_answer(self.channel.send(wire, target=target, timeout=timeout), ring=self._ring())
        if answer.wire_sha256 != sha256(wire).hexdigest():
            msg = f"{target}: expected an answer to this command, got one of {answer.device} to another"
            raise ControlError(msg)
        self.answers[target] = answer
        return answer

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:  # noqa: ARG002  (the wire states them)
        """Send the command that was submitted, and return whether the device did it."""
        with self._fence.acting(epoch):
            answer = self.send(self._wires.pop(target), target, timeout=timeout)
        if answer.outcome == "refused":
            msg = f"{answer.device}: {answer.reason}"
            raise CommandRejectedError(msg)
        return answer.outcome == "done"

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:  # noqa: ARG002  (the device knows what is safe)
        """Send the emergency stop that was submitted; without one the device goes to safety by itself, and doesn't acknowledge here."""
        wire = self._stops.pop(target, None)
        if wire is None:
            return False
        with suppress(KeyError):
            del self._wires[target]
        return self.send(wire, target, timeout=self._timeout).outcome in {"done", "fail_safe"}
