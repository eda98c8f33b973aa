"""Read where a twin's catalogues are, and open their database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError
from twinlab.ledger import Ledger
from twinlab.ledger.journal.file_journal import COPY_NOTE, FileJournal
from twinlab.ledger.journal.journal import JOURNAL
from twinlab.model.load import load_model
from twinlab.twin.definitions import ADDRESS, MODEL

if TYPE_CHECKING:
    from twinlab.database.connection import SharedDatabase
    from twinlab.model.storage.catalogues import CatalogueName, CatalogueStore

__all__ = ["SharedCatalogues", "open_ledger", "shared_catalogues", "stated_catalogues"]


@dataclass(frozen=True)
class SharedCatalogues:
    """The database of a twin, and which catalogues are in it."""

    database: SharedDatabase
    of: tuple[CatalogueName, ...]


def stated_catalogues(folder: Path) -> tuple[CatalogueStore, str] | None:
    """Return ``storage.catalogues`` of a twin's folder and the twin's name; None if all catalogues are files."""
    try:
        text = (folder / MODEL).read_bytes()
    except OSError:
        return None
    # The model is parsed again only if it may have the key.
    if b"catalogues" not in text:
        return None
    model = load_model(folder / MODEL)
    found = None if model.storage is None else model.storage.catalogues
    return None if found is None else (found, model.twin)


def shared_catalogues(folder: Path) -> SharedCatalogues | None:
    """Return the database of a twin's catalogues, which isn't connected yet; None if they are files.

    Raises
    ------
    SourceError
        If what it needs isn't installed, or a secret isn't there.
    """
    stated = stated_catalogues(folder)
    if stated is None:
        return None
    from twinlab.database.opening import open_database  # noqa: PLC0415  (a twin in files needs no database)

    settings, name = stated
    return SharedCatalogues(open_database(settings, folder=folder, twin=name), settings.of)


def open_ledger(folder: Path, shared: SharedCatalogues | None) -> Ledger:
    """Return the ledger of a twin, whose journal is where ``twin.yaml`` says.

    Raises
    ------
    SchemaError
        If the journal is in a database that ``twin.yaml`` doesn't name any more.
    """
    ledger = Ledger(folder / "ledger")
    if shared is not None and "journal" in shared.of:
        if (folder / ADDRESS).exists():
            # Of a twin in an object store, the journal there is read as it was pushed; writing it would leave that in the database behind.
            (ledger.path / JOURNAL).mkdir(parents=True, exist_ok=True)
            FileJournal(ledger.path / JOURNAL).note_copy(shared.database.name)
        else:
            ledger.use_database(shared.database)
    elif (ledger.path / JOURNAL / COPY_NOTE).exists():
        msg = (
            f"the journal of {folder} was moved to a database (see {ledger.path / JOURNAL / COPY_NOTE}), which twin.yaml doesn't "
            f"name: write storage.catalogues again, or first move it back: twinlab catalogues {folder} --move files"
        )
        raise SchemaError(msg)
    return ledger
