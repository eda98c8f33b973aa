"""``twinlab fidelity``: a twin against the truth of a plant, as a table in the terminal and as a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.run.true_signals import true_signals
from twinlab.plant.run.truth import Truth

SIZE = ParcelSize(hubs=2, trucks=1, cold_rooms=2, forklifts=1, parcels_a_week=10, weeks=1, seed=5)
MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  cold_room:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 5min}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 5min}
      compressor: {kind: state, states: {0: "off", 1: "on"}, cadence: 5min}
  truck:
    signals: {latitude: {unit: degree, resolution: 0.00001}, longitude: {unit: degree, resolution: 0.00001},
              speed: {unit: km/h, resolution: 0.1}, odometer: {unit: km, resolution: 0.1}, fuel: {unit: L, resolution: 0.1}}
  forklift:
    signals: {battery: {unit: "%", resolution: 0.1}, load: {unit: kg, resolution: 1},
              mode: {kind: state, states: {0: idle, 1: driving, 2: charging}}}
"""
FEED = r"""
source: feed
stream:
  tags:
    '/^(?P<id>R\d+)[.]temperature$/': {signal: temperature, asset: 'cold_room/{id}', unit: degC}
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    """Return the folders of a twin of an hour of a plant, and of the plant; R02 is off by 1 K."""
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "feed.yaml").write_text(FEED)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")
    plant = Plant(SIZE)
    with Truth(tmp_path / "plant" / "truth") as truth:
        truth.record(plant, plant.advance(plant.time + 3600))
    rooms = true_signals(tmp_path / "plant")["cold_room"]
    with twin.writer() as writer:
        writer.append(
            pd.DataFrame({
                "tag": rooms["asset"] + ".temperature", "source_time": rooms["time"].dt.tz_localize("UTC"),
                "value": rooms["temperature"] + (rooms["asset"] == "R02"),
            })
        )  # fmt: skip
    return str(tmp_path / "twin"), str(tmp_path / "plant")


def test_the_table_has_errors_with_their_unit(
    folders: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin, plant = folders
    table = tmp_path / "fidelity.csv"
    assert (
        main(["fidelity", twin, "--truth", plant, "--by-asset", "--tolerance", "temperature=0.1", "--csv", str(table)])
        == 0
    )
    text = capsys.readouterr().out
    assert "degC" in text
    assert "battery" not in text  # no mapping has it
    found = pd.read_csv(table, index_col=["asset_type", "signal", "asset"]).loc["cold_room", "temperature"]
    assert found["wrong"].to_dict() == {"R01": 0.0, "R02": 1.0}
    assert found["bias"]["R02"] == pytest.approx(1, abs=0.005)
    assert found["tolerance"].tolist() == [0.1, 0.1]


def test_a_span_types_and_assets_are_chosen(
    folders: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    twin, plant = folders
    # One block of columns, however wide the terminal is.
    monkeypatch.setenv("COLUMNS", "1000")
    span = ["--since", f"{SIZE.start}T00:10Z", "--until", f"{SIZE.start}T00:30Z"]
    assert main(["fidelity", twin, "--truth", plant, "--types", "cold_room", "--assets", "R01", *span]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[2:5] == ["degC", "4", "4"]


def test_what_is_wrong_is_named(folders: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    twin, plant = folders
    for arguments, message in (
        (["--types", "cold_rooms"], "the truth has no asset type 'cold_rooms'; did you mean 'cold_room'?"),
        (["--tolerance", "temperature"], "expected a tolerance such as temperature=0.2, got 'temperature'"),
    ):
        assert main(["fidelity", twin, "--truth", plant, *arguments]) != 0
        assert message in capsys.readouterr().err
    assert main(["fidelity", twin, "--truth", twin]) != 0
    assert "expected the folder of a run of `twinlab plant run`" in capsys.readouterr().err
