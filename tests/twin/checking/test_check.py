"""`Twin.check` finds planted faults, says where they come from, and proposes changes that undo them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.twin.checking.quality_report import QualityReport

MODEL = """
twin: fridges
origin: 2026-01-01T00:00:00Z
asset_types:
  cold_room:
    signals:
      temperature:
        {unit: degC, resolution: 0.01, cadence: 1h, sensor_span: [-40, 60], expected_span: [0, 8],
         tests: {peers: {resolution: 0.2}}}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 1h}
event_types:
  delivery: {asset: cold_room}
rules:
  too_warm: {on: cold_room, when: temperature > 8 degC, lasting: 2h}
  door_open: {on: cold_room, when: door == open, lasting: 2h}
"""
MAPPING = """# the cold rooms
source: fridges
files: ["fridges*.csv"]
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: cold_room, column: room}
    columns:
      # probe in the air
      temp_c: {signal: temperature, unit: degC}  # from the manual
      door: {signal: door, states: {shut: closed, open: open}}
"""
DELIVERIES = """source: deliveries
files: ["deliveries*.csv"]
tables:
  - table: "*"
    events:
      - {type: delivery, key: [number], asset: {type: cold_room, column: room}, start: {column: begin, zone: UTC}}
"""
TIMES = pd.date_range("2026-01-05", periods=24 * 75, freq="1h", tz="UTC")
SWITCH, DRIFTS, GAP, SILENT = 900, 600, slice(300, 350), 1500


def written() -> pd.DataFrame:
    """Six rooms: B writes °F from row 900 on, C drifts by 0.9 degC a month, E has a gap, F falls silent."""
    rng = np.random.default_rng(3)
    n = len(TIMES)
    common = np.cumsum(rng.normal(0, 0.02, n)) + 0.8 * np.sin(np.arange(n) / 24 * 2 * np.pi)
    parts = []
    for place, room in enumerate("ABCDEF"):
        values = 4 + 0.05 * place + common + rng.normal(0, 0.1, n)
        kept = np.ones(n, dtype=bool)
        if room == "B":
            values[SWITCH:] = values[SWITCH:] * 1.8 + 32
        if room == "C":
            values += 0.03 / 24 * np.maximum(np.arange(n) - DRIFTS, 0)
        if room == "D":
            values[100] = 75.0
        if room == "E":
            kept[GAP] = False
        if room == "F":
            kept[SILENT:] = False
        rows = pd.DataFrame({"time": TIMES.strftime("%Y-%m-%dT%H:%M:%SZ"), "room": room, "temp_c": values.round(2)})
        parts.append(rows.assign(door="shut")[kept])
    return pd.concat(parts)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    folder = tmp_path_factory.mktemp("check")
    for name, text in (("twin.yaml", MODEL), ("fridges.yaml", MAPPING), ("deliveries.yaml", DELIVERIES)):
        (folder / name).write_text(text)
    written().to_csv(folder / "fridges.csv", index=False)
    (folder / "deliveries.csv").write_text(
        "number,room,begin\n1,B,2026-01-06T08:00Z\n2,B,2026-03-01T08:00Z\n3,B,2026-03-02T08:00Z\n4,A,2026-03-02T08:00Z\n"
    )
    mappings = [folder / "fridges.yaml", folder / "deliveries.yaml"]
    made = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=mappings)
    made.ingest(folder / "fridges.csv", folder / "deliveries.csv")
    return made


@pytest.fixture(scope="module")
def report(twin: tl.Twin) -> QualityReport:
    return twin.check()


def one(report: QualityReport, kind: str, asset: str) -> tuple[int, pd.Series]:
    """Return the row and the finding of a kind and an asset; there is exactly one."""
    table = report.table
    rows = table.index[(table.kind == kind) & (table.asset == asset) & (table.signal == "temperature")]
    assert len(rows) == 1, table[["kind", "asset", "evidence"]].to_string()
    return int(rows[0]), table.loc[rows[0]]


def test_the_planted_faults_are_found_and_no_others(report: QualityReport) -> None:
    table = report.table
    found = set(zip(table.kind, table.asset, strict=True))
    assert {pair for pair in found if pair[0] in ("unit", "drift", "range", "flat_line", "missing")} == {
        ("unit", "B"),
        ("drift", "C"),
        ("range", "B"),
        ("range", "C"),
        ("range", "D"),
        ("missing", "E"),
        ("missing", "F"),
    }
    # A row that is missing lacks the state of the door, too.
    doors = table[table.signal == "door"]
    assert list(zip(doors.kind, doors.asset, doors.tag, strict=True)) == [
        ("missing", "E", "door"),
        ("missing", "F", "door"),
    ]


def test_the_table_has_exactly_the_columns_of_findings(report: QualityReport) -> None:
    expected = ["kind", "source", "tag", "asset", "signal", "since", "until", "confidence", "evidence", "fix"]
    assert report.to_frame().columns.tolist() == expected
    assert set(report.table.source) == {"fridges"}
    assert set(report.table.tag) == {"temp_c", "door"}
    assert report.table.equals(report.to_frame())
    assert report.table.asset.is_monotonic_increasing


def test_the_fix_of_a_unit_is_a_line_of_yaml_and_remap_takes_it(twin: tl.Twin, report: QualityReport) -> None:
    row, found = one(report, "unit", "B")
    switch = TIMES[SWITCH].tz_localize(None)
    assert found.since == switch
    assert pd.isna(found.until)
    assert found.confidence > 0.9
    assert found.fix == (
        "temp_c: [{signal: temperature, unit: degF, valid_from: '2026-02-11T12:00:00Z', assets: [B]}, "
        "{signal: temperature, unit: degC}]  # mapping/fridges.yaml, tables[0].columns"
    )
    text = report.fixed_mapping(row)
    for comment in ("# the cold rooms", "# probe in the air", "# from the manual"):
        assert comment in text
    rev = twin.remap("fridges", text)
    try:
        cells = rev.diff().cells
        assert cells.asset.unique().tolist() == ["B"]
        assert cells.cells.sum() == len(TIMES) - SWITCH
        assert cells["first"].min() == switch
    finally:
        rev.discard()


def test_a_drift_states_slope_and_calibration(report: QualityReport) -> None:
    row, found = one(report, "drift", "C")
    assert abs(found.since - TIMES[DRIFTS].tz_localize(None)) < pd.Timedelta(days=7)
    assert found.fix.startswith("- {asset: cold_room/C, signal: temperature, from: ")
    with pytest.raises(
        SchemaError, match=rf"its fix is a calibration: twin.add_calibration\(report.calibration\({row}\)"
    ):
        report.fixed_mapping(row)
    with pytest.raises(SchemaError, match="only drifts do"):
        report.calibration(one(report, "range", "D")[0])


def test_the_calibration_of_a_drift_shows_what_it_does_before_it_is_applied(
    twin: tl.Twin, report: QualityReport
) -> None:
    row, _ = one(report, "drift", "C")
    calibration = report.calibration(row)
    assert (calibration.asset, calibration.signal) == ("cold_room/C", "temperature")
    data = twin.history("cold_room", signals=["temperature"], assets=["A", "C"], calibrated=calibration).isel(time=-1)
    corrected = float(data.temperature_calibrated.sel(asset="C") - data.temperature_calibrated.sel(asset="A"))
    assert abs(corrected) < 0.5 < float(data.temperature.sel(asset="C") - data.temperature.sel(asset="A"))
    assert twin.calibrations().empty


def test_failed_values_are_named_with_the_span_that_they_break(report: QualityReport) -> None:
    _, found = one(report, "range", "D")
    assert "1 of 1,800 values fail the test 'range'" in found.evidence
    assert "such as 75 degC (outside the sensor's span, -40 to 60)" in found.evidence
    at = TIMES[100].tz_localize(None)
    assert (found.since, found.until) == (at, at + pd.Timedelta(hours=1))


def test_a_gap_ends_and_a_silent_asset_does_not(report: QualityReport) -> None:
    _, gap = one(report, "missing", "E")
    assert f"{GAP.stop - GAP.start} of " in gap.evidence
    assert gap.since <= TIMES[GAP.start].tz_localize(None) < TIMES[GAP.stop - 1].tz_localize(None) < gap.until
    _, silent = one(report, "missing", "F")
    assert pd.isna(silent.until)
    assert "no value since 2026-03-08 12:00, though other assets have" in silent.evidence


def test_a_test_of_the_model_that_compares_assets_is_run(report: QualityReport) -> None:
    _, found = one(report, "peers", "B")
    assert found.since >= TIMES[SWITCH].tz_localize(None) - pd.Timedelta(days=1)
    assert "suspect to the test 'peers'" in found.evidence


def test_what_a_finding_touches(report: QualityReport) -> None:
    row, _ = one(report, "unit", "B")
    touched = report.touches()
    mine = touched[touched.row == row]
    # The rule of the door reads another signal, and one delivery was before the switch.
    assert mine[["what", "name"]].to_numpy().tolist() == [["rule", "too_warm"], ["event", "delivery"]]
    assert mine["count"].iloc[1] == 2


def test_a_check_is_limited_in_time_signals_and_assets(twin: tl.Twin) -> None:
    early = twin.check(stop=TIMES[SWITCH - 48], signals=["temperature"])
    assert "unit" not in set(early.table.kind)
    assert early.stop <= np.datetime64("2026-02-09T13", "ns")
    of_b = twin.check(assets=["B"], asset_types=["cold_room"], signals=["temperature"])
    assert set(of_b.table.asset) == {"B"}
    # The others are compared with, though they aren't reported.
    assert "unit" in set(of_b.table.kind)
    assert of_b.channels == 1
    assert twin.check(signals=["door"], stop=TIMES[SILENT]).table.kind.tolist() == ["missing"]


def test_a_fix_covers_only_what_was_checked(twin: tl.Twin) -> None:
    late = twin.check(start=TIMES[SWITCH + 48], stop=TIMES[-48], signals=["temperature"], assets=["B"])
    row, found = one(late, "unit", "B")
    assert (found.since, found.until) == (TIMES[SWITCH + 48].tz_localize(None), TIMES[-48].tz_localize(None))
    assert (
        f"valid_from: '{TIMES[SWITCH + 48]:%Y-%m-%dT%H:%M:%SZ}', valid_until: '{TIMES[-48]:%Y-%m-%dT%H:%M:%SZ}'"
        in found.fix
    )
    assert "valid_until" in late.fixed_mapping(row)


@pytest.mark.parametrize("limit", [{"assets": ["b"]}, {"signals": ["temprature"]}, {"asset_types": ["cold_rom"]}])
def test_an_unknown_name_is_refused(twin: tl.Twin, limit: dict[str, list[str]]) -> None:
    with pytest.raises(UnknownTermError, match=next(iter(limit.values()))[0]):
        twin.check(**limit)


def test_a_clean_twin_has_an_empty_report(twin: tl.Twin) -> None:
    clean = twin.check(stop="2026-01-09", assets=["A"])
    assert len(clean.table) == 0
    assert clean.table.columns.tolist()[:2] == ["kind", "source"]
    assert "nothing found in 2 channels" in clean.text()
    assert "nothing found" in clean._repr_html_()


def test_an_edit_that_is_not_applied_is_a_finding(twin: tl.Twin) -> None:
    path = twin.folder / "mapping" / "fridges.yaml"
    before = path.read_text()
    path.write_text(before.replace("unit: degC", "unit: degF"))
    try:
        found = twin.check(signals=["temperature"], assets=["B"])
    finally:
        path.write_text(before)
    first = found.table.iloc[0]
    assert (first.kind, first.confidence) == ("definition", 1.0)
    assert "fridges.yaml" in first.evidence
    # The rule isn't as the history was built with it, so no change of that text is proposed.
    assert found.table.fix[found.table.kind == "unit"].tolist() == [""]


def test_rows_of_no_or_several_sources_are_refused(report: QualityReport) -> None:
    with pytest.raises(SchemaError, match="expected rows of one source, got no rows"):
        report.fixed_mapping()
    with pytest.raises(SchemaError, match="expected a row from 0 to"):
        report.fixed_mapping(10_000)


def test_text_and_html_show_each_finding(report: QualityReport) -> None:
    text, html = report.text(), report._repr_html_()
    for found in report.table.itertuples():
        assert str(found.evidence) in text
    assert repr(report) == text
    assert "2 delivery events" in text
    assert html.count("<tr>") == len(report.table) + 1
    assert "<code>temp_c: [{signal: temperature, unit: degF" in html
    assert [row["kind"] for row in json.loads(report.to_json())] == report.table.kind.tolist()


def test_the_source_of_an_asset_is_read_from_its_rows_where_several_may_feed_it(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text(MODEL)
    for source, column, room in (("north", "temp_c", "A"), ("south", "t_air", "B")):
        text = MAPPING.replace("fridges", source).replace("temp_c", column)
        (tmp_path / f"{source}.yaml").write_text(text)
        rows = pd.DataFrame(
            {"time": TIMES[:200].strftime("%Y-%m-%dT%H:%M:%SZ"), "room": room, column: 4.0, "door": "shut"}
        )
        rows.drop(index=range(50, 90)).to_csv(tmp_path / f"{source}.csv", index=False)
    mappings = [tmp_path / "north.yaml", tmp_path / "south.yaml"]
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=mappings)
    twin.ingest(tmp_path / "north.csv", tmp_path / "south.csv")
    found = twin.check(signals=["temperature"]).table
    assert found[["kind", "source", "tag", "asset"]].to_numpy().tolist() == [
        ["missing", "north", "temp_c", "A"],
        ["missing", "south", "t_air", "B"],
    ]
