"""Steady state: a twin that takes in 50 rows every second or every minute, beside a plain Zarr store and a DuckDB file.

The clock is simulated: deliveries follow each other without waiting, and everything that asks for the time sees them a second
or a minute apart. TWINLAB_BENCH_DELIVERIES sets their number (3,600 a second apart, 1,440 a minute apart by default; 43200 is a
month of minutes); TWINLAB_BENCH_PEER_DELIVERIES those of the peers. TWINLAB_BENCH_OUT takes the figures as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parent))
from telemetry import observations

import twinlab as tl
from twinlab.history.write import housekeeping
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.maintenance import sweep

pytestmark = [
    pytest.mark.benchmark,
    # Times of the plain store are int64 and values float64; consolidated metadata is rewritten by each append.
    pytest.mark.filterwarnings("ignore:Consolidated metadata"),
]

ASSETS, ROWS = 1000, 50
SECOND, MINUTE = 10**9, 60 * 10**9
ORIGIN = int(np.datetime64("2025-01-01", "ns").astype("int64"))
MODEL = """
twin: fleet
origin: 2025-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, sensor_span: [-40, 85], cadence: 1min, spike: [5, 20]}
"""
MAPPING = r"""
source: trucks
stream:
  tags:
    '/^(?P<id>[0-9]+)[.]temperature$/': {signal: temperature, asset: 'truck/{id}', unit: degC}
"""
#: A fresh process: first with the libraries that the first read loads (numba's kernels, dask's schedulers), then the twin
#: opened anew in the same process.
READ = """
import json, sys, time
import numpy as np
import twinlab as tl
stop = np.datetime64(int(sys.argv[2]), "ns")
out = {}
for when in ("first", "opened anew"):
    for what in ("history", "repr"):
        began, cpu = time.perf_counter(), time.process_time()
        twin = tl.open(sys.argv[1])
        if what == "history":
            found = twin.history("truck", start=stop - np.timedelta64(60, "m"), stop=stop).temperature.values
        else:
            repr(twin)
        took = time.perf_counter() - began, time.process_time() - cpu
        out[f"{what}, {when}: wall, cpu"] = [float(f"{part:.3f}") for part in took]
print(json.dumps(out | {"cells": int(np.isfinite(found).sum())}))
"""


@dataclass
class Delivery:
    """Rows of one delivery, with what arrives late and without what never arrives."""

    asset: np.ndarray
    at: np.ndarray
    value: np.ndarray
    first: int

    def batch(self, names: pa.Array) -> pa.RecordBatch:
        """Return the rows as observations."""
        sequence = np.arange(self.first, self.first + len(self.asset))
        return observations(names, self.asset, self.at, self.value, sequence)


def deliveries(count: int, step: int) -> Iterator[Delivery]:
    """Yield deliveries of up to 50 rows: 3 % never arrive, 1 % are up to five minutes late, 0.1 % are spikes."""
    rng = np.random.default_rng(7)
    level, first = np.full(ASSETS, 5.0), 0
    for number in range(count):
        asset = ((np.arange(ROWS) + ROWS * number) % ASSETS).astype(np.int32)
        level[asset] += rng.normal(0, 0.3, ROWS)
        value = (level[asset] + np.where(rng.random(ROWS) < 0.001, 40.0, 0.0)).round(1)
        late = np.where(rng.random(ROWS) < 0.01, rng.integers(0, 300, ROWS), 0) * SECOND
        at = np.maximum(ORIGIN, ORIGIN + number * step + rng.integers(0, step, ROWS) - late)
        kept = rng.random(ROWS) >= 0.03
        kept[0] = True
        yield Delivery(asset[kept], at[kept], value[kept], first)
        first += int(kept.sum())


@contextmanager
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Let the time that modules see be the real one plus the first element of the list."""
    ahead = [0.0]
    real = {name: getattr(time, name) for name in ("time", "monotonic", "time_ns", "monotonic_ns")}
    with monkeypatch.context() as patched:
        for name, plain in real.items():
            unit = 10**9 if name.endswith("_ns") else 1
            patched.setattr(time, name, lambda plain=plain, unit=unit: plain() + type(plain())(ahead[0] * unit))
        yield ahead


