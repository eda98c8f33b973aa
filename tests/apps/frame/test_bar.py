"""Age of the newest data in the top bar."""

import numpy as np
import panel as pn
import pytest

from twinlab.apps.frame.bar import bar, edits_of, freshness_html
from twinlab.apps.frame.browser_side import BrowserSide
from twinlab.explore.kit.session import Session, Shared
from twinlab.testing import FakeTwin


def test_unreadable_data_are_not_reported_as_absent() -> None:
    assert "no data yet" in freshness_html(None)
    assert "t be read" in freshness_html(None, failed=True)


def test_a_time_that_could_not_be_read_again_is_marked_as_old() -> None:
    now = np.datetime64("now", "ns")
    assert "◷" not in freshness_html(now)
    assert "◷" in freshness_html(now, failed=True)


def test_changes_that_are_not_applied_are_counted_and_named() -> None:
    now = np.datetime64("now", "ns")
    assert "not applied" not in freshness_html(now)
    one = freshness_html(now, edits=["mapping/<a>.yaml changed"])
    assert "1 change not applied" in one and "mapping/&lt;a&gt;.yaml changed" in one
    assert "2 changes not applied" in freshness_html(now, edits=["a", "b"])
    assert edits_of(object()) == []


def test_a_finished_data_set_has_ended_and_does_not_look_late() -> None:
    ended = np.datetime64("2013-12-30T23:30", "ns")
    assert ">ended 2013-12-30<" in freshness_html(ended)
    assert ">ended 2013-12-31<" in freshness_html(ended, zone="Europe/Berlin")
    assert "◷" not in freshness_html(ended)
    late = freshness_html(np.datetime64("now", "ns") - np.timedelta64(3, "D"))
    assert "3 days behind" in late and "◷" in late
    assert "◷" in freshness_html(ended, failed=True)


def test_the_bar_is_empty_before_the_first_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # Outside a server it's read at once.
    monkeypatch.setattr(pn.state, "onload", lambda _: None)
    browser = BrowserSide()
    freshness, clock = bar(Shared(FakeTwin.example(days=1, trips=1)), Session(), browser, user=None)
    browser.zone = "Europe/Berlin"
    clock.clicks += 1
    assert freshness.object == ""
