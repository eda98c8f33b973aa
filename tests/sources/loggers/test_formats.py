"""Exports of loggers and historians: recognised by signature, every row read or reported with its number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinlab.errors import SchemaError
from twinlab.sources import open_source
from twinlab.testing import check_file_format

TOA5 = (
    '"TOA5","Ridge","CR300","77","CR300.Std.10","CPU:r.CR300","99","Hourly"\n'
    '"TIMESTAMP","RECORD","BattV_Min","AirTC_Avg","Note"\n'
    '"TS","RN","Volts","Deg C",""\n'
    '"","","Min","Avg","Smp"\n'
    '"2025-03-01 00:00:00",7,12.5,"NAN","007"\n'
    '"2025-03-01 01:00:00",8,12.4,-1.25,"008"\n'
)
HOBO = (
    '"Plot Title: Cellar 2"\n'
    '"#","Date Time, GMT+01:00","Temp, °C (LGR S/N: 99, SEN S/N: 99)","RH, % (LGR S/N: 99, SEN S/N: 98)",'
    '"Coupler Attached (LGR S/N: 99)"\n'
    "1,03/01/25 00:00:00,7.5,81,\n"
    "2,03/01/25 00:30:00,,,Logged\n"
)
RDB = (
    "# U.S. Geological Survey\n#\n#    TS   parameter  statistic  Description\n"
    "#    5001  00060      00003      Discharge, cubic feet per second (Mean)\n#\n"
    "agency_cd\tsite_no\tdatetime\ttz_cd\t5001_00060_00003\t5001_00060_00003_cd\n"
    "5s\t15s\t20d\t6s\t14n\t10s\n"
    "USGS\t01234\t2025-03-01 00:00\tEST\t12.5\tA\nUSGS\t01234\t2025-03-01 00:15\tEST\tIce\tA\n"
)
PI = (
    "Timestamp,TI101.PV,FI7.PV\n01-Mar-25 00:00:00,4.5,Bad Input\n01-Mar-25 00:01:00,I/O Timeout,No Data\n"
    "01-Mar-25 00:02:00,4.75,No Data\n01-Mar-25 00:03:00,4.5,1\n"
)
DESKTOP = (
    "\t\tTemp\tHi\tWind\nDate\tTime\tOut\tTemp\tSpeed\n1/03/25\t12:30a\t4.5\t4.6\t---\n1/03/25\t1:00a\t4.4\t4.5\t2\n"
)
SPACED = (
    "                  Temp     Hi   Wind\n"
    "  Date    Time     Out   Temp  Speed\n"
    "--------------------------------------\n"
    " 1/03/25  12:30a   4.5    4.6    ---\n 1/03/25   1:00a   4.4    4.5      2\n"
)
WEB = (
    '"Hut"\n"01/03/2025","02/03/2025"\n\n'
    '"Date & Time","Temp - °C","Wind Speed - km/h"\n'
    '"1/3/25 0:00","4.5","--"\n"1/3/25 0:15","4.25","3"\n'
)
LINES = (
    "# exported\n"
    "room,id=a\\ b,floor=2 temp=4.5,open=t,n=12i 1740787200000000000\n"
    'room,id=c temp=-1e-1,note="5\\" pipe, wet" 1740787260000000000\n'
    "room,id=c temp=warm 1740787320000000000\n"
    "meter,id=m kwh=10.25 1740787200000000000\n"
)

FILES = [
    ("toa5", "ridge.dat", TOA5, 2, ()),
    ("hobo", "cellar.csv", HOBO, 2, ()),
    ("rdb", "river.txt", RDB, 2, ()),
    ("pi", "tags.csv", PI, 4, ()),
    ("weatherlink", "hut.txt", DESKTOP, 2, ()),
    ("weatherlink", "hut_spaced.txt", SPACED, 2, ()),
    ("weatherlink", "hut.csv", WEB, 2, ()),
    ("line_protocol", "rooms.txt", LINES, 3, (4,)),
]


def _write(folder: Path, name: str, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def _rows(path: Path) -> list[dict[str, Any]]:
    return [row for batch in open_source(path).batches() for row in batch.rows.to_pylist()]


def _problems(path: Path) -> dict[int, str]:
    return {one.row: one.reason for batch in open_source(path).batches() for one in batch.problems}


@pytest.mark.parametrize(("name", "file", "text", "rows", "problems"), FILES, ids=[file for _, file, *_ in FILES])
def test_each_format_is_recognised_and_conforms(
    tmp_path: Path, name: str, file: str, text: str, rows: int, problems: tuple[int, ...]
) -> None:
    check_file_format(name, _write(tmp_path, file, text), rows=rows, problem_rows=problems)


@pytest.mark.parametrize(("name", "file", "text", "rows", "problems"), FILES, ids=[file for _, file, *_ in FILES])
def test_a_byte_order_mark_and_other_line_ends_change_nothing(
    tmp_path: Path, name: str, file: str, text: str, rows: int, problems: tuple[int, ...]
) -> None:
    plain = _rows(_write(tmp_path, file, text))
    lines = text.split("\n")
    mixed = "".join(line + ("\r\n" if place % 2 else "\n") for place, line in enumerate(lines[:-1]))
    for changed in (text.replace("\n", "\r\n"), mixed):
        path = _write(tmp_path, file, changed, encoding="utf-8-sig")
        assert open_source(path).reading.format == name  # type: ignore[attr-defined]
        assert _rows(path) == plain
        assert set(_problems(path)) == set(problems)
    assert len(plain) == rows


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [(name, file, text) for name, file, text, *_ in FILES if name not in {"line_protocol", "weatherlink"}],
    ids=[file for name, file, *_ in FILES if name not in {"line_protocol", "weatherlink"}],
)
def test_a_row_with_another_number_of_cells_is_reported_with_its_number(
    tmp_path: Path, name: str, file: str, text: str
) -> None:
    delimiter = "\t" if name == "rdb" else ","
    path = _write(tmp_path, file, text + delimiter.join(["x"] * 9) + "\n")
    last = text.count("\n") + 1
    assert _problems(path)[last].startswith("9 cells where ")


def test_a_mapping_without_a_format_reads_the_file_as_before(tmp_path: Path) -> None:
    path = _write(tmp_path, "cellar.csv", HOBO)
    assert open_source(path, signatures=False).reading.format == "csv"  # type: ignore[attr-defined]
    stated = open_source(path, reading={"format": "hobo"}, signatures=False)
    assert stated.reading.format == "hobo"  # type: ignore[attr-defined]


def test_toa5_has_units_of_the_third_line_and_the_station_in_every_row(tmp_path: Path) -> None:
    source = open_source(_write(tmp_path, "ridge.dat", TOA5))
    (batch,) = source.batches()
    assert batch.units == {"BattV_Min": "Volts", "AirTC_Avg": "Deg C"}
    assert batch.row_numbers.tolist() == [5, 6]
    assert batch.rows.column("station").to_pylist() == ["Ridge", "Ridge"]
    assert batch.rows.column("AirTC_Avg").to_pylist() == [None, -1.25]
    assert batch.rows.column("AirTC_Avg␟text").to_pylist() == ["NAN", None]
    assert batch.rows.column("Note").to_pylist() == ["007", "008"]
    header = source.header()  # type: ignore[attr-defined]
    assert header.notes["BattV_Min"] == "minimum over the logger's interval"
    assert set(header.ignored) == {"RECORD"}


def test_toaci1_has_no_lines_of_units(tmp_path: Path) -> None:
    text = '"TOACI1","Pk","Min10"\n"TMSTAMP","RECNBR","GHI_Avg"\n"2015-09-17 16:30:00",7,471.45\n'
    path = _write(tmp_path, "pk.dat", text)
    check_file_format("toa5", path, rows=1)
    assert _rows(path)[0]["GHI_Avg"] == 471.45


def test_a_converted_tob_table_may_have_a_line_of_types(tmp_path: Path) -> None:
    text = (
        '"TOB1","Ridge","CR300","77","os","prog","99","Fast"\n"SECONDS","NANOSECONDS","RECORD","u"\n"SECONDS","NANOSECONDS",'
        '"RN","m/s"\n"","","","Smp"\n"ULONG","ULONG","ULONG","FP2"\n1109721600,0,1,0.25\n'
    )
    path = _write(tmp_path, "fast.csv", text)
    check_file_format("toa5", path, rows=1)
    assert _rows(path)[0]["u"] == 0.25


@pytest.mark.parametrize(
    ("file", "text", "row"),
    [
        ("ridge.dat", '"TOA5","Ridge","CR300"\n', 2),
        ("ridge.dat", '"TOA5","Ridge"\n"TIMESTAMP","RECORD","T"\n"TS","RN","C"\n', 4),
        ("ridge.dat", '"TOA5","Ridge"\n"TIMESTAMP","RECORD","T"\n"2025-03-01 00:00:00",1,2\n', 3),
        ("cellar.csv", '"Plot Title: Cellar"\n', 2),
    ],
)
def test_a_truncated_header_is_refused_with_its_row(tmp_path: Path, file: str, text: str, row: int) -> None:
    source = open_source(_write(tmp_path, file, text))
    with pytest.raises(SchemaError, match=f"row {row}: expected .*: export it again"):
        list(source.batches())


def test_binary_tob_is_refused(tmp_path: Path) -> None:
    head = b'"TOB1","Ridge"\r\n"SECONDS","u"\r\n"S","m/s"\r\n"","Smp"\r\n"ULONG","FP2"\r\n'
    path = tmp_path / "fast.dat"
    path.write_bytes(head + bytes(range(256)) * 8)
    with pytest.raises(SchemaError, match=r"binary"):
        list(open_source(path).batches())


def test_hobo_names_have_units_and_zone_but_no_serial_numbers(tmp_path: Path) -> None:
    row = _rows(_write(tmp_path, "cellar.csv", HOBO))[1]
    assert row == {
        "#": 2, "Date Time, GMT+01:00": "03/01/25 00:30:00", "Temp, °C": None, "RH, %": None,
        "Coupler Attached": "Logged", "Logger": "99", "Plot Title": "Cellar 2",
    }  # fmt: skip


def test_hobo_columns_of_one_name_are_told_apart_by_label_or_sensor(tmp_path: Path) -> None:
    text = (
        '"#","Date Time, GMT-05:00","Temp, °F (LGR S/N: 5, SEN S/N: 6, LBL: in)","Temp, °F (LGR S/N: 5, SEN S/N: 7)"\n'
        "1,03/01/25 00:00:00,70.5,30.25\n"
    )
    path = _write(tmp_path, "two.csv", text)
    check_file_format("hobo", path, rows=1)
    assert list(_rows(path)[0]) == ["#", "Date Time, GMT-05:00", "Temp in, °F", "Temp 7, °F", "Logger"]


def test_hobo_with_semicolons_and_decimal_commas_in_cp1252(tmp_path: Path) -> None:
    text = '"Nr.";"Datum Zeit, GMT+01:00";"Temp, °C (LGR S/N: 5, SEN S/N: 5)"\n1;03.01.25 00:00;7,5\n2;03.01.25 00:30;7,25\n'
    path = _write(tmp_path, "keller.csv", text, encoding="cp1252")
    check_file_format("hobo", path, rows=2)
    assert [row["Temp, °C"] for row in _rows(path)] == [7.5, 7.25]


def test_rdb_keeps_leading_zeros_and_words_among_numbers(tmp_path: Path) -> None:
    (batch,) = open_source(_write(tmp_path, "river.txt", RDB)).batches()
    assert batch.rows.column("site_no").to_pylist() == ["01234", "01234"]
    assert batch.rows.column("5001_00060_00003").to_pylist() == [12.5, None]
    assert batch.rows.column("5001_00060_00003␟text").to_pylist() == [None, "Ice"]
    assert batch.units == {"5001_00060_00003": "ft3/s"}
    assert batch.row_numbers.tolist() == [8, 9]


def test_digital_states_stay_texts_beside_numbers(tmp_path: Path) -> None:
    (batch,) = open_source(_write(tmp_path, "tags.csv", PI)).batches()
    assert batch.rows.column("TI101.PV").to_pylist() == [4.5, None, 4.75, 4.5]
    assert batch.rows.column("FI7.PV").to_pylist() == [None, None, None, 1]
    assert batch.rows.column("FI7.PV␟text").to_pylist() == ["Bad Input", "No Data", "No Data", None]


def test_weatherlink_names_are_joined_over_two_lines(tmp_path: Path) -> None:
    for file, text in (("hut.txt", DESKTOP), ("spaced.txt", SPACED)):
        assert list(_rows(_write(tmp_path, file, text))[0])[:5] == ["Date", "Time", "Temp Out", "Hi Temp", "Wind Speed"]
    row = _rows(_write(tmp_path, "hut.csv", WEB))[0]
    assert row == {"Date & Time": "1/3/25 0:00", "Temp - °C": 4.5, "Wind Speed - km/h": None, "Wind Speed - km/h␟text": "--", "station": "Hut"}  # fmt: skip


def test_line_protocol_has_a_table_for_each_measurement(tmp_path: Path) -> None:
    path = _write(tmp_path, "rooms.txt", LINES)
    tables = {batch.table: batch.rows.to_pylist() for batch in open_source(path).batches()}
    assert tables["room"][0] == {
        "id": "a b", "floor": 2, "temp": 4.5, "open": True, "n": 12, "time": 1740787200000000000, "note": None,
    }  # fmt: skip
    assert tables["room"][1]["note"] == '5" pipe, wet'
    assert tables["meter"] == [{"id": "m", "kwh": 10.25, "time": 1740787200000000000}]
    assert "'warm' is no value" in _problems(path)[4]


def test_many_points_come_in_bounded_batches_in_their_order(tmp_path: Path) -> None:
    lines = "".join(f"m{place % 2},id=a v={place}i {1740787200 + place}\n" for place in range(40_000))
    path = _write(tmp_path, "many.lp", lines)
    batches = list(open_source(path).batches())
    assert max(batch.rows.num_rows for batch in batches) <= 65_536
    assert len(batches) > 2
    evens = [value for batch in batches if batch.table == "m0" for value in batch.rows.column("v").to_pylist()]
    assert evens == list(range(0, 40_000, 2))
