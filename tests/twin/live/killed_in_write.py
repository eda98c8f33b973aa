"""Run a twin's live sources, and die by SIGKILL in a write of the ledger of some size, after a part of its bytes.

``killed_in_write.py TWIN PART``: the part, 0 to 1.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

import twinlab as tl
from twinlab.ledger.format import disk

#: Smaller writes are those of positions and of the journal.
_LEAST = 1_000


def main(folder: str, part: float) -> None:
    write = disk._write

    def cut(descriptor: int, views: Sequence[memoryview], offset: int) -> int:
        content = b"".join(views)
        if len(content) < _LEAST:
            return write(descriptor, views, offset)
        os.pwrite(descriptor, content[: int(len(content) * part)], offset)
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    disk._write = cut
    tl.open(folder).run(seconds=30)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
