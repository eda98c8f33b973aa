"""What users and pages call to read: zoom, heat map, selections of the whole Dataset, resample, summary and newest time.

Run with ``python -m pytest tests/benchmarks/test_reading_bench.py -m benchmark -s -n0``. Data with 3 % gaps and suspect and failed
cells: 200 assets x 365 days and 1,000 x 90 at one minute, 1,000 x 2 days at one second; built once in ``TWINLAB_BENCH_DIR``
and kept. ``TWINLAB_BENCH_OUT`` takes JSON. CPU time; figures are reported, never asserted.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from twinlab.explore.charts.reading import latest_time
from twinlab.explore.views.heatmap.reading import HeatRequest, read_heat
from twinlab.explore.views.signals.view import SignalRequest, read_view
from twinlab.history import HistoryReader
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group
from twinlab.history.write.history_store import HistoryStore
from twinlab.ledger import Ledger
from twinlab.model.basics import parse_duration
from twinlab.model.twinmodel import TwinModel
from twinlab.twin.summary import summary_text

sys.path.insert(0, str(Path(__file__).parent))
import telemetry

pytestmark = pytest.mark.benchmark
ORIGIN = "2013-01-01"
ROWS: list[dict[str, object]] = []


def built(folder: Path, assets: int, days: int, cadence: str) -> HistoryReader:
    """Return a reader of a stored history, which is built once; the ledger is empty."""
    root = folder / f"read-{assets}x{days}-{cadence}"
    model = TwinModel.model_validate(
        {
            "twin": "fleet",
            "origin": ORIGIN,
            "asset_types": {"fleet": {"signals": {"reading": {"unit": "1", "resolution": 1.0, "cadence": cadence}}}},
        }
    )
    if not (root / "done").exists():
        signal = model.asset_types["fleet"].signals["reading"]
        seconds = parse_duration(cadence) // 10**9
        cells, none = days * 86_400 // seconds, sentinel(signal.storage_dtype)
        rng = np.random.default_rng(1)
        store = HistoryStore.create(root / "history", origin_ns=model.origin_ns)
        with store.lock(), store.transaction() as txn:
            txn.ensure_group(Group("fleet", cadence), {"reading": signal}, assets)
            for first in range(0, assets, 64):
                numbers = range(first, min(first + 64, assets))
                values = np.stack([telemetry.series(n, cells, seconds=float(seconds), assets=assets) for n in numbers])
                flags = np.ones(values.shape, np.uint8)
                for one in flags:
                    for start in rng.integers(0, cells, max(1, cells * 3 // 20_000)):
                        one[start : start + rng.integers(1, 400)] = 9
                    one[rng.integers(0, cells, cells // 500)] = 3
                    one[rng.integers(0, cells, cells // 2000)] = 4
                values = np.where(flags == 9, none, values).astype(signal.storage_dtype)
                txn.write_cells(
                    Group("fleet", cadence), 0, {"reading": values.T}, {"reading": flags.T}, first_asset=first
                )
            txn.meta["assets"] = {"fleet": [f"T{n:04d}" for n in range(assets)]}
            txn.commit("benchmark")
        (root / "done").touch()
    return HistoryReader(root, Ledger(root / "ledger"), model, {})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the histories are."""
    chosen = os.environ.get("TWINLAB_BENCH_DIR")
    return Path(chosen) if chosen else tmp_path_factory.mktemp("bench")


def keep(row: str, need: str, **figures: float) -> None:
    """Print a row and write all rows so far."""
    ROWS.append({"row": row, "need": need} | {name: round(value, 1) for name, value in figures.items()})
    sys.stdout.write("\n" + "  ".join(f"{name}={value}" for name, value in ROWS[-1].items()) + "\n")
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps(ROWS, indent=1))


def measured(*functions: Callable[[], Any], rounds: int = 3) -> dict[str, float]:
    """Return median and 95th percentile of the CPU time of functions, in ms; each is called once before."""
    taken = []
    for function in functions:
        function()
    for _ in range(rounds):
        for function in functions:
            cpu = time.process_time()
            function()
            taken.append((time.process_time() - cpu) * 1e3)
    return {"median_ms": float(np.median(taken)), "p95_ms": float(np.percentile(taken, 95))}


