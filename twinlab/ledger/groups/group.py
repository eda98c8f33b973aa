"""The bytes of a group: a line that says what it is, with checksums, then bytes of the source's segment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Self

from twinlab.errors import CorruptionError
from twinlab.ledger.format.position import Position

__all__ = ["Group", "group_name", "group_number"]

_FORMAT = 1
_DIGITS = 12


def group_name(folder: str, number: int) -> str:
    """Return the name of a group's object.

    >>> group_name("log", 7)
    'ledger/log/groups/000000000007'
    """
    return f"ledger/{folder}/groups/{number:0{_DIGITS}d}"


def group_number(name: str) -> int | None:
    """Return the number in the name of a group's object; None of another object."""
    last = name.rpartition("/")[2]
    return int(last) if "/groups/" in name and last.isdigit() else None


@dataclass(frozen=True)
class Group:
    """Rows that became durable together, or a fence: none, but the number is taken."""

    source: str
    number: int
    """From 1, without gaps."""
    epoch: int
    """Of the writer's lease."""
    id: str
    """Random text: a writer whose answer was lost recognises its own group."""
    holder: str
    """For people: process and machine."""
    segment: int
    """Number of the segment that ``body`` is a part of."""
    offset: int
    """First byte of ``body`` in it."""
    after: Position
    """Position of the source afterwards."""
    body: bytes = b""
    """Frames, after the segment's header if it begins with them; empty of a fence."""

    @property
    def is_fence(self) -> bool:
        """Whether it only takes the number, so that an earlier holder can't."""
        return not self.body

    def to_bytes(self) -> bytes:
        """Return the object."""
        about: dict[str, Any] = {key: value for key, value in asdict(self).items() if key != "body"}
        about |= {"format": _FORMAT, "bytes": len(self.body), "sha256": hashlib.sha256(self.body).hexdigest()}
        text = json.dumps(about, sort_keys=True, separators=(",", ":")).encode()
        return hashlib.sha256(text).hexdigest()[:16].encode() + b" " + text + b"\n" + self.body

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> Self:
        """Read a group.

        Raises
        ------
        CorruptionError
            If the bytes aren't those of a group.
        """
        line, _, body = data.partition(b"\n")
        check, _, text = line.partition(b" ")
        try:
            about = json.loads(text)
            sha, size, version = about.pop("sha256"), about.pop("bytes"), about.pop("format")
            found = cls(**{**about, "after": Position(**about["after"])}, body=body)
            whole = hashlib.sha256(text).hexdigest()[:16].encode() == check
            whole = whole and size == len(body) and hashlib.sha256(body).hexdigest() == sha and version == _FORMAT
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            msg = f"{name}: expected a group of rows with its checksums, the {len(data)} bytes there differ; restore this object"
            raise CorruptionError(msg)
        return found
