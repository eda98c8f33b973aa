"""What drafts say about columns: quantities, units, positions, counters, states, row numbers and qualifiers."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import twinlab as tl
from tests.harmonise.drafting.one_file import drafted
from twinlab.harmonise import draft
from twinlab.harmonise.drafting.counters import counter_evidence
from twinlab.model.load import parse_model


def table(header, row, *, rows=24):
    """A table of hourly rows; ``row`` gives the cells of a row's number."""
    return "\n".join([f"time,{header}", *(f"2025-06-01T{i:02d}:00Z,{row(i)}" for i in range(rows))])


def only(model):
    (kind,) = model.asset_types.values()
    return kind


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ('"Temp, °F (LGR S/N: 42, SEN S/N: 43)"', "temperature", "degF"),
        ('"Air temp *C"', "air_temperature", "degC"),
        ("Temperatura [Deg C]", "temperature", "degC"),
        ("Vorlauftemperatur (°C)", "vorlauf_temperature", "degC"),
        ("T (°C)", "temperature", "degC"),
        ("luchtvochtigheid (%)", "humidity", "%"),
        ("Batt_V", "battery_voltage", "V"),
        ("débit (L/min)", "flow", "L/min"),
        ("77_00300", "dissolved_oxygen", "mg/L"),
        ("1234_00060_00003", "flow", "ft³/s"),
        ("pression (hPa)", "pressure", "hPa"),
        ("BattV_Min", "battery_v_minimum", "unknown"),
        ("line_a", "line_a", "unknown"),
        ("fan speed (%)", "fan_speed", "%"),
    ],
)
def test_a_signal_is_named_after_its_quantity_and_its_unit_is_read_wherever_a_header_states_it(
    tmp_path, header, name, unit
):
    model, _, done = drafted(tmp_path, table(header, lambda i: f"{2 + i % 5}.5"))
    ((found, signal),) = only(model).signals.items()
    assert (found, signal.unit, signal.title) == (name, unit, header.strip('"'))
    assert len(done.claims) == 24


def test_two_columns_of_one_quantity_have_names_that_tell_them_apart(tmp_path):
    model, _, _ = drafted(tmp_path, table("temp_in,temp_out,T1 (°C),T2 (°C)", lambda i: f"{i}.5,{i}.1,{i}.2,{i}.3"))
    assert list(only(model).signals) == ["temperature_in", "temperature_out", "temperature_1", "temperature_2"]
    model, _, _ = drafted(tmp_path, table("temp_f,temp_c", lambda i: f"{i}.5,{i}.1"))
    assert list(only(model).signals) == ["temp_f", "temp_c"]


def test_a_known_quantity_without_a_unit_is_a_question_with_the_units_that_fit(tmp_path):
    model, _, _ = drafted(tmp_path, table("temp,door_angle", lambda i: f"{40 + i}.5,{i}.5"))
    asked = {rule.at.split(".")[-2]: rule.choices for rule in model.questions}
    assert asked == {"temperature": ["degF", "degC"], "door_angle": []}


def test_a_unit_column_is_used_row_by_row_in_wide_and_long_tables(tmp_path):
    for header, cells in (
        ("room,temp,unit", "A,4.0,C B,40.0,F"),
        ("room,tag,value,unit", "A,temp,4.0,C B,temp,40.0,F"),
    ):
        rows = [f"2025-01-01T{i:02d}:00Z,{cell}" for i in range(9) for cell in cells.split()]
        model, mapping, done = drafted(tmp_path, "\n".join([f"time,{header}", *rows]))
        assert mapping.tables[0].unit_column == "unit"
        assert only(model).signals["temperature"].unit == "degC"
        assert {round(value, 2) for value in done.claims.value.tolist()} == {4.0, 4.44}


def test_a_unit_column_is_not_applied_to_a_quantity_that_it_doesnt_fit(tmp_path):
    model, _, done = drafted(tmp_path, table("temp,rh,unit", lambda i: f"{i}.5,{40 + i},°F"))
    assert {name: signal.unit for name, signal in only(model).signals.items()} == {"temperature": "degF", "humidity": "unknown"}  # fmt: skip
    assert (len(done.claims), done.unknown) == (48, {})


