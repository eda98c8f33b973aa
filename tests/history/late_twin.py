"""A twin whose rows are published, and late rows for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import twinlab as tl

ROOMS, CELLS = 20, 3000
MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min, sensor_span: [-40, 60], spike: [3, 9]}
      power: {unit: kW, resolution: 0.01, cadence: 1min, flat_line: 4min}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature}, power: {signal: power}}
"""


def rows(cells: np.ndarray, rooms: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of cells, by number of the minute on 5 January, and of rooms."""
    times = pd.Timestamp("2026-01-05") + pd.to_timedelta(cells, "min")
    names = np.array([f"R{one:02}" for one in range(ROOMS)], dtype=object)[rooms]
    temp = rng.choice([2.0, 4.0, 9.0, 99.0, np.nan], len(cells))
    return pd.DataFrame({"time": times, "room": names, "temp": temp, "power": rng.choice([1.0, 2.0], len(cells))})


def late_rows(rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of some cells, some of them close to each other, and some of the first and the newest ones."""
    near = rng.integers(0, CELLS - 20) + rng.integers(0, 20, 8)
    cells = np.concatenate([rng.integers(0, CELLS, 20), near, [0, 1, CELLS - 1]])
    rooms = np.concatenate([rng.integers(0, ROOMS, 20), np.repeat(rng.integers(0, ROOMS), 8), [3, 3, 5]])
    # Two rows of one instant would contradict each other.
    return rows(*np.unique(np.stack([cells, rooms]), axis=1), rng)


def published_twin(folder: Path, *, model: str = MODEL) -> tl.Twin:
    """Return a twin with rows of nine in ten of its cells."""
    (folder / "twin.yaml").write_text(model)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    rng = np.random.default_rng(1)
    cells, rooms = (one.ravel() for one in np.meshgrid(np.arange(CELLS), np.arange(ROOMS), indexing="ij"))
    kept = rng.random(len(cells)) < 0.9
    with twin.writer("feed") as writer:
        writer.append(rows(cells[kept], rooms[kept], rng))
    return twin
