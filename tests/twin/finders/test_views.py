"""Events of finders on views: as known at some time, under another mapping; exported and explained."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import UnknownTermError

MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals: {temperature: {unit: degC, resolution: 0.1, cadence: 10min}}
event_types:
  visit: {}
events:
  warm: {on: room, when: temperature > 8 degC, gap: 20min, lasting: 20min}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature, unit: degC}}
"""


@pytest.fixture
def twin(tmp_path: Path) -> tl.Twin:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "feed.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=[tmp_path / "feed.yaml"])
    append(twin, "A", 12, [4, 9, 9, 4, 9, 4, 4])
    append(twin, "B", 12, [4, 50, 50, 50, 4, 4, 4])
    return twin


def append(twin: tl.Twin, room: str, hour: int, temperatures: list[float]) -> None:
    times = pd.date_range(f"2026-01-05T{hour}:00", periods=len(temperatures), freq="10min")
    with twin.writer("feed") as writer:
        writer.append(
            pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M"), "room": room, "temp": map(float, temperatures)})
        )


def test_a_view_finds_what_was_known_then(twin: tl.Twin) -> None:
    before = twin.events("warm")
    known = pd.Timestamp.now("UTC")
    append(twin, "A", 14, [9, 9, 9, 4])
    append(twin, "A", 12, [4, 4, 4, 4, 4])
    view = twin.as_of(known)
    pd.testing.assert_frame_equal(view.events("warm"), before)
    assert not twin.events("warm").equals(before)
    pd.testing.assert_frame_equal(twin.as_of(pd.Timestamp.now("UTC")).events("warm"), twin.events("warm"))
    assert view.events("warm", assets=["B"])["asset"].tolist() == ["B"]
    assert view.events("warm", start="2026-01-05T12:45")["asset"].tolist() == ["A"]
    assert len(view.events("visit")) == 0


def test_a_revision_finds_under_its_mapping(twin: tl.Twin, tmp_path: Path) -> None:
    assert twin.events("warm")["asset"].tolist() == ["A", "B"]
    fixed = "temp: [{signal: temperature, unit: degF, assets: [B]}, {signal: temperature, unit: degC}]"
    (tmp_path / "v2.yaml").write_text(MAPPING.replace("temp: {signal: temperature, unit: degC}", fixed))
    revision = twin.remap("feed", tmp_path / "v2.yaml")
    # 50 °F is 10 °C, 4 °F isn't warm.
    found = revision.events("warm")
    assert found["asset"].tolist() == ["A", "B"]
    assert found.loc[1, ["start", "end"]].astype(str).tolist() == ["2026-01-05 12:10:00", "2026-01-05 12:40:00"]
    (tmp_path / "v3.yaml").write_text(MAPPING.replace("unit: degC", "unit: degF"))
    assert twin.remap("feed", tmp_path / "v3.yaml").events("warm")["asset"].tolist() == ["B"]
    assert twin.events("warm")["asset"].tolist() == ["A", "B"]


def test_an_unknown_name_shows_the_nearest_finder(twin: tl.Twin) -> None:
    revised = twin.as_of(pd.Timestamp.now("UTC"))
    for read in (twin.events, revised.events):
        with pytest.raises(UnknownTermError, match="known event type or finder, got 'wram'; did you mean 'warm'"):
            read("wram")
    with pytest.raises(UnknownTermError, match="got the finder 'warm': twin.events"):
        twin.reader.events("warm")
    with pytest.raises(UnknownTermError, match="or finder 'wram'; did you mean 'warm'"):
        twin.export("wram", "x.csv")


def test_the_events_of_a_finder_are_exported(twin: tl.Twin, tmp_path: Path) -> None:
    written = pd.read_csv(twin.export("warm", tmp_path / "warm.csv", start="2026-01-05T12:45"))
    table = twin.events("warm", start="2026-01-05T12:45")
    assert written["event_id"].tolist() == table["event_id"].tolist() == ["warm/A/2026-01-05T12:10:00"]
    parquet = pd.read_parquet(twin.export("warm", tmp_path / "warm.parquet"))
    assert parquet["start"].tolist() == twin.events("warm")["start"].tolist()


def test_an_event_of_a_finder_is_explained_by_its_id(twin: tl.Twin) -> None:
    text = str(twin.why("warm/A/2026-01-05T12:10:00"))
    assert "temperature > 8 degC" in text
    assert "rows feed" in text
    with pytest.raises(UnknownTermError, match="expected a known event of the finder 'warm'"):
        twin.why("warm/C/2026-01-05T12:10:00")
