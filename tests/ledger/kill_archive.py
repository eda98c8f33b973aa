"""Run by test_archive_records: archives copies of a ledger, in children each of which is killed before another step.

Usage: kill_archive.py LEDGER TARGET. Makes TARGET/0, TARGET/1, … with what each child left, until one isn't killed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.ledger.test_archive_records import times_of
from tests.step_kills import kill_each_step
from twinlab.ledger import Ledger, Writer, archive, archive_records, seal

STEPS = (
    (Writer, "rotate"),
    *((seal, name) for name in ("_write_kept", "write_manifest", "_remove")),
    *((archive_records, name) for name in ("sync_file", "replace_file", "sync_folder", "file_sha256", "write_all")),
    *((archive, name) for name in ("archive_records", "write_manifest", "_remove_replaced", "sync_folder")),
    (Path, "unlink"),
)


def begin(folder: Path) -> Callable[[], object]:
    ledger = Ledger(folder / "ledger")
    times = times_of(ledger)
    return lambda: ledger.archive(folder / "archive", before_ns=9, times=times)


if __name__ == "__main__":
    kill_each_step(Path(sys.argv[1]), Path(sys.argv[2]), STEPS, begin, into="ledger")
