"""Transporters that are called: who is called for whom, when, and from where; on yards small enough to follow by hand."""

import numpy as np
import pytest

from tests.simulate.kernel.loops.pools.yards import MANY, advanced, minutes, trips, yard


def test_one_that_is_free_waits_where_it_is_or_drives_home():
    stays = advanced(yard(), hours=3)
    assert trips(stays) == [("a", "b", 60, 70, 1), ("b", "a", 120, 130, 0), ("a", "b", 130, 140, 1)]
    home = advanced(yard(lifts={"home": "a"}), hours=3)
    assert trips(home) == [
        ("a", "b", 60, 70, 1),
        ("b", "a", 70, 80, 0),
        ("a", "b", 120, 130, 1),
        ("b", "a", 130, 140, 0),
    ]
    assert stays.results["forklift_busy"].item() == pytest.approx((10 + 20) / 180)
    assert stays.results["forklift_empty"].item() == pytest.approx(10 / 180)
    assert home.results["forklift_busy"].item() == pytest.approx(20 / 180)
    assert home.results["forklift_driving"].item() == pytest.approx(40 / 180)
    assert float(home.results["empty_share"]) == 0.5
    assert float(home.results["distance"]) == 4.0
    # Only the second job waits, for the empty drive; the third, after three hours, hasn't come yet.
    assert float(stays.results["pool_wait"]) == 300
    assert float(home.results["pool_wait"]) == 0


def test_planned_ends_of_empty_drives_are_in_the_events():
    table = advanced(yard(lifts={"home": "a"}), hours=3).events["trip"]
    assert (table["planned_end"] == table["end"]).all()
    assert set(zip(table["origin"], table["load"], strict=True)) == {("a", 1), ("b", 0)}


def test_the_nearest_free_one_is_called_and_of_equal_ones_who_has_been_free_longest():
    demand = {
        "first": {"at": "a", "interval": "60 min", "route": ["b"]},
        "second": {"at": "b", "interval": "75 min", "route": ["c"]},
    }
    done = advanced(yard(lifts={"links": [["a", "b"], ["b", "c"]], "count": 2}, demand=demand), hours=2)
    table = done.events["trip"]
    # The first brings a job to b and is nearest when one is called there.
    assert table["asset"].tolist() == ["lifts/1", "lifts/1", "lifts/2"][: len(table)]
    assert trips(done)[:2] == [("a", "b", 60, 70, 1), ("b", "c", 75, 85, 1)]
    both = advanced(yard(lifts={"count": 2, "home": "a"}), hours=4).events["trip"]
    assert both.loc[both["load"] == 1, "asset"].tolist() == ["lifts/1", "lifts/2", "lifts/1"]


def test_one_on_its_way_home_turns_off_at_the_next_node():
    demand = {
        "far": {"at": "b", "interval": "1000 h", "route": ["c"]},
        "jobs": {"at": "a", "interval": "60 min", "route": ["b"]},
        "back": {"at": "b", "interval": "72 min", "route": ["c"]},
    }
    lifts = {"links": [["a", "b"], ["b", "c"]], "home": "a"}
    done = trips(advanced(yard(lifts=lifts, demand=demand), hours=2))
    # Called at 72 on the way from b to a, it goes on to a and comes back for the job at b.
    assert done[:4] == [("a", "b", 60, 70, 1), ("b", "a", 70, 80, 0), ("a", "b", 80, 90, 0), ("b", "c", 90, 100, 1)]