@pytest.mark.parametrize("header", ["Lat,Lon", "latitude,longitude", "gps.lat,gps.lng", "Breitengrad,Längengrad"])
def test_latitude_and_longitude_become_a_position_in_degrees(tmp_path, header):
    model, _, _ = drafted(tmp_path, table(header, lambda i: f"{50 + i / 1000:.3f},{-i / 1000:.3f}"))
    kind = only(model)
    assert [kind.signals[name].unit for name in kind.position] == ["degree", "degree"]
    assert max(kind.signals[name].resolution for name in kind.position) <= 1e-5


def test_a_latitude_out_of_range_is_no_position(tmp_path):
    model, _, _ = drafted(tmp_path, table("lat,lon", lambda i: f"{180 + i}.5,{i}.5"))
    assert only(model).position is None


@pytest.mark.parametrize(
    ("header", "values", "kind"),
    [
        ("energy (kWh)", lambda i: 100 + i, "counter"),
        ("energy (kWh)", lambda i: 0 if i == 5 else 100 + i, "counter"),
        ("energy (kWh)", lambda i: 9999 if i == 5 else 100 + i, "counter"),
        ("energy (kWh)", lambda i: (100 + i) if i < 12 else i - 12, "counter"),
        ("Kilometerstand", lambda i: 48_000 + i * 3, "counter"),
        ("rain total (mm)", lambda i: i // 2, "counter"),
        ("energy (kWh)", lambda i: 5 + i % 3, "gauge"),
        ("rain (mm)", lambda i: 2 if i % 9 == 4 else 0, "gauge"),
        ("temp (°C)", lambda i: 2 + i, "gauge"),
    ],
)
def test_totals_that_never_fall_but_for_resets_are_counters(tmp_path, header, values, kind):
    model, _, _ = drafted(tmp_path, table(header, lambda i: f"{values(i)}"))
    ((_, signal),) = only(model).signals.items()
    assert signal.kind == kind


def test_each_assets_counter_runs_by_itself(tmp_path):
    rows = [f"2025-01-01T{i:02d}:00Z,{m},{s + i}" for i in range(9) for m, s in (("A", 900), ("B", 10))]
    model, _, _ = drafted(tmp_path, "\n".join(["time,meter,kWh", *rows]))
    assert only(model).signals["energy"].kind == "counter"


def test_words_are_states_and_zero_and_one_are_states_with_a_question(tmp_path):
    model, _, done = drafted(tmp_path, table("ignition,alarm", lambda i: f"{'On' if i % 3 else 'Off'},{int(i == 4)}"))
    signals = only(model).signals
    assert {name: signal.states for name, signal in signals.items()} == {"ignition": {0: "Off", 1: "On"}, "alarm": {0: "0", 1: "1"}}  # fmt: skip
    assert [rule.at.rpartition("signals.")[2] for rule in model.questions] == ["alarm.states.1"]
    assert len(done.claims) == 48


@pytest.mark.parametrize("name", ["#", "RECORD", "index", "Unnamed: 0"])
def test_row_numbers_are_ignored(tmp_path, name):
    model, mapping, _ = drafted(tmp_path, table(f"{name},temp (°C)", lambda i: f"{i + 7},{i}.5"))
    assert list(only(model).signals) == ["temperature"]
    assert mapping.tables[0].ignore == [name]


def test_a_qualifier_beside_a_value_is_no_signal_and_is_asked_about(tmp_path):
    model, mapping, _ = drafted(tmp_path, table("77_00010,77_00010_cd,flag", lambda i: f"{i}.5,{'P' if i % 5 else 'A'},{'E' if i == 3 else ''}"))  # fmt: skip
    assert list(only(model).signals) == ["temperature"]
    table_rule = mapping.tables[0]
    assert table_rule.ignore == []
    assert table_rule.columns["77_00010"][0].status.codes == {"A": "pass", "P": "pass"}
    assert (table_rule.status.column, table_rule.status.codes, table_rule.status.blank) == (
        "flag",
        {"E": "suspect"},
        "pass",
    )
    assert [rule.at for rule in mapping.questions if "code" in rule.ask] == [
        "tables[0].status.codes.E",
        "tables[0].columns.77_00010.status.codes.A",
        "tables[0].columns.77_00010.status.codes.P",
    ]


def test_codes_that_are_words_need_no_question_and_unknown_ones_change_no_flag(tmp_path):
    codes = ["good", "Bad", "questionable", "X7"]
    _, mapping, _ = drafted(tmp_path, table("temp (°C),temp_qc,quality,flag", lambda i: f"{i}.5,{codes[i % 4]},ok,ok"))
    assert mapping.tables[0].columns["temp (°C)"][0].status.codes == {
        "good": "pass",
        "Bad": "fail",
        "questionable": "suspect",
        "X7": "not_evaluated",
    }
    asked = [(rule.at, rule.drafted) for rule in mapping.questions]
    assert ("tables[0].columns.temp (°C).status.codes.X7", "not_evaluated") in asked
    assert ("tables[0].ignore", None) in asked


def test_a_serial_number_in_the_headers_names_the_asset(tmp_path):
    _, mapping, _ = drafted(tmp_path, table('"Temp, °C (LGR S/N: 0042)"', lambda i: f"{i}.5"))
    assert (mapping.tables[0].asset.type, mapping.tables[0].asset.id) == ("logger", "0042")


def test_counter_evidence_needs_rises():
    import numpy as np

    hours = np.arange(6)
    assert counter_evidence(np.full(6, 5.0), np.zeros(6, np.int64), hours) is None
    assert counter_evidence(np.array([]), np.array([], np.int64), np.array([], np.int64)) is None


def test_words_among_numbers_are_listed_as_missing_with_counts_and_asked_about(tmp_path):
    words = {3: "Ice", 7: "Ice", 9: "Eqp"}
    model, mapping, done = drafted(tmp_path, table("level (m),room", lambda i: f"{words.get(i, f'{i}.5')},A{i}"))
    assert only(model).signals["level"].unit == "m"
    assert mapping.tables[0].columns["level (m)"][0].missing == ["Eqp", "Ice"]
    assert [(q.at, q.evidence) for q in mapping.questions] == [("tables[0].columns.level (m).missing", "'Eqp' in 1 rows, 'Ice' in 2 rows")]  # fmt: skip
    assert (len(done.claims), done.missing, done.problem_count) == (21, 3, 0)


def test_a_word_among_ids_or_states_stays_one_of_them(tmp_path):
    model, mapping, done = drafted(tmp_path, table("mode", lambda i: ["m1", "m2", "m3", "off"][i % 4]))
    assert list(only(model).signals["mode"].states.values()) == ["m1", "m2", "m3", "off"]
    assert (mapping.tables[0].columns["mode"][0].missing, len(done.claims)) == ([], 24)


def test_ids_with_leading_zeros_are_no_numbers_and_stay_as_written(tmp_path):
    rows = [f"2025-01-01T{i:02d}:00Z,{v},{i}.5" for i in range(9) for v in ("007", "008")]
    _, mapping, done = drafted(tmp_path, "\n".join(["time,vehicle,speed (km/h)", *rows]))
    assert mapping.tables[0].asset.column == "vehicle"
    assert {series.asset for series in done.claims.series} == {"007", "008"}


def test_planned_and_actual_dates_are_events_with_the_columns_that_identify_a_row_as_key(tmp_path):
    rows = ["Order,Line,Scheduled delivery,Delivered,Weight (kg)"]
    rows += [
        f"SO-{i // 2},{1 + i % 2},2025-03-{1 + i:02d},{'Not delivered' if i % 7 == 3 else f'2025-03-{3 + i:02d}'},"
        f"{'Weighed apart' if i % 6 == 2 else 10 * i}"
        for i in range(20)
    ]
    model, mapping, done = drafted(tmp_path, "\n".join(rows))
    (event,) = mapping.tables[0].events
    assert event.key == ["Order", "Line"]
    assert (event.planned_end.column, event.end.column) == ("Scheduled delivery", "Delivered")
    assert event.end.missing == ["Not delivered"]
    (kind,) = model.event_types.values()
    assert (kind.properties["weight"].dtype, kind.properties["weight"].unit) == ("number", "kg")
    assert sorted(rule.evidence for rule in mapping.questions) == [
        "'Not delivered' in 3 rows",
        "'Weighed apart' in 3 rows",
    ]
    assert done.problem_count == 0


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("parcel,scan,hub,time", ["parcel", "scan", "time"]),
        ("Sendung,Vorgang,Ort,Zeit", ["Sendung", "Vorgang", "Zeit"]),
    ],
)
def test_a_scan_log_is_events_of_what_was_scanned_linked_to_the_place(tmp_path, header, key):
    rows = [f"P{i:03d},{what},HUB{j},2025-01-0{j + 1} 10:{i:02d}" for i in range(20) for j, what in enumerate(("in", "out", "done"))]  # fmt: skip
    model, mapping, done = drafted(tmp_path, "\n".join([header, *rows]))
    (event,) = mapping.tables[0].events
    assert event.key == key
    assert event.asset.column == header.split(",")[0]
    assert list(event.links) == ["place"]
    (kind,) = model.event_types.values()
    assert len(kind.properties) == 1
    (found,) = done.events
    assert found.table.num_rows == 60
    assert found.table["start"] == found.table["end"]


