"""The index of a source: cost of the next small frame, its file, a reader's tail, and late rows beside the same data without.

Nothing is asserted but equal results. TWINLAB_BENCH_OUT takes the figures as JSON; TWINLAB_BENCH_FRAMES sets the number of small
frames (43,200 is a month at one a minute), TWINLAB_BENCH_DAYS the length of the history with late rows (36 is 51.8 M rows).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from telemetry import observations
from test_ingest_bench import ASSETS, ORIGIN, note, words

from twinlab.harmonise.claims import Claims, Series
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.update import changed_cells, frontier_of, late_claims
from twinlab.history.index.index_file import IndexFile
from twinlab.history.index.source_index import SourceIndex
from twinlab.history.read.reader import HistoryReader
from twinlab.history.write.historian import Historian
from twinlab.ledger import Ledger

pytestmark = pytest.mark.benchmark

MINUTE = 60 * 10**9
NAMES = pa.array([f"{a}.temperature" for a in range(ASSETS)])
SERIES = tuple(Series("truck", str(a), "temperature") for a in range(ASSETS))
TAGS = tuple(NAMES.to_pylist())


def cpu_ms(work: Callable[[], object], times: int = 1) -> float:
    """The median of the processor's time, ms."""
    found = []
    for _ in range(times):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1e3)
    return float(np.median(found))


def small_frame(i: int, rng: np.random.Generator) -> pa.RecordBatch:
    """Fifty rows of one minute."""
    tag = ((np.arange(50) + 50 * i) % ASSETS).astype(np.int32)
    at = ORIGIN + i * MINUTE + rng.integers(0, 60, 50) * 10**9
    return observations(NAMES, tag, at, rng.normal(5, 1, 50).round(1), np.arange(i * 50, i * 50 + 50))


def claims(i: int, rng: np.random.Generator, late: float = 0.0) -> Claims:
    """The claims of a small frame."""
    code = ((np.arange(50) + 50 * i) % ASSETS).astype(np.int32)
    at = ORIGIN + i * MINUTE + rng.integers(0, 60, 50) * 10**9
    far = rng.random(50) < late
    at[far] = ORIGIN + rng.integers(0, max(1, i), int(far.sum())) * MINUTE
    order = np.arange(i * 50, i * 50 + 50)
    zeros = np.zeros(50, dtype=np.int8)
    same = np.broadcast_to(np.int64(0), 50), np.broadcast_to(np.int16(0), 50)
    return Claims(
        SERIES, code, at, rng.normal(5, 1, 50).round(1), same[0], order, order, zeros, code, TAGS, None, same[1], None
    )


def test_the_next_small_frame_costs_the_same(tmp_path):
    """What a publication asks of the index, after few and after many frames."""
    frames = int(os.environ.get("TWINLAB_BENCH_FRAMES", "4000"))
    model, mapping = words("1min", ["temperature"])
    ledger, rng = Ledger(tmp_path / "ledger"), np.random.default_rng(1)
    sources = Sources(ledger, model, {"trucks": mapping})
    cost: list[tuple[float, float]] = []
    with ledger.writer("trucks") as writer:
        for i in range(frames):
            writer.append_observations(small_frame(i, rng))
            position, before = {"trucks": 50 * i + 50}, {"trucks": 50 * i}
            began = time.process_time()
            sources.prepare(position)
            extended = time.process_time()
            marks_old, marks = sources.marks(before), sources.marks(position)
            specs = [s for s in sources.groups(sources.columns({}, marks.values()), position) if s.assets]
            spans = changed_cells(sources.views, specs, old=before, new=position, late_before={})
            view = sources.views["trucks"]
            late_claims(view, old=before["trucks"], new=position["trucks"], watermark=marks_old["trucks"].watermark)
            for spec in specs:
                frontier_of(spec, marks_old.values())
                frontier_of(spec, marks.values())
                low, high = spans[spec.group.path].spans[0]
                view.index.covering(0, spec.axis.time(low), spec.axis.time(high), position["trucks"])
            cost.append((extended - began, time.process_time() - extended))
    steps = [n for n in (100, 1000, 4000, 10_000, 20_000, frames) if n <= frames]
    for n in steps:
        harmonise, rest = np.median(np.array(cost[n - 100 : n]), axis=0) * 1e3
        note(f"index_frame_{n}", harmonise_and_add_ms=harmonise, rest_ms=rest)


