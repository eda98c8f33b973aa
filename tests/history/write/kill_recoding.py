"""Run by test_recoding: encodes copies of a twin with another codec, in children each of which is killed before another step.

Usage: kill_recoding.py SOURCE TARGET. Makes TARGET/0, TARGET/1, … with what each child left, until one isn't killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.history.conftest import Site
from twinlab.history.store import publish
from twinlab.history.write import recoding
from twinlab.history.write.transaction import Transaction
from twinlab.ledger import Journal

STEPS = (
    (Journal, "append"),
    (recoding, "array_metadata"),
    (recoding, "assemble"),
    (Transaction, "commit"),
    (publish, "publish"),
    (publish, "sync_filesystem"),
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
        shutil.copytree(source, target / str(step))
        # Only children open a history: its threads don't survive a fork.
        child = os.fork()
        if child == 0:
            kill_before(step)
            Site(target / str(step)).historian().recode("zstd 19", {"author": "dora"})
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            raise SystemExit(os.waitstatus_to_exitcode(status))
        step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
