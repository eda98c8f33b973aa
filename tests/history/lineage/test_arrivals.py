"""When observations arrived: each of them, late ones included, of tables and streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.history.lineage.arrivals import arrivals

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
      speed: {unit: km/h, resolution: 0.1, cadence: 10s}
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
"""
FEED = r"""
source: feed
stream:
  tags:
    '/^(?P<id>\w+)[.]t$/': {signal: temperature, asset: 'truck/{id}', unit: degC}
    '/^(?P<id>\w+)[.]v$/': {signal: speed, asset: 'truck/{id}', unit: km/h}
    '/^(?P<id>\w+)[.]room$/': {signal: temperature, asset: 'room/{id}', unit: degC}
"""
START = pd.Timestamp("2026-03-01", tz="UTC")


@pytest.fixture
def twin(tmp_path: Path) -> tl.Twin:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "feed.yaml").write_text(FEED)
    return tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")


def rows(*given: tuple[str, int]) -> pd.DataFrame:
    """Return a row for each tag and second."""
    tags, seconds = zip(*given, strict=True)
    times = [START + pd.Timedelta(seconds=second) for second in seconds]
    return pd.DataFrame({"tag": tags, "source_time": times, "value": [float(second % 50) for second in seconds]})


def test_each_observation_has_the_time_at_which_it_arrived(twin: tl.Twin) -> None:
    with twin.writer() as writer:
        writer.append(
            rows(*((tag, second) for second in range(0, 9000, 60) for tag in ("a.t", "b.t", "a.v", "x.room")))
        )
        first = pd.Timestamp.now("UTC").tz_localize(None)
        # Late by hours, and a repetition.
        writer.append(rows(("b.t", 30), ("a.v", 9010), ("a.t", 60)))
    found = arrivals(twin.reader, "truck")
    assert len(found) == 3 * 150 + 3
    assert found["time"].is_monotonic_increasing
    late = found[found["ingest_time"] > first]
    assert sorted(zip(late["asset"], late["signal"], (late["time"] - START.tz_localize(None)).dt.total_seconds(), strict=True)) == [
        ("a", "speed", 9010.0), ("a", "temperature", 60.0), ("b", "temperature", 30.0),
    ]  # fmt: skip
    for asset, signal in (("a", "temperature"), ("b", "temperature"), ("a", "speed")):
        mine = found[(found["asset"] == asset) & (found["signal"] == signal)].drop_duplicates(["time"])
        exact = twin.observations(f"truck/{asset}", signal)
        assert mine["time"].tolist() == exact["time"].tolist()
        assert mine["ingest_time"].tolist() == exact["ingest_time"].tolist()


def test_a_retraction_is_no_observation(twin: tl.Twin) -> None:
    with twin.writer() as writer:
        writer.append(rows(("a.t", 0), ("a.t", 60)))
        writer.append(rows(("a.t", 60)).assign(op=np.int8(1), value=float("nan")))
    assert twin.history("truck", signals=["temperature"]).temperature.count() == 1
    assert len(arrivals(twin.reader, "truck")) == 2


def test_a_span_is_half_open(twin: tl.Twin) -> None:
    with twin.writer() as writer:
        writer.append(rows(*(("a.t", second) for second in range(0, 600, 60))))
    found = arrivals(twin.reader, "truck", start="2026-03-01T00:02Z", stop="2026-03-01T00:05Z")
    assert found["time"].dt.minute.tolist() == [2, 3, 4]
    assert arrivals(twin.reader, "truck", start="2026-04-01").empty
    assert arrivals(twin.reader, "room").empty
