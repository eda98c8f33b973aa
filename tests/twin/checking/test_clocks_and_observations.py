"""`Twin.check` finds a shifted clock, and runs the tests that judge the exact times of observations."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.twin.checking.quality_report import QualityReport

MODEL = """
twin: rooms
origin: 2026-03-01T00:00:00Z
asset_types:
  room:
    signals:
      temperature:
        {unit: degC, resolution: 0.01, cadence: 30min, tests: {summer_time: {zone: Europe/Berlin}, cadence: {expected: 30min}, status: {}}}
"""
MAPPING = """source: rooms
files: ["rooms*.csv"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      temp_c: {signal: temperature}
"""
TIMES = pd.date_range("2026-03-02", periods=48 * 35, freq="30min", tz="UTC")
AHEAD = pd.Timestamp("2026-03-19T00:00Z")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    folder = tmp_path_factory.mktemp("clocks")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "rooms.yaml").write_text(MAPPING)
    rng = np.random.default_rng(5)
    weather = np.cumsum(rng.normal(0, 0.3, len(TIMES))) + 2 * np.sin(np.arange(len(TIMES)) / 48 * 2 * np.pi)
    parts = []
    for place, room in enumerate("ABCDEF"):
        values = 12 + 0.1 * place + weather + rng.normal(0, 0.05, len(TIMES))
        times = TIMES.to_series().reset_index(drop=True)
        if room == "C":
            # Its clock is two hours ahead.
            times = times.where(times < AHEAD, times + pd.Timedelta(hours=2))
        kept = np.ones(len(TIMES), dtype=bool)
        if room == "D":
            # Local times without the hour that spring leaves out, read as UTC.
            kept = ~((TIMES >= "2026-03-29T02:00Z") & (TIMES < "2026-03-29T03:00Z"))
        rows = pd.DataFrame({"time": times.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), "room": room, "temp_c": values.round(2)})
        parts.append(rows[kept])
    pd.concat(parts).to_csv(folder / "rooms.csv", index=False)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=[folder / "rooms.yaml"])
    twin.ingest(folder / "rooms.csv")
    return twin


@pytest.fixture(scope="module")
def report(twin: tl.Twin) -> QualityReport:
    return twin.check()


def test_the_fix_of_a_clock_puts_every_value_where_it_was(twin: tl.Twin, report: QualityReport) -> None:
    row = int(report.table.index[report.table.kind == "clock"][0])
    rev = twin.remap("rooms", report.fixed_mapping(row))
    try:
        fixed = rev.history("room", signals=["temperature"]).temperature
        # Room C has a value at each of the times again, and differs from the others by less than half a degree.
        at = TIMES.tz_localize(None)
        assert int(fixed.sel(asset="C", time=slice(at[0], at[-1])).notnull().sum()) == len(TIMES)
        assert float(abs(fixed.sel(asset="C") - fixed.sel(asset="B")).max()) < 0.6
        # Behind the last value of all, where C was ahead, cells were missing in the other rooms.
        cells = rev.diff().cells
        assert set(cells.asset[cells["first"] <= at[-1]]) == {"C"}
    finally:
        rev.discard()


def test_a_clock_that_goes_ahead_is_found_with_its_zone(report: QualityReport) -> None:
    table = report.table
    found = table[table.kind == "clock"]
    assert found.asset.tolist() == ["C"]
    one = found.iloc[0]
    assert "as if the clock were in another zone" in one.evidence
    assert one.fix == (
        "clocks: [{assets: [C], shift: 2h, shift_sign: -1, valid_from: '2026-03-19T02:00:00Z'}]  # mapping/rooms.yaml, tables[0]"
    )
    # The first value that the clock wrote after it was put ahead.
    assert one.since == AHEAD.tz_localize(None) + pd.Timedelta(hours=2)
    assert (one.source, one.tag, one.signal) == ("rooms", "temp_c", "temperature")


def test_a_missing_hour_of_summer_time_is_found_in_the_observations(report: QualityReport) -> None:
    table = report.table
    found = table[table.kind == "summer_time"]
    assert found.asset.tolist() == ["D"]
    assert found.since.iloc[0] == pd.Timestamp("2026-03-29T03:00")
    assert "1 of 1,678 observations are suspect to the test 'summer_time'" in found.evidence.iloc[0]


def test_irregular_times_are_found_in_the_observations(report: QualityReport) -> None:
    table = report.table
    assert table.asset[table.kind == "cadence"].tolist() == ["C", "D"]


def test_a_test_that_needs_more_than_values_is_noted_once(report: QualityReport) -> None:
    assert len(report.notes) == 1
    assert "room.temperature: the test 'status' wasn't run: no row has a status" in report.notes[0]
    assert report.notes[0] in report.text()


def test_no_other_room_is_accused(report: QualityReport) -> None:
    assert set(report.table.asset) == {"C", "D"}, report.text()
