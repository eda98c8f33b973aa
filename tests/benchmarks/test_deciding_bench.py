"""Decisions by sequential stopping against a fixed 1,000 replications: 50 pairs of queues, and other stopping rules.

``python -m pytest tests/benchmarks/test_deciding_bench.py -m benchmark -s -n0``
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from scipy.special import ndtr, stdtrit

from twinlab.simulate import Network, NetworkModel, compare, decide, runner
from twinlab.simulate.experiments.boundaries import boundaries, crossing_probability, look_times

pytestmark = pytest.mark.benchmark

CUSTOMERS = 400


def mean_stay(rate: float, servers: int, replications: Sequence[int], pair: int) -> np.ndarray:
    """Mean stay of the first customers of an M/M/c queue with a capacity of 1; one server works as fast as several together."""
    draws = [
        np.random.Generator(np.random.Philox(key=[pair, number])).exponential(size=(2, CUSTOMERS))
        for number in replications
    ]
    both = np.array(draws)
    gaps, services = both[:, 0] / rate, both[:, 1] * servers
    free = np.zeros((len(draws), servers))
    rows, now, total = np.arange(len(draws)), np.zeros(len(draws)), np.zeros(len(draws))
    for customer in range(CUSTOMERS):
        now = now + gaps[:, customer]
        server = free.argmin(axis=1)
        begins = np.maximum(now, free[rows, server])
        total += begins + services[:, customer] - now
        free[rows, server] = begins + services[:, customer]
    return total / CUSTOMERS


def queues(pair: int) -> dict[str, tuple[float, int]]:
    """Arrival rate and servers of a queue with a load of 60 to 95 %, and of one with up to 10 % more or less arrivals and often another
    number of servers, so that the better of the two differs between replications."""
    rng = np.random.default_rng([13, pair])
    load, change = rng.uniform(0.6, 0.95), rng.uniform(-0.1, 0.1)
    servers = rng.integers(1, 6, 2)
    return {"base": (load, int(servers[0])), "other": (min(load * (1 + change), 0.99), int(servers[1]))}


@pytest.mark.parametrize("common", [True, False])
def test_fifty_decisions(common: bool) -> None:
    """``common``: with common random numbers, or with a seed for each scenario."""
    same, used, verdicts = [], [], []
    for pair in range(50):
        scenarios = queues(pair)

        def run(names: Sequence[str], numbers: Sequence[int], scenarios=scenarios, pair=pair) -> xr.DataArray:
            seeds = {"base": pair, "other": pair if common else 1000 + pair}
            rows = [mean_stay(*scenarios[name], numbers, seeds[name]) for name in names]
            coords = {"scenario": list(names), "replication": list(numbers)}
            return xr.DataArray(
                rows, dims=("scenario", "replication"), coords=coords, name="stay", attrs={"better": "lower"}
            )

        every = run(["base", "other"], range(1000))
        fixed = compare(every.sel(scenario="base"), every.sel(scenario="other"), paired=common)
        found = decide(run, "base", "other", paired=common)
        same.append(found.comparison.verdict == fixed.verdict)
        used.append(found.replications)
        verdicts.append(fixed.verdict)
    counts = {name: verdicts.count(name) for name in sorted(set(verdicts))}
    print(  # noqa: T201
        f"\ncommon random numbers {common}: fixed verdicts {counts}; same verdict {np.mean(same):.0%}; "
        f"runs at the median {np.median(used) / 1000:.1%}, mean {np.mean(used) / 1000:.1%}, quarter {np.quantile(used, [0.25, 0.75])}"
    )
    if common:
        assert np.mean(same) >= 0.98


def rules(looks: list[int]) -> dict[str, np.ndarray]:
    """Boundaries of the rules that were considered, each with an error of 5 % over all looks."""
    sizes = np.array(looks, dtype=float)
    small, large = 1.5, 3.0
    for _ in range(30):
        middle = (small + large) / 2
        above = crossing_probability(looks, middle * np.sqrt(sizes[-1] / sizes)) > 0.05
        small, large = (middle, large) if above else (small, middle)
    variance = sizes / 50  # the mixture is narrowest near 200 replications
    sequence = np.sqrt(2 * (variance + 1) / variance * np.log(np.sqrt(variance + 1) / 0.05))
    return {
        "Haybittle-Peto": np.array(boundaries(tuple(looks), 0.05)),
        "O'Brien-Fleming": large * np.sqrt(sizes[-1] / sizes),
        "confidence sequence": sequence,
    }


@pytest.mark.parametrize("effects", ["|N(0, 0.3)|", "none", "none, exponential differences"])
def test_rules_without_giving_up(effects: str) -> None:
    """4,000 series of 1,000 differences each: same verdict as Student's t on all, replications used, wrong verdicts."""
    rng, count, most = np.random.default_rng(1), 4000, 1000
    looks = look_times(20, most)
    if "exponential" in effects:
        differences = rng.exponential(1.0, (count, most)) - 1.0
    else:
        truth = abs(rng.normal(0, 0.3, count)) if effects.startswith("|") else np.zeros(count)
        differences = rng.normal(0, 1, (count, most)) + truth[:, None]
    sizes = np.arange(1, most + 1)
    mean = differences.cumsum(axis=1) / sizes
    variance = ((differences**2).cumsum(axis=1) - sizes * mean**2) / np.maximum(sizes - 1, 1)
    at = np.array(looks) - 1
    scores = mean[:, at] / np.sqrt(variance[:, at] / sizes[at])
    fixed = np.where(abs(scores[:, -1]) > stdtrit(most - 1, 0.975), np.sign(scores[:, -1]), 0)
    for name, bounds in rules(looks).items():
        beyond = abs(scores) > -stdtrit(np.array(looks) - 1, ndtr(-bounds))
        first = np.where(beyond.any(axis=1), beyond.argmax(axis=1), len(looks) - 1)
        verdict = np.where(beyond.any(axis=1), np.sign(scores[np.arange(count), first]), 0)
        used = np.array(looks)[first]
        print(  # noqa: T201
            f"{effects}: {name}: same verdict {np.mean(verdict == fixed):.2%}, replications median {np.median(used):.0f} "
            f"mean {used.mean():.0f}, verdicts {np.mean(verdict != 0):.2%} (fixed {np.mean(fixed != 0):.2%})",
        )


