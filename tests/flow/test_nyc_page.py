"""The page of the nyc twin in Chromium, with real data."""

import json
import re

import pytest

from twinlab.apps import start

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

FLIGHTS_FROM_LGA = "104,662 of 336,776 events"

#: Values of the longest curve that Bokeh holds in the browser, as (number of finite ones, smallest, largest).
CURVE = """() => {
    let best = null
    for (const doc of Bokeh.documents) for (const model of doc._all_models.values()) {
        const values = model.data instanceof Map ? model.data.get("value") : model.data?.value
        if (values != null && (best == null || values.length > best.length)) best = Array.from(values)
    }
    const finite = (best ?? []).filter(Number.isFinite)
    return [finite.length, Math.min(...finite), Math.max(...finite)]
}"""


@pytest.fixture(scope="module")
def served(nyc):
    page = start(nyc, warm=False)
    yield page
    page.stop()


@pytest.fixture
def visit(open_page, served):
    return lambda query: open_page(served.url + query)


def detail(page, pattern):
    """Wait for the line under the heading."""
    page.get_by_text(re.compile(pattern)).first.wait_for()


def curve(page, at_least):
    """Wait until the chart has this number of values; return the smallest and the largest."""
    page.wait_for_function(f"({CURVE})()[0] >= {at_least}")
    return page.evaluate(CURVE)[1:]


def drag(page, first, last):
    """Zoom with a box over a share of the chart's width."""
    page.wait_for_load_state("networkidle")
    # Only the visible page receives mouse events.
    page.bring_to_front()
    box = page.locator(".bk-events").first.bounding_box()
    left, wide = box["x"] + 65, box["width"] - 110
    page.mouse.move(left + first * wide, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(left + last * wide, box["y"] + 160, steps=4)
    page.mouse.up()


def test_an_analyst_zooms_to_raw_samples_filters_the_flights_and_follows_one(visit):
    page = visit("?page=history")
    # A year of temperatures as rollups, and all flights of that year.
    detail(page, "4 h rollup · 2013-01-01 00:00 to 2013-12-31 00:00 UTC")
    low, high = curve(page, 500)
    assert -25 < low < 0
    assert 30 < high < 45
    page.get_by_text("ended 2013-12-30").wait_for()
    page.get_by_text("all 336,776 events").wait_for()
    page.locator(".tabulator-row").first.wait_for()
    # Zoom until single samples are drawn.
    drag(page, 0.40, 0.55)
    detail(page, "raw samples, 1 h · 2013-0")
    page.wait_for_url(re.compile("from=2013-.*&to=2013-"))
    # The flights from La Guardia.
    header = page.locator(".tabulator-col[tabulator-field=origin] input")
    header.click()
    page.locator(".tabulator-edit-list-item", has_text="LGA").click()
    page.get_by_text(FLIGHTS_FROM_LGA).wait_for()
    elsewhere = page.locator(".tabulator-row [tabulator-field=origin]", has_not_text="LGA")
    sync_api.expect(elsewhere).to_have_count(0)
    # One of them: the chart moves to its hours and to the airport it left from.
    page.locator(".tabulator-row [tabulator-field=status]").first.click()
    page.get_by_role("heading", name="Air temperature · La Guardia (LGA)").wait_for()
    page.get_by_text("chosen event").wait_for()
    detail(page, "raw samples, 1 h · 2013-01-01")


def test_the_absurd_wind_speed_of_newark_is_pinned_and_labelled(visit):
    page = visit("?page=history&signal=wind_speed&asset=EWR&from=2013-02-10T00:00:00&to=2013-02-15T00:00:00&in_view=1")
    page.get_by_role("heading", name="Wind speed · Newark Liberty Intl (EWR)").wait_for()
    page.get_by_text("fail: 1 sample").wait_for()
    _, high = curve(page, 100)
    assert high < 20
    page.get_by_text("4,584 of 336,776 events").wait_for()
    words = page.evaluate(
        """() => JSON.stringify(Bokeh.documents.flatMap(d => [...d._all_models.values()]
            .flatMap(m => m.data?.text != null ? Array.from(m.data.text) : [])))"""
    )
    assert [word.strip() for word in json.loads(words)] == ["468.66"]
