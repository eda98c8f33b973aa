"""Any valid network runs, and any file is a valid network or is refused."""

import copy
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulate.network.test_bad_networks import GOOD
from twinlab.errors import TwinlabError
from twinlab.model.load import tidy_yaml
from twinlab.simulate.kernel import ScenarioModel
from twinlab.simulate.network import Network, parse_network
from twinlab.simulate.scenarios import CHANGE_KINDS, Scenario

START = np.datetime64("2026-01-05T07:10", "ns")
MINUTES = st.integers(1, 90).map(lambda number: f"{number} min")


@st.composite
def times(draw: st.DrawFn) -> Any:
    """Return a distribution."""
    kind = draw(st.sampled_from(["constant", "exponential", "gamma", "uniform", "empirical"]))
    mean = draw(MINUTES)
    return {
        "constant": mean,
        "exponential": {"kind": "exponential", "mean": mean},
        "gamma": {"kind": "gamma", "mean": mean, "cv": draw(st.floats(0.1, 2))},
        "uniform": {"kind": "uniform", "low": "0 s", "high": mean},
        "empirical": {"kind": "empirical", "values": draw(st.lists(st.floats(0, 900), min_size=1, max_size=4))},
    }[kind]


def rounds(a: str, b: str) -> list[dict[str, Any]]:
    rules = [{}, {"every": "1 h"}, {"at_least": 1, "wait_at_most": "30 min"}]
    return [{"route": [a, b], "dispatch": rule} for rule in rules]


def called(a: str, b: str) -> list[dict[str, Any]]:
    rules = [{"order": "due"}, {"order": "priority"}, {"order": "nearest", "at_least": 2, "wait_at_most": "30 min"}]
    both = [{"links": [[a, b], [b, a]], "dispatch": rule, "home": b} for rule in rules]
    return [*both, {"links": [[a, b]], "one_way": True}]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Return a network in which nodes in a row are linked both ways, with trucks on some links."""
    names = [f"n{number}" for number in range(draw(st.integers(2, 5)))]
    shifts = [
        {"from": "06:00", "to": draw(st.sampled_from(["08:00", "14:00", "05:00"])), "servers": draw(st.integers(1, 3))}
    ]
    nodes = {
        name: {
            "type": draw(st.sampled_from(["hub", "dock"])),
            "servers": draw(st.sampled_from([1, 2, "shifts"])),
            "service": draw(times()),
            "order": draw(st.sampled_from(["fifo", "priority", "due"])),
            "when_full": "reject",
            "buffer": draw(st.none() | st.integers(0, 5)),
        }
        for name in names
    }
    pairs = list(zip(names, names[1:], strict=False))
    links = [{"from": a, "to": b, "both_ways": True, "travel": draw(times())} for a, b in pairs]
    trucks = {
        f"t{number}": {
            "type": "truck",
            "count": draw(st.integers(1, 3)),
            "capacity": draw(st.integers(2, 20)),
            "turnaround": "5 min",
            "calendar": draw(st.sampled_from([None, "shifts"])),
            **draw(st.sampled_from(rounds(a, b) + called(a, b))),
        }
        for number, (a, b) in enumerate(pairs)
        if draw(st.booleans())
    }
    demand = {
        f"d{number}": {
            "at": draw(st.sampled_from(names)),
            "rate": f"{draw(st.integers(0, 40))} /h",
            "to": {draw(st.sampled_from(names)): 1.0},
            "priority": number,
            "batch": draw(st.integers(1, 3)),
        }
        for number in range(draw(st.integers(1, 3)))
    }
    return Network(
        name="any",
        calendars={"shifts": {"shifts": shifts}},
        nodes=nodes,
        links=links,
        transporters=trucks,
        demand=demand,
    )


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Return a change of some kind with keys that may fit or not."""
    kind = draw(st.sampled_from(CHANGE_KINDS.built_in()))
    name = st.sampled_from(["n0", "n1", "n9", "t0", "hub", "truck", "d0"])
    values = {
        "node": name,
        "instead": name,
        "entities": st.sampled_from(["wait", "reroute"]),
        "transporters": name,
        "of": name,
        "add": st.integers(-3, 3),
        "factor": st.sampled_from([0, 0.5, 1, 2, "x"]),
        "uptime": st.sampled_from([0.5, 2]),
        "size": st.none() | st.integers(-1, 4),
        "servers": st.integers(0, 3),
        "begin": st.sampled_from(["06:00", "22:00", "25:00"]),
        "end": st.sampled_from(["06:00", "09:00"]),
        "calendar": st.sampled_from(["shifts", "none"]),
        "closed": st.just([["n0", "n1"]]),
        "preferred": st.just([["n1", "n0"]]),
        "every": st.sampled_from(["20 min", "3 kg"]),
        "nodes": st.lists(name, max_size=2),
    }
    known = [key for key in CHANGE_KINDS.get(kind).model_fields if key in values]
    found = {key: draw(values[key]) for key in known if draw(st.integers(0, 3))}
    window = st.sampled_from(
        [{}, {"start": "30min"}, {"start": "30min", "stop": "90min"}, {"stop": "08:00"}, {"start": "9d"}]
    )
    return {"kind": kind, **found, **draw(window)}


