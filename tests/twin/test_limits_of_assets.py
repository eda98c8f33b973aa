"""Limits that depend on the asset: from its properties, or stated for some assets."""

import pandas as pd
import pytest

import twinlab as tl
from twinlab.history.build.mapping_context import content_hash
from twinlab.model import parse_model

MODEL = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    properties: {low: {dtype: number, unit: degF}, high: {dtype: number, unit: degF}}
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h, SPANS, max_rate: [0.02, 1]}
"""
FROM = "{from: [low, high], default: [0, 30]}"
MAPPING = """
source: log
files: ["log*.csv"]
tables:
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns: {t: {signal: temperature, unit: degC}}
"""
REGISTER = """
source: register
files: ["rooms.csv"]
tables:
  - table: rooms
    assets: [{type: room, id: room, properties: {low: {column: low, unit: degF}, high: {column: high, unit: UNIT}}}]
"""
# 35.6 degF are 2 degC, 46.4 degF are 8 degC; -22 degF are -30 degC, 5 degF are -15 degC.
ROOMS = {"A": ("35.6", "46.4"), "F": ("-22", "5"), "X": ("", "")}
#: Fridge A, freezer F, X without properties.
VALUES = {"A": (5, 8, 8.1, 1.9, 40), "F": (-20, -15, -14.9, 5, -31), "X": (5, 8.1, -1, 30, 30.1)}


def a_twin(folder, span=FROM, unit="degF"):
    folder.mkdir(exist_ok=True)
    (folder / "twin.yaml").write_text(MODEL.replace("SPANS", f"expected_span: {span}" if "span" not in span else span))
    (folder / "log.yaml").write_text(MAPPING)
    (folder / "register.yaml").write_text(REGISTER.replace("UNIT", unit))
    return tl.create(
        folder / "twin", model=folder / "twin.yaml", mappings=[folder / "log.yaml", folder / "register.yaml"]
    )


def log(folder, hours=range(5), name="log.csv"):
    rows = [f"2026-01-05 {h:02}:00,{room},{values[h]}" for h in hours for room, values in VALUES.items()]
    path = folder / name
    path.write_text("time,room,t\n" + "\n".join(rows) + "\n")
    return path


def register(folder, **changed):
    path = folder / "rooms.csv"
    rows = {**ROOMS, **changed}
    path.write_text("room,low,high\n" + "".join(f"{room},{low},{high}\n" for room, (low, high) in rows.items()))
    return path


def flags(twin, room):
    return twin.history("room").temperature_qc.sel(asset=room, time="2026-01-05").compute().values.tolist()[:5]


def test_flags_follow_the_properties_of_each_asset_and_their_unit(tmp_path):
    twin = a_twin(tmp_path)
    twin.ingest(register(tmp_path), log(tmp_path))
    assert flags(twin, "A") == [1, 1, 3, 3, 3]
    assert flags(twin, "F") == [1, 1, 3, 3, 3]
    assert flags(twin, "X") == [1, 1, 3, 1, 3]


def test_a_changed_property_changes_the_flags_of_its_asset_and_no_others(tmp_path):
    twin = a_twin(tmp_path)
    twin.ingest(log(tmp_path))
    assert flags(twin, "F") == [3, 3, 3, 1, 3]
    twin.ingest(register(tmp_path))
    assert flags(twin, "F") == [1, 1, 3, 3, 3]
    # 41 degF are 5 degC: now the fourth value is as expected.
    twin.ingest(register(tmp_path, F=("-22", "41")))
    changed = {room: flags(twin, room) for room in VALUES}
    assert changed == {"A": [1, 1, 3, 3, 3], "F": [1, 1, 1, 1, 3], "X": [1, 1, 3, 1, 3]}
    twin.rebuild()
    assert {room: flags(twin, room) for room in VALUES} == changed


def test_step_by_step_at_once_and_as_of_agree(tmp_path):
    step, once = a_twin(tmp_path / "a"), a_twin(tmp_path / "b")
    for part in (range(2), range(2, 5)):
        step.ingest(log(tmp_path / "a", part, f"log_{part.start}.csv"))
    before = pd.Timestamp.now("UTC")
    step.ingest(register(tmp_path / "a"))
    once.ingest(register(tmp_path / "b"), log(tmp_path / "b"))
    for room in VALUES:
        assert flags(step, room) == flags(once, room) == flags(step.as_of(pd.Timestamp.now("UTC")), room)
    # Before the register came, the default was all that was known.
    assert flags(step.as_of(before), "F") == [3, 3, 3, 1, 3]


def test_a_mapping_that_no_longer_states_a_property_has_the_default_again(tmp_path):
    twin = a_twin(tmp_path)
    twin.ingest(register(tmp_path), log(tmp_path))
    path = tmp_path / "twin" / "mapping" / "register.yaml"
    path.write_text(REGISTER.replace(", high: {column: high, unit: UNIT}", ""))
    again = tl.open(tmp_path / "twin")
    again.ingest(log(tmp_path))
    assert flags(again, "F") == [3, 3, 3, 1, 3]
    assert flags(again, "A") == [1, 1, 1, 1, 3]


def test_what_fails_by_a_changed_limit_no_longer_counts_for_the_values_beside_it(tmp_path):
    spans = "sensor_span: {from: [low, high], default: [-90, 90]}"
    twin = a_twin(tmp_path, spans)
    # A step of 80 degrees an hour is suspect; 140 degF are 60 degC, beyond which the value itself fails.
    path = tmp_path / "log.csv"
    path.write_text("time,room,t\n" + "".join(f"2026-01-05 {h:02}:00,A,{t}\n" for h, t in enumerate((5, 5, 85, 5, 6))))
    twin.ingest(path)
    assert flags(twin, "A") == [1, 1, 3, 3, 1]
    twin.ingest(register(tmp_path, A=("-58", "140")))
    assert flags(twin, "A") == [1, 1, 4, 1, 1]
    twin.rebuild()
    assert flags(twin, "A") == [1, 1, 4, 1, 1]


def test_limits_of_some_assets_by_id_or_pattern(tmp_path):
    twin = a_twin(tmp_path, "{assets: {A: [2, 8], '/^[FG]/': [-30, -15]}}")
    twin.ingest(log(tmp_path))
    assert flags(twin, "A") == flags(twin, "F") == [1, 1, 3, 3, 3]
    assert flags(twin, "X") == [1, 1, 1, 1, 1]


def test_an_edit_of_the_model_changes_the_flags(tmp_path):
    twin = a_twin(tmp_path, "{assets: {F: [-30, -15]}, default: [0, 30]}")
    twin.ingest(log(tmp_path))
    path = tmp_path / "twin" / "twin.yaml"
    path.write_text(path.read_text().replace("[-30, -15]", "[-32, -14]"))
    again = tl.open(tmp_path / "twin")
    again.ingest(log(tmp_path))
    assert flags(again, "F") == [1, 1, 1, 3, 1]
    assert flags(again, "A") == flags(twin, "A")


def test_the_report_names_assets_that_do_not_exist_and_limits_in_the_wrong_order(tmp_path):
    twin = a_twin(tmp_path, "{from: [low, high], assets: {AA: [2, 8]}, default: [0, 30]}")
    report = twin.ingest(log(tmp_path), register(tmp_path, F=("5", "-22")))
    text = str(report)
    assert (
        "asset_types.room.signals.temperature.expected_span.assets: there is no room 'AA' so far; did you mean 'A'?"
        in text
    )
    assert (
        "asset_types.room.signals.temperature.expected_span.from: low isn't below high for 1 of 3 assets "
        "(first: F, -15 and -30 degC), which have the default [0.0, 30.0]; correct the properties"
    ) in text
    assert flags(twin, "F") == [3, 3, 3, 1, 3]


@pytest.mark.parametrize("span", ["[2, 8]", "{assets: {A: [2, 8]}}"])
def test_a_model_keeps_its_hash_unless_it_uses_the_new_forms(span):
    plain = parse_model(MODEL.replace("SPANS", "expected_span: [2, 8]"))
    assert plain.model_dump(mode="json")["asset_types"]["room"]["signals"]["temperature"]["expected_span"] == [2.0, 8.0]
    same = content_hash(parse_model(MODEL.replace("SPANS", f"expected_span: {span}"))) == content_hash(plain)
    assert same == (span == "[2, 8]")
