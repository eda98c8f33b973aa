"""One size of a fleet, built and read in a process of its own: what each step takes, as JSON on standard output.

``python tests/benchmarks/scaling_run.py FOLDER`` with ``TWINLAB_BENCH_TRUCKS`` and ``TWINLAB_BENCH_DAYS``, see `fleet_year`; a
twin that is in FOLDER already is read only. ``--append`` takes rows into a ledger and does no more.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import fleet_year

import twinlab as tl
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.chunk_reader import DirectBytes
from twinlab.history.store.opening import open_history
from twinlab.history.store.publish import MAIN, tip
from twinlab.ledger import Ledger

Took = dict[str, tuple[float, float]]
#: Step -> most memory, bytes.
PEAKS: dict[str, int] = {}


def timed(took: Took, name: str, act: Callable[[], object], times: int = 1) -> None:
    """Add the seconds of processor and of clock of a step; of several times the least."""
    every = []
    for _ in range(times):
        cpu, wall = time.process_time(), time.perf_counter()
        act()
        every.append((time.process_time() - cpu, time.perf_counter() - wall))
    took[name] = min(every)
    PEAKS[name] = peak()


def peak() -> int:
    """Return the most memory since the last call, bytes, and begin again; Linux only."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    Path("/proc/self/clear_refs").write_text("5")
    return int(status["VmHWM"].split()[0]) * 1024


def build(folder: Path, took: Took, *, only_append: bool) -> None:
    """Make the twin, with the seconds of its steps."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("twin.yaml", fleet_year.model_text()), ("trucks.yaml", fleet_year.mapping_text())):
        (folder / name).write_text(text)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "trucks.yaml")
    cpu = wall = 0.0
    with Ledger(folder / "twin" / "ledger").writer("trucks") as writer:
        for batch in fleet_year.batches(folder):
            before = time.process_time(), time.perf_counter()
            writer.append_observations(batch)
            cpu, wall = cpu + time.process_time() - before[0], wall + time.perf_counter() - before[1]
    took["ingest"] = cpu, wall
    (folder / "values.npy").unlink()
    if not only_append:
        timed(took, "rebuild", twin.rebuild)


def read(folder: Path, took: Took) -> None:
    """Read the twin as people do."""

    def opened() -> tl.Twin:
        return tl.open(folder / "twin")

    timed(took, "chart", lambda: opened().history("truck", assets=["7"], signals=["speed"], step="4h").load(), 5)
    timed(took, "mean", lambda: opened().history("truck", step="1d").load(), 3)
    timed(took, "find", lambda: opened().find("temperature > 25 degC", on="truck"), 2)
    names = fleet_year.SIGNALS
    timed(
        took, "scan", lambda: [opened().history("truck", signals=[one])[one].mean("time").compute() for one in names], 2
    )
    timed(took, "check", lambda: opened().check())


def main(folder: Path, *, only_append: bool) -> None:
    """Build, read, print."""
    took: Took = {}
    if not (folder / "twin").exists():
        build(folder, took, only_append=only_append)
    out: dict[str, object] = {
        "trucks": fleet_year.TRUCKS,
        "days": fleet_year.DAYS,
        "cells": fleet_year.SERIES * fleet_year.CELLS,
    }
    if only_append:
        out["ledger"] = sum(path.stat().st_size for path in (folder / "twin" / "ledger").rglob("*") if path.is_file())
    else:
        read(folder, took)
        view = open_history(folder / "twin" / "history")
        use = storage_use(folder / "twin", view)
        out |= {"ledger": use.ledger, "values": use.cells, "rollups": use.rollups, "other": use.other}
        repository = folder / "twin" / "history" / "icechunk"
        out["objects"] = len(DirectBytes(repository, tip(repository, MAIN)).metadata.chunk_objects())
    out["rows"] = Ledger(folder / "twin" / "ledger").reader("trucks").position()
    out |= {"took": took, "peaks": PEAKS}
    print(json.dumps(out))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), only_append="--append" in sys.argv)
