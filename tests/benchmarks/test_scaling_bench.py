"""Scaling by simulation: costs of small fleets predict large ones, then 10 billion, 100 billion and a trillion points.

``TWINLAB_BENCH_RUNS=runs.jsonl python -m pytest tests/benchmarks/test_scaling_bench.py -m benchmark -s -n0`` reads what runs of `scaling_run` have
printed, a line each: those of at most ``TWINLAB_BENCH_CALIBRATE`` (21 million) cells calibrate, larger ones are predicted and compared.
Without ``TWINLAB_BENCH_RUNS`` it makes small runs itself. Figures are printed, never asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinlab.twin.scaling.costs import STEPS, StepCost, Timing, fit_costs
from twinlab.twin.scaling.simulation import Ingest, Scan, SimulatedRun, simulate_ingest, simulate_scan
from twinlab.twin.scaling.workload import Stream, Workload

pytestmark = pytest.mark.benchmark
MOST = float(os.environ.get("TWINLAB_BENCH_CALIBRATE", "21e6"))
#: Fleets of which small runs consist: trucks, days. The last one is predicted.
FLEETS = ((8, 18), (16, 45), (40, 18), (100, 20))
MINUTE = 60 * 10**9
#: Points of the table, and of the fleet: trucks over a year at one minute, five signals.
SIZES = (1e10, 1e11, 1e12)
#: Seconds of a commit in an object store; bytes a second of its link.
COMMIT, LINK = 0.05, 1.25e9


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return what was measured, smallest fleet first."""
    if given := os.environ.get("TWINLAB_BENCH_RUNS"):
        lines = [line for line in Path(given).read_text().splitlines() if line.startswith("{")]
    else:
        lines = list(small_runs(tmp_path_factory.mktemp("runs")))
    return sorted((json.loads(line) for line in lines), key=lambda one: one["cells"])


def small_runs(folder: Path) -> Iterator[str]:
    """Make runs in processes of their own; the first one, which compiles, isn't counted."""
    for number, (trucks, days) in enumerate((FLEETS[0], *FLEETS)):
        environment = {**os.environ, "TWINLAB_BENCH_TRUCKS": str(trucks), "TWINLAB_BENCH_DAYS": str(days)}
        command = [sys.executable, str(Path(__file__).with_name("scaling_run.py")), str(folder / str(number))]
        out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
        if number:
            yield out.strip().splitlines()[-1]


def workload(run: dict[str, Any]) -> Workload:
    """Return the workload of a run."""
    return Workload((Stream("truck", MINUTE, 5, run["trucks"]),), run["rows"] / run["cells"])


def timings(run: dict[str, Any]) -> list[Timing]:
    """Return the timings of a run."""
    drivers = workload(run).drivers(run["days"])
    return [Timing(step, drivers, *took) for step, took in run["took"].items() if step in STEPS]


def calibrated(runs: list[dict[str, Any]]) -> tuple[dict[str, StepCost], dict[str, float]]:
    """Return costs and bytes a cell of the small runs."""
    small = [one for one in runs if one["cells"] <= MOST]
    if len(small) == len(runs):
        small = small[:-1]
    total = sum(one["cells"] for one in small)
    sizes = {name: sum(one[name] for one in small) / total for name in ("ledger", "values", "rollups")}
    return fit_costs([timing for one in small for timing in timings(one)]), sizes


def test_small_fleets_predict_large_ones(runs: list[dict[str, Any]]) -> None:
    costs, sizes = calibrated(runs)
    for name, one in costs.items():
        say(f"{name}: { ({key: float(f'{rate:.3g}') for key, rate in one.terms.items()}) }, ± {one.spread:.0%}")
    for run in runs:
        drivers = workload(run).drivers(run["days"])
        say(f"{run['cells'] / 1e6:,.1f} M cells, {run['trucks']} trucks, {run['days']} days")
        for name, size in sizes.items():
            compare(name, size * run["cells"] / 1e6, run[name] / 1e6, "MB")
        compare("objects", workload(run).objects(run["days"]), run["objects"], "")
        for step, took in run["took"].items():
            if step in costs:
                compare(step, costs[step].predict(drivers)[0], took[0], "s CPU")


def test_a_trillion_points(runs: list[dict[str, Any]]) -> None:
    costs, sizes = calibrated(runs)
    cell, row = (costs[step].terms for step in ("rebuild", "ingest"))
    for points in SIZES:
        fleet = Workload((Stream("truck", MINUTE, 5, round(points / (5 * 1440 * 365))),), 0.97)
        drivers = fleet.drivers(365)
        say(
            f"{points:.0e} points: {fleet.assets:,} trucks, {fleet.rows_a_day / 86_400:,.0f} rows/s, {fleet.objects(365):,} objects"
        )
        say("  " + ", ".join(f"{name} {size * points / 1e9:,.0f} GB" for name, size in sizes.items()))
        say("  " + ", ".join(f"{step} {one.predict(drivers)[0]:,.1f} s" for step, one in costs.items()))
        for workers in (2, 16, 128, 1024):
            run = simulate_scan(
                Scan(points, sizes["values"], costs["scan"].terms["cells"], workers=workers, bandwidth=LINK)
            )
            say(f"  scan from a store, {workers} workers: {shown(run)}")
        for writers, historians in ((1, 1), (4, 4), (16, 64)):
            made = Ingest(
                drivers["rows"],
                row["rows"],
                cell["cells"] / 0.97,
                writers=writers,
                historians=historians,
                commit=COMMIT,
            )
            say(f"  take in and build, {writers} writers, {historians} historians: {shown(simulate_ingest(made))}")


def compare(name: str, predicted: float, measured: float, unit: str) -> None:
    """Print a prediction beside what was measured."""
    say(f"  {name}: predicted {predicted:,.3f}, measured {measured:,.3f} {unit}: {predicted / measured - 1:+.0%}")


def shown(run: SimulatedRun) -> str:
    """Return a simulated run in words."""
    return f"{run.seconds:,.0f} s, {run.bottleneck} {run.busy[run.bottleneck]:.0%} busy"


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