@pytest.mark.parametrize("late", [0.0, 0.01])
def test_an_index_is_saved_and_loaded(tmp_path, late):
    frames, rng = int(os.environ.get("TWINLAB_BENCH_FRAMES", "43200")), np.random.default_rng(1)
    index = SourceIndex({("truck", "temperature"): 0})
    for i in range(frames):
        index.add([claims(i, rng, late)], first=50 * i, stop=50 * i + 50, file_id=None)
    path = tmp_path / "index.idx"
    save = cpu_ms(lambda: IndexFile(path).save(index), 5)
    load = cpu_ms(lambda: IndexFile(path).load(index.group_of), 5)
    found = IndexFile(path).load(index.group_of)
    assert found is not None
    assert found.marks(index.position).first.tolist() == index.marks(index.position).first.tolist()
    size = path.stat().st_size
    note(f"index_file_{late}", frames=frames, save_ms=save, load_ms=load, bytes=size)


def test_a_tail_of_small_frames_is_indexed(tmp_path):
    model, mapping = words("1min", ["temperature"])
    ledger, rng = Ledger(tmp_path / "ledger"), np.random.default_rng(1)
    with ledger.writer("trucks") as writer:
        for i in range(1040):
            writer.append_observations(small_frame(i, rng))
    # The first frames compile kernels and read dictionaries.
    sources = Sources(ledger, model, {"trucks": mapping})
    sources.prepare({"trucks": 2000})
    took = cpu_ms(lambda: sources.prepare(sources.position()))
    note("index_tail", frames=1000, cpu_ms=took)


def history(folder: Path, *, late: float, days: int) -> tuple[dict[str, float], np.ndarray]:
    """Rebuild, `as_of` and `observations` of days x 1,440 x 1,000 rows; a share of each frame's rows is from any time before."""
    model, mapping = words("1min", ["temperature"])
    ledger, rng = Ledger(folder / "ledger"), np.random.default_rng(1)
    with ledger.writer("trucks") as writer:
        for start in range(0, days * 1440, 100):
            order = start * ASSETS + np.arange(100 * ASSETS)
            minute = start + np.repeat(np.arange(100), ASSETS)
            far = rng.random(len(order)) < late
            minute[far] = rng.integers(0, days * 1440, int(far.sum()))
            tag = np.tile(np.arange(ASSETS, dtype=np.int32), 100)
            value = (20 + 5 * np.sin((minute + tag) / 700)).round(1)
            writer.append_observations(observations(NAMES, tag, ORIGIN + minute * MINUTE, value, order))
    rebuilt = cpu_ms(lambda: Historian(folder, ledger, model, {"trucks": mapping}).rebuild())
    day = {"start": np.datetime64(ORIGIN + days // 2 * 86_400 * 10**9, "ns"), "stop": None}
    day["stop"] = day["start"] + np.timedelta64(1, "D")
    reader = HistoryReader(folder, ledger, model, {"trucks": mapping})
    reader.history("truck", **day).compute()
    then = reader.as_of("2200-01-01")
    then.history("truck", start=day["start"] - np.timedelta64(2, "D"), stop=day["start"]).compute()
    found = {}
    as_of = cpu_ms(lambda: found.setdefault("cells", then.history("truck", **day).temperature.values))
    observed = cpu_ms(lambda: reader.observations("truck/17", "temperature", **day), 3)
    stored = reader.history("truck", **day).temperature.values
    np.testing.assert_array_equal(found["cells"], stored)
    return {"rebuild": rebuilt, "as_of_day": as_of, "observations_day": observed}, stored


def test_late_rows_beside_the_same_without(tmp_path):
    days = int(os.environ.get("TWINLAB_BENCH_DAYS", "7"))
    history(tmp_path / "warm", late=0.01, days=2)
    without, _ = history(tmp_path / "without", late=0.0, days=days)
    late, _ = history(tmp_path / "late", late=0.01, days=days)
    for name, base in without.items():
        note(f"late_{name}", rows=days * 1440 * ASSETS, without_ms=base, late_ms=late[name], times=late[name] / base)
