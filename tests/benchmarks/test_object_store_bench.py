"""A twin in an object store whose answers take 20 ms longer: opening, first chart, zooms, one instant, and a push of a day.

Run with ``pytest tests/benchmarks/test_object_store_bench.py -m benchmark -s -n0``; `bulk_twin` says how the size is set (200 rooms
and 365 days are 105 million points). The store is moto in a process of its own, behind a proxy that adds ``TWINLAB_BENCH_DELAY`` (0.02)
seconds to each answer. ``TWINLAB_BENCH_OUT`` takes the figures as JSON. Figures are reported, never asserted; each chart is compared with the
local twin's.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "objects"))
import bulk_twin
from s3_server import ENVIRONMENT, Proxy, make_bucket, proxy, s3_server
from telemetry import observations

import twinlab as tl
from twinlab.history.read.span_reader import _view
from twinlab.ledger import Ledger
from twinlab.objects.parts import FileParts, Part

pytestmark = pytest.mark.benchmark
DELAY = float(os.environ.get("TWINLAB_BENCH_DELAY", "0.02"))
ZOOMS = 40
PLACE = "s3://plant/rooms"
ROWS: dict[str, object] = {}


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    """Return the twin, compacted."""
    root = tmp_path_factory.mktemp("bench")
    (root / "model.yaml").write_text(bulk_twin.MODEL)
    (root / "sensors.yaml").write_text(bulk_twin.MAPPING)
    made = tl.create(root / "rooms", model=root / "model.yaml", mappings=root / "sensors.yaml")
    with Ledger(root / "rooms" / "ledger").writer("sensors") as writer:
        for batch in bulk_twin.batches():
            writer.append_observations(batch)
    made.rebuild()
    made.compact()
    return made


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Yield the proxy before the store."""
    os.environ |= {**ENVIRONMENT, "TWINLAB_CACHE": str(tmp_path_factory.mktemp("cache"))}
    with s3_server() as url, proxy(url) as made:
        make_bucket(url, "plant")
        os.environ["AWS_ENDPOINT_URL"] = made.url
        yield made


def chart(twin: tl.Twin, room: str, span: tuple[object, object], step: str) -> object:
    """Read what a chart of one room shows."""
    return twin.history("room", assets=[room], start=span[0], stop=span[1], step=step).compute()


def note_parts(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], asked: set[Part]) -> object:
    """Return what a read of the local twin returns; add the parts of indexes and tiles that it asks for."""
    plain = FileParts.parts

    def counted(self: FileParts, wanted: Sequence[Part]) -> list[bytes]:
        asked.update(wanted)
        return plain(self, wanted)

    with monkeypatch.context() as patch:
        patch.setattr(FileParts, "parts", counted)
        return act()


def forget() -> None:
    """Drop what this process and the disk have cached of the store."""
    _view.cache_clear()
    shutil.rmtree(os.environ["TWINLAB_CACHE"] + "/objects", ignore_errors=True)


def timed(act: Callable[[], object]) -> tuple[float, object]:
    """Return the seconds of a call, and its result."""
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found


