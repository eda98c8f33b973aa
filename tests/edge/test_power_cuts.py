"""The power of a gateway goes: every row that was written and not accepted is sent again, with its number."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.power_cuts import Disk, need_disk
from twinlab.edge import Outbox
from twinlab.edge.messages import Lost

CHILD = Path(__file__).with_name("cut_outbox.py")


def newest(lines: list[str], word: str, otherwise: int) -> int:
    return max((int(line.split()[1]) for line in lines if line.startswith(f"{word} ")), default=otherwise)


def contents(outbox: Outbox) -> list[tuple[int, float]]:
    """Return (sequence, value) of all rows that would be sent."""
    found: list[tuple[int, float]] = []
    while (block := outbox.read(outbox.acknowledged + 1 if not found else found[-1][0] + 1)) is not None:
        content = block.content()
        assert not isinstance(content, Lost)
        found += zip(range(block.first, block.last + 1), content.values.tolist(), strict=True)
    return found


def cuts(folder: Path, count: int, seed: int) -> int:
    """Cut the power so many times; return the number of rows that were written."""
    chance, wrote, accepted, token = random.Random(seed), 0, 0, 0
    with Disk(folder, megabytes=64) as disk:
        path = disk.path / "outbox.db"
        for _ in range(count):
            command = [sys.executable, str(CHILD), str(path), str(chance.randrange(2**31))]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                first = process.stdout.readline()
                time.sleep(chance.uniform(0.0, 0.6))
                # Stopped first: it mustn't report that its disk fails.
                process.send_signal(signal.SIGSTOP)
                disk.cut(chance)
                process.kill()
                said = [first, *process.stdout.read().rpartition("\n")[0].splitlines()]
            disk.plug_in()
            assert token in (0, newest(said, "token", token)), "the outbox has begun another epoch"
            token, wrote, accepted = (
                newest(said, "token", 0),
                newest(said, "wrote", wrote),
                newest(said, "accepted", accepted),
            )
            with Outbox(path) as box:
                assert (box.token, box.last >= wrote, box.acknowledged <= accepted) == (token, True, True)
                found = contents(box)
                # Every row behind the last that was accepted is still there.
                assert found[0][0] <= accepted + 1 if found else box.last <= accepted
                assert found == [(n, float(n)) for n in range(box.last - len(found) + 1, box.last + 1)]
                wrote = box.last
    return wrote


def test_after_a_power_cut_the_outbox_sends_all_that_was_not_accepted(tmp_path: Path) -> None:
    need_disk()
    assert cuts(tmp_path / "disk", 3, seed=1) > 0


@pytest.mark.soak
def test_fifty_power_cuts_of_a_gateway(tmp_path: Path) -> None:
    need_disk()
    rows = cuts(tmp_path / "disk", 50, seed=2)
    sys.stdout.write(f"{rows:,} rows written\n")
    assert rows > 0
