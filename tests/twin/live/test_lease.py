"""The lease of a historian: one holder at a time, another one when it ends or goes silent, and no write by the one before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.errors import HistoryConflictError, SchemaError, SourceError
from twinlab.ledger import Ledger
from twinlab.twin.live import lease as leases
from twinlab.twin.live.lease import Lease

Make = Callable[[str], tl.Twin]
PATIENCE = 60.0
ROWS = 3_000


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function after which each thread counts as another machine, whose locks of the system nobody else sees."""

    def move(name: str) -> None:
        monkeypatch.setattr(leases, "_machine", lambda: f"{name} {threading.get_ident()}")

        class NoLock:
            def __init__(self, path: Path, *, what: str, wait: float = 0.0) -> None: ...

            def release(self) -> None: ...

        monkeypatch.setattr(leases, "Lock", NoLock)

    return move


def take(twin: Path, **options: object) -> Lease:
    return Lease(twin, "live", **{"seconds": 0.5, **options})  # type: ignore[arg-type]


def test_each_holder_has_a_higher_epoch_and_leaves_one_file(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        with take(tmp_path) as lease:
            lease.check()
            assert lease.epoch == epoch
            assert [path.name for path in (tmp_path / "live").glob("lease-*")] == [f"lease-{epoch:08d}.json"]
            with pytest.raises(HistoryConflictError, match=f"process {os.getpid()}"):
                take(tmp_path)
    record = json.loads((tmp_path / "live" / "lease-00000003.json").read_text())
    assert (record["pid"], record["seconds"], record["released"]) == (os.getpid(), 0.5, True)


def test_a_lease_of_another_machine_is_awaited_until_it_is_silent(
    tmp_path: Path, elsewhere: Callable[[str], None]
) -> None:
    elsewhere("one")
    first = take(tmp_path)
    elsewhere("two")
    with pytest.raises(HistoryConflictError, match=r"whose lease of 0\.5 s is renewed"):
        take(tmp_path)
    first._ended.set()  # it renews no more, as if its machine had stopped
    first._thread.join()
    shut_out: list[int] = []
    began = time.monotonic()
    with take(tmp_path, shut_out=lambda: shut_out.append(1)) as second:
        assert time.monotonic() - began >= 0.5
        assert (second.epoch, shut_out) == (2, [1])
        second.check()
        with pytest.raises(HistoryConflictError, match="has taken over"):
            first.check()
        assert first.lost
        first.release()
        second.check()


def test_a_released_lease_of_another_machine_is_taken_at_once(tmp_path: Path, elsewhere: Callable[[str], None]) -> None:
    elsewhere("one")
    take(tmp_path, seconds=30.0).release()
    elsewhere("two")
    began = time.monotonic()
    take(tmp_path, shut_out=lambda: pytest.fail("nobody is left")).release()
    assert time.monotonic() - began < 5


def test_of_many_that_wait_one_takes_over(tmp_path: Path, elsewhere: Callable[[str], None]) -> None:
    elsewhere("one")
    first = take(tmp_path)
    first._ended.set()
    elsewhere("two")
    found: list[Lease] = []
    threads = [threading.Thread(target=lambda: found.append(take(tmp_path, wait=True)), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for epoch in (2, 3, 4, 5):
        until = time.monotonic() + PATIENCE
        while not found:
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(0.7)
        (holder,) = found
        assert holder.epoch == epoch
        holder.check()
        found.clear()
        holder.release()


def test_a_take_over_that_was_interrupted_shuts_out_the_holder_before_it_again(tmp_path: Path) -> None:
    frozen = take(tmp_path)
    frozen._ended.set()  # it renews no more, but has its locks
    shut_out: list[int] = []

    def fails() -> None:
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        take(tmp_path, wait=True, shut_out=fails)
    with take(tmp_path, wait=True, shut_out=lambda: shut_out.append(1)) as lease:
        assert (lease.epoch, shut_out) == (3, [1])
        frozen.release()
        assert json.loads((tmp_path / "live" / "lock.holder").read_text())["pid"] == os.getpid()
        lease.check()


def test_a_file_that_a_power_cut_has_left_empty_is_awaited_like_a_silent_holder(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "lease-00000007.json").touch()
    with take(tmp_path) as lease:
        assert lease.epoch == 8


def test_a_holder_that_can_not_read_its_lease_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with take(tmp_path) as lease:
        with monkeypatch.context() as patch:
            patch.setattr(leases, "_epochs", lambda folder: (_ for _ in ()).throw(OSError("stale file handle")))
            with pytest.raises(SourceError, match="stale file handle"):
                lease.check()
        lease.check()
    with pytest.raises(SchemaError, match=r"at least 0\.5 s"):
        take(tmp_path, seconds=0.1)


# -- two historians --------------------------------------------------------------------------------------------------
def start(twin: tl.Twin, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "twinlab.cli", "run", str(twin.folder), "--lease", "1s", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows_of(twin: tl.Twin) -> list[float]:
    frames = Ledger(twin.folder / "ledger").reader("feed").frames()
    return [value for frame in frames for value in frame.batch().column("temperature").to_pylist()]


def wait_until(true: Callable[[], object], what: str) -> float:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < PATIENCE, what
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.fixture
def slow_twin(live_twin: Make, tmp_path: Path) -> tl.Twin:
    twin = live_twin("{kind: replay, file: log.csv, rows: 1, rate: 60}")
    lines = [f"2026-03-{1 + n // 1440:02d}T{n // 60 % 24:02d}:{n % 60:02d}Z,a,{n % 300 / 10}" for n in range(ROWS)]
    (twin.folder / "log.csv").write_text("time,truck,temperature\n" + "\n".join(lines) + "\n")
    return twin


def test_a_standby_takes_over_from_a_killed_holder_and_from_a_frozen_one_that_writes_nothing_more(
    slow_twin: tl.Twin,
) -> None:
    twin = slow_twin
    first = start(twin)
    wait_until(lambda: len(rows_of(twin)) > 5, "no rows")
    second = start(twin, "--standby")
    assert second.stderr is not None
    assert "standby" in second.stderr.readline()
    first.kill()
    first.communicate()
    known = len(rows_of(twin))
    wait_until(lambda: len(rows_of(twin)) > known, "nobody took over")
    third = start(twin, "--standby")
    assert third.stderr is not None
    assert "standby" in third.stderr.readline()
    second.send_signal(signal.SIGSTOP)
    known = len(rows_of(twin))
    wait_until(lambda: len(rows_of(twin)) > known, "nobody took over")
    second.send_signal(signal.SIGCONT)
    _, errors = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert "has taken over" in errors
    known = len(rows_of(twin))
    wait_until(lambda: len(rows_of(twin)) > known, "the new holder doesn't write")
    assert third.poll() is None
    third.send_signal(signal.SIGTERM)
    third.communicate(timeout=PATIENCE)
    assert third.returncode == 0
    found = rows_of(twin)
    assert found == [n % 300 / 10 for n in range(len(found))]
    assert twin.ledger.verify().ok
    assert twin.history("truck").temperature.sel(asset="a").values.tolist() == found
