"""Sets in which assets have data at different times: cells that are built, files, bytes and processor time follow the rows.

TWINLAB_BENCH_OUT takes the figures as JSON.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

DAY = 24 * 60
MODEL = {
    "twin": "sparse",
    "origin": "2020-01-01",
    "asset_types": {
        "room": {
            "signals": {
                "inlet": {"unit": "degC", "resolution": 0.1, "cadence": "1min", "sensor_span": [-40, 85], "flat_line": "10min"},
                "outlet": {"unit": "degC", "resolution": 0.1, "cadence": "1min", "sensor_span": [-40, 85]},
                "door": {"kind": "state", "states": {0: "closed", 1: "open"}, "cadence": "1min"},
            }
        }
    },
}  # fmt: skip
MAPPING = {
    "source": "rooms",
    "tables": [
        {
            "time": {"column": "time", "format": "%Y-%m-%dT%H:%M:%S", "zone": "UTC"},
            "asset": {"type": "room", "column": "asset"},
            "columns": {
                "inlet": {"signal": "inlet", "unit": "degC"},
                "outlet": {"signal": "outlet", "unit": "degC"},
                "door": {"signal": "door", "states": {"0": "closed", "1": "open"}},
            },
        }
    ],
}
#: Name of a set -> (asset, days after the origin, days with a row a minute).
SETS = {
    "two weeks, and two weeks two years later": [(a, at, 14) for a in "ab" for at in (60, 790)],
    "400 assets, three days each in two years": [(f"p{n:03d}", 1.8 * n, 3) for n in range(400)],
    "a quarter of 16 assets for a month": [
        (f"r{n:02d}", 7.5 * n * (n % 4 == 0), 30 if n % 4 == 0 else 160) for n in range(16)
    ],
}


def table(rows: list[tuple[str, float, int]]) -> pd.DataFrame:
    rng, parts = np.random.default_rng(1), []
    for asset, at, days in rows:
        count = days * DAY
        times = pd.Timestamp("2020-01-01") + pd.Timedelta(days=at) + pd.to_timedelta(np.arange(count), "min")
        parts.append(
            pd.DataFrame(
                {
                    "time": times.strftime("%Y-%m-%dT%H:%M:%S"),
                    "asset": asset,
                    "inlet": rng.normal(20, 1, count).round(1),
                    "outlet": rng.normal(22, 1, count).round(1),
                    "door": rng.integers(0, 2, count),
                }
            )
        )
    return pd.concat(parts)


@pytest.mark.parametrize("name", SETS)
def test_time_and_storage_follow_the_rows(tmp_path: Path, name):
    root = tmp_path / "twin"
    (root / "mapping").mkdir(parents=True)
    (root / "twin.yaml").write_text(json.dumps(MODEL))
    (root / "mapping" / "rooms.yaml").write_text(json.dumps(MAPPING))
    rows = table(SETS[name])
    rows.to_csv(tmp_path / "rooms.csv", index=False)
    twin = tl.open(root)
    began = time.process_time()
    twin.ingest(tmp_path / "rooms.csv")
    ingested = time.process_time() - began
    files = [path.stat().st_size for path in (root / "history").rglob("*") if path.is_file()]
    began = time.process_time()
    report = twin.rebuild()
    rebuilt = time.process_time() - began
    began = time.process_time()
    weeks = twin.history("room", signals=["inlet"], step="1d").compute()
    read = time.process_time() - began
    note(
        f"sparse: {name}", rows=len(rows), cells=report.cells, files=len(files), bytes=sum(files),
        ingest_cpu=ingested, rebuild_cpu=rebuilt, daily_cpu=read,
    )  # fmt: skip
    assert int(weeks.inlet_count.sum()) == len(rows)