def test_a_log_of_doors_is_no_scan_log(tmp_path):
    rows = [f"2025-01-01T{i:02d}:{d:02d}Z,door {d},{'open' if i % 2 else 'shut'}" for i in range(20) for d in range(5)]
    model, _, _ = drafted(tmp_path, "\n".join(["time,door,state", *rows]))
    assert not model.event_types


def test_rows_that_share_their_instants_are_events_if_a_key_identifies_them(tmp_path):
    rows = [f"2025-01-{1 + i // 8:02d},O-{i},{['red', 'blue'][i % 2]},{i}.5" for i in range(64)]
    model, mapping, done = drafted(tmp_path, "\n".join(["day,order,colour,price (EUR)", *rows]))
    (event,) = mapping.tables[0].events
    assert (event.key, sum(part.table.num_rows for part in done.events)) == (["order"], 64)
    (kind,) = model.event_types.values()
    assert kind.properties["price"].unit == "EUR"


def test_the_index_that_pandas_wrote_is_ignored_and_float32_has_no_invented_decimals(tmp_path):
    rows = 40
    table = pa.table(
        {
            "time": pa.array(np.arange(rows) * 3600, pa.timestamp("s")),
            "cond": pa.array(np.arange(rows) / 10 + 600.1, pa.float32()),
            "__index_level_0__": pa.array(range(rows)),
        }
    )
    pq.write_table(table, tmp_path / "log.parquet")
    model = parse_model(draft([tmp_path / "log.parquet"], name="x").model_yaml)
    ((name, signal),) = only(model).signals.items()
    assert (name, signal.resolution) == ("cond", 0.1)


