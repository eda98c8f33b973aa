"""A twin and the views of one find events."""

from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl

MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    signals: {warmth: {unit: degC, resolution: 0.1, cadence: 10min}}
"""
MAPPING = """
source: log
files: ["log*.csv"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: room, id: A}
    columns: {warmth: {signal: warmth, unit: degC}}
"""


@pytest.fixture
def twin(tmp_path: Path) -> tl.Twin:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "log.yaml").write_text(MAPPING)
    (tmp_path / "log1.csv").write_text("time,warmth\n2026-01-05 00:00,9\n2026-01-05 00:10,5\n")
    made = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "log.yaml")
    made.ingest(tmp_path / "log1.csv")
    return made


def test_views_find_what_they_see(twin: tl.Twin, tmp_path: Path) -> None:
    known = pd.Timestamp.now("UTC")
    (tmp_path / "log2.csv").write_text("time,warmth\n2026-01-05 00:20,9\n2026-01-05 00:30,5\n")
    twin.ingest(tmp_path / "log2.csv")
    revision = twin.remap("log", MAPPING.replace("unit: degC}", "unit: degF}"))
    starts = [each.find("room.warmth > 8 degC")["start"].tolist() for each in (twin, twin.as_of(known), revision)]
    first, second = pd.Timestamp("2026-01-05 00:00"), pd.Timestamp("2026-01-05 00:20")
    # 9 °F aren't warm.
    assert starts == [[first, second], [first], []]
    pd.testing.assert_frame_equal(
        twin.find("warmth > 8 degC", on="room"), tl.events.find(twin, "warmth > 8 degC"), check_like=True
    )


def test_statistics_of_found_events_are_those_of_the_view(twin: tl.Twin) -> None:
    found = twin.find("room.warmth > 4 degC").pipe(tl.events.split, longest="10min", now="2026-01-05 00:20")
    # The last part is not over.
    assert found["end"].isna().tolist() == [False, True]
    revision = twin.remap("log", MAPPING.replace("unit: degC}", "unit: degF}"))
    here = twin.event_statistics(found, "warmth", above="8 degC")
    assert here["mean"].tolist() == [9.0, 5.0]
    assert here["integral_above"].tolist() == pytest.approx([1 / 6, 0])
    assert here["coverage"].tolist() == [1.0, 1.0]
    assert here.equals(tl.events.event_statistics(twin, found, "warmth", above=8.0))
    assert revision.event_statistics(found, "warmth")["max"].tolist() == pytest.approx([-12.8, -15.0])
    assert twin.as_of("2020-01-01").event_statistics(found, "warmth")["coverage"].tolist() == [0.0, 0.0]
