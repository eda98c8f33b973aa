"""Drafts of exports of loggers and historians: asset, zone, units, processing and digital states from the header."""

import numpy as np

import twinlab as tl
from tests.harmonise.drafting.one_file import drafted


def toa5(*, rows=12, station="Ridge"):
    head = (
        f'"TOA5","{station}","CR300","77","os","prog","99","Hourly"\n"TIMESTAMP","RECORD","BattV_Min","AirTC_Avg"\n'
        '"TS","RN","Volts","Deg C"\n"","","Min","Avg"\n'
    )
    cells = ['"NAN"' if i == 3 else f"{i}.25" for i in range(rows)]
    return head + "".join(f'"2025-03-01 {i:02d}:00:00",{i},12.{i % 4},{cells[i]}\n' for i in range(rows))


def test_toa5_gives_the_station_units_and_processing_and_ignores_the_record_number(tmp_path):
    model, mapping, done = drafted(tmp_path, toa5(), name="ridge.dat")
    table = mapping.tables[0]
    assert mapping.reading == {"format": "toa5"}
    assert (table.asset.type, table.asset.column, table.ignore) == ("station", "station", ["RECORD"])
    signals = model.asset_types["station"].signals
    assert {name: (one.unit, one.definition) for name, one in signals.items()} == {
        "battery_voltage_minimum": ("V", "minimum over the logger's interval"),
        "air_temperature": ("degC", "mean over the logger's interval"),
    }
    assert (len(done.claims), done.missing, done.problem_count) == (23, 1, 0)


def test_one_mapping_reads_the_files_of_several_stations(tmp_path):
    first, second = tmp_path / "ridge.dat", tmp_path / "valley.dat"
    first.write_text(toa5(), encoding="utf-8")
    second.write_text(toa5(station="Valley"), encoding="utf-8")
    twin = tl.create(tmp_path / "twin", files=[first])
    mapping = tmp_path / "twin" / "mapping" / "ridge.yaml"
    text = mapping.read_text().replace("files: [ridge.dat]", 'files: ["*.dat"]').replace("table: ridge", 'table: "*"')
    mapping.write_text(text)
    report = tl.open(twin.folder).ingest(first, second)
    assert (report.unparseable, report.unknown) == (0, ())
    history = tl.open(twin.folder).history("station")
    assert sorted(history.asset.values.tolist()) == ["Ridge", "Valley"]
    assert "minimum over" in history.battery_voltage_minimum.attrs["comment"]


def test_hobo_gives_the_logger_the_zone_and_the_units_and_keeps_event_columns_available(tmp_path):
    text = (
        '"Plot Title: Cellar 2"\n"#","Date Time, GMT-05:00","Temp, °F (LGR S/N: 20111111, SEN S/N: 1)",'
        '"Coupler Attached (LGR S/N: 20111111)"\n'
    ) + "".join(f"{i + 1},01/{i + 10}/24 11:00:00 PM,{i}.5,{'Logged' if i == 9 else ''}\n" for i in range(10))
    model, mapping, done = drafted(tmp_path, text, name="cellar.csv")
    table = mapping.tables[0]
    assert (table.time.zone, table.asset.type, table.asset.column) == ("-05:00", "logger", "Logger")
    assert table.ignore == ["#", "Plot Title"]
    assert [(rule.type, rule.where[0].column) for rule in table.events] == [("coupler_attached", "Coupler Attached")]
    assert model.asset_types["logger"].signals["temperature"].unit == "degF"
    assert len(done.claims) == 10
    assert np.datetime64(int(done.claims.event_time.min()), "ns") == np.datetime64("2024-01-11T04:00")
    assert {one.asset for one in done.claims.series} == {"20111111"}


def test_rdb_gives_the_site_with_its_leading_zero_and_names_words_among_the_values(tmp_path):
    text = "site_no,datetime,tz_cd,00060,00060_cd\n5s,20d,6s,14n,10s\n" + "".join(
        f"00123,2025-03-01 {i:02d}:00,EST,{'Ice' if i == 4 else f'{i}.5'},A\n" for i in range(12)
    )
    model, mapping, done = drafted(tmp_path, text, name="river.csv")
    assert mapping.reading == {"format": "rdb"}
    assert model.asset_types["site"].signals["flow"].unit == "ft³/s"
    assert ({one.asset for one in done.claims.series}, len(done.claims)) == ({"00123"}, 11)


def test_digital_states_of_pi_are_listed_as_missing(tmp_path):
    states = ["Bad Input", "I/O Timeout", "No Data"]
    text = "Timestamp,TI1\n" + "".join(
        f"01-Mar-25 {i:02d}:00:00,{states[i // 3] if i % 3 == 0 else f'{i}.5'}\n" for i in range(9)
    )
    _, mapping, done = drafted(tmp_path, text, name="pi.csv")
    (rule,) = mapping.tables[0].columns["TI1"]
    assert (rule.missing, done.problem_count, len(done.claims)) == (sorted(states), 0, 6)


def test_a_commented_header_is_drafted_as_any_other(tmp_path):
    text = "# logger 20\n# site: dock\n#\n#time,temp (degC),rh (%)\n#\n" + "".join(
        f"2025-03-01 {i:02d}:00,{i}.5,6{i % 10}\n" for i in range(12)
    )
    model, mapping, done = drafted(tmp_path, text, name="dock.csv")
    assert mapping.tables[0].time.column == "time"
    (kind,) = model.asset_types.values()
    assert {name: one.unit for name, one in kind.signals.items()} == {"temperature": "degC", "humidity": "%"}
    assert len(done.claims) == 24
