"""Shut out a writer that may still run although it may not write any more: it keeps files that nobody reads."""

from __future__ import annotations

import shutil
from pathlib import Path

from twinlab._files import replace_file, sync_file, sync_folder
from twinlab.ledger.format.disk import atomic_write, disk_error
from twinlab.ledger.format.position import FILE
from twinlab.ledger.format.segment import numbers, path_of

__all__ = ["shut_out"]


def shut_out(folder: Path) -> None:
    """Replace the files of a source that a writer has open by copies of them.

    A process that was frozen between its last check and a write goes on in the files that were replaced. Rows that it had made durable
    before are in the copies; the others were never acknowledged.

    Raises
    ------
    SourceError
        If the disk is full or fails.
    """
    position = folder / FILE
    if not position.exists():
        return
    try:
        # The position first: the segment's copy then has at least the bytes up to it.
        atomic_write(position, position.read_bytes())
        for number in numbers(folder)[-1:]:
            path = path_of(folder, number)
            draft = path.with_name(f"{path.name}.tmp")
            shutil.copyfile(path, draft)
            sync_file(draft)
            replace_file(draft, path)
        sync_folder(folder)
    except OSError as error:
        raise disk_error(error, folder, "taking over the writing of") from error
