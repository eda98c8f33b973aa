"""The map and the events page in Chromium: a journey each."""

import re

import pytest

from twinlab.apps import start
from twinlab.testing import FakeTwin

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame"),
    pytest.mark.filterwarnings("ignore:reference already known"),
]

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
INSIDE = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:")
# Where a marker is on the page: the map's own scale, from what Bokeh's browser half knows.
MARKER = """(name) => {
  for (const doc of Bokeh.documents) for (const model of doc._all_models.values()) {
    if (model.type !== "ColumnDataSource" || !model.data.tip || !model.data.marker) continue;
    const k = [...model.data.tip].findIndex((tip) => tip.includes(name));
    if (k < 0) continue;
    for (const plot of doc._all_models.values()) {
      if (plot.type !== "Figure" || !plot.renderers.some((r) => r.data_source === model)) continue;
      const view = Bokeh.index.find_one(plot), box = view.frame.bbox, at = view.el.getBoundingClientRect();
      const [x, y] = [model.data.x[k], model.data.y[k]];
      return [at.left + box.left + (x - plot.x_range.start) / (plot.x_range.end - plot.x_range.start) * box.width,
              at.top + box.top + (plot.y_range.end - y) / (plot.y_range.end - plot.y_range.start) * box.height];
    }
  }
}"""


@pytest.fixture(scope="module")
def served():
    page = start(FakeTwin.example(days=5, trips=300), warm=False)
    yield page
    page.stop()


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGS, headless=True)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, served):
    outside, complaints, contexts = [], [], []

    def go(query, **context):
        contexts.append(browser.new_context(**{"viewport": {"width": 1300, "height": 1000}, **context}))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda r: None if r.url.startswith(INSIDE) else outside.append(r.url))
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(served.url + query)
        return page

    yield go
    for context in contexts:
        context.close()
    assert outside == []
    assert complaints == []


def test_a_reader_moves_through_time_by_keyboard_and_taps_a_van(visit):
    page = visit("?page=map&at=2026-01-03T12:00")
    page.get_by_role("heading", name="2026-01-03 12:00 UTC").wait_for()
    page.locator(".bk-Figure").first.wait_for()
    page.get_by_role("slider", name="Time").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name=re.compile("2026-01-03 11:5")).wait_for()
    page.wait_for_url(re.compile("at=2026-01-03T11:5"))
    page.get_by_label("Instant (UTC)").fill("2026-01-04 09:00")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="2026-01-04 09:00 UTC").wait_for()
    page.wait_for_load_state("networkidle")
    spot = page.evaluate(MARKER, "North yard")
    page.mouse.click(*spot)
    page.wait_for_url(re.compile("type=station&asset=NORTH"))
    # The instant stays.
    assert "at=2026-01-04T09:00" in page.url


def test_a_reader_filters_events_and_clears_the_filters(visit):
    page = visit("?page=events&event=trip")
    page.locator(".tabulator-row").first.wait_for()
    page.locator(".tabulator").first.evaluate("table => { table.dataset.first = 'yes' }")
    for name, typed, told in [("number", "300", "number at least 300"), ("distance", "12", "distance at least 12")]:
        header = page.locator(f".tabulator-col[tabulator-field={name}] input")
        header.fill(typed)
        header.press("Enter")
        page.wait_for_url(re.compile(f"find={name}"))
        page.get_by_text(told).first.wait_for()
        page.get_by_role("button", name="Clear filters").click()
        page.get_by_text(re.compile("delays of the")).wait_for()
        page.wait_for_url(lambda url: "find=" not in url)
        page.wait_for_function("input => input.value === '' || !input.isConnected", arg=header.element_handle())
        assert header.input_value() == ""
    # The table isn't built again, and doesn't send its old filters back.
    page.wait_for_load_state("networkidle")
    page.locator(".tabulator[data-first=yes]").wait_for()
    assert "find=" not in page.url
    page.locator(".tabulator-row").first.wait_for()


def test_on_a_phone_the_map_begins_in_the_upper_half_of_the_screen(visit):
    page = visit("?page=map", viewport={"width": 390, "height": 844})
    figure = page.locator(".bk-Figure").first
    figure.wait_for()
    assert figure.bounding_box()["y"] < 844 / 2
    # A kind is left out and brought back by one press each.
    kind = page.get_by_role("button", name="Vans", exact=True)
    counted = page.get_by_text(re.compile(r"Vans: \d"))
    counted.first.wait_for()
    kind.click()
    counted.first.wait_for(state="detached")
    kind.click()
    counted.first.wait_for()


def test_on_a_phone_nothing_scrolls_sideways(visit):
    for query in ("?page=map", "?page=events"):
        page = visit(query, viewport={"width": 390, "height": 844})
        page.locator(".bk-Figure").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
