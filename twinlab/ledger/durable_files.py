"""The files of a ledger up to a position of each source, consistent with one another while writers append and seal."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from twinlab.errors import SourceError
from twinlab.ledger.format.disk import corrupt
from twinlab.ledger.format.manifest import MANIFEST, SealedSegment, manifest_bytes, read_manifest
from twinlab.ledger.format.position import FILE, Position, read_position
from twinlab.ledger.format.segment import path_of

__all__ = ["DurableFile", "durable_files"]

_BLOBS = "blobs"
#: How often a source is looked at again if a segment was sealed meanwhile.
_TRIES = 5


@dataclass(frozen=True)
class DurableFile:
    """The first ``size`` bytes of a file, or ``data``: the content of a small file that is replaced as a whole."""

    path: Path
    size: int
    data: bytes | None = None
    grows: bool = False
    """Whether rows are added at its end; other files never change."""
    pushed: bool = False
    """Whether this is a segment that the receiver has; here it is sealed, and the file isn't there any more."""


def durable_files(
    ledger: Path, *, pushed: Mapping[str, Collection[int]] = MappingProxyType({})
) -> dict[str, DurableFile]:
    """Return the files that have all durable rows of a ledger, by their path in its folder, with ``/``.

    Copies of source files are among them, locks and drafts aren't.

    Parameters
    ----------
    ledger : Path
    pushed : mapping, optional
        Folder of a source -> segments that the receiver has as they were before they were sealed: the files and the manifest are those
        of a folder where they aren't sealed.

    Raises
    ------
    SourceError
        If a source has rows in an archive outside of the twin's folder.
    CorruptionError
        If a segment is missing.
    """
    found: dict[str, DurableFile] = {}
    for folder in sorted(ledger.iterdir()) if ledger.is_dir() else ():
        if not folder.is_dir():
            continue
        if folder.name == _BLOBS:
            copies = [path for path in sorted(folder.glob("*/*")) if not path.name.startswith(".")]
            found |= {path.relative_to(ledger).as_posix(): DurableFile(path, path.stat().st_size) for path in copies}
        else:
            found |= _of_source(ledger, folder, pushed.get(folder.name, ()))
    return found


def _of_source(ledger: Path, folder: Path, pushed: Collection[int]) -> dict[str, DurableFile]:
    for _ in range(_TRIES):
        # In this order: what is sealed or appended meanwhile is beyond the position.
        at, position = _position(folder)
        manifest = (folder / MANIFEST).read_bytes() if (folder / MANIFEST).exists() else b""
        sealed = read_manifest(folder) if manifest else {}
        there = [one for one, entry in sealed.items() if one in pushed and not (entry.archive or entry.records)]
        if there:
            sealed = {number: entry for number, entry in sealed.items() if number not in there}
            manifest = manifest_bytes(sealed)
        out = {
            _name(path, ledger): DurableFile(path, 0, pushed=True) for path in (path_of(folder, one) for one in there)
        }
        try:
            for path in [path for entry in sealed.values() for path in _sealed_paths(ledger, folder, entry)]:
                out[_name(path, ledger)] = DurableFile(path, path.stat().st_size)
            for number in range(at.segment + 1):
                if number not in sealed and number not in there:
                    path = path_of(folder, number)
                    size = at.offset if number == at.segment else path.stat().st_size
                    out[_name(path, ledger)] = DurableFile(path, size, grows=True)
        except FileNotFoundError:
            continue  # sealed or archived meanwhile
        small = {FILE: position, MANIFEST: manifest}
        return out | {
            f"{folder.name}/{name}": DurableFile(folder / name, len(data), data) for name, data in small.items() if data
        }
    raise corrupt(folder, 0, "a segment is missing")


def _position(folder: Path) -> tuple[Position, bytes]:
    """Return the published position of a source, and the bytes of its file."""
    while True:
        at = read_position(folder)
        data = (folder / FILE).read_bytes() if (folder / FILE).exists() else b""
        if read_position(folder) == at:
            return at, data


def _name(path: Path, ledger: Path) -> str:
    return os.path.relpath(path, ledger).replace(os.sep, "/")


def _sealed_paths(ledger: Path, folder: Path, entry: SealedSegment) -> list[Path]:
    """Return the files of a sealed segment."""
    paths = [folder / entry.kept_name, *(one.path(folder) for one in entry.records)]
    if entry.parquet_name is not None:
        paths.append(entry.parquet_path(folder))
    for path in paths:
        if not path.resolve().is_relative_to(ledger.resolve().parent):
            msg = (
                f"source {folder.name!r}: expected its archive inside the twin's folder, got {path.parent}; move the archive into "
                "the folder and archive again, since what is outside can't be pushed"
            )
            raise SourceError(msg)
    return paths
