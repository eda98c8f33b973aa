"""A network as a model: states, results, resumed runs."""

import math

import numpy as np
import pytest
import xarray as xr

from tests.simulate.kernel.networks import HOUR, START, parcels, queue
from twinlab import simulate
from twinlab.errors import SchemaError
from twinlab.simulate import NetworkModel
from twinlab.simulate.protocol import BatchModel


def test_a_network_is_a_model_that_advances_many_replications():
    assert isinstance(queue(), BatchModel)
    assert simulate.NetworkModel is NetworkModel


@pytest.mark.parametrize(
    ("servers", "service", "wait"),
    [(1, None, 4.0), (1, "1 s", 2.0), (2, None, 0.9608)],
)
def test_waiting_times_agree_with_closed_forms(servers, service, wait):
    rate = 0.8 if servers == 1 else 1.4
    model = queue(servers, f"{rate} /s", service)
    state = model.initial_state(start=START)
    # 20 times 70,000 customers or more; the seed is fixed.
    results = model.advance_many(state, replications=range(20), until=START + 24 * HOUR, step=24 * HOUR)
    for kpi, expected in (("waiting_time", wait), ("queue", rate * wait), ("utilisation", rate / servers)):
        found = results[kpi].values
        assert abs(found.mean() - expected) < 3 * found.std(ddof=1) / math.sqrt(20)
        assert found.mean() == pytest.approx(expected, rel=0.03)
    np.testing.assert_allclose(results["counter_queue"].values.ravel(), results["queue"], rtol=1e-6)


def test_entities_are_neither_made_nor_lost():
    model = parcels()
    done = model.advance(model.initial_state(start=START), until=START + 48 * HOUR, step=HOUR)
    inside = int((done.state["entity_stage"] > 0).sum())
    assert float(done.results["arrived"]) == float(done.results["delivered"]) + float(done.results["rejected"]) + inside
    assert float(done.results["delivered"]) > 2500
    assert 0 < float(done.results["on_time"]) <= 1
    assert done.results["truck_carried"].sum() == pytest.approx(
        float(done.results["load"]) * float(done.results["trips"])
    )


def test_shifts_follow_the_local_clock():
    model = parcels()
    done = model.advance(model.initial_state(start=START), until=START + 24 * HOUR, step=HOUR)
    servers = done.results["hub_servers"].sel(hub="north")
    # 22:00 in Berlin is 21:00 UTC; cells begin at ten past.
    assert servers.sel(time="2026-01-05T19:10").item() == 6
    assert servers.sel(time="2026-01-05T20:10").item() == pytest.approx((6 * 50 + 3 * 10) / 60)
    assert servers.sel(time="2026-01-05T21:10").item() == 3


@pytest.mark.parametrize("make", [queue, parcels])
def test_a_resumed_run_is_bit_identical(make, tmp_path):
    model = make()
    first = model.initial_state(start=START, seed=7)
    whole = model.advance(first, until=START + 12 * HOUR, step=HOUR)
    half = model.advance(first, until=START + 5 * HOUR, step=HOUR)
    simulate.save_state(half.state, tmp_path / "state")
    loaded = simulate.load_state(tmp_path / "state")
    assert loaded.identical(half.state)
    rest = model.advance(loaded, until=START + 12 * HOUR, step=HOUR)
    assert rest.state.identical(whole.state)
    signals = [name for name in whole.results if "time" in whole.results[name].dims]
    joined = xr.concat([half.results[signals], rest.results[signals]], "time")
    assert joined.identical(whole.results[signals])


def test_many_replications_are_those_of_forks_bit_for_bit():
    model = parcels()
    state = model.advance(model.initial_state(start=START, seed=3), until=START + HOUR, step=HOUR).state
    many = model.advance_many(state, replications=[4, 0, 9], until=START + 6 * HOUR, step=HOUR)
    assert many["replication"].values.tolist() == [4, 0, 9]
    for number in (4, 0, 9):
        one = model.advance(simulate.fork(state, replication=number), until=START + 6 * HOUR, step=HOUR)
        assert many.sel(replication=number, drop=True).identical(one.results)
    assert len(np.unique(many["sojourn"])) == 3


def test_common_random_numbers_keep_arrivals_and_service_times_between_networks():
    slow, quick = queue(1), queue(2)
    found = [
        model.advance(model.initial_state(start=START, seed=5), until=START + HOUR, step=HOUR)
        for model in (slow, quick)
    ]
    assert float(found[0].results["arrived"]) == float(found[1].results["arrived"])
    busy = [float(one.results["counter_busy"].item()) for one in found]
    assert busy[0] == pytest.approx(busy[1], rel=0.01)
    assert busy[0] != 0


def test_a_state_of_another_model_is_refused():
    state = queue(1).initial_state(start=START)
    with pytest.raises(SchemaError, match="the state is one of the model 'queue' with hash"):
        queue(2).advance(state, until=START + HOUR, step=HOUR)
    with pytest.raises(SchemaError, match="`until` after the state's time"):
        queue(1).advance(state, until=START, step=HOUR)
    with pytest.raises(SchemaError, match="expected a seed from 0 to 4294967295, got -1"):
        queue(1).initial_state(start=START, seed=-1)
    with pytest.raises(SchemaError, match="no variable 'node_busy'"):
        queue(1).advance(state.drop_vars("node_busy"), until=START + HOUR, step=HOUR)


def test_signals_have_the_attributes_of_the_history():
    model = queue()
    results = model.advance(model.initial_state(start=START), until=START + HOUR, step=HOUR).results
    assert results["counter_queue"].attrs["units"] == "1"
    assert results["counter_queue"].attrs["asset_type"] == "counter"
    assert results["counter_queue"].dims == ("time", "counter")
    assert results["delivered"].attrs["better"] == "higher"
    assert results["delivered"].dims == ()
    assert math.isnan(float(results["on_time"]))
