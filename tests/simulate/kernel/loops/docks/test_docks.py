"""Docks: as many transporters load or unload at once as there are; on yards small enough to follow by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.simulate.kernel.loops.pools.yards import HOUR, MANY, START, advanced, trips, yard
from twinlab.errors import SchemaError
from twinlab.simulate import NetworkModel
from twinlab.simulate.kernel import ScenarioModel
from twinlab.simulate.kernel.arrays import from_dataset
from twinlab.simulate.scenarios import Scenario

DOCKED = {**MANY, "docks": 1}


def test_lifts_wait_in_line_to_unload():
    nodes = {"a": MANY, "b": DOCKED, "c": MANY}
    demand = {"jobs": {"at": "a", "interval": "1 h", "route": ["b"], "batch": 3}}
    lifts = {"count": 3, "unloading": "6 min", "home": "a"}
    done = advanced(yard(nodes=nodes, demand=demand, lifts=lifts), hours=2)
    # All three arrive at 70 and leave at 76, 82 and 88.
    assert [trip[2] for trip in trips(done) if not trip[4]] == [76, 82, 88]
    spot = done.results.isel(time=0)
    assert spot["spot_docked"].sel(spot="b").item() == pytest.approx(18 / 120)
    assert spot["spot_in_line"].sel(spot="b").item() == pytest.approx((2 + 1) * 6 / 120)
    assert np.isnan(spot["spot_docked"].sel(spot="a").item())
    assert float(spot["dock_line"]) == pytest.approx(18 / 120)
    free = advanced(yard(demand=demand, lifts=lifts), hours=2)
    assert [trip[2] for trip in trips(free) if not trip[4]] == [76, 76, 76]
    assert "dock_line" not in free.results


def test_lifts_and_trucks_wait_in_line_to_load_first_come_first_served():
    network = yard(
        nodes={"a": {**MANY, "docks": 2}, "b": MANY, "c": MANY},
        links=[{"from": "a", "to": "b", "both_ways": True, "travel": "10 min"}, {"from": "a", "to": "c", "travel": "5 min"}],
        transporters={
            "trucks": {"type": "truck", "count": 2, "route": ["a", "b"], "capacity": 9, "loading": "20 min", "dispatch": {"every": "2 h"}},
            "lifts": {"type": "forklift", "count": 3, "links": [["a", "c"]], "capacity": 1, "loading": "8 min", "home": "a"},
        },
        demand={"jobs": {"at": "a", "interval": "1 h", "route": ["c"], "batch": 3}},
    )  # fmt: skip
    done = trips(advanced(network, hours=3))
    # Three lifts begin to load at 60, two at once, the third at 68; at 120 one truck comes, too.
    assert [start for _, end, start, _, load in done if end == "c" and load][:3] == [68, 68, 76]
    from_a = [start for origin, end, start, *_ in done if (origin, end) == ("a", "b")]
    assert from_a[0] == 20


def test_who_finds_nobody_any_more_frees_the_dock():
    demand = {"jobs": {"at": "a", "interval": "1 h", "route": ["b"], "batch": 2}}
    network = yard(
        nodes={"a": DOCKED, "b": MANY, "c": MANY},
        demand=demand,
        transporters={
            "one": {"type": "forklift", "links": [["a", "b"]], "capacity": 2, "loading": "30 min"},
            "other": {"type": "forklift", "links": [["a", "b"]], "capacity": 1, "loading": "1 min", "home": "a"},
        },
    )
    model = NetworkModel(network)
    state = model.advance(model.initial_state(start=START), until=START + 9 * HOUR, step=HOUR).state
    after = from_dataset(state)
    working = np.isin(after.transporters["stage"], (2, 4))
    assert after.nodes["docked"][0] == working[after.transporters["at"] == 0].sum() <= 1
    assert (after.nodes["in_line"][1:] == 0).all()


def test_runs_with_docks_broken_anywhere_are_bit_identical():
    nodes = {"a": DOCKED, "b": DOCKED, "c": MANY}
    lifts = {"count": 4, "loading": {"kind": "exponential", "mean": "4 min"}, "unloading": "3 min", "home": "a"}
    lifts |= {"breakdowns": {"uptime": {"kind": "exponential", "mean": "1 h"}, "repair": "7 min"}}
    model = NetworkModel(yard(nodes=nodes, lifts=lifts, demand={"jobs": {"at": "a", "rate": "11 /h", "route": ["b"]}}))
    start = model.initial_state(start=START, seed=5)
    whole = model.advance(start, until=START + 24 * HOUR, step=HOUR)
    state = start
    for cut in (17, 61, 133, 500, 901, 1440):
        state = model.advance(state, until=START + np.timedelta64(cut, "m"), step=HOUR).state
        arrays = from_dataset(state)
        assert (arrays.nodes["docked"] <= 1).all()
        assert (np.isin(arrays.transporters["stage"], (10, 11))).sum() == arrays.nodes["in_line"].sum() + (
            np.isin(arrays.transporters["stage"], (10, 11)) & np.isfinite(arrays.clock_time[arrays.clock_place[:4]])
        ).sum()
    assert state.identical(whole.state)
    assert (whole.results["spot_docked"].sel(spot=["a", "b"]) <= 1 + 1e-6).all()
    assert float(whole.results["dock_line"]) > 0.1
    assert float(whole.results["delivered"]) > 100


def test_a_state_from_tables_may_have_more_at_docks_than_there_are():
    nodes = {"a": MANY, "b": DOCKED, "c": MANY}
    model = NetworkModel(yard(nodes=nodes, lifts={"count": 2, "capacity": 2}))
    units = pd.DataFrame({"name": ["lifts/1", "lifts/2"], "at": ["b", "b"]})
    entities = pd.DataFrame({"name": ["x", "y"], "aboard": ["lifts/1", "lifts/2"]})
    state = model.state_from(START, transporters=units, entities=entities)
    assert from_dataset(state).nodes["docked"].tolist() == [0, 2, 0]
    later = model.advance(state, until=START + HOUR, step=HOUR).state
    assert from_dataset(later).nodes["docked"].tolist() == [0, 0, 0]


def test_docks_are_opened_and_closed_in_a_window():
    nodes = {"a": MANY, "b": DOCKED, "c": MANY}
    lifts = {"count": 6, "unloading": "20 min", "home": "a"}
    network = yard(nodes=nodes, lifts=lifts, demand={"jobs": {"at": "a", "interval": "3 min", "route": ["b"]}})

    def unloaded(changes):
        model = ScenarioModel(Scenario("docks", network, changes))
        done = model.advance(model.initial_state(start=START), until=START + 12 * HOUR, step=4 * HOUR)
        return done.results["spot_arrivals"].sel(spot="b").values.tolist(), from_dataset(done.state)

    assert unloaded([])[0] == pytest.approx([12, 12, 12], abs=1)
    more, state = unloaded([{"kind": "docks", "node": "b", "add": 2, "start": "4h", "stop": "8h"}])
    assert more == pytest.approx([12, 36, 12], abs=3)
    assert state.nodes["docked"][1] == 1
    with pytest.raises(SchemaError, match=r"changes\[0\]\.add: expected at most 0 fewer"):
        Scenario("none", network, [{"kind": "docks", "node": "b", "add": -1}])
    with pytest.raises(SchemaError, match=r"changes\[0\]\.node: 'a' states no `docks`"):
        Scenario("none", network, [{"kind": "docks", "node": "a", "add": 1}])


def test_docks_need_a_transporter():
    with pytest.raises(SchemaError, match=r"nodes\.c\.docks: no transporter loads or unloads here"):
        yard(nodes={"a": MANY, "b": MANY, "c": DOCKED})
    with pytest.raises(SchemaError, match=r"nodes\.b\.docks.*1"):
        yard(nodes={"a": MANY, "b": {**MANY, "docks": 0}, "c": MANY})
