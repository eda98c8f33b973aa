"""The History page in Chromium: another period, small charts, the fleet, and events selected with the mouse."""

import re

import pytest

from twinlab.apps import start
from twinlab.testing import FakeTwin

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    # Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
]

ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
INSIDE = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
WAIT = 60_000
WEEK = "?page=history&asset=EAST&asset=WEST&from=2026-01-10&to=2026-01-17"


@pytest.fixture(scope="module")
def served():
    page = start(FakeTwin.example(days=20, trips=300), warm=False)
    yield page
    page.stop()


@pytest.fixture
def page(chromium, served):
    """A visit; at its end, nothing was asked outside and nothing complained."""
    outside, complaints = [], []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(WAIT)
        page.on("request", lambda r: None if r.url.startswith(INSIDE) else outside.append(r.url))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(served.url + WEEK)
        page.get_by_role("heading", name="Air temperature").wait_for()
        page.locator(".tabulator-row").first.wait_for()
        yield page
        browser.close()
    assert outside == []
    assert complaints == []


def shows(page, text):
    page.get_by_text(re.compile(text)).first.wait_for()


def test_a_reader_compares_weeks_looks_at_each_asset_and_at_the_fleet(page):
    page.get_by_role("combobox", name="Compare with").click()
    page.get_by_text("the week before", exact=True).click()
    shows(page, "West gate .WEST.: a week earlier, 3–9 Jan 2026")
    page.wait_for_url(re.compile("compare=-7d"))

    page.get_by_role("button", name="Small multiples").click()
    page.wait_for_url(re.compile("layout=multiples"))
    # One chart an asset, and the legend names the signal alone.
    shows(page, "^air temperature: a week earlier, 3–9 Jan 2026$")
    page.locator(".bk-Figure").nth(1).wait_for()

    page.get_by_label("Follow").click()
    # The window keeps its week and ends at the newest sample.
    page.wait_for_url(re.compile("from=2026-01-13T22:00:00&to=2026-01-20T22:00:00"))

    page.get_by_role("button", name="Fleet").click()
    shows(page, "rollup · 2026-01-13 22:00 to 2026-01-20 22:00 UTC · 3 assets")
    page.wait_for_url(re.compile("layout=fleet"))
    page.get_by_role("combobox", name="Compare with").wait_for(state="hidden")

    page.get_by_role("button", name="Together").click()
    shows(page, "West gate .WEST.: a week earlier, 6–13 Jan 2026")
    assert page.get_by_role("combobox", name="Compare with").is_visible()
    assert "layout=" not in page.url


def test_a_span_selected_with_the_mouse_narrows_the_events(page):
    shows(page, "all 300 events")
    switch = page.get_by_label("Drag to select events")
    switch.click()
    page.wait_for_function(
        "() => Bokeh.documents.flatMap(d => [...d._all_models.values()])"
        ".some(m => m.type == 'Figure' && m.toolbar.active_drag?.type == 'BoxSelectTool')"
    )
    page.wait_for_load_state("networkidle")
    box = page.locator(".bk-events").first.bounding_box()
    left, wide = box["x"] + 65, box["width"] - 110
    page.mouse.move(left + 0.3 * wide, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(left + 0.5 * wide, box["y"] + 160, steps=4)
    page.mouse.up()
    shows(page, "selected span")
    narrowed = page.get_by_text(re.compile(r"^\d+ of 300 events$")).first
    narrowed.wait_for()
    # A fifth of the week that the chart shows.
    assert 0 < int(narrowed.inner_text().split()[0]) < 60
    switch.click()
    shows(page, "all 300 events")
