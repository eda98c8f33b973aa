"""Heavy calls on a Dask cluster whose workers have less memory than the data: peak memory of a worker, time, and the same results.

``python -m pytest tests/benchmarks/test_cluster_bench.py -m benchmark -s -n0``
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl

pytestmark = pytest.mark.benchmark

MODEL = """
twin: machines
origin: 2026-01-01
asset_types:
  machine:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 1s, gap: 10min, sensor_span: [-40, 90]}
kpis:
  warm: {on: machine, formula: time_share(temperature > 21 degC), unit: "%", period: 1h}
"""
MAPPING = """
source: log
tables:
  - time: {column: time, zone: UTC}
    asset: {type: machine, column: machine}
    columns:
      t: {signal: temperature, unit: degC}
"""
#: 121 million cells: 968 MB as float64.
MACHINES, DAYS = 200, 7
#: Libraries and compiled code take 400 MB of it.
LIMIT = 900 * 10**6


def show(text: str) -> None:
    """Write a line of the report."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def make(folder: Path) -> tl.Twin:
    """Return a twin of cells of a second with a report every minute: many cells of few rows."""
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "log.yaml").write_text(MAPPING)
    twin = tl.create(folder / "machines", model=folder / "twin.yaml", mappings=folder / "log.yaml")
    times = pd.date_range("2026-01-27", periods=DAYS * 1440, freq="1min")
    rng = np.random.default_rng(17)
    with twin.writer() as writer:
        for day in range(DAYS):
            mine = times[day * 1440 : (day + 1) * 1440]
            values = (
                20 + np.sin(np.arange(1440)[:, None] / 229 + np.arange(MACHINES)) + rng.normal(0, 0.2, (1440, MACHINES))
            )
            writer.append(
                pd.DataFrame(
                    {
                        "time": np.repeat(mine.strftime("%Y-%m-%dT%H:%M:%S").to_numpy(), MACHINES),
                        "machine": np.tile([f"M{number:03}" for number in range(MACHINES)], 1440),
                        "t": values.round(2).ravel(),
                    }
                )
            )
    twin.compact()
    return twin


def reset_peak() -> int:
    """Forget the peak of this process; return the bytes that it has now."""
    Path("/proc/self/clear_refs").write_text("5")
    return memory("VmRSS")


def peak() -> int:
    """Return the most bytes that this process had since `reset_peak`."""
    return memory("VmHWM")


def memory(name: str) -> int:
    """Return a line of the process's status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def test_workers_with_less_memory_than_the_data_give_the_same_results(tmp_path: Path) -> None:
    import distributed

    twin = make(tmp_path)
    calls: dict[str, Callable[..., Any]] = {
        "find": lambda **o: twin.find("temperature > 21.2 degC", on="machine", **o),
        "find, all cells": lambda **o: twin.find("mean(temperature) over 10min > 20.9 degC", on="machine", **o),
        "kpi": lambda **o: twin.kpi("warm", **o),
        "check": lambda **o: twin.check(**o).table,
        "export": lambda **o: exported(twin, tmp_path, **o),
        "rebuild": lambda **o: rebuilt(twin, **o),
    }
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with (
        distributed.LocalCluster(memory_limit=LIMIT, **options) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        pids = client.run(memory, "Pid")
        show(f"\n{MACHINES * DAYS * 86400 / 1e6:.0f} M cells; two workers of {LIMIT / 1e6:.0f} MB")
        show("call, seconds here, on two processes, MB of a worker before, at most")
        for name, call in calls.items():
            began = time.perf_counter()
            here = call()
            middle = time.perf_counter()
            before = max(client.run(reset_peak).values())
            there_began = time.perf_counter()
            there = call(client=client)
            ended = time.perf_counter()
            most = max(client.run(peak).values())
            show(
                f"{name}: {middle - began:.1f} s, {ended - there_began:.1f} s, {before / 1e6:.0f} MB, {most / 1e6:.0f} MB"
            )
            assert here.equals(there), name
        assert client.run(memory, "Pid") == pids, "a worker was ended for its memory"


def exported(twin: tl.Twin, folder: Path, **options: Any) -> pd.Series:
    """Return the digest of an export of two hours."""
    target = folder / "export.parquet"
    twin.export("machine", target, start="2026-01-29T03:00", stop="2026-01-29T09:00", **options)
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    target.unlink()
    return pd.Series([found])


def rebuilt(twin: tl.Twin, **options: Any) -> xr.Dataset:
    """Return daily values after a rebuild."""
    twin.rebuild(**options)
    return twin.history("machine", step="1d").load()
