"""The files of the network's systems."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.plant import Network, ParcelSize, PlantFiles, simulate_network, write_files

TINY = ParcelSize(hubs=3, trucks=2, cold_rooms=3, forklifts=1, parcels_a_week=20, weeks=1, start="2025-10-20")


def digests(files: PlantFiles) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (*files.files, *files.truth)}


def test_the_same_size_gives_the_same_bytes(
    written: PlantFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        again = write_files(simulate_network(ParcelSize.small()), tmp_path)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert digests(again) == digests(written)


def test_another_seed_gives_other_files_of_the_same_kinds(written: PlantFiles, tmp_path: Path) -> None:
    other = write_files(simulate_network(ParcelSize.small(seed=2)), tmp_path)
    mine, yours = digests(written), digests(other)
    assert {name for name in mine if mine[name] == yours.get(name)} == set()


@settings(max_examples=8)
@given(
    size=st.builds(
        ParcelSize,
        hubs=st.integers(2, 24),
        trucks=st.integers(1, 9),
        cold_rooms=st.integers(1, 4),
        forklifts=st.integers(1, 3),
        parcels_a_week=st.integers(1, 60),
        weeks=st.integers(1, 2),
        seed=st.integers(0, 2**32),
        start=st.sampled_from(["2025-10-20", "2026-03-23", "2024-12-30", "2026-01-05"]),
    )
)
def test_any_small_network_is_written_the_same_twice(
    size: ParcelSize, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first, second = (write_files(simulate_network(size), tmp_path_factory.mktemp("any")) for _ in range(2))
    assert digests(first) == digests(second)


def test_the_loggers_write_fahrenheit_with_decimal_commas_in_local_time(written: PlantFiles) -> None:
    text = (written.folder / "files" / "kuehllogger_BER.csv").read_bytes().decode("cp1252")
    head, _, body = text.partition("Datum;Uhrzeit;Raum;Temperatur °F;Tür;Verdichter\r\n")
    assert head.startswith("Kühlraumüberwachung BER\r\n")
    rows = [line.split(";") for line in body.strip().split("\r\n")]
    assert all("," in row[3] and "." not in row[3] for row in rows)
    sunday = [row[1] for row in rows if row[0] == "29.03.2026"]
    assert [clock for clock in sunday if clock.startswith("02")] == []
    assert sunday[sunday.index("01:55") + 1] == "03:00"


def test_the_repeated_hour_of_autumn_is_twice_in_the_loggers_files(tmp_path: Path) -> None:
    files = write_files(simulate_network(TINY), tmp_path)
    path = next(path for path in files.files if path.name == "kuehllogger_BER.csv")
    rows = [line.split(";")[1] for line in path.read_text("cp1252").splitlines() if line.startswith("26.10.2025;02:")]
    assert rows[:24].count("02:00") == 2


def test_one_logger_has_another_header(written: PlantFiles) -> None:
    assert "Timestamp;Room;Temp [°F];Door;Compressor" in (written.folder / "files" / "kuehllogger_HAM.csv").read_text(
        "cp1252"
    )


def test_every_line_of_the_telematics_is_json(written: PlantFiles) -> None:
    keys = {}
    for path in written.files:
        if path.name.endswith(".jsonl.gz"):
            lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
            keys[path.name.split("_")[0]] = {tuple(line) for line in lines}
    assert keys == {
        "fleetbox": {("id", "ts", "gps", "kmh", "odo_km", "fuel_l")},
        "roadtrace": {("vehicle", "time", "position", "speed_mph", "odometer_mi", "fuel_gal")},
        "forklifts": {("lift", "at", "battery", "load_kg", "mode")},
    }


def test_the_erp_has_every_parcel_with_its_legs(written: PlantFiles, network: Network) -> None:
    with closing(sqlite3.connect(written.folder / "files" / "erp.sqlite")) as database:
        count = {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("parcels", "legs")
        }
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert count == {"parcels": len(network.parcels), "legs": len(network.parcels.leg_parcel)}


def test_the_dispatch_sheet_has_every_trip_once_and_the_edits_of_the_truth(
    written: PlantFiles, network: Network
) -> None:
    book = openpyxl.load_workbook(written.folder / "files" / "disposition.xlsx")
    rows = {row[0].value: (sheet.title, row) for sheet in book for row in sheet.iter_rows(min_row=4) if row[0].value}
    assert sorted(rows) == network.trips.ids()
    edits = pd.read_csv(written.folder / "truth" / "hand_edits.csv", dtype=str, keep_default_na=False)
    assert set(edits["kind"]) == {"about", "spelt readable", "spelt unreadable", "note", "remark"}
    for edit in edits.itertuples():
        sheet, row = rows[edit.trip]
        cell = next(cell for cell in row if book[sheet].cell(3, cell.column).value == edit.column)
        assert (sheet, cell.row) == (edit.sheet, int(edit.row))
        assert edit.text == (cell.comment.text if edit.kind == "note" else cell.value)
    cancelled = [name for name, (_, row) in rows.items() if row[8].value == "storniert"]
    assert len(cancelled) == int(network.trips.cancelled.sum()) >= 2
    assert all(rows[name][1][5].value is None for name in cancelled)


def test_nothing_that_happens_after_the_end_is_in_the_files(written: PlantFiles) -> None:
    stop = ParcelSize.small().stop.strftime("%Y-%m-%d %H:%M:%S")
    with closing(sqlite3.connect(written.folder / "files" / "erp.sqlite")) as database:
        for table, column in (
            ("legs", "departed"), ("legs", "arrived"), ("parcels", "registered"), ("parcels", "delivered"),
            ("stays", "since"), ("stays", "until"),
        ):  # fmt: skip
            assert database.execute(f"SELECT max({column}) FROM {table}").fetchone()[0] < stop


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"start": "2026-01-06"}, "Monday"),
        ({"start": "soon"}, "such as 2026-01-05"),
        ({"hubs": 99}, "at most 24"),
        ({"trucks": 0}, "at least 1"),
        ({"weeks": 1.5}, "whole number"),
    ],
)
def test_invalid_sizes_are_refused_with_the_expected_values(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        ParcelSize(**wrong)  # type: ignore[arg-type]
