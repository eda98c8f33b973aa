"""Networks that can't be: each is refused when it is read, with the path, what was expected and the nearest name."""

import copy
from typing import Any

import pytest

from twinlab.errors import SchemaError, TwinlabError, UnitError, UnknownTermError
from twinlab.model.load import tidy_yaml
from twinlab.simulate.network import Network, parse_network

GOOD: dict[str, Any] = {
    "name": "three",
    "calendars": {"day": {"shifts": [{"from": "06:00", "to": "14:00", "servers": 4}]}},
    "profiles": {"busy": {"factors": [1.0] * 24}},
    "nodes": {
        "north": {"type": "hub", "servers": "day", "service": {"kind": "exponential", "mean": "2 min"}},
        "middle": {"type": "hub", "servers": 2, "service": "1 min", "buffer": 50},
        "south": {"type": "hub", "servers": 2, "latitude": 40.0, "longitude": -73.0},
        "bench": {"type": "workstation", "service": {"job": "5 min"}},
    },
    "links": [
        {"from": "north", "to": "middle", "both_ways": True, "travel": "1 h"},
        {"from": "middle", "to": "south", "both_ways": True, "distance": "120 km"},
        {"from": "south", "to": "bench"},
    ],
    "transporters": {
        "first": {"type": "truck", "count": 3, "route": ["north", "middle"], "capacity": 20},
        "second": {"type": "truck", "route": ["middle", "south"], "capacity": 20, "speed": "60 km/h"},
    },
    "demand": {
        "parcels": {"kind": "parcel", "at": "north", "rate": "60 /h", "to": {"middle": 0.5, "south": 0.5}},
        "jobs": {"kind": "job", "at": "south", "interval": "10 min", "route": ["bench"], "due": "2 h"},
        "walkers": {"kind": "job", "at": "bench", "rate": "1 /h"},
    },
    "transitions": {},
}

DELETE = object()

