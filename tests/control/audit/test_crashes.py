"""Killed writers, torn rows, full and read-only file systems: reported, never dropped, and no command without its row."""

import json
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.control.audit.conftest import LOGIN, write_log
from tests.power_cuts import Disk, need_disk
from twinlab.control.audit import AuditLog, search, verify_audit
from twinlab.errors import ControlError

# Appends until it is killed, and prints the number of each row that was acknowledged.
WRITER = """
import os, sys, threading
from pathlib import Path
from twinlab.control.audit import AuditLog
log = AuditLog(Path(sys.argv[1]), segment_bytes=int(sys.argv[2]))
lock = threading.Lock()
def some(name):
    while True:
        row = log.append({"kind": "login", "who": [name], "what": {"how": "x" * 300}})
        with lock:
            os.write(1, b"%d\\n" % row.n)
for number in range(4):
    threading.Thread(target=some, args=(f"thread {number}",)).start()
"""


def killed_writer(folder: Path, acknowledged: Path, chance: random.Random, segment_bytes: int) -> None:
    """Let another process append, and kill it (signal 9) some time after its sixth row."""
    with acknowledged.open("ab") as out:
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(segment_bytes)], stdout=out)
        before = acknowledged.read_bytes().count(b"\n")
        while acknowledged.read_bytes().count(b"\n") < before + 6:
            assert process.poll() is None
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_no_acknowledged_row_is_lost_by_kill_9(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged = tmp_path / "acknowledged"
    for _ in range(4):
        killed_writer(tmp_path / "audit", acknowledged, chance, 30_000)
    # The last line of the output may be incomplete; its row was acknowledged all the same.
    numbers = [int(line) for line in acknowledged.read_bytes().split(b"\n")[:-1]]
    assert len(numbers) == len(set(numbers)) > 20
    with AuditLog(tmp_path / "audit"):
        pass
    report = verify_audit(tmp_path / "audit")
    assert report.intact
    kinds = {row.n: row.kind for row in search.find_rows(tmp_path / "audit")}
    assert all(kinds[number] == "login" for number in numbers)


@pytest.mark.soak
def test_no_acknowledged_row_is_lost_by_many_kills(tmp_path: Path) -> None:
    chance = random.Random(8)
    acknowledged = tmp_path / "acknowledged"
    for _ in range(100):
        killed_writer(tmp_path / "audit", acknowledged, chance, 30_000)
    numbers = [int(line) for line in acknowledged.read_bytes().split(b"\n") if line]
    kinds = {row.n: row.kind for row in search.find_rows(tmp_path / "audit")}
    assert verify_audit(tmp_path / "audit").intact
    assert all(kinds[number] == "login" for number in numbers)


@pytest.mark.parametrize("left", [1, 7, 60, 150, -2, -1])
def test_a_torn_row_is_kept_and_stated_by_the_next_row(tmp_path: Path, left: int) -> None:
    write_log(tmp_path, 5)
    path = tmp_path / "rows" / "000000000000.jsonl"
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    torn = last[:left]
    path.write_bytes(whole[: -len(last)] + torn)
    complete = torn == last[:-1]

    before = verify_audit(tmp_path)
    assert before.intact
    assert before.rows == (6 if complete else 5)
    assert before.torn == (() if complete else (f"{len(torn)} bytes at {len(whole) - len(last)} of {path.name}",))

    with AuditLog(tmp_path) as log:
        row = log.append(LOGIN)
    assert path.read_bytes().startswith(whole[: -len(last)] + torn + b"\n")
    after = verify_audit(tmp_path)
    assert after.intact
    assert after.torn == before.torn
    rows = list(search.find_rows(tmp_path))
    if complete:
        # Only its line end was missing.
        assert [one.kind for one in rows[-2:]] == ["login", "login"]
    else:
        assert [one.kind for one in rows[-2:]] == ["torn", "login"]
        assert rows[-2].what["bytes"] == len(torn)
        assert "never acknowledged" in after.text()
    assert row.n == len(rows) - 1


def test_rows_that_were_torn_twice_are_stated_twice(tmp_path: Path) -> None:
    for number in range(3):
        write_log(tmp_path, 2)
        path = tmp_path / "rows" / "000000000000.jsonl"
        with path.open("ab") as file:
            file.write(b'{"n":1' if number else b"\0" * 100)
    write_log(tmp_path, 1)
    report = verify_audit(tmp_path)
    assert report.intact
    assert len(report.torn) == 3


def test_a_torn_first_row_of_a_file_is_stated(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "000000000000.jsonl").write_bytes(b'{"n":0,"prev')
    write_log(tmp_path, 40, segment_bytes=3000)
    last = max(rows.iterdir())
    assert int(last.stem) > 20
    # Another file was begun, and the power was cut.
    count = verify_audit(tmp_path).rows
    (rows / f"{count:012d}.jsonl").write_bytes(b"\0\0")
    write_log(tmp_path, 1)
    report = verify_audit(tmp_path)
    assert report.intact, report.text()
    assert report.rows == count + 3
    assert len(report.torn) == 2


def test_whole_rows_behind_bytes_that_never_reached_the_disk_are_torn_too(tmp_path: Path) -> None:
    write_log(tmp_path, 6)
    path = tmp_path / "rows" / "000000000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:4]) + b"\0" * (len(lines[4]) - 1) + b"\n" + b"".join(lines[5:]))
    write_log(tmp_path, 1)
    report = verify_audit(tmp_path)
    assert report.intact
    assert report.torn == (
        f"{len(lines[4]) + len(b''.join(lines[5:]))} bytes at {len(b''.join(lines[:4]))} of {path.name}",
    )


def test_bytes_that_a_head_has_are_not_torn_but_changed(tmp_path: Path, signer, keys) -> None:
    write_log(tmp_path, 6, signer=signer)
    path = tmp_path / "rows" / "000000000000.jsonl"
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    assert verify_audit(tmp_path, keys=keys).broken == 6
    with pytest.raises(ControlError, match="expected 7 rows at least, got 6: the log was cut"):
        AuditLog(tmp_path, signer=signer)
    assert path.read_bytes() == content[:-30]


def test_a_full_disk_stops_commands_and_a_freed_one_goes_on(tmp_path: Path) -> None:
    need_disk()
    with Disk(tmp_path / "small", megabytes=16) as disk:
        log = AuditLog(disk.path / "audit")
        log.append(LOGIN)
        filler = disk.path / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            while True:
                file.write(b"x" * 65536)
        acknowledged = 1
        with pytest.raises(
            ControlError,
            match=r"can't be written \(No space left on device\), so that no command is sent; free some space",
        ):
            for _ in range(400):
                acknowledged = log.append(LOGIN).n
        with pytest.raises(ControlError):
            log.append(LOGIN)
        filler.unlink()
        assert log.append(LOGIN).n > acknowledged
        log.close()
        report = verify_audit(disk.path / "audit")
        assert report.intact
        assert {row.n for row in search.find_rows(disk.path / "audit")} >= set(range(acknowledged + 1))


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit on Windows")
def test_a_file_that_may_not_grow_stops_commands(tmp_path: Path) -> None:
    """As a quota does; needs neither root nor a disk image."""
    log = AuditLog(tmp_path)
    log.append(LOGIN)
    size = (tmp_path / "rows" / "000000000000.jsonl").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))
    try:
        for _ in range(3):
            with pytest.raises(ControlError, match=r"can't be written \(File too large\)"):
                log.append(LOGIN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.append(LOGIN).n == 3
    log.close()
    report = verify_audit(tmp_path)
    assert report.intact
    assert report.torn == (f"20 bytes at {size} of 000000000000.jsonl",)


def test_a_read_only_folder_stops_commands(tmp_path: Path) -> None:
    need_disk()
    with Disk(tmp_path / "small", megabytes=16) as disk:
        log = AuditLog(disk.path / "audit")
        log.append(LOGIN)
        # A disk with errors is mounted read-only by the kernel.
        log.close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
        with pytest.raises(ControlError, match="no command is sent: .*Read-only file system"):
            AuditLog(disk.path / "audit")


def test_a_sync_that_fails_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(tmp_path)
    log.append(LOGIN)

    def fail(file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("twinlab.control.audit.segment_writer.os.fsync", fail)
        with pytest.raises(ControlError, match=r"can't be written \(Input/output error\)"):
            log.append(LOGIN)
    # A second fsync would succeed although the pages were dropped.
    with pytest.raises(ControlError, match="couldn't be synced .* repair the disk, then start this process again"):
        log.append(LOGIN)
    log.close()


def test_a_power_cut_loses_no_acknowledged_row(tmp_path: Path) -> None:
    need_disk()
    chance = random.Random(3)
    with Disk(tmp_path / "disk", megabytes=32) as disk:
        numbers: list[int] = []
        for _ in range(3):
            acknowledged = tmp_path / "acknowledged"
            acknowledged.write_bytes(b"")
            with acknowledged.open("ab") as out:
                process = subprocess.Popen(
                    [sys.executable, "-c", WRITER, str(disk.path / "audit"), "30000"],
                    stdout=out,
                    stderr=subprocess.DEVNULL,
                )
                while acknowledged.stat().st_size < 60:
                    time.sleep(0.005)
                time.sleep(chance.uniform(0, 0.1))
                disk.cut(chance)
                process.kill()
                process.wait()
            numbers += [int(line) for line in acknowledged.read_bytes().split(b"\n")[:-1]]
            disk.plug_in()
        with AuditLog(disk.path / "audit"):
            pass
        report = verify_audit(disk.path / "audit")
        assert report.intact, report.text()
        kinds = {row.n: row.kind for row in search.find_rows(disk.path / "audit")}
        assert all(kinds[number] == "login" for number in numbers)


def test_a_line_of_heads_that_was_not_finished_counts_as_none(tmp_path: Path, signer, keys) -> None:
    write_log(tmp_path, 10, signer=signer)
    (path,) = (tmp_path / "heads").glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-40])
    with AuditLog(tmp_path, signer=signer):
        pass
    report = verify_audit(tmp_path, keys=keys)
    assert (report.proved, len(report.refused_heads)) == (11, 1)
    assert json.loads(path.read_bytes().splitlines()[-1])
    assert path.stat().st_mode & 0o007 == 0


def test_torn_bytes_that_are_changed_afterwards_are_noticed(tmp_path: Path) -> None:
    write_log(tmp_path, 3)
    path = tmp_path / "rows" / "000000000000.jsonl"
    with path.open("ab") as file:
        file.write(b'{"n":4,"previous":"torn here')
    write_log(tmp_path, 2)
    assert verify_audit(tmp_path).intact
    path.write_bytes(path.read_bytes().replace(b"torn here", b"torn hare"))
    report = verify_audit(tmp_path)
    assert (report.broken, report.torn) == (4, ())
    with pytest.raises(
        ControlError, match="row 4: expected it to follow the row before it, or to state the bytes between them"
    ):
        AuditLog(tmp_path)


def test_bytes_between_two_rows_hide_nothing(tmp_path: Path) -> None:
    """Without signed heads, too: later rows aren't taken for bytes that were never acknowledged."""
    write_log(tmp_path, 5)
    path = tmp_path / "rows" / "000000000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"\0\0\0\n", *lines[3:]]))
    assert verify_audit(tmp_path).broken == 3
    with pytest.raises(ControlError, match="row 3: expected it to follow the row before it"):
        AuditLog(tmp_path)
