"""Scenarios that can't be: each is refused before anything runs, with the path and what to do."""

from typing import Any

import numpy as np
import pytest

from twinlab.errors import SchemaError, TwinlabError, UnitError, UnknownTermError
from twinlab.simulate.network import Network
from twinlab.simulate.scenarios import Scenario, parse_scenarios

#: Changes, the error, and parts of its message.
CASES: list[tuple[list[dict[str, Any]], type[TwinlabError], tuple[str, ...]]] = [
    ([{"kind": "close", "node": "nroth", "stop": "6h"}], UnknownTermError, ("changes[0].node", "did you mean 'north'")),
    ([{"kind": "close", "node": "bench"}], SchemaError, ("changes[0].node", "demand.jobs", "closed in the whole run")),
    ([{"kind": "close", "node": "middle"}], SchemaError, ("changes[0].entities", "'north' to 'south'", "for ever")),
    ([{"kind": "close", "node": "south", "entities": "reroute", "instead": "sotuh"}], UnknownTermError, ("instead",)),
    (
        [{"kind": "close", "node": "bench", "instead": "south", "stop": "6h"}],
        SchemaError,
        ("instead", "demand.jobs has a"),
    ),
    ([{"kind": "close", "node": "south", "instead": "south"}], SchemaError, ("changes[0].instead", "another node")),
    (
        [{"kind": "close", "node": "middle", "entities": "vanish"}],
        SchemaError,
        ("changes[0].entities", "wait, reroute"),
    ),
    ([{"kind": "close"}], SchemaError, ("changes[0].node", "needs the key 'node'")),
    ([{"kind": "clsoe", "node": "north"}], UnknownTermError, ("changes[0].kind", "did you mean 'close'")),
    ([{"node": "north"}], SchemaError, ("changes[0]", "'kind'")),
    (
        [{"kind": "close", "node": "north", "strat": "6h"}],
        UnknownTermError,
        ("changes[0].strat", "did you mean 'start'"),
    ),
    ([{"kind": "demand", "factor": 2, "start": "6h", "stop": "3h"}], SchemaError, ("`stop` after `start`", "'6h'")),
    ([{"kind": "demand", "factor": 2, "start": "6h", "stop": "6h"}], SchemaError, ("`stop` after `start`",)),
    ([{"kind": "demand", "factor": 2, "stop": "0h"}], SchemaError, ("`stop` after the start of the run", "'0h'")),
    ([{"kind": "demand", "factor": 2, "start": "0h", "stop": "0min"}], SchemaError, ("`stop` after `start`",)),
    ([{"kind": "demand", "factor": 2, "start": "25:00", "stop": "26:00"}], SchemaError, ("changes[0].start", "25:00")),
    ([{"kind": "demand", "factor": 2, "start": "06:00"}], SchemaError, ("both `start` and `stop`",)),
    ([{"kind": "demand", "factor": 2, "start": "06:00", "stop": "06:00"}], SchemaError, ("some length",)),
    ([{"kind": "demand", "factor": 2, "start": "6h", "stop": "18:00"}], SchemaError, ("same form",)),
    ([{"kind": "demand", "factor": 2, "start": "soon"}], SchemaError, ("changes[0].start", "'soon'")),
    ([{"kind": "demand", "factor": 2, "start": "2026-13-01"}], SchemaError, ("changes[0].start", "2026-13-01")),
    ([{"kind": "demand", "factor": 2, "start": "9d"}], SchemaError, ("changes[0].start", "within the run", "9d")),
    ([{"kind": "demand", "factor": 2, "stop": "2026-01-01"}], SchemaError, ("changes[0].stop", "within the run")),
    ([{"kind": "demand", "factor": 0}], SchemaError, ("changes[0].factor", "greater than 0")),
    ([{"kind": "demand", "factor": "much"}], SchemaError, ("changes[0].factor", "'much'")),
    ([{"kind": "demand", "factor": 1}], SchemaError, ("changes[0]", "changes nothing")),
    ([{"kind": "demand", "factor": 2, "kinds": ["parcle"]}], UnknownTermError, ("changes[0].kinds", "'parcel'")),
    ([{"kind": "demand", "factor": 2, "sources": ["job"]}], UnknownTermError, ("changes[0].sources", "'jobs'")),
    ([{"kind": "demand", "factor": 2, "kinds": ["job"], "nodes": ["north"]}], SchemaError, ("changes nothing",)),
    ([{"kind": "demand", "factor": 2}] * 2, SchemaError, ("changes[1]", "the same as changes[0]")),
    ([{"kind": "servers", "node": "middle", "add": -3}], SchemaError, ("changes[0].add", "at most 2", "3")),
    ([{"kind": "servers", "node": "middle", "add": 0}], SchemaError, ("changes nothing",)),
    ([{"kind": "servers", "node": "middle"}], SchemaError, ("exactly one of `add` and `number`",)),
    ([{"kind": "servers", "node": "middle", "number": -1}], SchemaError, ("changes[0].number", "-1")),
    ([{"kind": "servers", "node": "middle", "number": 2}], SchemaError, ("changes nothing",)),
    ([{"kind": "breakdown", "node": "middle"}], SchemaError, ("a window",)),
    (
        [{"kind": "breakdown", "node": "middle", "servers": 3, "stop": "2h"}],
        SchemaError,
        ("changes[0].servers", "at most 2"),
    ),
    (
        [{"kind": "add_shift", "node": "north", "begin": "22:00", "end": "25:00", "servers": 1}],
        SchemaError,
        ("end", "25:00"),
    ),
    (
        [{"kind": "add_shift", "node": "north", "begin": "22:00", "end": "22:00", "servers": 1}],
        SchemaError,
        ("length",),
    ),
    ([{"kind": "add_shift", "node": "north", "begin": "06:00", "end": "14:00", "servers": 4}], SchemaError, ("twice",)),
    (
        [{"kind": "add_shift", "node": "north", "begin": "22:00", "end": "06:00", "servers": 0}],
        SchemaError,
        ("servers",),
    ),
    ([{"kind": "remove_shift", "node": "north", "begin": "07:00"}], SchemaError, ("begin", "06:00-14:00")),
    ([{"kind": "remove_shift", "node": "middle", "begin": "06:00"}], SchemaError, ("begin", "no shift")),
    ([{"kind": "calendar", "node": "north", "calendar": "dya"}], UnknownTermError, ("changes[0].calendar", "'day'")),
    ([{"kind": "calendar", "node": "north", "calendar": "day"}], SchemaError, ("changes nothing",)),
    ([{"kind": "service", "node": "hbu", "factor": 2}], UnknownTermError, ("changes[0].node", "did you mean 'hub'")),
    (
        [{"kind": "service", "node": "middle", "factor": 2, "kinds": ["job"]}],
        SchemaError,
        ("kinds", "one service time"),
    ),
    (
        [{"kind": "service", "node": "bench", "factor": 2, "kinds": ["jbo"]}],
        UnknownTermError,
        ("kinds", "did you mean 'job'"),
    ),
    ([{"kind": "service", "node": "bench", "factor": -2}], SchemaError, ("factor", "-2")),
    ([{"kind": "buffer", "node": "bench", "size": -1}], SchemaError, ("size", "-1")),
    ([{"kind": "buffer", "node": "bench", "size": 10}], SchemaError, ("changes nothing",)),
    ([{"kind": "buffer", "node": "bench"}], SchemaError, ("needs the key 'size'",)),
    ([{"kind": "reroute"}], SchemaError, ("`closed` or `preferred`",)),
    ([{"kind": "reroute", "closed": [["north", "midle"]]}], UnknownTermError, ("changes[0].closed", "'middle'")),
    ([{"kind": "reroute", "closed": [["north", "bench"]]}], UnknownTermError, ("closed", "no link 'north -> bench'")),
    (
        [{"kind": "reroute", "closed": [["north", "middle"], ["north", "south"]]}],
        SchemaError,
        ("'middle' can't be reached from 'north'",),
    ),
    ([{"kind": "reroute", "closed": [["south", "bench"]]}], SchemaError, ("demand.jobs has a fixed route",)),
    (
        [{"kind": "reroute", "closed": [["north", "south"]], "preferred": [["north", "south"]]}],
        SchemaError,
        ("closed and preferred",),
    ),
    ([{"kind": "reroute", "preferred": [["south", "middle"]]}], SchemaError, ("changes nothing",)),
    ([{"kind": "storm", "factor": 0}], SchemaError, ("factor", "greater than 0")),
    ([{"kind": "storm", "factor": 2, "nodes": ["nrth"]}], UnknownTermError, ("nodes", "did you mean 'north'")),
    ([{"kind": "storm", "factor": 2, "centre": [41, 2]}], SchemaError, ("both `centre` and `radius`",)),
    ([{"kind": "storm", "factor": 2, "centre": [41, 2], "radius": "3 h"}], UnitError, ("radius", "'h'")),
    ([{"kind": "storm", "factor": 2, "centre": [0, 0], "radius": "3 km"}], SchemaError, ("no nodes with a position",)),
    (
        [{"kind": "storm", "factor": 2, "centre": [41, 2], "radius": "3 km", "nodes": ["north"]}],
        SchemaError,
        ("not both",),
    ),
    ([{"kind": "speed", "transporters": "trukc", "factor": 0.5}], UnknownTermError, ("transporters", "'truck'")),
    ([{"kind": "speed", "transporters": "truck", "factor": 0}], SchemaError, ("factor", "greater than 0")),
    ([{"kind": "transporters", "transporters": "first", "add": -4}], SchemaError, ("add", "at most 3")),
    ([{"kind": "transporters", "transporters": "frist", "add": 1}], UnknownTermError, ("transporters", "'first'")),
    (
        [
            {
                "kind": "new_transporters",
                "name": "van",
                "group": {"type": "van", "route": ["bench", "north"], "capacity": 1},
            }
        ],
        SchemaError,
        ("changes[0]", "impossible network", "no link from 'bench' to 'north'"),
    ),
    (
        [
            {
                "kind": "new_transporters",
                "name": "van",
                "group": {"type": "van", "route": ["nort", "middle"], "capacity": 1},
            }
        ],
        UnknownTermError,
        ("changes[0].group", "'north'"),
    ),
    (
        [
            {
                "kind": "new_transporters",
                "name": "first",
                "group": {"type": "van", "route": ["north", "middle"], "capacity": 1},
            }
        ],
        SchemaError,
        ("changes[0].name", "already"),
    ),
    ([{"kind": "timetable", "transporters": "first"}], SchemaError, ("exactly one of `timetable` and `every`",)),
    ([{"kind": "timetable", "transporters": "first", "every": "3 kg"}], UnitError, ("changes[0].every", "'kg'")),
    (
        [{"kind": "timetable", "transporters": "first", "timetable": {"departures": {"south": ["08:00"]}}}],
        UnknownTermError,
        ("changes[0].timetable", "'south'"),
    ),
    ([{"kind": "set_point", "node": "bench", "by": "1 K"}], SchemaError, ("changes[0].node", "no temperature")),
    ([{"kind": "set_point", "node": "cold", "by": "1 kg"}], UnitError, ("changes[0].by", "'kg'")),
    ([{"kind": "set_point", "node": "cold", "by": "30 K"}], SchemaError, ("impossible network", "switch_on")),
    ([{"kind": "reliability", "of": "bench", "uptime": 2}], SchemaError, ("changes[0].of", "has no breakdowns")),
    ([{"kind": "reliability", "of": "midle", "uptime": 2}], UnknownTermError, ("changes[0].of", "'middle'")),
    ([{"kind": "reliability", "of": "hub", "uptime": 2, "stop": "2h"}], SchemaError, ("in effect in the whole run",)),
    (
        [
            {"kind": "close", "node": "middle", "start": "6h"},
            {"kind": "servers", "node": "middle", "add": 1, "start": "8h"},
        ],
        SchemaError,
        ("changes[1]", "contradicts changes[0]", "hub middle: closed"),
    ),
    (
        [{"kind": "buffer", "node": "bench", "size": 5}, {"kind": "buffer", "node": "bench", "size": 6}],
        SchemaError,
        ("changes[1]", "contradicts changes[0]", "nodes.bench.buffer"),
    ),
]


