"""Pools that can't be: each is refused when it is read, with the path, what was expected and what to do."""

from typing import Any

import pytest

from twinlab.errors import SchemaError, TwinlabError, UnknownTermError
from twinlab.model.load import tidy_yaml
from twinlab.simulate.network import Network, parse_network
from twinlab.simulate.network.pools.ways import drives, quickest_to

LIFTS: dict[str, Any] = {
    "type": "forklift",
    "count": 2,
    "links": [["saw", "mill"], ["mill", "paint"]],
    "capacity": 2,
    "home": "saw",
}


def shop(lifts: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "calendars": {"day": {"shifts": [{"from": "06:00", "to": "14:00", "servers": 2}]}},
        "nodes": {name: {"type": "machine"} for name in ("saw", "mill", "paint", "store")},
        "links": [
            {"from": "saw", "to": "mill", "travel": "2 min"},
            {"from": "mill", "to": "paint", "distance": "100 m"},
            {"from": "paint", "to": "store"},
        ],
        "transporters": {"lifts": {"speed": "6 km/h", **LIFTS, **lifts}},
        "demand": {"jobs": {"at": "saw", "rate": "3 /h", "route": ["mill", "paint", "store"]}},
    } | parts


CASES: list[tuple[dict[str, Any], type[TwinlabError], tuple[str, ...]]] = [
    ({"links": None, "home": None}, SchemaError, ("transporters.lifts", "exactly one of `route`", "`links`")),
    ({"route": ["saw", "mill"]}, SchemaError, ("transporters.lifts", "exactly one of `route`")),
    ({"links": []}, SchemaError, ("transporters.lifts.links", "at least 1 item")),
    ({"links": [["saw"]]}, SchemaError, ("transporters.lifts.links[0]", "[origin, destination]", "['saw']")),
    ({"links": ["saw", "mill"]}, SchemaError, ("transporters.lifts.links[1]", "[origin, destination]", "'mill'")),
    ({"links": [["saw", "mll"]]}, UnknownTermError, ("transporters.lifts.links", "'mll'", "did you mean 'mill'")),
    ({"links": [["mill", "saw"]]}, SchemaError, ("transporters.lifts.links", "no link from 'mill' to 'saw'")),
    ({"links": [["mill", "paint"], ["mill", "paint"]]}, SchemaError, ("transporters.lifts.links[1]", "twice")),
    ({"links": [["saw", "saw"]]}, SchemaError, ("transporters.lifts.links", "follows itself")),
    ({"speed": None}, SchemaError, ("transporters.lifts", "travel time from 'mill' to 'paint'")),
    ({"home": "stroe"}, UnknownTermError, ("transporters.lifts.home", "'stroe'", "did you mean 'store'")),
    ({"home": "store"}, SchemaError, ("transporters.lifts.links", "can't get from 'store' to 'saw'", "add a link")),
    (
        {"one_way": True},
        SchemaError,
        ("transporters.lifts.links", "can't get from 'mill' to 'saw'", "remove `one_way`"),
    ),
    ({"avoid": [["mill", "saw"]]}, SchemaError, ("can't get from 'mill' to 'saw'", "doesn't avoid")),
    ({"avoid": [["mill", "swa"]]}, UnknownTermError, ("transporters.lifts.avoid", "did you mean 'saw'")),
    ({"calendar": "dya"}, UnknownTermError, ("transporters.lifts.calendar", "did you mean 'day'")),
    ({"dispatch": {"every": "1 h"}}, SchemaError, ("transporters.lifts", "`dispatch.every` belongs to a `route`")),
    ({"dispatch": {"timetable": {"departures": {"saw": ["06:00"]}}}}, SchemaError, ("`dispatch.timetable` belongs",)),
    ({"dispatch": {"order": "lifo"}}, SchemaError, ("transporters.lifts.dispatch.order", "'lifo'")),
    ({"dispatch": {"at_least": 3}}, SchemaError, ("transporters.lifts.dispatch.at_least", "capacity of 2")),
    ({"dispatch": {"at_least": 1, "wait_at_most": "1 h"}}, SchemaError, ("dispatch.wait_at_most", "raise `at_least`")),
    ({"out_of_service": 3}, SchemaError, ("transporters.lifts.out_of_service", "count of 2")),
    ({"capacity": 0}, SchemaError, ("transporters.lifts.capacity",)),
]


@pytest.mark.parametrize(("lifts", "error", "parts"), CASES)
def test_a_bad_pool_is_refused_with_its_path(lifts, error, parts):
    given = shop(lifts)
    group = {key: value for key, value in given["transporters"]["lifts"].items() if value is not None}
    given["transporters"]["lifts"] = group
    with pytest.raises(error) as refused:
        parse_network(tidy_yaml(given))
    for part in parts:
        assert part in str(refused.value)
    with pytest.raises(error):
        Network(**given)


@pytest.mark.parametrize(
    "more", [{"home": "saw"}, {"one_way": True}, {"avoid": [["saw", "mill"]]}, {"dispatch": {"order": "due"}}]
)
def test_what_belongs_to_links_is_refused_for_a_route(more):
    given = shop({})
    given["links"][0]["both_ways"] = True
    given["transporters"]["lifts"] = {"type": "forklift", "route": ["saw", "mill"], "capacity": 1, **more}
    with pytest.raises(SchemaError, match="belongs to `links`"):
        Network(**given)


def test_two_pools_of_one_link_need_the_same_order():
    given = shop({})
    given["transporters"]["more"] = {**given["transporters"]["lifts"], "dispatch": {"order": "due"}}
    with pytest.raises(SchemaError, match=r"transporters\.more\.dispatch\.order: expected 'fifo' as of 'lifts'"):
        Network(**given)


def test_links_may_be_stated_as_links_of_the_network_are():
    stated = [{"from": "saw", "to": "mill"}, {"from": "mill", "to": "paint"}]
    assert Network(**shop({"links": stated})) == Network(**shop({}))


def test_a_pool_is_written_and_read_back_and_shown():
    network = Network(**shop({"dispatch": {"order": "nearest"}, "avoid": [["store", "paint"]], "calendar": "day"}))
    assert parse_network(network.to_yaml()) == network
    assert "saw → mill, mill → paint" in str(network)
    assert "saw → mill, mill → paint" in network._repr_html_()


def test_empty_ones_drive_links_with_a_time_in_both_directions():
    network = Network(**shop({}))
    by = drives(network, network.transporters["lifts"])
    assert [(one.origin, one.destination, one.seconds) for one in by] == [
        ("saw", "mill", 120.0),
        ("mill", "paint", pytest.approx(60.0)),
        ("mill", "saw", 120.0),
        ("paint", "mill", pytest.approx(60.0)),
    ]
    assert quickest_to("saw", by) == {"saw": (-1, 0.0), "mill": (2, 120.0), "paint": (3, pytest.approx(180.0))}
