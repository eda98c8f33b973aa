"""Whether an answer or a report is the one of the device that was asked."""

from __future__ import annotations

import hashlib
from datetime import datetime

from twinlab.commands.messages.answer import Answer, open_answer
from twinlab.commands.messages.records import RecordsPage, RecordsRequest, open_records
from twinlab.commands.messages.report import ReadRequest, open_report
from twinlab.control.carriers.carrier import CarrierContext, Reported
from twinlab.errors import CommandRejectedError, NoAnswerError
from twinlab.signing.keys.ring_keys import RingKeys

__all__ = ["checked_answer", "checked_records", "checked_report"]


def checked_answer(answer: bytes, wire: bytes, *, target: str, context: CarrierContext) -> Answer:
    """Return an answer if the device of the target signed it and it is about these bytes.

    Raises
    ------
    NoAnswerError
        If it isn't: the outcome of the command is unknown then.
    """
    device = context.device(target)
    try:
        found = open_answer(answer, ring=context.ring())
    except CommandRejectedError as error:
        msg = f"{target}: expected an answer that {device} signed, got: {error}; read back and decide again"
        raise NoAnswerError(msg) from error
    if found.device != device or found.wire_sha256 != hashlib.sha256(wire).hexdigest():
        msg = f"{target}: expected the answer of {device} to this command, got one of {found.device} to another; read back and decide again"
        raise NoAnswerError(msg)
    return found


def checked_report(report: bytes, *, request: ReadRequest, context: CarrierContext) -> Reported:
    """Return what a report states if the device of the target signed it and it answers the request.

    Raises
    ------
    NoAnswerError
        If it isn't, or the device couldn't read the value.
    """
    device = context.device(request.target)
    try:
        found = open_report(report, keys=RingKeys(context.ring().device_keys, owner=device), request=request)
    except CommandRejectedError as error:
        msg = f"{request.target}: expected a report that {device} signed, got: {error}"
        raise NoAnswerError(msg) from error
    if found.value is None or found.unit is None:
        msg = f"{request.target}: {request.parameter} can't be read: {found.problem or 'no value'}"
        raise NoAnswerError(msg)
    return Reported(found.value, found.unit, datetime.fromisoformat(found.at), found.sha256)


def checked_records(wire: bytes, *, request: RecordsRequest, context: CarrierContext) -> RecordsPage:
    """Return a page of a device's record if the device of the target signed it and it answers the request.

    Raises
    ------
    NoAnswerError
        If it isn't.
    """
    device = context.device(request.target)
    try:
        return open_records(
            wire, keys=RingKeys(context.ring().device_keys, owner=device), request=request, device=device
        )
    except CommandRejectedError as error:
        msg = f"{request.target}: expected a record that {device} signed, got: {error}"
        raise NoAnswerError(msg) from error
