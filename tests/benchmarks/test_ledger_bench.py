"""How quickly rows become durable: the ledger beside DuckDB and Parquet, same rows, same run, batch by batch in turn.

Run with ``pytest -m benchmark -s tests/benchmarks/test_ledger_bench.py``; set ``TWINLAB_BENCH_OUT`` to a path for JSON.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twinlab.ledger import Ledger

pytestmark = pytest.mark.benchmark

TAGS = 5000
COLUMNS = ("tag", "source_time", "epoch", "sequence", "op", "value", "unit", "status")
KINDS = (("lat", "deg", 5, 52.0, 0.3), ("speed", "km/h", 1, 60.0, 20.0), ("temperature", "degC", 2, 4.0, 1.0), ("pressure", "hPa", 1, 1013.0, 8.0))  # fmt: skip
START = 1_767_225_600_000_000_000


def batches(rows: int, count: int, *, seed: int = 7) -> Iterator[pa.RecordBatch]:
    """Telemetry of 5,000 tags at 1 s with millisecond jitter; 1 % comes up to an hour late, 0.5 % twice."""
    rng = np.random.default_rng(seed)
    tags = [f"site{t % 50:02d}/unit{t // 50:03d}/{KINDS[t % 4][0]}" for t in range(TAGS)]
    units = [k[1] for k in KINDS]
    level = np.array([KINDS[t % 4][3] for t in range(TAGS)]) + rng.normal(0, 1, TAGS)
    wander = np.array([KINDS[t % 4][4] for t in range(TAGS)]) * 0.05
    digits = np.array([KINDS[t % 4][2] for t in range(TAGS)])
    place = 0
    for _ in range(count):
        sequence = np.arange(place, place + rows)
        tag = (sequence % TAGS).astype(np.int32)
        milliseconds = sequence // TAGS * 1000 + rng.integers(0, 200, rows)
        late = rng.random(rows) < 0.01
        milliseconds[late] -= rng.integers(60_000, 3_600_000, int(late.sum()))
        level[tag[:TAGS]] += rng.normal(0, wander)[tag[:TAGS]]
        scale = 10.0 ** digits[tag]
        value = np.rint((level[tag] + rng.normal(0, 1, rows) * wander[tag]) * scale) / scale
        twice = np.flatnonzero(rng.random(rows) < 0.005)
        source = np.maximum(twice - rng.integers(1, 500, len(twice)), 0)
        for column in (sequence, tag, milliseconds, value):
            column[twice] = column[source]
        status = np.where(rng.random(rows) < 0.002, 1, 0).astype(np.int32)
        place += rows
        yield pa.RecordBatch.from_arrays(
            [
                # A dictionary of its own for each batch, as a source's reader makes it.
                pa.DictionaryArray.from_arrays(pa.array(tag), pa.array(tags)),
                pa.array(START + milliseconds * 1_000_000),
                pa.array(np.full(rows, 3, dtype=np.int64)),
                pa.array(sequence),
                pa.array(np.zeros(rows, dtype=np.int8)),
                pa.array(value),
                pa.DictionaryArray.from_arrays(pa.array((tag % 4).astype(np.int32)), pa.array(units)),
                pa.array(status),
            ],
            names=list(COLUMNS),
        )


@dataclass
class Peer:
    """One way to keep rows: how to append, and what it holds in the end."""

    name: str
    append: Callable[[pa.RecordBatch], object]
    result: Callable[[], tuple[int, float, int]]
    """Rows, sum of values, sum of sequence."""
    folder: Path
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, batch: pa.RecordBatch) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.append(batch)
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)

    def size(self) -> int:
        return sum(p.stat().st_size for p in self.folder.rglob("*") if p.is_file())


def _ledger(folder: Path) -> Peer:
    ledger = Ledger(folder)
    writer = ledger.writer("telemetry")

    def result() -> tuple[int, float, int]:
        rows, total, sequence = 0, 0.0, 0
        for frame in ledger.reader("telemetry").frames():
            batch = frame.batch(columns=("value", "sequence"))
            rows += batch.num_rows
            total += float(np.rint(batch.column("value").to_numpy() * 1e5).sum())
            sequence += int(batch.column("sequence").to_numpy().sum())
        writer.close()
        return rows, total, sequence

    return Peer("ledger", writer.append_observations, result, folder)


def _duckdb(folder: Path, *, lean: bool) -> Peer:
    import duckdb

    folder.mkdir()
    path = folder / "o.db"
    connection = duckdb.connect(str(path))
    connection.execute("set threads = 2")
    text = "integer" if lean else "varchar"
    connection.execute(
        f"create table o (tag {text}, source_time bigint, epoch bigint, sequence bigint, op tinyint, value double,"
        f" unit {text}, status integer)"
    )

    def append(batch: pa.RecordBatch) -> None:
        if lean:  # a DuckDB whose user numbers tags and units himself
            columns = [c.indices if pa.types.is_dictionary(c.type) else c for c in batch.columns]
            batch = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        connection.register("b", pa.Table.from_batches([batch]))
        connection.execute("insert into o select * from b")  # commits, durable
        connection.unregister("b")

    def result() -> tuple[int, float, int]:
        found: Any = connection.execute(
            "select count(*), sum(round(value * 1e5)), sum(sequence)::bigint from o"
        ).fetchone()
        connection.execute("checkpoint")
        connection.close()
        return int(found[0]), float(found[1]), int(found[2])

    return Peer("duckdb, integer codes" if lean else "duckdb", append, result, folder)


def _parquet(folder: Path) -> Peer:
    folder.mkdir()
    made: list[Path] = []

    def append(batch: pa.RecordBatch) -> None:
        path = folder / f"{len(made):06d}.parquet"
        pq.write_table(pa.Table.from_batches([batch]), path, compression="zstd")
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        made.append(path)

    def result() -> tuple[int, float, int]:
        rows, total, sequence = 0, 0.0, 0
        for path in made:
            table = pq.read_table(path, columns=["value", "sequence"])
            rows += table.num_rows
            total += float(np.rint(table.column("value").to_numpy() * 1e5).sum())
            sequence += int(table.column("sequence").to_numpy().sum())
        return rows, total, sequence

    return Peer("parquet + fsync", append, result, folder)


@pytest.mark.parametrize(("rows", "count", "over_duckdb", "over_parquet"), [(10_000, 150, 3, 2), (100_000, 40, 8, 4)])
def test_durable_batches_beside_duckdb_and_parquet(
    tmp_path: Path, rows: int, count: int, over_duckdb: float, over_parquet: float, capsys: pytest.CaptureFixture[str]
) -> None:
    peers = [
        _ledger(tmp_path / "ledger"),
        _duckdb(tmp_path / "duckdb", lean=False),
        _duckdb(tmp_path / "lean", lean=True),
        _parquet(tmp_path / "parquet"),
    ]
    for number, batch in enumerate(batches(rows, count)):
        for turn in range(len(peers)):
            peers[(number + turn) % len(peers)].run(batch)
    results = [p.result() for p in peers]
    assert all(r == results[0] for r in results), results
    assert results[0][0] == rows * count
    medians = [float(np.median(p.wall)) for p in peers]
    table = [
        {
            "batch_rows": rows,
            "peer": p.name,
            "median_ms": m * 1e3,
            "mean_ms": float(np.mean(p.wall)) * 1e3,
            "cpu_median_ms": float(np.median(p.cpu)) * 1e3,
            "rows_per_s": rows / m,
            "bytes_per_row": p.size() / (rows * count),
            "ledger_is_faster": m / medians[0],
            "ledger_is_faster_in_total": sum(p.wall) / sum(peers[0].wall),
            "target": {"duckdb": over_duckdb, "parquet + fsync": over_parquet}.get(p.name),
        }
        for p, m in zip(peers, medians, strict=True)
    ]
    with capsys.disabled():
        _show(table)
    _keep(table)


def _show(table: list[dict[str, Any]]) -> None:
    lines = [f"\nbatches of {table[0]['batch_rows']:,} rows, durable, medians (checksums equal)"]
    for row in table:
        target = f"  (target {row['target']})" if row["target"] else ""
        lines.append(
            f"{row['peer']:24} {row['median_ms']:8.2f} ms (mean {row['mean_ms']:7.2f}, cpu {row['cpu_median_ms']:7.2f}) "
            f"{row['rows_per_s'] / 1e6:6.2f} M rows/s {row['bytes_per_row']:6.2f} B/row  ledger is "
            f"{row['ledger_is_faster']:5.2f} x as fast, {row['ledger_is_faster_in_total']:5.2f} x in total{target}"
        )
    os.write(1, ("\n".join(lines) + "\n").encode())


def _keep(table: list[dict[str, Any]]) -> None:
    out = os.environ.get("TWINLAB_BENCH_OUT")
    if out:
        path = Path(out)
        earlier = json.loads(path.read_text()) if path.exists() else []
        path.write_text(json.dumps([*earlier, *table], indent=1))