def windows(days: int) -> list[tuple[np.datetime64, np.datetime64]]:
    """Return 24 windows anywhere, from the whole history down to two hours."""
    rng, out = np.random.default_rng(3), []
    for hours in np.geomspace(days * 24, 2, 24):
        span = int(hours * 3600e9)
        start = np.datetime64(ORIGIN, "ns") + np.timedelta64(int(rng.uniform(0, max(1, days * 86_400e9 - span))), "ns")
        out.append((start, start + np.timedelta64(span, "ns")))
    return out


@contextmanager
def peak() -> Iterator[list[float]]:
    """Watch the memory of this process; yields a list with the peak in MB at the end."""
    found, stop, process = [0.0], threading.Event(), psutil.Process()

    def watch() -> None:
        while not stop.wait(0.01):
            found[0] = max(found[0], process.memory_info().rss / 1e6)

    thread = threading.Thread(target=watch)
    thread.start()
    yield found
    stop.set()
    thread.join()


@pytest.mark.parametrize(("assets", "days", "need"), [(200, 365, "<= 12 / 25 ms"), (1000, 90, "<= 12 / 80 ms")])
def test_zoom_and_heat_map(folder: Path, assets: int, days: int, need: str) -> None:
    twin = built(folder, assets, days, "1min")
    some = [
        SignalRequest("fleet", ("reading",), (f"T{37 * n % assets:04d}",), one) for n, one in enumerate(windows(days))
    ]
    keep(f"read_view of one series, {assets} assets", need, **measured(*[lambda r=r: read_view(twin, r) for r in some]))
    maps = [HeatRequest("fleet", "reading", one, "mean") for one in windows(days)]
    keep(f"read_heat of {assets} assets", need, **measured(*[lambda r=r: read_heat(twin, r) for r in maps]))


def test_selections_of_the_whole_dataset(folder: Path) -> None:
    twin, at = built(folder, 200, 365, "1min"), np.datetime64("2013-07-28T08:00", "ns")
    minute = np.timedelta64(60, "s")
    whole = twin.history("fleet").isel(time=300_000).compute()
    asked = twin.history("fleet", start=at, stop=at + minute).compute()
    np.testing.assert_array_equal(whole.reading, asked.reading[0])
    rows: dict[str, tuple[str, Callable[[], Any]]] = {
        "history().isel(time=i)": ("<= 20 ms", lambda: twin.history("fleet").isel(time=300_000).compute()),
        "history(start, stop) of it": ("", lambda: twin.history("fleet", start=at, stop=at + minute).compute()),
        "history().isel(asset=i), a year": ("<= 60 ms", lambda: twin.history("fleet").isel(asset=57).compute()),
        "history(assets=[a]), a year": ("", lambda: twin.history("fleet", assets=["T0057"]).compute()),
    }
    for row, (need, function) in rows.items():
        keep(row, need, **measured(function, rounds=15))


def test_daily_means_of_raw_samples(folder: Path) -> None:
    twin = built(folder, 200, 365, "1min")
    view = twin.pinned().view
    fold = measured(lambda: view.fold(Group("fleet", "1min"), "reading", 1440, 0, 365))
    keep("the store's own fold, 105 M cells", "", **fold)
    for name, select in (("reading", ["reading"]), ("reading and flags", ["reading", "reading_qc"])):
        with peak() as memory:
            taken = measured(lambda s=select: twin.history("fleet")[s].resample(time="1D").mean().compute())
        ratio = taken["median_ms"] / fold["median_ms"]
        keep(f"history().resample(1D).mean() of {name}", "<= 1.5 x, <= 600 MB", **taken, ratio=ratio, peak_mb=memory[0])


def test_summary_and_newest_time_at_one_second(folder: Path) -> None:
    twin = built(folder, 1000, 2, "1s")
    with peak() as memory:
        taken = measured(lambda: summary_text(twin.model, twin), rounds=5)
    keep("text of repr(twin), 1,000 assets at 1 s", "<= 300 ms", **taken, peak_mb=memory[0])
    keep("latest_time (Now)", "<= 300 ms", **measured(lambda: latest_time(twin), rounds=5))
