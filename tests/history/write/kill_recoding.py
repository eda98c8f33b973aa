"""Run by test_recoding: encodes copies of a twin with another codec, in children each of which is killed before another step.

Usage: kill_recoding.py SOURCE TARGET. Makes TARGET/0, TARGET/1, … with what each child left, until one isn't killed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.history.conftest import Site
from tests.step_kills import kill_each_step
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


def begin(folder: Path) -> Callable[[], object]:
    return lambda: Site(folder).historian().recode("zstd 19", {"author": "dora"})


if __name__ == "__main__":
    kill_each_step(Path(sys.argv[1]), Path(sys.argv[2]), STEPS, begin)
