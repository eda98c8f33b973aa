"""The shipped examples run, and their results make sense."""

import pytest
import xarray as xr

from twinlab import simulate
from twinlab.simulate import Network, Scenario

EXAMPLES = {
    "parcel": (simulate.parcel_example, simulate.parcel_scenarios, "4d"),
    "factory": (simulate.factory_example, simulate.factory_scenarios, "4d"),
}


@pytest.fixture(scope="module", params=EXAMPLES)
def ran(request) -> tuple[Network, xr.Dataset]:
    """Return an example, and the results of its scenarios beside the network as it is."""
    network, scenarios, horizon = EXAMPLES[request.param]
    every = [Scenario("as_it_is", network()), *scenarios()]
    results = simulate.run(
        every, start="2026-03-02", horizon=horizon, step="1h", replications=6, seed=1, progress=False
    )
    return network(), results.data.load()


def node_types(network: Network) -> list[str]:
    return sorted({node.type for node in network.nodes.values()})


def test_each_example_is_written_and_read_back_equal(ran) -> None:
    network, _ = ran
    assert simulate.parse_network(network.to_yaml()) == network


def test_what_arrives_is_delivered_or_still_there(ran) -> None:
    network, data = ran
    delivered = sum(data[f"{kind}_delivered"].sum(("time", kind)) for kind in node_types(network))
    xr.testing.assert_allclose(delivered, data["delivered"].astype("float32"), rtol=1e-5)
    assert ((data["delivered"] > 0) & (data["delivered"] <= data["arrived"])).all()


def test_arrivals_are_the_same_in_scenarios_that_dont_change_demand(ran) -> None:
    _, data = ran
    same = data["arrived"].drop_sel(scenario="peak_season", errors="ignore")
    assert (same == same.isel(scenario=0)).all()


def test_no_node_has_more_work_than_servers(ran) -> None:
    network, data = ran
    for kind in node_types(network):
        used = data[f"{kind}_busy"].mean(("time", "replication")) / data[f"{kind}_servers"].mean(
            ("time", "replication")
        )
        assert ((used > 0.2) & (used < 1)).all()


def test_machines_break_down_and_are_repaired() -> None:
    line = simulate.run(
        [Scenario("line", simulate.factory_example())],
        start="2026-03-02",
        horizon="10d",
        replications=8,
        progress=False,
    )
    down = (
        line.data["workstation_down"]
        .mean(("time", "replication"))
        .sel(workstation=["mill", "paint", "saw"])
        .values.ravel()
    )
    # 30 min of repair after 10 h; 45 min after 27 h.
    assert down[0] == pytest.approx(0.5 / 10.5, rel=0.25)
    assert down[1] == pytest.approx(0.75 / 27.8, rel=0.4)
    assert down[2] == 0


def factory() -> xr.Dataset:
    every = [Scenario("as_it_is", simulate.factory_example()), *simulate.factory_scenarios()]
    return simulate.run(every, start="2026-03-02", horizon="7d", replications=8, seed=1, progress=False).data.load()


def test_larger_buffers_block_less_and_slow_or_few_forklifts_make_jobs_late() -> None:
    data = factory()
    blocked = data["workstation_blocked"].mean(("time", "replication")).sum("workstation")
    assert blocked.sel(scenario="as_it_is") > 0.1
    assert blocked.sel(scenario="larger_buffers") < 0.8 * blocked.sel(scenario="as_it_is")
    on_time = data["on_time"].mean("replication")
    assert on_time.sel(scenario="as_it_is") > 0.95
    assert on_time.sel(scenario="slow_forklifts") < on_time.sel(scenario="as_it_is") - 0.02
    assert 0.6 < on_time.sel(scenario="two_forklifts") < 0.9
    used = data["pool_utilisation"].mean("replication")
    assert used.sel(scenario="as_it_is") < 0.8
    assert 0.9 < used.sel(scenario="two_forklifts") < 1
    assert (data["empty_share"] > 0.3).all()
    # Two carry what three carry; the third is out of service.
    carried = data["forklift_carried"].sum("time").mean("replication").sel(scenario="two_forklifts")
    assert carried.values.tolist()[2] == 0
    mill = data["workstation_servers"].sel(scenario="mill_out", workstation="mill").mean("replication")
    assert mill.isel(time=slice(24, 32)).max() <= 1 < mill.isel(time=slice(40, 48)).min()


def test_a_closed_hub_serves_nobody_and_its_parcels_go_round_it() -> None:
    every = [Scenario("as_it_is", simulate.parcel_example()), *simulate.parcel_scenarios()]
    data = simulate.run(every, start="2026-03-02", horizon="4d", replications=4, seed=1, progress=False).data.load()
    central = data["hub_busy"].sel(hub="central").mean("replication")
    # What was being served when it closed ends within the first hour.
    assert (central.sel(scenario="central_closed").isel(time=slice(31, 54)) == 0).all()
    assert (central.sel(scenario="as_it_is").isel(time=slice(31, 54)) > 0).all()
    carried = data["van_carried"].sum(("time", "van")).mean("replication")
    assert carried.sel(scenario="as_it_is") == 0
    assert carried.sel(scenario="central_closed") > 1000
    on_time = data["on_time"].mean("replication")
    assert on_time.sel(scenario="central_closed") < on_time.sel(scenario="as_it_is")
    cold = data["cold_room_temperature"].sel(cold_room="cold_room").mean(("time", "replication"))
    assert ((cold > 1) & (cold < 8)).all()
    assert cold.sel(scenario="peak_season").item() == pytest.approx(cold.sel(scenario="as_it_is").item() - 1, abs=0.3)
    waiting = data["dock_outbound"].sel(dock="dock").mean("replication").isel(time=slice(36, 48)).mean("time")
    assert waiting.sel(scenario="storm") > 1.3 * waiting.sel(scenario="as_it_is")
