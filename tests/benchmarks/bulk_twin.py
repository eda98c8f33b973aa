"""A twin of many rooms with one signal over a year at one minute, for the benchmarks of bulk work: gaps, late rows, repetitions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent))
from telemetry import observations

import twinlab as tl
from twinlab.ledger import Ledger

ROOMS = int(os.environ.get("TWINLAB_BENCH_ROOMS", "200"))
DAYS = int(os.environ.get("TWINLAB_BENCH_DAYS", "365"))
MINUTE = 60 * 10**9
ORIGIN = int(np.datetime64("2013-01-01", "ns").astype("int64"))
MODEL = """
twin: rooms
origin: 2013-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, sensor_span: [-60, 85], spike: [5, 20], cadence: 1min}
"""
MAPPING = """
source: sensors
stream:
  tags:
    '/^(?P<id>[0-9]+)[.]t$/': {signal: temperature, asset: 'room/{id}', unit: degC}
"""


def batches() -> Iterator[pa.RecordBatch]:
    """Yield a day's rows each: 3 % never arrive, 1 % arrive a day late, 0.5 % arrive twice, 0.05 % are absurd."""
    rng = np.random.default_rng(7)
    names = pa.array([f"{room}.t" for room in range(ROOMS)])
    level = rng.normal(20, 3, ROOMS)
    waiting: tuple[np.ndarray, ...] = (np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
    sequence = 0
    for day in range(DAYS):
        steps = rng.normal(0, 0.05, (1440, ROOMS)).cumsum(axis=0)
        level = level + steps[-1] * 0.5
        values = np.round(level + steps - 0.3 * (level - 20), 1)
        values[rng.random(values.shape) < 0.0005] += 100
        minute, room = np.nonzero(rng.random(values.shape) >= 0.03)
        at = ORIGIN + (day * 1440 + minute) * MINUTE + rng.integers(0, 20_000, len(room)) * 10**6
        rows = room.astype(np.int32), at, values[minute, room]
        late = rng.random(len(room)) < 0.01
        twice = rng.random(len(room)) < 0.005
        parts = [tuple(c[~late] for c in rows), tuple(c[twice & ~late] for c in rows), waiting]
        waiting = tuple(c[late] for c in rows)
        series, at, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        yield observations(names, series, at, value, np.arange(sequence, sequence + len(at)))
        sequence += len(at)


def build(folder: Path) -> Path:
    """Return the folder of the twin, which is built unless it is there already."""
    if not (folder / "rooms.done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "twin.yaml").write_text(MODEL)
        (folder / "sensors.yaml").write_text(MAPPING)
        twin = tl.create(folder / "rooms", model=folder / "twin.yaml", mappings=folder / "sensors.yaml")
        with Ledger(folder / "rooms" / "ledger").writer("sensors") as writer:
            for batch in batches():
                writer.append_observations(batch)
        twin.rebuild()
        (folder / "rooms.done").touch()
    return folder / "rooms"
