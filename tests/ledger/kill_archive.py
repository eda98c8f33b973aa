"""Run by test_archive_records: archives copies of a ledger, in children each of which is killed before another step.

Usage: kill_archive.py LEDGER TARGET. Makes TARGET/0, TARGET/1, … with what each child left, until one isn't killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ledger.test_archive_records import times_of
from twinlab.ledger import Ledger, Writer, archive, archive_records, seal

STEPS = (
    (Writer, "rotate"),
    *((seal, name) for name in ("_write_kept", "write_manifest", "_remove")),
    *((archive_records, name) for name in ("sync_file", "replace_file", "sync_folder", "file_sha256", "write_all")),
    *((archive, name) for name in ("archive_records", "write_manifest", "_remove_replaced", "sync_folder")),
    (Path, "unlink"),
)


def kill_before(step: int) -> None:
    """Let this process be killed before it calls one of the steps for the time with this number."""
    count = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return call(*arguments, **options)

        return run

    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name)))


def main(source: Path, target: Path) -> None:
    step = 0
    while True:
        folder = target / str(step)
        shutil.copytree(source, folder / "ledger")
        child = os.fork()
        if child == 0:
            ledger = Ledger(folder / "ledger")
            times = times_of(ledger)
            kill_before(step)
            ledger.archive(folder / "archive", before_ns=9, times=times)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            raise SystemExit(os.waitstatus_to_exitcode(status))
        step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
