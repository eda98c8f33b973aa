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

sys.path.insert(0, str(Path(__file__).parent))
from telemetry import observations

import twinlab as tl
from twinlab.history.write.historian import Historian
from twinlab.ledger import Ledger
from twinlab.model.load import dump_mapping, dump_model
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
            writer.append_observations(observations(pa.array(names), tag[part], at[part], value[part], sequence[part]))
            historian.catch_up()


def note(name: str, **figures: object) -> None:
    path = os.environ.get("TWINLAB_BENCH_OUT")
    if path:
        known = json.loads(Path(path).read_text()) if Path(path).exists() else {}
        Path(path).write_text(json.dumps({**known, name: figures}, indent=1))


#: Steps of rollups that both keep for a signal of one second.
STEPS = {"1min": 60, "15min": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}


class Upsert:
    """DuckDB with a keyed table: each batch replaces rows of the same tag and time."""

    def __init__(self, path: Path) -> None:
        import duckdb

        self.connection = duckdb.connect(str(path), config={"threads": 2})
        self.connection.execute(
            "create table o (tag integer, moment bigint, sequence bigint, value double, primary key (tag, moment))"
        )

    def append(self, rows: pa.Table) -> None:
        """Take in one batch, durably."""
        self.connection.register("incoming", rows)
        self.connection.execute(
            "insert or replace into o select tag, moment, max(sequence), arg_max(value, sequence) from incoming group by all"
        )

    def publish(self) -> None:
        """Nothing is left to do."""


class Staged:
    """DuckDB as an expert would run it: batches go to a staging table, and are published from there in bulk.

    Publication removes duplicates, adds the new rows with a flag (the sensor's span only, no spikes), and adds their counts,
    sums, minima and maxima to five rollups. It's right for this stream, in which a repeated row never has another value.
    """

    def __init__(self, path: Path) -> None:
        import duckdb

        self.connection = duckdb.connect(str(path), config={"threads": 2})
        run = self.connection.execute
        run("create table staging (tag integer, moment bigint, sequence bigint, value double)")
        run("create table o (tag integer, moment bigint, value double, flag utinyint)")
        run("create table span (tag integer primary key, low double, high double)")
        spans = [
            (a * len(SIGNALS) + n, *span) for a in range(ASSETS) for n, (_, _, span) in enumerate(SIGNALS.values())
        ]
        self.connection.register(
            "spans", pa.table(dict(zip(("tag", "low", "high"), zip(*spans, strict=True), strict=True)))
        )
        run("insert into span select * from spans")
        for step in STEPS:
            run(
                f"create table r_{step} (tag integer, w bigint, n bigint, total double, low double, high double, "
                "primary key (tag, w))"
            )

    def append(self, rows: pa.Table) -> None:
        """Take in one batch, durably."""
        self.connection.register("incoming", rows)
        self.connection.execute("insert into staging select tag, moment, sequence, value from incoming")

    def publish(self) -> None:
        """Move what is staged to the table and the rollups, in one transaction."""
        run = self.connection.execute
        run("begin")
        run(
            "create or replace temp table fresh as "
            "select s.tag, s.moment, s.value, if(s.value between span.low and span.high, 1, 4)::utinyint flag "
            "from (select tag, moment, arg_max(value, sequence) as value from staging group by all) s join span using (tag)"
        )
        (low, high) = run("select min(moment), max(moment) from fresh").fetchone()
        run(
            f"delete from fresh using o where o.moment between {low} and {high} and o.tag = fresh.tag and o.moment = fresh.moment"
        )
        run("insert into o select * from fresh")
        for step, seconds in STEPS.items():
            run(
                f"insert into r_{step} select tag, moment // {seconds * 10**9}, count(*), sum(value), min(value), max(value) "
                "from fresh where flag <> 4 group by all on conflict do update set n = n + excluded.n, "
                "total = total + excluded.total, low = least(low, excluded.low), high = greatest(high, excluded.high)"
            )
        run("truncate staging")
        run("commit")


@pytest.mark.parametrize("rows", [10_000, 100_000])
def test_ingest_beside_duckdb(tmp_path: Path, rows: int) -> None:
    """Batches until they're flagged and rolled up, through ``twin.writer().append``; peers publish whenever the twin does."""
    pytest.importorskip("duckdb")
    seconds = int(os.environ.get("TWINLAB_BENCH_SECONDS", "400"))
    names, tag, at, value, sequence = stream(seconds)
    model, mapping = words("1s", list(SIGNALS))
    (tmp_path / "twin.yaml").write_text(dump_model(model))
    (tmp_path / "trucks.yaml").write_text(dump_mapping(mapping))
    warm(tmp_path / "warm")
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "trucks.yaml")
    peers = {"upsert": Upsert(tmp_path / "upsert.db"), "staged": Staged(tmp_path / "staged.db")}
    cpu, wall = dict.fromkeys(("twin", *peers), 0.0), dict.fromkeys(("twin", *peers), 0.0)
    dictionary, peer_rows, publications = pa.array(names), 0, 0
    wanted = int(os.environ.get("TWINLAB_BENCH_PEER_ROWS", str(len(tag))))
    writer = twin.writer()
    for start in range(0, len(tag), rows):
        part = slice(start, start + rows)
        columns = observations(dictionary, tag[part], at[part], value[part], sequence[part])
        with clocked(cpu, wall, "twin"):
            writer.append(columns)
            if start + rows >= len(tag):
                writer.close()
        due = not writer._waiting
        publications += due
        plain = pa.table({"tag": tag[part], "moment": at[part], "sequence": sequence[part], "value": value[part]})
        for name, peer in peers.items() if start < wanted else ():
            with clocked(cpu, wall, name):
                peer.append(plain)
                if due:
                    peer.publish()
        peer_rows = min(len(tag), start + rows) if start < wanted else peer_rows
    done = {"twin": len(tag), "upsert": peer_rows, "staged": peer_rows}
    rates = {name: done[name] / cpu[name] for name in done}
    figures = {
        "rows_per_cpu_second": {name: round(rate) for name, rate in rates.items()},
        "rows_per_second": {name: round(done[name] / wall[name]) for name in done},
        "times": {name: round(rates["twin"] / rates[name], 2) for name in peers},
    }
    note(f"ingest_{rows}", rows=len(tag), publications=publications, **figures)
    # The same numbers: values of all, and of those in span the counts of a day.
    found = twin.history("truck", signals=list(SIGNALS))
    numbers = {name: found[name].values for name in SIGNALS}
    ours = (
        sum(int(np.isfinite(part).sum()) for part in numbers.values()),
        sum(float(np.nansum(part)) for part in numbers.values()),
    )
    if peer_rows == len(tag):
        for peer in peers.values():
            count, total = peer.connection.execute("select count(*), sum(value) from o").fetchone()
            assert count == ours[0]
            assert total == pytest.approx(ours[1], rel=1e-9)


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
                observations(names, np.tile(np.arange(ASSETS, dtype=np.int32), 100), at, steps.round(1).ravel(), order)
            )
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", REBUILD, here, str(tmp_path)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout.strip().splitlines()[-1])
    note("rebuild", days=days, **found)
    assert found["peak"] <= 2 * 2**30