#: Where a value is replaced, by what, the error, and parts of its message.
CASES: list[tuple[str, Any, type[TwinlabError], tuple[str, ...]]] = [
    ("nodes.middle.servers", -1, SchemaError, ("nodes.middle.servers", "0 to 100000", "-1")),
    ("nodes.middle.servers", 2.5, SchemaError, ("nodes.middle.servers", "2.5")),
    ("nodes.north.servers", "dya", UnknownTermError, ("nodes.north.servers", "'dya'", "'day'")),
    ("nodes.north.service", "2 kg", UnitError, ("nodes.north.service", "'s'", "'kg'")),
    ("nodes.north.service", "2", SchemaError, ("nodes.north.service", "a unit")),
    ("demand.jobs.due", "16:00", SchemaError, ("demand.jobs.due", "'90 min'", "time of day '16:00'")),
    ("demand.parcels.rate", "60", SchemaError, ("demand.parcels.rate", "such as '5 /s'")),
    ("links[2].travle", "5 min", SchemaError, ("links[2].travle", "did you mean 'travel'")),
    (
        "weather",
        [{"from": "1 h", "to": "2 h", "travel_factor": 2, "factor": 2}],
        SchemaError,
        ("weather[0].factor", "travel_factor"),
    ),
    ("nodes", 3, SchemaError, ("nodes", "a mapping of keys to values")),
    ("nodes.north.service.mean", "2 minuts", UnitError, ("nodes.north.service.mean", "minuts")),
    ("nodes.north.service.mean", "-2 min", SchemaError, ("nodes.north.service.mean", "more than 0")),
    ("nodes.north.service.kind", "exponentail", SchemaError, ("nodes.north.service", "did you mean 'exponential'")),
    ("nodes.north.service", {"mean": "2 min", "kind": "lognormal"}, SchemaError, ("service", "'cv'")),
    ("nodes.north.service", {"kind": "lognormal", "mean": "2 min", "cv": -1}, SchemaError, ("cv", "-1")),
    ("nodes.north.service", {"kind": "uniform", "low": "5 min", "high": "2 min"}, SchemaError, ("rising order",)),
    (
        "nodes.north.service",
        {"kind": "triangular", "low": "1 min", "mode": "9 min", "high": "2 min"},
        SchemaError,
        ("order",),
    ),
    ("nodes.north.service", {"kind": "erlang", "mean": "2 min", "phases": 0}, SchemaError, ("phases", "0")),
    ("nodes.north.service", {"kind": "weibull", "shape": 0, "scale": "2 min"}, SchemaError, ("shape",)),
    ("nodes.north.service", {"kind": "empirical", "values": []}, SchemaError, ("values",)),
    ("nodes.north.service", {"kind": "empirical", "values": [1, -2]}, SchemaError, ("at least 0",)),
    ("nodes.north.service", {"kind": "empirical", "values": [1], "unit": "kg"}, UnitError, ("'kg'",)),
    ("nodes.bench.service", {"jbo": "5 min"}, UnknownTermError, ("nodes.bench.service.jbo", "did you mean 'job'")),
    ("nodes.bench.service", {"parcel": "5 min"}, SchemaError, ("nodes.bench.service", "'job'")),
    ("nodes.middle.buffer", -3, SchemaError, ("nodes.middle.buffer", "-3")),
    ("nodes.middle.order", "lifo", SchemaError, ("nodes.middle.order", "fifo", "'lifo'")),
    ("nodes.middle.when_full", "wait", SchemaError, ("nodes.middle.when_full", "block")),
    ("nodes.middle.buffre", 3, SchemaError, ("nodes.middle.buffre", "did you mean 'buffer'")),
    ("nodes.middle.type", DELETE, SchemaError, ("nodes.middle", "'type'")),
    ("nodes.middle.type", "time", SchemaError, ("nodes.middle.type", "'time'")),
    ("nodes.middle.type", "truck", SchemaError, ("transporters.first.type", "'truck'")),
    ("nodes.south.latitude", 400, SchemaError, ("nodes.south.latitude", "400")),
    ("nodes.south.longitude", DELETE, SchemaError, ("nodes.south", "longitude")),
    ("nodes", {}, SchemaError, ("nodes",)),
    ("name", DELETE, SchemaError, ("'name'",)),
    ("calendars.day.zone", "Europe/Berlni", SchemaError, ("calendars.day.zone", "IANA")),
    ("calendars.day.shifts[0].to", "25:00", SchemaError, ("calendars.day.shifts[0].to", "24:00", "25:00")),
    ("calendars.day.shifts[0].from", "06:75", SchemaError, ("calendars.day.shifts[0].from", "06:75")),
    ("calendars.day.shifts[0].from", "24:00", SchemaError, ("calendars.day.shifts[0]", "00:00")),
    ("calendars.day.shifts[0].to", "06:00", SchemaError, ("calendars.day.shifts[0]", "some length")),
    ("calendars.day.shifts[0].servers", -4, SchemaError, ("calendars.day.shifts[0].servers", "-4")),
    ("calendars.day.shifts[0].servers", 0, SchemaError, ("calendars.day.shifts", "at least one server")),
    ("calendars.day.shifts[0].days", ["mon", "tues"], SchemaError, ("calendars.day.shifts[0].days[1]", "'tue'")),
    ("calendars.day.shifts[0].days", [], SchemaError, ("calendars.day.shifts[0]", "days")),
    ("calendars.day.shifts", [{"from": "06:00", "to": "14:00", "servers": 4}] * 2, SchemaError, ("shifts[1]", "twice")),
    ("calendars.day.shifts", [], SchemaError, ("calendars.day.shifts",)),
    ("profiles.busy.factors", [1.0] * 23, SchemaError, ("profiles.busy", "24 or 168", "23")),
    ("profiles.busy.factors", [-1.0] * 24, SchemaError, ("profiles.busy", "at least 0")),
    ("links[0].to", "midle", UnknownTermError, ("links[0].to", "'midle'", "did you mean 'middle'")),
    ("links[0].travel", "1 km", UnitError, ("links[0].travel", "'km'")),
    ("links[1].distance", "2 h", UnitError, ("links[1].distance", "'h'")),
    ("links[1].distance", "-2 km", SchemaError, ("links[1].distance", "at least 0")),
    ("links[2].to", "south", SchemaError, ("links", "to itself")),
    ("links[2]", {"from": "middle", "to": "north"}, SchemaError, ("links", "two links from 'middle' to 'north'")),
    ("links[0].both_ways", False, UnknownTermError, ("transporters.first.route", "no link from 'middle' to 'north'")),
    ("links[1]", DELETE, SchemaError, ("demand.parcels.to", "'south' can't be reached from 'north'")),
    ("links[2]", DELETE, UnknownTermError, ("demand.jobs.route", "no link from 'south' to 'bench'")),
    ("links[2].distance", "1 km", SchemaError, ("links[2]", "travel")),
    ("transporters.first.route", ["north", "south"], SchemaError, ("transporters.first.route", "no link")),
    ("transporters.first.route", ["north"], SchemaError, ("transporters.first.route",)),
    (
        "transporters.first.route",
        ["north", "north", "middle"],
        SchemaError,
        ("transporters.first.route", "follows itself"),
    ),
    ("transporters.first.route", ["north", "mdidle"], UnknownTermError, ("transporters.first.route", "'middle'")),
    ("transporters.first.capacity", 0, SchemaError, ("transporters.first.capacity", "0")),
    ("transporters.first.count", -2, SchemaError, ("transporters.first.count", "-2")),
    ("transporters.first.profile", "buzy", UnknownTermError, ("transporters.first.profile", "'busy'")),
    (
        "transporters.first.dispatch",
        {"at_least": 21},
        SchemaError,
        ("transporters.first.dispatch.at_least", "20", "21"),
    ),
    ("transporters.first.dispatch", {"wait_at_most": "1 h"}, SchemaError, ("transporters.first.dispatch", "at_least")),
    ("transporters.first.out_of_service", 4, SchemaError, ("transporters.first.out_of_service", "3", "4")),
    ("transporters.first.speed_factor", 0, SchemaError, ("transporters.first.speed_factor", "0")),
    ("transporters.second.speed", "60 kg", UnitError, ("transporters.second.speed", "'kg'")),
    ("transporters.second.speed", DELETE, SchemaError, ("transporters.second", "speed")),
    ("demand.parcels.at", "nroth", UnknownTermError, ("demand.parcels.at", "did you mean 'north'")),
    ("demand.parcels.rate", "60 /kg", UnitError, ("demand.parcels.rate", "kg")),
    ("demand.parcels.rate", "-60 /h", SchemaError, ("demand.parcels.rate", "at least 0")),
    ("demand.parcels.rate", DELETE, SchemaError, ("demand.parcels", "exactly one of")),
    ("demand.parcels.interval", "1 min", SchemaError, ("demand.parcels", "exactly one of")),
    ("demand.parcels.to", {"middle": 0.5, "south": 0.4}, SchemaError, ("demand.parcels.to", "sum to 1", "0.9")),
    ("demand.parcels.to", {"middle": 1.5, "south": -0.5}, SchemaError, ("demand.parcels", "at least 0")),
    ("demand.parcels.to", {"midle": 1.0}, UnknownTermError, ("demand.parcels.to", "did you mean 'middle'")),
    ("demand.parcels.route", ["middle"], SchemaError, ("demand.parcels", "at most one of")),
    ("demand.parcels.profile", "busi", UnknownTermError, ("demand.parcels.profile", "'busy'")),
    ("demand.parcels.batch", 0, SchemaError, ("demand.parcels.batch", "0")),
    ("demand.jobs.due", "-5 min", SchemaError, ("demand.jobs.due", "at least 0")),
    ("demand.jobs.due", "5 m", UnitError, ("demand.jobs.due", "'m'")),
    ("demand.jobs.interval", "0 s", SchemaError, ("demand.jobs", "above 0")),
    ("demand.jobs.route", [], SchemaError, ("demand.jobs", "at least one node")),
    ("demand.jobs.profile", "busy", SchemaError, ("demand.jobs", "rate")),
    ("transitions", {"middle": {"south": 0.7, "north": 0.4}}, SchemaError, ("transitions.middle", "at most 1")),
    ("transitions", {"middle": {"sotuh": 0.7}}, UnknownTermError, ("transitions.middle", "did you mean 'south'")),
    ("transitions", {"north": {"south": 1.0}}, UnknownTermError, ("transitions.north", "no link")),
    (
        "transitions",
        {"north": {"middle": 1.0}, "middle": {"north": 1.0}},
        SchemaError,
        ("transitions.north", "for ever"),
    ),
    ("next_hops", {"middle": {"south": "north"}}, SchemaError, ("demand.parcels.to", "in a circle", "middle -> north")),
    ("next_hops", {"middle": {"south": "bench"}}, SchemaError, ("next_hops.middle.south", "no link")),
    ("next_hops", {"middle": {"soth": "north"}}, UnknownTermError, ("next_hops", "did you mean 'south'")),
]


