"""What a device reports when it is asked: a value that is read back, signed by the device."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field

from twinlab.commands.messages.command import Instant
from twinlab.commands.messages.strict import payload_of, read_message
from twinlab.errors import CommandRejectedError
from twinlab.model.basics import Model
from twinlab.signing.envelopes.dsse import open_envelope, sign_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from securesystemslib.signer import Key, Signer

__all__ = ["REPORT_TYPE", "ReadRequest", "Report", "open_report", "read_request", "sign_report"]

#: Part of what is signed: a report is neither a command nor an answer to one.
REPORT_TYPE = "application/vnd.twinlab.report+json"
Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ReadRequest(Model):
    """The question for one value. It isn't signed: to read changes nothing."""

    model_config = ConfigDict(strict=True)

    target: Annotated[str, Field(min_length=1, max_length=130)]
    """Asset: "forklift/7"."""
    parameter: Annotated[str, Field(min_length=1, max_length=100)]
    """What is read: "max_speed"."""
    nonce: Nonce = Field(default_factory=lambda: secrets.token_hex(16))
    """In the report again, so that no earlier report is taken for it."""

    def payload(self) -> bytes:
        """Return the bytes that are sent.

        >>> request = ReadRequest(target="forklift/7", parameter="max_speed", nonce="0" * 32)
        >>> read_request(request.payload()) == request
        True
        """
        return payload_of(self)


class Report(Model):
    """One value as a device has it now. All fields are signed."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    target: str
    """Asset."""
    parameter: str
    """What was read."""
    value: float | None
    """The value; None if it can't be read."""
    unit: str | None
    """Its unit; None with it."""
    at: Instant
    """When it was measured, UTC."""
    sha256: str | None
    """Hash of the state, see `state_hash`; None without a value."""
    problem: str = ""
    """Why there is no value."""
    device: Annotated[str, Field(min_length=1, max_length=100)]
    """Name of the device, as in the file of keys."""
    nonce: Nonce
    """That of the request."""


def read_request(payload: bytes) -> ReadRequest:
    """Return the request of a payload.

    Raises
    ------
    CommandRejectedError
        If it isn't one.
    """
    return read_message(ReadRequest, payload, what="request")


def sign_report(report: Report, signer: Signer) -> bytes:
    """Return a report as an envelope with the signature of the device."""
    return sign_payload(payload_of(report), REPORT_TYPE, signer)


def open_report(wire: bytes, *, keys: Mapping[str, Key], request: ReadRequest) -> Report:
    """Return the report of an envelope if it answers the request and each of its signatures is valid.

    Parameters
    ----------
    wire : bytes
        The envelope as it came.
    keys : mapping of str to securesystemslib.signer.Key
        Key id -> public key of the device that was asked.
    request : ReadRequest
        What was asked.

    Raises
    ------
    CommandRejectedError
        As `open_envelope`; also if the report answers another request.
    """
    opened = open_envelope(wire, payload_type=REPORT_TYPE, keys=keys)
    report = read_message(Report, opened.payload, what="report")
    asked = request.target, request.parameter, request.nonce
    if (report.target, report.parameter, report.nonce) != asked:
        msg = f"report: expected one about {asked}, got one about {(report.target, report.parameter, report.nonce)}"
        raise CommandRejectedError(msg)
    return report
