"""Findings in a report: about what the view shows, each with the Python that gives its numbers."""

import html

import numpy as np
import pytest

from twinlab.ask import explain
from twinlab.explore import SignalExplorer
from twinlab.explore.kit.link import Link
from twinlab.explore.views import shown_findings
from twinlab.testing import FakeTwin

DAY = (np.datetime64("2026-01-03", "ns"), np.datetime64("2026-01-04", "ns"))


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=4, trips=20)


def test_a_report_begins_with_findings_about_the_assets_and_the_period_of_the_view(twin, tmp_path):
    link = Link(asset_type="station", signals=("temperature",), assets=("NORTH",), window=DAY)
    view = SignalExplorer(twin, link=link)
    text = html.unescape(view.report(tmp_path / "r.html").read_text(encoding="utf-8"))

    wanted = explain(twin, on="station", assets=["NORTH"], start=DAY[0], stop=DAY[1])
    assert text.index("<h2>Findings</h2>") < text.index("Python that reads the same")
    for one in wanted:
        assert one.sentence in text
        assert one.plan is None or one.plan.text in text.replace("\\'", "'")


def test_a_view_of_assets_without_measured_numbers_has_no_findings(twin):
    assert shown_findings.shown_findings(twin, Link(asset_type="cold_room_without_signals")) == []


def test_of_a_span_with_too_many_values_a_report_says_that_there_are_no_findings(twin, monkeypatch):
    monkeypatch.setattr(shown_findings, "_MOST_VALUES", 10)
    [(sentence, code)] = shown_findings.shown_findings(twin, Link(asset_type="station", window=DAY))

    assert "too many values" in sentence
    assert code == ""
