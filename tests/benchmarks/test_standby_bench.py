"""How long a twin has no historian: from the kill of one, or its freezing, to the first row that the standby has stored.

Run: python -m pytest tests/benchmarks/test_standby_bench.py -m benchmark -s -n0
"""

from __future__ import annotations

import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.ledger import Ledger

pytestmark = pytest.mark.benchmark
TRIES, ROWS = 5, 50_000
MODEL = """
twin: site
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
"""
FEED = """
source: feed
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {temperature: {signal: temperature, unit: degC}}
live: {kind: replay, file: log.csv, rows: 10, rate: 200}
"""


def start(twin: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "twinlab.cli", "run", str(twin), *options]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for_rows(reader: tl.ledger.Reader, more_than: int) -> float:
    began = time.monotonic()
    while reader.position() <= more_than:
        time.sleep(0.002)
        assert time.monotonic() - began < 60
    return time.monotonic() - began


@pytest.mark.parametrize(("how", "lease"), [("killed", "10s"), ("frozen", "1s"), ("frozen", "10s")])
def test_a_standby_takes_over(tmp_path: Path, how: str, lease: str) -> None:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "feed.yaml").write_text(FEED)
    twin = tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml").folder
    lines = [
        f"2026-{1 + n // 40_320:02d}-{1 + n // 1440 % 28:02d}T{n // 60 % 24:02d}:{n % 60:02d}Z,a,{n % 300 / 10}"
        for n in range(ROWS)
    ]
    (twin / "log.csv").write_text("time,truck,temperature\n" + "\n".join(lines) + "\n")
    reader = Ledger(twin / "ledger").reader("feed")
    holder = start(twin, "--lease", lease)
    wait_for_rows(reader, 100)
    took = []
    for _ in range(TRIES):
        standby = start(twin, "--standby", "--lease", lease)
        assert standby.stderr is not None
        assert "standby" in standby.stderr.readline()
        time.sleep(0.5)
        holder.send_signal(signal.SIGKILL if how == "killed" else signal.SIGSTOP)
        time.sleep(0.05)
        took.append(0.05 + wait_for_rows(reader, reader.position()))
        if how == "frozen":
            holder.send_signal(signal.SIGCONT)
            assert holder.wait(60) == 1
        holder.communicate()
        holder = standby
    holder.send_signal(signal.SIGTERM)
    holder.communicate(timeout=60)
    found = [value for frame in reader.frames() for value in frame.batch().column("temperature").to_pylist()]
    assert found == [n % 300 / 10 for n in range(len(found))]
    sys.stdout.write(
        f"\n{how}, lease {lease}: first row of the standby after {statistics.median(took):.2f} s (median of {TRIES}), at most {max(took):.2f} s\n"
    )
