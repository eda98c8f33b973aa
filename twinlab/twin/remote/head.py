"""What the store says of a twin: whose prefix it is, its newest push, and which objects pushes added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twinlab.errors import CorruptionError, SchemaError, SourceError
from twinlab.objects.bucket import Bucket, Missing
from twinlab.objects.disk_cache import DiskCache

__all__ = [
    "FORMAT",
    "HEAD",
    "LISTS",
    "MARKER",
    "Head",
    "Pieces",
    "list_name",
    "marker_bytes",
    "newest_push",
    "pushed_objects",
    "read_head",
    "read_marker",
    "unwrapped",
    "wrapped",
]

FORMAT = 1
#: Names below the prefix: whose it is, the newest push, the lists of pushed objects.
MARKER, HEAD, LISTS = "owner.json", "twin.json", "pushes"

#: A file's content in order: the bytes and the SHA-256 of each piece, which is the object ``files/<SHA-256>``.
Pieces = tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Head:
    """The newest push."""

    twin: str
    """The twin's identity; see `twinlab.twin.remote.contents.identity`."""
    name: str
    push: int
    """Number of the push, from 1."""
    snapshot: str
    """The history's snapshot, in the Icechunk repository ``history/icechunk``."""
    positions: Mapping[str, int] = field(default_factory=dict)
    """Rows of each source."""
    files: Mapping[str, Pieces] = field(default_factory=dict)
    """Files of the twin's folder, but for the repository's."""
    groups: Mapping[str, int] | None = None
    """Of a twin that leased writers write: folder of a source -> number of the last of its groups whose rows are in the files."""

    def to_bytes(self) -> bytes:
        """Return the head as JSON with a checksum."""
        body = {
            "twin": self.twin, "name": self.name, "push": self.push, "snapshot": self.snapshot, "positions": dict(self.positions),
            "files": {path: [list(piece) for piece in pieces] for path, pieces in sorted(self.files.items())},
        }  # fmt: skip
        return wrapped(body if self.groups is None else body | {"groups": dict(self.groups)})

    @classmethod
    def from_bytes(cls, data: bytes, place: str) -> Head:
        """Read a head; raises SchemaError and CorruptionError."""
        body = unwrapped(data, f"{place}/{HEAD}")
        files: dict[str, Pieces] = {
            path: tuple((int(size), str(sha)) for size, sha in pieces) for path, pieces in body["files"].items()
        }
        groups = body.get("groups")
        return cls(body["twin"], body["name"], int(body["push"]), body["snapshot"], body["positions"], files, groups)


def read_marker(bucket: Bucket) -> tuple[str, str] | None:
    """Return the identity and the name of the twin that a prefix is of; None if nobody has pushed there.

    Raises
    ------
    SchemaError
        If another program's object has the marker's name.
    """
    try:
        data, _ = bucket.get(MARKER)
    except Missing:
        return None
    body = unwrapped(data, f"{bucket.address.url}/{MARKER}")
    return str(body["twin"]), str(body["name"])


def marker_bytes(twin: str, name: str) -> bytes:
    """Return the marker of a prefix."""
    return wrapped({"twin": twin, "name": name})


def newest_push(bucket: Bucket) -> tuple[Head, str | None] | None:
    """Return the newest push and the version of its object; None if there is none."""
    try:
        data, version = bucket.get(HEAD)
    except Missing:
        return None
    return Head.from_bytes(data, bucket.address.url), version


def read_head(bucket: Bucket) -> Head:
    """Return the newest push.

    Raises
    ------
    SourceError
        If there is none: nobody has pushed there, or the first push was interrupted.
    """
    found = newest_push(bucket)
    if found is not None:
        return found[0]
    marked = read_marker(bucket)
    place, url = bucket.address.place, bucket.address.url
    if marked is None:
        msg = f"expected a twin in {place}, there is none; put one there with `twinlab push FOLDER {url}`"
    else:
        there = list(bucket.list())
        size = sum(one.size for one in there) / 1e6
        msg = (
            f"{place}: the first push of twin {marked[1]!r} isn't complete: {len(there):,} objects with {size:,.1f} MB are there. It is "
            "under way, or was interrupted; "
            f"run `twinlab push FOLDER {url}` again, which continues it"
        )
    raise SourceError(msg)


def list_name(data: bytes) -> str:
    """Return the name of a list of pushed objects."""
    return f"{LISTS}/{hashlib.sha256(data).hexdigest()}.json"


def pushed_objects(bucket: Bucket, cache: DiskCache) -> dict[str, tuple[int, str]]:
    """Return all objects that pushes added, those of interrupted ones included: name -> bytes and SHA-256.

    Raises
    ------
    CorruptionError
        If a list doesn't have the SHA-256 that it is named by.
    """
    found: dict[str, tuple[int, str]] = {}
    for one in bucket.list(LISTS):
        data = cache.get(one.name)
        if data is None:
            data, _ = bucket.get(one.name)
            if list_name(data) != one.name:
                msg = f"{bucket.address.url}/{one.name}: the SHA-256 differs; remove it and push again"
                raise CorruptionError(msg)
            cache.put(one.name, data)
        found |= {name: (int(size), str(sha)) for name, (size, sha) in json.loads(data).items()}
    return found


def wrapped(body: dict[str, Any]) -> bytes:
    """Return a body as JSON with a checksum."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return json.dumps({"twinlab": FORMAT, "sha256": hashlib.sha256(text.encode()).hexdigest(), "body": text}).encode()


def unwrapped(data: bytes, what: str, *, by: str = "twinlab push") -> dict[str, Any]:
    """Return the body of what `wrapped` made.

    Raises
    ------
    SchemaError
        If it is something else, or of a later format.
    CorruptionError
        If the checksum differs.
    """
    try:
        whole = json.loads(data)
        number, text, sha = whole["twinlab"], whole["body"], whole["sha256"]
    except (ValueError, TypeError, KeyError) as error:
        msg = f"{what}: expected what `{by}` writes, got another program's object; choose another prefix"
        raise SchemaError(msg) from error
    if number != FORMAT:
        msg = f"{what}: expected format {FORMAT}, got {number}; update twinlab-kit"
        raise SchemaError(msg)
    if hashlib.sha256(text.encode()).hexdigest() != sha:
        msg = f"{what}: the SHA-256 differs; call `{by}` again from the twin's folder"
        raise CorruptionError(msg)
    found: dict[str, Any] = json.loads(text)
    return found
