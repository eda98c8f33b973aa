"""Verification: read every byte of the ledger and compare it with its checksum."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from twinlab.errors import CorruptionError
from twinlab.ledger.blobs import Blobs
from twinlab.ledger.format.archived import RECORD_ORDINAL, ArchivedAt, is_archived, unpack_place
from twinlab.ledger.format.disk import corrupt
from twinlab.ledger.format.frame import OBSERVATIONS_KIND, ROW_KINDS
from twinlab.ledger.format.index import Index, read_heads
from twinlab.ledger.format.manifest import MANIFEST, SealedSegment, read_manifest
from twinlab.ledger.format.parquet import ORDINAL
from twinlab.ledger.format.position import FILE, Position, check_position
from twinlab.ledger.format.sealed import SealedFiles
from twinlab.ledger.format.segment import SegmentFile, path_of
from twinlab.ledger.seal import file_sha256

__all__ = ["VerifyProblem", "VerifyReport", "verify_ledger"]

_RESTORE = "Restore this file from a backup, then run `twinlab rebuild`."


@dataclass(frozen=True, slots=True)
class VerifyProblem:
    """A difference between what is stored and what was written."""

    file: str
    what: str
    """What is wrong, and at which byte."""
    todo: str
    """What to do next."""


@dataclass(slots=True)
class VerifyReport:
    """What `Ledger.verify` found."""

    bytes: int = 0
    """Bytes that were read and compared."""
    frames: int = 0
    rows: int = 0
    segments: int = 0
    """Segments, open and sealed."""
    blobs: int = 0
    """Copies of source files."""
    problems: list[VerifyProblem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.problems

    def __str__(self) -> str:
        read = (
            f"{self.rows:,} rows in {self.frames:,} frames and {self.segments:,} segments, "
            f"{self.blobs:,} source files, {self.bytes:,} bytes"
        )
        if self.ok:
            return f"Ledger verified: {read}; no damage found."
        lines = [f"Ledger DAMAGED, {len(self.problems)} problem(s): {read}."]
        lines += [f"- {p.what}\n  {p.todo}" for p in self.problems]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        lines = str(self).split("\n")
        items = "".join(f"<li>{html.escape(p.what)}<br><em>{html.escape(p.todo)}</em></li>" for p in self.problems)
        return f"<p>{html.escape(lines[0])}</p>" + (f"<ul>{items}</ul>" if items else "")


class _Check:
    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self.report = VerifyReport()
        self._progress, self._total = progress, total

    def read(self, size: int) -> None:
        self.report.bytes += size
        if self._progress is not None:
            self._progress(min(self.report.bytes, self._total), self._total)

    def problem(self, path: Path, error: str, todo: str = _RESTORE) -> None:
        self.report.problems.append(VerifyProblem(str(path), error.split(". The stored bytes", maxsplit=1)[0], todo))


def verify_ledger(
    folders: Mapping[str, Path], blobs: Blobs, *, progress: Callable[[int, int], None] | None = None
) -> VerifyReport:
    """Check all sources and copies of files; damage is reported, not raised."""
    ids = list(blobs.ids())
    total = sum(p.stat().st_size for f in folders.values() for p in f.iterdir() if p.is_file())
    total += sum(blobs.path(i).stat().st_size for i in ids)
    check = _Check(progress, total)
    for folder in folders.values():
        _source(folder, check)
    for file_id in ids:
        path = blobs.path(file_id)
        check.report.blobs += 1
        try:
            blobs.check(file_id)
        except CorruptionError as error:
            check.problem(
                path, str(error), "Remove this copy, ingest the original file again, then run `twinlab verify`."
            )
        check.read(path.stat().st_size)
    return check.report


def _source(folder: Path, check: _Check) -> None:
    try:
        at, whole = check_position(folder)
    except CorruptionError as error:
        check.problem(
            folder / FILE,
            str(error),
            "Ingest any rows of this source: the writer restores the position from the frames.",
        )
        return
    if not whole:
        check.problem(
            folder / FILE,
            f"{folder / FILE}: one of two copies is damaged",
            "Ingest any rows of this source: the writer writes both copies again.",
        )
    check.read((folder / FILE).stat().st_size if (folder / FILE).exists() else 0)
    try:
        sealed = read_manifest(folder)
    except CorruptionError as error:
        check.problem(folder / MANIFEST, str(error))
        return
    state = (0, 0)
    for number in range(at.segment + 1):
        check.report.segments += 1
        if number not in sealed and not path_of(folder, number).exists():
            sealed = read_manifest(folder)  # sealed meanwhile
        entry = sealed.get(number)
        path = path_of(folder, number) if entry is None else folder / entry.kept_name
        try:
            state = _segment(path, at, number, state, check) if entry is None else _sealed(folder, entry, state, check)
        except CorruptionError as error:
            check.problem(path, str(error))
            state = (-1, 0)
        except FileNotFoundError:
            check.problem(path, f"{path}: the file is missing")
            state = (-1, 0)
    if state[0] not in {-1, at.ordinal}:
        check.problem(folder / FILE, f"{folder / FILE}: says {at.ordinal} rows, the segments have {state[0]}")


def _segment(path: Path, at: Position, number: int, state: tuple[int, int], check: _Check) -> tuple[int, int]:
    file = SegmentFile(path)
    if state[0] not in {-1, file.ordinal}:
        raise corrupt(path, 0, f"starts at row {file.ordinal}, expected {state[0]}")
    stop = at.offset if number == at.segment else file.size()
    index = Index()
    read_heads(file, index, stop)
    latest = state[1]
    for place in index.places:
        head = place.head
        if head.ingest_time < latest:
            raise corrupt(path, place.offset, "the ingest time decreases")
        latest = head.ingest_time
        file.payload(place)
        check.read(place.end - place.offset)
        check.report.frames += head.kind in ROW_KINDS
        check.report.rows += head.rows
    return index.ends[-1] if index.ends else file.ordinal, latest


def _sealed(folder: Path, entry: SealedSegment, state: tuple[int, int], check: _Check) -> tuple[int, int]:
    files = SealedFiles(folder, entry)
    # Archiving may have replaced it since the manifest was read.
    entry = files.entry
    kept = folder / entry.kept_name
    if state[0] not in {-1, entry.first}:
        raise corrupt(kept, 0, f"starts at row {entry.first}, expected {state[0]}")
    if file_sha256(kept) != entry.kept_sha256:
        raise corrupt(kept, 0, "the file doesn't match its SHA-256")
    check.read(entry.kept_bytes)
    firsts, rows, times = files.frame_table()
    if (np.diff(times) < 0).any() or (len(times) and times[0] < state[1]):
        raise corrupt(kept, 0, "the ingest time decreases")
    ends = firsts + rows
    if (len(ends) and ends[-1] != entry.first + entry.rows) or (firsts[1:] != ends[:-1]).any():
        raise corrupt(kept, 0, "the frames' rows aren't consecutive")
    if entry.parquet_name is not None:
        _parquet(files, check)
    if entry.records:
        _archived_records(folder, files, check)
    check.report.frames += len(firsts)
    check.report.rows += int(rows.sum())
    return entry.first + entry.rows, int(times[-1]) if len(times) else state[1]


def _parquet(files: SealedFiles, check: _Check) -> None:
    entry = files.entry
    meta = files.metadata()
    if file_sha256(files.path) != entry.parquet_sha256:
        raise corrupt(files.path, 0, "the file doesn't match its SHA-256")
    seen = np.zeros(entry.rows, dtype=np.bool_)
    for group in range(meta.num_row_groups):
        seen[files.read_group(group, (ORDINAL,)).column(ORDINAL).to_numpy() - entry.first] = True
    for place in files.index.places:
        if place.head.kind in ROW_KINDS and place.head.kind != OBSERVATIONS_KIND:
            low = place.head.first - entry.first
            seen[low : low + place.head.rows] = True
    if not seen.all():
        raise corrupt(files.path, 0, f"{int((~seen).sum())} rows are missing")
    check.read(entry.parquet_bytes)


def _archived_records(folder: Path, files: SealedFiles, check: _Check) -> None:
    """Check that the archived rows of tables are those of the frames that refer to them."""
    file, kept = files.kept()
    wanted: dict[tuple[int, int], list[tuple[ArchivedAt, int]]] = {}
    for place in kept.index.places:
        if is_archived(place.head):
            at = unpack_place(file.payload(place))
            if at is None or at.rows != place.head.rows or at.file >= len(kept.entry.records):
                raise corrupt(file.path, place.offset, "a frame doesn't say where its archived rows are")
            wanted.setdefault((at.file, at.group), []).append((at, place.head.first))
    for number, (entry, parts) in enumerate(zip(kept.entry.records, kept.rows.parts, strict=True)):
        path, groups = entry.path(folder), parts.metadata().num_row_groups
        if file_sha256(path) != entry.sha256:
            raise corrupt(path, 0, "the file doesn't match its SHA-256")
        for group in range(groups):
            ordinals = parts.read_group(group, (RECORD_ORDINAL,)).column(RECORD_ORDINAL).to_numpy()
            for at, first in wanted.pop((number, group), ()):
                if not np.array_equal(ordinals[at.row : at.row + at.rows], np.arange(first, first + at.rows)):
                    raise corrupt(path, 0, f"the rows from number {first} on aren't where the ledger says")
        check.read(entry.bytes)
    if wanted:
        raise corrupt(file.path, 0, "a frame refers to archived rows that no file has")
