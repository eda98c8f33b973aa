"""A plant whose forklifts' controllers are killed (kill -9) and started again: they know what they did, and repeat nothing."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.flow.commanded_plant import wait
from twinlab.commands.messages import Answer, new_command, open_answer, sign_command, state_hash
from twinlab.control.carriers import Endpoints, open_endpoints
from twinlab.demos.live_control import write_control
from twinlab.edge.commanding import Records
from twinlab.errors import NoAnswerError, SourceError
from twinlab.signing.keys import read_signer

SPEED = "max_speed"
OPTIONS = ["--small", "--weeks", "1", "--trucks", "1", "--forklifts", "2", "--peers", "forklifts"]


def started(folder: Path) -> subprocess.Popen[bytes]:
    """Start the plant in a folder that may have the memories of an earlier run."""
    shutil.rmtree(folder / "truth", ignore_errors=True)
    (folder / "plant.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "twinlab.cli", "plant", "run", "--folder", str(folder), *OPTIONS]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait(lambda: (folder / "plant.json").exists() or process.poll() is not None, 120)
    assert process.poll() is None
    write_control(json.loads((folder / "plant.json").read_text())["peers"], folder)
    return process


def wire(endpoints: Endpoints, target: str, value: float, operation: Any, counter: int) -> bytes:
    reported = endpoints.read(target, SPEED)
    command = new_command(
        target, SPEED, value, "km/h", twin="parcel", operation=operation, counter=counter, reason="test",
        expected_state=state_hash(target, SPEED, reported.value, "km/h", watched={}),
    )  # fmt: skip
    return sign_command(command, read_signer(endpoints.settings.people["operator-1"]))


def send(endpoints: Endpoints, message: bytes, target: str, timeout: float = 15.0) -> Answer:
    return open_answer(endpoints.send(message, target=target, timeout=timeout), ring=endpoints.ring.read())


def killed_run(folder: Path) -> tuple[bytes, bytes, float]:
    """Set one forklift, let another one begin, and kill all; return both commands, and what the first one was before."""
    process = started(folder)
    try:
        with open_endpoints(folder / "control.yaml") as endpoints, ThreadPoolExecutor(1) as thread:
            first = "forklift/F01"
            before = endpoints.read(first, SPEED).value
            assert send(endpoints, wire(endpoints, first, 6.0, "select", 1), first).outcome == "selected"
            done = wire(endpoints, first, 6.0, "operate", 2)
            assert send(endpoints, done, first).outcome == "done"
            assert endpoints.read(first, SPEED).value == 6.0
            other = "forklift/F02"
            assert send(endpoints, wire(endpoints, other, 6.0, "select", 1), other).outcome == "selected"
            begun = wire(endpoints, other, 6.0, "operate", 2)
            answer = thread.submit(send, endpoints, begun, other, 1.0)
            process.kill()
            # Its answer came before the kill, or never.
            with contextlib.suppress(NoAnswerError, SourceError):
                assert answer.result().outcome == "done"
    finally:
        process.kill()
        process.wait()
    return done, begun, before


def test_forklifts_that_were_killed_repeat_nothing_and_take_new_commands(
    tmp_path: Path, need: Callable[[str], object]
) -> None:
    need("mosquitto")
    folder = tmp_path / "plant"
    done, begun, before = killed_run(folder)
    process = started(folder)
    try:
        with open_endpoints(folder / "control.yaml") as endpoints:
            for target, message in (("forklift/F01", done), ("forklift/F02", begun)):
                answer = send(endpoints, message, target)
                assert answer.outcome == "refused", answer.reason
                # The plant itself begins anew: only the guard's ledger knows.
                assert endpoints.read(target, SPEED).value == before
                records = Records(folder / "forklifts" / "devices" / target.partition("/")[2] / "records.jsonl")
                accepted = [one for one in records.entries() if one["kind"] == "command accepted"]
                ids = [one["what"]["id"] for one in accepted]
                assert len(ids) == len(set(ids))
                # A new command whose counter isn't above the last one before the kill.
                older = send(endpoints, wire(endpoints, target, 6.0, "select", 1), target)
                assert older.outcome == "refused"
                assert "a newer command came before" in older.reason
                assert send(endpoints, wire(endpoints, target, 6.0, "select", 3), target).outcome == "selected"
                assert send(endpoints, wire(endpoints, target, 6.0, "operate", 4), target).outcome == "done"
                assert endpoints.read(target, SPEED).value == 6.0
    finally:
        process.kill()
        process.wait()
