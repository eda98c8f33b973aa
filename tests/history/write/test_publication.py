"""Killed writers lose no acknowledged commit; damaged bytes never become wrong numbers; there is one writer at a time."""

import importlib.util
import os
import random
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from twinlab.errors import CorruptionError, HistoryConflictError
from twinlab.history.layout.rollup import reduce_cells
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.maintenance import sweep

WRITER = Path(__file__).parent / "killed_writer.py"
_spec = importlib.util.spec_from_file_location("history_store_writer", WRITER)
writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(writer)


def check(store: HistoryStore, at_least: int) -> int:
    """Compare everything stored with what was written; return the number of slabs."""
    view = store.view()
    slabs = int(view.meta.get("next", 0))
    assert slabs >= at_least
    if slabs:
        want = np.concatenate([writer.slab(n) for n in range(slabs)])
        values, flags = view.cells(writer.GROUP, "temperature", 0, len(want))
        np.testing.assert_array_equal(values, want)
        assert (flags == 1).all()
        hours = len(want) // 60
        out = view.rollup(writer.GROUP, "temperature", "1h", 0, hours)
        fresh = reduce_cells(want[: hours * 60], np.ones((hours * 60, 2), "uint8"), 60)
        for what, part in out.items():
            np.testing.assert_array_equal(part, fresh[what])
    return slabs


def kill_repeatedly(root: Path, trials: int, seed: int) -> None:
    """Start a writer, kill it at a random point, compare; again and again."""
    rnd = random.Random(seed)
    store = HistoryStore.create(root)
    acknowledged = 0
    for _ in range(trials):
        process = subprocess.Popen(
            [sys.executable, str(WRITER), str(root)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout.readline() == "ready\n"
        wanted = rnd.randrange(4)
        for _ in range(wanted):
            acknowledged = int(process.stdout.readline())
        time.sleep(rnd.random() * 0.15)  # the point of the next commit at which it dies
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        check(store, acknowledged)
    with store.lock(), store.transaction() as txn:
        txn.meta["after"] = True
        txn.commit("still writable")


def test_a_killed_writer_loses_nothing_acknowledged(tmp_path):
    kill_repeatedly(tmp_path / "h", trials=3, seed=1)


@pytest.mark.soak
def test_two_hundred_killed_writers_lose_nothing_acknowledged(tmp_path):
    kill_repeatedly(tmp_path / "h", trials=200, seed=2)


def small_history(root: Path) -> HistoryStore:
    """Return a store with cells hot and cold, rollups and a table."""
    store = HistoryStore.create(root)
    with store.lock():
        for number in range(4):
            with store.transaction() as txn:
                writer.write_slab(txn, number)
                txn.write_table(
                    "events/x/2000-01", pa.table({"id": [f"e{i}" for i in range(50)], "n": list(range(50))})
                )
                txn.commit("slab")
            if number == 1:
                store.compact(writer.GROUP)
    return store


def flip_bits(root: Path, flips: int, seed: int) -> int:
    """Flip one bit at a time in any file of a history; return how many were noticed."""
    store = small_history(root)
    with store.lock():  # what only old snapshots refer to would make flips harmless
        sweep(store._repository, store.path, cut=datetime.now(UTC))
    rnd = random.Random(seed)
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.stat().st_size)
    kinds = sorted({p.parent.name if "branch" not in p.parent.name else "refs" for p in files})
    noticed = 0
    for number in range(flips):
        kind = kinds[number % len(kinds)]
        path = rnd.choice([p for p in files if p.parent.name == kind or (kind == "refs" and "branch" in p.parent.name)])
        before = path.read_bytes()
        data = bytearray(before)
        data[rnd.randrange(len(data))] ^= 1 << rnd.randrange(8)
        path.write_bytes(data)
        try:
            store = HistoryStore.open(root)
            assert check(store, 4) == 4
            assert store.view().table("events/x/2000-01").to_pydict() == {
                "id": [f"e{i}" for i in range(50)],
                "n": list(range(50)),
            }
        except CorruptionError:
            noticed += 1
        path.write_bytes(before)
    return noticed


def test_flipped_bits_are_noticed_or_harmless(tmp_path):
    assert flip_bits(tmp_path / "h", 200, seed=3) > 50


def test_corruption_names_array_and_chunk(tmp_path):
    store = small_history(tmp_path / "h")
    view = store.view()
    for path in (tmp_path / "h" / "icechunk" / "chunks").iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    with pytest.raises(CorruptionError, match=r"truck/1min/2000/(hot|cold)/temperature/c/\d+/0.*twinlab verify"):
        view.cells(writer.GROUP, "temperature", 0, 1200)


def test_a_history_that_is_gone_or_broken_says_rebuild(tmp_path):
    with pytest.raises(CorruptionError, match="twinlab rebuild"):
        HistoryStore.open(tmp_path / "h")
    small_history(tmp_path / "h")
    for path in (tmp_path / "h" / "icechunk" / "refs").rglob("*.json"):
        path.write_text("{")
    with pytest.raises(CorruptionError, match="twinlab rebuild"):
        HistoryStore.open(tmp_path / "h").view()


def test_a_second_writer_is_told_who_holds_the_lock(tmp_path):
    store = HistoryStore.create(tmp_path / "h")
    other = HistoryStore.open(tmp_path / "h")
    with (
        store.lock(),
        pytest.raises(HistoryConflictError, match=f"process {os.getpid()} on {socket.gethostname()} since"),
        other.lock(),
    ):
        pass
    with other.lock():
        pass


def test_creating_twice_is_refused(tmp_path):
    HistoryStore.create(tmp_path / "h")
    with pytest.raises(HistoryConflictError, match="open it"):
        HistoryStore.create(tmp_path / "h")


def test_collecting_garbage_keeps_the_newest_state_and_waits_a_day(tmp_path):
    store = small_history(tmp_path / "h")
    with pytest.raises(HistoryConflictError, match="lock"):
        store.garbage_collect()
    with store.lock():
        with pytest.raises(HistoryConflictError, match="younger"):
            store.garbage_collect(older_than=timedelta(hours=1))
        assert store.garbage_collect().snapshots == 0
        report = sweep(store._repository, store.path, cut=datetime.now(UTC))
        assert report.snapshots > 3
        assert report.bytes_deleted > 0
        assert check(store, 4) == 4
        with store.transaction() as txn:
            txn.meta["after"] = 1
            txn.commit("still writable")


def test_garbage_is_collected_again_and_again_while_states_are_published(tmp_path):
    store = HistoryStore.create(tmp_path / "h")
    published = []
    with store.lock():
        for number in range(8):
            with store.transaction() as txn:
                writer.write_slab(txn, number)
                txn.commit("slab")
            published.append(datetime.now(UTC))
            # Expiry writes the oldest state that is left anew, so that its file is younger than its contents.
            if number >= 2:
                assert sweep(store._repository, store.path, cut=published[number - 2]).snapshots
                assert check(store, number + 1) == number + 1
    assert len(list((store.root / "seals").iterdir())) <= 4
    assert len(list((store.path / "snapshots").iterdir())) <= 5
