"""The methods of `Twin` about people and their data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.reads import note_links, note_read
from twinlab.twin.privacy.recording import recorded

if TYPE_CHECKING:
    from twinlab.model.privacy.fields import Part
    from twinlab.signing.keys.ring import KeyRing
    from twinlab.twin.privacy.erasure import ErasureReport
    from twinlab.twin.privacy.releasing.release import Receipt

__all__ = ["PrivacyMethods"]


class PrivacyMethods:
    """Methods of `Twin`: who has data in it, how they are erased, and what is released."""

    def _note_read(
        self: WholeTwin,
        *owners: str,
        part: Part = "asset_types",
        fields: Sequence[str] | None = None,
        signals: bool = True,
    ) -> None:
        """Record a read of personal data by whoever has the whole twin; see `twinlab.twin.privacy.reads`."""
        note_read(self, *owners, part=part, fields=fields, signals=signals)

    def _note_all(self: WholeTwin) -> None:
        note_read(self, *self.model.asset_types)
        note_read(self, *self.model.event_types, part="event_types")

    def _note_links(self: WholeTwin, relationship: str) -> None:
        note_links(self, relationship)

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

        with recorded():
            return forget(self, subject, who=who, exports=exports)

    def release(
        self: WholeTwin,
        what: str,
        *,
        purpose: str,
        to: str | Path,
        recipient: str,
        fields: Sequence[str] | None = None,
        by: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        noise: bool = False,
        most: int = 1,
        linked: bool = False,
        who: str = "local",
    ) -> Receipt:
        """Release data about people to a file, for a purpose, after an attack on it.

        Rows are in the purpose's precision and without names. Only rows that at least ``privacy.release.group_size`` people share in all
        columns are in the file, each person's once. Before the file is there, an attacker with four known exact points of each
        person looks for them in it; if more are found than ``privacy.release.risk``, nothing is released.

        Parameters
        ----------
        what : str
            An event type whose personal property names people, or an asset type: its positions, or ``fields``.
        purpose : str
            A key of ``purposes:``, whose fields may be released.
        to : path
            A new file, ``.parquet`` or ``.csv``; owner, purpose and terms are in its metadata (CSV: in a file beside it).
        recipient : str
            Who gets it.
        fields : sequence of str, optional
            Columns; by default what isn't personal of events, or the positions of assets.
        by : sequence of str, optional
            Release the number of people for each combination of these columns instead of rows.
        start, stop : optional
            Half-open span, as in `history`.
        noise : bool
            With ``by``: counts with noise of privacy loss ``privacy.release.epsilon``, charged to the purpose's budget. Which
            combinations are listed isn't covered by the noise, but by the group size.
        most : int
            With ``noise``: in how many counts one person is, at most; others are left out at random.
        linked : bool
            Release all rows, those of a person under one pseudonym: the attack decides whether that may be.
        who : str
            Who releases, for the audit.

        Returns
        -------
        Receipt
            With the SHA-256 of the file and the risk; the audit has it, too.

        Raises
        ------
        PurposeError
            If the purpose doesn't allow a field, its budget is spent, or the attack finds too many people.
        SchemaError
            If ``what``, ``by`` or ``to`` can't be used, or ``twin.yaml`` names no ``privacy.controller``.
        """
        from twinlab.twin.privacy.releasing.release import Wanted, release  # noqa: PLC0415  (few need it)

        wanted = Wanted(
            what, purpose, recipient, fields=fields, by=by, start=start, stop=stop, noise=noise, most=most, linked=linked, who=who
        )  # fmt: skip
        with recorded():
            return release(self, Path(to), wanted)

    def apply_privacy_retention(self: WholeTwin, *, now: datetime | None = None) -> list[str]:
        """Destroy keys of months that are older than ``privacy.retention`` allows, and make the history again if there are any.

        `compact` does it, and `run` at its start and each day.

        Parameters
        ----------
        now : datetime, optional
            With a zone; the present time by default.

        Returns
        -------
        list of str
            Months whose keys were destroyed, those of sensitive columns as ``"2026-03 sensitive"``.
        """
        from twinlab.twin.privacy.retention import apply_retention  # noqa: PLC0415  (few need it)

        with recorded():
            return apply_retention(self, now=now)

    def _retention_is_due(self: WholeTwin) -> bool:
        from twinlab.twin.privacy.retention import is_due  # noqa: PLC0415  (few need it)

        return is_due(self)

    def reidentify(self: WholeTwin, request: bytes, ring: KeyRing) -> str:
        """Return the name behind a pseudonym, for a request that two people have signed.

        Parameters
        ----------
        request : bytes
            An envelope of `twinlab.twin.privacy.reidentification.new_request`, signed by two people of the roles steward, security or admin.
        ring : KeyRing
            Whose signatures count, as ``twinlab.signing.keys.KeyRingFile(path).read()`` returns it.

        Raises
        ------
        CommandRejectedError
            If the request isn't signed so, is for another twin, was used before or is too old.
        PurposeError
            If the pseudonym is nobody's whose keys exist.
        """
        from twinlab.twin.privacy.reidentification import reidentify  # noqa: PLC0415  (few need it)

        return reidentify(self, request, ring)

    def privacy_report(self: WholeTwin) -> str:
        """Return the records of processing (GDPR, article 30) as Markdown, made from the model and the audit."""
        from twinlab.twin.privacy.processing import processing_report  # noqa: PLC0415  (few need it)

        return processing_report(self)