def collect_simulated(monkeypatch: pytest.MonkeyPatch, ahead: list[float]) -> None:
    """Let garbage collection remove what was replaced a simulated day ago: states bear the time of the real clock."""
    known: list[tuple[float, datetime]] = []

    def collect(_root: Path, store: HistoryStore) -> None:
        known.append((ahead[0], datetime.now(UTC)))
        old = [real for at, real in known if at <= ahead[0] - 86_400]
        if old:
            sweep(store._repository, store.path, cut=old[-1])

    monkeypatch.setattr(housekeeping, "_collect", collect)


@dataclass
class Meter:
    """CPU time and bytes written of one store, by delivery."""

    name: str
    folder: Path
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    written: list[int] = field(default_factory=list)

    @contextmanager
    def delivery(self) -> Iterator[None]:
        """Measure one delivery."""
        process = psutil.Process()
        before = process.io_counters().write_chars
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        self.written.append(process.io_counters().write_chars - before)

    def line(self, last: int) -> dict[str, object]:
        """Return the figures of the last deliveries, and of the folder now."""
        sizes = [path.stat().st_size for path in self.folder.rglob("*") if path.is_file()]
        cpu, written = np.array(self.cpu[-last:]) * 1e3, np.array(self.written[-last:])
        return {
            "store": self.name, "deliveries": len(self.cpu), "cpu_median_ms": round(float(np.median(cpu)), 2),
            "cpu_mean_ms": round(float(cpu.mean()), 2), "cpu_max_ms": round(float(cpu.max()), 1),
            "wall_mean_ms": round(float(np.mean(self.wall[-last:])) * 1e3, 2),
            "written_median": int(np.median(written)), "written_mean": int(written.mean()),
            "files": len(sizes), "bytes": sum(sizes), "rss_mb": psutil.Process().memory_info().rss >> 20,
        }  # fmt: skip


def show(line: dict[str, object]) -> None:
    """Print one line of figures, and add it to the file of figures."""
    sys.stdout.write("  ".join(f"{key} {value}" for key, value in line.items()) + "\n")
    sys.stdout.flush()
    path = os.environ.get("TWINLAB_BENCH_OUT")
    if path:
        known = json.loads(Path(path).read_text()) if Path(path).exists() else {}
        known.setdefault("steady", []).append(line)
        Path(path).write_text(json.dumps(known, indent=1))


