"""The simulation kernel: speed against SimPy and a plain heap, scaling, exact queues, common random numbers.

The exact results aren't part of the repository. They are looked for in the folder that TWINLAB_TEST_DATA names, or in ``shared/data``
beside the checkout. Run: pytest tests/benchmarks/test_simulation_bench.py -m benchmark -n0 -s
"""

import csv
import math
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.hubs_and_trucks import network, with_heapq, with_simpy
from twinlab.simulate import Network, NetworkModel

pytestmark = pytest.mark.benchmark

FOLDER = Path(os.environ.get("TWINLAB_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
START = np.datetime64("2026-01-05", "ns")
WEEK = {"until": START + np.timedelta64(7, "D"), "step": np.timedelta64(1, "h")}
#: 99 % of a normal distribution, two-sided.
Z = 2.5758
#: Customers at most in one queue; those at 99 % of saturation need up to 1e10 for 0.5 %.
CUSTOMERS = float(os.environ.get("TWINLAB_QUEUE_CUSTOMERS", "2e10"))
#: Loads of the queues that are simulated: all by default, which takes hours.
LEAST_LOAD, MOST_LOAD = (float(load) for load in os.environ.get("TWINLAB_QUEUE_LOADS", "0 1").split())


def report(text: str) -> None:
    """Write a figure; ``-s`` shows it."""
    sys.stdout.write(f"{text}\n")


def cpu(call):
    """Return seconds of CPU time, and the result."""
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


def test_the_same_network_in_simpy_and_on_a_heap() -> None:
    model = NetworkModel(network())
    state = model.initial_state(start=START)
    model.advance_many(state, replications=[0], **WEEK)
    runs = [cpu(lambda: model.advance_many(state, replications=range(20), **WEEK)) for _ in range(3)]
    own = statistics.median(seconds for seconds, _ in runs) / 20
    results = runs[0][1]
    heap, found = cpu(lambda: [with_heapq(seed) for seed in range(5)])
    simpy, other = cpu(lambda: with_simpy(1))
    for name in ("arrived", "delivered"):
        values = results[name].values
        peers = [one[name] for one in found]
        error = math.hypot(values.std(ddof=1) / math.sqrt(20), np.std(peers, ddof=1) / math.sqrt(5))
        assert abs(values.mean() - np.mean(peers)) < 4 * error
    hours = results["sojourn"].values / 3600
    peers = [one["sojourn"] / one["delivered"] for one in [*found, other]]
    assert hours.mean() == pytest.approx(np.mean(peers), rel=0.005)
    events = (
        float(results["hub_served"].sum()) / 20 + float(results["arrived"].mean()) + 2 * float(results["trips"].mean())
    )
    report(
        f"{own * 1e3:.1f} ms a week ({events / own / 1e6:.1f} M events/s); heapq {heap / 5:.3f} s, {heap / 5 / own:.1f} times; "
        f"SimPy {simpy:.2f} s, {simpy / own:.0f} times"
    )


def test_many_replications_on_threads() -> None:
    model = NetworkModel(network())
    state = model.initial_state(start=START)
    model.advance_many(state, replications=[0], **WEEK)
    count = int(os.environ.get("TWINLAB_REPLICATIONS", "200"))
    chunks = [range(first, first + 10) for first in range(0, count, 10)]

    def totals(chunk):
        return model.advance_many(state, replications=chunk, **WEEK)[["delivered", "sojourn"]]

    start = time.perf_counter()
    serial = [totals(chunk) for chunk in chunks]
    one = time.perf_counter() - start
    start = time.perf_counter()
    with ThreadPoolExecutor(2) as threads:
        parallel = list(threads.map(totals, chunks))
    two = time.perf_counter() - start
    assert all(a.identical(b) for a, b in zip(serial, parallel, strict=True))
    report(f"{count} replications of a week: {one:.1f} s on one thread, {two:.1f} s on two ({one / two:.2f} times)")


def queue(model: str, servers: int, rho: float, squared_cv: float) -> Network:
    service = {
        "M/M/c": {"kind": "exponential", "mean": "1 s"},
        "M/D/1": {"kind": "constant", "value": "1 s"},
        "M/E4/1": {"kind": "erlang", "mean": "1 s", "phases": 4},
    }.get(model, {"kind": "gamma", "mean": "1 s", "cv": math.sqrt(squared_cv)} if squared_cv else {})
    return Network(
        name="queue",
        nodes={"desk": {"type": "desk", "servers": servers, "service": service}},
        demand={"all": {"at": "desk", "rate": f"{rho * servers!r} /s"}},
    )


@dataclass(frozen=True)
class Estimate:
    """A mean queue length, its half-width (99 %), customers simulated, and how much the controls narrow it."""

    mean: float
    half: float
    customers: float
    gain: float


def controlled(queues: np.ndarray, inputs: np.ndarray, expected: np.ndarray) -> tuple[float, float, float]:
    """Return mean, half-width and gain of queue lengths, corrected by what of their inputs isn't as expected.

    The inputs of each run (arrivals, and the share of time in which servers are busy) have known means. Long queues come with more
    arrivals or more work than expected: by a regression on those, what is due to them is taken off.
    """
    centred = inputs - expected
    columns = np.column_stack([np.ones(len(queues)), centred])
    found, *_ = np.linalg.lstsq(columns, queues, rcond=None)
    rest = queues - columns @ found
    freedom = len(queues) - columns.shape[1]
    variance = rest @ rest / freedom * np.linalg.inv(columns.T @ columns)[0, 0]
    return float(found[0]), Z * math.sqrt(variance), float(np.std(queues, ddof=1) / math.sqrt(len(queues) * variance))


def mean_queue(one: Network, servers: int, rho: float, squared_cv: float, *, width: float = 0.005) -> Estimate:
    """Return the mean queue length from as many customers as the width needs."""
    model = NetworkModel(one)
    state = model.initial_state(start=START, seed=11)
    # How long a queue near saturation remembers; a run is many times as long, and begins with a warm-up of a fifth.
    memory = (1 + squared_cv) / 2 / (1 - math.sqrt(rho)) ** 2 / servers
    lasting = np.timedelta64(int(max(60 * memory, 1e5 / servers)), "s")
    rate = rho * servers
    rows: list[list[float]] = []

    def runs(numbers: range) -> list[list[float]]:
        found = model.advance_many(state, replications=numbers, until=START + lasting, step=lasting // 10)
        late = found.isel(time=slice(2, 10)).mean(("time", "desk"), dtype=np.float64)
        arrivals = late["desk_arrivals"] / (lasting // 10 / np.timedelta64(1, "s"))
        return np.column_stack([late["desk_queue"], arrivals, late["desk_busy"]]).tolist()

    seconds = lasting / np.timedelta64(1, "s")
    chunk = max(int(2e6 / (rate * seconds)), 1)
    with ThreadPoolExecutor(2) as threads:
        while True:
            # More at a time, the more there are: stopping at the first look that is narrow enough would favour narrow ones.
            first, count = len(rows), max(30, len(rows) // 4)
            numbers = range(first, first + count)
            for found in threads.map(runs, [numbers[at : at + chunk] for at in range(0, count, chunk)]):
                rows += found
            table = np.array(rows)
            mean, half, gain = controlled(table[:, 0], table[:, 1:], np.array([rate, rate]))
            customers = len(rows) * seconds * rate
            if len(rows) >= 60 and (half <= width * mean or customers >= CUSTOMERS):
                return Estimate(mean, half, customers, gain)


def test_exact_queues() -> None:
    path = FOLDER / "queue_exact" / "queues.csv"
    if not path.exists():
        pytest.skip(f"the data set queue_exact isn't in {FOLDER}; TWINLAB_TEST_DATA names the folder with it")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    rows.sort(key=lambda row: float(row["rho"]))
    rows = [row for row in rows if LEAST_LOAD <= float(row["rho"]) <= MOST_LOAD]
    outside, wide = [], []
    for row in rows:
        servers, rho = int(row["servers"]), float(row["rho"])
        squared_cv, exact = float(row["cs2"]), float(row["Lq"])
        found = mean_queue(queue(row["model"], servers, rho, squared_cv), servers, rho, squared_cv)
        name = f"{row['model']} c={servers} rho={rho}"
        report(
            f"{name}: {found.mean:.6g} +- {found.half / found.mean:.2%}, exact {exact:.6g} ({(found.mean - exact) / found.half * Z:+.1f} "
            f"standard errors), {found.customers:.1e} customers, {found.gain:.2f} times narrower by controls"
        )
        if abs(found.mean - exact) > found.half:
            outside.append(name)
        if found.half > 0.005 * found.mean:
            wide.append(name)
    report(f"outside: {outside}; wider than 0.5 %: {wide}")
    # Of 67 intervals of 99 %, more than three miss with a probability below 0.5 %.
    assert len(outside) <= 3


def test_the_exact_jackson_network() -> None:
    folder = FOLDER / "queue_exact"
    if not folder.exists():
        pytest.skip(f"the data set queue_exact isn't in {FOLDER}; TWINLAB_TEST_DATA names the folder with it")
    rows = list(csv.DictReader((folder / "jackson3.csv").read_text(encoding="utf-8").splitlines()))
    chances = {"0": {"1": 0.6, "2": 0.3}, "1": {"0": 0.1, "2": 0.5}, "2": {"1": 0.2}}
    model = NetworkModel(
        Network(
            name="jackson",
            nodes={
                row["node"]: {
                    "type": "hub",
                    "servers": int(row["servers"]),
                    "service": {"kind": "exponential", "mean": f"{1 / float(row['mu'])!r} s"},
                }
                for row in rows
            },
            links=[{"from": a, "to": b} for a, to in chances.items() for b in to],
            transitions=chances,
            demand={f"to_{row['node']}": {"at": row["node"], "rate": f"{row['external_rate']} /s"} for row in rows},
        )
    )
    state = model.initial_state(start=START)
    lasting = np.timedelta64(200_000, "s")
    results = model.advance_many(state, replications=range(60), until=START + lasting, step=lasting // 10)
    late = results.isel(time=slice(2, None)).mean("time")
    inside = (late["hub_queue"] + late["hub_busy"]).values
    for place, row in enumerate(rows):
        values = inside[:, place]
        half = Z * values.std(ddof=1) / math.sqrt(values.size)
        report(
            f"\nnode {row['node']}: {values.mean():.5f} +- {half / values.mean():.2%}, exact {float(row['L']):.5f}",
        )
        assert abs(values.mean() - float(row["L"])) <= half * 1.3
        assert half <= 0.005 * values.mean()


@pytest.mark.parametrize("change", ["faster servers", "more demand", "less demand", "one more server"])
def test_common_random_numbers(change: str) -> None:
    def model(*, servers: int = 3, mean: float = 1.0, rate: float = 2.4) -> NetworkModel:
        service = {"kind": "exponential", "mean": f"{mean} s"}
        node = {"type": "desk", "servers": servers, "service": service}
        return NetworkModel(
            Network(name="q", nodes={"desk": node}, demand={"all": {"at": "desk", "rate": f"{rate} /s"}})
        )

    base = model()
    other = {
        "faster servers": model(mean=0.97),
        "more demand": model(rate=2.45),
        "less demand": model(rate=2.35),
        "one more server": model(servers=4),
    }[change]
    span = {"until": START + np.timedelta64(2, "h"), "step": np.timedelta64(2, "h")}

    def means(one: NetworkModel, seed: int):
        state = one.initial_state(start=START, seed=seed)
        return one.advance_many(state, replications=range(300), **span)["sojourn"].values

    paired = means(other, 1) - means(base, 1)
    independent = means(other, 2) - means(base, 1)
    ratio = independent.var(ddof=1) / paired.var(ddof=1)
    report(f"{change}: variance of the difference {ratio:.1f} times lower")
    # With one more server hardly anybody waits, so that the difference is the base's own wait, whatever is common.
    assert ratio > (1 if change == "one more server" else 5)
