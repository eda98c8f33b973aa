"""The record of a device."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from twinlab.edge.commanding import Records
from twinlab.errors import ControlError


def test_an_entry_that_a_crash_has_cut_is_left_out(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    records.append({"kind": "a"})
    records.append({"kind": "b", "text": "µ\n"})
    whole = records.path.read_bytes()
    records.path.write_bytes(whole[:-3])
    assert [entry["kind"] for entry in records.entries()] == ["a"]


def test_a_full_disk_leaves_no_half_entry_and_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Records(tmp_path / "records.jsonl")
    records.append({"kind": "a"})
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:5]))
    with pytest.raises(ControlError, match=os.strerror(errno.ENOSPC)):
        records.append({"kind": "b"})
    monkeypatch.undo()
    records.append({"kind": "c"})
    assert [entry["kind"] for entry in records.entries()] == ["a", "c"]
    with pytest.raises(ControlError):
        Records(tmp_path / "no" / "records.jsonl").append({"kind": "a"})
