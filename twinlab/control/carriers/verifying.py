"""Whether an answer or a report is the one of the device that was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from twinlab.commands.messages.answer import Answer, open_answer
from twinlab.commands.messages.report import ReadRequest, open_report
from twinlab.control.carriers.carrier import CarrierContext, Reported
from twinlab.errors import CommandRejectedError, NoAnswerError
from twinlab.signing.envelopes.dsse import public_key
from twinlab.signing.keys.ring import KeyRing

if TYPE_CHECKING:
    from securesystemslib.signer import Key

__all__ = ["DeviceKeys", "checked_answer", "checked_report"]


class DeviceKeys(Mapping[str, "Key"]):
    """Keys of one device that aren't revoked.

    Parameters
    ----------
    ring : KeyRing
    device : str
        Its name in the file of keys.
    """

    def __init__(self, ring: KeyRing, device: str) -> None:
        self._keys = {key_id: key for key_id, (name, key) in ring.device_keys.items() if name == device}

    def __getitem__(self, key_id: str) -> Key:
        return public_key(key_id, self._keys[key_id].public)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


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
        found = open_report(report, keys=DeviceKeys(context.ring(), device), request=request)
    except CommandRejectedError as error:
        msg = f"{request.target}: expected a report that {device} signed, got: {error}"
        raise NoAnswerError(msg) from error
    if found.value is None or found.unit is None:
        msg = f"{request.target}: {request.parameter} can't be read: {found.problem or 'no value'}"
        raise NoAnswerError(msg)
    return Reported(found.value, found.unit, datetime.fromisoformat(found.at), found.sha256)
