"""The handshake of a gateway and the historian, and the historian's replies, in JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from twinlab.errors import SchemaError

__all__ = ["RUNS", "Birth", "Reply", "read_object"]

VERSION = 1
#: Runs of a gateway's program that are stated and remembered; a copy of its disk that is older than these isn't recognised.
RUNS = 16


@dataclass(frozen=True, slots=True)
class Birth:
    """What a gateway publishes when it connects, retained; the handshake."""

    token: int
    first: int
    """Sequence of the oldest row that the outbox has or reports as lost."""
    last: int
    """Sequence of the latest row."""
    sent: int
    units: dict[str, str | None]
    """Catalogue: every tag and its declared unit."""
    online: bool = True
    """False in the message that the broker publishes when the connection ends (the will)."""
    runs: tuple[tuple[int, int], ...] = ()
    """Latest runs of the program with this outbox: the first sequence of each, and a random number. Empty from earlier versions."""

    def to_json(self) -> bytes:
        """Return the payload."""
        return json.dumps(
            {**asdict(self), "token": f"{self.token:016x}", "version": VERSION}, ensure_ascii=False
        ).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> Birth:
        """Read a payload.

        Raises
        ------
        SchemaError
            If it isn't one.
        """
        found = read_object(payload, "birth")
        try:
            units = {str(tag): None if unit is None else str(unit) for tag, unit in dict(found["units"]).items()}
            first, last, sent = (int(found[name]) for name in ("first", "last", "sent"))
            token, online = int(str(found["token"]), 16), bool(found["online"])
            runs = tuple((int(opened), int(number)) for opened, number in found.get("runs", ()))
            return cls(token, first, last, sent, units, online=online, runs=runs)
        except (KeyError, TypeError, ValueError) as error:
            msg = f"birth of a gateway: expected token, first, last, sent, units and online, got {payload[:200]!r}"
            raise SchemaError(msg) from error


@dataclass(frozen=True, slots=True)
class Reply:
    """What the historian answers."""

    token: int
    epoch: int
    """Number of the outbox in the ledger, rising within a source; 0 if the outbox has none yet."""
    accepted: int
    """All rows up to this sequence are durable in the ledger."""
    missing: int | None = None
    """First sequence of a gap: later rows have arrived."""
    refused: str = ""
    """Why no row is taken: the outbox is an older copy of one that the historian knows. It has all rows up to ``accepted``; the
    others need a new epoch."""

    def to_json(self) -> bytes:
        """Return the payload."""
        return json.dumps({**asdict(self), "token": f"{self.token:016x}"}).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> Reply:
        """Read a payload.

        Raises
        ------
        SchemaError
            If it isn't one.
        """
        found = read_object(payload, "reply")
        try:
            missing = found["missing"]
            return cls(
                int(str(found["token"]), 16), int(found["epoch"]), int(found["accepted"]),
                None if missing is None else int(missing), str(found.get("refused", "")),
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            msg = f"reply of the historian: expected token, epoch, accepted and missing, got {payload[:200]!r}"
            raise SchemaError(msg) from error


def read_object(payload: bytes, what: str) -> dict[str, Any]:
    """Return a JSON object; ``what`` names it in the error."""
    try:
        found = json.loads(payload)
    except ValueError as error:
        msg = f"{what}: expected JSON, got {payload[:80]!r}"
        raise SchemaError(msg) from error
    if not isinstance(found, dict):
        msg = f"{what}: expected a JSON object, got {payload[:80]!r}"
        raise SchemaError(msg)
    return found
