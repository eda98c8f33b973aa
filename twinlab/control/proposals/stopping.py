"""The emergency stop: one person, no simulation, no second person, no state that must be as it was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twinlab.commands.messages import new_stop, sign_command
from twinlab.control.proposals.sending import SendResult, Step
from twinlab.control.proposals.signatures import signer_of

if TYPE_CHECKING:
    from twinlab.control.proposals.desk import Desk

__all__ = ["emergency_stop"]


def emergency_stop(desk: Desk, target: str, parameter: str, *, as_: object, reason: str) -> SendResult:
    """Send an asset to its fail-safe value at once.

    Only the guards check it: its signature, and that the person may stop. Nothing of the twin is read before it is sent, and the audit
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
    stop = new_stop(target, parameter, twin=model.twin, reason=reason, counter=desk.next_counters(target)[0])
    wire = sign_command(stop, signer_of(as_, people=desk.people))
    desk.carried.about(target, wire, stop=True)
    desk.carried.answers.pop(target, None)
    answer = desk.guard.submit(wire)
    device = desk.carried.answers.get(target)
    seconds = time.perf_counter() - began
    return SendResult(
        stop.id, target, parameter, answer.outcome, answer.reason, spec.fail_safe, answer.value, spec.unit,
        "" if device is None else device.device, (Step("emergency stop", answer.outcome, answer.reason, seconds),),
    )  # fmt: skip
