"""New rows of a log are read once, whoever writes them, and what isn't the log that was read is said."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.audit.conftest import LOGIN
from twinlab.control.audit import AuditLog, Place, rows_from, search
from twinlab.errors import CorruptionError


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=6))
def test_whenever_it_is_read_each_row_comes_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    place, found = Place(), []
    with AuditLog(folder, segment_bytes=1500) as log:
        for count, reads in steps:
            for _ in range(count):
                log.append(LOGIN)
            if reads:
                rows, place = rows_from(folder, place)
                found += rows
                # As it is stored and read again.
                place = Place(**{**json.loads(json.dumps(asdict(place))), "tree": place.tree})
    rows, place = rows_from(folder, place)
    assert found + rows == list(search.find_rows(folder))
    assert rows_from(folder, place) == ([], place)


def test_a_row_is_read_once_it_is_whole(tmp_path: Path) -> None:
    with AuditLog(tmp_path) as log:
        log.append(LOGIN)
    _, place = rows_from(tmp_path, Place())
    with AuditLog(tmp_path) as log:
        row = log.append(LOGIN)
    (path,) = (tmp_path / "rows").glob("*.jsonl")
    whole = path.read_bytes()
    for size in (place.offset + 1, place.offset + 40, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert rows_from(tmp_path, place)[0] == []
    path.write_bytes(whole)
    assert rows_from(tmp_path, place)[0] == [row]


def test_bytes_of_a_killed_writer_are_passed(tmp_path: Path) -> None:
    with AuditLog(tmp_path) as log:
        log.append(LOGIN)
    _, place = rows_from(tmp_path, Place())
    (path,) = (tmp_path / "rows").glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"n":2,"previous":"ab')
    _, place = rows_from(tmp_path, place)
    with AuditLog(tmp_path) as log:
        row = log.append(LOGIN)
    rows, place = rows_from(tmp_path, place)
    assert [one.kind for one in rows] == ["torn", "login"]
    assert rows[-1] == row
    assert place.offset == path.stat().st_size


@pytest.mark.parametrize("change", ["edited", "cut", "removed", "other"])
def test_a_log_that_isnt_the_one_that_was_read_is_said(tmp_path: Path, change: str) -> None:
    with AuditLog(tmp_path / "log") as log:
        for _ in range(3):
            log.append(LOGIN)
    _, place = rows_from(tmp_path / "log", Place())
    (path,) = (tmp_path / "log" / "rows").glob("*.jsonl")
    whole = path.read_bytes()
    if change == "edited":
        path.write_bytes(whole.replace(b"password", b"passw0rd", 1))
        os.utime(path, ns=(1, place.changed + 10**9))
    elif change == "cut":
        path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    elif change == "removed":
        path.unlink()
    else:
        with AuditLog(tmp_path / "new") as log:
            for _ in range(4):
                log.append(LOGIN)
        (new,) = (tmp_path / "new" / "rows").glob("*.jsonl")
        path.write_bytes(new.read_bytes())
    with pytest.raises(CorruptionError, match="twinlab audit verify"):
        rows_from(tmp_path / "log", place)


def test_a_twin_without_an_audit_has_no_new_rows(tmp_path: Path) -> None:
    assert rows_from(tmp_path / "none", Place()) == ([], Place())
