"""A twin is backed up while it is written, and restored as it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import CorruptionError, HistoryConflictError, SchemaError, SourceError, UnknownTermError
from twinlab.objects.folder_bucket import FolderBucket
from twinlab.twin import backups, check_backups, restore
from twinlab.twin.backup.record import records
from twinlab.twin.privacy.byte_search import search

Grow = Callable[[tl.Twin, int], None]


def same(one: tl.Twin, other: tl.Twin) -> None:
    """Assert that two twins show the same."""
    assert one.history("room").compute().identical(other.history("room").compute())
    assert one.history("room", step="1h").compute().identical(other.history("room", step="1h").compute())
    assert one.observations("room/A", "temperature").equals(other.observations("room/A", "temperature"))
    assert one.annotations().equals(other.annotations())


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_restored_twin_is_the_one_that_was_backed_up(
    twin: tl.Twin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin.annotate(
        asset="room/A",
        signal="temperature",
        start="2026-01-01T06:00",
        stop="2026-01-01T07:00",
        note="a door stood open",
        author="ann",
    )
    place = tmp_path / "backups"
    assert main(["backup", str(twin.folder), str(place)]) == 0
    out = capsys.readouterr().out
    assert "backup 1 of" in out
    assert "2,880 rows" in out
    assert "on the same disk as the twin" in out
    assert main(["backups", str(place), "--verify"]) == 0
    assert "no damage found" in capsys.readouterr().out
    before = files(place)
    assert main(["restore", str(place), str(tmp_path / "again")]) == 0
    assert "Ledger verified" in capsys.readouterr().out
    again = tl.open(tmp_path / "again")
    same(again, twin)
    assert again.verify().ok
    assert files(place) == before
    # It continues from there.
    assert not (tmp_path / "again" / ".restoring.json").exists()
    again.ingest()


def test_only_what_is_new_is_sent_and_any_backup_can_be_restored(twin: tl.Twin, tmp_path: Path, grow: Grow) -> None:
    place = tmp_path / "backups"
    for day in (1, 2, 3):
        grow(twin, day)
    first = twin.backup(place)
    state = twin.history("room").compute()
    grow(twin, 4)
    second = twin.backup(place)
    nothing = twin.backup(place)
    assert (first.number, second.number, nothing.number) == (1, 2, 3)
    assert second.bytes < 0.5 * first.bytes
    assert nothing.bytes < 0.1 * first.bytes
    between = pd.Timestamp(first.at).tz_localize(None) + (second.at - first.at) / 2
    restored = restore(place, tmp_path / "one", at=between)
    assert restored.number == 1
    assert tl.open(tmp_path / "one").history("room").compute().identical(state)
    assert restore(place, tmp_path / "two", number=2).rows == 5 * 2880
    same(tl.open(tmp_path / "two"), twin)
    with pytest.raises(UnknownTermError, match="there is none; the oldest is backup 1 of"):
        restore(place, tmp_path / "none", at="2020-01-01")
    assert not (tmp_path / "none").exists()


def test_old_backups_go_with_what_only_they_need(twin: tl.Twin, tmp_path: Path, grow: Grow) -> None:
    place = tmp_path / "backups"
    twin.backup(place)
    (twin.folder / "notes.txt").write_text("first")
    twin.backup(place)
    (twin.folder / "notes.txt").write_text("second")
    grow(twin, 1)
    report = twin.backup(place, keep="1n")
    assert report.removed == (1, 2)
    assert [one.number for one in backups(place).records] == [3]
    assert search([place], ["first"]) == []
    assert check_backups(place).ok
    needed = {name for one in records(FolderBucket(place)) for name in one.pieces}
    assert {f"files/{path.name}" for path in (place / "files").iterdir()} == needed
    # What is listed as there is there.
    assert twin.backup(place).objects <= 3
    restore(place, tmp_path / "again")
    same(tl.open(tmp_path / "again"), twin)


def test_a_backup_of_a_twin_that_is_written_meanwhile_is_one_state(twin: tl.Twin, tmp_path: Path) -> None:
    place, stop, errors = tmp_path / "backups", threading.Event(), []

    def write() -> None:
        try:
            with tl.open(twin.folder).writer("log") as writer:
                for minute in range(10_000):
                    if stop.is_set():
                        return
                    stamp = pd.Timestamp("2026-01-02") + pd.Timedelta(minutes=minute)
                    writer.append(
                        pd.DataFrame({"time": [f"{stamp:%Y-%m-%dT%H:%M}"], "room": ["A"], "t": [4.5], "door": [0]})
                    )
        except Exception as error:  # noqa: BLE001  (shown by the assertion)
            errors.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        made = [twin.backup(place) for _ in range(3)]
    finally:
        stop.set()
        thread.join()
    assert errors == []
    assert made[0].rows <= made[1].rows <= made[2].rows
    for one in made:
        folder = tmp_path / str(one.number)
        restored = restore(place, folder, number=one.number)
        # The ledger may have rows beyond the stated ones, never fewer.
        found = tl.open(folder)
        rows = found.observations("room/A", "temperature")
        assert found.ledger.reader("log").position() >= restored.rows
        later = rows[rows["time"] >= pd.Timestamp("2026-01-02")] if "time" in rows else rows.iloc[1440:]
        assert (later["value"] == 4.5).all()
    assert check_backups(place).ok


def test_a_database_and_the_audit_are_copied_as_of_one_instant(twin: tl.Twin, tmp_path: Path) -> None:
    control = twin.folder / "control"
    control.mkdir()
    database = sqlite3.connect(control / "guard.db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table used (counter integer)")
    database.execute("insert into used values (7)")
    database.commit()
    audit = twin.audit_log
    audit.append({"kind": "login", "who": ["ann"], "what": {"how": "password"}})
    report = twin.backup(tmp_path / "backups")
    audit.append({"kind": "logout", "who": ["ann"], "what": {"how": "page"}})
    database.execute("insert into used values (8)")
    database.commit()
    restore(tmp_path / "backups", tmp_path / "again", who="dora")
    again = tl.open(tmp_path / "again")
    with sqlite3.connect(tmp_path / "again/control/guard.db") as copy:
        assert copy.execute("select counter from used").fetchall() == [(7,)]
    database.close()
    rows = again.audit_rows(newest=10)
    assert rows["kind"].tolist()[:2] == ["restored", "login"]
    assert again.verify_audit().intact
    assert report.number == 1
    # Rows that are added later go in pieces.
    second = twin.backup(tmp_path / "backups")
    name = next(
        name for name in records(FolderBucket(tmp_path / "backups"))[-1].head.files if name.startswith("audit/rows")
    )
    assert len(records(FolderBucket(tmp_path / "backups"))[-1].head.files[name]) == 2
    assert second.number == 2


def test_private_keys_stay_out_unless_they_are_asked_for(twin: tl.Twin, tmp_path: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIGF1ZGl0\n-----END PRIVATE KEY-----\n"
    (twin.folder / "ann.pem").write_text(pem)
    (twin.folder / "control/keys").mkdir(parents=True)
    (twin.folder / "control/keys/ann.json").write_text('{"sealed": "MC4CAQAwBQYDK2VwBCIEIGF1ZGl0"}')
    (twin.folder / "keys.yaml").write_text("people: {}\n")
    (tmp_path / "users.json").write_text('{"users": "hashes"}')
    report = twin.backup(tmp_path / "backups", also=[tmp_path / "users.json"])
    assert set(report.left_out) == {"ann.pem", "control/keys/ann.json"}
    assert "could sign as its owner" in str(report)
    assert search([tmp_path / "backups"], ["MC4CAQAwBQYDK2VwBCIEIGF1ZGl0"]) == []
    restore(tmp_path / "backups", tmp_path / "again")
    assert (tmp_path / "again/also/users.json").read_text() == '{"users": "hashes"}'
    assert (tmp_path / "again/keys.yaml").exists()
    assert twin.backup(tmp_path / "with", with_keys=True).left_out == {}
    restore(tmp_path / "with", tmp_path / "keyed")
    assert (tmp_path / "keyed/ann.pem").read_text() == pem
    with pytest.raises(SchemaError, match="expected a file to add to the backup, there is none"):
        twin.backup(tmp_path / "backups", also=[tmp_path / "nobody.json"])


def test_nothing_is_overwritten_and_wrong_places_are_refused(twin: tl.Twin, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    with pytest.raises(SchemaError, match="outside of the twin"):
        twin.backup(twin.folder / "backups")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("Dear")
    with pytest.raises(SchemaError, match=r"got other files, such as 'letter.txt'; choose another place"):
        twin.backup(tmp_path / "other")
    with pytest.raises(SourceError, match="there are none; make one with `twinlab backup TWIN"):
        restore(place, tmp_path / "again")
    twin.backup(place)
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("Dear")
    with pytest.raises(HistoryConflictError, match="nothing is overwritten: choose another folder"):
        restore(place, full)
    assert files(full) == {"letter.txt": b"Dear"}
    with pytest.raises(HistoryConflictError, match="nothing is overwritten"):
        restore(place, twin.folder)
    with pytest.raises(SchemaError, match="outside of the twin"):
        restore(place, place / "again")
    (tmp_path / "stranger.yaml").write_text((twin.folder / "twin.yaml").read_text())
    other = tl.create(tmp_path / "stranger", model=tmp_path / "stranger.yaml", mappings=twin.folder / "mapping")
    other.ingest(
        tmp_path.joinpath("log9.csv").write_text("time,room,t,door\n2026-01-01T00:00,A,1,0\n") and tmp_path / "log9.csv"
    )
    before = files(place)
    with pytest.raises(SchemaError, match="got those of another one"):
        other.backup(place)
    # An older copy of the twin must not replace what a newer one has.
    assert files(place) == before


def test_a_copy_with_other_rows_is_refused(twin: tl.Twin, tmp_path: Path, grow: Grow) -> None:
    shutil.copytree(twin.folder, tmp_path / "copy")
    grow(twin, 1)
    twin.backup(tmp_path / "backups")
    with pytest.raises(HistoryConflictError, match="different rows"):
        tl.open(tmp_path / "copy").backup(tmp_path / "backups")


def test_damage_is_found_and_nothing_of_it_is_a_twin(
    twin: tl.Twin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "backups"
    twin.backup(place)
    broken = max((place / "files").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(broken.read_bytes())
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    assert main(["backups", str(place), "--verify"]) == 1
    assert f"backup 1: object files/{broken.name} differs from what was written" in capsys.readouterr().out
    with pytest.raises(CorruptionError, match=r"The backup is damaged and .*again isn't complete"):
        restore(place, tmp_path / "again")
    with pytest.raises(SourceError, match="isn't complete: it is being restored, or that was interrupted"):
        tl.open(tmp_path / "again")
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    # What is there already isn't fetched again.
    assert restore(place, tmp_path / "again").objects < len(list(place.rglob("*")))
    same(tl.open(tmp_path / "again"), twin)
    (place / "backups/000001.json").write_bytes(b'{"twinlab": 1}')
    with pytest.raises(SchemaError, match="expected what `twinlab backup` writes"):
        backups(place)


KILLED = """
import sys, time
from pathlib import Path
import twinlab as tl
from twinlab.objects.folder_bucket import FolderBucket
put, count = FolderBucket.put, 0
def slow(self, name, data):
    global count
    put(self, name, data)
    count += 1
    if count == int(sys.argv[3]):
        print("now", flush=True)
        time.sleep(60)
