"""A twin of ten cold rooms for six weeks, with warm spells, failed values and a door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

MODEL = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    properties:
      upper_limit: {dtype: number, unit: degC}
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 5min, sensor_span: [-30, 60], gap: 30min}
      humidity: {unit: "%", resolution: 0.1, cadence: 5min, gap: 30min}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 5min, gap: 3h}
event_types:
  visit: {asset: room}
rules:
  too_warm: {on: room, when: temperature > 8 degC, lasting: 20min, severity: high}
  silent: {on: room, silent: 2h}
storage: {price: 2000 EUR/GB/month, archive_price: 200 EUR/GB/month}
"""
MAPPING = """
source: rooms
files: ["rooms*.csv"]
tables:
  - table: rooms
    time: {column: time, format: iso, zone: UTC}
    asset: {type: room, column: room}
    columns:
      t: {signal: temperature, unit: degC}
      h: {signal: humidity, unit: "%"}
      d: {signal: door, states: {"0": closed, "1": open}}
"""
ROOMS, DAYS = 10, 42


def rows(*, days: int = DAYS, rooms: int = ROOMS, first: str = "2026-01-01", seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time = pd.date_range(first, periods=days * 288, freq="5min")
    parts = []
    for room in range(rooms):
        hours = np.arange(len(time)) / 12
        warm = (
            5
            + 1.5 * np.sin(hours / 24 * 2 * np.pi + room)
            + np.convolve(rng.normal(0, 0.4, len(time)), np.ones(5) / 5, "same")
        )
        for at in rng.integers(100, len(time) - 100, days // 7):
            warm[at : at + 9] += 6
        warm[rng.integers(0, len(time), days // 10)] = 99
        part = pd.DataFrame({"time": time.strftime("%Y-%m-%dT%H:%M"), "room": f"R{room}", "t": warm.round(2)})
        part["h"] = (60 + 10 * np.cos(hours / 10 + room) + rng.normal(0, 1, len(time))).round(1)
        part["d"] = pd.Series((np.arange(len(time)) % 40 == 0).astype(int)).where(np.arange(len(time)) % 20 == 0)
        # Off for half a day.
        parts.append(part.drop(part.index[5000 + room * 10 : 5144 + room * 10]) if days > 20 else part)
    out = pd.concat(parts)
    out["d"] = out["d"].astype("Int64")
    return out


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cold")
    (folder / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (folder / "rooms.yaml").write_text(MAPPING, encoding="utf-8")
    rows().to_csv(folder / "rooms.csv", index=False)
    twin = tl.create(folder / "pilot", model=folder / "twin.yaml", mappings=folder / "rooms.yaml")
    twin.ingest(folder / "rooms.csv")
    twin.compact()
    return folder / "pilot"


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of the twin's folder, to be changed."""
    import shutil

    return Path(shutil.copytree(built, tmp_path / "pilot"))