def hubs(pair: int) -> dict[str, NetworkModel]:
    """A hub and a depot with trucks, and the same with a changed demand, crew, fleet, speed or service time."""
    rng = np.random.default_rng([14, pair])
    base = {"rate": rng.uniform(25, 45), "servers": 3, "trucks": 3, "speed": 60.0, "minutes": 4.0}
    kind = ["rate", "servers", "trucks", "speed", "minutes"][pair % 5]
    step = 1 if kind in ("servers", "trucks") else base[kind] * rng.uniform(0.002, 0.1)
    return {"base": hub(**base), "other": hub(**{**base, kind: base[kind] + rng.choice([-1, 1]) * step})}


def hub(rate: float, servers: float, trucks: float, speed: float, minutes: float) -> NetworkModel:
    network = Network(
        name="hub",
        nodes={
            "hub": {
                "type": "hub",
                "servers": int(servers),
                "service": {"kind": "gamma", "mean": f"{minutes} min", "cv": 0.5},
            },
            "depot": {"type": "depot", "servers": 3, "service": "1 min"},
        },
        links=[{"from": "hub", "to": "depot", "both_ways": True, "distance": "40 km"}],
        transporters={
            "truck": {
                "type": "truck",
                "count": int(trucks),
                "route": ["hub", "depot"],
                "capacity": 20,
                "speed": f"{speed} km/h",
                "dispatch": {"at_least": 10, "wait_at_most": "30 min"},
                "first_ready": {"kind": "uniform", "low": "0 s", "high": "1 h"},
            }
        },
        demand={"parcels": {"kind": "parcel", "at": "hub", "rate": f"{rate} /h", "to": {"depot": 1}, "due": "3 h"}},
    )
    return NetworkModel(network)


@pytest.mark.parametrize("kpi", ["sojourn", "on_time"])
def test_fifty_decisions_on_a_network(kpi: str) -> None:
    same, used, verdicts = [], [], []
    for pair in range(50):
        ask = runner(hubs(pair), start="2026-01-05", horizon="1d")
        every = ask(["base", "other"], range(1000))
        fixed = compare(every.sel(scenario="base"), every.sel(scenario="other"), kpi=kpi)
        found = decide(
            lambda names, numbers, every=every: every.sel(scenario=names, replication=list(numbers)),
            "base",
            "other",
            kpi=kpi,
        )
        same.append(found.comparison.verdict == fixed.verdict)
        used.append(found.replications)
        verdicts.append(fixed.verdict)
    counts = {name: verdicts.count(name) for name in sorted(set(verdicts))}
    print(  # noqa: T201
        f"\n{kpi} of a network: fixed verdicts {counts}; same verdict {np.mean(same):.0%}; "
        f"runs at the median {np.median(used) / 1000:.1%}, mean {np.mean(used) / 1000:.1%}, quarter {np.quantile(used, [0.25, 0.75])}"
    )
    assert np.mean(same) >= 0.98