FolderBucket.put = slow
tl.open(sys.argv[1]).backup(sys.argv[2])
"""


@pytest.mark.parametrize("after", [1, 9])
def test_a_killed_backup_is_no_backup_and_the_next_one_continues_it(twin: tl.Twin, tmp_path: Path, after: int) -> None:
    place = tmp_path / "backups"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(twin.folder), str(place), str(after)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    with pytest.raises(HistoryConflictError, match="is locked by process"):
        twin.backup(place)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with pytest.raises(SourceError, match="the first backup of twin 'cold' isn't complete"):
        backups(place)
    assert twin.backup(place).number == 1
    assert not list(place.rglob("busy.json"))
    restore(place, tmp_path / "again")
    same(tl.open(tmp_path / "again"), twin)


RESTORING = KILLED.replace("FolderBucket.put = slow", "").replace(
    "tl.open(sys.argv[1]).backup(sys.argv[2])",
    """
from twinlab.twin import restore
get = FolderBucket.get
def slow_get(self, name):
    global count
    count += 1
    if count == int(sys.argv[3]):
        print("now", flush=True)
        time.sleep(60)
    return get(self, name)
FolderBucket.get = slow_get
restore(sys.argv[1], sys.argv[2])
""",
)


def test_a_killed_restore_is_no_twin_and_the_next_one_continues_it(twin: tl.Twin, tmp_path: Path) -> None:
    place, again = tmp_path / "backups", tmp_path / "again"
    twin.backup(place)
    process = subprocess.Popen(
        [sys.executable, "-c", RESTORING, str(place), str(again), "14"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with pytest.raises(SourceError, match="`twinlab restore` with this folder continues it"):
        tl.open(again)
    twin.backup(place)
    with pytest.raises(HistoryConflictError, match=r"expected backup 1 of .*, of which a part is there, got 2"):
        restore(place, again)
    restore(place, again, number=1)
    same(tl.open(again), twin)


def test_the_mark_of_another_machine_counts_until_it_is_silent(twin: tl.Twin, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    twin.backup(place)
    mark = {"host": "elsewhere", "folder": "/srv/cold", "pid": 7, "seen": time.time() - 60}
    (place / "busy.json").write_text(json.dumps(mark))
    with pytest.raises(HistoryConflictError, match="process 7 on elsewhere, of /srv/cold makes a backup there"):
        twin.backup(place)
    (place / "busy.json").write_text(json.dumps({**mark, "seen": time.time() - 4000}))
    assert twin.backup(place).number == 2


def test_an_object_store_has_backups_too(
    twin: tl.Twin, network: object, place: str, tmp_path: Path, grow: Grow
) -> None:
    twin.backup(place)
    grow(twin, 1)
    assert twin.backup(place, keep="1n").removed == (1,)
    assert check_backups(place).ok
    restore(place, tmp_path / "again")
    same(tl.open(tmp_path / "again"), twin)
    with pytest.raises(
        SchemaError, match="expected a prefix without objects, or a twin's, got another program's object"
    ):
        twin.push(place)
    assert os.environ["AWS_ENDPOINT_URL"]
