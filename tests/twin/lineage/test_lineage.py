"""What is behind a value and an event: rows, files, definitions, calibrations."""

from __future__ import annotations

import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.finding.finder import find
from twinlab.twin.lineage.drawing import drawing
from twinlab.twin.lineage.steps import Step

MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 10min, sensor_span: [-40, 60]}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 10min}
event_types:
  visit: {title: Visit, asset: room, properties: {who: {dtype: text}}}
rules:
  warm: {on: room, when: temperature > 8 degC, severity: high}
  late_visit: {on: visit, late: 10min, at: end}
channels:
  team: {log: {}}
alerts:
  warm_rooms: {rule: warm, channels: [team]}
kpis:
  cold: {on: room, formula: time_share(temperature <= 8 degC), unit: "%", target: ">= 90 %"}
  visits: {on: visit, formula: count(visit), at: start}
"""
FRIDGES = """\
source: fridges
files: [fridges*.csv]
tables:
- time: {column: time, zone: Europe/Berlin}
  asset: {type: room, column: room}
  columns:
    temp: {signal: temperature, unit: degF}
    door: {signal: door, states: {zu: closed, auf: open}}
"""
VISITS = """\
source: visits
files: [visits*.csv]
tables:
- events:
  - {type: visit, key: [nr], asset: {type: room, column: room}, start: {column: from, zone: UTC}, end: {column: to, zone: UTC},
     properties: {who: {column: who}}}
