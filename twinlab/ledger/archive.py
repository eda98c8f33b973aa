"""Archiving: Parquet files of old sealed segments move to another folder, such as a mount of cheaper storage.

No row is removed: readers, `verify` and rebuilds read the files where they are then. Of each segment, the file of the frames
that aren't observations stays, without the old rows of tables (`archive_records`). A crash is harmless: a file is copied, synced
and compared with its SHA-256 before the manifest names the copy, and only then the original is removed; the next archiving removes
one that was left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from twinlab._files import replace_file, sync_file, sync_folder
from twinlab._locks import Lock
from twinlab.ledger.archive_records import archive_records
from twinlab.ledger.format.disk import corrupt
from twinlab.ledger.format.manifest import SealedSegment, read_manifest, write_manifest
from twinlab.ledger.format.sealed import SealedFiles
from twinlab.ledger.seal import file_sha256

__all__ = ["archivable", "archive_source"]


def archivable(folder: Path, *, before_ns: int) -> list[SealedSegment]:
    """Return the sealed segments of a source all of whose observations are before an instant on the source's own clock.

    Those that are archived already aren't among them.
    """
    found = []
    for _, entry in sorted(read_manifest(folder).items()):
        if entry.parquet_name is None or entry.archive:
            continue
        if SealedFiles(folder, entry).latest_time() < before_ns:
            found.append(entry)
    return found


def archive_source(
    folder: Path, source: str, *, before_ns: int, target: Path, firsts: Collection[int] = ()
) -> list[Path]:
    """Move sealed rows before an instant to Parquet files in a folder; return these.

    Parameters
    ----------
    folder : Path
        The source's directory.
    source : str
        The source's name, for error messages.
    before_ns : int
        Only segments all of whose observations have an earlier time on the source's own clock.
    target : Path
        Created if it isn't there. A target beside the ledger is stored as a relative path, so that a twin can be moved with it.
    firsts : collection of int
        First ordinals of the frames of records that are moved, too: their times are known only under a mapping.

    Raises
    ------
    HistoryConflictError
        If another process is sealing or archiving the source.
    CorruptionError
        If a file doesn't match its SHA-256; it isn't moved.
    """
    if not folder.is_dir():
        return []
    with Lock(folder / "seal.lock", what=f"the archiving of source {source!r}"):
        sealed, moved = read_manifest(folder), []
        for entry in archivable(folder, before_ns=before_ns):
            target.mkdir(parents=True, exist_ok=True)
            _copy(folder, entry, target)
            sealed[entry.segment] = replace(entry, archive=_reference(folder, target))
            write_manifest(folder, sealed)
            moved.append(target / str(entry.parquet_name))
        chosen = frozenset(firsts)
        for number, entry in sealed.items() if chosen else ():
            if not any(entry.first <= one < entry.first + entry.rows for one in chosen):
                continue
            target.mkdir(parents=True, exist_ok=True)
            reference = _reference(folder, target)
            fresh = archive_records(folder, entry, target=target, reference=reference, firsts=chosen)
            if fresh is not entry:
                sealed[number] = fresh
                write_manifest(folder, sealed)
                moved += [one.path(folder) for one in fresh.records[len(entry.records) :]]
        _remove_replaced(folder, sealed)
        return moved


def _remove_replaced(folder: Path, sealed: Mapping[int, SealedSegment]) -> None:
    """Remove the files that the manifest doesn't name any more, if their rows are in the archive, too.

    On Windows, the next archiving does if a reader has one open.
    """
    for number, entry in sealed.items():
        gone = []
        if all(one.path(folder).exists() for one in entry.records):
            gone += [path for path in folder.glob(f"{number:08d}.*frames*") if path.name != entry.kept_name]
        if entry.archive and entry.parquet_path(folder).exists():
            gone.append(folder / str(entry.parquet_name))
        for path in gone:
            with suppress(PermissionError):
                path.unlink(missing_ok=True)
    sync_folder(folder)


def _copy(folder: Path, entry: SealedSegment, target: Path) -> None:
    name = str(entry.parquet_name)
    draft = target / f"{name}.tmp"
    shutil.copyfile(folder / name, draft)
    sync_file(draft)
    if file_sha256(draft) != entry.parquet_sha256:
        draft.unlink()
        raise corrupt(folder / name, 0, "the file doesn't match its SHA-256; it wasn't archived")
    replace_file(draft, target / name)
    sync_folder(target)


def _reference(folder: Path, target: Path) -> str:
    """Return how a manifest names an archive: relative to the source's folder if it is in the twin's."""
    twin = folder.resolve().parent.parent
    inside = target.resolve().is_relative_to(twin)
    return os.path.relpath(target.resolve(), folder.resolve()) if inside else str(target.resolve())
