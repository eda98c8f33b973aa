"""The power goes while a historian writes: what it has acknowledged is there, and the history opens or is rebuilt, which is said."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

import twinlab as tl
from tests.power_cuts import Disk, need_disk
from tests.simulated_cuts import SimulatedDisk
from tests.twin.live.cut_historian import AIMS

Make = Callable[[str], tl.Twin]
Power = Disk | SimulatedDisk
PATIENCE = 60.0


@dataclass
class Seen:
    """What a series of cuts has done."""

    cuts: int = 0
    aimed: int = 0
    rows: int = 0
    most_behind: int = 0
    notes: list[str] = field(default_factory=list)


def historian(
    twin: Path, disk: Power, *, aim: str = "", call: int = 1, seconds: float = PATIENCE
) -> subprocess.Popen[str]:
    module = "tests.twin.live.cut_historian"
    return subprocess.Popen(
        [sys.executable, "-m", module, str(twin), aim, str(call), str(seconds), *disk.arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def acknowledged(lines: list[str]) -> int:
    return max((int(line.split()[1]) for line in lines if line.startswith("ack ")), default=0)


def stopped(process: subprocess.Popen[str]) -> bool:
    """Whether a process has stopped itself (SIGSTOP)."""
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def cut_once(twin: Path, disk: Power, *, aim: str, chance: random.Random) -> tuple[list[str], bool]:
    """Run a historian until the power is cut, at a random moment or at its aim; return what it said, and whether the aim was hit."""
    with historian(twin, disk, aim=aim, call=chance.choice((1, 1, 2, 5))) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first == "running\n", process.stderr.read()
        until = time.monotonic() + (8.0 if aim else chance.uniform(0.0, 3.0))
        while not (hit := stopped(process)) and time.monotonic() < until:
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        disk.cut(chance)
        process.kill()
        said = process.stdout.read().rpartition("\n")[0].splitlines()
        errors = process.stderr.read()
    assert process.returncode == -signal.SIGKILL, errors
    disk.plug_in()
    return said, hit


def check(folder: Path, acks: int, seen: Seen) -> int:
    """Open a twin after a cut: nothing that was acknowledged is lost, and the history is that of the rows. Return the number of rows."""
    twin = tl.open(folder)
    before = twin.ledger.reader("feed").position()
    with twin.ledger.writer("feed") as writer:
        position = writer.position
    assert position >= acks, "an acknowledged row is lost"
    seen.most_behind = max(seen.most_behind, position - before)
    report = twin.ledger.verify()
    assert report.ok, str(report)
    expected = np.arange(position) % 500 / 10
    found = [
        value for frame in twin.ledger.reader("feed").frames() for value in frame.batch().column("value").to_pylist()
    ]
    if position:
        history = twin.history("truck").temperature.sel(asset="a").values
        np.testing.assert_array_equal(history, expected)
    # Sealed segments are in the order of tags and times, which is that of arrival here.
    assert found == expected.tolist()
    if twin.reader.note:
        seen.notes.append(twin.reader.note)
    return position


def series(
    folder: Path,
    make: Callable[[Path], Path],
    aims: Iterator[str],
    *,
    cuts: int,
    each: int,
    seed: int,
    power: type[Power] = Disk,
) -> Seen:
    """Cut the power ``cuts`` times, of a new twin after each ``each`` cuts."""
    seen, chance = Seen(), random.Random(seed)
    for number in range(0, cuts, each):
        with power(folder / str(number)) as disk:
            twin = make(disk.path)
            disk.sync()
            rows = acks = 0
            for _ in range(min(each, cuts - number)):
                aim = next(aims)
                said, hit = cut_once(twin, disk, aim=aim, chance=chance)
                seen.cuts += 1
                seen.aimed += bool(aim and hit)
                acks = max(acks, acknowledged(said))
                seen.notes += [line for line in said if line.startswith("note ")]
                if chance.random() < 0.7:  # else the next historian is the first that opens the twin
                    rows = check(twin, acks, seen)
            with historian(twin, disk, seconds=2.0) as process:
                said, errors = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, errors
            rows = check(twin, max(acks, acknowledged(said.splitlines())), seen)
            seen.rows += rows
    return seen


@pytest.fixture
def make(live_twin: Make, tmp_path: Path) -> Callable[[Path], Path]:
    """Return a function that puts a twin on a disk."""

    def made(disk: Path) -> Path:
        folder = disk / "site"
        tl.create(folder, model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")
        return folder

    live_twin("{kind: replay, file: none}")
    return made


def alternating(chance: random.Random) -> Iterator[str]:
    """Yield aims, all of them again and again in random order, and a random moment between each two."""
    while True:
        for aim in chance.sample(list(AIMS), len(AIMS)):
            yield aim
            yield ""


@pytest.mark.soak
def test_a_hundred_power_cuts_lose_nothing_that_was_acknowledged(make: Callable[[Path], Path], tmp_path: Path) -> None:
    need_disk()
    seen = series(tmp_path / "disks", make, alternating(random.Random(1)), cuts=100, each=10, seed=2)
    assert seen.cuts == 100
    assert seen.aimed > 25
    what = f"{seen.cuts} power cuts, {seen.aimed} at their aim; {seen.rows:,} rows, 0 lost; {len(seen.notes)} notes:"
    sys.stdout.write("\n".join([what, *seen.notes, ""]))


def test_power_cuts_lose_nothing_that_was_acknowledged(make: Callable[[Path], Path], tmp_path: Path) -> None:
    need_disk()
    aims = iter(["history committed and sealed, not synced", ""])
    assert series(tmp_path / "disks", make, aims, cuts=2, each=2, seed=4).cuts == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_simulated_power_cuts_lose_nothing_that_was_acknowledged(make: Callable[[Path], Path], tmp_path: Path) -> None:
    aims = iter(["history synced, main not moved", "rows written, not synced", ""])
    seen = series(tmp_path / "disks", make, aims, cuts=3, each=3, seed=5, power=SimulatedDisk)
    assert seen.cuts == 3


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_hundred_simulated_power_cuts(make: Callable[[Path], Path], tmp_path: Path) -> None:
    aims = alternating(random.Random(6))
    seen = series(tmp_path / "disks", make, aims, cuts=100, each=10, seed=7, power=SimulatedDisk)
    sys.stdout.write("\n".join([f"{seen.cuts} cuts, {seen.aimed} at their aim; {seen.rows:,} rows", *seen.notes, ""]))
