"""The emergency stop: one person, no simulation, no second person, no state that must be as it was."""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING

from twinlab.commands.messages.answer import Answer, new_answer, plain_reason
from twinlab.commands.messages.command import Command, new_stop
from twinlab.commands.messages.signed import sign_command
from twinlab.control.proposals.sending import SendResult, Step
from twinlab.control.proposals.signatures import signer_of
from twinlab.errors import TwinlabError

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from twinlab.control.proposals.desk import Desk

__all__ = ["emergency_stop"]

#: Seconds for the device's answer.
_PATIENCE = 5.0


def emergency_stop(desk: Desk, target: str, parameter: str, *, as_: object, reason: str) -> SendResult:
    """Send an asset to its fail-safe value at once.

    Only guards check it: its signature, and that the person may stop. Nothing of the twin is read before it is sent, and the audit
    is written as soon as it can be.

    Parameters
    ----------
    desk : Desk
    target, parameter : str
        The asset, and the parameter that goes to its fail-safe value.
    as_ : Signer, Path or str
        See `Plan.approve`.
    reason : str
        In a sentence.

    Raises
    ------
    UnknownTermError, SchemaError
        If ``as_`` is nobody who can sign here.
    """
    began = time.perf_counter()
    model = desk.reader().model
    spec = model.commands[target.partition("/")[0]][parameter]
    # Its counter is compared with no other.
    stop = new_stop(target, parameter, twin=model.twin, reason=reason)
    signer = signer_of(as_, people=desk.people)
    wire = sign_command(stop, signer)
    if desk.has_guard:
        # It ends a command that this process has under way, too.
        desk.carried.about(target, wire, stop=True)
        desk.carried.answers.pop(target, None)
        answer = desk.guard.submit(wire)
    else:
        # To make the guard takes a ledger that can be written, and reads back what an earlier process has left: the device checks
        # the same bytes itself.
        answer = _sent(desk, stop, wire, signer)
    device = desk.carried.answers.get(target)
    seconds = time.perf_counter() - began
    return SendResult(
        stop.id, target, parameter, answer.outcome, answer.reason, spec.fail_safe, answer.value, spec.unit,
        "" if device is None else device.device, (Step("emergency stop", answer.outcome, answer.reason, seconds),),
        f"{desk.clock():%Y-%m-%dT%H:%M:%S}Z",
    )  # fmt: skip


def _sent(desk: Desk, stop: Command, wire: bytes, signer: Signer) -> Answer:
    """Send a stop, then record it; what can't be recorded is sent all the same."""
    digest, about = sha256(wire).hexdigest(), (stop.id, stop.target, stop.parameter)
    try:
        answer = desk.carried.send(wire, stop.target, timeout=_PATIENCE)
    except (TwinlabError, OSError) as error:
        reason = f"{stop.target}: expected an answer of its device, got: {error}; look at {stop.target} itself"
        answer = new_answer("unknown", reason, device="twin", wire_sha256=digest, command=about)
    try:
        owner = desk.ring().person_keys.get(signer.public_key.keyid)
        desk.note(
            "emergency stop", [owner[0]] if owner else [], id=stop.id, twin=stop.twin, operation=stop.operation, target=stop.target,
            parameter=stop.parameter, asked_because=stop.reason, outcome=answer.outcome, reason=answer.reason, device=answer.device,
            wire=wire.decode(), wire_sha256=digest,
        )  # fmt: skip
    except (TwinlabError, OSError) as error:
        return answer.model_copy(update={"reason": plain_reason(f"{answer.reason}; it couldn't be recorded: {error}")})
    return answer
