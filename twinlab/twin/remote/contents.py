"""What of a twin's folder is pushed: definitions, the ledger up to its durable position, one snapshot of the history."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from twinlab.errors import HistoryConflictError, SchemaError, SourceError
from twinlab.history.remote.bundle import bundle_bytes, bundle_path
from twinlab.history.remote.repository import REPOSITORY
from twinlab.history.store.chunk_reader import DirectBytes, read_seal, seal_path
from twinlab.history.store.opening import existing_path
from twinlab.history.store.publish import MAIN, tip
from twinlab.ledger import Ledger
from twinlab.ledger.pushed_segments import PushedSegments, note_pushed, read_pushed
from twinlab.twin.calibrations.store import FILE as CALIBRATIONS
from twinlab.twin.definitions import MAPPINGS, MODEL
from twinlab.twin.privacy.encrypting import states_privacy
from twinlab.twin.remote.derived import add_derived
from twinlab.twin.remote.head import Head, Pieces
from twinlab.twin.remote.payload import Payload
from twinlab.twin.remote.protocol import PushedTwin

__all__ = [
    "Contents",
    "Payload",
    "add_ledger",
    "check_privacy",
    "chunk_names",
    "contents_of",
    "history_objects",
    "identity",
    "kept_segments",
    "note_segments",
    "snapshot_names",
]


@dataclass
class Contents:
    """A state of a twin: objects by name, and of which pieces its files consist."""

    twin: str
    name: str
    snapshot: str
    positions: dict[str, int]
    """Rows of each source, at least."""
    objects: dict[str, Payload] = field(default_factory=dict)
    files: dict[str, Pieces] = field(default_factory=dict)

    def add_file(self, path: str, payload: Payload, *, before: Pieces = ()) -> None:
        """Add a file whose first pieces were pushed before."""
        known = sum(size for size, _ in before)
        rest = Payload(
            payload.path, known, payload.size - known, None if payload.data is None else payload.data[known:]
        )
        pieces = before
        if rest.size or not before:
            sha = rest.sha256()
            self.objects[f"files/{sha}"] = rest
            pieces = (*before, (rest.size, sha))
        self.files[path] = pieces


def identity(twin: PushedTwin) -> str:
    """Return what names a twin, in any folder: the first entry of its journal.

    Raises
    ------
    SourceError
        If it has no rows yet.
    """
    first = next(twin.ledger.journal.entries(), None)
    if first is None:
        msg = f"expected rows in the twin {twin.folder}, there are none; ingest first, then push"
        raise SourceError(msg)
    entry = json.dumps([first.kind, first.ingest_time, dict(first.payload)], sort_keys=True)
    return hashlib.sha256(entry.encode()).hexdigest()[:32]


def check_privacy(twin: PushedTwin) -> None:
    """Check that nobody needs to be erased from what is pushed.

    Raises
    ------
    SchemaError
        If the model states privacy.
    """
    if states_privacy(twin.model):
        msg = (
            f"twin {twin.model.twin!r} states purposes or privacy: expected one without, because a person who is forgotten here "
            "couldn't be erased from pushed histories. Nothing was pushed"
        )
        raise SchemaError(msg)


def contents_of(twin: PushedTwin, pushed: Head | None) -> Contents:
    """Return what of a twin is in a store after a push.

    Parameters
    ----------
    twin : Twin
    pushed : Head, optional
        The push before, of the same twin.

    Raises
    ------
    HistoryConflictError
        If the store has rows that the folder doesn't have.
    """
    repository = existing_path(twin.folder / "history")
    snapshot = tip(repository, MAIN)
    positions = {source: twin.ledger.reader(source).position() for source in twin.ledger.sources()}
    out = Contents(identity(twin), twin.model.twin, snapshot, positions)
    add_ledger(out, twin.ledger, pushed, kept=kept_segments(twin.ledger, pushed))
    for written in [twin.folder / MODEL, twin.folder / CALIBRATIONS, *sorted((twin.folder / MAPPINGS).glob("*.yaml"))]:
        if written.is_file():
            data = written.read_bytes()
            out.add_file(written.relative_to(twin.folder).as_posix(), Payload(written, 0, len(data), data))
    seal = seal_path(repository, snapshot).read_bytes()
    out.add_file(f"history/seals/{snapshot}", Payload(seal_path(repository, snapshot), 0, len(seal), seal))
    bundle = bundle_bytes(repository, snapshot_names(repository, snapshot))
    out.add_file(f"history/bundles/{snapshot}", Payload(bundle_path(repository, snapshot), 0, len(bundle), bundle))
    out.objects |= history_objects(repository, snapshot)
    add_derived(out, twin.folder, pushed.files if pushed is not None else {})
    return out


def kept_segments(ledger: Ledger, pushed: Head | None) -> dict[str, set[int]]:
    """Return the segments that a push has whole and that this folder had sent: folder of a source -> numbers."""
    kept: dict[str, set[int]] = {}
    for path in {} if pushed is None else pushed.files:
        segment = _segment(path)
        if segment is None or pushed is None:
            continue
        noted = read_pushed(ledger.path / segment[0])
        if segment[1] != noted.growing and noted.pieces.get(segment[1]) == pushed.files[path]:
            kept.setdefault(segment[0], set()).add(segment[1])
    return kept


def note_segments(ledger: Ledger, files: Mapping[str, Pieces]) -> None:
    """Note which segments a push has, so that they are kept there when they are sealed here."""
    found: dict[str, dict[int, Pieces]] = {}
    for path, pieces in files.items():
        segment = _segment(path)
        if segment is not None:
            found.setdefault(segment[0], {})[segment[1]] = pieces
    for folder, segments in found.items():
        note_pushed(ledger.path / folder, PushedSegments(segments))


def _segment(path: str) -> tuple[str, int] | None:
    """Return the folder of the source and the number of a segment that isn't sealed; None of another file."""
    parts = path.split("/")
    name, _, kind = parts[-1].partition(".")
    return (parts[1], int(name)) if len(parts) == 3 and parts[0] == "ledger" and kind == "seg" else None