def test_empty_ones_take_the_quickest_way_over_several_links():
    links = [
        {"from": "a", "to": "b", "travel": "10 min"},
        {"from": "b", "to": "c", "travel": "10 min"},
        {"from": "c", "to": "a", "travel": "15 min"},
    ]
    demand = {
        "jobs": {"at": "a", "interval": "1 h", "route": ["b"]},
        "back": {"at": "b", "interval": "70 min", "route": ["c"]},
    }
    lifts = {"links": [["a", "b"], ["b", "c"]], "home": "a"}

    def way(**more):
        done = advanced(yard(links=links, demand=demand, lifts=lifts | more), hours=2)
        return [
            (origin, destination) for origin, destination, start, _, load in trips(done) if load == 0 and start >= 80
        ][:2]

    assert way() == [("c", "a")]
    assert way(avoid=[["c", "a"]]) == [("c", "b"), ("b", "a")]
    one_way = yard(links=links, demand={"jobs": demand["jobs"]}, lifts={"home": "a", "one_way": True})
    empty = [trip[:2] for trip in trips(advanced(one_way, hours=2)) if trip[4] == 0]
    assert empty == [("b", "c"), ("c", "a")]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("fifo", ["old", "urgent", "high"]), ("priority", ["high", "urgent", "old"]), ("due", ["urgent", "high", "old"])],
)
@pytest.mark.parametrize("together", [True, False], ids=["at one link", "at three links"])
def test_the_order_of_requests(order, expected, together):
    spots = ["a", "a", "a"] if together else ["a", "b", "c"]
    links = [{"from": spot, "to": "end", "travel": "30 min"} for spot in dict.fromkeys(spots)]
    about = {"old": (601, 0, "9 h"), "urgent": (602, 1, "4 h"), "high": (603, 2, "6 h")}
    demand = {"busy": {"at": spots[0], "interval": "10 h", "route": ["end"]}} | {
        name: {"at": spot, "interval": f"{minute} min", "route": ["end"], "priority": priority, "due": due}
        for spot, (name, (minute, priority, due)) in zip(spots, about.items(), strict=True)
    }
    network = yard(
        nodes={"a": MANY, "b": MANY, "c": MANY, "end": MANY},
        links=links,
        demand=demand,
        lifts={"links": [[link["from"], "end"] for link in links], "dispatch": {"order": order}},
    )
    legs = advanced(network, hours=18).events["leg"].sort_values("start", kind="stable")
    assert [name.split("/")[0] for name in legs["asset"]] == ["busy", *expected]


def test_the_request_that_is_reached_soonest_is_served_first():
    demand = {
        "busy": {"at": "b", "interval": "1 h", "route": ["c"]},
        "far": {"at": "a", "interval": "61 min", "route": ["b"]},
        "near": {"at": "c", "interval": "62 min", "route": ["d"]},
    }
    nodes = dict.fromkeys("abcd", MANY)
    links = [{"from": one, "to": other, "travel": "10 min"} for one, other in ("ab", "bc", "cd")]
    lifts = {"links": [["a", "b"], ["b", "c"], ["c", "d"]]}

    def second(order):
        network = yard(nodes=nodes, links=links, demand=demand, lifts=lifts | {"dispatch": {"order": order}})
        return [trip[:2] for trip in trips(advanced(network, hours=3)) if trip[4]][1]

    assert second("fifo") == ("a", "b")
    assert second("nearest") == ("c", "d")


def test_a_batch_calls_when_it_is_large_enough_or_its_first_has_waited_enough():
    lifts = {"capacity": 5, "dispatch": {"at_least": 3, "wait_at_most": "25 min"}}
    demand = {"jobs": {"at": "a", "interval": "10 min", "route": ["b"]}}
    large = [trip for trip in trips(advanced(yard(lifts=lifts, demand=demand), hours=2)) if trip[4]]
    # At 30 there are three; it is back when three more have come.
    assert [(start, load) for _, _, start, _, load in large][:2] == [(30, 3), (70, 4)]
    lifts = {"capacity": 5, "dispatch": {"at_least": 4, "wait_at_most": "25 min"}}
    waited = [trip for trip in trips(advanced(yard(lifts=lifts, demand=demand), hours=1)) if trip[4]]
    assert [(start, load) for _, _, start, _, load in waited] == [(35, 3)]


def test_seats_on_the_way_count_so_that_no_second_one_is_called_in_vain():
    demand = {"jobs": {"at": "a", "interval": "1 h", "route": ["b"], "batch": 5}}
    done = advanced(yard(lifts={"count": 3, "capacity": 2}, demand=demand), hours=2)
    assert sorted(trip[4] for trip in trips(done) if trip[2] == 60) == [1, 2, 2]
    done = advanced(yard(lifts={"count": 3, "capacity": 5}, demand=demand), hours=2)
    assert [trip[4] for trip in trips(done) if trip[2] == 60] == [5]


