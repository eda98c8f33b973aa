"""Appending: one order for all threads and processes, nothing acknowledged that isn't durable."""

import base64
import json
import multiprocessing
import threading
from collections import UserList, deque
from datetime import datetime
from pathlib import Path

import pytest

from tests.control.audit.conftest import LOGIN, login, write_log
from twinlab.control.audit import KINDS, AuditEntry, AuditLog, head_signer, search, verify_audit
from twinlab.control.audit.chain import MOST_ROWS_AT_ONCE
from twinlab.control.audit.heads import open_head
from twinlab.errors import ControlError, SchemaError
from twinlab.model.alerts.channel import Channel


def test_rows_are_lines_of_json_with_the_hash_of_the_row_before(tmp_path: Path) -> None:
    with AuditLog(tmp_path) as log:
        first, second = log.append(LOGIN), log.append(AuditEntry("logout", ("ann",), {}))
    assert (first.n, first.kind, first.who, first.what) == (1, "login", ("ann",), {"how": "password"})
    lines = (tmp_path / "rows" / "000000000000.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["segment", "login", "logout"]
    assert second.previous == search.newest_rows(tmp_path, 1)[0].previous != first.previous
    assert datetime.fromisoformat(first.at).tzinfo is not None


def test_fields_of_an_entry_may_be_beside_what(tmp_path: Path) -> None:
    # As a guard writes them, which is below this room.
    with AuditLog(tmp_path) as log:
        row = log.append({"kind": "command refused", "time": "2026-03-01T12:00:00.000Z", "who": [], "what": {"reason": "unsigned"},
                          "wire_sha256": "a" * 64, "device": "forklift/7"})  # fmt: skip
    assert row.what == {
        "reason": "unsigned",
        "time": "2026-03-01T12:00:00.000Z",
        "wire_sha256": "a" * 64,
        "device": "forklift/7",
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"kind": "logn", "who": [], "what": {}}, "unknown kind 'logn'; did you mean 'login'"),
        ({"kind": "torn", "who": [], "what": {}}, "unknown kind 'torn'"),
        ({"kind": "login", "who": "ann", "what": {}}, "expected a list of names, got the text 'ann'"),
        ({"kind": "login", "who": [""], "what": {}}, "expected names of 1 to 100 characters"),
        (
            {"kind": "login", "who": [], "what": {"birthday": "1990-01-01"}},
            "login: expected fields among .*, got 'birthday'",
        ),
        (
            {"kind": "login", "who": [], "what": {"how": float("nan")}},
            "how: expected a text of at most 2000 characters",
        ),
        ({"kind": "login", "who": [], "what": {"how": "x" * 2001}}, "how: expected a text of at most 2000 characters"),
        ({"kind": "login", "who": [], "what": {"how": "\ud800"}}, "how: expected a text"),
        ({"kind": "login", "who": [], "what": {"how": {"a": 1}}}, "how: expected a text"),
        ({"kind": "login", "who": [], "what": {"how": deque(["a"])}}, "how: expected a text"),
        ({"kind": "login", "who": [], "what": {"how": b"a"}}, "how: expected a text"),
        ({"kind": "login", "who": [], "what": {"how": UserList(["a"])}}, "how: expected a text"),
        ({"kind": "login", "who": []}, "expected the keys kind, who and what, got kind, who"),
    ],
)
def test_a_row_says_only_what_its_kind_may_say(tmp_path: Path, entry: dict, message: str) -> None:
    with AuditLog(tmp_path) as log:
        with pytest.raises(SchemaError, match=message):
            log.append(entry)
        assert log.append(LOGIN).n == 1


def test_no_kind_has_a_field_for_other_persons() -> None:
    fields = {field for allowed in KINDS.values() for field in allowed}
    assert not fields & {"name", "names", "email", "phone", "address_of", "position", "driver"}


