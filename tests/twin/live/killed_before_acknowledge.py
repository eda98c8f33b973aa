"""Run a twin's live sources, and die by SIGKILL after a group is durable and before it is acknowledged.

``killed_before_acknowledge.py TWIN NUMBER``: at the group with this number, from 1 on.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import twinlab as tl
from twinlab.twin.live.runner import SourceRunner


def main(folder: str, number: int) -> None:
    acknowledge, groups = SourceRunner._acknowledge, 0

    async def die(self: SourceRunner, group: Any) -> None:
        nonlocal groups
        groups += 1
        if groups == number:
            os.kill(os.getpid(), signal.SIGKILL)
        await acknowledge(self, group)

    SourceRunner._acknowledge = die  # type: ignore[method-assign]
    tl.open(folder).run(seconds=60)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
