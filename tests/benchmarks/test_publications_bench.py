"""What one publication costs beside much history: after a rebuild, with late rows, of ten minutes, and of ingested frames.

Nothing is asserted but equal results. TWINLAB_BENCH_DAYS sets the length of the history (7 by default, 90 in `measured.md`),
TWINLAB_BENCH_OUT takes the figures as JSON. Processor time and bytes written are those of this process, which is warm.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_steady_bench import MAPPING, MINUTE, MODEL, ORIGIN, Delivery, show

import twinlab as tl

pytestmark = pytest.mark.benchmark

DAYS = int(os.environ.get("TWINLAB_BENCH_DAYS", "7"))
TABLE = """
source: trucks
tables:
  - table: "*"
    asset: {type: truck, column: truck}
    time: {column: time, zone: UTC}
    columns:
      temperature: {signal: temperature, unit: degC}
"""


def minutes(first: int, count: int, assets: int, rng: np.random.Generator, at: int) -> Delivery:
    """A row of each asset in each of some minutes, without 3 % of them; their sequence starts at ``at``."""
    asset = np.tile(np.arange(assets, dtype=np.int32), count)
    minute = first + np.repeat(np.arange(count), assets)
    kept = rng.random(len(asset)) >= 0.03
    value = (20 + 5 * np.sin((minute + asset) / 700) + rng.normal(0, 0.1, len(asset))).round(1)
    return Delivery(asset[kept], ORIGIN + minute[kept] * MINUTE, value[kept], at)


def late_rows(count: int, end: int, assets: int, rng: np.random.Generator, at: int) -> Delivery:
    """Rows of any asset at any minute before ``end``."""
    minute = rng.integers(0, end, count)
    asset = rng.integers(0, assets, count).astype(np.int32)
    return Delivery(asset, ORIGIN + minute * MINUTE, np.full(count, 30.0), at)


def names(assets: int) -> pa.Array:
    return pa.array([f"{asset}.temperature" for asset in range(assets)])


def built(folder: Path, assets: int, days: int) -> tuple[Path, int]:
    """A twin with history of some days, built at once; return its folder and the number of rows."""
    folder.mkdir(parents=True)
    for name, text in (("twin.yaml", MODEL), ("trucks.yaml", MAPPING)):
        (folder / name).write_text(text)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "trucks.yaml")
    rng, rows, names_ = np.random.default_rng(3), 0, names(assets)
    with twin.ledger.writer("trucks") as writer:
        for first in range(0, days * 1440, 120):
            one = minutes(first, min(120, days * 1440 - first), assets, rng, rows)
            writer.append_observations(one.batch(names_))
            rows += len(one.asset)
    twin.rebuild()
    # Otherwise the first publication would seal a segment, whose cost isn't its own.
    twin.ledger.seal("trucks")
    return twin.folder, rows


class Cost:
    """Processor time, bytes written and files of one step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = sum(1 for path in folder.rglob("*") if path.is_file())
        self._written = psutil.Process().io_counters().write_chars
        self._cpu = time.process_time()

    def line(self) -> dict[str, object]:
        cpu = time.process_time() - self._cpu
        written = psutil.Process().io_counters().write_chars - self._written
        files = sum(1 for path in self._folder.rglob("*") if path.is_file()) - self._files
        return {"cpu_ms": round(cpu * 1e3, 1), "written": written, "files": files}


def publish(folder: Path, parts: list[Delivery], assets: int) -> dict[str, object]:
    """Append rows and publish them in a twin that is opened for it."""
    twin = tl.open(folder)
    with twin.writer() as writer:
        cost = Cost(folder)
        for one in parts:
            writer.append(one.batch(names(assets)))
        writer.publish()
        return cost.line()


def copies(source: Path, into: Path) -> Iterator[Path]:
    number = 0
    while True:
        yield Path(shutil.copytree(source, into / f"copy{number}"))
        shutil.rmtree(into / f"copy{number}")
        number += 1


