"""Anomalies in Chromium: read, accepted by a press, and nothing to scroll sideways on a phone."""

import pytest

from tests.explore.pages.now.foresight.test_anomalies import watched  # noqa: F401  (a fixture)
from tests.twin.anomalies.conftest import all_rows, pumps  # noqa: F401  (fixtures)
from twinlab.apps import start

pytestmark = pytest.mark.browser


@pytest.fixture
def served(watched, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path / "config"))
    page = start(watched, warm=False)
    yield page.url
    page.stop()


def test_an_anomaly_is_accepted_by_a_press_and_the_next_one_is_chosen(open_page, served, watched):  # noqa: F811
    page = open_page(served + "?page=now", viewport={"width": 390, "height": 844})
    page.get_by_text("Unusual: 3 not judged").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Accept").scroll_into_view_if_needed()
    page.get_by_role("button", name="Accept").click()
    page.get_by_text("Unusual: 2 not judged").wait_for()
    page.get_by_text("accepted.").wait_for()
    assert len(watched.anomaly_events.table(status="accepted")) == 1
