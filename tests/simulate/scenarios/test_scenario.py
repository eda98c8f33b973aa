"""What scenarios do to a network, and how they are written."""

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.simulate.network import Network
from twinlab.simulate.scenarios import CHANGE_KINDS, Scenario, parse_scenarios, read_scenarios, scenarios_yaml

START, STOP = np.datetime64("2026-01-05", "ns"), np.datetime64("2026-01-07", "ns")
VAN = {"type": "van", "route": ["north", "middle"], "capacity": 1, "loading": {"kind": "exponential", "mean": "3 min"}}
#: One change of each kind, and its words.
KINDS = {
    "close": ({"node": "middle", "entities": "reroute", "stop": "6h"}, "hub middle: closed, entities go around it until 6h after the start"),
    "servers": ({"node": "north", "add": 2}, "hub north: +2 servers"),
    "add_shift": (
        {"node": "north", "begin": "22:00", "end": "06:00", "servers": 3, "days": ["mon"]},
        "hub north: a shift more 22:00-06:00 mon with 3 servers",
    ),
    "remove_shift": ({"node": "north", "begin": "06:00", "days": ["sun"]}, "hub north: without the shift that begins at 06:00 on sun"),
    "calendar": ({"node": "north", "calendar": "long"}, "hub north: calendar long"),
    "breakdown": ({"node": "bench", "servers": 2, "start": "08:00", "stop": "09:00"}, "workstation bench: breakdown of 2 servers 08:00-09:00 each day"),
    "docks": ({"node": "middle", "add": -1, "start": "2h"}, "hub middle: -1 dock from 2h after the start"),
    "demand": ({"factor": 1.2, "kinds": ["parcel"]}, "demand parcel: +20 %"),
    "service": ({"node": "hub", "factor": 0.9}, "each hub: service times -10 %"),
    "buffer": ({"node": "bench", "size": 3}, "workstation bench: a buffer of 3"),
    "reroute": ({"preferred": [["north", "south"]]}, "link north <-> south: preferred"),
    "storm": (
        {"factor": 1.5, "nodes": ["south"], "start": "2026-01-05T06:00", "stop": "2026-01-05T18:00"},
        "storm at south: travel times +50 % 2026-01-05 06:00-18:00",
    ),
    "speed": ({"transporters": "truck", "factor": 0.5}, "each truck: speed -50 %"),
    "transporters": ({"transporters": "first", "add": -1, "start": "1d"}, "first: -1 truck from 1d after the start"),
    "new_transporters": ({"name": "vans", "group": VAN}, "new vans: 1 x van on north -> middle, 1 entities each"),
    "timetable": (
        {"transporters": "first", "timetable": {"departures": {"north": ["08:00", "18:00"]}}, "start": "2h"},
        "first: departures north 08:00, 18:00 from 2h after the start",
    ),
    "dispatch": (
        {"transporters": "first", "dispatch": {"at_least": 5, "wait_at_most": "1 h"}, "stop": "6h"},
        "first: dispatch at_least 5, wait_at_most 1 h until 6h after the start",
    ),
    "reliability": ({"of": "hub", "uptime": 0.5}, "each hub: time between breakdowns -50 %"),
    "set_point": ({"node": "cold", "by": "-1 K", "start": "2h"}, "cold_room cold: set-point -1 K from 2h after the start"),
}  # fmt: skip


def test_the_examples_below_are_all_the_kinds() -> None:
    assert list(KINDS) == CHANGE_KINDS.built_in()


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_says_what_it_does_and_is_written_and_read_back_equal(hubs: Network, kind: str) -> None:
    keys, words = KINDS[kind]
    scenario = Scenario("one", hubs, [{"kind": kind, **keys}])
    assert scenario.diff() == [words]
    assert words in repr(scenario)
    assert parse_scenarios(scenario.to_yaml(), base=hubs) == [scenario]
    made: dict[str, object] = {}
    exec(scenario.code(), made)
    assert made["scenario"] == scenario
    assert made["scenario"].content_hash() == scenario.content_hash()


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_changes_what_it_says_and_nothing_else(hubs: Network, kind: str) -> None:
    scenario = Scenario("one", hubs, [{"kind": kind, **KINDS[kind][0]}])
    networks = [part.network for part in scenario.parts(start=START, stop=STOP)]
    changed = next(network for network in networks if network.content_hash() != hubs.content_hash())
    touched = {field for field in Network.model_fields if getattr(changed, field) != getattr(hubs, field)}
    expected = {
        "close": {"nodes", "next_hops"},
        "add_shift": {"nodes", "calendars"},
        "remove_shift": {"nodes", "calendars"},
        "demand": {"demand"},
        "reroute": {"next_hops"},
        "storm": {"links"},
    }
    of_transporters = (
        {"transporters"} if "transporters" in kind or kind in {"speed", "timetable", "dispatch"} else {"nodes"}
    )
    touched -= {"calendars"} if kind == "servers" else set()
    assert touched == expected.get(kind, of_transporters)


