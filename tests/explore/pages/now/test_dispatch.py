"""The dispatcher's workbook: export of exceptions, import of edited notes."""

import io
import subprocess
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.events import exceptions
from twinlab.explore.pages.now.dispatch.fingerprint import cleaned
from twinlab.explore.pages.now.dispatch.reading import apply_changes, read_sheet
from twinlab.explore.pages.now.dispatch.writing import write_sheet
from twinlab.testing import FakeTwin

AT = "2026-01-03T21:58"


@pytest.fixture(scope="module")
def table():
    return exceptions(FakeTwin.example(days=3, trips=5), at=AT)


@pytest.fixture
def twin():
    return FakeTwin.example(days=1, trips=5)


def written(table, **options):
    out = io.BytesIO()
    write_sheet(table, out, at=AT, title="Three stations", **options)
    return out.getvalue()


def edited(content, edit):
    """The workbook after ``edit(sheet, column)``; ``column`` gives the place of a header."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["Exceptions"]
    edit(sheet, lambda header: next(cell.column for cell in sheet[1] if cell.value == header))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def typed(content, row, *, note=None, acknowledged=None):
    def edit(sheet, column):
        if note is not None:
            sheet.cell(row, column("Note")).value = note
        if acknowledged is not None:
            sheet.cell(row, column("Acknowledged")).value = acknowledged

    return edited(content, edit)


def reasons(found):
    return {one.row: one.reason for one in found.refused}


# -- out --------------------------------------------------------------------------------------------------------------


def test_it_has_dates_text_a_frozen_header_and_hidden_keys(table):
    book = openpyxl.load_workbook(io.BytesIO(written(table, settings={"Rules": "all"}, code="data = 1\nprint(data)")))
    sheet = book["Exceptions"]
    head = {cell.value: cell.column_letter for cell in sheet[1]}
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:N{len(table) + 1}"
    assert sheet[f"{head['Severity']}2"].value == "high"
    assert sheet[f"{head['Severity']}2"].fill.fgColor.rgb == "FFD55E00"
    assert sheet[f"{head['Since (UTC)']}2"].value == table["since"][0].to_pydatetime()
    assert sheet[f"{head['Since (UTC)']}2"].is_date
    assert sheet.column_dimensions[head["twinlab key"]].hidden
    assert [rule.formula1 for rule in sheet.data_validations.dataValidation] == ['"yes,no"']
    about = {row[0].value: row[1].value for row in book["About"].iter_rows() if row[0].value}
    assert about["Twin"] == "Three stations"
    assert about["As of (UTC)"] == "2026-01-03 21:58"
    assert (about["Rules"], about["Python"]) == ("all", "data = 1")


def test_the_columns_are_the_readers_own_and_an_unknown_one_is_refused(table):
    book = openpyxl.load_workbook(io.BytesIO(written(table, columns=["asset", "severity"])))
    assert [cell.value for cell in book["Exceptions"][1]][:3] == ["Asset", "Severity", "Note"]
    with pytest.raises(SchemaError, match="did you mean 'asset'"):
        written(table, columns=["aset"])


def test_it_is_printed_as_wide_as_a_page_with_its_first_row_and_the_instant_on_each(table):
    sheet = openpyxl.load_workbook(io.BytesIO(written(table)))["Exceptions"]
    setup = sheet.page_setup
    # Where the file says nothing, it is one page wide.
    assert (setup.orientation, setup.paperSize, setup.fitToWidth or 1, setup.fitToHeight) == ("landscape", 9, 1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$1:$1"
    assert "exceptions as of" in sheet.oddHeader.left.text
    assert sheet.oddHeader.left.text.endswith("UTC")
    assert sheet.oddFooter.right.text == "Page &P of &N"


def test_a_table_without_exceptions_is_a_sheet_too(table):
    none = table.iloc[:0]
    assert str(read_sheet(written(none), none, author="dora")) == "0 changed, 0 refused, 0 as they were"


def test_a_note_that_looks_like_a_formula_is_exported_as_text(table, twin):
    twin.annotate(table["key"][0], note="=HYPERLINK('x')", author="eve")
    content = written(table, notes=twin.notes())
    assert "<f>" not in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    assert read_sheet(content, table, author="dora", notes=twin.notes()).unchanged == len(table)


# -- back -------------------------------------------------------------------------------------------------------------


def test_applied_changes_have_their_author(table, twin):
    content = typed(typed(written(table), 2, note=" called them\r\n"), 3, note="waiting", acknowledged="YES")
    found = read_sheet(content, table, author="dora", notes=twin.notes())
    assert [(one.row, one.key, one.note, one.acknowledged) for one in found.changes] == [
        (2, table["key"][0], "called them", False),
        (3, table["key"][1], "waiting", True),
    ]
    assert twin.notes().empty
    assert apply_changes(twin, found) == ()
    now = twin.notes().set_index("key")
    assert now.loc[table["key"][1], ["note", "acknowledged", "author"]].tolist() == ["waiting", True, "dora"]
    # Read once more, the same sheet changes nothing.
    again = read_sheet(content, table, author="dora", notes=twin.notes())
    assert (again.changes, again.refused) == ((), ())


def test_a_note_can_be_cleared_and_an_acknowledgement_revoked(table, twin):
    twin.annotate(table["key"][0], note="seen", acknowledged=True, author="eve")
    content = typed(written(table, notes=twin.notes()), 2, note="", acknowledged="no")
    apply_changes(twin, read_sheet(content, table, author="dora", notes=twin.notes()))
    assert twin.notes().loc[0, ["note", "acknowledged", "author"]].tolist() == ["", False, "dora"]


@pytest.mark.parametrize(
    ("word", "yes"), [("Yes", True), (True, True), (1, True), ("x", True), ("", False), (False, False), ("NO", False)]
)
def test_yes_and_no_are_read_as_people_write_them(table, twin, word, yes):
    twin.annotate(table["key"][0], acknowledged=not yes, author="eve")
    found = read_sheet(
        typed(written(table, notes=twin.notes()), 2, acknowledged=word), table, author="d", notes=twin.notes()
    )
    assert [one.acknowledged for one in found.changes] == [yes]


def test_numbers_and_dates_typed_as_notes_are_texts(table):
    when = pd.Timestamp("2026-01-04 10:00").to_pydatetime()
    content = typed(typed(written(table), 2, note=4711), 3, note=when)
    assert [one.note for one in read_sheet(content, table, author="d").changes] == ["4711", "2026-01-04 10:00:00"]


def test_invalid_values_are_refused_with_their_row(table):
    content = typed(typed(typed(written(table), 2, acknowledged="perhaps"), 3, note="=A1"), 4, note="x" * 10_001)
    found = reasons(read_sheet(content, table, author="dora"))
    assert found[2] == "expected yes or no in Acknowledged, got 'perhaps'"
    assert found[3] == "its note is a formula; type text"
    assert found[4] == "its note has 10,001 characters; at most 10,000 are allowed"


def test_a_row_whose_exception_has_ended_is_refused_only_if_it_was_edited(table):
    content = typed(written(table), 2, note="too late")
    found = read_sheet(content, table.iloc[2:], author="dora")
    assert reasons(found) == {2: f"the exception {table['key'][0]} has ended meanwhile"}
    assert found.unchanged == len(table) - 1


def test_a_row_whose_exception_has_changed_is_refused_but_a_new_value_is_no_change(table):
    content = typed(typed(written(table), 2, note="a"), 3, note="b")
    now = table.copy()
    now.loc[0, "severity"] = "low"
    now.loc[1, ["value", "text", "beyond"]] = [999.0, "silent for days", 9.0]
    found = read_sheet(content, now, author="dora")
    assert "has changed meanwhile" in reasons(found)[2]
    assert [one.row for one in found.changes] == [3]


def test_a_note_that_somebody_else_changed_is_not_overwritten(table, twin):
    content = typed(written(table, notes=twin.notes()), 2, note="mine")
    twin.annotate(table["key"][0], note="theirs", author="eve", time="2026-01-03T22:01")
    found = read_sheet(content, table, author="dora", notes=twin.notes())
    assert reasons(found)[2] == "its note was changed meanwhile by eve at 2026-01-03 22:01: 'theirs', acknowledged no"


def test_a_note_that_changes_between_reading_and_applying_is_not_overwritten(table, twin):
    found = read_sheet(typed(written(table), 2, note="mine"), table, author="dora", notes=twin.notes())
    twin.annotate(table["key"][0], note="theirs", author="eve")
    assert [one.row for one in apply_changes(twin, found)] == [2]
    assert twin.notes()["note"].tolist() == ["theirs"]


def test_the_same_change_by_two_people_is_no_conflict(table, twin):
    content = typed(written(table), 2, note="called")
    twin.annotate(table["key"][0], note="called", author="eve")
    found = read_sheet(content, table, author="dora", notes=twin.notes())
    assert (found.changes, found.refused) == ((), ())


def test_edited_removed_and_copied_keys_are_refused(table):
    def edit(sheet, column):
        key, row = column("twinlab key"), column("twinlab row")
        sheet.cell(2, key).value = table["key"][3]
        sheet.cell(3, key).value = None
        sheet.cell(6, column("Note")).value = "by hand"
        for place in range(1, row + 1):
            sheet.cell(len(table) + 2, place).value = sheet.cell(7, place).value
        sheet.cell(len(table) + 3, column("Note")).value = "a row of my own"

    assert len(table) == 6
    found = reasons(read_sheet(edited(written(table), edit), table, author="dora"))
    assert found == {
        2: "its key is in row 5 too: the row was copied",
        3: "it has no key: the hidden column was emptied, or the row was added by hand",
        5: "its key is in row 2 too: the row was copied",
        7: "its key is in row 8 too: the row was copied",
        8: "its key is in row 7 too: the row was copied",
        9: "it has no key: the hidden column was emptied, or the row was added by hand",
    }
    lone = edited(written(table), lambda sheet, column: setattr(sheet.cell(2, column("twinlab key")), "value", "mine"))
    assert reasons(read_sheet(lone, table, author="dora")) == {2: "its hidden key doesn't fit the row: it was edited"}


def test_sorted_rows_added_columns_and_titles_above_the_header_are_accepted(table):
    def edit(sheet, column):
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        rows[0][column("Note") - 1] = "first"
        for number, row in enumerate(reversed(rows), start=2):
            for place, value in enumerate(row, start=1):
                sheet.cell(number, place).value = value
        sheet.insert_cols(2, 2)
        sheet.cell(1, 2).value = "My own"
        sheet.insert_rows(1, 2)
        sheet.cell(1, 1).value = "Late shift"

    found = read_sheet(edited(written(table), edit), table, author="dora")
    assert [(one.row, one.key, one.note) for one in found.changes] == [(len(table) + 3, table["key"][0], "first")]
    assert found.refused == ()


def test_deleted_rows_and_other_sheets_are_ignored(table):
    def edit(sheet, column):
        sheet.delete_rows(3, 2)
        sheet.parent.create_sheet("Notes", 0)["A1"] = "Note"

    found = read_sheet(edited(written(table), edit), table, author="dora")
    assert (len(found.changes), found.refused, found.unchanged) == (0, (), len(table) - 2)


def test_other_files_are_refused(table, tmp_path):
    own = openpyxl.Workbook()
    own.active.append(["Asset", "Note"])
    own.save(tmp_path / "own.xlsx")
    (tmp_path / "text.xlsx").write_text("Asset;Note")
    with pytest.raises(SchemaError, match="lacks the column Acknowledged and twinlab key and twinlab row"):
        read_sheet(tmp_path / "own.xlsx", table, author="dora")
    for path in (tmp_path / "text.xlsx", tmp_path / "none.xlsx", b"", written(table)[:2000]):
        with pytest.raises(SchemaError, match=r"expected an Excel workbook \(.xlsx\) that twinlab wrote"):
            read_sheet(path, table, author="dora")
    other = io.BytesIO()
    openpyxl.Workbook().save(other)
    with pytest.raises(SchemaError, match="no sheet of this workbook has its columns"):
        read_sheet(other.getvalue(), table, author="dora")
    twice = edited(written(table), lambda sheet, column: setattr(sheet.cell(1, 1), "value", "Note"))
    with pytest.raises(SchemaError, match="row 1 has 2 columns called Note"):
        read_sheet(twice, table, author="dora")
    with pytest.raises(SchemaError, match="who typed"):
        read_sheet(written(table), table, author=" ")


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=30)


@settings(max_examples=25)
@given(TEXT, st.booleans(), TEXT, st.booleans())
def test_any_note_is_exported_and_imported_unchanged(table, before, acknowledged, after, then):
    twin = FakeTwin(FakeTwin.example(days=1, trips=1).model)
    twin.annotate(table["key"][0], note=before, acknowledged=acknowledged, author="eve")
    content = written(table, notes=twin.notes())
    assert read_sheet(content, table, author="dora", notes=twin.notes()).unchanged == len(table)
    twin.annotate(table["key"][0], note=after, acknowledged=then, author="eve")
    moved = written(table, notes=twin.notes())
    book = openpyxl.load_workbook(io.BytesIO(moved))["Exceptions"]
    assert cleaned(str(book.cell(2, 11).value or "")) == cleaned(after)


def test_a_workbook_saved_by_libreoffice_is_read(table, tmp_path, need):
    office = need("soffice")
    (tmp_path / "sheet.xlsx").write_bytes(typed(written(table), 2, note="saved elsewhere", acknowledged="yes"))
    command = [office, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", tmp_path / "out"]
    subprocess.run([*command, tmp_path / "sheet.xlsx"], check=True, capture_output=True, timeout=120)
    found = read_sheet(tmp_path / "out" / "sheet.xlsx", table, author="dora")
    assert [(one.row, one.note, one.acknowledged) for one in found.changes] == [(2, "saved elsewhere", True)]
    assert found.unchanged == len(table) - 1
