"""What a twin says of the database of its catalogues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.twin.catalogues.definition_methods import DefinitionMethods
from twinlab.twin.catalogues.opening import open_ledger, shared_catalogues

if TYPE_CHECKING:
    from pathlib import Path

    from twinlab.ledger import Ledger
    from twinlab.twin.catalogues.opening import SharedCatalogues

__all__ = ["CatalogueMethods"]


class CatalogueMethods(DefinitionMethods):
    """The state of the database; of `twinlab.Twin`."""

    folder: Path
    shared_catalogues: SharedCatalogues | None
    """The database of journal, logins and plans; None if they are files."""

    def _open_ledger(self) -> Ledger:
        self.shared_catalogues = shared_catalogues(self.folder)
        return open_ledger(self.folder, self.shared_catalogues)

    @property
    def catalogue_fault(self) -> str:
        """Why the database of journal, logins and plans didn't answer when it was last asked; "" if it did, or without one.

        The twin is read all the same: notes are those that were known here. What would be written is refused until it answers.
        """
        if self.shared_catalogues is None:
            return ""
        return self.ledger.journal.fault or self.shared_catalogues.database.fault
