"""The Now page in Chromium: a dispatcher's visit, and the same on a phone."""

import getpass

import openpyxl
import pytest

from twinlab.apps import start
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.browser


@pytest.fixture
def twin(tmp_path, monkeypatch):
    """A twin whose reader's settings are kept beside the test."""
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path / "config"))
    return FakeTwin.example(days=3, trips=60)


@pytest.fixture
def served(twin):
    page = start(twin, warm=False)
    yield page.url
    page.stop()


@pytest.fixture
def visit(open_page, served):
    """Return ``visit(query)``: a page whose table stands."""

    def go(query, **context):
        page = open_page(served + query, **{"viewport": {"width": 1400, "height": 1100}, **context})
        page.locator(".tabulator-row").first.wait_for()
        # The frame names the table's parts for who hears it: what is clicked before that loses the focus.
        page.locator(".tabulator > [role=grid]").first.wait_for(state="attached")
        return page

    return go


def test_a_dispatcher_finds_notes_arranges_and_brings_the_sheet_back(visit, twin, tmp_path):
    page = visit("?page=now")

    # Find: suggestions come while typing, and the one that's taken is told.
    field = page.get_by_label("Find any asset: id or name")
    field.press_sequentially("north")
    page.get_by_role("option", name="North yard (NORTH)").click()
    page.get_by_role("heading", name="Where it is").wait_for()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("heading", name="Where it is").wait_for(state="hidden")

    # Note: typed in its cell.
    row = page.locator(".tabulator-row").first
    row.locator("[tabulator-field=note]").click()
    row.locator("[tabulator-field=note] input").fill("called them")
    row.locator("[tabulator-field=note] input").press("Enter")
    row.locator("[tabulator-field=note]", has_text="called them").wait_for()

    # Columns: the reader's own, and still so after coming back.
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("button", name="down").last.wait_for()
    page.get_by_role("checkbox", name="limit").uncheck()
    page.get_by_role("button", name="Move what up").click()
    page.get_by_role("button", name="Done").click()
    page.locator(".tabulator-col[tabulator-field=limit]").wait_for(state="detached")
    page.locator(".tabulator-col[tabulator-field=title] ~ .tabulator-col[tabulator-field=severity]").wait_for()

    # The sheet goes out, comes back with another note, is shown, and written on confirmation.
    with page.expect_download() as taken:
        page.get_by_role("button", name="Excel for dispatch").click()
    path = tmp_path / "dispatch.xlsx"
    taken.value.save_as(path)
    book = openpyxl.load_workbook(path)
    sheet = book["Exceptions"]
    header = [cell.value for cell in sheet[1]]
    sheet.cell(3, header.index("Note") + 1).value = "from the sheet"
    book.save(path)
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_text("1 to write, 0 refused").wait_for()
    assert "from the sheet" not in twin.notes()["note"].tolist()
    page.get_by_role("button", name="Write 1 change").click()
    page.locator("[tabulator-field=note]", has_text="from the sheet").wait_for()
    assert twin.notes()[["note", "author"]].to_numpy().tolist() == [
        ["called them", getpass.getuser()],
        ["from the sheet", getpass.getuser()],
    ]

    page.reload()
    page.locator(".tabulator-row").first.wait_for()
    assert page.locator(".tabulator-col[tabulator-field=limit]").count() == 0
    assert page.locator(".tabulator-col[tabulator-field=title] ~ .tabulator-col[tabulator-field=severity]").count() == 1


def test_it_fits_a_phone_and_a_link_opens_what_was_found(visit):
    page = visit("?page=now&find=V3", viewport={"width": 390, "height": 844})
    page.get_by_role("heading", name="Where it is").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_exceptions_come_before_tiles_and_map(visit):
    page = visit("?page=now", viewport={"width": 390, "height": 844})
    page.locator(".tabulator-row").first.wait_for()
    top = {
        name: page.locator(name).first.bounding_box()["y"] for name in (".tabulator-row", ".tl-overview", ".bk-events")
    }
    assert top[".tabulator-row"] < top[".tl-overview"] < top[".bk-events"]
    page.set_viewport_size({"width": 1400, "height": 900})
    page.wait_for_timeout(500)
    assert page.locator(".tl-overview").bounding_box()["y"] < page.locator(".tabulator-row").first.bounding_box()["y"]
