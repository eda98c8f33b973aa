"""Which exceptions a calibration takes away, brings or moves."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events import episodes
from twinlab.model import Calibration

MODEL = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h, sensor_span: [-40, 40]}
      humidity: {unit: percent, resolution: 1, cadence: 1h}
rules:
  warm: {on: room, when: temperature > 8 degC, severity: high}
  cold: {on: room, when: temperature < 2 degC}
  damp: {on: room, when: humidity > 80 percent}
  quiet: {on: room, silent: 3h}
  broken: {on: room, flagged: {signal: temperature, flag: fail}}
"""
MAPPING = """
source: log
files: ["log*.csv"]
tables:
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns: {t: {signal: temperature, unit: degC}, h: {signal: humidity, unit: percent}}
"""
#: By hour; room 1 is warm for short at 3, warmer from 10 to 13, and cold at 20.
VALUES = [5, 5, 5, 8.3, 5, 5, 5, 5, 5, 5, 8.2, 9, 9, 8.4, 5, 5, 5, 5, 5, 5, 2.2, 5, 5, 99]


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cold")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "log.yaml").write_text(MAPPING)
    rows = [f"2026-01-05 {h:02}:00,{room},{t},{90 if h > 20 else 50}" for h, t in enumerate(VALUES) for room in "12"]
    (folder / "log.csv").write_text("time,room,t,h\n" + "\n".join(rows) + "\n")
    made = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "log.yaml")
    made.ingest(folder / "log.csv")
    return made


def lower(asset="room/1", **keys):
    return Calibration(asset=asset, signal="temperature", reason="0.5 degC too high", **{"offset": -0.5, **keys})


def hours(frame, *columns):
    return [
        tuple("" if pd.isna(row[c]) else row[c].strftime("%H") for c in columns) for row in frame.to_dict("records")
    ]


def test_exceptions_that_vanish_move_and_appear_are_told_before_anything_is_applied(twin):
    found = twin.calibrated_exceptions(calibrations=lower())
    assert found[["change", "rule", "asset", "severity"]].to_numpy().tolist() == [
        ["vanished", "warm", "1", "high"],
        ["moved", "warm", "1", "high"],
        ["appeared", "cold", "1", "medium"],
    ]
    assert hours(found, "start", "end", "start_before", "end_before") == [
        ("", "", "03", "04"),
        ("11", "13", "10", "14"),
        ("20", "21", "", ""),
    ]
    np.testing.assert_allclose(
        found[["value", "value_before", "limit"]], [[np.nan, 8.3, 8], [8.5, 9, 8], [1.7, np.nan, 2]]
    )
    assert found["unit"].tolist() == ["degC"] * 3
    assert not (twin.folder / "calibration.yaml").exists()


def test_one_call_without_arguments_uses_the_twins_calibrations(twin):
    assert twin.calibrated_exceptions().empty
    twin.calibrate("room/2", "temperature", offset=-0.5, reason="too high", author="ann", until="2026-01-05T05:00")
    try:
        found = twin.calibrated_exceptions()
        assert found[["change", "asset"]].to_numpy().tolist() == [["vanished", "2"]]
        old = episodes(twin, "warm", start="2026-01-05", stop="2026-01-06")
        assert found.loc[0, "key_before"] in set(old["key"])
        assert twin.calibrated_exceptions(rules=["cold"]).empty
        assert list(twin.calibrated_exceptions(rules=[]).columns) == list(found.columns)
    finally:
        (twin.folder / "calibration.yaml").unlink()


def test_an_exception_may_be_split(twin):
    parts = [
        lower(offset=-2, since=pd.Timestamp(f"2026-01-05T{h}"), until=pd.Timestamp(f"2026-01-05T{h + 1}"))
        for h in (10, 12)
    ]
    found = twin.calibrated_exceptions(calibrations=parts)
    assert found["change"].tolist() == ["split", "split"]
    assert hours(found, "start", "end") == [("11", "12"), ("13", "14")]


def test_a_window_a_rule_and_their_faults(twin):
    assert twin.calibrated_exceptions(calibrations=lower(), start="2026-01-05T15:00")["rule"].tolist() == ["cold"]
    with pytest.raises(UnknownTermError, match="expected a known rule, got 'warn'"):
        twin.calibrated_exceptions(calibrations=lower(), rules=["warn"])
    with pytest.raises(SchemaError, match="expected start before stop"):
        twin.calibrated_exceptions(calibrations=lower(), start="2026-01-06", stop="2026-01-05")
    with pytest.raises(SchemaError, match="one calibration of temperature of room/1 at a time"):
        twin.calibrated_exceptions(calibrations=[lower(), lower()])


def test_an_asset_without_a_history_and_an_empty_twin_have_no_exceptions(twin, tmp_path):
    assert twin.calibrated_exceptions(calibrations=lower("room/77")).empty
    empty = tl.create(tmp_path / "twin", model=twin.folder / "twin.yaml")
    assert empty.calibrated_exceptions(calibrations=lower()).empty
