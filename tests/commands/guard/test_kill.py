"""A guard that is killed (kill -9) at any point changes a setpoint at most once, and afterwards says what it doesn't know."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.commands.guard.killed_guard import POINTS, guard_of
from tests.commands.guard.site import new_signer
from twinlab.commands.messages import new_command, sign_command, state_hash

ROOT = Path(__file__).parents[3]
#: Where the asset has changed when the guard dies.
CHANGED = POINTS[POINTS.index("after the asset changed") :]


@pytest.fixture
def signer(tmp_path: Path, need: Callable[[str], object]) -> Any:
    need("securesystemslib")
    made = new_signer()
    (tmp_path / "keys.yaml").write_text(
        f"people:\n  Ann:\n    roles: [operator]\n    keys:\n      - public: '{made.public_key.keyval['public']}'\n"
    )
    return made


def wire(signer: Any, operation: Any, counter: int, value: float = 6.0, reported: float = 8.0) -> bytes:
    command = new_command(
        "forklift/7", "max_speed", value, "km/h", twin="parcel", operation=operation, counter=counter,
        expected_state=state_hash("forklift/7", "max_speed", reported, "km/h"), reason="people near the dock",
    )  # fmt: skip
    return sign_command(command, signer)


def started(folder: Path, point: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.commands.guard.killed_guard", str(folder), point], cwd=ROOT, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def changes(folder: Path) -> list[str]:
    path = folder / "changes"
    return path.read_text().split() if path.exists() else []


def entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit").read_text().splitlines()]


@pytest.mark.parametrize("point", POINTS)
def test_a_guard_killed_at_a_point_never_repeats(point: str, tmp_path: Path, signer: Any) -> None:
    select, operate = wire(signer, "select", 1), wire(signer, "operate", 2)
    killed = started(tmp_path, point)
    out, err = killed.communicate(f"{select.decode()}\n{operate.decode()}\n", timeout=60)
    assert killed.returncode == -9, (out, err)
    assert out.split() == ["ready", "selected"]
    assert changes(tmp_path) == (["6.0"] if point in CHANGED else [])

    guard, forklift = guard_of(tmp_path)
    written = point not in POINTS[:2]
    finished = point in POINTS[-2:]
    assert [answer.outcome for answer in guard.recovered] == (["unknown"] if written and not finished else [])
    for answer in guard.recovered:
        assert answer.value == (6.0 if point in CHANGED else 8.0)
        assert "was under way to forklift/7; read back:" in answer.reason
        assert entries(tmp_path)[-1]["kind"] == "command recovered"
    # The same bytes again, and the whole journey again: the select is known, and operate isn't repeated.
    for again in (operate, select, operate):
        assert guard.submit(again).outcome == "refused"
    assert changes(tmp_path) == (["6.0"] if point in CHANGED else [])
    # Work goes on with new commands.
    now = forklift.value()
    assert guard.submit(wire(signer, "select", 3, 5.0, now)).outcome == "selected"
    assert guard.submit(wire(signer, "operate", 4, 5.0, now)).outcome == "done"


def journeys(folder: Path, signer: Any, rounds: int, seed: int) -> int:
    """Kill guards at random instants while they work, submit everything again; return how many were killed while at work."""
    chance = random.Random(seed)
    counter = at_work = 0
    sent: list[bytes] = []
    for _ in range(rounds):
        process = started(folder, "any")
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        before = len(changes(folder))
        reported = float((changes(folder) or ["8.0"])[-1])
        for _ in range(20):
            value = 5.0 if reported == 6.0 else 6.0
            counter += 2
            sent += [
                wire(signer, "select", counter, value, reported),
                wire(signer, "operate", counter + 1, value, reported),
            ]
            reported = value
        process.stdin.write("".join(f"{one.decode()}\n" for one in sent[-40:]))
        process.stdin.flush()
        # From the first answer on it is at work.
        assert process.stdout.readline() == "selected\n"
        time.sleep(chance.uniform(0.0, 0.3))
        process.kill()
        process.wait(20)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        done = len(changes(folder))
        at_work += before < done < before + 20
        guard, _ = guard_of(folder)
        for again in sent[-40:]:
            # What wasn't reached may be selected now; nothing is carried out twice.
            guard.submit(again)
        guard._here.ledger.close()
        made = changes(folder)
        # Values alternate, so that the same change twice shows.
        assert all(one != two for one, two in zip(made, made[1:], strict=False))
    ids = [entry["what"]["id"] for entry in entries(folder) if entry["kind"] == "command accepted"]
    assert len(ids) == len(set(ids))
    operates = [
        entry
        for entry in entries(folder)
        if entry["kind"] == "command accepted" and entry["what"]["operation"] == "operate"
    ]
    assert len(changes(folder)) <= len(operates)
    return at_work


def test_guards_killed_at_random_instants_change_nothing_twice(tmp_path: Path, signer: Any) -> None:
    journeys(tmp_path, signer, rounds=3, seed=1)


@pytest.mark.soak
def test_sixty_guards_killed_at_random_instants_change_nothing_twice(tmp_path: Path, signer: Any) -> None:
    assert journeys(tmp_path, signer, rounds=60, seed=2) >= 30