def replaced(network: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy of plain data with another value at a path."""
    made = copy.deepcopy(network)
    part: Any = made
    keys = [int(key) if key.isdigit() else key for key in path.replace("[", ".").replace("]", "").split(".")]
    for key in keys[:-1]:
        part = part[key]
    if value is DELETE:
        del part[keys[-1]]
    else:
        part[keys[-1]] = value
    return made


def test_the_network_that_the_cases_spoil_is_good() -> None:
    assert parse_network(tidy_yaml(GOOD)) == Network.model_validate(GOOD)


@pytest.mark.parametrize(
    ("path", "value", "kind", "parts"), CASES, ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)]
)
def test_an_impossible_network_is_refused_with_path_and_remedy(
    path: str, value: object, kind: type[TwinlabError], parts: tuple[str, ...]
) -> None:
    with pytest.raises(kind) as caught:
        parse_network(tidy_yaml(replaced(GOOD, path, value)), "hubs.yaml")
    assert type(caught.value) is kind
    message = str(caught.value)
    assert message.startswith("hubs.yaml:")
    assert [part for part in parts if part not in message] == []


def test_all_faults_of_a_file_are_listed_at_once() -> None:
    bad = replaced(GOOD, "nodes.middle.servers", -1)
    bad = replaced(bad, "links[0].to", "midle")
    bad = replaced(bad, "demand.parcels.at", "nroth")
    bad = replaced(bad, "demand.jobs.due", "3 kg")
    bad = replaced(bad, "calendars.day.shifts[0].to", "25:00")
    with pytest.raises(SchemaError) as caught:
        parse_network(tidy_yaml(bad))
    lines = str(caught.value).splitlines()
    paths = [line.split(": ")[1] for line in lines]
    assert paths == [
        "calendars.day.shifts[0].to",
        "nodes.middle.servers",
        "links[0].to",
        "demand.parcels.at",
        "demand.jobs.due",
    ]


def test_names_that_refer_to_a_part_at_fault_are_no_faults() -> None:
    with pytest.raises(SchemaError) as caught:
        parse_network(tidy_yaml(replaced(GOOD, "nodes.north.service", "2")))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nnodes: {a: {type: hub}", "hubs.yaml:2: expected YAML"),
        ("name: x\nnodes:\n  a: {type: hub}\n  a: {type: dock}", "hubs.yaml:4: nodes.a: the key 'a' is there twice"),
        ("- a\n- b", "hubs.yaml:1: expected keys with values, beginning with `name:`"),
        ("", "hubs.yaml:1: expected keys with values"),
        ("name: x\nnodes:\n\ta: 1", "hubs.yaml:3"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SchemaError) as caught:
        parse_network(text, "hubs.yaml")
    assert said in str(caught.value)


def test_buffers_that_can_block_each_other_for_ever_are_refused() -> None:
    line = {
        "name": "line",
        "nodes": {name: {"type": "station", "service": "1 min", "buffer": 0} for name in "ab"},
        "links": [{"from": "a", "to": "b", "both_ways": True}],
        "transitions": {"a": {"b": 1.0}, "b": {"a": 0.2}},
        "demand": {"jobs": {"at": "a", "rate": "1 /h"}},
    }
    with pytest.raises(SchemaError, match="full buffers of a -> b -> a can block each other for ever"):
        parse_network(tidy_yaml(line))
    parse_network(tidy_yaml(replaced(line, "nodes.b.buffer", DELETE)))
    parse_network(tidy_yaml(replaced(line, "nodes.b.when_full", "reject")))
    parse_network(tidy_yaml(replaced(line, "transitions.b", {})))
