"""The answer to a command: what was done, or why not, signed by the device that did it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from twinlab.commands.messages.command import Instant, instant_text
from twinlab.commands.messages.strict import payload_of, read_message
from twinlab.errors import CommandRejectedError
from twinlab.model.basics import Model
from twinlab.signing.envelopes.dsse import open_envelope, sign_payload
from twinlab.signing.keys.ring import KeyRing
from twinlab.signing.keys.ring_keys import RingKeys

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

__all__ = ["ANSWER_TYPE", "Answer", "Outcome", "new_answer", "open_answer", "plain_reason", "sign_answer"]

#: Part of what is signed: an answer is no command.
ANSWER_TYPE = "application/vnd.twinlab.answer+json"

Outcome = Literal["selected", "done", "refused", "fail_safe", "unknown"]


class Answer(Model):
    """Outcome of one command. All fields are signed."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    command_id: str | None
    """Id of the command; None if the bytes were no command that could be verified and read."""
    target: str | None
    """Asset: "forklift/7"; None with `command_id`."""
    parameter: str | None
    """What was to be set; None with `command_id`."""
    outcome: Outcome
    """selected: reserved, nothing changed. done: acknowledged, and read back within the tolerance. refused: nothing changed.
    fail_safe: the target went to its fail-safe value. unknown: the value must be read back and decided again."""
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    """In a sentence: what was expected, what was found."""
    value: float | None = None
    """Reported value after the outcome, as it was read back; None if it wasn't read."""
    unit: str | None = None
    """Unit of the value; None with it."""
    at: Instant
    """When the answer was given, UTC."""
    device: Annotated[str, Field(min_length=1, max_length=100)]
    """Name of the device that answers, as in the file of keys."""
    wire_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the bytes that are answered, also if they were no command."""

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        if len({part is None for part in (self.command_id, self.target, self.parameter)}) != 1:
            msg = "expected command_id, target and parameter together, or none of them"
            raise ValueError(msg)
        if (self.value is None) != (self.unit is None):
            msg = "expected value and unit together, or none of them"
            raise ValueError(msg)
        if self.command_id is None and self.outcome != "refused":
            msg = f"expected the outcome refused without a command, got {self.outcome}"
            raise ValueError(msg)
        return self

    def payload(self) -> bytes:
        """Return the bytes that are signed: JSON with sorted keys."""
        return payload_of(self)


def new_answer(
    outcome: Outcome,
    reason: str,
    *,
    device: str,
    wire_sha256: str,
    command: tuple[str, str, str] | None = None,
    value: tuple[float, str] | None = None,
    now: datetime | None = None,
) -> Answer:
    """Return an answer that is given now.

    Parameters
    ----------
    outcome, reason, device, wire_sha256
        See `Answer`; a longer reason is cut.
    command : (str, str, str), optional
        Id, target and parameter of the command; left out for bytes that are no command.
    value : (float, str), optional
        Reported value and its unit.
    now : datetime, optional
        With a zone; the clock's by default.
    """
    command_id, target, parameter = command or (None, None, None)
    reported, unit = value or (None, None)
    return Answer(
        command_id=command_id, target=target, parameter=parameter, outcome=outcome, reason=plain_reason(reason) or outcome,
        value=reported, unit=unit, at=instant_text(now or datetime.now(UTC)), device=device, wire_sha256=wire_sha256,
    )  # fmt: skip


def plain_reason(text: str) -> str:
    """Return a reason that can be signed and recorded: at most 2000 characters, no surrogates of another program's text."""
    return text.encode("utf-8", "replace").decode()[:2000]


def sign_answer(answer: Answer, signer: Signer) -> bytes:
    """Return an answer as an envelope with the signature of the device; see `sign_payload`."""
    return sign_payload(answer.payload(), ANSWER_TYPE, signer)


def open_answer(wire: bytes, *, ring: KeyRing) -> Answer:
    """Return the answer of an envelope if the device that it names signed it, and nobody else.

    Parameters
    ----------
    wire : bytes
        The envelope as it came.
    ring : KeyRing
        With the keys of devices. A person's key, or a revoked one, doesn't count.

    Raises
    ------
    CommandRejectedError
        As `open_envelope`; also if the payload is no valid answer, or the key is one of another device.
    ControlError
        Without the extra `control`.
    """
    opened = open_envelope(wire, payload_type=ANSWER_TYPE, keys=RingKeys(ring.device_keys))
    answer = read_message(Answer, opened.payload, what="answer")
    owners = sorted({ring.device_keys[key_id][0] for key_id in opened.key_ids})
    if owners != [answer.device]:
        msg = f"answer.device: expected the device that signed, {', '.join(owners)}, got {ascii(answer.device)[:80]}"
        raise CommandRejectedError(msg)
    return answer
