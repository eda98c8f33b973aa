"""The methods of `Twin` for its audit, and for keys with which people sign from a page."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from twinlab.errors import CommandRejectedError
from twinlab.twin.privacy.recording import AUDIT

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import pandas as pd
    from securesystemslib.signer import CryptoSigner

    from twinlab.control.audit import AuditLog, AuditReport
    from twinlab.signing.keys import KeyRing, SealedKeys
    from twinlab.twin.commanding.settings import ControlSettings

__all__ = ["AuditMethods"]


class AuditMethods:
    """Methods of `Twin`: append to the audit, read and prove it; sign with keys of this machine."""

    if TYPE_CHECKING:
        folder: Path

    @cached_property
    def audit_log(self) -> AuditLog:
        """The twin's audit in ``audit/``, with signed heads as ``audit:`` of ``control.yaml`` states.

        Raises
        ------
        ControlError
            If it isn't intact, or can't be written.
        """
        from twinlab.control.audit import AuditLog  # noqa: PLC0415  (reading a twin needs none)
        from twinlab.signing.keys.key_file import read_signer  # noqa: PLC0415

        stated = self._control_settings().audit
        signer = None if stated.key is None else read_signer(self.folder / stated.key)
        return AuditLog(
            self.folder / AUDIT,
            signer=signer,
            places=stated.heads,
            rows=stated.rows,
            seconds=stated.seconds,
            grace=stated.grace,
        )

    def has_audit(self) -> bool:
        """Return whether anything was recorded."""
        return any((self.folder / AUDIT / "rows").glob("*.jsonl"))

    def audit_rows(
        self, *, newest: int = 500, kinds: Collection[str] = (), who: Collection[str] = (), text: str = ""
    ) -> pd.DataFrame:
        """Return rows of the audit, the newest first.

        Parameters
        ----------
        newest : int
            How many.
        kinds, who : collection of str
            Kinds, and names any of which a row has; all if empty.
        text : str
            Text that a row has anywhere.

        Returns
        -------
        DataFrame
            ``n, at, kind, who, what, previous``.

        Raises
        ------
        CorruptionError
            At a row that doesn't follow the one before it.
        """
        import pandas as pd  # noqa: PLC0415

        from twinlab.control.audit import search  # noqa: PLC0415

        found = search.newest_rows(self.folder / AUDIT, newest, search.RowFilter(kinds, who, text=text))
        columns = ["n", "at", "kind", "who", "what", "previous"]
        rows = [(one.n, one.at, one.kind, one.who, dict(one.what), one.previous) for one in found]
        return pd.DataFrame(rows, columns=columns)

    def verify_audit(self, *, heads: Sequence[Path | str] = ()) -> AuditReport:
        """Read the whole audit, and compare it with signed heads: those beside it, and those of second places that are files.

        Parameters
        ----------
        heads : sequence of Path or str
            More heads, such as those that a webhook received.

        Raises
        ------
        SourceError
            If a place with heads can't be read.
        """
        from twinlab.control.audit import verify_audit  # noqa: PLC0415
        from twinlab.twin.commanding.settings import head_files  # noqa: PLC0415

        return verify_audit(self.folder / AUDIT, heads=[*head_files(self.folder), *heads], keys=self.key_ring())

    def signing_names(self) -> list[str]:
        """Return whose keys are on this machine: in files that ``control.yaml`` names, or sealed with a passphrase."""
        return sorted({*self._control_settings().people, *self._sealed_keys.names()})

    def unlock_key(self, name: str, passphrase: str = "") -> CryptoSigner:
        """Return what signs with somebody's key, for `Plan.approve` and `emergency_stop`.

        Parameters
        ----------
        name : str
            One of `signing_names`.
        passphrase : str
            Of a sealed or an encrypted key. One in a file that isn't encrypted needs none: whoever may read the file may sign.

        Raises
        ------
        CommandRejectedError
            If there is no such key here, or the passphrase of a sealed key is wrong.
        SchemaError
            If a file has no such key, or another passphrase.
        """
        from twinlab.signing.keys.key_file import read_signer  # noqa: PLC0415

        sealed, files = self._sealed_keys, self._control_settings().people
        if name in sealed.names():
            signer: CryptoSigner = sealed.unlock(name, passphrase)
            return signer
        if name in files:
            path = self.folder / files[name]
            encrypted = path.is_file() and b"BEGIN ENCRYPTED" in path.read_bytes()
            return read_signer(path, passphrase=passphrase if encrypted else None)
        msg = f"expected somebody whose key is on this machine ({', '.join(self.signing_names()) or 'nobody'}), got {name!r}"
        raise CommandRejectedError(msg)

    @cached_property
    def _sealed_keys(self) -> SealedKeys:
        # One object: it counts wrong passphrases.
        from twinlab.signing.keys import SealedKeys  # noqa: PLC0415

        return SealedKeys(self.folder / self._control_settings().sealed_keys)

    def key_ring(self) -> KeyRing:
        """Return the keys of people and devices, from the file that ``keys:`` of ``control.yaml`` names; none without such a file."""
        from twinlab.twin.commanding.settings import key_ring  # noqa: PLC0415

        return key_ring(self.folder)

    def _control_settings(self) -> ControlSettings:
        from twinlab.twin.commanding.settings import control_settings  # noqa: PLC0415

        return control_settings(self.folder)
