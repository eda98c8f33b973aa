"""Ledger append and history all the way, beside DuckDB's keyed upsert; and a rebuild's peak memory.

TWINLAB_BENCH_OUT takes the figures as JSON; TWINLAB_BENCH_SECONDS (of 5,000 series at 1 s) and TWINLAB_BENCH_DAYS (of
1,000 assets at 1 min; 365 is the issue's 525.6 M points) set the size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from twinlab.history.write.historian import Historian
from twinlab.ledger import Ledger
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

pytestmark = pytest.mark.benchmark

SIGNALS = {
    "latitude": ("degree", 1e-5, [-90, 90]),
    "longitude": ("degree", 1e-5, [-180, 180]),
    "speed": ("km/h", 0.1, [0, 200]),
    "temperature": ("degC", 0.1, [-40, 85]),
    "pressure": ("kPa", 0.01, [0, 1500]),
}
ASSETS = 1000
ORIGIN = int(np.datetime64("2025-01-01", "ns").astype("int64"))


def words(cadence: str, names: list[str]) -> tuple[TwinModel, Mapping]:
    signals = {
        n: {"unit": SIGNALS[n][0], "resolution": SIGNALS[n][1], "sensor_span": SIGNALS[n][2], "cadence": cadence}
        for n in names
    }
    if "temperature" in signals:
        signals["temperature"] |= {"spike": [5, 20]}
    tags = {f"/^(?P<id>[0-9]+)[.]{n}$/": {"signal": n, "asset": "truck/{id}", "unit": SIGNALS[n][0]} for n in names}
    model = TwinModel.model_validate(
        {"twin": "bench", "origin": "2025-01-01", "asset_types": {"truck": {"signals": signals}}}
    )
    return model, Mapping.model_validate({"source": "trucks", "stream": {"tags": tags}})


def stream(seconds: int) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows in order of arrival: 1 % late by up to five minutes, 0.5 % repeated."""
    rng = np.random.default_rng(7)
    names = [f"{a}.{n}" for a in range(ASSETS) for n in SIGNALS]
    count = len(names) * seconds
    values = np.cumsum(rng.normal(0, 0.3, (seconds, len(names))), axis=0).round(1).ravel()
    place = np.arange(count) + np.where(rng.random(count) < 0.01, rng.integers(0, 300 * len(names), count), 0)
    order = np.argsort(place, kind="stable")
    repeated = np.flatnonzero(rng.random(count) < 0.005)
    order = np.insert(order, repeated, order[repeated])
    return (
        names,
        (order % len(names)).astype(np.int32),
        ORIGIN + order // len(names) * 10**9,
        values[order],
        order.astype(np.int64),
    )


def batch(names: pa.Array, tag: np.ndarray, at: np.ndarray, value: np.ndarray, sequence: np.ndarray) -> pa.RecordBatch:
    zeros = np.zeros(len(tag), dtype=np.int64)
    basis = pa.DictionaryArray.from_arrays(pa.array(zeros.astype(np.int8)), pa.array(["utc"]))
    tags = pa.DictionaryArray.from_arrays(pa.array(tag), names)
    columns = [tags, pa.array(at), basis, pa.array(zeros), pa.array(sequence), pa.array(value)]
    return pa.RecordBatch.from_arrays(columns, names=["tag", "source_time", "time_basis", "epoch", "sequence", "value"])


@contextmanager
def clocked(cpu: dict[str, float], wall: dict[str, float], what: str) -> Iterator[None]:
    """Add the processor's and the clock's time that a block takes."""
    began, since = time.process_time(), time.perf_counter()
    yield
    cpu[what] += time.process_time() - began
    wall[what] += time.perf_counter() - since


def warm(folder: Path) -> None:
    """Load what is compiled once and for all."""
    names, tag, at, value, sequence = stream(8)
    model, mapping = words("1s", list(SIGNALS))
    ledger = Ledger(folder / "ledger")
    historian = Historian(folder, ledger, model, {"trucks": mapping})
    with ledger.writer("trucks") as writer:
        for part in (slice(0, 20_000), slice(20_000, None)):
            writer.append_observations(batch(pa.array(names), tag[part], at[part], value[part], sequence[part]))
            historian.catch_up()


def note(name: str, **figures: object) -> None:
    path = os.environ.get("TWINLAB_BENCH_OUT")
    if path:
        known = json.loads(Path(path).read_text()) if Path(path).exists() else {}
        Path(path).write_text(json.dumps({**known, name: figures}, indent=1))


