"""What the top bar says of the data's age."""

import numpy as np
import panel as pn
import pytest

from twinlab.apps.frame.bar import bar, freshness_html
from twinlab.apps.frame.browser_side import BrowserSide
from twinlab.explore.kit.session import Session, Shared
from twinlab.testing import FakeTwin


def test_data_that_cannot_be_read_are_not_called_absent() -> None:
    assert "no data yet" in freshness_html(None)
    assert "t be read" in freshness_html(None, failed=True)


def test_a_time_that_could_not_be_read_again_is_marked_as_old() -> None:
    now = np.datetime64("now", "ns")
    assert "◷" not in freshness_html(now)
    assert "◷" in freshness_html(now, failed=True)


def test_before_it_has_read_anything_the_bar_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Outside a server it's read at once.
    monkeypatch.setattr(pn.state, "onload", lambda _: None)
    browser = BrowserSide()
    freshness, clock = bar(Shared(FakeTwin.example(days=1, trips=1)), Session(), browser, user=None)
    browser.zone = "Europe/Berlin"
    clock.clicks += 1
    assert freshness.object == ""