def test_reading_from_a_store(twin: tl.Twin, network: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time the first chart and zooms, cold and warm, and count bytes."""
    took, report = timed(lambda: twin.push(PLACE))
    ROWS["push everything, s, MB, objects"] = (round(took, 1), report.total_bytes / 1e6, report.objects)
    network.delay = DELAY
    start = np.datetime64(bulk_twin.ORIGIN, "ns")
    end = start + np.timedelta64(bulk_twin.DAYS, "D")
    first = {"room": "7", "span": (start, end), "step": "1d"}
    expected = chart(twin, **first)
    chart(tl.open(PLACE), **first)  # compiles and imports once
    for name in ("cold", "warm"):
        if name == "cold":
            forget()
        _view.cache_clear()
        network.reset()
        opened, far = timed(lambda: tl.open(PLACE))
        took, found = timed(partial(chart, far, **first))
        assert found.identical(expected)
        ROWS[f"{name}: open, first chart, s; requests; MB"] = (
            round(opened, 3), round(took, 3), len(network.requests), network.received / 1e6,
        )  # fmt: skip
    days = min(14, bulk_twin.DAYS)
    for name in ("cold", "warm"):
        if name == "cold":
            forget()
            far = tl.open(PLACE)
            chart(far, **first)
        rng, times, fetched = np.random.default_rng(1), [], 0
        wanted: set[Part] = set()
        note_parts(monkeypatch, partial(chart, twin, **first), wanted)
        shown = len(wanted)
        for _ in range(ZOOMS):
            low = start + np.timedelta64(int(rng.integers(0, bulk_twin.DAYS - days + 1)), "D")
            what = {
                "room": str(rng.integers(0, bulk_twin.ROOMS)),
                "span": (low, low + np.timedelta64(days, "D")),
                "step": "15min",
            }
            network.reset()
            took, found = timed(partial(chart, far, **what))
            times.append(took)
            fetched += network.received
            assert found.identical(note_parts(monkeypatch, partial(chart, twin, **what), wanted))
        assert len(wanted) > shown
        size = sum(part.end - part.first for part in wanted)
        ROWS[f"{name}: zoom p50, p95, ms; MB fetched; needed of all parts"] = (
            *(1e3 * np.percentile(times, (50, 95))).round(1).tolist(), fetched / 1e6, size / 1e6,
        )  # fmt: skip
    at = start + np.timedelta64(bulk_twin.DAYS // 2, "D")
    instant = {"start": at, "stop": at + np.timedelta64(1, "m")}
    for name in ("cold", "warm"):
        network.reset()
        took, found = timed(far.history("room", **instant).compute)
        assert found.identical(twin.history("room", **instant).compute())
        ROWS[f"{name}: one instant of all rooms, ms; MB"] = (round(took * 1e3, 1), network.received / 1e6)


def test_push_of_a_day(twin: tl.Twin, network: Proxy) -> None:
    """Count the bytes of a push of one more day, and of the files that the day made."""
    network.delay = 0.0
    twin.push(PLACE)
    before = {path: path.stat().st_size for path in twin.folder.rglob("*") if path.is_file()}
    minutes = np.repeat(np.arange(1440), bulk_twin.ROOMS)
    rooms = np.tile(np.arange(bulk_twin.ROOMS, dtype=np.int32), 1440)
    times = bulk_twin.ORIGIN + (bulk_twin.DAYS * 1440 + minutes) * bulk_twin.MINUTE
    names = pa.array([f"{room}.t" for room in range(bulk_twin.ROOMS)])
    values = np.random.default_rng(3).normal(20, 0.3, len(times)).round(1)
    sequence = 10**9 + np.arange(len(times))
    with Ledger(twin.folder / "ledger").writer("sensors") as writer:
        writer.append_observations(observations(names, rooms, times, values, sequence))
    network.reset()
    took, report = timed(lambda: twin.push(PLACE))
    parts = (
        "ledger",
        "history/icechunk/chunks",
        "history/icechunk/manifests",
        "history/icechunk/snapshots",
        "history/seals",
    )
    grown = sum(
        path.stat().st_size - before.get(path, 0)
        for part in parts
        for path in (twin.folder / part).rglob("*")
        if path.is_file()
    )
    ROWS["push of a day: s, objects, MB sent, MB of the day's files, ratio"] = (
        round(took, 2), report.objects, report.bytes / 1e6, grown / 1e6, report.bytes / grown,
    )  # fmt: skip
    text = "\n".join(f"  {name}: {value}" for name, value in ROWS.items())
    print(f"\n{bulk_twin.ROOMS} rooms, {bulk_twin.DAYS} days, {DELAY * 1e3:g} ms added\n{text}")  # noqa: T201
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps({name: str(value) for name, value in ROWS.items()}, indent=1))
