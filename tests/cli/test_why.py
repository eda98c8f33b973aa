"""What is behind a number is printed and drawn by the command line."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

import twinlab as tl
from twinlab.cli import main

MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    properties: {floor: {}}
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h}
kpis:
  cool: {on: room, owner: ops, formula: time_share(temperature <= 8 degC), unit: "%"}
"""
MAPPING = """source: log
files: ["log*.csv"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      temp: {signal: temperature, unit: degC}
"""


@pytest.fixture
def pilot(tmp_path: Path) -> Path:
    times = pd.date_range("2026-01-05", periods=48, freq="1h")
    pd.DataFrame({"time": times, "room": "A", "temp": range(48)}).to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "log.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "pilot", model=tmp_path / "twin.yaml", mappings=[tmp_path / "log.yaml"])
    twin.ingest(tmp_path / "log.csv")
    return tmp_path / "pilot"


def test_a_value_and_its_rollup_are_explained(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", str(pilot), "room/A", "temperature", "--at", "2026-01-05T07:30"]) == 0
    value = capsys.readouterr().out
    assert value.startswith("room/A temperature")
    assert "7 degC" in value
    assert "log.csv" in value
    assert main(["why", str(pilot), "room/A", "temperature", "--at", "2026-01-05T07:30", "--step", "1d"]) == 0
    assert "24 rows" in capsys.readouterr().out


def test_a_kpi_is_explained_and_drawn(pilot: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    svg = tmp_path / "why.svg"
    assert main(["why", str(pilot), "cool", "--at", "2026-01-05", "--step", "1d", "--svg", str(svg)]) == 0
    out = capsys.readouterr().out
    assert "37.5 %" in out
    assert f"wrote {svg}" in out
    drawn = ET.fromstring(svg.read_text(encoding="utf-8"))
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    assert any("log.csv" in (one.text or "") for one in drawn.iter())


def test_an_unknown_name_is_one_line(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", str(pilot), "room/A", "temprature", "--at", "2026-01-05"]) == 1
    assert "did you mean 'temperature'" in capsys.readouterr().err
    assert main(["why", str(pilot), "room/A", "temperature"]) == 1
    assert "expected an instant" in capsys.readouterr().err
