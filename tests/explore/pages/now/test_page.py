"""The Now page at any instant: exceptions, tiles, links, notes."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from twinlab.events import exceptions
from twinlab.explore.kit.link import Link, parse_link
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.pages.now.page import NowView
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


@pytest.fixture(scope="module")
def shared():
    return Shared(FakeTwin.example(days=3, trips=60))


@pytest.fixture
def view(shared):
    return NowView(shared.twin, shared=shared, session=Session("ada", {}))


@pytest.fixture
def own():
    """A page on a twin of its own, on which notes can be written."""
    twin = FakeTwin.example(days=3, trips=60)
    return NowView(twin, session=Session("ada", {}))


def tiles(view):
    return {tile.filter: tile for tile in view._tiles()}


def test_exceptions_of_the_newest_data_come_worst_first(view, shared):
    found = exceptions(shared.twin, at=shared.latest())
    assert len(found) > 2
    assert list(view.table.rows.index) == list(found["key"])
    assert [word.split()[1] for word in view.table.rows["severity"]] == list(found["severity"])
    assert "the newest data" in view._instant.text.object


def test_copied_code_gives_the_pages_numbers(view):
    view.only = "severity:high"
    space = {}
    exec(view.code(), space)
    pd.testing.assert_frame_equal(space["data"], view.data())
    assert len(view.data()) == len(view.table.rows)


def test_tiles_count_reporting_assets_late_events_and_exceptions(view, shared):
    found = tiles(view)
    counts = view.data()["severity"].value_counts()
    assert found["severity:high"].main == str(counts["high"])
    model = shared.twin.model
    assert set(found) >= {f"type:{kind}" for kind in shared.choices.kinds().values()}
    assert set(found) >= {f"event:{kind}" for kind in model.event_types}
    late = int((view.data()["event_type"] == "delivery").sum())
    assert late == 0 or found["event:delivery"].alarming


def test_a_tile_filters_the_table_until_it_is_pressed_again(view):
    everything = len(view.table.rows)
    view._strip._pressed("severity:high", None)
    assert view.only == "severity:high"
    assert set(view.table.rows["severity"].astype(str)) == {"▲ high"}
    assert view.link().layout == "severity:high"
    view._strip._pressed("severity:high", None)
    assert len(view.table.rows) == everything


def test_a_link_opens_a_past_instant(shared):
    link = parse_link("?at=2026-01-02T12:00&layout=type:cold_room")
    view = NowView(shared.twin, shared=shared, link=link)
    assert view.settings()["as of"] == "2026-01-02 12:00 UTC"
    assert "at=2026-01-02T12:00:00" in view.url()
    assert not view._instant.latest.disabled
    assert any(tile.title == "Looking back" for tile in view._tiles())
    view._instant.latest.clicks += 1
    assert view.at is None


def test_an_instant_can_be_typed_and_a_wrong_one_gives_a_notice(view):
    view._instant.field.value = "2026-01-02 06:00"
    assert view.at == np.datetime64("2026-01-02T06:00", "ns")
    view._instant.field.value = "soon"
    assert "isn't a time such as" in view.notice
    assert view.at == np.datetime64("2026-01-02T06:00", "ns")


def test_a_wrong_link_gives_a_notice_and_the_whole_page(shared):
    view = NowView(shared.twin, shared=shared, link=Link(layout="severity:terrible", problems=("wrong",)))
    assert "unknown tile 'severity:terrible'" in view.notice
    assert "wrong" in view.notice
    assert len(view.table.rows) == len(view.data())


def test_the_asset_of_a_clicked_row_is_selected_on_other_pages_too(view):
    key = view.table.rows.index[0]
    view.table._on_pick(key)
    first = view.data().iloc[0]
    assert view.chosen == (first["asset_type"], first["asset"])
    assert (view.link().asset_type, view.link().assets) == (first["asset_type"], (first["asset"],))


def test_values_have_units_and_states_have_names(view):
    rows = view.table.rows
    warm = rows[rows["rule"] == "too_warm"]
    door = rows[rows["rule"] == "door_open"]
    assert warm.empty or warm["value"].str.endswith("°C").all()
    assert door.empty or (set(door["value"]) == {"open"} and set(door["limit"]) == {""})


def test_a_place_is_that_of_the_containing_asset(view):
    rooms = view.table.rows[view.table.rows["rule"].isin(["too_warm", "door_open"])]
    assert len(rooms)
    assert rooms["place"].str.contains(r"\((?:EAST|NORTH|WEST)\)").all()


def test_tables_have_the_readers_columns(view):
    sheets = view.tables()
    assert list(sheets["exceptions"])[:3] == ["severity", "what", "asset"]
    assert len(sheets["exceptions"]) == len(view.data())
    assert len(sheets["tiles"]) == len(view._tiles())


def test_without_exceptions_a_message_replaces_the_table(shared):
    view = NowView(shared.twin, shared=shared, link=Link(layout="type:station"))
    assert "No such exceptions" in view.table._body[0].object
    assert view.table.rows is None
    assert len(view.data()) == 0


def test_a_twin_without_rules_says_how_to_get_some():
    twin = FakeTwin.example(days=1, trips=5)
    station = twin.model.asset_types["station"]
    bare = {"asset_types": {"station": station}, "relationships": {}, "event_types": {}, "rules": {}}
    plain = FakeTwin(twin.model.model_copy(update=bare), histories={"station": twin.history("station")})
    assert "Add rules" in NowView(plain).table._body[0].object


def test_a_twin_with_events_and_no_signals_shows_its_exceptions():
    model = TwinModel.model_validate(
        {
            "twin": "legs",
            "asset_types": {"courier": {}},
            "event_types": {"leg": {"asset": "courier"}},
            "rules": {"late_leg": {"on": "leg", "late": "30min"}},
        }
    )
    planned = pd.to_datetime(["2026-01-01T10:00", "2026-01-01T11:00", "2026-01-01T12:00"])
    legs = pd.DataFrame(
        {
            "event_id": ["1", "2", "3"],
            "type": "leg",
            "asset": "C1",
            "start": planned,
            "end": pd.to_datetime([None, None, "2026-01-01T12:20"]),
            "planned_start": planned,
            "planned_end": planned + pd.Timedelta("10min"),
        }
    )
    view = NowView(FakeTwin(model, events={"leg": legs}, assets={"courier": pd.DataFrame(index=["C1"])}))
    assert view.settings()["as of"] == "2026-01-01 12:20 UTC"
    assert set(view.data()["event_id"]) == {"1", "2"}
    assert tiles(view)["event:leg"].detail.startswith("on time · 2 late")


def test_a_twin_without_data_says_so():
    view = NowView(FakeTwin(TwinModel(twin="empty")))
    assert "No data yet" in view.table._body[0].object
    assert view.data() is None
    assert view.code() == ""


def test_a_twin_that_cant_be_read_says_why_and_can_be_tried_again(monkeypatch):
    twin = FakeTwin.example(days=1, trips=5)
    right, wrong = twin.relationships, [True]

    def relationships(name):
        if wrong[0]:
            raise OSError("the disk is gone")
        return right(name)

    monkeypatch.setattr(twin, "relationships", relationships)
    view = NowView(twin)
    assert view.data() is None
    assert "the disk is gone" in view._body[0][0][0].object
    wrong[0] = False
    view._reload(replace_rows=True)
    assert view.data() is not None


def test_the_map_is_as_wide_as_its_assets_need(view):
    shot = view.map._shot
    square = shot.table.assign(latitude=[48.0, 50.0] * (len(shot.table) // 2) + [48.0] * (len(shot.table) % 2))
    for span, narrow in ((1.0, True), (40.0, False)):
        moved = square.assign(longitude=np.linspace(5.0, 5.0 + span, len(square)))
        view.map.show(replace(shot, table=moved))
        basis = int(re.search(r"(\d+)px", view.map.pane.styles["flex"])[1])
        assert (basis == 320) is narrow
        assert 320 <= basis <= 680


def test_two_readers_do_not_disturb_each_other(shared):
    one, two = (NowView(shared.twin, shared=shared, session=Session(name, {})) for name in ("ada", "bob"))
    one.table.set_columns(["asset", "since"])
    one.only = "severity:high"
    assert two.only == ""
    assert len(two.table.columns) == 10


# -- notes --------------------------------------------------------------------------------------------------------------


def test_a_note_is_saved_with_its_author_and_shown(own):
    key = own.table.rows.index[0]
    own.table._on_note(key, "called the driver")
    assert own.twin.notes()[["key", "note", "author"]].to_numpy().tolist() == [[key, "called the driver", "ada"]]
    assert own.table.rows.loc[key, "note"] == "called the driver"


def test_ticked_rows_are_acknowledged_together(own):
    own.table._grid.selection = [0, 2]
    assert own._actions.acknowledge.label == "Acknowledge (2)"
    own.acknowledge()
    rows = own.table.rows["acknowledged"]
    assert rows.iloc[0].startswith("✓ ada, ")
    assert rows.iloc[1] == ""
    assert own.table.selected == [own.table.rows.index[0], own.table.rows.index[2]]


def test_a_note_of_somebody_else_is_not_overwritten(own):
    key = own.table.rows.index[0]
    own.twin.annotate(key, note="bob is on it", author="bob", time="2026-01-04T10:00")
    own.table._on_note(key, "mine")
    assert "bob wrote “bob is on it” at 2026-01-04 10:00 UTC meanwhile" in own.notice
    assert own.table.rows.loc[key, "note"] == "bob is on it"
    own.table._on_note(key, "mine after all")
    assert own.twin.notes()["note"].tolist() == ["mine after all"]
    assert own.notice == ""


def test_an_empty_note_clears(own):
    key = own.table.rows.index[0]
    own.table._on_note(key, "x")
    own.table._on_note(key, "")
    assert own.table.rows.loc[key, "note"] == ""