def test_the_first_publication_after_a_rebuild(tmp_path: Path) -> None:
    assets, end, rng = 1000, DAYS * 1440, np.random.default_rng(5)
    folder, rows = built(tmp_path / "made", assets, DAYS)
    copy = copies(folder, tmp_path)
    publish(next(copy), [minutes(end, 1, assets, rng, rows), late_rows(20, end, assets, rng, rows + 2000)], assets)
    for late in (0, 10, 100, 1000):
        twin = next(copy)
        parts = [minutes(end, 1, assets, rng, rows)]
        if late:
            parts.append(late_rows(late, end, assets, rng, rows + 2000))
        show({"case": f"first after a rebuild, {DAYS} days, late rows {late}"} | publish(twin, parts, assets))
        if late:
            found = tl.open(twin).history("truck").temperature
            minute = (parts[1].at - ORIGIN) // MINUTE
            got = found.isel(time=slice(0, end)).values[
                minute, [list(found.asset.values).index(str(a)) for a in parts[1].asset]
            ]
            # Outliers may fail a test, but are there.
            assert np.isin(got[np.isfinite(got)], [30.0]).all()
            assert np.isfinite(got).mean() > 0.5


def test_observations_of_sealed_segments(tmp_path: Path) -> None:
    folder, rows = built(tmp_path / "made", 1000, DAYS)
    twin, cpu, counts = tl.open(folder), [], []
    twin.observations("truck/3", "temperature", stop="2025-01-02")
    for asset in (7, 500, 77):
        began = time.process_time()
        counts.append(len(twin.observations(f"truck/{asset}", "temperature")))
        cpu.append(round((time.process_time() - began) * 1e3))
    show({"case": f"observations of one of 1,000 assets, {DAYS} days", "rows": counts, "cpu_ms": cpu})
    assert rows * 0.99 < 1000 * sum(counts) / 3 < rows * 1.01


def test_ten_fresh_minutes(tmp_path: Path) -> None:
    assets, rng = 200, np.random.default_rng(5)
    folder, rows = built(tmp_path / "made", assets, DAYS)
    for number in range(6):
        fresh = minutes(DAYS * 1440 + 10 * number, 10, assets, rng, rows)
        rows += 2000
        show(
            {"case": f"ten minutes of 200 assets, {DAYS} days, publication {number}"} | publish(folder, [fresh], assets)
        )


def test_beyond_the_edge_of_cold_cells(tmp_path: Path) -> None:
    """Lengths at which the end of the cold cells falls on different places within tiles."""
    assets, rng = 50, np.random.default_rng(5)
    for days in (DAYS, DAYS + 1, 360 if DAYS >= 90 else 32, 64 * 128 // 1440):
        folder, rows = built(tmp_path / f"made{days}", assets, days)
        fresh = minutes(days * 1440, 1, assets, rng, rows)
        show({"case": f"beyond the cold edge, {days} days"} | publish(folder, [fresh], assets))


def test_ingested_frames(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "trucks.yaml").write_text(TABLE)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "trucks.yaml")
    rng, cpu = np.random.default_rng(5), []
    for number in range(717):
        asset = (np.arange(50) + 50 * number) % 100
        at = pd.to_datetime(ORIGIN + (number // 2) * MINUTE + rng.integers(0, 60, 50) * 10**9, utc=True)
        frame = pd.DataFrame({"truck": asset.astype(str), "time": at, "temperature": rng.normal(5, 1, 50).round(1)})
        began = time.process_time()
        twin.ingest(tl.sources.frame(frame, name="trucks"))
        cpu.append((time.process_time() - began) * 1e3)
        if number + 1 in (50, 100, 400, 717):
            last = np.array(cpu[-50:])
            show({"case": f"twin.ingest of 50 rows, frame {number + 1}", "cpu_median_ms": round(float(np.median(last)), 1),
                  "cpu_mean_ms": round(float(last.mean()), 1), "cpu_max_ms": round(float(last.max()), 1)})  # fmt: skip
    assert int(np.isfinite(twin.history("truck").temperature.values).sum()) > 0