@pytest.mark.parametrize(
    ("changes", "kind", "parts"), CASES, ids=[f"{one[0][-1].get('kind')}-{n}" for n, one in enumerate(CASES)]
)
def test_an_impossible_scenario_is_refused_with_path_and_remedy(
    hubs: Network, changes: list[dict[str, Any]], kind: type[TwinlabError], parts: tuple[str, ...]
) -> None:
    run = np.datetime64("2026-01-05"), np.datetime64("2026-01-12")
    with pytest.raises(kind) as caught:
        Scenario("bad", hubs, changes).check(run=run)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert message.startswith("scenario 'bad': changes[")
    assert [part for part in parts if part not in message] == []


def test_all_faults_of_a_file_are_listed_at_once_with_their_lines(hubs: Network) -> None:
    text = """scenarios:
- name: one
  changes: [{kind: close, node: nroth, stop: 6h}]
- name: two
  changes:
  - {kind: demand, factor: 1}
  - {kind: servers, node: middle, add: -5}
"""
    with pytest.raises(SchemaError) as caught:
        parse_scenarios(text, "what.yaml", base=hubs)
    assert [line.split(": ")[0:2] for line in str(caught.value).splitlines()] == [
        ["what.yaml:3", "scenarios[0].changes[0].node"],
        ["what.yaml:6", "scenarios[1].changes[0]"],
        ["what.yaml:7", "scenarios[1].changes[1].add"],
    ]


def test_a_name_that_is_there_twice_is_refused_beside_other_faults() -> None:
    text = "scenarios:\n- {name: one, changes: [{kind: demand, factor: -1}]}\n- {name: one}\n"
    with pytest.raises(SchemaError) as caught:
        parse_scenarios(text)
    assert "scenarios[0].changes[0].factor" in str(caught.value)
    assert "scenarios[1].name: the name 'one' is taken" in str(caught.value)


def test_a_change_may_follow_from_one_before_it(hubs: Network) -> None:
    van = {"type": "van", "route": ["north", "middle"], "capacity": 1}
    changes = [
        {"kind": "new_transporters", "name": "vans", "group": van},
        {"kind": "speed", "transporters": "vans", "factor": 2},
    ]
    assert Scenario("vans", hubs, changes).applied().transporters["vans"].speed_factor == 2
