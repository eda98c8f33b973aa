"""A snapshot and its manifests in one file: hundreds of small objects that a reader in a store would ask for one by one."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from twinlab.errors import CorruptionError

__all__ = ["bundle_bytes", "bundle_path", "read_bundle"]

_MAGIC = b"TWINBND1"
#: Bytes of objects in a bundle, at most: what doesn't fit, the largest, is asked for when it is needed.
_LIMIT = 4 * 2**20


def bundle_path(repository: Path, snapshot: str) -> Path:
    """Return the file with the bundle of a snapshot, beside the repository."""
    return repository.parent / "bundles" / snapshot


def bundle_bytes(repository: Path, names: Sequence[str]) -> bytes:
    """Return the bundle of some objects of a repository in a folder, smallest first, up to 4 MiB."""
    index: dict[str, int] = {}
    bodies: list[bytes] = []
    for size, name in sorted(((repository / name).stat().st_size, name) for name in names):
        if size + sum(index.values()) > _LIMIT:
            break
        bodies.append((repository / name).read_bytes())
        index[name] = len(bodies[-1])
    head = json.dumps(index, separators=(",", ":")).encode()
    return b"".join([_MAGIC, struct.pack("<I", len(head)), head, *bodies])


def read_bundle(path: Path) -> Mapping[str, bytes]:
    """Return the objects of a bundle by name; none if there is no such file. Readers check them against the seal.

    Raises
    ------
    CorruptionError
        If the file isn't a bundle, or is too short.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    index, at = _index(data)
    if at + sum(index.values()) != len(data):
        msg = f"{path}: expected a bundle of metadata, got {len(data)} other bytes; open the twin again by its address"
        raise CorruptionError(msg)
    found = {}
    for name, size in index.items():
        found[name] = data[at : at + size]
        at += size
    return found


def _index(data: bytes) -> tuple[dict[str, int], int]:
    """Return the bytes of each object, and where the first one begins; beyond the end if the data aren't a bundle."""
    try:
        (length,) = struct.unpack_from("<I", data, len(_MAGIC))
        at = len(_MAGIC) + 4 + length
        index = {str(name): int(size) for name, size in json.loads(data[at - length : at]).items()}
    except (ValueError, TypeError, AttributeError, struct.error):
        index = {}
    return (index, at) if index and data[: len(_MAGIC)] == _MAGIC else ({}, len(data) + 1)
