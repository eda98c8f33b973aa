"""Bounds of KPIs on the parcel network with planted gaps: is the true value inside?

Two twins of the same files, one without some of the rows: pieces of the loggers' and forklifts' files, and arrivals of legs. The true
value is that of the twin with all rows, where it has no width itself.
"""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.plant import ParcelSize, simulate_network, write_files

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark
RECIPE = Path(tl.__file__).parent / "demos" / "parcel"
SIZE = ParcelSize(hubs=12, trucks=20, cold_rooms=24, forklifts=24, parcels_a_week=2_000, weeks=6, seed=3)
WINDOWS = 1_000
#: KPI, group, step.
QUESTIONS = [
    ("cold_chain", "hub", "1d"),
    ("cold_chain", "asset", "4h"),
    ("mean_kinetic_temperature", "asset", "1d"),
    ("uptime", "hub", "1d"),
    ("utilisation", "asset", "1d"),
    ("on_time_delivery", "hub", "1d"),
    ("energy_per_parcel", "hub", "1d"),
]


def without_pieces(lines: list[bytes], rng: np.random.Generator, *, head: int, pieces: int) -> list[bytes]:
    """Return the lines of a file without some pieces of up to a few hundred lines."""
    keep = np.ones(len(lines), dtype=bool)
    for first in rng.integers(head, len(lines), pieces):
        keep[first : first + int(rng.geometric(0.02))] = False
    return [line for line, kept in zip(lines, keep, strict=True) if kept]


def plant_gaps(files: list[Path], folder: Path) -> list[Path]:
    """Return copies of the files that lack some rows."""
    rng = np.random.default_rng(11)
    out = []
    for path in files:
        target = folder / path.name
        target.write_bytes(path.read_bytes())
        if path.name.startswith("kuehllogger"):
            lines = path.read_bytes().splitlines(keepends=True)
            target.write_bytes(b"".join(without_pieces(lines, rng, head=8, pieces=5 * SIZE.weeks)))
        elif path.name.startswith("forklifts"):
            lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
            target.write_bytes(gzip.compress(b"".join(without_pieces(lines, rng, head=0, pieces=40)), mtime=0))
        elif path.suffix == ".sqlite":
            with sqlite3.connect(target) as database:
                rows = database.execute("SELECT parcel_no, leg_no FROM legs ORDER BY 1, 2").fetchall()
                lost = rng.choice(len(rows), len(rows) // 30, replace=False)
                database.executemany(
                    "UPDATE legs SET arrived = NULL WHERE parcel_no = ? AND leg_no = ?", [rows[one] for one in lost]
                )
            database.close()
        out.append(target)
    return out


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[tl.Twin, tl.Twin]:
    folder = tmp_path_factory.mktemp("kpis")
    files = list(write_files(simulate_network(SIZE), folder / "files").files)
    (folder / "gaps").mkdir()
    made = []
    for name, given in (("full", files), ("gapped", plant_gaps(files, folder / "gaps"))):
        twin = tl.create(folder / name, model=RECIPE / "twin.yaml", mappings=RECIPE / "mapping")
        twin.ingest(*given)
        made.append(twin)
    return made[0], made[1]


def test_the_true_value_is_inside_the_bounds(twins: tuple[tl.Twin, tl.Twin]) -> None:
    full, gapped = twins
    tables = []
    for name, by, every in QUESTIONS:
        span = {"start": SIZE.start, "stop": str(SIZE.stop.date())}
        true, found = (twin.kpi(name, by=by, every=every, **span).to_dataframe() for twin in (full, gapped))
        joined = found.join(true.add_suffix("_true")).assign(kpi=f"{name} by {by}, {every}").reset_index()
        tables.append(joined[joined.low_true == joined.high_true])
    windows = pd.concat(tables, ignore_index=True)
    slack = 1e-9 * windows.value_true.abs().clip(lower=1)
    windows["inside"] = (windows.low <= windows.value_true + slack) & (windows.high >= windows.value_true - slack)
    windows["width"] = windows.high - windows.low
    # What lacks no row.
    whole = windows[windows.coverage == windows.coverage_true]
    part = windows[windows.coverage < windows.coverage_true]
    by_kpi = part.groupby("kpi").agg(
        windows=("inside", "size"), inside=("inside", "mean"), coverage=("coverage", "mean"), width=("width", "median")
    )
    drawn = part.sample(WINDOWS, random_state=5)
    inside, exact = int(drawn.inside.sum()), int((whole.width == 0).sum())
    print(f"\nwindows: {len(windows)}, of them with planted gaps: {len(part)}\n{by_kpi.round(4).to_string()}")  # noqa: T201
    print(f"inside in {inside} of {WINDOWS} windows with gaps; without gaps no width in {exact} of {len(whole)}")  # noqa: T201
    note("KPI bounds with planted gaps", inside=inside, windows=WINDOWS, exact=exact, whole=len(whole))
    assert drawn.inside.mean() >= 0.99
    assert (whole.width == 0).all()
    assert part.width.min() >= 0
