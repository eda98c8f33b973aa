"""What counters cost a catch-up: their tests look further around a cell than those of gauges do.

TWINLAB_BENCH_OUT takes the figures as JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

ASSETS, CATCH_UPS, ROWS = 50, 40, 50


def twin_of(root: Path, kind: str):
    """A twin of meters with one signal of a kind."""
    signal = {"kind": kind, "unit": "kWh", "resolution": 0.1, "cadence": "1min"}
    model = {"twin": "meters", "origin": "2024-01-01", "asset_types": {"meter": {"signals": {"energy": signal}}}}
    table = {
        "time": {"column": "time", "format": "%Y-%m-%dT%H:%M:%S", "zone": "UTC"},
        "asset": {"type": "meter", "column": "meter"},
        "columns": {"energy": {"signal": "energy", "unit": "kWh"}},
    }
    (root / "mapping").mkdir(parents=True)
    (root / "twin.yaml").write_text(json.dumps(model))
    (root / "mapping" / "meters.yaml").write_text(json.dumps({"source": "meters", "tables": [table]}))
    return tl.open(root)


def rows(first: int, count: int) -> pd.DataFrame:
    minute = np.repeat(np.arange(first, first + count), ASSETS)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(minute, "min")
    meters = [f"M{number:02d}" for number in range(ASSETS)] * count
    return pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M:%S"), "meter": meters, "energy": minute / 10})


def test_a_catch_up_of_counters_and_of_gauges(tmp_path: Path):
    taken = {}
    for kind in ("gauge", "counter"):
        twin, took = twin_of(tmp_path / kind, kind), []
        day, folder = 24 * 60, tmp_path / f"{kind}-files"
        folder.mkdir()
        rows(0, day).to_csv(folder / "meters.csv", index=False)
        twin.ingest(folder / "meters.csv")
        with twin.writer("meters") as writer:
            for number in range(CATCH_UPS):
                writer.append(rows(day + number, ROWS // ASSETS))
                began = time.process_time()
                writer.publish()
                took.append(time.process_time() - began)
        taken[kind] = statistics.median(took)
        assert int(twin.history("meter", step="1d").energy_count.sum()) == ASSETS * (day + CATCH_UPS)
    note("catch_up_50_rows", **taken)
