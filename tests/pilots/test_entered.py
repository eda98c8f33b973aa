"""What people enter: units, days and times, and an error with file, row and column for everything else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from twinlab.errors import SchemaError, SourceError, UnitError, UnknownTermError
from twinlab.pilots.entered import read_complaints, read_measurements
from twinlab.pilots.settings import PilotSettings

SETTINGS = PilotSettings.model_validate(
    {
        "twin": "twin", "zone": "Europe/Berlin", "questions": [{"question": "?"}],
        "before": {"first": "2026-03-16", "last": "2026-03-29"}, "during": {"first": "2026-03-30", "last": "2026-04-12"},
    }
)  # fmt: skip
HEAD = "measure,day,value,unit,source\n"


def measured(folder: Path, text: str) -> pd.DataFrame:
    (folder / "measurements.csv").write_text(text, encoding="utf-8")
    return read_measurements(folder, SETTINGS)


def complained(folder: Path, text: str) -> pd.DataFrame:
    (folder / "complaints.csv").write_text(f"time,about,noticed,source\n{text}", encoding="utf-8")
    return read_complaints(folder, SETTINGS, types=lambda name: name in ("parcel", "leg"))


def test_units_of_time_are_converted_and_the_day_says_the_phase(tmp_path: Path) -> None:
    rows = "time_to_find,2026-03-16,2.5,min,ann\ntime_to_find,2026-03-30,40,s,ann\n\ncleaning_time,2026-04-12,1,h,bob\n"
    table = measured(tmp_path, HEAD + rows)
    assert table["value"].tolist() == [150.0, 40.0, 60.0]
    assert table["phase"].tolist() == ["before", "during", "during"]


def test_a_sheet_saved_with_semicolons_and_decimal_commas_is_read(tmp_path: Path) -> None:
    table = measured(tmp_path, "\ufeffmeasure;day;value;unit;source\ntime_to_find;2026-03-16;2,5;min;ann\n")
    assert table["value"].tolist() == [150.0]


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        ("time_to_find,2026-03-16,2.5,kg,ann", UnitError, r"measurements.csv:2, column 'unit': expected a unit of time .* 'kg'"),
        ("time_to_find,2026-03-16,2.5,,ann", SchemaError, "column 'unit': expected a value, got an empty cell"),
        ("time_to_find,,2.5,min,ann", SchemaError, "column 'day': expected a value, got an empty cell"),
        ("time_to_find,16.3.2026,2.5,min,ann", SchemaError, "column 'day': expected a day such as"),
        ("time_to_find,2026-03-16,,min,ann", SchemaError, "column 'value'"),
        ('time_to_find,2026-03-16,"2,5",min,ann', SchemaError, "with a decimal point, got '2,5'"),
        ("time_to_find,2026-03-16,-1,min,ann", SchemaError, "at least 0"),
        ("time_to_find,2026-03-16,nan,min,ann", SchemaError, "column 'value'"),
        ("time_to_find,2026-03-16,2.5,min,", SchemaError, "column 'source'"),
        ("time_to_find,2026-03-15,2.5,min,ann", SchemaError, "expected a day of 2026-03-16 to 2026-03-29 or 2026-03-30 to"),
        ("time_to_fnd,2026-03-16,2.5,min,ann", UnknownTermError, "did you mean 'time_to_find'"),
        ("alarms,2026-03-16,3,,log", SchemaError, "expected a row of false_alarms of the same day"),
        ("alarms,2026-03-16,3,,log\nfalse_alarms,2026-03-16,4,,log", SchemaError, "measurements.csv:3: expected at most as many"),
        ("alarms,2026-03-16,3,,log\nalarms,2026-03-16,4,,log", SchemaError, "are there twice"),
        ("alarms,2026-03-16,3,min,log", SchemaError, "without a unit, got '3 min'"),
        ("alarms,2026-03-16,2.5,,log", SchemaError, "whole number"),
        ("alarms,2026-03-30,3,,log", SchemaError, "are counted by the twin"),
        ("time_to_find,2026-03-16,2.5,min,ann, who measured", SchemaError, "put a text with a comma in quotes"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_with_what_was_expected(
    tmp_path: Path, row: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        measured(tmp_path, HEAD + row + "\n")


def test_a_missing_file_or_column_says_which(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no measurements\.csv"):
        read_measurements(tmp_path, SETTINGS)
    with pytest.raises(SchemaError, match="unit missing"):
        measured(tmp_path, "measure,day,value,source\n")
    with pytest.raises(SchemaError, match="got none"):
        measured(tmp_path, "")


def test_times_of_complaints_are_of_the_pilots_zone(tmp_path: Path) -> None:
    table = complained(tmp_path, "2026-03-16T08:00,parcel/P1,,mail\n2026-03-30T08:00,leg/L/2,2026-03-30T05:30Z,mail\n")
    assert table["time"].astype(str).tolist() == ["2026-03-16 07:00:00", "2026-03-30 06:00:00"]
    assert str(table["noticed"][1]) == "2026-03-30 05:30:00"
    assert table["id"].tolist() == ["P1", "L/2"]


@pytest.mark.parametrize(
    ("row", "kind", "said"),
    [
        ("2026-03-29T02:30,parcel/P1,,mail", SchemaError, "complaints.csv:2, column 'time': expected a time"),
        ("2026-03-16,parcel/P1,,mail", SchemaError, "expected a time such as"),
        ("2026-05-16T08:00,parcel/P1,,mail", SchemaError, "is in neither span"),
        ("2026-03-16T08:00,P1,,mail", UnknownTermError, "type/id"),
        ("2026-03-16T08:00,truck/P1,,mail", UnknownTermError, "got 'truck/P1'"),
        ("2026-03-16T08:00,parcel/P1,yesterday,mail", SchemaError, "column 'noticed'"),
        ("2026-03-16T08:00,parcel/P1,,", SchemaError, "column 'source'"),
    ],
)
def test_a_wrong_complaint_is_named(tmp_path: Path, row: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        complained(tmp_path, row + "\n")


def test_settings_name_each_fault() -> None:
    given = SETTINGS.model_dump()
    for changed, said in (
        ({"zone": "Europe/Berln"}, "did you mean 'Europe/Berlin'"),
        ({"before": {"first": "2026-03-29", "last": "2026-03-16"}}, "swap them"),
        ({"before": {"first": "2026-03-16", "last": "2026-03-30"}}, "is no baseline"),
        ({"during": {"first": "", "last": "2026-04-12"}}, "expected a day such as"),
        ({"aims": {"false_alarms": 20}}, "less than or equal to 1"),
    ):
        with pytest.raises(ValueError, match=said):
            PilotSettings.model_validate(given | changed)
