"""Questions to a year of history: ours beside DuckDB (Parquet, native) and xarray + dask + flox, on one stored state.

Run with ``pytest tests/benchmarks/test_history_bench.py -m benchmark -s``. A fleet of ``TWINLAB_BENCH_ASSETS`` (1,000)
columns over ``TWINLAB_BENCH_DAYS`` (365) days at one minute, a fifth each latitude, longitude, speed, temperature and
pressure at sensor resolution. Data are built once in ``TWINLAB_BENCH_DIR`` and kept; ``TWINLAB_BENCH_OUT`` takes JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twinlab.history.layout.encoding import decode
from twinlab.history.layout.grid import Axis, Group
from twinlab.history.store.view import View
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import Signal

sys.path.insert(0, str(Path(__file__).parent))
import telemetry

pytestmark = pytest.mark.benchmark

ASSETS = int(os.environ.get("TWINLAB_BENCH_ASSETS", "1000"))
DAYS = int(os.environ.get("TWINLAB_BENCH_DAYS", "365"))
CELLS = DAYS * 1440
ORIGIN = int(np.datetime64("2013-01-01", "ns").astype("int64"))
GROUP = Group("fleet", "1min")
SIGNAL = Signal(unit="1", resolution=1.0)
#: Peers hold what a source gives: decimal numbers, here of the kinds' own resolution.
SCALES = np.array([1e5, 1e5, 10.0, 10.0, 10.0])
ROWS: list[dict[str, Any]] = []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the built data stand."""
    chosen = os.environ.get("TWINLAB_BENCH_DIR")
    out = (Path(chosen) if chosen else tmp_path_factory.mktemp("bench")) / f"{ASSETS}x{DAYS}"
    out.mkdir(parents=True, exist_ok=True)
    return out


def columns(first: int, last: int) -> np.ndarray:
    """Return the columns of a band, (asset, cell)."""
    return np.stack([telemetry.series(n, CELLS, seconds=60.0, assets=ASSETS) for n in range(first, last)])


def build_ours(folder: Path) -> View:
    """Build the one stored state, band by band in whole shards; all the rest is `commit`'s."""
    root = folder / "ours"
    if not (folder / "ours.done").exists():
        store = HistoryStore.create(root, origin_ns=ORIGIN)
        with store.lock(), store.transaction() as txn:
            txn.ensure_group(GROUP, {"reading": SIGNAL}, ASSETS)
            for a in range(0, ASSETS, 64):
                band = columns(a, min(a + 64, ASSETS)).T
                flags = np.ones(band.shape, dtype=np.uint8)
                txn.write_cells(GROUP, 0, {"reading": band}, {"reading": flags}, first_asset=a)
            txn.commit("benchmark")
        (folder / "ours.done").touch()
    return HistoryStore.open(root).view()


