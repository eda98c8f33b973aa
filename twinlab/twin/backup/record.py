"""A backup: an object that names all of its pieces; it is written last, and never changed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from twinlab.errors import CorruptionError
from twinlab.objects.bucket import Bucket, Missing
from twinlab.twin.remote.head import Head, Pieces, unwrapped, wrapped
from twinlab.twin.remote.pull import fetch_piece

__all__ = [
    "BACKUPS",
    "COMMAND",
    "Record",
    "backup_name",
    "inventory_of",
    "newest",
    "packed",
    "read_backup",
    "records",
    "unpacked",
]

#: Names below the place.
BACKUPS, COMMAND = "backups", "twinlab backup"


@dataclass(frozen=True)
class Record:
    """One backup."""

    head: Head
    """The twin, the backup's number, positions of the ledger, files and snapshot (empty: without a history)."""
    at_ns: int
    """The instant whose state it has, ns UTC."""
    inventory: Pieces = ()
    """List of the history's objects with bytes and SHA-256, compressed."""
    people: Pieces = ()
    """Which keys of people existed, and which were destroyed before, by random ids, compressed; no key, no name."""
    erasures: int = 0
    """Rows of the audit about erased data."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Files that aren't in it -> why."""
    made_by: str = ""
    """Version of twinlab."""

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return self.head.push

    @property
    def at(self) -> datetime:
        """The instant whose state it has, UTC."""
        return datetime.fromtimestamp(self.at_ns / 1e9, UTC)

    @property
    def rows(self) -> int:
        """Rows of all sources, the twin's own journal not counted."""
        return sum(rows for source, rows in self.head.positions.items() if source != "_twin")

    @property
    def pieces(self) -> dict[str, tuple[int, str]]:
        """Objects of files -> bytes and SHA-256."""
        every = [*self.head.files.values(), self.inventory, self.people]
        return {f"files/{sha}": (size, sha) for pieces in every for size, sha in pieces}

    def to_bytes(self) -> bytes:
        """Return the backup as JSON with a checksum."""
        return wrapped({
            "head": self.head.to_bytes().decode(), "at_ns": self.at_ns, "inventory": self.inventory, "people": self.people,
            "erasures": self.erasures, "left_out": dict(self.left_out), "made_by": self.made_by,
        })  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes, place: str) -> Record:
        """Read a backup; raises SchemaError and CorruptionError."""
        body = unwrapped(data, place, by=COMMAND)
        head = Head.from_bytes(body.pop("head").encode(), place)
        inventory, people = (
            tuple((int(size), str(sha)) for size, sha in body[name]) for name in ("inventory", "people")
        )
        return cls(
            head, int(body["at_ns"]), inventory, people, int(body["erasures"]), body["left_out"], body["made_by"]
        )


def backup_name(number: int) -> str:
    """Return the name of a backup's object."""
    return f"{BACKUPS}/{number:06d}.json"


def records(bucket: Bucket) -> list[Record]:
    """Return all backups at a place, the oldest first.

    Raises
    ------
    CorruptionError
        If one is damaged.
    """
    return [read_backup(bucket, name) for name in sorted(one.name for one in bucket.list(BACKUPS))]


def newest(bucket: Bucket) -> Record | None:
    """Return the newest backup; None if there is none."""
    names = sorted(one.name for one in bucket.list(BACKUPS))
    return read_backup(bucket, names[-1]) if names else None


def read_backup(bucket: Bucket, name: str) -> Record:
    """Return the backup whose object has a name; raises as `records`."""
    return Record.from_bytes(bucket.get(name)[0], f"{bucket.address.place}/{name}")


def packed(value: object) -> bytes:
    """Return a value as compressed JSON."""
    return zlib.compress(json.dumps(value, sort_keys=True, separators=(",", ":")).encode(), 6)


def unpacked(bucket: Bucket, pieces: Pieces) -> Any:  # noqa: ANN401  (what was packed)
    """Return what `packed` was given."""
    return json.loads(zlib.decompress(b"".join(fetch_piece(bucket, size, sha) for size, sha in pieces)))


def inventory_of(bucket: Bucket, record: Record) -> dict[str, tuple[int, str]]:
    """Return the objects of a backup's history: name -> bytes and SHA-256; raises CorruptionError."""
    if not record.inventory:
        return {}
    try:
        found: dict[str, list[Any]] = unpacked(bucket, record.inventory)
    except (Missing, zlib.error, ValueError) as error:
        msg = f"{bucket.address.place}: the list of the history's objects of backup {record.number} is damaged; use another backup"
        raise CorruptionError(msg) from error
    return {name: (int(size), str(sha)) for name, (size, sha) in found.items()}
