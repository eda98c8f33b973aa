"""Drafting a twin from large files and from many: processor time and peak memory of `twinlab.create`, each in its own process.

TWINLAB_BENCH_OUT takes the figures as JSON; TWINLAB_BENCH_DRAFT_ROWS sets the rows of a large file (3 million) and
TWINLAB_BENCH_FILES the number of files of 20,000 rows (200). The peer, DuckDB's ``sniff_csv`` with the same number of
rows, detects only the dialect and the types of the columns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pytest

import twinlab as tl
from twinlab.harmonise.drafting.samples import rows_of_each

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

CREATE = """
import json, sys, time
from pathlib import Path
import twinlab as tl
tl.create(Path(sys.argv[1]) / "warm", files=[sys.argv[3]])
began, cpu = time.perf_counter(), time.process_time()
tl.create(Path(sys.argv[1]) / "made", files=[sys.argv[2]])
took = {"cpu": time.process_time() - cpu, "seconds": time.perf_counter() - began}
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps({**took, "peak": int(status["VmHWM"].split()[0]) * 1024}))
"""
SNIFF = """
import json, sys, time
from pathlib import Path
import duckdb
paths = sorted(Path(sys.argv[1]).iterdir()) if Path(sys.argv[1]).is_dir() else [Path(sys.argv[1])]
connection = duckdb.connect()
connection.execute(f"set threads = 1; from sniff_csv('{sys.argv[3]}')").fetchall()
began, cpu = time.perf_counter(), time.process_time()
for path in paths:
    connection.execute(f"from sniff_csv('{path}', sample_size = {sys.argv[2]})").fetchall()
print(json.dumps({"cpu": time.process_time() - cpu, "seconds": time.perf_counter() - began}))
"""


def clock(count: int, *, step: int = 60) -> pa.Array:
    """Texts of times, a minute apart."""
    start = int(np.datetime64("2023-01-01", "s").astype("int64"))
    return pc.strftime(pa.array(start + np.arange(count) * step, pa.timestamp("s")), format="%Y-%m-%d %H:%M:%S")


def wide(path: Path, rows: int, *, stations: int, seed: int = 0) -> None:
    """Write rows of time, station and four signals."""
    rng = np.random.default_rng(seed)
    columns = {"time": clock(rows // stations).take(pa.array(np.repeat(np.arange(rows // stations), stations)))}
    if stations > 1:
        names = pa.array([f"S{number:02d}" for number in range(stations)])
        columns["station"] = names.take(pa.array(np.tile(np.arange(stations), rows // stations)))
    for name, mean in (
        ("temperature (°C)", 10),
        ("humidity (%)", 60),
        ("wind speed (m/s)", 5),
        ("pressure (hPa)", 1010),
    ):
        columns[name] = pa.array(rng.normal(mean, 2, rows).round(1))
    pacsv.write_csv(pa.table(columns), path, pacsv.WriteOptions(quoting_style="none"))


def long(path: Path, rows: int) -> None:
    """Write rows of tag, time and value, sorted by tag."""
    tags, rng = [f"S{i:02d}.{q}" for i in range(50) for q in ("temp", "hum")], np.random.default_rng(0)
    each = rows // len(tags)
    table = pa.table(
        {
            "tag": pa.array(tags).take(pa.array(np.repeat(np.arange(len(tags)), each))),
            "time": clock(each).take(pa.array(np.tile(np.arange(each), len(tags)))),
            "value": rng.normal(10, 3, each * len(tags)).round(2),
        }
    )
    pacsv.write_csv(table, path, pacsv.WriteOptions(quoting_style="none"))


def run(code: str, *arguments: object) -> dict[str, float]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    found: dict[str, float] = json.loads(subprocess.check_output(command, text=True).strip().splitlines()[-1])
    return found


@pytest.mark.parametrize("what", ["wide", "long", "files"])
def test_drafting_large_files_and_many(tmp_path, what):
    pytest.importorskip("duckdb")
    rows, files = int(os.environ.get("TWINLAB_BENCH_DRAFT_ROWS", "3000000")), 1
    given = tmp_path / f"{what}.csv"
    if what == "wide":
        wide(given, rows, stations=10)
    elif what == "long":
        long(given, rows)
    else:
        rows, files, given = 20_000, int(os.environ.get("TWINLAB_BENCH_FILES", "200")), tmp_path / "files"
        given.mkdir()
        for number in range(files):
            wide(given / f"room_{chr(97 + number // 26)}{chr(97 + number % 26)}.csv", rows, stations=1, seed=number)
    small = tmp_path / "small.csv"
    wide(small, 100, stations=1)
    ours = run(CREATE, tmp_path, given, small)
    theirs = run(SNIFF, given, rows_of_each(files), small)
    note(f"draft_{what}", files=files, rows=rows, **ours, duckdb_sniff=theirs)
    # Files of one layout, named after rooms, are one source.
    (mapping,) = tl.open(tmp_path / "made").mappings.values()
    assert mapping.tables