"""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    """Two rooms whose temperatures are written in °F and local time; one visit, corrected by a second file."""
    folder = tmp_path_factory.mktemp("lineage")
    (folder / "twin.yaml").write_text(MODEL)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "fridges.yaml").write_text(FRIDGES)
    (twin.folder / "mapping" / "visits.yaml").write_text(VISITS)
    twin.reload()
    (folder / "fridges.csv").write_text(
        "time,room,temp,door\n2026-01-05 13:00,A,41,zu\n2026-01-05 13:10,A,42.8,\n2026-01-05 13:20,A,50,\n2026-01-05 13:00,B,300,auf\n"
    )
    (folder / "visits.csv").write_text("nr,room,from,to,who\n7,A,2026-01-05 12:00,2026-01-05 12:30,ann\n")
    (folder / "visits2.csv").write_text("nr,room,from,to,who\n7,A,2026-01-05 12:00,2026-01-05 12:40,bob\n")
    for name in ("fridges", "visits", "visits2"):
        twin.ingest(folder / f"{name}.csv")
    return twin


def test_a_value_leads_to_the_row_as_written_and_to_the_rule_that_translated_it(twin: tl.Twin) -> None:
    lineage = twin.why("room/A", "temperature", "2026-01-05T12:07")
    assert lineage.steps[0].title == "5 degC"
    assert lineage.rows[["written", "file", "row", "standing"]].to_numpy().tolist() == [
        ["41.0", "fridges.csv", 2, "valid"]
    ]
    table = lineage.table().set_index("kind")
    assert "{signal: temperature, unit: degF}, times in Europe/Berlin; version" in table.loc["mapping", "text"]
    assert table.loc["mapping", "title"] == "mapping/fridges.yaml"
    assert "unit degC, resolution 0.1" in table.loc["model", "text"]
    assert table.loc["file", ["title", "text"]].tolist() == ["fridges.csv", "row 2"]


def test_a_state_between_observations_leads_to_the_last_one(twin: tl.Twin) -> None:
    lineage = twin.why("room/A", "door", "2026-01-05T12:20")
    assert lineage.steps[0].title == "closed"
    assert lineage.rows["written"].tolist() == ["zu"]
    assert lineage.rows["time"].tolist() == [pd.Timestamp("2026-01-05T12:00")]


def test_a_cell_without_an_observation_says_so(twin: tl.Twin) -> None:
    lineage = twin.why("room/B", "temperature", "2026-01-05T12:20")
    assert lineage.steps[0].title == "no value"
    assert [one.title for one in lineage.steps if one.kind == "rows"] == ["no row"]
    assert twin.why("room/B", "temperature", "2031-01-05").steps[0].title == "no value"


def test_a_window_of_a_rollup_leads_to_all_its_rows(twin: tl.Twin) -> None:
    lineage = twin.why("room/A", "temperature", "2026-01-05T12:30", step="1h")
    assert lineage.steps[0].title == "mean 7 degC"
    assert lineage.rows["row"].tolist() == [2, 3, 4]


def test_a_calibration_is_a_step(twin: tl.Twin) -> None:
    twin.calibrate("room/B", "temperature", offset=-2, reason="reference", author="ann", since="2026-01-05")
    steps = twin.why("room/B", "temperature", "2026-01-05T12:00").steps
    assert [one.text for one in steps if one.kind == "calibration"] == ["1 × value + -2 degC, by ann: reference"]


def test_an_event_leads_to_every_row_that_stated_it(twin: tl.Twin) -> None:
    for what in ("visit/7", twin.events("visit").iloc[0]):
        lineage = twin.why(what)
        assert lineage.rows[["standing", "file", "row", "who"]].to_numpy().tolist() == [
            ["superseded", "visits.csv", 2, "ann"],
            ["valid", "visits2.csv", 2, "bob"],
        ]
        assert "2026-01-05 12:00 to 12:40" in lineage.steps[0].text


def test_text_html_and_drawing_name_the_file(twin: tl.Twin) -> None:
    lineage = twin.why("room/A", "temperature", "2026-01-05T12:07")
    assert "file fridges.csv: row 2" in str(lineage)
    assert "fridges.csv" in lineage._repr_html_()
    assert str(lineage.drawing()).startswith("<svg")


def test_what_cannot_be_explained_is_said(twin: tl.Twin) -> None:
    with pytest.raises(UnknownTermError, match="did you mean 'room'"):
        twin.why("rom/A", "temperature", "2026-01-05")
    with pytest.raises(UnknownTermError, match="temperature"):
        twin.why("room/A", "temprature", "2026-01-05")
    with pytest.raises(UnknownTermError, match="asset of type 'room'"):
        twin.why("room/Z", "temperature", "2026-01-05")
    with pytest.raises(SchemaError, match="expected an instant"):
        twin.why("room/A", "temperature")
    with pytest.raises(SchemaError, match="its signals: temperature, door"):
        twin.why("room/A")
    with pytest.raises(UnknownTermError, match="no event '8'"):
        twin.why("visit/8")
    with pytest.raises(SchemaError, match="a row of a table"):
        twin.why({"colour": "red"})


def test_a_drawing_escapes_its_texts() -> None:
    svg = str(drawing("<a>", [Step("value", "<script>", "x" * 400)]))
    assert "<script>" not in svg
    assert "&lt;script&gt;" in svg


def test_an_exception_and_its_alert_lead_to_the_rule_and_to_the_rows(twin: tl.Twin) -> None:
    row = tl.events.episodes(twin, "warm", start="2026-01-05", stop="2026-01-06").iloc[0]
    lineage = twin.why(row)
    assert [one.kind for one in lineage.steps][:3] == ["exception", "model", "value"]
    assert "when: temperature > 8 degC" in lineage.steps[1].text
    assert lineage.rows["row"].tolist() == [4]
    twin.run_alerts(now="2026-01-05T13:00")
    alert = twin.alerts().iloc[0]
    assert twin.why(alert).rows["row"].tolist() == [4]
    # An alert of what had begun before the span that was looked at.
    earlier = alert.to_dict() | {"since": pd.NaT, "noted": pd.Timestamp("2026-01-05T13:00")}
    assert 4 in twin.why(earlier).rows["row"].tolist()


def test_what_find_found_leads_to_the_rows(twin: tl.Twin) -> None:
    found = find(twin, "temperature > 8 degC", on="room")
    lineage = twin.why(found.iloc[0])
    assert lineage.steps[0].text == "temperature > 8 degC"
    assert lineage.rows[["written", "row"]].to_numpy().tolist() == [["50.0", 4]]
    with pytest.raises(SchemaError, match="with the expression in its attrs"):
        twin.why(dict(found.iloc[0]))


def test_a_kpi_leads_to_its_formula_assets_and_rows(twin: tl.Twin) -> None:
    lineage = twin.why("cold", at="2026-01-05T12:00", by="asset", group="A")
    assert lineage.rows["row"].tolist() == [2, 3, 4]
    texts = {one.kind: f"{one.title}: {one.text}" for one in lineage.steps}
    assert "time_share(temperature <= 8 degC)" in texts["model"] or "room.temperature" in texts["model"]
    assert "% known" in lineage.steps[0].text
    value = twin.kpi("cold", by="asset", start="2026-01-05", stop="2026-01-06").value.sel(asset="A").item()
    assert f"{value:.6g} %" in lineage.steps[0].title
    with pytest.raises(UnknownTermError, match="expected a group of 'cold'"):
        twin.why("cold", at="2026-01-05", by="asset", group="Z")
    with pytest.raises(SchemaError, match="expected an instant in the window"):
        twin.why("cold", by="asset")


def test_a_kpi_of_events_leads_to_the_rows_that_state_them(twin: tl.Twin) -> None:
    lineage = twin.why("visits", at="2026-01-05")
    assert lineage.steps[0].title == "visits 1"
    assert lineage.rows[["standing", "file"]].to_numpy().tolist() == [
        ["superseded", "visits.csv"],
        ["valid", "visits2.csv"],
    ]
