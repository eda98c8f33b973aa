"""What a device has recorded by itself, page by page: each signed by the device, and bound to the entry before it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field

from twinlab.commands.messages.report import Nonce
from twinlab.commands.messages.strict import payload_of, read_message
from twinlab.errors import CommandRejectedError
from twinlab.model.basics import Model
from twinlab.signing.envelopes.dsse import open_envelope, sign_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from securesystemslib.signer import Key, Signer

__all__ = [
    "RECORDS_TYPE", "RecordedEntry", "RecordsPage", "RecordsRequest", "open_records", "read_records_request", "sign_records",
]  # fmt: skip

#: Part of what is signed: a page of a record is neither a report nor an answer.
RECORDS_TYPE = "application/vnd.twinlab.records+json"
_MOST = 2**53
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RecordsRequest(Model):
    """The question for what a device has recorded. It isn't signed: to read changes nothing."""

    model_config = ConfigDict(strict=True)

    target: Annotated[str, Field(min_length=1, max_length=130)]
    """Any asset of the device: "forklift/7"."""
    first: Annotated[int, Field(ge=0, le=_MOST)]
    """Number of the first entry that is wanted, from 0."""
    nonce: Nonce = Field(default_factory=lambda: secrets.token_hex(16))
    """On the page again, so that no earlier page is taken for it."""

    def payload(self) -> bytes:
        """Return the bytes that are sent.

        >>> request = RecordsRequest(target="forklift/7", first=12)
        >>> read_records_request(request.payload()) == request
        True
        """
        return payload_of(self)


class RecordedEntry(Model):
    """One entry of a record."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    sha256: Sha256
    """SHA-256 of its line in the device's file."""
    entry: dict[str, Any]
    """Kind, time, who, what, device and wire_sha256, see `twinlab.commands.guard.entries.entry_of`; of one that is too long a part."""


class RecordsPage(Model):
    """Entries of a record in their order. All fields are signed."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    device: Annotated[str, Field(min_length=1, max_length=100)]
    """Name of the device, as in the file of keys."""
    first: Annotated[int, Field(ge=0, le=_MOST)]
    """Number of the first entry of the page, as it was asked for."""
    total: Annotated[int, Field(ge=0, le=_MOST)]
    """How many entries the record has."""
    before: Sha256 | None
    """SHA-256 of the line before the page; None at the begin, and if the record hasn't so many."""
    entries: list[RecordedEntry]
    """Entries from `first` on, as many as an envelope takes."""
    nonce: Nonce
    """That of the request."""


def read_records_request(payload: bytes) -> RecordsRequest:
    """Return the request of a payload.

    Raises
    ------
    CommandRejectedError
        If it isn't one.
    """
    return read_message(RecordsRequest, payload, what="request")


def sign_records(page: RecordsPage, signer: Signer) -> bytes:
    """Return a page as an envelope with the signature of the device."""
    return sign_payload(payload_of(page), RECORDS_TYPE, signer)


def open_records(wire: bytes, *, keys: Mapping[str, Key], request: RecordsRequest, device: str) -> RecordsPage:
    """Return the page of an envelope if it answers the request and each of its signatures is valid.

    Parameters
    ----------
    wire : bytes
        The envelope as it came.
    keys : mapping of str to securesystemslib.signer.Key
        Key id -> public key of the device that was asked.
    request : RecordsRequest
        What was asked.
    device : str
        Name of the device.

    Raises
    ------
    CommandRejectedError
        As `open_envelope`; also if the page answers another request, or is one of another device.
    """
    opened = open_envelope(wire, payload_type=RECORDS_TYPE, keys=keys)
    page = read_message(RecordsPage, opened.payload, what="records")
    asked, got = (device, request.first, request.nonce), (page.device, page.first, page.nonce)
    if got != asked:
        msg = f"records: expected a page of {asked}, got one of {got}"
        raise CommandRejectedError(msg)
    return page
