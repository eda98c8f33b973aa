"""The field for questions as people meet it: by keyboard alone, on a phone, in the dark, and for screen readers."""

import re

import pytest

from twinlab.apps import start
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.browser

QUESTION = "average temperature of stations on 2026-01-02"


@pytest.fixture(scope="module")
def served():
    page = start(FakeTwin.example(days=5, trips=50), warm=False)
    yield page
    page.stop()


def field(page):
    found = page.get_by_role("combobox", name="Ask about the data, in English or German")
    found.wait_for()
    return found


def test_a_question_is_asked_and_answered_by_keyboard_alone(open_page, served, grave_faults):
    page = open_page(f"{served.url}?page=history")
    box = field(page)
    page.get_by_text(re.compile("data to|ended 20")).first.wait_for()
    page.keyboard.press("/")
    page.keyboard.type("average temper", delay=20)
    page.get_by_role("option", name="average temperature", exact=True).wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert box.input_value() == "average temperature"
    page.keyboard.type(" of stations on 2026-01-02")
    page.keyboard.press("Enter")
    page.get_by_text("Nothing has run yet").wait_for()
    page.get_by_role("button", name="Run", exact=True).wait_for()
    assert page.get_by_label("Table of the answer").count() == 0
    page.keyboard.press("Enter")
    page.get_by_label("Table of the answer").wait_for()
    page.get_by_text("on average of 3 assets").first.wait_for()
    page.wait_for_url(re.compile("ask=average"))
    assert grave_faults(page) == []
    page.keyboard.press("Escape")
    page.get_by_label("Table of the answer").wait_for(state="hidden")


def test_on_a_phone_in_the_dark_a_link_shows_a_plan_and_findings_fit(open_page, served, grave_faults):
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True}
    page = open_page(f"{served.url}?page=history&ask=colour+of+snow", **phone)
    page.get_by_text("I can't tell").wait_for()
    field(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Findings").click()
    page.get_by_role("button", name=re.compile("Least known|At least")).click()
    page.get_by_text("Nothing has run yet").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert grave_faults(page) == []
