"""One message to a guard, and what is known of it so far: each part is read when a check first asks for it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from twinlab.commands.guard.actuator import State
from twinlab.commands.messages.command import Command, read_command
from twinlab.commands.messages.signed import SignedCommand
from twinlab.errors import ControlError
from twinlab.signing.envelopes.dsse import read_envelope
from twinlab.signing.keys.ring import KeyRing

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

__all__ = ["MAX_COMMAND_BYTES", "Message", "asks_for_stop"]

#: A command with the longest reason and eight signatures has less than 6 KiB.
MAX_COMMAND_BYTES = 8 * 1024


def asks_for_stop(wire: bytes) -> bool:
    """Return whether bytes say that they are an emergency stop. Their signature isn't verified: a transport must not let a stop wait.

    >>> asks_for_stop(b"{}")
    False
    """
    return (
        len(wire) <= MAX_COMMAND_BYTES and Message(wire, now=datetime.min.replace(tzinfo=UTC), stops={}).asks_for_stop
    )


class Message:
    """Bytes from anybody.

    Parameters
    ----------
    wire : bytes
    now : datetime
        The instant at which they came, by the clock that never goes back.
    stops : dict of str to int
        How many emergency stops each target has had when they came: one that comes later goes first.
    """

    def __init__(self, wire: bytes, *, now: datetime, stops: dict[str, int]) -> None:
        self.wire = wire
        self.now = now
        self.persons: tuple[str, ...] = ()
        self.verified = False
        self.ring: KeyRing | None = None
        self.state: State | None = None
        self._stops = stops

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.wire).hexdigest()

    @cached_property
    def envelope(self) -> Envelope:
        """The envelope, not verified."""
        return read_envelope(self.wire)

    @cached_property
    def command(self) -> Command:
        """The command that the payload states. Its signatures are verified before, but for `asks_for_stop`."""
        return read_command(self.envelope.payload)

    @property
    def signed(self) -> SignedCommand:
        """The command with the keys that signed it."""
        return SignedCommand(self.command, self.envelope.payload, tuple(sorted(self.envelope.signatures)))

    @property
    def asks_for_stop(self) -> bool:
        """Whether it says that it is an emergency stop; perhaps nobody has verified that."""
        try:
            return self.command.operation == "stop"
        except ControlError:
            return False

    @property
    def known(self) -> Command | None:
        """The command, if its signatures are verified and it can be read."""
        if not self.verified:
            return None
        try:
            return self.command
        except ControlError:
            return None

    @property
    def key(self) -> tuple[str, str]:
        """Target and parameter."""
        return self.command.target, self.command.parameter

    def stops_before(self, target: str) -> int:
        """Return how many emergency stops a target had when the message came."""
        return self._stops.get(target, 0)
