"""Three gateways of 100 tags with outboxes over TLS into one historian on the same machine: rate, time until a row is visible, memory, CPU.

The peer is the same source with plain ``to_zarr(append_dim=)`` behind it. TWINLAB_BENCH_SECONDS (60) is the time at full rate,
TWINLAB_BENCH_RATE (50000) the points a second of all gateways.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import zarr

from tests.flow.live_site import Site
from twinlab.ledger import Ledger

SECONDS = float(os.environ.get("TWINLAB_BENCH_SECONDS", "60"))
RATE = float(os.environ.get("TWINLAB_BENCH_RATE", "50000"))
GATEWAYS = ("truck-1", "truck-2", "truck-3")
#: Seconds after which a historian that doesn't keep up has failed.
PATIENCE = 180.0


def ledger_times(site: Site) -> Iterator[np.ndarray]:
    """Yield the times of rows that have become visible to this process."""
    reader, at = Ledger(site.twin / "ledger").reader("trucks"), 0
    while True:
        found = [np.empty(0, dtype=np.int64)]
        for frame in reader.frames(start=at):
            found.append(frame.batch(columns=("source_time",)).column("source_time").to_numpy())
            at = max(at, int(frame.ordinals()[-1]) + 1)
        yield np.concatenate(found)


def zarr_times(store: Path) -> Iterator[np.ndarray]:
    """Yield the times in a store that grows; zeros are rows that it has room for but no data yet."""
    at = 0
    while True:
        try:
            found = zarr.open_array(store, path="time", mode="r")[at:]
        except (FileNotFoundError, ValueError, zarr.errors.ArrayNotFoundError):
            found = np.empty(0, dtype=np.int64)
        at += len(found)
        yield found


def settle(visible: Iterator[np.ndarray]) -> None:
    """Wait until rows have been visible within a second for five seconds: all has started, and what waited is sent."""
    since, until = None, time.monotonic() + PATIENCE
    while since is None or time.monotonic() - since < 5:
        assert time.monotonic() < until, "the rows never became visible within a second"
        times = next(visible)
        known = times[times > 0]
        if len(known):
            quick = (time.time_ns() - int(known.min())) / 1e9 < 1
            since = (since or time.monotonic()) if quick else None
        time.sleep(0.02)


def measure(site: Site, visible: Iterator[np.ndarray]) -> dict[str, float]:
    for name in ("broker", "historian", *site.names):
        site.start(name)
    processes = {name: psutil.Process(process.pid) for name, process in site.processes.items()}
    assert site.broker.process is not None
    processes["broker"] = psutil.Process(site.broker.process.pid)
    settle(visible)
    cpu = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    latencies, memory, torn, began = [], [], 0, time.monotonic()
    while time.monotonic() - began < SECONDS:
        times = next(visible)
        torn += int((times == 0).sum())
        latencies.append((time.time_ns() - times[times > 0]) / 1e9)
        memory.append(processes["historian"].memory_info().rss / 2**20)
        time.sleep(0.02)
    seconds = time.monotonic() - began
    used = {name: (sum(process.cpu_times()[:2]) - cpu[name]) / seconds for name, process in processes.items()}
    site.finish(300.0)
    site.stop()
    seen = np.concatenate(latencies)
    return {
        "rows_per_second": len(seen) / seconds,
        "rows_seen_without_data": torn,
        "visible_p50_s": float(np.percentile(seen, 50)),
        "visible_p99_s": float(np.percentile(seen, 99)),
        "historian_mib": float(np.median(memory)),
        "historian_peak_mib": max(memory),
        **{f"cpu_{name}": share for name, share in used.items()},
    }


def site_of(need: Callable[[str], Path | None], folder: Path) -> Site:
    program = need("mosquitto")
    assert program is not None
    rate = RATE / len(GATEWAYS)
    return Site(program, folder, GATEWAYS, step=max(100, int(rate / 8)), rate=rate, tags=100, now=True)


def report(what: str, figures: dict[str, float]) -> None:
    line = json.dumps({"what": what, **{name: round(value, 3) for name, value in figures.items()}})
    sys.stdout.write(f"{line}\n")
    if path := os.environ.get("TWINLAB_BENCH_OUT"):
        with Path(path).open("a") as out:
            out.write(f"{line}\n")


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore")
def test_three_gateways_into_the_ledger(need: Callable[[str], Path | None], tmp_path: Path) -> None:
    site = site_of(need, tmp_path)
    figures = measure(site, ledger_times(site))
    assert site.faults() == {name: {"lost": 0, "twice": 0, "wrong": 0} for name in GATEWAYS}
    report("twinlab run", figures)


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore")
def test_three_gateways_into_plain_zarr(need: Callable[[str], Path | None], tmp_path: Path) -> None:
    store = tmp_path / "store.zarr"
    site = site_of(need, tmp_path)
    options = json.dumps(site.broker.settings("historian"))
    site.historian = (str(Path(__file__).with_name("zarr_historian.py")), str(store), options)
    figures = measure(site, zarr_times(store))
    stored = zarr.open_group(store, mode="r")
    assert stored["sequence"].shape == stored["gateway"].shape == (sum(map(site.made, GATEWAYS)),)
    report("to_zarr(append_dim=)", figures)
