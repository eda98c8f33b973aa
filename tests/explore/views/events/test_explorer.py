"""The event explorer: filtered, sorted and paged by the server, fast at hundreds of thousands of rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SourceError
from twinlab.explore import EventExplorer
from twinlab.explore.kit.tables.event_tables import EventTables
from twinlab.explore.kit.tables.table_order import sort_rows
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


def test_clearing_the_filters_keeps_the_table_and_its_order(twin):
    explorer = EventExplorer(twin)
    grid = explorer._grid
    model = grid.get_root()
    grid.sorters = [{"field": "number", "dir": "desc"}]
    grid._process_events({"filters": [{"field": "origin", "type": "=", "value": "EAST"}], "page": 2})
    model.filters = grid.filters
    explorer.clear_filters()
    assert explorer._grid is grid
    assert model.filters == []
    assert (grid.page, len(explorer.shown())) == (1, 1_000)
    assert explorer.shown()["number"].is_monotonic_decreasing
    assert explorer.all_filters == ()


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
    assert "This twin has no events" in explorer._body[0].object


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


def test_a_click_on_a_header_sorts_all_rows_and_the_code_keeps_the_tables_own_order(twin):
    explorer = EventExplorer(twin, page_size=12)
    before = explorer.data()
    explorer._grid.sorters = [{"field": "end_delay", "dir": "desc"}]
    delay = explorer.shown()["end_delay"]
    assert delay.dropna().is_monotonic_decreasing
    assert delay.isna().iloc[-1]
    assert explorer.data().equals(before)
    model = explorer._grid.get_root()
    assert list(model.source.data["event_id"]) == list(explorer.shown()["event_id"][:12])


def test_a_page_that_is_turned_shows_the_next_rows_of_the_sorted_table(twin):
    explorer = EventExplorer(twin, page_size=12)
    model = explorer._grid.get_root()
    explorer._grid.sorters = [{"field": "origin", "dir": "desc"}]
    explorer._grid.page = 3
    assert list(model.source.data["event_id"]) == list(explorer.shown()["event_id"][24:36])
    explorer._grid._update_selection([1])
    assert explorer.selected["event_id"] == explorer.shown()["event_id"].iloc[25]
    assert model.source.selected.indices == [1]
    explorer._grid.page = 1
    assert model.source.selected.indices == []


def test_a_filter_typed_on_a_late_page_shows_the_first_page_of_what_it_leaves(twin):
    explorer = EventExplorer(twin, page_size=12)
    model = explorer._grid.get_root()
    explorer._grid.page = 50
    explorer._grid._process_events({"filters": [{"field": "number", "type": ">=", "value": "390"}]})
    assert explorer._grid.page == 1
    assert 0 < len(model.source.data["event_id"]) <= 12


def test_who_writes_into_the_data_doesnt_write_into_what_is_shown(twin):
    explorer = EventExplorer(twin)
    mine = explorer.data()
    mine["number"] = 0
    assert (explorer.data()["number"] != 0).any()


_COLUMNS = st.fixed_dictionaries(
    {
        "late": st.lists(st.floats(allow_infinity=False) | st.just(float("nan")), min_size=8, max_size=8),
        "text": st.lists(st.sampled_from(["", "b", "B", "a", "Ä", "z"]), min_size=8, max_size=8),
        "yes": st.lists(st.booleans(), min_size=8, max_size=8),
        "number": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=8, max_size=8),
    }
)
_SORTERS = st.lists(
    st.fixed_dictionaries(
        {
            "field": st.sampled_from(["late", "text", "yes", "number", "start", "none"]),
            "dir": st.sampled_from(["asc", "desc"]),
        }
    ),
    max_size=3,
    unique_by=lambda one: one["field"],
)


@given(_COLUMNS, _SORTERS, st.sets(st.integers(0, 7)))
def test_rows_are_sorted_as_pandas_sorts_them(columns, sorters, places):
    table = pd.DataFrame(columns).astype({"text": "category", "number": "int64"})
    table["start"] = pd.to_datetime(["2026-01-02", None] * 4)
    places = np.array(sorted(places), dtype=np.intp)
    known = [one for one in sorters if one["field"] != "none"]
    frame = table.assign(text=table["text"].astype(str).str.lower()).iloc[places]
    for one in reversed(known):
        frame = frame.sort_values(one["field"], ascending=one["dir"] == "asc", kind="stable")
    assert sort_rows(table, places, sorters).tolist() == frame.index.tolist()


def test_a_table_that_could_not_be_read_says_why_and_is_read_again(twin):
    class Failing:
        """The twin, until its disk answers."""

        answers = False

        def __getattr__(self, name):
            if name == "events" and not self.answers:
                message = "the disk doesn't answer; check that it's mounted"
                raise SourceError(message)
            return getattr(twin, name)

    failing = Failing()
    explorer = EventExplorer(failing)
    assert not explorer.ready
    assert "check that it's mounted" in explorer._failure
    failing.answers = True
    explorer._retry()
    assert explorer.ready
    assert explorer.notice == ""
    assert len(explorer.shown()) == 1_000