def test_one_word_may_stand_for_no_value_in_most_cells_of_a_column(tmp_path):
    _, mapping, done = drafted(tmp_path, table("gust", lambda i: f"{i}.5" if i % 3 == 0 else "M"))
    assert mapping.tables[0].columns["gust"][0].missing == ["M"]
    assert (len(done.claims), done.problem_count) == (8, 0)


def test_a_property_named_as_a_column_of_the_event_table_gets_another_name(tmp_path):
    rows = [f"{i},DEBIT,2025-06-01T{i % 24:02d}:00Z,2025-06-02T{i % 24:02d}:30Z" for i in range(1, 40)]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(["Order Id,Type,ordered at start,shipped end", *rows]))
    model = parse_model(draft([path], name="x").model_yaml)
    assert "order_type" in model.event_types["order"].properties


@pytest.mark.parametrize(
    ("values", "resolution", "note"),
    [
        ([1.5e-7, 3.25e-7, 0.0], "0.000000001", "decimals seen: 9"),
        ([0.0265880123, 0.0271230004, 0.0], "0.000000001", "decimals seen: more than 9, values are rounded"),
        ([1e-13, 2e-13, 5e-13], "0.0000000000001", "decimals seen: 13"),
        ([0.1 + 0.2, 0.3 - 0.1, 0.1 + 0.2 - 0.3], "0.1", "decimals seen: 1"),
        ([2e9, 1.5e9, 123456789.25], "0.01", "decimals seen: 2"),
        ([20.5, 21.25, 19.0], "0.01", "decimals seen: 2"),
    ],
)
def test_small_and_long_numbers_keep_at_least_six_digits(tmp_path, values, resolution, note):
    rows = [f"2026-03-01T00:0{n}Z,{value!r}" for n, value in enumerate(values)]
    (tmp_path / "gauge.csv").write_text("\n".join(["time,leak", *rows]) + "\n")
    twin = tl.create(tmp_path / "twin", files=[tmp_path / "gauge.csv"])
    line = next(line for line in (tmp_path / "twin/twin.yaml").read_text().splitlines() if "resolution" in line)
    assert line.split(" # ")[0].split(":")[1].strip() == resolution
    assert note in line
    twin.ingest(tmp_path / "gauge.csv")
    found = twin.history("gauge").leak.values[:, 0]
    np.testing.assert_allclose(found, values, rtol=1e-9, atol=float(resolution) / 2)
