"""Where each catalogue is, and moves between files and the database; every row is compared afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from twinlab._files import write_atomically
from twinlab._locks import Lock
from twinlab.control.proposals.plan_store import MOVED_NOTE
from twinlab.errors import CorruptionError, SchemaError
from twinlab.ledger.journal.file_journal import FileJournal
from twinlab.ledger.journal.journal import JOURNAL
from twinlab.model.storage.catalogues import CATALOGUES
from twinlab.twin.catalogues.opening import SharedCatalogues, shared_catalogues
from twinlab.twin.progress import progress_bar

__all__ = ["CatalogueState", "catalogue_states", "move_catalogues"]

Place = Literal["files", "database"]
#: Seconds for which a move waits for who writes just now.
_PATIENCE = 30.0


@dataclass(frozen=True)
class CatalogueState:
    """Where one catalogue is."""

    name: str
    stated: Place
    """What ``twin.yaml`` says."""
    files: int
    """Entries or plans in files; of a journal in a database, in its copy."""
    database: int
    moved: bool
    """Whether it is where ``twin.yaml`` says."""

    def __str__(self) -> str:
        counts = f"{self.database:,} in the database, {self.files:,} in files"
        if self.name == "logins":
            return f"logins: in {_place(self.stated)}; they begin anew when they are moved"
        state = "" if self.moved else f"; not moved yet: twinlab catalogues FOLDER --move {self.stated}"
        return f"{self.name}: in {_place(self.stated)} ({counts}){state}"


def catalogue_states(folder: Path) -> list[CatalogueState]:
    """Return where the catalogues of a twin's folder are.

    Raises
    ------
    DatabaseUnreachableError
        If the database doesn't answer.
    """
    shared = shared_catalogues(folder)
    of = () if shared is None else shared.of
    journal, plans = _journal(folder), _plan_files(folder)
    counts = _database_counts(shared)
    found = {
        "journal": (journal.position(), journal.copied_from() is not None),
        "logins": (0, "logins" in of),
        "plans": (len(plans), (folder / "control" / "plans" / MOVED_NOTE).exists()),
    }
    states = []
    for name in CATALOGUES:
        count, noted = found[name]
        # What has nothing in files needn't be moved.
        moved = noted or not count or (name == "journal" and counts[name] >= count) if name in of else not noted
        states.append(CatalogueState(name, "database" if name in of else "files", count, counts[name], moved))
    return states


def move_catalogues(folder: Path, to: Place) -> list[str]:
    """Move journal and plans of a twin; an interrupted move is continued. Return a line for each.

    The database is that of ``storage.catalogues`` in ``twin.yaml``, which stays there until the move back is done.

    Parameters
    ----------
    folder : Path
        The twin's folder. No process may write to the twin meanwhile; one that does is refused.
    to : "files" or "database"

    Raises
    ------
    SchemaError
        If ``twin.yaml`` names no database.
    CorruptionError
        If a row isn't the same in both afterwards, or the database is of another twin; the catalogue stays where it was.
    DatabaseUnreachableError
        If the database doesn't answer.
    """
    shared = shared_catalogues(folder)
    if shared is None:
        msg = (
            f'{folder}: expected `storage: {{catalogues: "postgresql+psycopg://user@host/database"}}` in twin.yaml, which says where to '
            "and where from; write it first"
        )
        raise SchemaError(msg)
    lines = []
    if "journal" in shared.of:
        lines.append(f"journal: {_move_journal(folder, shared, to):,} entries are in {_place(to)}, each compared")
    if "plans" in shared.of:
        with _alone(folder, shared):
            count = _plans_to_database(folder, shared) if to == "database" else _plans_to_files(folder, shared)
        lines.append(f"plans: {count:,} are in {_place(to)}, each compared")
    if "logins" in shared.of:
        lines.append("logins: nothing is moved; people log in again")
    after = (
        "restart the servers of this twin"
        if to == "database"
        else "now remove storage.catalogues from twin.yaml, and restart the servers"
    )
    return [*lines, after]


def _place(where: Place) -> str:
    return "the database" if where == "database" else "files"


def _journal(folder: Path) -> FileJournal:
    return FileJournal(folder / "ledger" / JOURNAL)


def _plan_files(folder: Path) -> list[Path]:
    return sorted((folder / "control" / "plans").glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def _database_counts(shared: SharedCatalogues | None) -> dict[str, int]:
    if shared is None:
        return dict.fromkeys(CATALOGUES, 0)
    from twinlab.database.documents import Documents  # noqa: PLC0415  (a twin in files needs no database)
    from twinlab.database.journal_rows import JournalRows  # noqa: PLC0415

    journal, plans = JournalRows(shared.database).count(), Documents(shared.database, "plan").all()
    return {"journal": journal, "logins": 0, "plans": len(plans)}


def _move_journal(folder: Path, shared: SharedCatalogues, to: Place) -> int:
    from twinlab.database.journal_rows import JournalRows  # noqa: PLC0415
    from twinlab.ledger.journal.moving import move_journal_to_database, move_journal_to_files  # noqa: PLC0415

    files, rows = _journal(folder), JournalRows(shared.database)
    with progress_bar("journal", unit=" entries") as show:
        if to == "database":
            return move_journal_to_database(files, rows, progress=show)
        return move_journal_to_files(files, rows, progress=show)


@contextmanager
def _alone(folder: Path, shared: SharedCatalogues) -> Iterator[None]:
    """Let nobody sign or send meanwhile, in whichever place."""
    lock = Lock(folder / "control" / "storing", what="storing plans of this twin", wait=_PATIENCE, named=False)
    with lock, shared.database.exclusive("storing plans", wait=_PATIENCE):
        yield


def _plans_to_database(folder: Path, shared: SharedCatalogues) -> int:
    from twinlab.database.documents import Documents  # noqa: PLC0415

    documents, note = Documents(shared.database, "plan"), folder / "control" / "plans" / MOVED_NOTE
    files = _plan_files(folder)
    if note.exists():
        return len(documents.all())
    for path in files:
        text, found = path.read_text(encoding="utf-8"), documents.get(path.stem)
        if found is None or found.text != text:
            documents.put(path.stem, text, time_ns=path.stat().st_mtime_ns)
    _compare_plans({one.name: one.text for one in documents.all()}, files, shared)
    note.parent.mkdir(parents=True, exist_ok=True)
    _write(note, json.dumps({"database": shared.database.name}))
    return len(documents.all())


def _plans_to_files(folder: Path, shared: SharedCatalogues) -> int:
    from twinlab.database.documents import Documents  # noqa: PLC0415

    stored, plans = Documents(shared.database, "plan").all(), folder / "control" / "plans"
    if stored:
        plans.mkdir(parents=True, exist_ok=True)
    for one in stored:
        path = _write(plans / f"{one.name}.json", one.text)
        os.utime(path, ns=(one.time, one.time))
    _compare_plans({one.name: one.text for one in stored}, _plan_files(folder), shared)
    (plans / MOVED_NOTE).unlink(missing_ok=True)
    return len(stored)


def _write(path: Path, text: str) -> Path:
    return write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def _compare_plans(stored: dict[str, str], files: list[Path], shared: SharedCatalogues) -> None:
    for path in files:
        if stored.get(path.stem) != path.read_text(encoding="utf-8"):
            msg = f"{path}: the plan isn't that in {shared.database.name}; run the move again"
            raise CorruptionError(msg)
