"""The exceptions table: rows that keep their places, columns chosen by the reader, notes exported and imported."""

import io
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest

from twinlab.explore.kit.session import Session
from twinlab.explore.pages.now.columns import ColumnsDialog
from twinlab.explore.pages.now.page import NowView
from twinlab.explore.pages.now.rows import COLUMNS, update_rows
from twinlab.explore.pages.now.table import ExceptionTable
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


def rows(*keys, lasting="5 min", severity="▲ high"):
    frame = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=pd.Index(keys, name="key"))
    frame["severity"] = pd.Categorical([severity] * len(keys), categories=["▲ high", "◆ medium", "● low"], ordered=True)
    frame["since"] = pd.Timestamp("2026-01-01").as_unit("ns")
    return frame.assign(lasting=lasting, ended=False, stale=False)


@pytest.fixture
def table():
    settings = {}
    table = ExceptionTable(settings=settings, on_pick=print, on_note=print, on_tick=lambda _: None)
    table.settings = settings
    table.show(rows("a", "b", "c"))
    return table


def keys(table):
    return list(table._grid.value.index)


# -- holding still ------------------------------------------------------------------------------------------------------


def test_shown_rows_keep_their_places_and_get_new_values():
    held = update_rows(rows("a", "b"), rows("c", "b", "a", lasting="6 min"))
    assert list(held.rows.index) == ["a", "b"]
    assert set(held.rows["lasting"]) == {"6 min"}
    assert (held.added, held.ended, held.news) == (("c",), (), "1 new")


def test_ended_rows_stay_until_the_update(table):
    table.refresh(rows("d", "e", "c", "b"))
    assert keys(table) == ["a", "b", "c"]
    assert table.news == "2 new, 1 ended"
    assert "2 new, 1 ended" in table._news.object
    assert table._bar.visible
    assert table.rows.loc["a", "lasting"] == "ended after 5 min"
    table.refresh(rows("d", "e", "c", "b", lasting="7 min"))
    assert table.rows.loc["a", "lasting"] == "ended after 5 min"
    table._update.clicks += 1
    assert keys(table) == ["d", "e", "c", "b"]
    assert not table._bar.visible


def test_an_exception_that_returns_before_the_update_is_current_again(table):
    table.refresh(rows("b", "c"))
    table.refresh(rows("a", "b", "c", lasting="9 min"))
    assert table.news == ""
    assert table.rows.loc["a", "lasting"] == "9 min"
    assert not table.rows["ended"].any()


def test_ticked_rows_and_page_survive_new_data():
    table = ExceptionTable(settings={}, on_pick=print, on_note=print, on_tick=lambda _: None)
    many = [f"k{k:02d}" for k in range(40)]
    table.show(rows(*many))
    table._grid.page = 2
    table._grid.selection = [16, 20]
    grid = table._grid
    table.refresh(rows(*many[5:], "new", lasting="6 min"))
    assert table._grid is grid
    assert (grid.page, table.selected) == (2, ["k16", "k20"])
    assert grid.value["lasting"].iloc[20] == "6 min"
    table.update()
    assert table.selected == ["k16", "k20"]


def test_rows_that_ended_are_greyed_and_severity_has_a_shape_beside_its_colour(table):
    table.refresh(rows("b", "c"))
    style = table._grid.style._compute().ctx
    assert ("opacity", "0.55") in style[0, 1]
    assert ("opacity", "0.55") not in style.get((1, 1), [])
    assert table._grid.value["severity"].iloc[0].startswith("▲ ")


def test_a_click_on_a_cell_selects_the_row_except_in_the_column_of_notes(table):
    picked = []
    table._on_pick = picked.append
    table._picked(SimpleNamespace(row=1, column="asset"))
    table._picked(SimpleNamespace(row=2, column="note"))
    assert picked == ["b"]


# -- columns ------------------------------------------------------------------------------------------------------------


