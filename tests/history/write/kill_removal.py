"""Run by test_removal_kills: applies retention to copies of a twin, in children each of which is killed before another step.

Usage: kill_removal.py SOURCE TARGET. Makes TARGET/0, TARGET/1, … with what each child left, until one isn't killed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.history.conftest import Site
from tests.history.write.test_removal import cut_at
from tests.step_kills import kill_each_step
from twinlab.history.store import publish
from twinlab.history.write import removal
from twinlab.history.write.transaction import Transaction
from twinlab.ledger import Journal

STEPS = (
    (Journal, "append"),
    (Transaction, "rewrite_cells"),
    (Transaction, "commit"),
    (publish, "publish"),
    (publish, "sync_filesystem"),
    (removal, "proof_of"),
)


def begin(folder: Path) -> Callable[[], object]:
    return lambda: cut_at(Site(folder), 2)


if __name__ == "__main__":
    kill_each_step(Path(sys.argv[1]), Path(sys.argv[2]), STEPS, begin)
