"""The method of `Twin` that makes a backup."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from twinlab.twin.progress import progress_bar
from twinlab.twin.remote.methods import RemoteMethods

if TYPE_CHECKING:
    from twinlab.twin.backup.contents import BackedUp
    from twinlab.twin.backup.making import BackupReport

__all__ = ["BackupMethods"]


class BackupMethods(RemoteMethods):
    """What a twin does with an object store, or with another disk."""

    def backup(
        self, place: str | Path, *, keep: str | None = None, also: Sequence[str | Path] = (), with_keys: bool = False
    ) -> BackupReport:
        """Make a backup of this twin, while it is written and served: only what isn't there yet is sent.

        It has definitions, ledger and journal (notes, verdicts, alerts), history, audit, plans, predictions, models and scenarios, as they are at
        one instant. It exists once all of it is there; an interrupted one is continued by the next. `twinlab.twin.restore` brings it back.

        Parameters
        ----------
        place : path or str
            A folder, best on another machine's disk, or ``s3://bucket/prefix``.
        keep : str, optional
            Which backups stay, such as ``"24n,7d,4w,12m"``: the last 24, and one for each of 7 days, 4 weeks, 12 months. All by default.
        also : sequence of paths
            Files from outside of the twin's folder, such as the users file; restored in the folder ``also``.
        with_keys : bool
            Whether private keys of people who sign are included. Keys of people whose data the twin has never are.

        Returns
        -------
        BackupReport

        Raises
        ------
        SourceError
            If the place can't be written, or keys of people are missing.
        SchemaError
            If the place has something else, or is in the twin's folder.
        HistoryConflictError
            If another process makes a backup, or the place has rows that the folder doesn't have.
        """
        from twinlab.twin.backup.making import make_backup  # noqa: PLC0415  (reading a twin needs none)
        from twinlab.twin.backup.schedule import Schedule  # noqa: PLC0415

        schedule = None if keep is None else Schedule.parse(keep)
        with progress_bar("backup", unit="B") as show:
            return make_backup(
                cast("BackedUp", self), place, schedule=schedule, also=[Path(one) for one in also], with_keys=with_keys,
                show=show,
            )  # fmt: skip