def test_a_run_is_cut_where_changes_begin_and_end(hubs: Network) -> None:
    scenario = Scenario(
        "cut",
        hubs,
        [
            {"kind": "demand", "factor": 2},
            {"kind": "close", "node": "bench", "start": "6h", "stop": "30h"},
            {"kind": "transporters", "transporters": "first", "add": 2, "start": "2026-01-05T12:00"},
        ],
    )
    parts = scenario.parts(start=START, stop=STOP)
    assert [(part.start - START) / np.timedelta64(1, "h") for part in parts] == [0, 6, 12, 30]
    assert [part.stop for part in parts] == [*(part.start for part in parts[1:]), STOP]
    assert [part.network.nodes["bench"].servers for part in parts] == [3, 0, 0, 3]
    assert {part.network.demand["parcels"].rate for part in parts} == {"120 /h"}
    groups = [part.network.transporters["first"] for part in parts]
    assert [(group.count, group.out_of_service) for group in groups] == [(5, 2), (5, 2), (5, 0), (5, 0)]


@pytest.mark.parametrize("begin", ["0h", "0 s", "0.0min"])
def test_a_window_may_begin_at_the_start_of_the_run(hubs: Network, begin: str) -> None:
    start = np.datetime64("2026-01-05T06:00")
    run = {"start": start, "stop": start + np.timedelta64(1, "D")}
    stated = Scenario("a", hubs, [{"kind": "demand", "factor": 2, "start": begin, "stop": "6h"}]).parts(**run)
    assert stated == Scenario("b", hubs, [{"kind": "demand", "factor": 2, "stop": "6h"}]).parts(**run)
    assert [part.stop - part.start for part in stated] == [np.timedelta64(6, "h"), np.timedelta64(18, "h")]


def test_windows_of_the_day_come_again_each_day(hubs: Network) -> None:
    night = {"kind": "close", "node": "bench", "start": "22:00", "stop": "06:00"}
    parts = Scenario("nights", hubs, [night]).parts(start=START, stop=STOP)
    assert [part.network.nodes["bench"].servers for part in parts] == [0, 3, 0, 3, 0]
    assert [str(part.start)[8:13] for part in parts] == ["05T00", "05T06", "05T22", "06T06", "06T22"]


def test_changes_of_the_whole_run_come_before_those_of_windows(hubs: Network) -> None:
    closed = {"kind": "close", "node": "bench", "start": "6h", "stop": "8h"}
    more = {"kind": "servers", "node": "bench", "add": 1}
    parts = Scenario("both", hubs, [closed, more]).parts(start=START, stop=STOP)
    assert [part.network.nodes["bench"].servers for part in parts] == [4, 0, 4]


def test_a_closed_node_is_avoided_or_replaced(hubs: Network) -> None:
    around = Scenario(
        "around", hubs, [{"kind": "close", "node": "middle", "entities": "reroute", "instead": "south"}]
    ).applied()
    assert around.demand["parcels"].to == {"south": 1.0}
    assert around.next_hops["north"]["south"] == "south"
    moved = Scenario("moved", hubs, [{"kind": "close", "node": "bench", "instead": "south"}]).applied()
    assert moved.demand["jobs"].route is None


def test_transporters_over_a_closed_link_are_out_of_service(hubs: Network) -> None:
    closed = Scenario("closed", hubs, [{"kind": "reroute", "closed": [["middle", "south"]]}]).applied()
    assert {name: group.out_of_service for name, group in closed.transporters.items()} == {"first": 0, "second": 1}
    assert closed.next_hops == {"north": {"south": "south"}, "middle": {"south": "north"}}


def test_a_storm_in_a_circle_slows_the_links_that_touch_it(hubs: Network) -> None:
    storm = {"kind": "storm", "factor": 2, "centre": [41, 2], "radius": "50 km"}
    factors = [link.travel_factor for link in Scenario("storm", hubs, [storm]).applied().links]
    assert factors == [2, 1, 2, 1]


def test_a_scenario_without_base_takes_any_network(hubs: Network) -> None:
    busy = Scenario("busy", changes=[{"kind": "demand", "factor": 2}])
    assert busy.applied(hubs).demand["jobs"].interval.mean_seconds == 300
    with pytest.raises(SchemaError, match="has no base"):
        busy.applied()
    with pytest.raises(SchemaError, match=r"use `parts\(start=…, stop=…\)`"):
        Scenario("window", hubs, [{"kind": "demand", "factor": 2, "stop": "1h"}]).applied()


def test_a_file_names_its_base(hubs: Network, tmp_path) -> None:
    (tmp_path / "hubs.yaml").write_text(hubs.to_yaml(), encoding="utf-8")
    scenarios = [Scenario("busy", changes=[{"kind": "demand", "factor": 2}], title="Busy"), Scenario("as_it_is")]
    path = tmp_path / "what.yaml"
    path.write_text("base: hubs.yaml\n" + scenarios_yaml(scenarios), encoding="utf-8")
    assert read_scenarios(path) == [Scenario(one.name, hubs, one.changes, one.title) for one in scenarios]


def test_a_notebook_shows_changes_in_words(hubs: Network) -> None:
    html = Scenario(
        "busy", hubs, [{"kind": "demand", "factor": 2, "kinds": ["job"]}], title="A <busy> day"
    )._repr_html_()
    assert "<li>demand job: +100 %</li>" in html
    assert "A &lt;busy&gt; day" in html
    assert "no change" in Scenario("same", hubs)._repr_html_()
