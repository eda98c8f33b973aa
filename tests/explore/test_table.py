"""The event table: filtered, sorted and paged by the server, quick at hundreds of thousands of rows."""

import numpy as np
import pytest

from twinlab.explore import EventExplorer
from twinlab.explore.event_tables import EventTables
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=30, trips=1_000)


def test_the_table_shows_status_times_delays_and_properties_with_units(twin):
    explorer = EventExplorer(twin)
    titles = explorer._grid.titles
    assert titles["distance"] == "distance (km)"
    assert titles["start"] == "start (UTC)"
    assert titles["start_delay"] == "start delay (min)"
    assert titles["asset"] == "vehicle"
    row = explorer.shown().iloc[0]
    assert row["start_delay"] == (row["start"] - row["planned_start"]).total_seconds() / 60


def test_header_filters_are_applied_on_the_server(twin):
    explorer = EventExplorer(twin)
    explorer._grid.filters = [{"field": "origin", "type": "=", "value": "EAST"}]
    events = twin.events("trip")
    assert len(explorer.shown()) == int((events["origin"] == "EAST").sum())
    assert f"{len(explorer.shown()):,} of 1,000 events" in explorer._count.object


def test_one_page_is_sent_at_a_time(twin):
    model = EventExplorer(twin, page_size=12)._grid.get_root()
    assert len(next(iter(model.source.data.values()))) == 12
    assert model.max_page == -(-1_000 // 12)


def test_cancelled_events_stay_in_the_table_as_what_they_are(twin):
    explorer = EventExplorer(twin)
    cancelled = explorer.shown()["status"] == "cancelled"
    assert cancelled.sum() == twin.events("trip")["cancelled"].sum()


def test_choosing_a_row_sets_the_selected_event(twin):
    explorer = EventExplorer(twin)
    explorer._grid.selection = [7]
    assert explorer.selected["event_id"] == "trip-000007"


def test_a_chosen_row_is_the_one_seen_when_filters_are_set(twin):
    explorer = EventExplorer(twin)
    explorer._grid.filters = [{"field": "origin", "type": "=", "value": "EAST"}]
    explorer._grid._update_selection([2])
    assert explorer.selected["event_id"] == explorer.shown().iloc[2]["event_id"]


def test_a_twin_without_events_says_so():
    explorer = EventExplorer(FakeTwin(TwinModel(twin="empty")))
    assert explorer.event_type is None
    assert explorer._body[0].object == "This twin has no events."


def test_an_unknown_event_type_is_told(twin):
    explorer = EventExplorer(twin, event_type="tripp")
    assert "did you mean 'trip'" in explorer.notice
    assert explorer.event_type == "trip"


def test_tables_are_shared_and_read_again_after_a_minute(twin):
    now = [0.0]
    tables = EventTables(twin, clock=lambda: now[0])
    first = tables.table("trip")
    assert tables.table("trip") is first
    now[0] = 61.0
    assert tables.table("trip") is not first


def test_text_columns_offer_a_list_or_a_search(twin):
    filters = EventExplorer(twin)._grid.header_filters
    assert filters["origin"]["values"] == ["", "EAST", "NORTH", "WEST"]
    assert filters["number"]["func"] == ">="
    assert filters["cancelled"]["type"] == "tickCross"
    assert np.isin(["done", "cancelled"], filters["status"]["values"]).all()
