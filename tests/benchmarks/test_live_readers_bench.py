"""A historian of 50,000 rows/s, alone and with eight processes that read the newest hour each second: rate, CPU, errors of readers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

import twinlab as tl
from twinlab.ledger import Ledger

READERS = int(os.environ.get("TWINLAB_BENCH_READERS", "8"))
ROWS = int(os.environ.get("TWINLAB_BENCH_ROWS", "2000000"))
TRUCKS = 20
#: Rows a second that the replay offers.
RATE = 50_000
MODEL = """
twin: fleet
origin: 2026-01-01
asset_types:
  truck:
    signals:
      speed: {unit: km/h, resolution: 0.1, cadence: 1s}
"""
FEED = r"""
source: feed
stream:
  tags:
    '/^truck-(?P<id>\d+)$/': {signal: speed, asset: 'truck/{id}', unit: km/h}
live: {kind: replay, twin: ../past, speed: SPEED, rows: 2000}
"""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of seconds of 20 trucks, which is replayed."""
    folder = tmp_path_factory.mktemp("live_readers")
    names = pa.array([f"truck-{n}" for n in range(TRUCKS)])
    start = int(np.datetime64("2026-03-01", "ns").astype("int64"))
    chance = np.random.default_rng(1)
    with Ledger(folder / "past" / "ledger").writer("feed") as writer:
        for first in range(0, ROWS // TRUCKS, 500):
            seconds = np.repeat(np.arange(first, first + 500), TRUCKS)
            tags = pa.DictionaryArray.from_arrays(pa.array(np.tile(np.arange(TRUCKS, dtype=np.int32), 500)), names)
            values = np.round(chance.normal(60, 10, len(seconds)), 1)
            times = pa.array(start + seconds * 10**9)
            writer.append_observations(
                pa.RecordBatch.from_arrays([tags, times, pa.array(values)], ["tag", "source_time", "value"])
            )
    return folder


def run(past: Path, name: str, readers: int) -> dict[str, float]:
    """Replay all rows into a new twin with so many readers; return rates and what the readers say."""
    frames = [frame.ingest_time for frame in Ledger(past / "past" / "ledger").reader("feed").frames()]
    speed = (frames[-1] - frames[0]) / 1e9 / (ROWS / RATE)
    for file, text in (("twin.yaml", MODEL), ("feed.yaml", FEED.replace("SPEED", f"{speed:.6f}"))):
        (past / file).write_text(text)
    folder, stop = past / name, past / f"{name}.stop"
    # With a history: a reader that opens one at the instant of its creation may find it incomplete.
    tl.create(folder, model=past / "twin.yaml", mappings=past / "feed.yaml").rebuild()
    script = Path(__file__).with_name("live_reader.py")
    results = [past / f"{name}.{n}.json" for n in range(readers)]
    reading = [subprocess.Popen([sys.executable, script, folder, stop, result]) for result in results]
    time.sleep(8.0 if readers else 0.0)  # until all have imported what they need
    historian = subprocess.Popen(
        [sys.executable, "-m", "twinlab.cli", "run", str(folder), "--once"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process, cpu, memory, stored, first, last = psutil.Process(historian.pid), 0.0, 0, 0, None, None
    reader = Ledger(folder / "ledger").reader("feed")
    while historian.poll() is None:
        try:
            cpu, memory = sum(process.cpu_times()[:2]), max(memory, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        position = reader.position()
        if position and first is None:
            first = (time.monotonic(), position)
        if position != stored:
            stored, last = position, (time.monotonic(), position)
        time.sleep(0.02)
    historian.wait()
    stop.touch()
    for one in reading:
        one.wait()
    assert first is not None
    assert last is not None
    said = [json.loads(result.read_text()) for result in results]
    for line in {line for one in said for line in one["errors"]}:
        sys.stdout.write(f"{line}\n")
    return {
        "rows_per_second": (last[1] - first[1]) / (last[0] - first[0]),
        "historian_cpu_us_per_row": cpu / stored * 1e6,
        "historian_mib": memory / 2**20,
        "rows": stored,
        "reads": sum(one["reads"] for one in said),
        "reader_errors": sum(len(one["errors"]) for one in said),
        "reader_cpu_ms_per_read": 1e3 * float(np.mean([one["cpu"] for one in said])) if said else 0.0,
    }


@pytest.mark.benchmark
def test_eight_processes_read_while_a_historian_writes(past: Path) -> None:
    alone, beside = run(past, "alone", 0), run(past, "beside", READERS)
    for what, figures in (("alone", alone), (f"{READERS} readers", beside)):
        sys.stdout.write(
            json.dumps({"what": what, **{name: round(value, 2) for name, value in figures.items()}}) + "\n"
        )
    assert alone["rows"] == beside["rows"] == -(-ROWS // TRUCKS // 500) * 500 * TRUCKS
    assert beside["reader_errors"] == 0
    assert beside["reads"] > 0
