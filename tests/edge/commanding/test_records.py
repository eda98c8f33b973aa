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


def test_pages_have_all_lines_in_their_order_and_name_the_line_before(tmp_path: Path) -> None:
    records = Records(tmp_path / "records.jsonl")
    assert records.page(0, most_bytes=100) == ([], None, 0)
    lines = []
    for number in range(30):
        records.append({"number": number, "text": "x" * (number % 7) * 9})
        lines = records.path.read_bytes().splitlines()
        if number % 3 == 0:
            continue
        found, first = [], 0
        while first < len(lines):
            page, before, total = records.page(first, most_bytes=120)
            assert total == len(lines)
            assert before == (lines[first - 1] if first else None)
            assert len(page) == 1 or sum(len(one) + 1 for one in page) <= 120
            found += page
            first += len(page)
        assert found == lines
    assert records.page(30, most_bytes=120) == ([], lines[-1], 30)
    assert records.page(31, most_bytes=120) == ([], None, 30)
