"""A small twin of fridges, of which one writes °F."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

MODEL = """\
twin: cold_chain
origin: 2026-01-01
asset_types:
  fridge:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h, sensor_span: [-60, 60], expected_span: [-5, 15]}
"""
MAPPING = """\
source: fridges
files: [fridges.csv]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: fridge, column: name}
    columns:
      temp: {signal: temperature, unit: degC}
"""


@pytest.fixture
def fridges(tmp_path):
    """Eight fridges, of which one writes °F."""
    rng = np.random.default_rng(1)
    times = pd.date_range("2026-01-05", periods=24 * 28, freq="1h")
    daily = 4 + np.sin(np.arange(len(times)) * 2 * np.pi / 24)
    parts = []
    for n in range(8):
        values = daily + rng.normal(0, 0.3, len(times))
        parts.append(
            pd.DataFrame({"time": times, "name": f"f{n}", "temp": (values * 1.8 + 32 if n == 3 else values).round(1)})
        )
    pd.concat(parts).to_csv(tmp_path / "fridges.csv", index=False)
    (tmp_path / "model.yaml").write_text(MODEL)
    (tmp_path / "fridges.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "model.yaml", mappings=tmp_path / "fridges.yaml")
    twin.ingest(tmp_path / "fridges.csv")
    return twin


@pytest.fixture
def drifting(tmp_path):
    """Eight fridges, of which one drifts by a degree a month from the tenth day on, and a rule that it breaks."""
    rng = np.random.default_rng(3)
    times = pd.date_range("2026-01-05", periods=24 * 60, freq="1h")
    daily = 4 + np.sin(np.arange(len(times)) * 2 * np.pi / 24)
    parts = []
    for n in range(8):
        values = daily + rng.normal(0, 0.1, len(times))
        if n == 5:
            values += np.maximum(np.arange(len(times)) - 240, 0) / 24 / 30
        parts.append(pd.DataFrame({"time": times, "name": f"f{n}", "temp": values.round(1)}))
    pd.concat(parts).to_csv(tmp_path / "fridges.csv", index=False)
    rule = "rules:\n  too_warm: {on: fridge, when: temperature > 6 degC, lasting: 2h, title: Too warm}\n"
    (tmp_path / "model.yaml").write_text(MODEL + rule)
    (tmp_path / "fridges.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "model.yaml", mappings=tmp_path / "fridges.yaml")
    twin.ingest(tmp_path / "fridges.csv")
    return twin
