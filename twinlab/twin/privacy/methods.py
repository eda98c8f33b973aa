"""The methods of `Twin` about people and their data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.twin.privacy.protocol import WholeTwin

if TYPE_CHECKING:
    from twinlab.twin.privacy.erasure import ErasureReport

__all__ = ["PrivacyMethods"]


class PrivacyMethods:
    """Methods of `Twin`: who has data in it, and how they are erased."""

    def people(self: WholeTwin) -> list[str]:
        """Return the names of the people whose personal data the ledger has, as sources write them, sorted."""
        encryption = self.ledger.encryption
        return [] if encryption is None else encryption.keys.subjects()

    def forget(
        self: WholeTwin, subject: str, *, who: str = "local", exports: Sequence[str | Path] = ()
    ) -> ErasureReport:
        """Erase a person: destroy the keys, make the history again, and prove by a search of all bytes that nothing is left.

        Rows stay in the ledger, in which their personal columns can't be read any more, and copies of files with the person neither. The
        history is made again from the ledger, without its earlier states and revisions that weren't promoted. Searched are the
        twin's folder, the keys, released files that the audit lists, and ``exports``.

        Parameters
        ----------
        subject : str
            Name of the person, as sources write it; see `people`.
        who : str
            Who erases, for the audit.
        exports : sequence of paths
            Further files and folders that are searched.

        Returns
        -------
        ErasureReport
            Its ``ok`` says whether nothing is left.

        Raises
        ------
        UnknownTermError
            If there is no key of this person.
        HistoryConflictError
            If another process writes to the twin; nothing is erased then.
        """
        from twinlab.twin.privacy.erasure import forget  # noqa: PLC0415  (few need it)

        return forget(self, subject, who=who, exports=exports)
