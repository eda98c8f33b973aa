"""Tables for spreadsheet programs: text that looks like a formula stays text in every program."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from twinlab._spreadsheets import write_csv, write_csv_tables, write_workbook
from twinlab.errors import SchemaError

ATTACKS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0"]
HARMLESS = ["-5", "+3.5e4", "late", "a=b", "", "1-2"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    texts = [*ATTACKS, *HARMLESS]
    return pd.DataFrame(
        {
            "=id": texts,
            "number": [-1.5, *range(len(texts) - 1)],
            "when": pd.Timestamp("2026-03-01T12:00Z"),
            "kind": pd.Categorical(texts),
        }
    )


@pytest.fixture(scope="module")
def convert(
    need: Callable[[str], Path | None], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path, str], Path]:
    """Return ``convert(path, suffix)``: LibreOffice opens a file and saves it in another format."""
    office, home = need("soffice"), tmp_path_factory.mktemp("office")

    def run(path: Path, suffix: str) -> Path:
        out = path.parent / "converted"
        command = [
            str(office),
            f"-env:UserInstallation=file://{home}",
            "--headless",
            "--convert-to",
            suffix,
            "--outdir",
            str(out),
            str(path),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return out / f"{path.stem}.{suffix}"

    return run


def test_excel_has_each_text_as_text(table: pd.DataFrame, tmp_path: Path) -> None:
    write_workbook(tmp_path / "t.xlsx", {"notes": table})
    sheet = openpyxl.load_workbook(tmp_path / "t.xlsx")["notes"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    # XML has no bare return: openpyxl reads Excel's escape for it.
    assert [cell.value for cell in cells][:5] == ATTACKS[:5]
    assert sheet["A1"].value == "=id"
    assert sheet["A1"].data_type == "s"
    assert sheet["B2"].value == -1.5


def test_libreoffice_evaluates_nothing_of_either_file(
    table: pd.DataFrame, tmp_path: Path, convert: Callable[[Path, str], Path]
) -> None:
    write_workbook(tmp_path / "t.xlsx", {"notes": table})
    write_csv(table, tmp_path / "c.csv")
    assert pd.read_csv(convert(tmp_path / "t.xlsx", "csv"), keep_default_na=False).iloc[:4, 0].tolist() == ATTACKS[:4]
    sheet = openpyxl.load_workbook(convert(tmp_path / "c.csv", "xlsx")).active
    assert sheet is not None
    found = [cell for row in sheet.iter_rows(min_row=2) for cell in (row[0], row[3])]
    assert "f" not in {cell.data_type for cell in found}
    assert sheet["A2"].value == "'=1+1"


def test_csv_marks_what_would_be_evaluated_and_nothing_else(table: pd.DataFrame, tmp_path: Path) -> None:
    write_csv(table, tmp_path / "c.csv")
    read = pd.read_csv(tmp_path / "c.csv", dtype=str, keep_default_na=False)
    assert read.columns[0] == "'=id"
    for column in (read.columns[0], "kind"):
        assert read[column].tolist() == [*(f"'{text}" for text in ATTACKS), *HARMLESS]
    assert read["number"][0] == "-1.5"
    assert read["when"][0] == "2026-03-01T12:00:00Z"


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*ATTACKS, *HARMLESS, "a,b", 'q"q', "", "line\nbreak"]),
            st.none() | st.floats(allow_nan=False),
            st.integers(0, 255),
            st.none() | st.integers(-(2**62), 2**62),
        )
    ),
    st.integers(1, 3),
)
def test_csv_of_arrow_tables_in_pieces_is_that_of_one_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float | None, int, int | None]], pieces: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    names, numbers, flags, seconds = zip(*rows, strict=True) if rows else ((), (), (), ())
    schema = pa.schema(
        [("=id", pa.dictionary(pa.int32(), pa.string())), ("v,1", pa.float64()), ("flag", pa.uint8()),
         ("when", pa.timestamp("ns"))]
    )  # fmt: skip
    texts = pa.array(names, pa.string()).dictionary_encode()
    whole = [None if one is None else one // 10**9 * 10**9 for one in seconds]
    table = pa.table([texts, pa.array(numbers, pa.float64()), pa.array(flags, pa.uint8()), whole], schema=schema)
    size = max(1, -(-len(rows) // pieces))
    write_csv_tables(schema, [table.slice(at, size) for at in range(0, len(rows), size)], folder / "pieces.csv")
    write_csv(table.to_pandas().astype({"=id": "str"}), folder / "one.csv")
    read = [pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False) for name in ("pieces", "one")]
    pd.testing.assert_frame_equal(*read)
    if not any("\r" in name for name in names):
        assert (folder / "pieces.csv").read_bytes() == (folder / "one.csv").read_bytes()


def test_csv_of_arrow_tables_has_fractions_of_a_second_where_times_have(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    table = pa.table({"time": pa.array(["2026-03-01T12:00:00.250", None]).cast(pa.timestamp("ms"))})
    write_csv_tables(table.schema, [table], path)
    assert path.read_text() == 'time\n2026-03-01T12:00:00.250Z\n""\n'


def test_an_export_of_a_twin_goes_through_the_same_writers(tmp_path: Path) -> None:
    path = tmp_path / "jobs.csv"
    rows = [f"J{i},2026-01-{1 + i % 27:02d} 08:00,2026-01-{1 + i % 27:02d} 09:00,=1+{i}" for i in range(40)]
    path.write_text("\n".join(["job id,start,end,note", *rows]) + "\n", encoding="utf-8")
    twin = tl.create(tmp_path / "pilot", files=[path])
    twin.ingest(path)
    (kind,) = twin.model.event_types
    twin.export(kind, tmp_path / "jobs_out.xlsx")
    twin.export(kind, tmp_path / "jobs_out.csv")
    book = openpyxl.load_workbook(tmp_path / "jobs_out.xlsx")
    types = {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row}
    assert "f" not in types
    assert "'=1+3" in (tmp_path / "jobs_out.csv").read_text(encoding="utf-8")


def test_a_table_longer_than_a_sheet_is_refused(
    monkeypatch: pytest.MonkeyPatch, table: pd.DataFrame, tmp_path: Path
) -> None:
    monkeypatch.setattr("twinlab._spreadsheets.SHEET_ROWS", 3)
    with pytest.raises(SchemaError, match="an Excel sheet has at most 2 rows, the table has 14"):
        write_workbook(tmp_path / "t.xlsx", {"notes": table})
    assert not (tmp_path / "t.xlsx").exists()


def test_csv_of_a_table_has_fractions_of_a_second_where_a_column_has_them_and_times_in_utc(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "start": pd.to_datetime(["2026-03-01T12:00:00.250", "2026-03-01T12:00:01", None], format="ISO8601"),
            "end": pd.to_datetime(["2026-03-01T12:00:00.000000001", None, None], format="ISO8601"),
            "local": pd.to_datetime(["2026-03-01", "2026-03-01 06:30", None], format="ISO8601").tz_localize("+01:00"),
            "none": pd.to_datetime([None] * 3),
        }
    )
    write_csv(table, tmp_path / "times.csv")
    assert (tmp_path / "times.csv").read_text().split() == [
        "start,end,local,none",
        "2026-03-01T12:00:00.250Z,2026-03-01T12:00:00.000000001Z,2026-02-28T23:00:00Z,",
        "2026-03-01T12:00:01.000Z,,2026-03-01T05:30:00Z,",
        ",,,",
    ]
