"""``twinlab edge`` as a process: JSON lines in, stored lines out, ended by a signal or by an error that says why."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mosquitto import free_port
from twinlab.cli import main
from twinlab.edge import Outbox
from twinlab.edge.pseudonyms import SecretsFile
from twinlab.twin.health.endpoint import ask

ROOT = Path(__file__).parents[2]


def started(folder: Path, *options: str, broker: str = "") -> subprocess.Popen[str]:
    (folder / "truck.yaml").write_text(f"name: truck-1\nbroker: {{host: 127.0.0.1, port: {free_port()}{broker}}}\n")
    return subprocess.Popen(
        [sys.executable, "-m", "twinlab.cli", "edge", str(folder / "truck.yaml"), *options],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ},
    )  # fmt: skip


def line(n: int) -> str:
    return json.dumps({"tag": "temp", "time": n, "value": n / 2}) + "\n"


def test_lines_are_stored_and_a_signal_ends_it_without_a_broker(tmp_path: Path) -> None:
    port = free_port()
    with started(tmp_path, "--metrics", str(port)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(map(line, range(1, 31))))
        process.stdin.flush()
        while json.loads(process.stdout.readline())["stored"] < 30:
            pass
        assert ask(port) == (True, "ready")
        assert "\ntwinlab_edge_outbox_rows 30.0\n" in ask(port, path="/metrics")[1]
        process.send_signal(signal.SIGTERM)
        _, logs = process.communicate(timeout=60)
    assert process.returncode == 0, logs
    assert {json.loads(one)["level"] for one in logs.splitlines()} <= {"info", "warning"}
    with Outbox(tmp_path / "outbox.db") as box:
        assert (box.last, box.rows) == (30, 30)


def test_with_leave_it_ends_with_its_input(tmp_path: Path) -> None:
    with started(tmp_path, "--leave") as process:
        out, logs = process.communicate("".join(map(line, range(1, 6))) + "nonsense", timeout=60)
    assert process.returncode == 0, logs
    assert json.loads(out.splitlines()[-1]) == {"stored": 6}
    (refused,) = [one for one in map(json.loads, logs.splitlines()) if one["message"] == "a line was refused"]
    assert refused["line"] == 6


def test_certificates_that_are_missing_end_it_with_their_names(tmp_path: Path) -> None:
    with started(tmp_path, broker=", ca: none.crt") as process:
        assert process.stderr is not None
        logs = process.stderr.read()
        process.wait(60)
    assert process.returncode == 1
    assert "none.crt" in logs
    assert "Expected readable PEM files" in logs


def test_a_gateways_secret_is_made_once_and_rotated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "names.json"
    assert main(["pseudonym-key", str(path)]) == 0
    (first,) = SecretsFile(path).read()
    assert main(["pseudonym-key", str(path)]) == 1
    assert "--rotate" in capsys.readouterr().err
    assert main(["pseudonym-key", str(path), "--rotate"]) == 0
    assert SecretsFile(path).read()[0] == first
    assert main(["pseudonym-key", str(path), "--rotate", "--forget"]) == 0
    assert first not in SecretsFile(path).read()
    assert main(["pseudonym-key", str(path), "--forget"]) == 2
    assert first.key.hex() not in capsys.readouterr().out