def run(model: ScenarioModel) -> None:
    """Run a model in two pieces and check that nothing is lost."""
    state = model.initial_state(start=START, seed=1)
    first = model.advance(state, until=START + np.timedelta64(97, "m"), step=np.timedelta64(1, "h"))
    second = model.advance(first.state, until=START + np.timedelta64(4, "h"), step=np.timedelta64(1, "h"))
    there = int((second.state["entity_stage"] > 0).sum())
    totals = {
        kpi: first.results[kpi].item() + second.results[kpi].item() for kpi in ("arrived", "delivered", "rejected")
    }
    assert totals["arrived"] == totals["delivered"] + totals["rejected"] + there


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_a_valid_network_runs_and_is_read_back_equal(network: Network) -> None:
    assert parse_network(network.to_yaml()) == network
    run(ScenarioModel(Scenario("any", network)))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), st.lists(changes(), max_size=3))
def test_a_scenario_runs_or_is_refused_before_it_runs(network: Network, some: list[dict[str, Any]]) -> None:
    try:
        scenario = Scenario("any", network, some)
        scenario.check(run=(START, START + np.timedelta64(4, "h")))
    except TwinlabError as error:
        assert "changes[" in str(error)
        return
    run(ScenarioModel(scenario))


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in plain data."""
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    return (
        [path, *(place for key, value in items for place in places(value, (*path, key)))]
        if path
        else [place for key, value in items for place in places(value, (key,))]
    )


VALUES = st.sampled_from(
    [
        None,
        -1,
        0,
        1,
        2.5,
        1e9,
        float("inf"),
        float("nan"),
        True,
        "",
        "north",
        "nroth",
        "5 min",
        "-5 min",
        "5 kg",
        "25:00",
        [],
        {},
        [1, 2],
    ]
)


def has(part: Any, key: Any) -> bool:
    """Whether a mapping or a list has a key or a place."""
    if isinstance(part, dict):
        return key in part
    return isinstance(part, list) and isinstance(key, int) and key < len(part)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(places(GOOD)), VALUES), min_size=1, max_size=2))
def test_a_spoilt_file_is_a_network_or_refused(spoilt: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = copy.deepcopy(GOOD)
    for path, value in spoilt:
        part: Any = data
        # An earlier fault may have replaced what this one is in.
        for key in path[:-1]:
            part = part[key] if has(part, key) else None
        if isinstance(part, dict) or has(part, path[-1]):
            part[path[-1]] = value
    try:
        network = parse_network(tidy_yaml(data))
    except TwinlabError as error:
        assert str(error)
    else:
        assert parse_network(network.to_yaml()) == network
