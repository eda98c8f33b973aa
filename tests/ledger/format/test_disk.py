"""Bytes on the disk where the system has no positioned reads and writes."""

import os
from pathlib import Path

import pyarrow as pa
import pytest

from twinlab.ledger import Ledger
from twinlab.ledger.format import disk

ROWS = pa.RecordBatch.from_pydict({"tag": ["t1", "t2"], "source_time": [0, 1], "value": [4.5, 5.5]})


def test_without_positioned_reads_and_writes_the_ledger_has_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A time that doesn't pass: the two ledgers then differ in nothing.
    monkeypatch.setattr("twinlab.ledger.writer.time.time_ns", lambda: 10**18)
    for name in ("with", "without"):
        if name == "without":
            monkeypatch.delattr(os, "pread")
            monkeypatch.delattr(os, "pwritev")
        ledger = Ledger(tmp_path / name)
        for _ in range(3):
            with ledger.writer("s", segment_rows=3) as writer:
                writer.append_observations(ROWS)
        ledger.seal("s")
        assert sum(frame.rows for frame in ledger.reader("s").frames()) == 6
        assert ledger.verify().ok
    assert files(tmp_path / "with") == files(tmp_path / "without")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_reads_and_writes_go_to_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pread")
    monkeypatch.delattr(os, "pwritev")
    descriptor = os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT)
    assert disk.write_all(descriptor, [b"abc", b"", b"def"], 2) == 6
    assert disk.read_at(descriptor, 3, 4) == b"cde"
    assert disk.read_at(descriptor, 100, 0) == b"\0\0abcdef"
    os.close(descriptor)