def test_threads_share_a_sync_and_get_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    synced = []
    real = os.fsync
    monkeypatch.setattr(
        "twinlab.control.audit.segment_writer.os.fsync", lambda file: (synced.append(file), real(file))[1]
    )
    found: list[int] = []
    with AuditLog(tmp_path) as log:

        def some() -> None:
            found.extend(log.append(LOGIN).n for _ in range(50))

        threads = [threading.Thread(target=some) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == list(range(1, 401))
    assert len(synced) < 400
    report = verify_audit(tmp_path)
    assert report.intact
    assert report.rows == 401


def test_a_fault_while_writing_ends_the_append_of_every_thread(tmp_path: Path, monkeypatch, wait_until) -> None:
    batches: list[int] = []
    ended: list[str] = []
    log = AuditLog(tmp_path)
    log.append(LOGIN)

    def fail(entries: list[AuditEntry]) -> list:
        batches.append(len(entries))
        raise RuntimeError("a fault of the writer")

    def some() -> None:
        try:
            log.append(LOGIN)
        except (ControlError, RuntimeError) as error:
            ended.append(f"{type(error).__name__}: {error}")

    with monkeypatch.context() as patch:
        patch.setattr(log._writer, "append", fail)
        with log._committing:
            threads = [threading.Thread(target=some, daemon=True) for _ in range(3)]
            for thread in threads:
                thread.start()
            wait_until(lambda: len(log._entries) == 3)
        for thread in threads:
            thread.join(10)
    # Nobody writes a batch without entries, which would be an empty line.
    assert batches == [3]
    assert sorted(ended) == [
        "ControlError: a fault of the writer",
        "ControlError: a fault of the writer",
        "RuntimeError: a fault of the writer",
    ]
    assert log.append(LOGIN).n == 2
    log.close()
    assert verify_audit(tmp_path).intact


def _append_some(folder: Path, name: str, count: int) -> None:
    with AuditLog(folder, segment_bytes=20_000, wait=60) as log:
        for _ in range(count):
            log.append({"kind": "login", "who": [name], "what": {}})


def test_processes_get_one_order(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_append_some, args=(tmp_path, f"p{number}", 60)) for number in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert all(process.exitcode == 0 for process in started)
    report = verify_audit(tmp_path)
    assert report.intact
    rows = [row for row in search.find_rows(tmp_path) if row.kind == "login"]
    assert len(rows) == 180
    assert {row.who for row in rows} == {("p0",), ("p1",), ("p2",)}
    assert len(list((tmp_path / "rows").iterdir())) > 1


def test_a_log_goes_on_from_its_last_segment_only(tmp_path: Path, signer, keys) -> None:
    write_log(tmp_path, 100, signer=signer, segment_bytes=4000)
    segments = sorted((tmp_path / "rows").iterdir())
    assert len(segments) == 5
    # What is earlier isn't read: an unreadable file there is for verify to find.
    earlier = segments[2].read_bytes()
    segments[2].write_bytes(b"")
    with AuditLog(tmp_path, signer=signer) as log:
        assert log.append(LOGIN).n == 100 + len(segments)
    segments[2].write_bytes(earlier)
    assert verify_audit(tmp_path, keys=keys).proved == 101 + len(segments)


def test_heads_are_signed_after_so_many_rows_and_after_a_time(tmp_path: Path, signer, keys, wait_until) -> None:
    with AuditLog(tmp_path, signer=signer, rows=5, seconds=0.2) as log:
        for _ in range(4):
            log.append(LOGIN)
        wait_until(lambda: verify_audit(tmp_path, keys=keys).proved == 5)
    with AuditLog(tmp_path, signer=signer, rows=5, seconds=3600) as log:
        for _ in range(5):
            log.append(LOGIN)
        wait_until(lambda: verify_audit(tmp_path, keys=keys).proved >= 10)
        log.append(LOGIN)
    assert verify_audit(tmp_path, keys=keys).proved == 11


def test_a_head_has_the_hashes_of_at_most_so_many_rows(tmp_path: Path, signer, keys) -> None:
    write_log(tmp_path, 300)
    with AuditLog(tmp_path, signer=signer):
        pass
    report = verify_audit(tmp_path, keys=keys)
    assert (report.proved, report.heads) == (301, 3)
    assert max(len(line) for line in next((tmp_path / "heads").glob("*.jsonl")).read_bytes().splitlines()) < 16 * 1024
    assert MOST_ROWS_AT_ONCE == 128


def test_processes_with_one_key_number_their_heads_together(tmp_path: Path, signer, keys) -> None:
    with (
        AuditLog(tmp_path, signer=signer, seconds=3600) as one,
        AuditLog(tmp_path, signer=signer, seconds=3600) as other,
    ):
        for number in range(20):
            (one, other)[number % 2].append(login(number))
            (one, other)[number // 2 % 2].flush()
    report = verify_audit(tmp_path, keys=keys)
    assert (report.intact, report.proved, report.rows) == (True, 21, 21)
    numbers = [json.loads(line) for line in next((tmp_path / "heads").glob("*.jsonl")).read_bytes().splitlines()]
    assert len(numbers) == 20


def test_to_open_a_log_and_to_sign_verifies_one_head_however_many_there_are(
    tmp_path: Path, signer, monkeypatch
) -> None:
    write_log(tmp_path, 60, signer=signer)
    opened: list[bytes] = []

    def count(wire: bytes, **how):
        opened.append(wire)
        return open_head(wire, **how)

    monkeypatch.setattr(head_signer, "open_head", count)
    monkeypatch.setattr(head_signer, "_BLOCK", 100)
    with AuditLog(tmp_path, signer=signer, seconds=60) as log, AuditLog(tmp_path, signer=signer, seconds=60) as other:
        log.append(LOGIN)
        log.flush()
        other.append(LOGIN)
        # Of the other's head, and of the one before it.
        other.flush()
    written = (tmp_path / "heads" / f"{signer.public_key.keyid[:16]}.jsonl").read_bytes().splitlines()
    assert len(written) >= 8
    # The other's opening and signing, and this one's opening, and the end of each.
    assert len(opened) <= 8
    assert [json.loads(base64.b64decode(json.loads(line)["payload"]))["number"] for line in written] == list(
        range(len(written))
    )


def test_a_second_place_that_was_away_gets_all_heads_later(tmp_path: Path, signer, keys) -> None:
    away = tmp_path / "usb"
    heads = away / "heads.jsonl"
    with AuditLog(tmp_path / "audit", signer=signer, places=[Channel(file={"path": str(heads)})], seconds=3600) as log:
        for number in range(3):
            log.append(login(number))
            log.flush()
        away.mkdir()
        log.flush()
    report = verify_audit(tmp_path / "audit", heads=[heads], keys=keys)
    assert report.intact
    kinds = [(row.kind, row.what.get("outcome")) for row in search.find_rows(tmp_path / "audit")]
    assert kinds == [
        ("segment", None),
        ("login", None),
        ("heads", "waiting"),
        ("login", None),
        ("login", None),
        ("heads", "taken"),
    ]
    assert len(heads.read_bytes().splitlines()) == report.heads


def test_heads_that_a_killed_process_signed_reach_the_second_place(tmp_path: Path, signer, keys, second: Path) -> None:
    write_log(tmp_path / "audit", 20, signer=signer)
    write_log(tmp_path / "audit", 1, signer=signer, second=second)
    report = verify_audit(tmp_path / "audit", heads=[second], keys=keys)
    assert len(second.read_bytes().splitlines()) == report.heads


def test_nothing_is_appended_when_heads_wait_for_too_long(tmp_path: Path, signer) -> None:
    place = Channel(file={"path": str(tmp_path / "missing" / "heads.jsonl")})
    log = AuditLog(tmp_path / "audit", signer=signer, places=[place], seconds=3600, grace=0.05)
    log.append(LOGIN)
    log.flush()
    import time

    time.sleep(0.06)
    with pytest.raises(
        ControlError, match=r"file .*heads.jsonl hasn't taken signed heads for 0.05 s .* no command is sent"
    ):
        log.append(LOGIN)
    (tmp_path / "missing").mkdir()
    log.flush()
    log.append(LOGIN)
    log.close()


def test_a_webhook_is_a_second_place(tmp_path: Path, signer, keys, webhook) -> None:
    with AuditLog(tmp_path / "audit", signer=signer, places=[Channel(webhook={"url": webhook.url})]) as log:
        log.append(LOGIN)
    received = tmp_path / "received.jsonl"
    received.write_text("".join(json.dumps(one) + "\n" for one in webhook.received), encoding="utf-8")
    # The log is gone with its heads: what the webhook has shows that there was one.
    report = verify_audit(tmp_path / "empty", heads=[received], keys=keys)
    assert report.broken == 0
    assert "expected 2 rows, as a signed head states, got 0: the rest was cut" in report.reason


def test_a_log_that_was_cut_takes_no_rows(tmp_path: Path, signer) -> None:
    write_log(tmp_path, 30, signer=signer)
    path = tmp_path / "rows" / "000000000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:20]))
    with pytest.raises(ControlError, match="expected 31 rows at least, got 20: the log was cut"):
        AuditLog(tmp_path, signer=signer)


def test_a_log_that_was_written_anew_takes_no_rows(tmp_path: Path, signer) -> None:
    write_log(tmp_path, 30, signer=signer)
    path = tmp_path / "rows" / "000000000000.jsonl"
    path.unlink()
    write_log(tmp_path, 40)
    with pytest.raises(ControlError, match="has other rows than those whose head was signed"):
        AuditLog(tmp_path, signer=signer)


def test_a_file_that_is_replaced_or_cut_while_it_is_open_is_noticed(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append(LOGIN)
    path = tmp_path / "rows" / "000000000000.jsonl"
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    copy.replace(path)
    with pytest.raises(ControlError, match="was replaced by another file while it was open"):
        log.append(LOGIN)
    # The log reads the new file from its beginning.
    log.append(LOGIN)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))
    with pytest.raises(ControlError, match="which was cut"):
        log.append(LOGIN)


def test_a_closed_log_takes_no_rows(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.close()
    log.close()
    with pytest.raises(ControlError, match="is closed; open it again"):
        log.append(LOGIN)


def test_a_folder_that_another_process_has_locked_for_too_long_is_an_error(tmp_path: Path) -> None:
    from twinlab._locks import Lock

    log = AuditLog(tmp_path, wait=0.05)
    with (
        Lock(tmp_path / "lock", what="the audit"),
        pytest.raises(ControlError, match=r"no command is sent: .* is locked by"),
    ):
        log.append(LOGIN)
    assert log.append(LOGIN).n == 1