def newest(found: list[Delivery]) -> dict[tuple[int, int], float]:
    """Return (minute, asset) -> value that the cell has: that of the row with the highest sequence at the latest time."""
    cells: dict[tuple[int, int], tuple[int, float]] = {}
    for one in found:
        for asset, at, value in zip(one.asset.tolist(), one.at.tolist(), one.value.tolist(), strict=True):
            key = ((at - ORIGIN) // MINUTE, asset)
            if key not in cells or at >= cells[key][0]:
                cells[key] = (at, value)
    return {key: value for key, (_, value) in cells.items()}


def checksum(values: np.ndarray) -> tuple[int, int]:
    """Return number and sum of the values, in tenths of a degree."""
    good = values[np.isfinite(values)]
    return len(good), int(np.rint(good * 10).sum())


def duckdb_peer(folder: Path, rows: list[Delivery], last: int) -> tuple[int, int]:
    duckdb = pytest.importorskip("duckdb")
    folder.mkdir()
    connection = duckdb.connect(str(folder / "duck.db"), config={"threads": 2})
    connection.execute("create table o (asset integer, moment bigint, value double, primary key (asset, moment))")
    meter = Meter("duckdb upsert", folder)
    for one in rows:
        incoming = pa.table({"asset": one.asset, "moment": one.at, "value": one.value})
        with meter.delivery():
            connection.register("incoming", incoming)
            connection.execute("insert or replace into o select asset, moment, value from incoming")
    show(meter.line(last))
    began, cpu = time.perf_counter(), time.process_time()
    connection.execute("select * from o where moment >= ?", [int(rows[-1].at.max()) - 60 * MINUTE]).fetchnumpy()
    show({"store": "duckdb", "read 60 min": (time.perf_counter() - began, time.process_time() - cpu)})
    query = f"select arg_max(value, moment) from o group by asset, (moment - {ORIGIN}) // {MINUTE}"
    values = np.array([value for (value,) in connection.execute(query).fetchall()])
    connection.close()
    return checksum(values)


def zarr_peer(folder: Path, rows: list[Delivery], last: int) -> tuple[int, int]:
    """Append a step of all assets for each delivery: the value and the time of each."""
    meter = Meter("to_zarr(append_dim=)", folder)
    for number, one in enumerate(rows):
        value, at = np.full((1, ASSETS), np.nan), np.zeros((1, ASSETS), dtype=np.int64)
        value[0, one.asset], at[0, one.asset] = one.value, one.at
        step = xr.Dataset(
            {"value": (("step", "asset"), value), "at": (("step", "asset"), at)}, coords={"step": [number]}
        )
        with meter.delivery():
            if number:
                step.to_zarr(folder, append_dim="step", consolidated=False, zarr_format=3)
            else:
                chunks = {"value": {"chunks": (1024, ASSETS)}, "at": {"chunks": (1024, ASSETS)}}
                step.to_zarr(folder, encoding=chunks, consolidated=False, zarr_format=3)
    show(meter.line(last))
    began, cpu = time.perf_counter(), time.process_time()
    with xr.open_zarr(folder, consolidated=False) as data:
        _ = data.isel(step=slice(-3600, None)).value.values
        show({"store": "zarr", "read newest steps": (time.perf_counter() - began, time.process_time() - cpu)})
        values, times = data.value.values, data["at"].values
    cells: dict[tuple[int, int], tuple[int, float]] = {}
    for step_number, asset in zip(*np.nonzero(np.isfinite(values)), strict=True):
        at = int(times[step_number, asset])
        key = ((at - ORIGIN) // MINUTE, int(asset))
        if key not in cells or at >= cells[key][0]:
            cells[key] = (at, float(values[step_number, asset]))
    return checksum(np.array([value for _, value in cells.values()]))


@pytest.mark.parametrize(("step", "usual"), [(SECOND, 3600), (MINUTE, 1440)], ids=["second", "minute"])
def test_a_delivery_costs_the_same_however_many_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, usual: int
) -> None:
    count = int(os.environ.get("TWINLAB_BENCH_DELIVERIES", str(usual)))
    peer_count = min(count, int(os.environ.get("TWINLAB_BENCH_PEER_DELIVERIES", str(min(count, 3600)))))
    for name, text in (("twin.yaml", MODEL), ("trucks.yaml", MAPPING)):
        (tmp_path / name).write_text(text)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "trucks.yaml")
    names = pa.array([f"{asset}.temperature" for asset in range(ASSETS)])
    meter, last = Meter("twin.writer", tmp_path / "twin"), max(1, count // 8)
    taken = 0
    with simulated(monkeypatch) as ahead:
        # The rows' ingest times must not be before their event times.
        ahead[0] = max(0.0, (ORIGIN + count * step) / 1e9 - time.time())
        collect_simulated(monkeypatch, ahead)
        with twin.writer() as writer:
            for one in deliveries(count, step):
                batch = one.batch(names)
                with meter.delivery():
                    writer.append(batch)
                ahead[0] += step / 1e9
                taken += 1
                if taken % last == 0:
                    show(meter.line(last))
            # A reader in another process, while the newest rows aren't published.
            stop = ORIGIN + count * step
            command = [sys.executable, "-c", READ, str(twin.folder), str(stop)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            show({"store": "twin, fresh process", **json.loads(done.stdout.strip().splitlines()[-1])})
    show(meter.line(last) | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10})
    # Drawn again: a list of them would be most of the memory that was measured.
    seen = list(deliveries(count, step))
    want = checksum(np.array(list(newest(seen).values())))
    assert checksum(twin.history("truck").temperature.values) == want
    some = seen[:peer_count]
    want = checksum(np.array(list(newest(some).values())))
    assert duckdb_peer(tmp_path / "duck", some, last) == want
    assert zarr_peer(tmp_path / "plain.zarr", some, last) == want
