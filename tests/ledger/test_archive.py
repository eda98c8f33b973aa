"""Old segments in an archive: the same rows as before, verified, and nothing lost by a crash."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from twinlab.errors import CorruptionError
from twinlab.ledger import Ledger
from twinlab.ledger import archive as archiving

Make = Callable[..., pa.RecordBatch]
Everything = Callable[..., list[tuple[int, Any]]]
LATE = 2**62


@pytest.fixture
def sealed(ledger: Ledger, telemetry: Make) -> Ledger:
    with ledger.writer("s") as w:
        for k in range(3):
            w.append_observations(telemetry(300, seed=k))
            w.rotate()
        w.append_observations(telemetry(20, seed=9))
    assert ledger.seal("s")
    return ledger


@pytest.mark.parametrize("beside", [True, False])
def test_archived_rows_are_read_and_verified_where_they_are(
    sealed: Ledger, everything: Everything, tmp_path: Path, *, beside: bool
) -> None:
    before = everything(sealed.reader("s"))
    report = sealed.verify()
    target = (sealed.path.parent if beside else tmp_path / "mount") / "archive"
    found = sealed.archive_sizes().before(LATE)
    moved = sealed.archive(target, before_ns=LATE)
    assert (found.segments, found.freed) == (3, sum(path.stat().st_size for path in moved))
    assert not list((sealed.path / "s").glob("*.parquet"))
    assert sealed.archive(target, before_ns=LATE) == []
    for one in (sealed, Ledger(sealed.path)):
        assert everything(one.reader("s")) == before
        again = one.verify()
        assert again.ok
        assert (again.rows, again.bytes) == (report.rows, report.bytes)
    with sealed.writer("s") as w:
        assert w.position == len(before)
    moved[1].write_bytes(moved[1].read_bytes()[:-1] + b"?")
    assert not Ledger(sealed.path).verify().ok
    moved[1].unlink()
    with pytest.raises(CorruptionError, match="make the archive .* available"):
        everything(Ledger(sealed.path).reader("s"))
    problem = Ledger(sealed.path).verify().problems[0]
    assert str(moved[1].name) in problem.what


def test_a_twin_is_moved_with_an_archive_beside_its_ledger(
    sealed: Ledger, everything: Everything, tmp_path: Path
) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(sealed.path, twin / "ledger")
    before = everything(Ledger(twin / "ledger").reader("s"))
    Ledger(twin / "ledger").archive(twin / "archive", before_ns=LATE)
    twin.rename(tmp_path / "moved")
    assert everything(Ledger(tmp_path / "moved" / "ledger").reader("s")) == before


def test_only_segments_that_are_old_enough_are_archived(sealed: Ledger, tmp_path: Path) -> None:
    assert sealed.archive(tmp_path / "archive", before_ns=0) == []
    assert sealed.archive_sizes().before(0).freed == 0


@pytest.mark.parametrize("step", ["sync_file", "replace_file", "write_manifest", "sync_folder"])
def test_an_interruption_at_any_step_loses_nothing(
    sealed: Ledger, everything: Everything, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before = everything(sealed.reader("s"))
    calls = 0

    def fail(*_: object, **__: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return original(*_, **__)

    original = getattr(archiving, step)
    monkeypatch.setattr(archiving, step, fail)
    with pytest.raises(KeyboardInterrupt):
        sealed.archive(tmp_path / "archive", before_ns=LATE)
    monkeypatch.undo()
    assert everything(Ledger(sealed.path).reader("s")) == before
    assert Ledger(sealed.path).verify().ok
    sealed.archive(tmp_path / "archive", before_ns=LATE)
    assert everything(sealed.reader("s")) == before
    assert not list((sealed.path / "s").glob("*.parquet"))
    assert len(list((tmp_path / "archive" / "s").glob("*.parquet"))) == 3


def test_a_damaged_file_is_not_archived(sealed: Ledger, tmp_path: Path) -> None:
    path = next((sealed.path / "s").glob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptionError, match="wasn't archived"):
        sealed.archive(tmp_path / "archive", before_ns=LATE)
    assert path.exists()
