"""A revision of one source of a hundred: what is built, how long remap, diff and promote take, and whether the diff is exact.

A year of the parcel network's cold rooms, four rooms a source. The loggers of one source write °F in the last 1 % of the year, or
throughout, while its mapping says °C. The control is a rebuild of the whole history.
Set TWINLAB_BENCH_SOURCES and TWINLAB_BENCH_WEEKS for other sizes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import twinlab as tl
from twinlab.history.store.codecs import ArraySpec
from twinlab.history.store.tiles import different_tiles, stored_tiles
from twinlab.plant.network.cold_rooms import simulate_cold_rooms
from twinlab.plant.network.size import ParcelSize

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

SOURCES = int(os.environ.get("TWINLAB_BENCH_SOURCES", "100"))
WEEKS = int(os.environ.get("TWINLAB_BENCH_WEEKS", "52"))
ROOMS = 4
MODEL = """\
twin: cold_rooms
origin: 2025-01-01
asset_types:
  cold_room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 5min, sensor_span: [-60, 90], expected_span: [-30, 20], spike: [5, 20]}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 5min}
      compressor: {kind: state, states: {0: "off", 1: "on"}, cadence: 5min}
rules:
  too_warm: {on: cold_room, when: temperature > 30 degC, lasting: 30min}
"""
MAPPING = """\
source: hub{number:02d}
tables:
  - table: rooms
    time: {{column: time, zone: UTC}}
    asset: {{type: cold_room, column: room}}
    columns:
      temp: {unit}
      door: {{signal: door, states: {{"0": closed, "1": open}}}}
      comp: {{signal: compressor, states: {{"0": "off", "1": "on"}}}}
"""
CELSIUS = "{signal: temperature, unit: degC}"


def figures_of(name: str, **figures: object) -> None:
    note(name, **figures)
    shown = ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in figures.items()
    )
    sys.stdout.write(f"\n{name}: {shown}\n")


def unit_from(day: str) -> str:
    return f"[{{signal: temperature, unit: degC, valid_until: {day}}}, {{signal: temperature, unit: degF, valid_from: {day}}}]"


@pytest.fixture(scope="module")
def cold_rooms(tmp_path_factory) -> tuple[Path, dict[str, np.ndarray], np.ndarray]:
    """A twin of `SOURCES` sources, and the true temperatures."""
    size = ParcelSize(hubs=12, cold_rooms=SOURCES * ROOMS, weeks=WEEKS, start="2025-01-06")
    rooms = simulate_cold_rooms(size)
    folder = tmp_path_factory.mktemp("rooms")
    (folder / "model.yaml").write_text(MODEL)
    (folder / "maps").mkdir()
    for number in range(SOURCES):
        text = MAPPING.format(number=number, unit=CELSIUS)
        (folder / f"maps/hub{number:02d}.yaml").write_text(text)
    twin = tl.create(folder / "twin", model=folder / "model.yaml", mappings=folder / "maps")
    written = rooms.temperature.round(2)
    stamps = pd.to_datetime(rooms.time, unit="s").strftime("%Y-%m-%dT%H:%M:%S").to_numpy()
    for number in range(SOURCES):
        mine = range(number * ROOMS, (number + 1) * ROOMS)
        with twin.ledger.writer(f"hub{number:02d}") as writer:
            for at in range(0, len(stamps), 20_000):
                part = slice(at, at + 20_000)
                columns = {
                    "time": np.tile(stamps[part], ROOMS),
                    "room": np.repeat([f"r{room:04d}" for room in mine], len(stamps[part])),
                    "temp": written[mine.start : mine.stop, part].ravel(),
                    "door": rooms.door[mine.start : mine.stop, part].ravel(),
                    "comp": rooms.compressor[mine.start : mine.stop, part].ravel(),
                }
                writer.append_records("rooms", pa.RecordBatch.from_pydict({k: pa.array(v) for k, v in columns.items()}))
    began = time.process_time()
    report = twin.rebuild()
    figures_of("rebuild of everything", cpu_s=time.process_time() - began, cells=report.cells)
    return folder / "twin", {f"r{n:04d}": written[n] for n in range(SOURCES * ROOMS)}, rooms.time


def specs_of(view) -> list[ArraySpec]:
    """All arrays of cells, flags and rollups of a state."""
    out = []
    for group in view.groups():
        entry = view.catalog.entry(group)
        for year, part in entry.years.items():
            for name in view.signals(group):
                every = [
                    entry.cell_spec(year, name, part=half, flags=flags)
                    for half in ("hot", "cold")
                    for flags in (False, True)
                ]
                every += [
                    entry.rollup_spec(year, name, s, what) for s in part.rollups for what in entry.statistics(name, s)
                ]
                out += [spec for spec in every if spec.path.removeprefix(f"{entry.path(year)}/") in part.arrays]
    return out


def chunks(old, new) -> tuple[int, int]:
    """How many chunks (tiles of a shard) of a state aren't byte-identical in the other, and how many there are."""
    rewritten = stored = 0
    for spec in specs_of(new):
        refs = [view.bytes_store().metadata.chunks(spec.path) for view in (old, new)]
        for index, ref in refs[1].items():
            if refs[0].get(index) != ref:
                rewritten += len(list(different_tiles(spec, index, old.bytes_store(), new.bytes_store())))
        whole = stored_tiles(
            spec, (0, spec.shape[0]), (0, spec.shape[1]), store=new.bytes_store(), pending=lambda _: None
        )
        stored += len(list(whole))
    return rewritten, stored


@pytest.mark.parametrize("what", ["the last 1 % of the year", "the whole year"])
def test_one_source_of_a_hundred(cold_rooms, what):
    folder, written, times = cold_rooms
    twin = tl.open(folder)
    since = times[0] + int(len(times) * 0.99) * 300 if "1 %" in what else times[0]
    day = str(pd.Timestamp(int(since), unit="s").floor("D").date())
    text = MAPPING.format(number=7, unit=unit_from(day))
    began, wall = time.process_time(), time.perf_counter()
    rev = twin.remap("hub07", text)
    built = time.process_time() - began, time.perf_counter() - wall
    old, new = (reader._pins.pin().view for reader in (twin.reader, rev.reader))
    rewritten, count = chunks(old, new)
    began, wall = time.process_time(), time.perf_counter()
    diff = rev.diff()
    compared = time.process_time() - began, time.perf_counter() - wall
    # The planted set: cells of the source's rooms from that day on whose value in °F isn't the one in °C.
    late = times >= int(pd.Timestamp(day).timestamp())
    expected = {}
    for room in range(7 * ROOMS, 8 * ROOMS):
        raw = written[f"r{room:04d}"][late]
        stored = np.round(raw / 0.1), np.round((raw - 32) / 1.8 / 0.1)
        expected[f"r{room:04d}"] = int((stored[0] != stored[1]).sum())
    found = diff.cells.groupby("asset")["cells"].sum().to_dict()
    began = time.process_time()
    rev.promote()
    promoted = time.process_time() - began
    began = time.process_time()
    twin.rollback()
    figures_of(
        what,
        cells=diff.cells["cells"].sum(),
        chunks=f"{rewritten} of {count}",
        share=rewritten / count,
        remap_cpu_s=built[0],
        remap_wall_s=built[1],
        diff_cpu_s=compared[0],
        diff_wall_s=compared[1],
        promote_cpu_s=promoted,
        rollback_cpu_s=time.process_time() - began,
        exceptions=len(diff.exceptions),
    )
    assert found == expected
    assert set(diff.cells["signal"]) == {"temperature"}
