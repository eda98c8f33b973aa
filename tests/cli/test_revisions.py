"""A mapping is tried, compared, promoted, taken back and discarded from the command line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.cli import main

MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h}
rules:
  warm: {on: room, when: temperature > 8 degC}
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
    parts = [pd.DataFrame({"time": times, "room": room, "temp": np.linspace(3, 5, 48).round(1)}) for room in "AB"]
    parts[1]["temp"] = (parts[1]["temp"] * 1.8 + 32).round(1)
    pd.concat(parts).to_csv(tmp_path / "log.csv", index=False)
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "log.yaml").write_text(MAPPING)
    fixed = "temp: [{signal: temperature, unit: degF, assets: [B]}, {signal: temperature, unit: degC}]"
    (tmp_path / "v2.yaml").write_text(MAPPING.replace("temp: {signal: temperature, unit: degC}", fixed))
    twin = tl.create(tmp_path / "pilot", model=tmp_path / "twin.yaml", mappings=[tmp_path / "log.yaml"])
    twin.ingest(tmp_path / "log.csv")
    return tmp_path / "pilot"


def said(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    """Run the command and return what it prints."""
    assert main([str(one) for one in arguments]) == code
    done = capsys.readouterr()
    return done.out if code == 0 else done.err


def test_a_mapping_is_tried_promoted_and_taken_back(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "remap", pilot, "log", pilot.parent / "v2.yaml", "--author", "ada", "--reason", "B is in °F")
    assert "room.temperature: 48 cells of 1 asset, mean" in text
    assert "  room.temperature: B" in text
    assert "vanished warm B  2026-01-05 00:00" in text
    assert f"nobody else sees it yet: twinlab promote {pilot} log-" in text
    name = next(line for line in text.splitlines() if line.startswith("nobody")).split()[-1]
    listed = said(capsys, "revisions", pilot)
    assert f"{name}  open  the mapping of 'log'" in listed
    assert "by ada: B is in °F" in listed
    assert "48 cells of 1 asset" in said(capsys, "revisions", pilot, name)

    assert f"promoted {name}" in said(capsys, "promote", pilot, "--author", "eva", "--reason", "checked")
    assert float(tl.open(pilot).history("room", assets=["B"]).temperature.max()) < 6
    listed = said(capsys, "revisions", pilot)
    assert f"{name}  promoted" in listed
    assert "by eva: checked" in listed
    assert f"takes back {name}" in said(capsys, "rollback", pilot)
    assert float(tl.open(pilot).history("room", assets=["B"]).temperature.max()) > 30


def test_a_revision_is_discarded_and_without_an_open_one_there_is_nothing_to_decide(
    pilot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, "revisions", pilot) == "no revisions; twinlab remap makes one\n"
    assert "expected one open revision, got none" in said(capsys, "promote", pilot, code=1)
    said(capsys, "remap", pilot, "log", pilot.parent / "v2.yaml")
    said(capsys, "remap", pilot, "log", pilot.parent / "v2.yaml")
    error = said(capsys, "discard", pilot, code=1)
    assert "name one of them" in error
    for name in tl.open(pilot).revisions()["revision"]:
        assert said(capsys, "discard", pilot, name) == f"discarded {name}\n"
    assert set(tl.open(pilot).revisions()["state"]) == {"discarded"}


def test_a_mapping_that_changes_nothing_is_one_line(pilot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = said(capsys, "remap", pilot, "log", pilot.parent / "log.yaml", code=1)
    assert "means the same" in error
    assert "did you mean 'log'" in said(capsys, "remap", pilot, "lag", pilot.parent / "v2.yaml", code=1)
