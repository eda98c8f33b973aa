"""The Events page: summary, chart, routes and table filter each other, and the code gives the same events."""

import html

import numpy as np
import pandas as pd
import panel as pn
import pytest
from bokeh.models import BoxAnnotation
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SourceError
from twinlab.explore import EventsView, parse_link
from twinlab.explore.kit.session import Shared
from twinlab.explore.kit.tables.table_filters import EventFilter, apply_filters, filters_text, parse_filters
from twinlab.explore.pages.events.bins import count_by_delay, count_by_time
from twinlab.explore.pages.events.summary import summarise
from twinlab.explore.views.map.routes import routes
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=20, trips=600)


@pytest.fixture(scope="module")
def shared(twin):
    return Shared(twin)


@pytest.fixture
def view(twin, shared):
    return EventsView(twin, shared=shared)


def millis(text):
    return float(np.datetime64(text, "ms").astype("int64"))


def same_as_code(view):
    space = {}
    exec(view.code(), space)
    pd.testing.assert_frame_equal(space["data"], view.data())
    return True


def test_the_summary_counts_the_rows_of_the_table(view):
    found = summarise(view.data())
    assert found.count == 600
    assert found.cancelled == (view.data()["status"] == "cancelled").sum()
    delay = view.data()["end_delay"].dropna()
    assert found.median == delay.median()
    assert found.on_time == (delay < 15).mean()
    assert f"<b>{found.on_time:.1%}</b> on time" in view._summary.object


def test_unfinished_events_are_counted_apart():
    table = pd.DataFrame({"status": ["done", "running", "planned"], "end_delay": [3.0, np.nan, np.nan]})
    found = summarise(table)
    assert (found.judged, found.open, found.on_time) == (1, 2, 1.0)
    nothing = summarise(table[1:])
    assert nothing.judged == 0
    assert np.isnan(nothing.median)


@pytest.mark.parametrize("count", [count_by_time, count_by_delay])
def test_each_event_is_counted_in_one_bin_or_as_without_time(twin, view, count):
    bins = count(view.data())
    assert bins.total + bins.without == 600
    by_status = view.data()["status"].astype(str).value_counts()
    for status, counts in bins.counts.items():
        assert counts.sum() <= by_status.get(status, 0)


def test_a_header_filter_reaches_summary_chart_code_data_and_link(view):
    view.table._grid.filters = [{"field": "origin", "type": "=", "value": "EAST"}]
    assert (view.data()["origin"] == "EAST").all()
    pd.testing.assert_frame_equal(view.data(), view.table._grid.current_view)
    assert f"<b>{len(view.data())}</b> events" in view._summary.object
    assert "find=origin%3DEAST" in view.url()
    assert same_as_code(view)


@pytest.mark.parametrize(
    "header",
    [
        {"field": "distance", "type": ">=", "value": 100},
        {"field": "asset", "type": "like", "value": "v1"},
        {"field": "cancelled", "type": "tickCross", "value": True},
        {"field": "status", "type": "=", "value": "cancelled"},
    ],
)
def test_any_kind_of_header_filter_gives_the_same_in_code(view, header):
    if header["type"] == "tickCross":
        header = {**header, "type": "="}
    view.table._grid.filters = [header]
    assert 0 < len(view.data()) < 600
    assert same_as_code(view)


def test_a_box_over_time_filters_the_table_by_period(view):
    view._box_drawn((millis("2026-01-03"), millis("2026-01-05")))
    rows = view.data()
    begin, end = rows["start"].fillna(rows["planned_start"]), rows["end"].fillna(rows["planned_end"])
    assert 0 < len(rows) < 600
    assert (begin < pd.Timestamp("2026-01-05")).all() and (end >= pd.Timestamp("2026-01-03")).all()
    assert "from=2026-01-03T00:00:00&to=2026-01-05T00:00:00&in_view=1" in view.url()
    assert same_as_code(view)


def test_a_box_over_delays_filters_the_table_by_delay(view):
    view.chart = "delay"
    view._box_drawn((10.0, 30.0))
    assert view.data()["end_delay"].between(10, 30, inclusive="left").all()
    view._box_drawn((20.0, 40.0))
    assert view.data()["end_delay"].between(20, 40, inclusive="left").all()
    assert same_as_code(view)


def test_a_click_on_a_route_filters_the_table_by_it(view):
    route = view._drawn.iloc[1]
    view._route_clicked([1])
    assert len(view.data()) == route["count"]
    assert set(view.data()["origin"]) == {route["origin"]}
    assert set(view.data()["destination"]) == {route["destination"]}


def test_routes_count_events_between_places(twin, view):
    rows = view.data()
    found = routes(rows, ("origin", "destination"))
    assert found["count"].sum() == len(rows)
    one = found.iloc[0]
    mine = rows[(rows["origin"] == one["origin"]) & (rows["destination"] == one["destination"])]
    assert one["delay"] == mine["end_delay"].median()


def test_filters_are_cleared_by_one_button(view):
    view._box_drawn((millis("2026-01-03"), millis("2026-01-05")))
    view.table._grid.filters = [{"field": "origin", "type": "=", "value": "EAST"}]
    assert view._clear.visible
    view._clear.clicks += 1
    assert len(view.data()) == 600
    assert not view._clear.visible
    assert view.link().find is None


def test_filters_without_events_give_a_message(view):
    view.table.filters = (EventFilter("distance", ">=", 1e9),)
    assert "No event fulfils" in view._filters.object
    assert view._clear.visible
    assert same_as_code(view)


def test_a_link_opens_the_same_events(twin, shared, view):
    view.chart = "delay"
    view._box_drawn((10.0, 30.0))
    view.table._grid.filters = [{"field": "origin", "type": "=", "value": "EAST"}]
    again = EventsView(twin, shared=shared, link=parse_link(view.url()))
    pd.testing.assert_frame_equal(again.data(), view.data())
    assert again.url() == view.url()


