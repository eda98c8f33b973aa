"""Locks between processes: one holder, named to others, and none left over when it dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinlab._locks import Lock, break_locks_like
from twinlab.errors import HistoryConflictError

HOLD = """
import sys, time
from pathlib import Path
from twinlab._locks import Lock, break_locks_like
locks = [Lock(Path(path), what="x") for path in sys.argv[1:]]
print("locked", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "lock"


@pytest.fixture
def other(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_lock_that_another_process_holds_is_refused_and_names_it(path: Path, other: subprocess.Popen[str]) -> None:
    name = rf"source 's' is locked by process {other.pid} on {socket.gethostname()} since 20\d\d-"
    with pytest.raises(HistoryConflictError, match=name):
        Lock(path, what="source 's'")


def test_kill_9_frees_the_lock_and_the_next_holder_names_itself(path: Path, other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.wait()
    # The dead process couldn't remove its note.
    assert path.with_name("lock.holder").exists()
    with Lock(path, what="x"):
        assert json.loads(path.with_name("lock.holder").read_text())["pid"] == os.getpid()
    assert not path.with_name("lock.holder").exists()


def test_another_thread_is_refused_until_the_lock_is_released(path: Path) -> None:
    lock = Lock(path, what="x")
    with pytest.raises(HistoryConflictError, match=f"process {os.getpid()} on"):
        Lock(path, what="x")
    lock.release()
    lock.release()
    Lock(path, what="x").release()


@pytest.mark.parametrize("wait", [30.0, None])
def test_a_lock_is_waited_for(path: Path, wait: float | None) -> None:
    lock = Lock(path, what="x")
    timer = threading.Timer(0.2, lock.release)
    timer.start()
    began = time.monotonic()
    Lock(path, what="x", wait=wait).release()
    assert time.monotonic() - began > 0.1
    timer.join()


def test_a_child_that_inherits_the_descriptor_does_not_keep_the_lock(path: Path) -> None:
    lock = Lock(path, what="x")
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    try:
        lock.release()
        Lock(path, what="x").release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("left", [b"", b'{"pid": 1, "since": "2026-01-01T00:00:00+00:00"}', b"\xff\x00"])
def test_lock_files_of_earlier_versions_and_damaged_notes_do_not_disturb(path: Path, left: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(left)
    path.with_name("lock.holder").write_bytes(left)
    with Lock(path, what="x"):
        path.with_name("lock.holder").write_bytes(left)
        with pytest.raises(HistoryConflictError, match="locked by another process"):
            Lock(path, what="x")
    # The file that is locked stays as it was: an earlier version may have it open.
    assert path.read_bytes() == left


def test_a_lock_and_one_of_an_earlier_version_exclude_each_other(path: Path) -> None:
    code = """
import fcntl, sys
with open(sys.argv[1], "a") as file:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(3)
"""
    with Lock(path, what="x"):
        assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 3
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


def test_a_full_disk_prevents_no_lock(path: Path) -> None:
    path.parent.mkdir()
    # A note that can't be written: its place is taken by a folder.
    path.with_name("lock.holder").mkdir()
    with Lock(path, what="x"), pytest.raises(HistoryConflictError, match="locked by another process"):
        Lock(path, what="x")


def test_the_locks_of_one_holder_are_broken_and_only_those(
    path: Path, other: subprocess.Popen[str], tmp_path: Path
) -> None:
    mine = Lock(tmp_path / "mine", what="x")
    assert break_locks_like(path, tmp_path) == [path]
    with Lock(path, what="x"), pytest.raises(HistoryConflictError):
        Lock(tmp_path / "mine", what="x")
    assert break_locks_like(tmp_path / "mine", tmp_path) == [tmp_path / "mine"]
    with Lock(tmp_path / "mine", what="x"):
        mine.release()  # it takes nothing from the next holder
        with pytest.raises(HistoryConflictError, match=f"process {os.getpid()}"):
            Lock(tmp_path / "mine", what="x")


def test_who_waits_for_a_lock_that_is_broken_gets_the_new_one(path: Path) -> None:
    first = Lock(path, what="x")
    got: list[Lock] = []
    waiting = threading.Thread(target=lambda: got.append(Lock(path, what="x", wait=30.0)), daemon=True)
    waiting.start()
    time.sleep(0.1)
    break_locks_like(path, path.parent)
    first.release()
    waiting.join(30.0)
    with pytest.raises(HistoryConflictError):
        Lock(path, what="x")
    got[0].release()


def test_all_locks_of_a_frozen_historian_are_broken_at_once(tmp_path: Path) -> None:
    names = (
        "live/lock",
        "history.lock",
        "history/writer.lock",
        "ledger/feed/lock",
        "ledger/_twin/lock",
        "ledger/feed/seal.lock",
    )
    paths = [tmp_path / name for name in names]
    with subprocess.Popen([sys.executable, "-c", HOLD, *map(str, paths)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        process.send_signal(signal.SIGSTOP)
        assert sorted(break_locks_like(paths[0], tmp_path)) == sorted(paths)
        locks = [Lock(path, what="x") for path in paths]
        process.kill()
    for lock in locks:
        lock.release()
