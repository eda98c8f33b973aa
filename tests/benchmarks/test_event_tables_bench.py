"""Tables of events: what sparse ones take, what a small publication costs, and one day out of a year, beside DuckDB.

Run with ``pytest tests/benchmarks/test_event_tables_bench.py -m benchmark -s -n0``. ``TWINLAB_BENCH_OUT`` takes JSON.
Times are CPU seconds of this process, as medians. Figures are reported, never asserted; what is asserted is that both
sides return the same rows.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twinlab.history.read.reader import HistoryReader
from twinlab.history.write.historian import Historian
from twinlab.ledger import Ledger
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

pytestmark = pytest.mark.benchmark
ROWS: list[dict[str, object]] = []
DAY = 86_400 * 10**9
ORIGIN = int(np.datetime64("2014-01-01", "ns").astype("int64"))
PROPERTIES = {"number": "integer", "distance": "number", "carrier": "text", "reason": "text"}


class Desk:
    """A twin whose only data are events, of one or several types."""

    def __init__(self, root: Path, types: int = 1) -> None:
        self.names = [f"leg{n}" for n in range(types)]
        event = {
            "asset": "truck",
            "links": {"hub": "hub"},
            "properties": {n: {"dtype": d} for n, d in PROPERTIES.items()},
        }
        model = {
            "twin": "desk",
            "origin": "2014-01-01",
            "asset_types": {"truck": {}, "hub": {}},
            "event_types": dict.fromkeys(self.names, event),
        }
        times = {n: {"column": n, "zone": "UTC"} for n in ("start", "end", "planned_start", "planned_end")}
        rule = {"key": ["id"], "asset": {"type": "truck", "column": "truck"}, "links": {"hub": "hub"}, **times}
        rule["properties"] = {n: n for n in PROPERTIES}
        tables = [{"table": n, "events": [{"type": n, **rule}]} for n in self.names]
        self.root, self.ledger = root, Ledger(root / "ledger")
        self.model = TwinModel.model_validate(model)
        self.mappings = {"desk": Mapping.model_validate({"source": "desk", "tables": tables})}
        self.historian = Historian(root, self.ledger, self.model, self.mappings)

    def append(self, rows: pa.RecordBatch, name: str = "leg0") -> None:
        with self.ledger.writer("desk") as writer:
            writer.append_records(name, rows)

    def reader(self) -> HistoryReader:
        return HistoryReader(self.root, self.ledger, self.model, self.mappings)

    def size(self) -> tuple[int, int]:
        """Return the number of files of the history and their bytes."""
        files = [path for path in (self.root / "history").rglob("*") if path.is_file()]
        return len(files), sum(path.stat().st_size for path in files)


def legs(numbers: np.ndarray, start: np.ndarray, *, shift: int = 0, seed: int = 1) -> pa.RecordBatch:
    """Return the rows of legs; a twentieth has no actual times."""
    rng = np.random.default_rng(seed)
    n = len(numbers)
    went = rng.random(n) > 0.05
    long = rng.integers(20, 400, n) * 60 * 10**9

    def texts(at: np.ndarray, keep: np.ndarray | None = None) -> pa.Array:
        found = np.datetime_as_string(at.astype("datetime64[ns]"), unit="s").astype(object)
        return pa.array(found if keep is None else np.where(keep, found, None), pa.string())

    def words(prefix: str, count: int) -> pa.Array:
        return pa.array([f"{prefix}{k}" for k in rng.integers(0, count, n)], pa.string())

    return pa.RecordBatch.from_pydict(
        {
            "id": pa.array([f"leg-{k}" for k in numbers], pa.string()),
            "truck": words("T", 4000),
            "hub": words("H", 100),
            "start": texts(start + shift, went),
            "end": texts(start + shift + long, went),
            "planned_start": texts(start),
            "planned_end": texts(start + long),
            "number": pa.array(rng.integers(1, 9000, n)),
            "distance": pa.array(rng.integers(10, 3000, n) / 2),
            "carrier": words("C", 16),
            "reason": words("reason ", 12),
        }
    )


def cpu(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    found = act()
    return time.process_time() - began, found


def say(row: str, **figures: object) -> None:
    entry = {"row": row, **figures, "load": round(os.getloadavg()[0], 1)}
    ROWS.append(entry)
    sys.stdout.write("\n" + "  ".join(f"{name}={value}" for name, value in entry.items()) + "\n")
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps(ROWS, indent=1))


@pytest.mark.parametrize("types", [1, 40])
def test_five_thousand_events_of_ten_years(tmp_path: Path, types: int) -> None:
    desk = Desk(tmp_path, types)
    rng = np.random.default_rng(7)
    each = 5000 // types
    for name in desk.names:
        desk.append(legs(np.arange(each), ORIGIN + np.sort(rng.integers(0, 3652 * DAY, each))), name)
    seconds, _ = cpu(desk.historian.catch_up)
    files, size = desk.size()
    read, frame = cpu(lambda: desk.reader().events("leg0"))
    assert len(frame) == each
    say(
        f"5,000 events of ten years, {types} event types", files=files, kB=size // 1000,
        build_s=round(seconds, 2), read_first_ms=round(read * 1e3),
    )  # fmt: skip


def year(desk: Desk, rows: int) -> np.ndarray:
    """Append a year of events; return their starts."""
    start = ORIGIN + np.sort(np.random.default_rng(3).integers(0, 365 * DAY // 60_000_000_000, rows)) * 60_000_000_000
    for low in range(0, rows, 100_000):
        numbers = np.arange(low, min(low + 100_000, rows))
        desk.append(legs(numbers, start[numbers], seed=low))
    return start


def test_small_publications_and_one_day_of_a_year(tmp_path: Path) -> None:
    desk, total = Desk(tmp_path), 336_776
    start = year(desk, total)
    seconds, _ = cpu(desk.historian.catch_up)
    files, size = desk.size()
    say("336,776 events of a year: built", files=files, MB=round(size / 1e6, 1), build_s=round(seconds, 1))
    read_cost(desk)
    rng = np.random.default_rng(5)
    for what, low in (("of the last day", total - 900), ("of the whole year", 0)):
        costs, before = [], desk.size()
        for turn in range(40):
            numbers = np.unique(rng.integers(low, total, 50))
            desk.append(legs(numbers, start[numbers], shift=turn * 60 * 10**9, seed=turn))
            costs.append(cpu(desk.historian.catch_up)[0])
        after = desk.size()
        say(
            f"a publication of 50 changed events {what}", cpu_ms=round(float(np.median(costs)) * 1e3),
            most_ms=round(max(costs) * 1e3), kB=round((after[1] - before[1]) / 40_000, 1),
            files=round((after[0] - before[0]) / 40, 1),
        )  # fmt: skip
    read_cost(desk)


def read_cost(desk: Desk) -> None:
    """Report one day and all events, and the same rows by DuckDB from a table sorted by start, and from Parquet."""
    import duckdb

    reader = desk.reader()
    frame = reader.events("leg0")
    pq.write_table(pa.Table.from_pandas(frame), desk.root / "legs.parquet", row_group_size=16_384, compression="zstd")
    base = duckdb.connect(config={"threads": 2})
    base.execute(f"create table legs as select * from '{desk.root / 'legs.parquet'}'")
    where = """where coalesce("start", planned_start, "end", planned_end) < ?
        and (coalesce("end", planned_end, "start", planned_start) > ?
        or coalesce("start", planned_start, "end", planned_end) >= ?)"""
    days = pd.Timestamp("2014-01-01") + pd.to_timedelta(np.random.default_rng(2).integers(0, 365, 15), unit="D")

    def peer(source: str, day: pd.Timestamp) -> pd.DataFrame:
        return base.execute(f"select * from {source} {where}", [day + pd.Timedelta("1D"), day, day]).df()

    def checksum(found: pd.DataFrame) -> tuple[int, int, float]:
        numbers = found["event_id"].str.slice(4).astype("int64")
        return len(found), int(numbers.sum()), float(found["distance"].sum())

    ways: dict[str, Callable[[pd.Timestamp], pd.DataFrame]] = {
        "twinlab": lambda day: reader.events("leg0", start=day, stop=day + pd.Timedelta("1D")),
        "duckdb": lambda day: peer("legs", day),
        "duckdb_parquet": lambda day: peer(f"'{desk.root / 'legs.parquet'}'", day),
    }
    sums, medians = {}, {}
    for name, ask in ways.items():
        ask(days[0])
        costs = [cpu(partial(ask, day)) for day in days]
        medians[f"{name}_ms"] = round(float(np.median([cost for cost, _ in costs])) * 1e3, 1)
        sums[name] = [checksum(found) for _, found in costs]
    assert sums["twinlab"] == sums["duckdb"] == sums["duckdb_parquet"]
    say("one day of the year, medians", rows=sums["twinlab"][0][0], **medians)
    say("all events of the year", twinlab_ms=round(cpu(lambda: reader.events("leg0"))[0] * 1e3))
