"""Commands as envelopes: signed, signed by a second person, opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinlab.commands.messages.command import Command, read_command
from twinlab.signing.envelopes.dsse import add_signature, open_envelope, read_payload, sign_payload

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer

__all__ = ["PAYLOAD_TYPE", "SignedCommand", "approve_command", "open_command", "sign_command"]

#: Part of what is signed: signed telemetry is no command.
PAYLOAD_TYPE = "application/vnd.twinlab.command+json"


@dataclass(frozen=True)
class SignedCommand:
    """A command whose signatures are all verified."""

    command: Command
    """What was signed."""
    payload: bytes
    """The bytes that were signed."""
    key_ids: tuple[str, ...]
    """Keys that signed, sorted."""


def sign_command(command: Command, signer: Signer) -> bytes:
    """Return a command as an envelope with one signature; see `sign_payload`."""
    return sign_payload(command.payload(), PAYLOAD_TYPE, signer)


def approve_command(wire: bytes, signer: Signer) -> bytes:
    """Return an envelope with one more signature of the same bytes: the second person approves exactly them.

    Raises
    ------
    CommandRejectedError
        If the envelope can't be read, its payload is no command, or the key has signed it already.
    """
    # Who signs wants to know what: bytes that are no command aren't signed.
    read_command(read_payload(wire, payload_type=PAYLOAD_TYPE))
    return add_signature(wire, payload_type=PAYLOAD_TYPE, signer=signer)


def open_command(wire: bytes, *, keys: Mapping[str, Key]) -> SignedCommand:
    """Return the command of an envelope if each of its signatures is valid.

    Parameters
    ----------
    wire : bytes
        The envelope as it came.
    keys : mapping of str to securesystemslib.signer.Key
        Key id -> public key, of those whose signatures count: a revoked key isn't among them.

    Raises
    ------
    CommandRejectedError
        As `open_envelope`; also if the payload is no valid command.
    ControlError
        Without the extra `control`.
    """
    opened = open_envelope(wire, payload_type=PAYLOAD_TYPE, keys=keys)
    return SignedCommand(read_command(opened.payload), opened.payload, opened.key_ids)
