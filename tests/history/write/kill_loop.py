"""Run by test_rebuild: children ingest, publish and do housekeeping until they are killed at a random moment.

Segments are sealed and old states removed with each publication, and everything is compacted now and then.
Usage: kill_loop.py FOLDER KILLS SEED. Prints "rows <n>, …" once everything is in and equals an uninterrupted run.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from conftest import Site

from twinlab.history.write import housekeeping
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.maintenance import sweep
from twinlab.ledger import writer as ledger_writer

TAGS = ["a.t", "b.t", "a.h", "b.h", "a.d", "c.t", "a.e"]
TOTAL, BATCH = 1500, 40


def row(n: int) -> tuple:
    rng = np.random.default_rng(n)
    late = int(rng.integers(0, 40)) if rng.random() < 0.1 else 0
    return (TAGS[n % 7], max(0.0, n / 6 - late), float(rng.integers(0, 2)), n)


def housekeep_always() -> None:
    """Make segments small, and let every publication seal one and remove all states but the newest."""

    def collect(_root: Path, store: HistoryStore) -> None:
        # No reader is open here, so that the cut-off of a day isn't needed.
        sweep(store._repository, store.path, cut=datetime.now(UTC))

    ledger_writer.SEGMENT_FRAMES = 4
    housekeeping._SEAL_BYTES, housekeeping._SEAL_EVERY, housekeeping._COLLECT_EVERY = 0, 0.0, 0.0
    housekeeping._collect = collect


def ingest(folder: Path, *, rebuild_after: int = -1) -> None:
    site = Site(folder)
    historian = site.historian()
    historian.catch_up()
    if rebuild_after >= 0:
        historian.rebuild()
    while (at := site.ledger.reader("rooms").position()) < TOTAL:
        site.append([row(n) for n in range(at, min(at + BATCH, TOTAL))])
        # Acknowledged: what the child has told and the disk must keep.
        (folder / "acknowledged").write_text(str(min(at + BATCH, TOTAL)))
        if at // BATCH % 3 == 2:
            notes = historian.catch_up().notes
            assert not any("housekeeping" in note for note in notes), notes
        elif random.random() < 0.15:
            historian.compact()
    historian.catch_up()


def arrays(folder: Path) -> list:
    reader = Site(folder).reader()
    return [
        reader.history("room", signals=signals, step=step).compute().drop_attrs()
        for signals in (["temperature", "humidity", "door"], ["energy"])
        for step in (None, "15min", "1d")
    ]


def acknowledged_rows(folder: Path) -> int:
    path = folder / "acknowledged"
    return int(path.read_text() or 0) if path.exists() else 0


def wait_for(folder: Path, more: int) -> None:
    """Wait until a child has been told of so many more rows, however busy the machine is, but at most 20 s."""
    start, until = acknowledged_rows(folder), time.monotonic() + 20
    while min(start + more, TOTAL) > acknowledged_rows(folder) and time.monotonic() < until:
        time.sleep(0.01)


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    random.seed(seed)
    housekeep_always()
    twin = folder / "killed"
    twin.mkdir()
    for number in range(kills):
        child = os.fork()
        if child == 0:
            try:
                ingest(twin, rebuild_after=0 if number % 4 == 3 else -1)
            except BaseException:  # noqa: BLE001  (the child must not go on as if it were the parent)
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        wait_for(twin, random.randrange(6) * BATCH)
        time.sleep(random.uniform(0.01, 0.8))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            sys.stdout.write("a child failed before it was killed")
            raise SystemExit(1)
    acknowledged = acknowledged_rows(twin)
    kept = Site(twin).ledger.reader("rooms").position()
    if kept < acknowledged:
        sys.stdout.write(f"lost {acknowledged - kept} acknowledged rows")
        raise SystemExit(1)
    ingest(twin)
    ingest(folder / "calm")
    for one, other in zip(arrays(twin), arrays(folder / "calm"), strict=True):
        if not one.identical(other):
            sys.stdout.write(f"arrays differ: {one} {other}")
            raise SystemExit(1)
    verified = Site(twin).ledger.verify()
    if not verified.ok:
        sys.stdout.write(str(verified))
        raise SystemExit(1)
    sealed = len(list((twin / "ledger" / "rooms").glob("*.parquet")))
    states = len(list((twin / "history" / "seals").iterdir()))
    sys.stdout.write(f"rows {kept}, {sealed} segments sealed, {states} states")


if __name__ == "__main__":
    main()
