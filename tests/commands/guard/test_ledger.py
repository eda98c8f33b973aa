"""A guard that can't remember does nothing: missing, damaged, read-only, full, removed, replaced."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.commands.guard.site import Site
from twinlab.commands.guard import Fence, GuardLedger
from twinlab.errors import CommandRejectedError, ControlError

ROOT = Path(__file__).parents[3]


def test_a_missing_ledger_is_not_made_in_silence(tmp_path: Path) -> None:
    with pytest.raises(
        ControlError, match=r"expected the ledger of the guard, got none; restore it, or make one with create=True"
    ):
        GuardLedger(tmp_path / "guard.db")
    GuardLedger(tmp_path / "guard.db", create=True).close()
    with pytest.raises(ControlError, match="expected no file, got one that exists"):
        GuardLedger(tmp_path / "guard.db", create=True)
    with pytest.raises(ControlError, match="can't be opened"):
        GuardLedger(tmp_path / "no" / "guard.db", create=True)


@pytest.mark.parametrize("damage", [b"", b"x" * 5000, None])
def test_a_damaged_ledger_is_refused(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "guard.db"
    GuardLedger(path, create=True).close()
    if damage is None:
        raw = bytearray(path.read_bytes())
        raw[4096:4104] = b"\xff" * 8
        path.write_bytes(raw)
    else:
        path.write_bytes(damage)
    if damage == b"":
        with pytest.raises(ControlError, match="isn't the ledger of a guard"):
            GuardLedger(path)
    else:
        with pytest.raises(ControlError, match="the ledger of the guard can't be opened"):
            GuardLedger(path)


def test_every_commit_is_synced(tmp_path: Path) -> None:
    ledger = GuardLedger(tmp_path / "guard.db", create=True)
    assert ledger._file.execute("pragma synchronous").fetchone() == (2,)
    assert ledger._file.execute("pragma journal_mode").fetchone() == ("wal",)


def test_a_command_that_cannot_be_remembered_is_not_carried_out(site: Site) -> None:
    assert site.select().outcome == "selected"
    operate = site.wire(operation="operate")
    site.ledger.rename(site.folder / "elsewhere.db")
    answer = site.guard.submit(operate)
    assert (answer.outcome, site.forklift.changes) == ("refused", [])
    assert "the ledger of the guard can't be written" in answer.reason
    shutil.copy(site.folder / "elsewhere.db", site.ledger)
    assert "removed or replaced" in site.guard.submit(operate).reason
    assert site.forklift.changes == []


def test_a_ledger_that_another_process_locks_refuses(site: Site) -> None:
    assert site.select().outcome == "selected"
    other = sqlite3.connect(site.ledger, isolation_level=None)
    other.execute("begin immediate")
    answer = site.operate()
    assert (answer.outcome, site.forklift.changes) == ("refused", [])
    assert "locked" in answer.reason
    other.execute("rollback")
    other.close()
    assert site.set().outcome == "done"


def test_an_epoch_that_rises_between_reading_and_writing_refuses(site: Site) -> None:
    """Another guard takes over while this one checks: its write makes this one's fail."""
    assert site.select().outcome == "selected"
    state = site.forklift.state

    def overtaken(target: str, parameter: str) -> object:
        # A second file handle, as another process has.
        site.guard._here.ledger.outcome_of("none")
        other = sqlite3.connect(site.ledger, isolation_level=None)
        other.execute("update marks set value = value + 1 where name = 'epoch'")
        other.close()
        return state(target, parameter)

    site.forklift.state = overtaken  # type: ignore[method-assign, assignment]
    answer = site.operate()
    assert (answer.outcome, site.forklift.changes) == ("refused", [])


def test_old_ids_are_removed_and_stay_refused(site: Site) -> None:
    old = site.wire()
    assert site.guard.submit(old).outcome == "selected"
    site.time.wait(timedelta(days=31).total_seconds())
    assert site.select().outcome == "selected"
    ledger = site.guard._here.ledger
    assert ledger._file.execute("select count(*) from commands").fetchone() == (1,)
    assert "expires_at" in site.guard.submit(old).reason


LIMITED = """
import resource, sys
from pathlib import Path
from tests.commands.guard.site import Site
site = Site(Path(sys.argv[1]))
assert site.select().outcome == "selected"
operate = site.wire(operation="operate")
used = sum(path.stat().st_size for path in Path(sys.argv[1]).glob("guard.db-wal"))
# No file may grow any more: writing fails as on a full disk.
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (max(used, 1), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
answer = site.guard.submit(operate)
print(answer.outcome, site.forklift.changes, answer.reason)
stop = site.guard.submit(site.stop_wire())
print(stop.outcome, site.forklift.safe)
"""
READ_ONLY = """
import os, sys
from pathlib import Path
from twinlab.commands.guard import GuardLedger
from twinlab.errors import ControlError
if os.geteuid() == 0:
    # Root may write everywhere.
    os.setuid(65534)
try:
    GuardLedger(Path(sys.argv[1]) / "guard.db")
except ControlError as error:
    print("refused", error)
"""


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk_stops_commands_and_not_the_emergency_stop(tmp_path: Path, need: Callable[[str], object]) -> None:
    need("securesystemslib")
    assert resource.RLIMIT_FSIZE >= 0
    first, second = run(LIMITED, tmp_path).splitlines()
    assert first.startswith("refused [] ")
    assert "the ledger of the guard can't be written" in first
    assert second == "done ['forklift/7']"


def test_a_read_only_folder_is_refused_when_the_guard_starts() -> None:
    # Not in tmp_path, whose parents only its owner may enter.
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        GuardLedger(folder / "guard.db", create=True).close()
        (folder / "guard.db").chmod(0o444)
        folder.chmod(0o555)
        try:
            assert "the ledger of the guard can't be opened: attempt to write a readonly database" in run(
                READ_ONLY, folder
            )
        finally:
            folder.chmod(0o755)


def test_an_epoch_rises_over_restarts_and_only_the_newest_may_act(tmp_path: Path) -> None:
    epochs = [Fence(tmp_path / "epoch").advance() for _ in range(3)]
    assert epochs == [1, 2, 3]
    with Fence(tmp_path / "epoch").acting(3):
        pass
    for other in (2, 4):
        with (
            pytest.raises(CommandRejectedError, match=f"expected the epoch 3, got {other}"),
            Fence(tmp_path / "epoch").acting(other),
        ):
            pass


def test_nobody_takes_over_while_an_action_is_under_way(tmp_path: Path) -> None:
    fence = Fence(tmp_path / "epoch", wait=0.05)
    epoch = fence.advance()
    with fence.acting(epoch), pytest.raises(ControlError, match="can't be locked"):
        fence.advance()
    assert fence.advance() == 2


@pytest.mark.parametrize("text", ["", "x", "1.5"])
def test_a_damaged_epoch_lets_nobody_act(tmp_path: Path, text: str) -> None:
    (tmp_path / "epoch").write_text(text)
    with pytest.raises(ControlError, match="expected a number"):
        Fence(tmp_path / "epoch").advance()
    with pytest.raises(CommandRejectedError, match="expected a number"), Fence(tmp_path / "epoch").acting(1):
        pass
