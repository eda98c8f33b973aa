"""A small twin with three pumps whose current follows the pressure, learnt from and watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.predict.anomaly import Hysteresis

MODEL = """
twin: pumps
origin: 2026-01-01
asset_types:
  pump:
    signals:
      pressure: {unit: bar, resolution: 0.001, cadence: 1min}
      current: {unit: A, resolution: 0.001, cadence: 1min}
"""
FEED = """
source: feed
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: pump, column: pump}
    columns:
      pressure: {signal: pressure, unit: bar}
      current: {signal: current, unit: A}
live: {kind: replay, file: later.csv, rows: 30, rate: 4000, lateness: 10min}
"""
#: Rows that are learnt from, and those that come later, a minute apart.
USUAL, LATER = 900, 600
#: Rows after the usual ones in which the current of a pump is too high, by how much.
FAULTS = (("P1", 60, 110, 1.2), ("P2", 200, 260, 2.0), ("P0", 400, 430, 3.0))


def rows() -> pd.DataFrame:
    """All rows, with the faults, in order of time."""
    random = np.random.default_rng(5)
    count = USUAL + LATER
    pressure = 5 + random.normal(0, 0.3, (count, 3))
    current = 2 * pressure + random.normal(0, 0.05, (count, 3))
    for pump, first, last, more in FAULTS:
        current[USUAL + first : USUAL + last, int(pump[1])] += more
    time = np.datetime64("2026-03-01", "ns") + np.arange(count) * np.timedelta64(1, "m")
    return pd.DataFrame({
        "time": np.repeat(time, 3), "pump": np.tile(["P0", "P1", "P2"], count), "pressure": pressure.ravel().round(3),
        "current": current.ravel().round(3),
    })  # fmt: skip


def at(row: int) -> pd.Timestamp:
    """Time of a row after the usual ones."""
    return pd.Timestamp("2026-03-01") + pd.Timedelta(minutes=USUAL + row)


@pytest.fixture(scope="session")
def all_rows() -> pd.DataFrame:
    return rows()


@pytest.fixture
def pumps(tmp_path: Path, all_rows: pd.DataFrame) -> Callable[[], tl.Twin]:
    """Return a function that makes the twin with the usual rows, watched from their end on."""

    def made() -> tl.Twin:
        (tmp_path / "twin.yaml").write_text(MODEL)
        (tmp_path / "feed.yaml").write_text(FEED)
        twin = tl.create(tmp_path / "pumps", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")
        with twin.writer() as writer:
            writer.append(all_rows.iloc[: 3 * USUAL], table="readings")
        fitted = twin.fit_anomalies("pump", hysteresis=Hysteresis(begin=3, end=6), per_100_asset_weeks=0)
        twin.watch_anomalies("pump", fitted=fitted)
        return twin

    return made
