"""Small twins that several tests of the façade use."""

from collections.abc import Callable
from pathlib import Path

import pytest

import twinlab as tl

MODEL = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h}
      door: {kind: state, cadence: 1h, states: {0: closed, 1: open}}
event_types:
  visit: {}
rules:
  warm: {on: room, when: temperature > 8 degC}
"""
MAPPING = """
source: log
files: ["log*.csv"]
tables:
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns: {t: {signal: temperature, unit: degC}}
"""


@pytest.fixture
def cold_rooms(tmp_path: Path) -> Callable[..., tl.Twin]:
    """Return a function that makes a twin of some rooms with an hourly temperature on 2026-01-05."""

    def made(*rooms: str, value: Callable[[int], float]) -> tl.Twin:
        (tmp_path / "twin.yaml").write_text(MODEL)
        (tmp_path / "log.yaml").write_text(MAPPING)
        rows = [f"2026-01-05 {hour:02}:00,{room},{value(hour)}" for hour in range(24) for room in rooms]
        (tmp_path / "log.csv").write_text("time,room,t\n" + "\n".join(rows) + "\n")
        twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "log.yaml")
        twin.ingest(tmp_path / "log.csv")
        return twin

    return made
