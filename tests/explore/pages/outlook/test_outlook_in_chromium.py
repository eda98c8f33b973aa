"""Outlook in Chromium, on a phone: a forecast by a click, its address, and parts without data."""

import pytest

import twinlab as tl
from twinlab.apps import start
from twinlab.demos import ParcelSize

pytestmark = [pytest.mark.browser]

SIZE = ParcelSize(hubs=5, trucks=20, cold_rooms=1, forklifts=1, parcels_a_week=500, weeks=4)


@pytest.fixture(scope="module")
def served():
    page = start(tl.demo("parcel", size=SIZE), warm=False)
    yield page
    page.stop()


def test_a_forecast_is_computed_when_it_is_asked_for(open_page, served, grave_faults):
    page = open_page(
        served.url + "?page=outlook&part=forecast&type=cold_room&horizon=24h&futures=1",
        viewport={"width": 390, "height": 844},
    )
    page.get_by_text("Nothing is computed before you press Forecast.").wait_for()
    page.get_by_role("button", name="Forecast", exact=True).click()
    page.get_by_text("24h ahead, issued").wait_for()
    page.get_by_text("outcomes were within their bands").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert grave_faults(page) == []
    assert "signal=temperature" in page.url
    for part, text in (("Risks", "No failures are recorded"), ("Models", "No model is stored")):
        page.get_by_role("button", name=part, exact=True).click()
        page.get_by_text(text).wait_for()
