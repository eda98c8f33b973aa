"""The map of a plan: what it marks, what a tap fills in, and a future played on it."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.demos import ParcelSize
from twinlab.explore.views.what_if.change_form import ChangeForm
from twinlab.explore.views.what_if.hub_map import HubMap
from twinlab.explore.views.what_if.places import Places, read_places, touched
from twinlab.explore.views.what_if.plan import Plan
from twinlab.explore.views.what_if.results.playback import Playback, trip_columns
from twinlab.simulate.calibration.twin_names import find_names
from twinlab.simulate.timetable.plans.changes import POSSIBLE_KINDS

PLACES = Places(
    ("BER", "FRA", "MUC"), ("Berlin", "Frankfurt", "München"), np.array([52.5, 50.1, 48.1]), np.array([13.4, 8.7, 11.6]),
    (("BER", "FRA"), ("FRA", "MUC")),
)  # fmt: skip
START = np.datetime64("2026-01-05T00:00", "ns")


def hour(number):
    return pd.Timestamp(START) + pd.Timedelta(hours=number)


def form():
    plans = []
    found = ChangeForm(POSSIBLE_KINDS, PLACES, carrier="truck", on_change=plans.append)
    found.show(Plan())
    return found, plans


def map_of(places=PLACES):
    picks = []
    return HubMap(places, on_place=picks.append, on_link=picks.append), picks


def test_places_and_links_come_from_the_trips_around_the_start():
    twin = tl.demo("parcel", size=ParcelSize(hubs=5, trucks=20, cold_rooms=1, forklifts=1, parcels_a_week=500, weeks=4))
    found = read_places(twin, find_names(twin.model), at=np.datetime64("2026-01-28T06:00"))
    assert len(found.names) == 5
    assert found.located
    assert np.isfinite(found.latitude).all()
    trips = twin.events("trip", start="2026-01-21T06:00", stop="2026-01-30T06:00")
    assert set(found.links) == {tuple(sorted(pair)) for pair in zip(trips["origin"], trips["destination"], strict=True)}
    nowhere = read_places(twin, find_names(twin.model), at=np.datetime64("2019-01-01"))
    assert (nowhere.links, nowhere.located) == ((), True)


def test_a_tapped_place_and_a_tapped_link_are_filled_in_and_kept_for_the_next_kind():
    one, plans = form()
    one.pick_place("MUC")
    assert one._fields["node"].value == "MUC"
    one._kind.value = "storm"
    assert one._fields["nodes"].value == ["MUC"]
    one.pick_place("FRA")
    one.pick_place("MUC")
    assert one._fields["nodes"].value == ["FRA"]
    one.pick_link(("FRA", "MUC"))
    assert (one._kind.value, one._fields["closed"].value) == ("reroute", ["FRA – MUC"])
    one._added()
    assert touched(plans[-1])[0].pairs == (("FRA", "MUC"),)
    one._kind.value = "speed"
    assert one._fields["transporters"].value == "FRA-MUC"
    one.pick_place("BER")
    assert (one._kind.value, one._fields["node"].value) == ("close", "BER")


@pytest.mark.parametrize(
    ("change", "words", "nodes", "pairs"),
    [
        ({"kind": "close", "node": "BER"}, "BER is closed; who passes it waits", ("BER",), ()),
        ({"kind": "storm", "factor": 1.5, "nodes": ["FRA"]}, "storm: trips from and to FRA take 50 % longer", ("FRA",), ()),
        (
            {"kind": "reroute", "closed": [["FRA", "MUC"]], "both_ways": False, "start": "2h"},
            "no trips from FRA to MUC, from 2h after the start", (), (("FRA", "MUC"),),
        ),
        ({"kind": "demand", "factor": 1.2}, "demand +20 %", (), ()),
        ({"kind": "speed", "transporters": "BER-FRA", "factor": 0.8}, "trips of BER-FRA are 20 % slower", (), (("BER", "FRA"),)),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words_and_marked_where_it_is(change, words, nodes, pairs):
    plan = Plan().adding("a", change)
    assert plan.changes == [("a", words)]
    found = touched(plan)
    assert [(one.nodes, one.pairs) for one in found] == [(nodes, pairs)]
    one, _ = map_of()
    one.mark(found)
    assert len(one._layers["marked"]["x"]) == len(nodes)
    assert len(one._layers["marked_links"]["x0"]) == len(pairs)
    one.mark([])
    assert len(one._layers["marked"]["x"]) == len(one._layers["marked_links"]["x0"]) == 0


def test_a_change_at_a_place_that_the_map_lacks_is_not_drawn():
    one, _ = map_of()
    one.mark(touched(Plan().adding("a", {"kind": "close", "node": "NIX"})))
    assert len(one._layers["marked"]["x"]) == 0


def test_a_tap_on_the_map_reports_the_place_or_the_link():
    one, picks = map_of()
    one._picked("hubs", 1)
    one._picked("links", 1)
    assert picks == ["FRA", ("FRA", "MUC")]


def test_places_without_positions_have_no_map():
    one, _ = map_of(Places(("a",), ("a",), np.array([np.nan]), np.array([np.nan]), ()))
    assert not one.pane.visible


def trips():
    rows = [
        ("t1", "BER", "FRA", 1, 4, 1, 3),
        ("t2", "FRA", "MUC", 2, None, 2, 5),
        ("t3", "FRA", "BER", None, None, 3, 6),
    ]
    rows.append(("t4", "FRA", "NIX", 1, 2, 1, 2))
    table = pd.DataFrame(
        rows, columns=["asset", "origin", "destination", "start", "end", "planned_start", "planned_end"]
    )
    for name in ("start", "end", "planned_start", "planned_end"):
        table[name] = pd.to_datetime([pd.NaT if pd.isna(one) else hour(one) for one in table[name]])
    return table


def test_trips_that_left_move_between_known_places_and_end_as_planned_if_their_end_is_later():
    found = trip_columns(trips(), PLACES)["trips"]
    hours = (np.stack([found["start"], found["end"]]) - START.astype(np.int64) / 1e6) / 3.6e6
    assert hours.tolist() == [[1.0, 2.0], [4.0, 5.0]]
    assert found["x0"][0] != found["x1"][0]
    assert trip_columns(trips().iloc[:0], PLACES) == {"trips": {}, "movers": {}}


def test_a_future_is_played_from_its_first_cell_and_circles_grow_with_the_value():
    values = np.array([[0.0, 5.0, np.nan], [20.0, 5.0, 1.0]])
    times = START + np.array([0, 1], "m8[h]")
    future = Playback(
        times, times[-1] + np.timedelta64(1, "h"), values, 20.0, "Waiting", "1", trip_columns(trips(), PLACES)
    )
    one, _ = map_of()
    one.play(future)
    assert one._controls.visible
    assert one._layers["names"]["text"] == ["BER 0", "FRA 5", "MUC"]
    one._player.move(80)
    assert one._layers["names"]["text"] == ["BER 20", "FRA 5", "MUC 1"]
    sizes = one._layers["hubs"]["size"]
    assert sizes[0] > sizes[1] > sizes[2]
    assert "01:20 UTC. Circles: Waiting" in one._caption.object
    one.play(None)
    assert not one._controls.visible
    assert one._layers["trips"] == {}


def test_values_belong_to_the_cell_that_an_instant_is_in():
    times = START + np.array([0, 1], "m8[h]")
    future = Playback(times, times[-1] + np.timedelta64(1, "h"), np.array([[1.0], [2.0]]), 2.0, "", "1", {})
    assert [future.at(START + np.timedelta64(minutes, "m")).item() for minutes in (-5, 0, 59, 60, 500)] == [
        1,
        1,
        1,
        2,
        2,
    ]
