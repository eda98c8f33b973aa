"""A command as a frozen model, how it is made and read, and when it is valid."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from twinlab.commands.messages.strict import checked_message, payload_of, read_message
from twinlab.errors import CommandExpiredError, CommandRejectedError
from twinlab.model.basics import Model, Term

__all__ = [
    "CLOCK_TOLERANCE",
    "LONGEST_LIFE",
    "Command",
    "Instant",
    "Operation",
    "check_expiry",
    "check_issued",
    "check_times",
    "instant_text",
    "new_command",
    "new_stop",
    "read_command",
]

#: A command is about the state that a person looked at: after a minute it is decided again.
LONGEST_LIFE = timedelta(seconds=60)
#: How far the clock of a signer may be ahead: NTP keeps machines of a site within a fraction of it.
CLOCK_TOLERANCE = timedelta(seconds=5)
_INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


def _uuid7(text: str) -> str:
    try:
        found = uuid.UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text or found.version != 7:
        msg = "expected a UUID of version 7 in lower case"
        raise ValueError(msg)
    return text


def _instant(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        msg = "expected an instant that exists, such as 2026-03-01T12:00:00.000Z"
        raise ValueError(msg) from error
    return text


Operation = Literal["select", "operate", "stop"]
Instant = Annotated[str, Field(pattern=_INSTANT), AfterValidator(_instant)]


class Command(Model):
    """One command to one asset. All fields are signed."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    id: Annotated[str, AfterValidator(_uuid7)]
    """UUID of version 7."""
    twin: Term
    """Name of the twin: a command for one twin is of no use in another."""
    operation: Operation
    """Select reserves the target and changes nothing; operate acts; stop is the emergency stop, which needs no select."""
    target: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*/[^\s/\x00-\x1f]{1,100}$")]
    """Asset: "forklift/7"."""
    parameter: Term
    """What is set: "max_speed"."""
    value: float
    """Setpoint in `unit`, finite; 0 for a stop, which takes the target to the fail-safe value of its model."""
    unit: Annotated[str, Field(min_length=1, max_length=32)]
    """Unit of the value; "1" for a stop."""
    counter: Annotated[int, Field(ge=1, le=2**53)]
    """Rises with each command to the target, so that an older one after a newer is refused."""
    issued_at: Instant
    """When it was signed first, UTC."""
    expires_at: Instant
    """Last instant before which it may be carried out, UTC: at most 60 s after `issued_at`."""
    expected_state: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the state that the person looked at."""
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    """Why, in a sentence."""

    @model_validator(mode="after")
    def _lives_briefly(self) -> Self:
        life = self.expires - self.issued
        if not timedelta(0) < life <= LONGEST_LIFE:
            msg = (
                f"expected expires_at at most {LONGEST_LIFE.seconds} s after issued_at, got {life.total_seconds():g} s"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _stops_without_a_setpoint(self) -> Self:
        if self.operation == "stop" and (self.value, self.unit) != (0.0, "1"):
            msg = f"expected the value 0 and the unit 1 for a stop, got {self.value:g} {self.unit}"
            raise ValueError(msg)
        return self

    @property
    def issued(self) -> datetime:
        """When it was signed first."""
        return datetime.fromisoformat(self.issued_at)

    @property
    def expires(self) -> datetime:
        """When it expires."""
        return datetime.fromisoformat(self.expires_at)

    def payload(self) -> bytes:
        """Return the bytes that are signed: JSON with sorted keys."""
        return payload_of(self)


def new_command(
    target: str,
    parameter: str,
    value: float,
    unit: str,
    *,
    twin: str,
    operation: Operation,
    counter: int,
    expected_state: str,
    reason: str,
    now: datetime | None = None,
    life: timedelta = timedelta(seconds=30),
) -> Command:
    """Return a command that is issued now.

    Parameters
    ----------
    target, parameter, value, unit
        The asset, what is set, and to what: ``"forklift/7", "max_speed", 6, "km/h"``.
    twin, operation, counter, expected_state, reason
        See `Command`.
    now : datetime, optional
        Instant of issue, with a zone; the clock's by default.
    life : timedelta
        At most 60 s.

    Raises
    ------
    CommandRejectedError
        If a field isn't valid; the message names it.
    """
    issued = (now or datetime.now(UTC)).astimezone(UTC)
    fields = {
        "id": _new_uuid7(),
        "twin": twin,
        "operation": operation,
        "target": target,
        "parameter": parameter,
        "value": value,
        "unit": unit,
        "counter": counter,
        "issued_at": instant_text(issued),
        "expires_at": instant_text(issued + life),
        "expected_state": expected_state,
        "reason": reason,
    }
    return checked_message(Command, fields, what="command")


def new_stop(
    target: str, parameter: str, *, twin: str, reason: str, counter: int = 1, now: datetime | None = None
) -> Command:
    """Return an emergency stop: one person with a role that may stop signs it, and nothing about the state is expected.

    Parameters
    ----------
    target, parameter
        The asset, and the parameter that goes to its fail-safe value.
    twin, reason, now
        See `new_command`.
    counter : int
        Isn't compared with that of other commands.

    Raises
    ------
    CommandRejectedError
        If a field isn't valid; the message names it.
    """
    return new_command(
        target, parameter, 0.0, "1",
        twin=twin, operation="stop", counter=counter, expected_state="0" * 64, reason=reason, now=now, life=LONGEST_LIFE,
    )  # fmt: skip


def read_command(payload: bytes) -> Command:
    """Return the command that a payload states. Verify its signatures first.

    Raises
    ------
    CommandRejectedError
        If it isn't strict JSON, a field is missing or unknown, or a value has another type or isn't allowed.
    """
    return read_message(Command, payload, what="command")


def check_times(command: Command, *, now: datetime) -> None:
    """Refuse a command that has expired, or was issued in the future.

    Parameters
    ----------
    command : Command
    now : datetime
        With a zone.

    Raises
    ------
    CommandExpiredError
        From `expires_at` on.
    CommandRejectedError
        If `issued_at` is more than 5 s ahead.
    """
    check_issued(command, now=now)
    check_expiry(command, now=now)


def check_issued(command: Command, *, now: datetime) -> None:
    """Refuse a command that was issued in the future; see `check_times`."""
    if command.issued > now + CLOCK_TOLERANCE:
        ahead = (command.issued - now).total_seconds()
        msg = f"command.issued_at: expected at most {CLOCK_TOLERANCE.seconds} s ahead of the clock, got {ahead:g} s; compare the clocks"
        raise CommandRejectedError(msg)


def check_expiry(command: Command, *, now: datetime) -> None:
    """Refuse a command that has expired; see `check_times`."""
    if now >= command.expires:
        msg = f"command.expires_at: expected an instant after {instant_text(now)}, got {command.expires_at}; decide again with the present state"
        raise CommandExpiredError(msg)


def _new_uuid7() -> str:
    # RFC 9562, section 5.7: 48 bits of Unix milliseconds, version, 12 random bits, variant, 62 random bits.
    milliseconds = time.time_ns() // 10**6
    random = secrets.randbits(74)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (2**62 - 1)))


def instant_text(instant: datetime) -> str:
    """Return an instant as commands and answers write it: UTC with milliseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
