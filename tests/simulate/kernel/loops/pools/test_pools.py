"""Pools against closed forms, and what holds for any of them: runs broken anywhere, forks, sums, common random numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulate.kernel.loops.pools.yards import HOUR, MANY, START, yard
from twinlab import simulate
from twinlab.errors import SchemaError
from twinlab.simulate import Network, NetworkModel
from twinlab.simulate.kernel.arrays import from_dataset


def mean_of(network: Network, kpi: str, *, hours: int, replications: int = 8) -> tuple[float, float]:
    """Return mean and standard error of a KPI after as many hours to settle in."""
    model = NetworkModel(network)
    warm = model.advance(model.initial_state(start=START, seed=3), until=START + 50 * HOUR, step=50 * HOUR).state
    end = START + (50 + hours) * HOUR
    found = model.advance_many(warm, replications=range(replications), until=end, step=hours * HOUR)[kpi].values
    return float(found.mean()), float(found.std(ddof=1) / math.sqrt(replications))


@pytest.mark.parametrize("home", [False, True])
def test_one_transporter_on_one_link_is_a_queue_with_one_server(home):
    # An order takes 2 min to get there, 1 min to load, 3 min on average under way, exponential, and 1 min to unload.
    network = yard(
        links=[{"from": "a", "to": "b", "travel": {"kind": "exponential", "mean": "3 min"}}, {"from": "b", "to": "a", "travel": "2 min"}],
        lifts={"loading": "1 min", "unloading": "1 min"} | ({"home": "a"} if home else {}),
        demand={"jobs": {"at": "a", "rate": "6 /h", "route": ["b"]}},
    )  # fmt: skip
    rate, mean, square = 6 / 60, 7.0, 7.0**2 + 3.0**2
    wait = rate * square / 2 / (1 - rate * mean)
    # Pollaczek and Khinchine's mean wait; one that stays at b still has to get there.
    expected = 60 * (wait if home else wait + 2)
    found, error = mean_of(network, "pool_wait", hours=4000)
    assert error < 0.02 * expected
    assert abs(found - expected) < 3.5 * error
    # With a home it drives there with no order, so that only the time with a load counts.
    busy, error = mean_of(network, "pool_utilisation", hours=4000)
    assert error < 0.005
    if not home:
        assert busy == pytest.approx(rate * mean, abs=4 * error)


def test_several_that_are_back_at_once_are_erlangs_queue():
    # A way back that takes no time makes n transporters n exponential servers.
    count, rate, mean = 3, 24 / 60, 5.0
    network = yard(
        links=[{"from": "a", "to": "b", "travel": {"kind": "exponential", "mean": "5 min"}}, {"from": "b", "to": "a", "travel": "0 s"}],
        lifts={"count": count, "home": "a"},
        demand={"jobs": {"at": "a", "rate": "24 /h", "route": ["b"]}},
    )  # fmt: skip
    load = rate * mean
    last = load**count / math.factorial(count) * count / (count - load)
    waiting = last / (sum(load**k / math.factorial(k) for k in range(count)) + last)
    expected = 60 * waiting * mean / (count - load)
    found, error = mean_of(network, "pool_wait", hours=2000)
    assert error < 0.03 * expected
    assert abs(found - expected) < 3.5 * error


def busy_yard(
    order: str = "fifo", count: int = 3, capacity: int = 2, home: str | None = "a", at_least: int = 0
) -> Network:
    """Jobs of three kinds on four links, with breakdowns, a shift, full buffers and a profile."""
    dispatch = {"order": order} | (
        {"at_least": min(at_least, capacity), "wait_at_most": "6 min"} if min(at_least, capacity) > 1 else {}
    )
    times = {"kind": "lognormal", "mean": "4 min", "cv": 0.4}
    return Network(
        name="busy",
        calendars={"shift": {"shifts": [{"from": "00:00", "to": "04:00", "servers": 2}, {"from": "04:00", "to": "24:00", "servers": 9}]}},
        profiles={"day": {"factors": [1.0, 1.5, 0.7] * 8}},
        nodes={
            "a": {"type": "spot", "servers": 2, "service": "1 min"},
            "b": {"type": "spot", "servers": 2, "service": {"kind": "exponential", "mean": "3 min"}, "buffer": 2},
            "c": {"type": "spot", "service": "2 min"},
            "d": MANY,
        },
        links=[{"from": one, "to": other, "travel": times, "distance": "400 m"} for one, other in ("ab", "bc", "cd", "ad")],
        transporters={
            "lifts": {
                "type": "forklift", "count": count, "capacity": capacity, "home": home, "calendar": "shift", "profile": "day",
                "links": [["a", "b"], ["b", "c"], ["c", "d"], ["a", "d"]], "dispatch": dispatch,
                "loading": {"kind": "exponential", "mean": "30 s"}, "unloading": "20 s", "turnaround": "10 s",
                "first_ready": {"kind": "uniform", "low": "0 s", "high": "20 min"},
                "breakdowns": {"uptime": {"kind": "exponential", "mean": "2 h"}, "repair": {"kind": "exponential", "mean": "10 min"}},
                "energy_per_distance": "0.3 kWh/km",
            }
        },
        demand={
            "long": {"kind": "job", "at": "a", "rate": "8 /h", "route": ["b", "c", "d"], "due": {"kind": "uniform", "low": "1 h", "high": "2 h"}},
            "short": {"kind": "job", "at": "a", "rate": "5 /h", "route": ["d"], "priority": 1, "due": "30 min", "batch": 2},
        },
    )  # fmt: skip


END = START + 8 * HOUR
networks = st.builds(
    busy_yard,
    order=st.sampled_from(["fifo", "priority", "due", "nearest"]),
    count=st.integers(1, 4),
    capacity=st.integers(1, 3),
    home=st.sampled_from([None, "a", "d"]),
    at_least=st.integers(0, 3),
)
cuts = st.lists(st.integers(1, 8 * 3600 * 1000 - 1), max_size=3)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(network=networks, cuts=cuts, seed=st.integers(0, 2**32 - 1))
def test_any_pool_broken_anywhere_is_bit_identical_and_loses_nobody(network, cuts, seed):
    model = NetworkModel(network)
    start = model.initial_state(start=START, seed=seed)
    whole = model.advance(start, until=END, step=HOUR, trace=True)
    state = start
    for cut in sorted(set(cuts)):
        state = model.advance(state, until=START + np.timedelta64(cut, "ms"), step=HOUR).state
    assert model.advance(state, until=END, step=HOUR).state.identical(whole.state)
    after, results = from_dataset(whole.state), whole.results
    inside = int((after.entities["stage"] > 0).sum())
    assert float(results["arrived"]) == float(results["delivered"]) + inside
    # Nobody is called twice, and seats on the way are those of who was called and isn't there yet.
    units, capacity = after.transporters, network.transporters["lifts"].capacity
    called = (units["leg"] >= 0) & np.isin(units["stage"], (8, 9))
    assert after.links["coming"].sum() == capacity * called.sum()
    assert (units["load"] <= capacity).all()
    assert units["load"].sum() == (after.entities["stage"] == 6).sum()
    assert ((units["leg"] >= 0) | (units["load"] == 0)).all()
    trips = whole.events["trip"]
    per_km = 0.3 * float(results["distance"])
    assert float(results["energy"]) == pytest.approx(per_km)
    # No transporter is at two places at once.
    for _, own in trips.sort_values("start").groupby("asset"):
        assert (own["start"].to_numpy()[1:] >= own["end"].to_numpy()[:-1]).all()
        assert own["origin"].tolist()[1:] == own["destination"].tolist()[:-1]


def test_no_call_is_left_while_one_is_free():
    done = NetworkModel(busy_yard(count=4, home=None)).advance(
        NetworkModel(busy_yard(count=4, home=None)).initial_state(start=START, seed=9), until=END, step=HOUR
    )
    after = from_dataset(done.state)
    time = (done.state["time"].values - START) / np.timedelta64(1, "s")
    free = (
        (after.transporters["leg"] < 0)
        & (after.transporters["stage"] == 8)
        & (after.transporters["down_until"] <= time)
    )
    assert not free.any() or (after.links["waiting"] <= after.links["coming"]).all()


def test_a_saved_state_goes_on_bit_for_bit(tmp_path):
    model = NetworkModel(busy_yard(order="due"))
    half = model.advance(model.initial_state(start=START), until=START + 3 * HOUR, step=HOUR).state
    simulate.save_state(half, tmp_path / "state")
    later = [
        model.advance(state, until=END, step=HOUR).state for state in (half, simulate.load_state(tmp_path / "state"))
    ]
    assert later[0].identical(later[1])
    assert half["duty"].values.tolist() == [2]
    assert later[0]["duty"].values.tolist() == [9]


def test_chunks_of_replications_are_bit_identical():
    model = NetworkModel(busy_yard())
    state = model.initial_state(start=START, seed=4)
    whole = model.advance_many(state, replications=range(6), until=END, step=HOUR)
    parts = [model.advance_many(state, replications=part, until=END, step=HOUR) for part in ([0], [1, 2, 3], [4, 5])]
    for place, part in enumerate(parts):
        assert part.identical(whole.sel(replication=part["replication"]))
        assert place < 3


def test_common_random_numbers_hold_when_a_transporter_is_added():
    def kpi(count, seed):
        model = NetworkModel(busy_yard(count=count))
        state = model.initial_state(start=START, seed=seed)
        return model.advance_many(state, replications=range(60), until=START + 24 * HOUR, step=24 * HOUR)[
            "sojourn"
        ].values

    paired, independent = kpi(6, 1) - kpi(5, 1), kpi(6, 1) - kpi(5, 2)
    assert independent.var() > 5 * paired.var()


def test_a_state_of_an_earlier_version_is_opened():
    model = NetworkModel(
        Network(
            name="shuttle",
            nodes={"a": MANY, "b": MANY},
            links=[{"from": "a", "to": "b", "both_ways": True, "travel": "3 min"}],
            transporters={"lifts": {"type": "forklift", "route": ["a", "b"], "capacity": 1}},
            demand={"jobs": {"at": "a", "rate": "20 /h", "to": {"b": 1}}},
        )
    )
    half = model.advance(model.initial_state(start=START), until=START + HOUR, step=HOUR).state
    older = half.drop_vars(["link_coming", "transporter_at", "transporter_came"])
    assert "duty" not in half
    later = [model.advance(state, until=END, step=HOUR).state for state in (half, older)]
    assert (
        later[0]
        .drop_vars(["transporter_at", "transporter_came"])
        .identical(later[1].drop_vars(["transporter_at", "transporter_came"]))
    )
    with pytest.raises(SchemaError, match="no variable 'transporter_leg'"):
        model.advance(half.drop_vars("transporter_leg"), until=END, step=HOUR)
