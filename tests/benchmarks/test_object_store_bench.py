"""A twin in an object store whose answers take 20 ms longer: opening, first chart, zooms, one instant, and a push of a day.

Run with ``pytest tests/benchmarks/test_object_store_bench.py -m benchmark -s -n0``; `bulk_twin` says how the size is set (200 rooms
and 365 days are 105 million points). With ``TWINLAB_BENCH_DIR`` it is the twin of `fleet_year` in that folder, 525.6 million points, which is
built unless it is there. The store is moto in a process of its own, behind a proxy that adds ``TWINLAB_BENCH_DELAY`` (0.02)
seconds to each answer. ``TWINLAB_BENCH_OUT`` takes the figures as JSON. Figures are reported, never asserted; each chart is compared with the
local twin's. *Cold* is without anything in the cache; *warm* is with the cache on the disk, opened anew. A chart is read as pages read
theirs (`computed`), and as a notebook does (``.compute()``).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "objects"))
import bulk_twin
import fleet_year
from s3_server import ENVIRONMENT, Proxy, make_bucket, proxy, s3_server
from telemetry import observations

import twinlab as tl
from twinlab.history.read.direct import computed
from twinlab.history.read.span_reader import _view
from twinlab.ledger import Ledger
from twinlab.objects.parts import FileParts, Part

pytestmark = pytest.mark.benchmark
DELAY = float(os.environ.get("TWINLAB_BENCH_DELAY", "0.02"))
ZOOMS = 40
PLACE = "s3://plant/rooms"
ROWS: dict[str, object] = {}


@dataclass(frozen=True)
class Case:
    """A twin, and what is asked of it."""

    twin: tl.Twin
    kind: str
    signal: str
    assets: int
    days: int

    def chart(self, twin: tl.Twin, asset: str, span: tuple[object, object], step: str) -> xr.Dataset:
        """Return what a chart of one asset shows, unread."""
        return twin.history(self.kind, signals=[self.signal], assets=[asset], start=span[0], stop=span[1], step=step)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Return the twin, compacted."""
    if given := os.environ.get("TWINLAB_BENCH_DIR"):
        fleet = fleet_year.build_twin(Path(given))
        return Case(tl.open(fleet.twin), "truck", "temperature", fleet_year.TRUCKS, fleet_year.DAYS)
    root = tmp_path_factory.mktemp("bench")
    made = tl.open(bulk_twin.build(root))
    made.compact()
    return Case(made, "room", "temperature", bulk_twin.ROOMS, bulk_twin.DAYS)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Yield the proxy before the store."""
    os.environ |= {**ENVIRONMENT, "TWINLAB_CACHE": str(tmp_path_factory.mktemp("cache"))}
    with s3_server() as url, proxy(url) as made:
        make_bucket(url, "plant")
        os.environ["AWS_ENDPOINT_URL"] = made.url
        yield made


def note_parts(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], asked: set[Part]) -> object:
    """Return what a read of the local twin returns; add the parts of indexes and tiles that it asks for."""
    plain = FileParts.parts

    def counted(self: FileParts, wanted: Sequence[Part]) -> list[bytes]:
        asked.update(wanted)
        return plain(self, wanted)

    with monkeypatch.context() as patch:
        patch.setattr(FileParts, "parts", counted)
        return act()


def distinct_bytes(parts: set[Part]) -> int:
    """Return the bytes of parts, those in several of them once."""
    size, at = 0, ("", 0)
    for part in sorted(parts):
        first = max(part.first, at[1]) if part.name == at[0] else part.first
        size += max(0, part.end - first)
        at = (part.name, max(part.end, first))
    return size


def forget(name: str) -> None:
    """Drop what this process has cached of the store and, if it is to be cold, what the disk has."""
    _view.cache_clear()
    if name == "cold":
        shutil.rmtree(os.environ["TWINLAB_CACHE"] + "/objects", ignore_errors=True)


def timed(act: Callable[[], object]) -> tuple[float, object]:
    """Return the seconds of a call, and its result."""
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found


READS: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {"page": computed, "notebook": xr.Dataset.compute}
#: Each figure is that of so many runs: median and largest.
RUNS = 5


def spread(seconds: list[float]) -> str:
    """Return the median and the largest of some times."""
    return f"{1e3 * np.median(seconds):.0f} ({1e3 * max(seconds):.0f}) ms"


def test_reading_from_a_store(case: Case, network: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time the first chart and zooms, cold and warm, and count bytes."""
    twin = case.twin
    took, report = timed(lambda: twin.push(PLACE))
    ROWS["push everything: s, MB, objects"] = (round(took, 1), report.total_bytes / 1e6, report.objects)
    network.delay = DELAY
    start = np.datetime64(bulk_twin.ORIGIN, "ns")
    end = start + np.timedelta64(case.days, "D")
    at = start + np.timedelta64(case.days // 2, "D")
    instant = {"start": at, "stop": at + np.timedelta64(1, "m")}
    first = {"asset": "7", "span": (start, end), "step": "1d"}
    for read in READS.values():
        read(case.chart(tl.open(PLACE), **first))  # compiles and imports once
        for name in ("cold", "warm"):
            _first_chart(case, network, name, read, first)
    for name in ("cold", "warm"):
        opened, took, received, requests = [], [], 0, 0
        for _ in range(RUNS):
            forget(name)
            network.reset()
            one, far = timed(lambda: tl.open(PLACE))
            two, found = timed(lambda far=far: computed(far.history(case.kind, **instant)))
            opened.append(one)
            took.append(two)
            received, requests = network.received, len(network.requests)
            assert found.identical(twin.history(case.kind, **instant).compute())
        ROWS[f"{name}: open, one instant of all; requests; MB"] = (
            spread(opened),
            spread(took),
            requests,
            received / 1e6,
        )
    for name in ("cold", "warm"):
        _zooms(case, network, name, monkeypatch, first)


def _first_chart(case: Case, network: Proxy, name: str, read: Callable, first: dict) -> None:
    expected = case.chart(case.twin, **first).compute()
    opened, took = [], []
    for _ in range(RUNS):
        forget(name)
        network.reset()
        one, far = timed(lambda: tl.open(PLACE))
        two, found = timed(lambda far=far: read(case.chart(far, **first)))
        opened.append(one)
        took.append(two)
        assert found.identical(expected)
    how = next(key for key, value in READS.items() if value is read)
    ROWS[f"{name}, {how}: open, first chart; requests; MB"] = (
        spread(opened), spread(took), len(network.requests), network.received / 1e6,
    )  # fmt: skip


def _zooms(case: Case, network: Proxy, name: str, monkeypatch: pytest.MonkeyPatch, first: dict) -> None:
    twin, days = case.twin, min(14, case.days)
    start = np.datetime64(bulk_twin.ORIGIN, "ns")
    forget(name)
    network.reset()
    far = tl.open(PLACE)
    computed(case.chart(far, **first))
    rng, times, fetched = np.random.default_rng(1), [], network.received
    wanted: set[Part] = set()
    note_parts(monkeypatch, lambda: case.chart(twin, **first).compute(), wanted)
    shown = len(wanted)
    for _ in range(ZOOMS):
        low = start + np.timedelta64(int(rng.integers(0, case.days - days + 1)), "D")
        what = {
            "asset": str(rng.integers(0, case.assets)),
            "span": (low, low + np.timedelta64(days, "D")),
            "step": "15min",
        }
        network.reset()
        took, found = timed(lambda what=what: computed(case.chart(far, **what)))
        times.append(took)
        fetched += network.received
        assert found.identical(note_parts(monkeypatch, lambda what=what: case.chart(twin, **what).compute(), wanted))
    assert len(wanted) > shown
    size = distinct_bytes(wanted)
    ROWS[f"{name}: zoom p50, p95, ms; MB fetched with the first chart; needed of all parts"] = (
        *(1e3 * np.percentile(times, (50, 95))).round(1).tolist(), fetched / 1e6, size / 1e6,
    )  # fmt: skip


def daily(case: Case, twin: tl.Twin) -> xr.Dataset:
    """Return the daily mean and max of all good cells, from the cells themselves."""
    raw = twin.history(case.kind)
    names = [str(name) for name in raw.data_vars if f"{name}_qc" in raw]
    good = xr.Dataset({name: raw[name].where(raw[f"{name}_qc"].isin([1, 3])) for name in names})
    days = good.resample(time="1D")
    mean, largest = days.mean(), days.max()
    return xr.merge([mean, largest.rename({name: f"{name}_max" for name in names})])


def test_daily_values_of_all_raw_points_on_a_cluster(case: Case, network: Proxy) -> None:
    """Time Dask's workers on the store, and on the local disk."""
    distributed = pytest.importorskip("distributed")
    case.twin.push(PLACE)
    network.delay = DELAY
    far = tl.open(PLACE)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        chart = case.chart(case.twin, "7", (None, None), "1d")
        chart.compute()  # workers import once
        forget("cold")
        far = tl.open(PLACE)
        network.reset()
        took, expected = timed(lambda: daily(case, far).compute())
        ROWS["daily mean and max of all raw points, 2 processes, cold: s; requests; MB"] = (
            round(took, 1), len(network.requests), network.received / 1e6,
        )  # fmt: skip
        times: dict[str, list[float]] = {"local": [], "store": []}
        for _ in range(3):
            for name, twin in (("local", case.twin), ("store", far)):
                took, found = timed(lambda twin=twin: daily(case, twin).compute())
                times[name].append(took)
                assert found.identical(expected)
    local, store = (np.median(times[name]) for name in ("local", "store"))
    ROWS["... local disk, s; store once cached, s; speed of the store"] = (
        [round(one, 1) for one in times["local"]], [round(one, 1) for one in times["store"]], round(local / store, 2),
    )  # fmt: skip


def day_after(case: Case) -> pa.RecordBatch:
    """Return rows of the day after the twin's last one."""
    minutes = np.repeat(np.arange(1440), case.assets)
    column = np.tile(np.arange(case.assets, dtype=np.int32), 1440)
    times = bulk_twin.ORIGIN + (case.days * 1440 + minutes) * bulk_twin.MINUTE
    rng = np.random.default_rng(3)
    if case.kind == "room":
        names = pa.array([f"{room}.t" for room in range(case.assets)])
        values = rng.normal(20, 0.3, len(times)).round(1)
    else:
        names = pa.array([f"{truck}.{name}" for name in fleet_year.SIGNALS for truck in range(case.assets)])
        column = np.concatenate([column + number * case.assets for number in range(len(fleet_year.SIGNALS))])
        times = np.tile(times, len(fleet_year.SIGNALS))
        step = np.repeat([2e-5, 2e-5, 2.0, 0.1, 0.1], len(minutes)) * rng.normal(size=len(times))
        resolution = np.repeat([1 / per for per in fleet_year.SIGNALS.values()], len(minutes))
        level = np.repeat([40.7, -74.0, 50.0, 15.0, 1013.0], len(minutes))
        values = np.round((level + step) / resolution) * resolution
    return observations(names, column, times, values, 10**9 + np.arange(len(times)))


def test_push_of_a_day(case: Case, network: Proxy, tmp_path: Path) -> None:
    """Count the bytes of a push of one more day, and of the files that the day made."""
    network.delay = 0.0
    twin = case.twin
    if "TWINLAB_BENCH_DIR" in os.environ:
        # A copy: the built twin is kept as it is.
        shutil.copytree(twin.folder, tmp_path / "copy")
        twin = tl.open(tmp_path / "copy")
    twin.push(PLACE)
    before = {path: path.stat().st_size for path in twin.folder.rglob("*") if path.is_file()}
    with Ledger(twin.folder / "ledger").writer("trucks" if case.kind == "truck" else "sensors") as writer:
        rows = day_after(case)
        for first in range(0, len(rows), 100_000):
            writer.append_observations(rows.slice(first, 100_000))
    network.reset()
    took, report = timed(lambda: twin.push(PLACE))
    parts = (
        "ledger",
        "history/icechunk/chunks",
        "history/icechunk/manifests",
        "history/icechunk/snapshots",
        "history/seals",
    )
    # A segment that was sealed on the day is a file of the day; the one that it replaced was of other days.
    sizes = {
        part: sum(
            max(0, path.stat().st_size - before.get(path, 0))
            for path in (twin.folder / part).rglob("*")
            if path.is_file()
        )
        for part in parts
    }
    grown = sum(sizes.values())
    ROWS["push of a day: s, objects, MB sent, MB of the day's files, ratio; the files"] = (
        round(took, 2), report.objects, report.bytes / 1e6, grown / 1e6, report.bytes / grown, sizes,
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _print(case: Case) -> Iterator[None]:
    """Print the figures at the end."""
    yield
    text = "\n".join(f"  {name}: {value}" for name, value in ROWS.items())
    print(f"\n{case.kind}: {case.assets} assets, {case.days} days, {DELAY * 1e3:g} ms added\n{text}")  # noqa: T201
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps({name: str(value) for name, value in ROWS.items()}, indent=1))