def test_one_under_repair_is_not_called_and_answers_after_it():
    breakdowns = {"uptime": "50 min", "repair": "30 min"}
    done = advanced(yard(lifts={"breakdowns": breakdowns, "home": "a"}), hours=2)
    assert trips(done)[0] == ("a", "b", 80, 90, 1)
    assert done.results["forklift_down"].item() == pytest.approx(30 / 120)
    # With a second one that is sound, it isn't waited for; both break down at the same time here, so its uptime differs.
    two = yard(
        transporters={
            "lifts": {"type": "forklift", "links": [["a", "b"]], "capacity": 1, "breakdowns": breakdowns},
            "sound": {"type": "forklift", "links": [["a", "b"]], "capacity": 1},
        }
    )
    assert advanced(two, hours=2).events["trip"]["asset"].iloc[0] == "sound/1"


@pytest.mark.parametrize(
    "group", [{"links": [["a", "b"]], "home": "a"}, {"route": ["a", "b"]}], ids=["pool", "shuttle"]
)
def test_a_calendar_of_transporters(group):
    shifts = [{"from": "00:00", "to": "02:30", "servers": 2}, {"from": "05:30", "to": "24:00", "servers": 1}]
    network = yard(
        calendars={"shift": {"shifts": shifts}},
        links=[{"from": "a", "to": "b", "both_ways": True, "travel": "10 min"}],
        transporters={"lifts": {"type": "forklift", "count": 2, "capacity": 1, "calendar": "shift", **group}},
        demand={"jobs": {"at": "a", "interval": "5 min", "route": ["b"]}},
    )
    done = advanced(network, hours=8)
    loaded = [start for origin, _, start, *_ in trips(done) if origin == "a"]
    # Two carry every ten minutes on average, then none, then one every twenty.
    assert [sum(low <= start < low + 60 for start in loaded) for low in (60, 160, 220, 330, 400)] == [6, 0, 0, 3, 3]


def test_a_full_buffer_keeps_a_called_one_with_its_load():
    nodes = {"a": MANY, "b": {"type": "spot", "service": "3 h", "buffer": 0}, "c": MANY}
    done = advanced(yard(nodes=nodes, lifts={"count": 1}), hours=5)
    # The second job waits aboard until the first is done at 70 + 180.
    legs = done.events["leg"]
    assert minutes(legs["end"])[:2] == [70, 250]


def test_weather_and_profiles_apply_to_empty_drives():
    weather = [{"from": "2026-01-05T00:00", "to": "2026-01-05T02:00", "travel_factor": 2.0}]
    done = trips(advanced(yard(lifts={"home": "a"}, weather=weather), hours=3))
    assert done[:2] == [("a", "b", 60, 80, 1), ("b", "a", 80, 100, 0)]


def test_a_state_from_tables_has_called_ones_where_they_are():
    import pandas as pd

    from twinlab.errors import SchemaError
    from twinlab.simulate import NetworkModel

    from .yards import HOUR, START

    model = NetworkModel(yard(lifts={"count": 3, "links": [["a", "b"], ["b", "c"]]}))
    units = pd.DataFrame(
        {
            "name": ["lifts/1", "lifts/2"],
            "at": ["c", None],
            "origin": [None, "b"],
            "destination": [None, "c"],
            "arrives": [None, START + np.timedelta64(4, "m")],
        }
    )
    entities = pd.DataFrame({"name": ["x", "y"], "aboard": ["lifts/2", None], "at": [None, "b"], "next": [None, "c"]})
    state = model.state_from(START, transporters=units, entities=entities)
    done = model.advance(state, until=START + HOUR, step=HOUR, trace=True)
    legs = done.events["leg"].set_index("asset")
    assert minutes(legs["end"]) == [4, 20]
    # The one at c and the one at a are ten minutes from b; who was free first is called.
    assert legs["transporter"].tolist() == ["lifts/2", "lifts/1"]
    with pytest.raises(SchemaError, match="expected a node where it drives"):
        model.state_from(START, transporters=pd.DataFrame({"name": ["lifts/1"], "at": ["d"]}))
    with pytest.raises(SchemaError, match="link of its `links`"):
        wrong = pd.DataFrame({"name": ["lifts/1"], "origin": ["b"], "destination": ["a"]})
        model.state_from(START, transporters=wrong)
