"""Twenty stored finders kept up to date with batches of 10,000 rows of which 1 % are late, beside searching everything again.

Run with ``pytest tests/benchmarks/test_finders_bench.py -m benchmark -s -n0``. Both give the same events, compared at the end.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

pytestmark = pytest.mark.benchmark
ROOMS = int(os.environ.get("TWINLAB_BENCH_ROOMS", "500"))
DAYS = int(os.environ.get("TWINLAB_BENCH_DAYS", "30"))
BATCH, LATE, ROUNDS = 10_000, 100, 7
BEGIN = np.datetime64("2026-01-05", "ns")
MINUTE = np.timedelta64(60, "s")
MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
      humidity: {unit: "%", resolution: 0.1, cadence: 1min}
events:
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature}, hum: {signal: humidity}}
"""
FINDERS = [f"temperature > {8 + k / 10:g} degC" for k in range(10)]
FINDERS += [f"mean(temperature) over {k} min > 8 degC and humidity > 70 %" for k in (5, 10, 15, 20, 30)]
FINDERS += [f"temperature > 8 degC for at least {k} min" for k in (5, 10, 15, 20, 30)]


def rows(cells: np.ndarray, rooms: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of some cells of some rooms: a wave with noise, so that each finder has events."""
    wave = 5 + 3 * np.sin(cells / 200 + rooms) + rng.normal(0, 0.5, len(cells))
    times = pd.DatetimeIndex(BEGIN + cells * MINUTE)
    names = np.array([f"R{one:03d}" for one in range(ROOMS)], dtype=object)[rooms]
    hum = 60 + 15 * np.sin(cells / 300) + rng.normal(0, 2, len(cells))
    return pd.DataFrame({"time": times, "room": names, "temp": wave.round(1), "hum": hum.round(1)})


def test_finders_are_kept_up_to_date(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    lines = "".join(f"  f{k}: {{on: room, when: '{text}', lasting: 2min}}\n" for k, text in enumerate(FINDERS))
    (tmp_path / "twin.yaml").write_text(MODEL + lines)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    cells = DAYS * 1440
    each = BATCH // ROOMS
    with twin.writer("feed") as writer:
        for first in range(0, cells, 1440):
            grid = np.repeat(np.arange(first, min(first + 1440, cells)), ROOMS)
            writer.append(rows(grid, np.tile(np.arange(ROOMS), len(grid) // ROOMS), rng))
        twin.update_events()
        seen, events_seen = [], 0
        for number in range(ROUNDS):
            new = np.repeat(np.arange(cells + number * each, cells + (number + 1) * each), ROOMS)
            rooms = np.tile(np.arange(ROOMS), each)
            late = rng.integers(0, cells, LATE)
            batch = pd.concat([rows(new, rooms, rng)[: BATCH - LATE], rows(late, rng.integers(0, ROOMS, LATE), rng)])
            writer.append(batch)
            began = time.process_time(), time.perf_counter()
            changes = twin.update_events()
            seen.append((time.process_time() - began[0], time.perf_counter() - began[1]))
            events_seen += sum(len(one) for one in changes.values())
    cpu, wall = np.median(seen[1:], axis=0) * 1e3
    began = time.process_time()
    anew = {name: tl.events.find(twin, one.when, on="room", lasting="2min") for name, one in twin.model.events.items()}
    again = (time.process_time() - began) * 1e3
    for name, found in anew.items():
        stored = twin.events(name)
        columns = ["asset", "start", "end"]
        pd.testing.assert_frame_equal(stored[columns], found[columns], check_dtype=False)
    total = sum(len(one) for one in anew.values())
    sys.stdout.write(
        f"\n{ROOMS} rooms, {DAYS} days, {len(FINDERS)} finders, {total:,} events; {BATCH:,} rows with {LATE} late ones\n"
        f"update {cpu:.0f} ms CPU, {wall:.0f} ms; all searched again {again:.0f} ms CPU: {again / cpu:.0f} x; "
        f"{events_seen:,} changes\n"
    )
