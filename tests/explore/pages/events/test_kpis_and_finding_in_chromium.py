"""KPIs and found events in Chromium: from a tile to the events behind its number, and from a condition to an event's signals."""

import re

import pytest

from twinlab.apps import start
from twinlab.model import Kpi
from twinlab.testing import FakeTwin

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def served():
    twin = FakeTwin.example(days=3, trips=60)
    kpis = {
        "cold": Kpi(
            title="Cold chain", on="cold_room", formula="time_share(temperature <= 5 degC)", unit="%", target=">= 99 %"
        ),
        "on_time": Kpi(title="Trips on time", on="trip", formula="share(end_delay <= 5 min)", unit="%"),
    }
    twin._model = twin.model.model_copy(update={"kpis": kpis})
    page = start(twin, warm=False)
    yield page
    page.stop()


def test_a_reader_goes_from_a_tile_to_events_and_from_a_condition_to_the_signals_of_a_hit(browser, served):
    complaints = []
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(25_000)
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(served.url + "?page=events")
    page.get_by_role("button", name=re.compile("^Trips on time, ")).click()
    page.wait_for_url(re.compile("kpi=on_time"))
    page.get_by_text("share(end_delay <= 5 min)").wait_for()
    page.locator(".tabulator-row").first.click()
    page.get_by_role("heading", name=re.compile("What Trips on time on .* is made of")).wait_for()
    page.get_by_text(re.compile(r"trip: \d+ events")).wait_for()

    page.get_by_role("button", name="Find events").click()
    page.get_by_role("combobox", name="Search all").click()
    page.get_by_text("Cold rooms", exact=True).last.click()
    field = page.get_by_label("Condition")
    field.press_sequentially("temp")
    # A completion is written by a press, the rest by keys: the field has the focus again.
    page.get_by_role("button", name="temperature", exact=True).click()
    page.wait_for_function("input => input.value === 'temperature '", arg=field.element_handle())
    page.wait_for_function("() => document.activeElement?.tagName !== 'BODY'")
    page.keyboard.type("> 5 km")
    page.get_by_role("alert").filter(has_text="can't convert").wait_for()
    for _ in range(2):
        field.press("Backspace")
    field.press_sequentially("degC")
    page.get_by_text(re.compile(r"\d+ events? on \d+ of \d+ assets")).wait_for()
    page.wait_for_url(re.compile("when=temperature"))
    # The rows of the KPI, which this part has replaced, may still be in the page, hidden.
    page.locator(".tabulator-row:visible").first.click()
    page.get_by_text("around the event").wait_for()
    context.close()
    assert complaints == []
