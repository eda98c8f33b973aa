"""The page in Chromium, on a twin made for the test: what people see and touch."""

import re
import time
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from twinlab.apps import start
from twinlab.explore.page_registry import PAGES
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served():
    page = start(FakeTwin.example(days=60, trips=2_000))
    yield page
    page.stop()


class Visit:
    """A page on the History page, unless its address says another."""

    def __init__(self, open_page, url, **context):
        address = url if "page=" in url else url + ("&" if "?" in url else "?") + "page=history"
        self.page = open_page(address, **{"viewport": {"width": 1400, "height": 900}, **context})

    def detail(self, pattern):
        """Wait for the line under the heading."""
        self.page.get_by_text(re.compile(pattern)).first.wait_for()

    @property
    def address(self):
        """What the page's address says, a value each."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    def drag(self, first, last):
        """Zoom with a box over a share of the chart's width."""
        # The table is drawn last: once it's there, the chart answers.
        self.page.locator(".tabulator-row").first.wait_for()
        self.page.get_by_text(re.compile("data to|ended 20")).first.wait_for()
        self.page.wait_for_load_state("networkidle")
        # Only the page in front follows the mouse.
        self.page.bring_to_front()
        box = self.page.locator(".bk-events").first.bounding_box()
        left, wide = box["x"] + 65, box["width"] - 110
        self.page.mouse.move(left + first * wide, box["y"] + 100)
        self.page.mouse.down()
        self.page.mouse.move(left + last * wide, box["y"] + 160, steps=4)
        self.page.mouse.up()


@pytest.fixture
def visit(open_page, served):
    return lambda query="", **context: Visit(open_page, served.url + query, **context)


def test_a_reader_zooms_from_the_rollup_to_raw_samples_and_back(visit):
    one = visit()
    one.detail("hourly rollup")
    one.page.get_by_text("2,000 events").wait_for()
    one.page.get_by_text(re.compile("(data to|ended) 2026-03-01")).wait_for()
    one.drag(0.40, 0.60)
    one.detail("15 min rollup")
    one.drag(0.45, 0.50)
    one.detail("raw samples, 1 min")
    one.page.wait_for_url(re.compile("from=2026-.*&to=2026-"))
    # A twentieth of a fifth of 60 days.
    shown = pd.Timestamp(one.address["to"]) - pd.Timestamp(one.address["from"])
    assert pd.Timedelta("12h") < shown < pd.Timedelta("17h")
    one.page.get_by_role("button", name="Show all").click()
    one.detail("hourly rollup")
    one.page.wait_for_url(lambda url: "from=" not in url)
    assert one.page.get_by_text("raw samples, 1 min").count() == 0


def test_the_table_is_filtered_and_a_chosen_row_moves_the_chart(visit):
    one = visit("?asset=NORTH")
    one.detail("hourly rollup")
    rows = one.page.locator(".tabulator-row")
    rows.first.wait_for()
    header = one.page.locator(".tabulator-col[tabulator-field=number] input")
    header.fill("2000")
    header.press("Enter")
    one.page.get_by_text("100 of 2,000 events").wait_for()
    numbers = one.page.locator(".tabulator-row [tabulator-field=number]").all_inner_texts()
    assert numbers
    assert all(int(number) >= 2000 for number in numbers)
    row = one.page.locator(".tabulator-row", has=one.page.locator("[tabulator-field=origin]", has_text="WEST")).first
    row.locator("[tabulator-field=status]").click()
    one.page.get_by_role("heading", name="Air temperature · West gate (WEST)").wait_for()
    one.detail("raw samples, 1 min")
    one.page.get_by_text("chosen event").wait_for()
    assert one.address["asset"] == "WEST"


def test_a_link_with_wrong_values_opens_the_page_with_a_notice(visit):
    one = visit("?type=statoin&signal=wind_speed&from=soon&to=2026-02-01")
    one.page.get_by_text("did you mean 'station'?").wait_for()
    one.page.get_by_text("isn't a time such as").wait_for()
    one.detail("hourly rollup")
    one.page.get_by_role("heading", name="Wind speed").wait_for()
    one.page.get_by_text("fail: 1 sample").wait_for()
    # What could be read is used: the signal, and none of the time.
    assert one.address["signal"] == "wind_speed"
    assert one.page.get_by_role("heading", name="Air temperature").count() == 0


def test_the_address_goes_along_from_page_to_page_and_back(visit):
    one = visit("?page=history&asset=WEST&signal=wind_speed")
    one.page.get_by_role("heading", name="Wind speed · West gate").wait_for()
    one.page.get_by_role("button", name="Quality", exact=True).click()
    one.page.wait_for_url(re.compile("page=quality"))
    one.page.get_by_text("signals have samples that didn't pass").wait_for()
    assert one.address["type"] == "station"
    one.page.go_back()
    one.page.wait_for_url(re.compile("page=history"))
    one.page.get_by_role("heading", name="Wind speed · West gate").wait_for()
    assert (one.address["asset"], one.address["signal"]) == ("WEST", "wind_speed")


def test_a_picked_asset_opens_a_drawer_that_escape_closes_and_focus_returns(visit):
    one = visit("?page=now")
    cell = one.page.locator(".tabulator-row [tabulator-field=asset]").first
    cell.click()
    drawer = one.page.get_by_role("complementary")
    drawer.get_by_role("heading", name="R2").wait_for()
    assert drawer.evaluate("e => e.getRootNode().activeElement === e")
    one.page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    # In the table again, wherever its rows stand by now.
    assert one.page.evaluate(
        """() => {
          let e = document.activeElement
          while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement
          return e?.closest('.tabulator') !== null
        }"""
    )


