"""A wrong unit is found, replayed and promoted on the page, in Chromium."""

import pytest

from twinlab.apps import start

pytestmark = pytest.mark.browser


def test_a_data_steward_repairs_a_unit_in_the_browser(open_page, fridges):
    served = start(fridges, warm=False)
    try:
        page = open_page(served.url + "?page=quality", viewport={"width": 390, "height": 844})
        page.get_by_role("button", name="Check this time").click()
        page.locator(".tabulator-row", has_text="unit").first.click()
        page.get_by_text("Proposed fix").wait_for()
        page.get_by_role("button", name="Replay with this mapping").click()
        page.get_by_text("Nobody else sees it until it is promoted").wait_for()
        page.get_by_text("f3 temperature, revision").or_(page.get_by_text("cells changed").first).first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_label("Why").fill("checked on site")
        page.get_by_role("button", name="Promote").click()
        page.get_by_text("The history shows it from now on").wait_for()
    finally:
        served.stop()
    row = fridges.revisions().iloc[0]
    assert (row["state"], row["decision_reason"]) == ("promoted", "checked on site")
    assert float(fridges.history("fridge", assets=["f3"]).temperature.mean()) < 5


def test_a_data_steward_adds_and_removes_a_calibration_in_the_browser(open_page, drifting):
    served = start(drifting, warm=False)
    try:
        page = open_page(served.url + "?page=quality", viewport={"width": 390, "height": 844})
        page.get_by_role("button", name="Check this time").click()
        page.locator(".tabulator-row", has_text="drift").first.click()
        page.get_by_text("would not have fired").first.wait_for()
        page.get_by_role("button", name="Add this calibration").click()
        page.locator(".tabulator-row", has_text="-1.6").first.click()
        page.get_by_label("Why").fill("the peers drift")
        page.get_by_role("button", name="Remove this calibration").click()
        page.get_by_text("is as measured again").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        served.stop()
    versions = drifting.calibrations(history=True)
    assert versions.calibrations.tolist() == [1, 0]
    assert versions.reason.iloc[-1] == "the peers drift"