def add_ledger(
    out: Contents, ledger: Ledger, pushed: Head | None, *, kept: Mapping[str, Collection[int]] = MappingProxyType({})
) -> None:
    """Add the files of a ledger up to its durable position; of those that grow, what isn't there yet.

    Segments in ``kept`` stay there as they are, although they are sealed here.

    Raises
    ------
    HistoryConflictError
        If the store has rows that the ledger doesn't have.
    """
    before = pushed.files if pushed is not None else {}
    positions = pushed.positions if pushed is not None else {}
    behind = [name for name, at in positions.items() if out.positions.get(name, 0) < at]
    if behind:
        where = f"of source {behind[0]!r}"
        raise _apart(where)
    # After the positions: rows that come meanwhile are in the files, and sent again by the next push at most.
    for name, file in ledger.durable_files(pushed=kept).items():
        path = posixpath.normpath(f"ledger/{name}")
        if file.pushed:
            out.files[path] = before[path]
            continue
        grown = before.get(path, ()) if file.grows else ()
        if grown:
            _check_same(file.path, grown, file.size)
        out.add_file(path, Payload(file.path, 0, file.size, file.data), before=grown)


def history_objects(repository: Path, snapshot: str) -> dict[str, Payload]:
    """Return the objects of a snapshot of the history, by name."""
    names = [*chunk_names(repository, snapshot), *snapshot_names(repository, snapshot)]
    return {f"{REPOSITORY}/{name}": Payload(repository / name, 0, (repository / name).stat().st_size) for name in names}


def snapshot_names(repository: Path, snapshot: str) -> list[str]:
    """Return the names of a snapshot and its manifests, as its seal says; what refers to others comes after them."""
    manifests = sorted(name for name in read_seal(repository, snapshot) if name != snapshot)
    return [*(f"manifests/{name}" for name in manifests), f"snapshots/{snapshot}"]


def chunk_names(repository: Path, snapshot: str) -> list[str]:
    """Return the names of the objects with a snapshot's chunks; the manifests are read from the repository."""
    return [f"chunks/{name}" for name in sorted(DirectBytes(repository, snapshot).metadata.chunk_objects())]


def _check_same(path: Path, pieces: Pieces, size: int) -> None:
    """Check that a file begins with the pieces that were pushed of it."""
    first = 0
    for length, sha in pieces:
        if first + length > size or Payload(path, first, length).sha256() != sha:
            where = f"in {path.parent.name}/{path.name}"
            raise _apart(where)
        first += length


def _apart(what: str) -> HistoryConflictError:
    msg = (
        f"the store and this folder have different rows ({what}): another copy of the twin was pushed. Nothing was pushed; pull the "
        "store's into another folder, or push to another prefix"
    )
    return HistoryConflictError(msg)