def test_the_hint_goes_away_for_good_and_a_page_leaves_as_link_code_and_file(visit):
    one = visit(permissions=["clipboard-read", "clipboard-write"])
    page = one.page
    page.get_by_text("1 of 3").wait_for()
    page.get_by_role("button", name="Dismiss").click()
    page.get_by_text("1 of 3").wait_for(state="hidden")
    one.detail("hourly rollup")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Link copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.get_by_role("button", name="Copy Python").click()
    page.get_by_text("Python copied").wait_for()
    assert "twin = FakeTwin.example(days=60" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Show as Python").click()
    page.get_by_text("twin = FakeTwin.example(days=60").wait_for()
    with page.expect_download() as table:
        page.get_by_role("button", name="Excel", exact=True).click()
    assert re.fullmatch(r"example-history-\d{8}T\d{4}Z\.xlsx", table.value.suggested_filename)
    page.get_by_role("button", name="Picture").click()
    with page.expect_download() as picture:
        page.get_by_role("menuitem", name="SVG, for print").click()
    assert "<svg" in picture.value.path().read_text(encoding="utf-8")
    page.reload()
    one.detail("hourly rollup")
    assert page.get_by_text("1 of 3").count() == 0


#: Sets the theme of a part of the page, as one that is drawn while the page gets dark does.
LATE_PART = """() => {
  const page = Bokeh.documents[0].roots()[0]
  for (const one of Bokeh.documents[0]._all_models.values())
    if (one !== page && one.data?.attributes?.dark_theme && Bokeh.index.find_one(one)?.container?.isConnected) {
      one.data.dark_theme = false
      return true
    }
}"""


@pytest.mark.parametrize(
    "change", [LATE_PART, "() => { Bokeh.documents[0].roots()[0].data.dark_theme = false; return true }"]
)
def test_what_a_part_of_the_page_does_to_the_theme_is_no_choice(visit, change):
    # Before the next test, in which the reader chooses a theme: it is stored.
    one = visit(color_scheme="dark")
    one.detail("hourly rollup")
    dark = "() => Bokeh.documents[0].roots()[0].data.dark_theme"
    one.page.wait_for_function(dark)
    one.page.wait_for_load_state("networkidle")
    seen = "() => { window.light = false; const page = Bokeh.documents[0].roots()[0].data;"
    one.page.evaluate(
        seen + "page.on_change(page.properties.dark_theme, () => { window.light ||= !page.dark_theme }) }"
    )
    assert one.page.evaluate(change)
    one.page.wait_for_function("() => window.light")
    one.page.wait_for_function(dark)
    # The page is drawn so, too.
    drawn = "() => [...Bokeh.index.roots].some(root => root.container?.classList.contains('mui-dark'))"
    one.page.wait_for_function(drawn)
    one.page.reload()
    one.page.wait_for_function(f"() => window.Bokeh?.documents[0]?.roots().length && ({dark})()")


def test_the_theme_is_the_systems_until_the_reader_chooses(visit):
    one = visit(color_scheme="dark")
    one.detail("hourly rollup")
    dark = "() => Bokeh.documents[0].roots()[0].data.dark_theme"
    one.page.wait_for_function(dark)
    # Once all is drawn, the page listens to the button.
    one.page.wait_for_load_state("networkidle")
    one.page.get_by_role("button", name="Toggle theme").click()
    one.page.wait_for_function(f"() => !({dark})()")
    # The server hears of the choice after the page has changed.
    ends = time.monotonic() + 60
    while "prefers-color-scheme" in one.page.request.get(one.page.url).text() and time.monotonic() < ends:
        one.page.wait_for_timeout(200)
    one.page.reload()
    one.page.wait_for_function(f"() => window.Bokeh?.documents[0]?.roots().length && !({dark})()")
    one.detail("hourly rollup")
    one.page.wait_for_load_state("networkidle")
    assert not one.page.evaluate(dark)


@pytest.mark.parametrize("look", [("light", 1400), ("dark", 390)])
def test_no_page_has_a_grave_fault_or_is_wider_than_the_screen(visit, grave_faults, look):
    scheme, width = look
    one = visit("?page=now", color_scheme=scheme, viewport={"width": width, "height": 844})
    # What-if and Outlook are tested with twins that can be simulated and predict, Sources, Control and Security with live ones, Use where
    # pages were counted.
    for spec in (
        page for page in PAGES if page.name not in ("what_if", "outlook", "sources", "control", "security", "usage")
    ):
        if width > 600 and spec.name != "now":
            one.page.get_by_role("button", name=spec.label, exact=True).click()
        elif spec.name != "now":
            one.page.goto(re.sub("page=[a-z]+.*", f"page={spec.name}", one.page.url))
        one.page.get_by_role("heading", level=1, name=spec.label).wait_for(state="attached")
        one.page.get_by_text("Reading").first.wait_for(state="hidden")
        one.page.wait_for_load_state("networkidle")
        assert grave_faults(one.page) == [], spec.name
        assert one.page.evaluate("document.documentElement.scrollWidth") <= width, spec.name


def test_two_readers_do_not_disturb_each_other(visit):
    first, second = visit(), visit("?signal=wind_speed&asset=WEST")
    first.detail("hourly rollup")
    second.page.get_by_role("heading", name="Wind speed · West gate").wait_for()
    second.drag(0.4, 0.6)
    second.detail("15 min rollup")
    first.page.get_by_role("heading", name="Air temperature · East quay").wait_for()
    first.detail("hourly rollup")
    assert "from" not in first.address
    assert second.page.get_by_role("heading", name="Air temperature").count() == 0