def test_columns_of_a_reader_are_stored(table):
    table._grid.selection = [1]
    table.set_columns(["asset", "rule", "since"])
    assert list(table._grid.value.columns) == ["asset", "rule", "since", "ended", "stale"]
    assert table.settings["now_columns"] == ["asset", "rule", "since"]
    assert table.selected == ["b"]
    again = ExceptionTable(settings=table.settings, on_pick=print, on_note=print, on_tick=print)
    assert again.columns == ["asset", "rule", "since"]


def test_invalid_settings_give_the_default_columns():
    for kept in ("asset", 7, ["gone"], None):
        assert (
            len(ExceptionTable(settings={"now_columns": kept}, on_pick=print, on_note=print, on_tick=print).columns)
            == 10
        )


def test_the_dialog_hides_shows_and_reorders():
    seen = []
    dialog = ColumnsDialog(["severity", "asset", "since"], on_change=seen.append)
    dialog.open()
    assert dialog.dialog.open
    dialog.move("since", by=-1)
    dialog.show("rule", shown=True)
    dialog.show("severity", shown=False)
    assert seen[-1] == ["since", "asset", "rule"]
    for name in seen[-1]:
        dialog.show(name, shown=False)
    assert len(dialog.columns) == 1
    dialog.set(["asset"])
    assert seen[-1] == ["asset"]


# -- the sheet ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def view():
    return NowView(FakeTwin.example(days=3, trips=60), session=Session("ada", {}))


def typed(view, **cells):
    """Take the sheet, type into it as {(row, header): text}, and return it as bytes."""
    book = openpyxl.load_workbook(view.sheet.workbook())
    sheet = book["Exceptions"]
    header = {cell.value: cell.column for cell in sheet[1]}
    for row, (column, text) in cells.items():
        sheet.cell(int(row[1:]), header[column]).value = text
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_workbook_has_the_readers_columns_and_row_order(view):
    view.table.set_columns(["asset", "title", "since"])
    sheet = openpyxl.load_workbook(view.sheet.workbook())["Exceptions"]
    assert sheet.max_row == 1 + len(view.table.rows)
    headers = [str(cell.value).casefold() for cell in sheet[1]]
    assert "asset" in headers[0]
    assert "severity" not in headers


def test_changes_of_a_workbook_are_shown_before_they_are_written(view):
    view.sheet.compare(typed(view, r2=("Note", "called <them>"), r3=("Acknowledged", "yes")))
    assert view.sheet.panel.visible
    assert len(view.twin.notes()) == 0
    html = view.sheet._text.object
    assert "<b style='font-weight:500'>ada</b>: 2 to write, 0 refused" in html
    assert "called &lt;them&gt;" in html
    assert view.sheet.write.label == "Write 2 changes"
    view.sheet.write.clicks += 1
    assert "2 written" in view.sheet._text.object
    assert view.table.rows["note"].iloc[0] == "called <them>"
    assert view.table.rows["acknowledged"].iloc[1].startswith("✓ ada")


def test_a_row_that_changed_meanwhile_is_refused_by_number_with_the_reason(view):
    sheet = typed(view, r2=("Note", "mine"), r3=("Note", "also mine"))
    view.twin.annotate(view.table.rows.index[0], note="bob's", author="bob")
    view.sheet.compare(sheet)
    assert "1 to write, 1 refused" in view.sheet._text.object
    assert "row 2: its note was changed meanwhile by bob" in view.sheet._text.object
    view.sheet.confirm()
    assert view.twin.notes()["note"].tolist() == ["bob's", "also mine"]


def test_a_workbook_can_be_discarded_and_a_wrong_file_gives_a_message(view):
    view.sheet.compare(typed(view, r2=("Note", "x")))
    view.sheet.discard()
    assert not view.sheet.panel.visible
    view.sheet.compare(b"no workbook")
    assert "expected an Excel workbook" in view.sheet._text.object
    assert not view.sheet.write.visible
    assert len(view.twin.notes()) == 0