def test_wrong_filters_in_a_link_give_a_notice_and_the_others_apply(twin, shared):
    view = EventsView(twin, shared=shared, link=parse_link("?find=orgin%3DEAST;distance%3E%3D100&event=trips"))
    assert "did you mean 'origin'" in view.notice
    assert "did you mean 'trip'" in view.notice
    assert view._alert.visible
    assert (view.data()["distance"] >= 100).all()


def test_a_selected_row_is_marked_and_its_asset_selected(view):
    view.table._grid.selection = [7]
    event = view.table.selected
    assert view.chosen == ("vehicle", event["asset"])
    low, high = view._marked()
    assert low <= event["start"].timestamp() * 1e3 <= high
    assert view._route == (event["origin"], event["destination"])


def test_a_link_opens_with_its_chosen_event(twin, shared, view):
    view.table._grid.selection = [40]
    again = EventsView(twin, shared=shared, link=parse_link(view.url()))
    assert again.table.selected["event_id"] == view.table.selected["event_id"]
    assert again.table._grid.page == 40 // 12 + 1
    lost = EventsView(twin, shared=shared, link=parse_link("?find=%23trip-9"))
    assert "the event 'trip-9' isn't among those shown" in lost.notice


def test_another_kind_of_event_has_its_own_chart_and_routes(view):
    view.table.event_type = "delivery"
    assert view.link().event_type == "delivery"
    assert "event" in view.url()
    assert set(view.data().columns) >= {"van", "origin"}
    assert f"<b>{len(view.data()):,}</b> event" in view._summary.object


def test_the_chart_is_refreshed_in_place(view):
    pn.panel(view).get_root()
    (chart,) = view._chart.figures()
    before = sum(chart.renderers[0].data_source.data["count"])
    assert before == 600
    view.table._grid.filters = [{"field": "origin", "type": "=", "value": "EAST"}]
    assert view._chart.figures() == [chart]
    assert sum(chart.renderers[0].data_source.data["count"]) == len(view.data()) < before


def test_a_chosen_event_is_marked_on_the_chart(view):
    pn.panel(view).get_root()
    (chart,) = view._chart.figures()
    (mark,) = (one for one in chart.center if isinstance(one, BoxAnnotation))
    assert not mark.visible
    view.table._grid.selection = [7]
    assert mark.visible
    assert (mark.left, mark.right) == view._marked()


def test_a_figure_that_is_made_later_shows_the_current_chart(view):
    view.table._grid.filters = [{"field": "origin", "type": "=", "value": "EAST"}]
    pn.panel(view).get_root()
    (chart,) = view._chart.figures()
    assert sum(chart.renderers[0].data_source.data["count"]) == len(view.data())


def test_a_twin_without_events_gives_a_message():
    view = EventsView(FakeTwin(TwinModel(twin="empty")))
    assert view.data() is None
    assert view.code() == ""
    assert view.figure() is None
    assert pn.panel(view) is not None


_VALUES = st.one_of(
    st.builds(EventFilter, st.just("origin"), st.sampled_from(["=", "~"]), st.text(min_size=1, max_size=12)),
    st.builds(EventFilter, st.just("distance"), st.sampled_from([">=", "<"]), st.integers(-5_000, 5_000).map(float)),
    st.builds(EventFilter, st.just("cancelled"), st.just("="), st.booleans()),
)


@given(st.lists(_VALUES, max_size=4, unique=True))
def test_filters_are_restored_from_a_link(filters):
    table = pd.DataFrame({"origin": pd.Categorical(["EAST"]), "distance": [1.0], "cancelled": [True]})
    found, problems = parse_filters(filters_text(filters), table)
    assert problems == []
    assert list(found) == filters
    assert len(apply_filters(table, found)) <= 1


@pytest.mark.parametrize("chart", ["time", "delay"])
def test_the_chart_is_exported_as_a_picture(view, tmp_path, chart):
    view.chart = chart
    assert view.picture(tmp_path / "events.png").stat().st_size > 5_000
    assert set(view.tables()) == {"Trips", "Routes"}


class Failing:
    """A twin whose disk doesn't answer until it's ``mended``."""

    def __init__(self, twin):
        self._twin, self.mended, self.model = twin, False, twin.model

    def __getattr__(self, name):
        return getattr(self._twin, name)

    def events(self, event_type):
        if not self.mended:
            message = "the disk doesn't answer; check that it's mounted"
            raise SourceError(message)
        return self._twin.events(event_type)


def test_events_that_cannot_be_read_give_the_reason_and_a_button_to_try_again(twin):
    failing = Failing(twin)
    view = EventsView(failing)
    assert view.data() is None
    assert not view._chart.pane.visible
    why, again = view.table._body[0]
    assert "check that it's mounted" in html.unescape(why.object)
    failing.mended = True
    again.clicks += 1
    assert len(view.data()) == 600
    assert view._chart.pane.visible


def test_a_kind_without_events_says_what_to_do_and_shows_no_empty_chart_map_or_table():
    view = EventsView(FakeTwin(FakeTwin.example(days=1, trips=1).model))
    assert "No events of this kind yet" in view._summary.object
    assert not view._chart.pane.visible
    assert not view._map_part.visible
    assert not view._table_part.visible
    assert view.figure() is None or len(view.data()) == 0


def test_filters_without_events_leave_the_extent_of_the_map(view):
    view.table.filters = (EventFilter("distance", ">=", 1e9),)
    assert view._chart.pane[0].object == "Nothing to count."
    view.table.filters = ()
    assert view._map_part.visible
    assert len(view._drawn)
