"""A thousand replications of a week of 12 hubs, 300 trucks and 121,000 parcels: time, memory, scaling, equality, quotes.

TWINLAB_BENCH_OUT takes the figures as JSON, TWINLAB_BENCH_REPLICATIONS another number of replications.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from twinlab import simulate
from twinlab.simulate.runs.digests import combined_digest

from .hub_network import hub_network
from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

WEEK: dict[str, Any] = {"start": "2026-01-05", "horizon": "7d", "step": "1h", "progress": False}
COUNT = int(os.environ.get("TWINLAB_BENCH_REPLICATIONS", "1000"))


def show(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


PROGRAM = """
import json, os, resource, sys, time
sys.path.append(sys.argv[3])
from hub_network import hub_network
from twinlab import simulate
first = []
model = hub_network()
asked, cpu = time.perf_counter(), time.process_time()
def report(progress):
    first.append(time.perf_counter() - asked)
results = simulate.run(model, start="2026-01-05", horizon="7d", step="1h", replications=int(sys.argv[2]), store=sys.argv[1],
                       progress=report)
wall, cpu = time.perf_counter() - asked, time.process_time() - cpu
print(json.dumps({
    "replications": results.replications["hubs"], "wall_s": wall, "cpu_s": cpu, "first_result_s": first[0],
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "results_mib": results.data.nbytes / 2**20, "disk_mib": results.meter.bytes.value / 2**20,
    "quoted_cpu_s": results.quote.cpu_hours.value * 3600, "metered_cpu_s": results.meter.cpu_hours.value * 3600,
    "quoted_s": results.quote.seconds.value, "load": os.getloadavg()[0]}))
"""


def test_a_thousand_replications_of_a_week_in_bounded_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "run"), str(COUNT), str(Path(__file__).parent)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    show(json.dumps(figures, indent=1))
    note("runs: a thousand weeks", **figures)
    assert figures["replications"] == COUNT
    assert figures["peak_mib"] < 1024


def digest(results: simulate.Results) -> str:
    return combined_digest(one for name in results.scenarios for _, one in sorted(results.store.digests(name).items()))


def test_two_threads_against_one() -> None:
    model, count = hub_network(), 24
    found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    digests = set()
    for _ in range(5):
        for workers in (1, 2):
            wall, cpu = time.perf_counter(), time.process_time()
            digests.add(digest(simulate.run(model, replications=count, workers=workers, **WEEK)))
            found[workers].append((time.perf_counter() - wall, time.process_time() - cpu))
    assert len(digests) == 1
    walls = {workers: statistics.median(wall for wall, _ in times) for workers, times in found.items()}
    cpus = {workers: statistics.median(cpu for _, cpu in times) for workers, times in found.items()}
    got = {workers: statistics.median(cpu / wall for wall, cpu in times) for workers, times in found.items()}
    figures = {
        "scaling by the clock": walls[1] / walls[2],
        "CPU of one thread / of two": cpus[1] / cpus[2],
        "cores that two threads got": got[2],
        "cores that one got": got[1],
        "load": os.getloadavg()[0],
    }
    show(figures)
    note("runs: two threads", **figures)


def test_a_cluster_chunks_and_threads_give_the_same_bits(tmp_path: Path) -> None:
    import distributed

    model, count = hub_network(), 16
    serial = simulate.run(model, replications=count, workers=1, chunk=1, **WEEK)
    kinds = {
        "chunks of 5, two threads": simulate.run(model, replications=count, workers=2, chunk=5, **WEEK),
        "store": simulate.run(model, replications=count, store=tmp_path / "run", **WEEK),
        "extended": simulate.run(model, replications=3, **WEEK).extend(count, progress=False),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50)
        with cluster, distributed.Client(cluster) as client:
            kinds["two processes"] = simulate.run(model, replications=count, client=client, **WEEK)
    for name, one in kinds.items():
        assert digest(one) == digest(serial), name
    xr.testing.assert_identical(kinds["store"].kpis, serial.kpis)
    show(f"{len(kinds)} ways, {serial.data.nbytes / 2**20:.0f} MiB of results: the same bits")


def bank(servers: int, rate: int, name: str = "bank") -> simulate.NetworkModel:
    node = {"type": "counter", "servers": servers, "service": {"kind": "exponential", "mean": "4 min"}}
    demand = {"customers": {"at": "desk", "rate": f"{rate} /h"}}
    return simulate.NetworkModel(simulate.Network(name=name, nodes={"desk": node}, demand=demand))


class Walk:
    """A model in plain Python, which keeps the interpreter to itself."""

    name = "walk"

    def content_hash(self) -> str:
        return "walk-1"

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        values = {"start": start, "time": start, "seed": np.int64(seed), "replication": np.int64(replication)}
        return xr.Dataset(values, attrs={"model": self.name, "model_hash": self.content_hash()})

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> simulate.Advanced:
        random = np.random.default_rng([int(state["seed"]), int(state["replication"])])
        place, far = 0.0, []
        for one in random.normal(size=20_000 + int(random.integers(10_000))).tolist():
            place += one
            far.append(abs(place))
        return simulate.Advanced(state.assign(time=until), xr.Dataset({"farthest": max(far)}))


def ten_runs(folder: Path) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    yield "12 hubs, 300 trucks", hub_network(), {"replications": 40}
    yield "the same, one thread, stored", hub_network(), {"replications": 30, "workers": 1, "store": folder / "a"}
    yield "100 trucks, stored", hub_network(trucks=100), {"replications": 60, "store": folder / "b"}
    yield (
        "half of the parcels, a day",
        hub_network(rate=30),
        {"replications": 200, "horizon": "1d", "store": folder / "c"},
    )
    yield "two scenarios", {"a": hub_network(), "b": hub_network(rate=40)}, {"replications": 20}
    yield "a counter, a week", bank(3, 40), {"replications": 2000}
    yield (
        "a counter, four weeks, stored",
        bank(30, 400),
        {"replications": 100, "horizon": "28d", "store": folder / "d"},
    )
    yield "five counters", {f"{n}": bank(n, 40) for n in range(3, 8)}, {"replications": 400}
    yield "plain Python", Walk(), {"replications": 500}
    yield "plain Python, one thread, stored", Walk(), {"replications": 500, "workers": 1, "store": folder / "e"}


def test_quotes_against_meters(tmp_path: Path) -> None:
    rows, within = [], {"cpu_hours": 0, "seconds": 0, "bytes": 0}
    for name, models, options in ten_runs(tmp_path):
        results = simulate.run(models, **{**WEEK, **options})
        quote, meter = results.quote, results.meter
        assert quote is not None
        assert meter is not None
        row: dict[str, Any] = {"run": name, "CPU s": meter.cpu_hours.value * 3600, "wall s": meter.seconds.value}
        for figure in within:
            asked, taken = quote.amounts[figure], meter.amounts[figure]
            row[f"{figure} quote/meter"] = asked.value / taken.value
            row[f"{figure} in its interval"] = asked.low <= taken.value <= asked.high
            within[figure] += abs(asked.value / taken.value - 1) <= 0.2
        rows.append(row)
        show({key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()})
    show(f"{within}, load {os.getloadavg()[0]:.1f}")
    note("runs: quotes", within=within, runs=rows)
