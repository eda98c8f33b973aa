"""Writers killed at any moment lose no acknowledged row."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from twinlab.ledger import Ledger

CHILD = Path(__file__).with_name("killed_writer.py")


def _killed(root: Path, rng: random.Random) -> int:
    """Run the writer, kill it at a random moment; return the last position it had acknowledged."""
    acked = 0
    until = rng.randint(1, 45)
    with subprocess.Popen([sys.executable, str(CHILD), str(root)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(until):
            word, *rest = child.stdout.readline().split()
            if word == "ack":
                acked = int(rest[0])
        pause = time.perf_counter() + rng.random() * 0.003
        while time.perf_counter() < pause:
            pass
        child.kill()
        # The last line may be cut in the middle of its number.
        whole = child.stdout.read().rpartition("\n")[0]
        return max([acked, *(int(line.split()[1]) for line in whole.splitlines() if line.startswith("ack "))])


def _check(root: Path, acked: int) -> None:
    ledger = Ledger(root)
    reader = ledger.reader("s")
    position = reader.position()
    assert position >= acked, "an acknowledged row is lost"
    with ledger.writer("s") as w:
        assert w.position >= position
    seen = np.zeros(reader.position(), dtype=bool)
    for frame in reader.frames():
        n = frame.ordinals()
        rows = frame.batch(columns=("source_time", "value"))
        assert np.array_equal(rows.column("source_time").to_numpy(), n * 1_000)
        assert np.array_equal(rows.column("value").to_numpy(), (n * 2654435761 % 100_003) / 100)
        assert not seen[n].any()
        seen[n] = True
    assert seen.all()
    report = ledger.verify()
    assert report.ok, str(report)


def _trials(root: Path, count: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(count):
        _check(root, _killed(root, rng))


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    _trials(tmp_path, 4, 1)


@pytest.mark.soak
def test_two_hundred_killed_writers_lose_nothing_they_acknowledged(tmp_path: Path) -> None:
    for number in range(20):
        _trials(tmp_path / str(number), 10, number)
