"""Erasure: the keys of a person are destroyed, the history is rebuilt, and a search of all bytes proves it."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history import verify_states
from twinlab.history.store.opening import repository_path
from twinlab.signing.subjects.key_folder import file_subject
from twinlab.twin.privacy.byte_search import files_below, search
from twinlab.twin.privacy.data_of_person import data_of
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit

__all__ = ["ErasureReport", "destroy_and_rebuild", "forget"]

#: Shorter texts occur in bytes by accident.
_LEAST = 4
#: Folders that are made again from the ledger.
_DERIVED = ("cache", "history", "history.building", "history.old")


@dataclass(frozen=True)
class ErasureReport:
    """What was erased, and what the search of all bytes found before and after."""

    id: str
    """Number of the erasure, as in the audit."""
    subject_id: str
    """The random id that the person had; nothing leads from it to a name any more."""
    months: tuple[str, ...]
    """Months whose keys were destroyed."""
    rows: int
    """Rows of the ledger whose personal columns can't be read any more."""
    copies: int
    """Copies of source files that can't be read any more."""
    texts: int
    """Texts that were searched: the name and all texts in personal columns of these rows."""
    shared: int
    """Texts that other people's rows have, too, and which therefore weren't searched."""
    bytes: int
    """Bytes that were searched afterwards, those within compressed ones not counted."""
    hits_before: int
    """Places in files where a text was found before: the search finds what is there."""
    hits_after: int
    """Places where one is found afterwards."""
    places: tuple[str, ...]
    """Files with a hit afterwards; remove or release them again, then forget again."""
    verified: bool
    """Whether ledger and history verify afterwards."""

    @property
    def ok(self) -> bool:
        """Whether nothing of the person is left where it was searched."""
        return self.hits_after == 0 and self.verified

    def __str__(self) -> str:
        first = (
            f"Erasure {self.id}: {self.rows:,} rows of the ledger and {self.copies:,} copies of files can't be read any more, keys of "
            f"{', '.join(self.months)} are destroyed."
        )
        proof = (
            f"{self.texts:,} texts were searched in {self.bytes:,} bytes of ledger, history with all states, caches, keys and listed exports: "
            f"{self.hits_before:,} places before, {self.hits_after:,} after."
        )
        lines = [first, proof]
        if self.shared:
            lines.append(f"{self.shared:,} texts weren't searched, since rows of other people have them, too.")
        lines += [f"  still in {place}" for place in self.places]
        lines.append("Ledger and history verify." if self.verified else "DAMAGED: run `twinlab verify`.")
        return "\n".join(lines)


def forget(twin: WholeTwin, subject: str, *, who: str = "local", exports: Sequence[str | Path] = ()) -> ErasureReport:
    """Erase a person from a twin; see `Twin.forget`."""
    encryption = twin.ledger.encryption
    data = data_of(twin.ledger, subject)
    assert encryption is not None
    texts = sorted(text for text in data.texts if len(text) >= _LEAST and (text == subject or text not in data.others))
    places = [twin.folder, encryption.keys.path, *released_files(twin.folder), *map(Path, exports)]
    before = search(places, texts)
    number, audit = uuid.uuid4().hex[:12], PrivacyAudit(twin.folder)
    row = {"id": number, "subject": data.subject_id, "keys": len(data.files) + 1, "hits_before": len(before)}
    audit.append({"kind": "erasure", "who": [who], "what": {**row, "outcome": "begun"}})
    keys = encryption.keys
    names = [subject, *map(file_subject, data.files)]
    months = destroy_and_rebuild(twin, lambda: sorted({month for name in names for month in keys.destroy(name)}))
    after = search(places, texts)
    size = sum(path.stat().st_size for path in files_below(places))
    found = dict.fromkeys(hit.path.resolve() for hit in after)
    root = twin.folder.resolve()
    report = ErasureReport(
        id=number,
        subject_id=data.subject_id,
        months=tuple(months),
        rows=data.rows,
        copies=len(data.files),
        texts=len(texts),
        shared=len(data.texts & data.others),
        bytes=size,
        hits_before=len(before),
        hits_after=len(after),
        places=tuple(str(p.relative_to(root)) if p.is_relative_to(root) else str(p) for p in found),
        verified=_verifies(twin),
    )
    outcome = {"months": list(report.months), "files": list(report.places), "hits_after": report.hits_after}
    done = "erased" if report.ok else "incomplete"
    audit.append({"kind": "erasure", "who": [who], "what": {**row, **outcome, "outcome": done}})
    return report


def destroy_and_rebuild(twin: WholeTwin, destroy: Callable[[], list[str]]) -> list[str]:
    """Destroy keys, then make the history again; return what ``destroy`` returns.

    Raises
    ------
    HistoryConflictError
        If another process writes the history; no key is destroyed then.
    """
    _check_nobody_writes(twin)
    twin.close()
    # First what is made again: if this is interrupted before keys are destroyed, nothing is lost, and afterwards the next one who opens
    # the twin makes the history again, without the person.
    for name in _DERIVED:
        shutil.rmtree(twin.folder / name, ignore_errors=True)
    months = destroy()
    twin.reload()
    twin.rebuild()
    twin.update_events()
    return months


def _check_nobody_writes(twin: WholeTwin) -> None:
    from twinlab._locks import Lock  # noqa: PLC0415

    for name in twin.ledger.sources():
        twin.ledger.writer(name).close()
    lock = twin.folder / "history.lock"
    try:
        Lock(lock, what="the history").release()
    except HistoryConflictError as error:
        msg = f"{error}; stop `twinlab run` on this twin, then forget again: nothing was erased"
        raise HistoryConflictError(msg) from error


def released_files(folder: Path) -> list[Path]:
    """Return the released files that the audit lists and that are still where they were written."""
    rows = PrivacyAudit(folder).rows("release")
    found = (Path(str(row.what["file"])) for row in rows if row.what.get("file"))
    return [path for path in dict.fromkeys(found) if path.exists()]


def _verifies(twin: WholeTwin) -> bool:
    try:
        verify_states(repository_path(twin.folder / "history"))
    except CorruptionError:
        return False
    return twin.verify().ok
