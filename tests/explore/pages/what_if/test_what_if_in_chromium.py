"""What-if in Chromium: a hub is closed by clicks, the run reports its progress, and the page says what differs."""

import shutil

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


def test_a_planner_closes_a_hub_runs_it_and_reads_the_verdict(open_page, served, grave_faults):
    # An attempt before this one may have scored the model.
    shutil.rmtree(tl.demo("parcel", size=SIZE).folder / "scores", ignore_errors=True)
    page = open_page(
        served.url + "?page=what_if&at=2026-01-28T12:00&futures=20", viewport={"width": 390, "height": 844}
    )
    page.get_by_label("From").fill("4h")
    page.get_by_label("Until").fill("14h")
    page.get_by_label("Until").press("Tab")
    page.get_by_role("button", name="Add change").click()
    page.get_by_text("is closed").wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Done:").wait_for()
    page.get_by_text("what_if is worse than base").first.wait_for()
    page.get_by_text("Assumed at the start").wait_for()
    # The map plays a future, and the model is scored on the days before.
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Score the model").click()
    page.get_by_text("by a model fitted to").wait_for(timeout=180_000)
    page.get_by_text("Done:").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert grave_faults(page) == []
    # The address has the plan: it opens the same one.
    again = open_page(page.url)
    again.get_by_text("is closed").wait_for()
    assert again.get_by_label("Futures").inner_text() == "20"
