"""Bulk work of `twin.export`, `twin.observations` and `twin.ingest`: processor time and peak memory, each in a process of its own.

``TWINLAB_BENCH_ROOMS`` (200) rooms over ``TWINLAB_BENCH_DAYS`` (365) days are 105 million cells; ``TWINLAB_BENCH_DIR`` keeps
the twin. ``TWINLAB_BENCH_CSV_ROWS`` (6 million) are the rows of a file that is sorted by tag. ``TWINLAB_BENCH_OUT`` takes the
figures as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from . import bulk_twin
from .test_files_bench import long
from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

CLOCK = """
import json, sys, time
import twinlab as tl
def clocked(work):
    began, cpu = time.perf_counter(), time.process_time()
    count = work()
    took = {"cpu": time.process_time() - cpu, "seconds": time.perf_counter() - began}
    status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
    print(json.dumps({**took, "count": count, "peak": int(status["VmHWM"].split()[0]) * 1024}))
"""
EXPORT = """
twin = tl.open(sys.argv[1])
twin.export("room", sys.argv[2] + "/warm" + sys.argv[3], stop="2013-01-02")
clocked(lambda: twin.export("room", sys.argv[2] + "/all" + sys.argv[3]) and 0)
"""
OBSERVATIONS = """
twin = tl.open(sys.argv[1])
twin.observations("room/3", "temperature", stop="2013-01-02")
clocked(lambda: len(twin.observations("room/7", "temperature", all=sys.argv[2] == "all")))
"""
INGEST = """
twin = tl.create(sys.argv[1] + "/twin", files=[sys.argv[2]])
clocked(lambda: twin.ingest(sys.argv[2]) and 0)
"""


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def run(code: str, *arguments: object) -> dict[str, float]:
    command = [sys.executable, "-c", CLOCK + code, *map(str, arguments)]
    found: dict[str, float] = json.loads(subprocess.check_output(command, text=True).strip().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return bulk_twin.build(Path(os.environ.get("TWINLAB_BENCH_DIR") or tmp_path_factory.mktemp("bulk")))


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".zarr"])
def test_export_of_a_year(folder, tmp_path, suffix):
    found = run(EXPORT, folder, tmp_path, suffix)
    cells = bulk_twin.ROOMS * bulk_twin.DAYS * 1440
    if suffix == ".parquet":
        assert pq.ParquetFile(tmp_path / "all.parquet").metadata.num_rows == cells
    figures = {**found, "cells": cells, "cells_per_cpu_second": cells / found["cpu"]}
    note(f"export{suffix}", **figures)
    say(f"export {suffix}: {cells / found['cpu'] / 1e6:.1f} M cells/s of CPU, peak {found['peak'] / 1e6:.0f} MB")


@pytest.mark.parametrize("which", ["each", "all"])
def test_observations_of_one_asset(folder, which):
    found = run(OBSERVATIONS, folder, which)
    assert found["count"] > bulk_twin.DAYS * 1440 * 0.96
    note(f"observations_{which}", **found)
    say(f"observations, {which}: {found['count']:,} rows, {found['cpu']:.2f} s of CPU")


def test_ingest_of_a_file_sorted_by_tag(tmp_path):
    rows = int(os.environ.get("TWINLAB_BENCH_CSV_ROWS", "6000000"))
    long(tmp_path / "given.csv", rows)
    found = run(INGEST, tmp_path, tmp_path / "given.csv")
    note("ingest_csv", rows=rows, **found)
    say(f"ingest of a file: {rows / found['cpu'] / 1e6:.2f} M rows/s of CPU, peak {found['peak'] / 1e6:.0f} MB")