def build_parquet(folder: Path, view: View) -> None:
    """Build the peers' files: Parquet with pyarrow's defaults, by asset and by time, and a DuckDB database."""
    import duckdb

    scale = SCALES[np.arange(ASSETS) * len(SCALES) // ASSETS]
    times = (np.arange(CELLS, dtype="int64") * 60_000_000 + ORIGIN // 1000).astype("datetime64[us]")
    schema = pa.schema([("asset", pa.int32()), ("time", pa.timestamp("us")), ("value", pa.float64())])
    if not (folder / "sorted.done").exists():
        with pq.ParquetWriter(folder / "sorted.parquet", schema) as writer:
            for a in range(ASSETS):
                values = view.values(GROUP, "reading", 0, CELLS, [a])[:, 0] / scale[a]
                asset = np.full(CELLS, a, dtype=np.int32)
                writer.write_table(pa.table([asset, times, values], schema=schema))
        (folder / "sorted.done").touch()
    if not (folder / "time.done").exists():
        with pq.ParquetWriter(folder / "time.parquet", schema) as writer:
            for k in range(0, CELLS, 1440):
                values = (view.values(GROUP, "reading", k, k + 1440) / scale).ravel()
                asset = np.tile(np.arange(ASSETS, dtype=np.int32), 1440)
                writer.write_table(pa.table([asset, np.repeat(times[k : k + 1440], ASSETS), values], schema=schema))
        (folder / "time.done").touch()
    if not (folder / "duck.done").exists():
        (folder / "duck.db").unlink(missing_ok=True)
        with duckdb.connect(folder / "duck.db") as con:
            con.execute("set threads=2")
            con.execute(f"create table o as select * from '{folder}/sorted.parquet'")
        (folder / "duck.done").touch()


def measure(functions: dict[str, Callable[[], Any]], repeats: int) -> dict[str, dict[str, Any]]:
    """Call each function ``repeats`` times in turn; return medians of wall and CPU time and the last results."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    last: dict[str, Any] = {}
    for function in functions.values():
        function()  # warm: compiled code, page cache
    for _ in range(repeats):
        for name, function in functions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            last[name] = function()
            seen[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        name: {
            "wall": float(np.median([w for w, _ in runs])),
            "cpu": float(np.median([c for _, c in runs])),
            "result": last[name],
        }
        for name, runs in seen.items()
    }


def report(row: str, peer: str, need: str, got: dict[str, dict[str, Any]], *, factor: float) -> None:
    """Print and keep one row; reached if the peer's CPU time is ``factor`` times ours."""
    ratio = got[peer]["cpu"] / got["ours"]["cpu"]
    entry = {
        "row": row, "peer": peer, "need": need, "ratio_cpu": ratio, "reached": ratio >= factor,
        "ours_ms": got["ours"]["wall"] * 1e3, "ours_cpu_ms": got["ours"]["cpu"] * 1e3,
        "peer_ms": got[peer]["wall"] * 1e3, "peer_cpu_ms": got[peer]["cpu"] * 1e3,
    }  # fmt: skip
    keep(entry)


def keep(entry: dict[str, Any]) -> None:
    """Print a row and write all rows so far."""
    ROWS.append(entry)
    text = "  ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in entry.items())
    sys.stdout.write(f"\n{text}")
    target = os.environ.get("TWINLAB_BENCH_OUT")
    if target:
        Path(target).write_text(json.dumps({"assets": ASSETS, "days": DAYS, "rows": ROWS}, indent=1))


@pytest.fixture(scope="module")
def state(folder: Path) -> View:
    """The one stored state."""
    return build_ours(folder)


@pytest.fixture(scope="module")
def duck(folder: Path, state: View) -> Any:
    """DuckDB with the database attached and the Parquet files beside it."""
    duckdb = pytest.importorskip("duckdb")
    build_parquet(folder, state)
    con = duckdb.connect(folder / "duck.db", read_only=True)
    con.execute("set threads=2")
    yield con
    con.close()


def test_bytes_a_point_at_one_minute(state: View, folder: Path, duck: Any) -> None:
    sizes = state.bytes()
    total = sum(sizes.values()) / (ASSETS * CELLS)
    parts = {"cells": 0, "flags": 0, "rollup": 0}
    for path, size in sizes.items():
        parts["rollup" if "/rollup/" in path else "flags" if path.endswith("_qc") else "cells"] += size
    disk = sum(f.stat().st_size for f in (folder / "ours").rglob("*") if f.is_file()) / (ASSETS * CELLS)
    each = {f"ours_{k}": v / (ASSETS * CELLS) for k, v in parts.items()}
    peers = {n: (folder / n).stat().st_size / (ASSETS * CELLS) for n in ("sorted.parquet", "time.parquet", "duck.db")}
    keep({"row": "bytes a point, 1 min", "need": "<= 0.75", "ours": total, "ours_on_disk": disk, "reached": disk <= 0.75}
         | each | peers)  # fmt: skip


def test_bytes_a_point_at_one_second(tmp_path: Path) -> None:
    assets, cells = 40, 3 * 86_400
    store = HistoryStore.create(tmp_path / "h", origin_ns=ORIGIN)
    group, signal = Group("fleet", "1s"), Signal(unit="1", resolution=1.0, cadence="1s")
    band = np.stack([telemetry.series(n, cells, seconds=1.0, assets=assets) for n in range(assets)]).T
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(group, {"reading": signal}, assets)
        txn.write_cells(group, 0, {"reading": band}, {"reading": np.ones(band.shape, np.uint8)})
        txn.commit("benchmark")
    disk = sum(f.stat().st_size for f in (tmp_path / "h").rglob("*") if f.is_file()) / band.size
    scale = SCALES[np.arange(assets) * len(SCALES) // assets]
    asset = np.repeat(np.arange(assets, dtype=np.int32), cells)
    times = np.tile((np.arange(cells) * 1_000_000 + ORIGIN // 1000).astype("datetime64[us]"), assets)
    pq.write_table(pa.table({"asset": asset, "time": times, "value": (band / scale).T.ravel()}), tmp_path / "p.parquet")
    keep({"row": "bytes a point, 1 s", "need": "<= 0.30", "ours_on_disk": disk, "reached": disk <= 0.30,
          "parquet": (tmp_path / "p.parquet").stat().st_size / band.size})  # fmt: skip


def _flox(view: View) -> Callable[[], Any]:
    import dask
    import dask.array as da
    import xarray as xr
    import zarr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = zarr.open_group(view.session.store, mode="r")["fleet/1min/2013/cold/reading"]
        lazy = da.from_zarr(array, chunks=(65_536, 128))[:CELLS]
    ds = xr.DataArray(lazy, dims=("time", "asset"), coords={"time": Axis(ORIGIN, GROUP.cadence_ns).times(0, CELLS)})

    def run() -> Any:
        with warnings.catch_warnings(), dask.config.set(scheduler="threads", num_workers=2):
            warnings.simplefilter("ignore")
            days = ds.resample(time="1D")
            mean, high = dask.compute(days.mean(method="cohorts"), days.max(method="cohorts"))
            return mean.values, high.values

    return run


def test_daily_mean_and_max_from_raw(state: View, folder: Path, duck: Any) -> None:
    query = "select asset, time::date d, avg(value), max(value) from {} group by 1, 2 order by 2, 1"

    def ours() -> Any:
        out = state.fold(GROUP, "reading", 1440, 0, DAYS)
        return out["sum"] / out["count"], out["max"]

    def of(table: str) -> Callable[[], Any]:
        return lambda: duck.execute(query.format(table)).fetchnumpy()

    functions = {
        "ours": ours,
        "duckdb_parquet_sorted": of(f"'{folder}/sorted.parquet'"),
        "duckdb_parquet_by_time": of(f"'{folder}/time.parquet'"),
        "duckdb_native": of("o"),
        "flox": _flox(state),
    }
    got = measure(functions, int(os.environ.get("TWINLAB_BENCH_REPEATS", "3")))
    mean, high = got["ours"]["result"]
    scale = SCALES[np.arange(ASSETS) * len(SCALES) // ASSETS]
    for name in ("duckdb_parquet_sorted", "duckdb_parquet_by_time", "duckdb_native"):
        theirs = list(got[name]["result"].values())
        np.testing.assert_allclose(theirs[2].reshape(DAYS, ASSETS), mean / scale, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(theirs[3].reshape(DAYS, ASSETS), high / scale)
    np.testing.assert_allclose(got["flox"]["result"][0], mean, rtol=1e-9)
    np.testing.assert_array_equal(got["flox"]["result"][1], high)
    report("daily mean and max", "duckdb_parquet_sorted", ">= 10x CPU", got, factor=10)
    report("daily mean and max", "duckdb_parquet_by_time", ">= 10x CPU", got, factor=10)
    report("daily mean and max", "duckdb_native", ">= 5x CPU", got, factor=5)
    report("daily mean and max", "flox", ">= 5x CPU", got, factor=5)


def _instant_text(cell: int) -> str:
    return str(np.datetime64(ORIGIN, "ns") + np.timedelta64(cell, "m"))


def test_one_instant_over_all_assets(state: View, folder: Path, duck: Any) -> None:
    cells = iter(np.random.default_rng(1).integers(0, CELLS, 10_000).tolist())
    last: dict[str, int] = {}

    def ours() -> Any:
        last["ours"] = next(cells)
        return decode(state.values(GROUP, "reading", last["ours"], last["ours"] + 1), SIGNAL)

    def of(name: str, table: str) -> Callable[[], Any]:
        def run() -> Any:
            last[name] = last["ours"]
            at = _instant_text(last[name])
            return duck.execute(f"select value from {table} where time = timestamp '{at}' order by asset").fetchnumpy()

        return run

    tables = {
        "duckdb_parquet_sorted": f"'{folder}/sorted.parquet'",
        "duckdb_parquet_by_time": f"'{folder}/time.parquet'",
    }
    got = measure({"ours": ours} | {name: of(name, table) for name, table in tables.items()}, 7)
    scale = SCALES[np.arange(ASSETS) * len(SCALES) // ASSETS]
    np.testing.assert_array_equal(got["duckdb_parquet_sorted"]["result"]["value"], got["ours"]["result"][0] / scale)
    for name in tables:
        report("one instant, all assets", name, ">= 100x CPU", got, factor=100)


def test_one_series_over_a_year(state: View, folder: Path, duck: Any) -> None:
    assets = iter(np.random.default_rng(2).integers(0, ASSETS, 10_000).tolist())
    last: dict[str, int] = {}

    def ours() -> Any:
        last["ours"] = next(assets)
        return decode(state.values(GROUP, "reading", 0, CELLS, [last["ours"]]), SIGNAL)[:, 0]

    def duckdb() -> Any:
        query = f"select value from '{folder}/sorted.parquet' where asset = {last['ours']} order by time"
        return duck.execute(query).fetchnumpy()

    got = measure({"ours": ours, "duckdb_parquet_sorted": duckdb}, 15)
    scale = SCALES[last["ours"] * len(SCALES) // ASSETS]
    np.testing.assert_array_equal(got["duckdb_parquet_sorted"]["result"]["value"], got["ours"]["result"] / scale)
    report("one raw series, a year", "duckdb_parquet_sorted", ">= 1x CPU", got, factor=1)
