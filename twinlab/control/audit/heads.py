"""Signed tree heads: what a log had at an instant, signed by a device, so that whoever has a head can show any later change.

References
----------
.. [1] RFC 6962, Certificate Transparency, section 3.5 (signed tree heads).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import CommandRejectedError, SourceError
from twinlab.signing.envelopes import open_envelope, public_key, read_json, sign_payload

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer

    from twinlab.signing.keys import KeyRing

__all__ = ["HEAD_TYPE", "FoundHeads", "TreeHead", "head_keys", "open_head", "read_envelopes", "read_heads", "sign_head"]

#: DSSE's type of the payload: nothing else that a device signs is a head.
HEAD_TYPE = "application/vnd.twinlab.audit-head+json"
_DEVICE = "audit"


@dataclass(frozen=True)
class TreeHead:
    """What a log had at an instant."""

    log: str
    """Id of the log."""
    number: int
    """Number of this head, from 0 without a gap for each key."""
    size: int
    """Number of rows."""
    root: str
    """Root of the Merkle tree over them, in hexadecimal."""
    at: str
    """When it was signed, UTC."""
    leaves: str
    """Hashes of the rows since the head before it, in base64: they say which row was changed."""

    @property
    def leaf_bytes(self) -> bytes:
        """32 bytes for each of the last rows."""
        return base64.b64decode(self.leaves)

    @property
    def first(self) -> int:
        """Number of the first row whose hash is among `leaves`."""
        return self.size - len(self.leaf_bytes) // 32


@dataclass(frozen=True)
class FoundHeads:
    """Heads in files."""

    heads: tuple[TreeHead, ...]
    """Those that a key signed that counts, by size."""
    refused: tuple[str, ...]
    """Why others don't count: the file and the line."""


def sign_head(head: TreeHead, signer: Signer) -> bytes:
    """Return a head as a signed envelope."""
    payload = json.dumps(asdict(head), sort_keys=True, separators=(",", ":")).encode()
    wire: bytes = sign_payload(payload, HEAD_TYPE, signer)
    return wire


def open_head(wire: bytes, *, keys: Mapping[str, Key]) -> TreeHead:
    """Return the head of an envelope.

    Parameters
    ----------
    wire : bytes
        The envelope.
    keys : mapping of str to securesystemslib.signer.Key
        Keys that may sign heads, see `head_keys`.

    Raises
    ------
    CommandRejectedError
        If no key among them signed it, or it is no head.
    """
    opened = open_envelope(wire, payload_type=HEAD_TYPE, keys=keys)
    found = read_json(opened.payload, what="head")
    try:
        head = TreeHead(**found)
        if len(bytes.fromhex(head.root)) == 32 and 0 <= head.first <= head.size and len(head.leaf_bytes) % 32 == 0:
            return head
    except (TypeError, ValueError):
        pass
    msg = f"head: expected log, number, size, root, at and leaves, got {ascii(found)[:80]}"
    raise CommandRejectedError(msg)


def head_keys(ring: KeyRing) -> dict[str, Key]:
    """Return the keys that may sign heads: those of the devices "audit" and "audit/…" that aren't revoked."""
    return {
        key.key_id: public_key(key.key_id, key.public)
        for name, device in ring.devices.items()
        if name.split("/")[0] == _DEVICE
        for key in device.keys
        if key.revoked is None
    }


def read_heads(places: Iterable[Path], *, keys: Mapping[str, Key]) -> FoundHeads:
    """Return the heads in files, or in all files of folders that end in ``.jsonl``.

    Parameters
    ----------
    places : iterable of Path
        A line of a file is an envelope, or a message with an envelope as `head`, as a channel of the kind file writes it.
    keys : mapping of str to securesystemslib.signer.Key
        Keys that may sign heads.

    Raises
    ------
    SourceError
        If a place can't be read.
    """
    refused: list[str] = []
    heads = {head: None for head, _ in read_envelopes(places, keys=keys, refused=refused)}
    return FoundHeads(tuple(sorted(heads, key=lambda head: (head.size, head.number))), tuple(refused))


def read_envelopes(
    places: Iterable[Path], *, keys: Mapping[str, Key], refused: list[str] | None = None
) -> list[tuple[TreeHead, bytes]]:
    """Return the heads in files with their envelopes, in the order of the files; see `read_heads`.

    Parameters
    ----------
    places, keys
        See `read_heads`.
    refused : list of str, optional
        Gets why lines don't count.

    Raises
    ------
    SourceError
        If a place can't be read.
    """
    found = []
    for path, number, line in _lines(places):
        try:
            stated = json.loads(line)
            wire = json.dumps(stated["head"], separators=(",", ":")).encode() if "head" in stated else line
            found.append((open_head(wire, keys=keys), wire))
        except (CommandRejectedError, ValueError, TypeError, RecursionError) as error:
            if refused is not None:
                refused.append(f"{path}, line {number}: {error}")
    return found


def _lines(places: Iterable[Path]) -> Iterator[tuple[Path, int, bytes]]:
    for place in places:
        paths = sorted(place.rglob("*.jsonl")) if place.is_dir() else [place]
        for path in paths:
            try:
                data = path.read_bytes()
            except OSError as error:
                msg = f"{path}: expected signed heads of an audit, got: {error.strerror or error}"
                raise SourceError(msg) from error
            for number, line in enumerate(data.split(b"\n"), 1):
                if line:
                    yield path, number, line
