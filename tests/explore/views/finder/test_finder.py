"""Finding events on a page: the condition as text and by clicks, hits, wrong conditions, code and exports."""

import html

import numpy as np
import openpyxl
import pandas as pd
import pytest

from twinlab.errors import SourceError
from twinlab.events import find
from twinlab.explore import EventsAndKpisView, FinderExplorer, parse_link
from twinlab.explore.pages.events.found import FoundView
from twinlab.model import TwinModel
from twinlab.testing import FakeTwin

WARM = "?type=cold_room&when=temperature+%3E+5+degC&lasting=30min"


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=4, trips=60)


@pytest.fixture
def view(twin):
    return FinderExplorer(twin, link=parse_link(WARM))


def said(view):
    return html.unescape(view._status.object)


def test_hits_are_those_of_find_and_of_the_code(twin, view):
    expected = find(twin, "temperature > 5 degC", on="cold_room", lasting="30min")
    assert len(expected)
    pd.testing.assert_frame_equal(view.data(), expected)
    space = {}
    exec(view.code(), space)
    pd.testing.assert_frame_equal(space["data"], expected)
    assert f"{len(expected):,} event" in said(view)
    assert f"of {len(twin.assets('cold_room')):,} assets" in said(view)
    again = FinderExplorer(twin, link=parse_link(view.url()))
    pd.testing.assert_frame_equal(again.data(), expected)


def test_a_condition_that_cannot_be_read_leaves_the_hits_and_points_at_its_column(view):
    before = view.data()
    view.when = "temprature > 5 degC"
    fault = html.unescape(view._fault.object)
    assert "did you mean 'temperature'" in fault
    assert "\n  ^" in fault
    assert "Still shown: temperature > 5 degC" in said(view)
    assert view.data() is before
    assert parse_link(view.url()).when == "temprature > 5 degC"
    view.when = "temperature > 5 degC"
    assert view._fault.object == ""
    view.lasting = "soon"
    assert "Lasting: expected a duration" in view._fault.object


def test_markup_in_a_condition_is_text(view):
    view.when = "<img src=x onerror=alert(1)>"
    assert "<img" not in view._fault.object


def test_an_empty_condition_shows_nothing_and_says_what_to_write(view):
    view.when = ""
    assert (view.data(), view.code(), view.tables()) == (None, "", {})
    assert "Write a condition" in said(view)


def test_a_condition_is_put_together_by_clicks(view):
    view.when = ""
    builder = view._widgets.builder
    builder.name.value, builder.operator.value, builder.value.value = "temperature", ">=", "6"
    builder._add("and")
    assert view.when == "temperature >= 6 degC"
    builder.name.value = "door"
    assert builder.state.visible
    assert not builder.value.visible
    builder.state.value = "open"
    builder._add("or")
    assert view.when == "temperature >= 6 degC or door == open"
    assert view._widgets.text.value == view.when
    assert view._fault.object == ""


def test_completions_follow_the_text_and_are_written_by_a_press(view):
    widgets = view._widgets
    widgets.text.value = "temperature > 5 degC and do"
    assert widgets.following.options == ["door"]
    for pressed in ("door", "==", "open"):
        assert pressed in widgets.following.options
        widgets.following.value = [pressed]
        assert widgets.following.value == []
    assert view.when == "temperature > 5 degC and door == open "
    assert view._fault.object == ""


@pytest.mark.parametrize("chart", ["timeline", "assets", "durations", "overlay"])
def test_each_chart_is_drawn(view, chart):
    view.chart = chart
    assert view.figure() is not None
    assert view.notice == ""
    assert (parse_link(view.url()).layout or "timeline") == chart


def test_only_a_period_is_searched_until_all_times_are_wanted(twin):
    view = FinderExplorer(twin, link=parse_link(WARM + "&from=2026-01-02&to=2026-01-03"))
    expected = find(
        twin, "temperature > 5 degC", on="cold_room", lasting="30min", start="2026-01-02", stop="2026-01-03"
    )
    pd.testing.assert_frame_equal(view.data(), expected)
    assert view._widgets._all.visible
    view._widgets._all.clicks += 1
    assert view.window is None
    assert not view._widgets._all.visible


def test_the_workbook_has_the_events_with_statistics_and_the_condition(view, tmp_path):
    book = openpyxl.load_workbook(view.to_excel(tmp_path / "found.xlsx"))
    sheet = book["Found events"]
    titles = [cell.value for cell in sheet[1]]
    assert "max temperature (°C)" in titles
    assert sheet.max_row == len(view.data()) + 1
    assert "temperature > 5 degC" in str(list(book["about"].values))


def test_states_and_wrong_links(twin):
    view = FinderExplorer(twin, link=parse_link("?type=cold_room&when=door+%3D%3D+open"))
    assert view.found.signal is None
    assert len(view.data())
    wrong = FinderExplorer(twin, link=parse_link("?type=ship&when=x+%3E+1"))
    assert "unknown asset type 'ship'" in wrong.notice


def test_a_failure_of_the_disk_is_said(twin, view, monkeypatch):
    def fails(*args, **options):
        msg = "the disk is gone"
        raise SourceError(msg)

    monkeypatch.setattr(twin, "history", fails)
    view.when = "temperature > 7 degC"
    assert "The disk is gone" in view._fault.object


def test_a_selected_event_shows_its_signals_around_it(twin):
    page = FoundView(twin, link=parse_link(WARM))
    page.finder._picked(0)
    event = page.data().iloc[0]
    assert page.chosen == ("cold_room", event["asset"])
    start, stop = page.signals.window
    assert start < event["start"].to_datetime64()
    assert stop > start + np.timedelta64(30, "m")
    page.finder.when = "temperature > 5.5 degC"
    assert page._beneath.objects == []


def test_the_page_has_the_part_and_keeps_it_in_its_link(twin):
    page = EventsAndKpisView(twin, link=parse_link(WARM))
    assert page.part == "find"
    assert len(page.data())
    assert page.url() == "?type=cold_room&when=temperature+%3E+5+degC&lasting=30min"
    bare = EventsAndKpisView(twin, link=parse_link("?part=find"))
    assert parse_link(bare.url()).part == "find"


def test_a_twin_without_signals_says_so():
    view = FinderExplorer(FakeTwin(TwinModel.model_validate({"twin": "empty", "asset_types": {"room": {}}})))
    assert "has no signals" in view.__panel__().object
