"""Scenarios run: their network changes during the run."""

import numpy as np
import pytest
import xarray as xr

from tests.simulate.kernel.networks import HOUR, START, parcels, queue
from twinlab import simulate
from twinlab.errors import SchemaError
from twinlab.simulate.kernel import NetworkModel, ScenarioModel
from twinlab.simulate.network import Network
from twinlab.simulate.scenarios import Scenario

NIGHT = np.timedelta64(14, "h")
#: Changes that begin and end within cells, at once and one after the other.
MANY = [
    {"kind": "close", "node": "depot", "start": "2h", "stop": "3h"},
    {"kind": "demand", "factor": 2, "start": "90min", "stop": "5h"},
    {"kind": "storm", "factor": 3, "start": "100min", "stop": "10h"},
    {"kind": "transporters", "transporters": "truck", "add": -4, "start": "1h", "stop": "4h"},
    {"kind": "transporters", "transporters": "truck", "add": 3, "start": "6h"},
    {"kind": "buffer", "node": "depot", "size": 1, "start": "7h", "stop": "8h"},
    {"kind": "servers", "node": "north", "add": 1},
]


def scenario(*changes: dict[str, object]) -> ScenarioModel:
    return ScenarioModel(Scenario("changed", parcels().network, changes))


def advanced(model, until=NIGHT, state=None):
    state = model.initial_state(start=START, seed=3) if state is None else state
    return model.advance(state, until=START + until, step=HOUR)


def test_a_scenario_without_change_is_its_base():
    xr.testing.assert_identical(advanced(scenario()).results, advanced(parcels()).results)


def test_a_change_of_the_whole_run_is_the_changed_network():
    more = scenario({"kind": "demand", "factor": 1.5})
    xr.testing.assert_identical(advanced(more).results, advanced(NetworkModel(more.scenario.applied())).results)


def test_a_closed_node_serves_nobody_and_then_those_who_waited():
    found = advanced(scenario({"kind": "close", "node": "depot", "start": "4h", "stop": "390min"})).results
    depot = found.sel(depot="depot")
    assert depot["depot_servers"].values[3:8].tolist() == [2, 0, 0, 1, 2]
    assert depot["depot_busy"].values[5] == 0
    assert depot["depot_served"].values[5] == 0
    before = advanced(parcels()).results.sel(depot="depot")
    assert (depot["depot_served"].values[:4] == before["depot_served"].values[:4]).all()
    assert depot["depot_served"].values[6:9].sum() > before["depot_served"].values[6:9].sum()


def test_entities_are_neither_made_nor_lost_by_changes():
    done = advanced(scenario(*MANY))
    there = int((done.state["entity_stage"] > 0).sum())
    assert done.results["arrived"].item() == done.results["delivered"].item() + there > 500


def test_transporters_out_of_service_make_no_trips():
    found = advanced(
        scenario({"kind": "transporters", "transporters": "truck", "add": -6, "start": "4h", "stop": "8h"})
    ).results
    trips = found["truck_trips"].sum("truck").values
    assert trips[:4].sum() > 0
    assert trips[5:8].sum() == 0
    assert trips[8:].sum() > 0


def test_arrivals_follow_demand_in_its_window():
    model = ScenarioModel(
        Scenario("busy", queue(rate="100 /h").network, [{"kind": "demand", "factor": 4, "start": "4h", "stop": "8h"}])
    )
    arrivals = advanced(model, np.timedelta64(12, "h")).results["counter_arrivals"].values[:, 0]
    assert arrivals[4:8].mean() == pytest.approx(400, rel=0.1)
    assert np.delete(arrivals, range(4, 8)).mean() == pytest.approx(100, rel=0.15)


def test_a_run_that_stops_anywhere_goes_on_bit_for_bit():
    model = scenario(*MANY)
    whole = advanced(model)
    for minutes in (60, 90, 145, 300):
        half = model.advance(
            model.initial_state(start=START, seed=3), until=START + np.timedelta64(minutes, "m"), step=HOUR
        )
        again = scenario(*MANY)
        rest = again.advance(half.state, until=START + NIGHT, step=HOUR)
        xr.testing.assert_identical(rest.state, whole.state)


def test_many_replications_are_those_of_forks_bit_for_bit():
    model = scenario(*MANY)
    state = model.initial_state(start=START, seed=3)
    many = model.advance_many(state, replications=[0, 5], until=START + NIGHT, step=HOUR)
    for replication in (0, 5):
        one = model.advance(simulate.fork(state, replication=replication), until=START + NIGHT, step=HOUR)
        xr.testing.assert_identical(many.sel(replication=replication, drop=True), one.results)


def test_a_trace_has_the_events_of_all_parts():
    model = scenario(*MANY)
    done = model.advance(model.initial_state(start=START, seed=3), until=START + NIGHT, step=HOUR, trace=True)
    trips = done.events["trip"]
    assert trips["end"].min() < START + np.timedelta64(2, "h")
    assert trips["end"].max() > START + np.timedelta64(13, "h")


def test_run_takes_scenarios_and_refuses_windows_outside_the_run():
    base = parcels().network
    closed = Scenario("closed", base, [{"kind": "close", "node": "depot", "start": "2h", "stop": "9h"}])
    results = simulate.run([Scenario("base", base), closed], start=START, horizon="12h", replications=4, progress=False)
    sojourn = results.kpis["sojourn"]
    assert (sojourn.sel(scenario="closed") > sojourn.sel(scenario="base")).all()
    # The same parcels arrive in both.
    arrived = results.kpis["arrived"]
    assert (arrived.sel(scenario="closed") == arrived.sel(scenario="base")).all()
    late = Scenario("late", base, [{"kind": "close", "node": "depot", "start": "20h", "stop": "30h"}])
    with pytest.raises(SchemaError, match=r"changes\[0\].start: expected a window within the run"):
        simulate.run([late], start=START, horizon="12h", replications=4)


def test_a_state_of_another_model_is_refused():
    state = parcels().initial_state(start=START)
    with pytest.raises(SchemaError, match="expected 'changed' with hash"):
        advanced(scenario(), state=state)


def test_who_is_on_the_way_to_a_closed_node_waits_there_and_new_ones_go_elsewhere():
    travel = {"kind": "constant", "value": "2 h"}
    row = Network(
        name="row",
        nodes={name: {"type": "hub", "service": "1 s"} for name in ("a", "b", "c")},
        links=[
            {"from": "a", "to": "b", "both_ways": True, "travel": travel},
            {"from": "b", "to": "c", "both_ways": True, "travel": travel},
        ],
        demand={"d": {"at": "a", "interval": "30 min", "to": {"c": 1.0}}},
    )
    closed = Scenario("closed", row, [{"kind": "close", "node": "c", "instead": "b", "start": "3h", "stop": "6h"}])
    delivered = advanced(ScenarioModel(closed), np.timedelta64(12, "h")).results["hub_delivered"]
    # Those that leave a in the three hours end at b; five arrive at c meanwhile, and wait until it is open.
    assert delivered.sel(hub="a").values.tolist() == [0] * 12
    assert delivered.sel(hub="b").values.tolist() == [0, 0, 0, 0, 0, 2, 2, 2, 0, 0, 0, 0]
    assert delivered.sel(hub="c").values.tolist() == [0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, 2]
