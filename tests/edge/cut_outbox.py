"""Writes numbered rows to an outbox, lets a historian accept some of them, and prints both: ``cut_outbox.py FILE SEED``."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

from twinlab.edge import Outbox, Reading, Readings

SECOND = 10**9


def say(line: str) -> None:
    # One write: a line is whole although the process may be killed.
    os.write(1, f"{line}\n".encode())


def main() -> None:
    path, chance = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
    with Outbox(path) as box:
        say(f"token {box.token}")
        while True:
            first, count = box.last + 1, chance.choice((1, 5, 60))
            box.write({"s": Readings.of([Reading("t", n * SECOND, float(n)) for n in range(first, first + count)])})
            say(f"wrote {box.last}")
            if chance.random() < 0.2:
                accepted = chance.randint(box.acknowledged, box.last)
                # Before the outbox knows it: the historian has stored these rows.
                say(f"accepted {accepted}")
                box.acknowledge(accepted)
            if chance.random() < 0.1:
                box.tidy()


if __name__ == "__main__":
    main()