@pytest.mark.parametrize("rows", [10_000, 100_000])
def test_ledger_and_history_beside_a_keyed_upsert(tmp_path, rows):
    duckdb = pytest.importorskip("duckdb")
    seconds = int(os.environ.get("TWINLAB_BENCH_SECONDS", "400"))
    names, tag, at, value, sequence = stream(seconds)
    model, mapping = words("1s", list(SIGNALS))
    warm(tmp_path / "warm")
    ledger = Ledger(tmp_path / "twin" / "ledger")
    historian = Historian(tmp_path / "twin", ledger, model, {"trucks": mapping})
    cpu, wall = {"ledger": 0.0, "history": 0.0, "duckdb": 0.0}, {"ledger": 0.0, "history": 0.0, "duckdb": 0.0}
    dictionary = pa.array(names)
    window = max(rows, min(len(tag) // 2, 3_000_000))
    connection = duckdb.connect(str(tmp_path / "duck.db"))
    connection.execute(
        "create table o (tag integer, moment bigint, sequence bigint, value double, primary key (tag, moment))"
    )
    peer_rows = min(len(tag), int(os.environ.get("TWINLAB_BENCH_PEER_ROWS", "300000")))
    with ledger.writer("trucks") as writer:
        for start in range(0, len(tag), rows):
            part = slice(start, start + rows)
            part_batch = batch(dictionary, tag[part], at[part], value[part], sequence[part])
            with clocked(cpu, wall, "ledger"):
                writer.append_observations(part_batch)
            if (start + rows) % window < rows or start + rows >= len(tag):
                with clocked(cpu, wall, "history"):
                    historian.catch_up()
            if start < peer_rows:
                table = pa.table(
                    {"tag": tag[part], "moment": at[part], "sequence": sequence[part], "value": value[part]}
                )
                connection.register("incoming", table)
                with clocked(cpu, wall, "duckdb"):
                    connection.execute(
                        "insert or replace into o "
                        "select tag, moment, max(sequence), arg_max(value, sequence) from incoming group by tag, moment"
                    )
    ours = len(tag) / (cpu["ledger"] + cpu["history"])
    theirs = -(-peer_rows // rows) * rows / cpu["duckdb"]
    note(
        f"ingest_{rows}",
        rows=len(tag),
        cpu=cpu,
        wall=wall,
        rows_per_cpu_second=ours,
        rows_per_second=len(tag) / (wall["ledger"] + wall["history"]),
        duckdb_upsert=theirs,
        times=ours / theirs,
    )
    # The same numbers: the last sequence of every tag and time.
    expected = dict(zip(zip(tag.tolist(), at.tolist(), strict=True), value.tolist(), strict=True))
    from twinlab.history.read.reader import HistoryReader

    shown = (
        HistoryReader(tmp_path / "twin", ledger, model, {"trucks": mapping})
        .history("truck", signals=["speed"])
        .speed.values
    )
    number = list(SIGNALS).index("speed")
    for asset in (0, 17, 999):
        tag_number = asset * len(SIGNALS) + number
        assert shown[100, asset] == pytest.approx(expected[tag_number, ORIGIN + 100 * 10**9], abs=0.051)


REBUILD = """
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_ingest_bench import words
from twinlab.history.write.historian import Historian
from twinlab.ledger import Ledger
model, mapping = words("1min", ["temperature"])
root = Path(sys.argv[2])
began, cpu = time.perf_counter(), time.process_time()
report = Historian(root, Ledger(root / "ledger"), model, {"trucks": mapping}).rebuild()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"cells": report.cells, "seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu, "peak": peak}))
"""


def test_rebuild_stays_within_two_gibibytes(tmp_path):
    days = int(os.environ.get("TWINLAB_BENCH_DAYS", "7"))
    names = pa.array([f"{a}.temperature" for a in range(ASSETS)])
    ledger, rng = Ledger(tmp_path / "ledger"), np.random.default_rng(1)
    level = np.full(ASSETS, 20.0)
    with ledger.writer("trucks") as writer:
        for start in range(0, days * 1440, 100):
            steps = rng.normal(0, 0.2, (100, ASSETS)).cumsum(axis=0) + level
            level = steps[-1]
            at = ORIGIN + (start + np.repeat(np.arange(100), ASSETS)) * 60 * 10**9
            order = start * ASSETS + np.arange(100 * ASSETS)
            writer.append_observations(
                batch(names, np.tile(np.arange(ASSETS, dtype=np.int32), 100), at, steps.round(1).ravel(), order)
            )
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", REBUILD, here, str(tmp_path)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    note("rebuild", days=days, **found)
    assert found["peak"] <= 2 * 2**30
