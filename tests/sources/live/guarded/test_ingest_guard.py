"""The guard of ingest: what it takes, what it quarantines and why, and what it notes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from twinlab.edge.handshake import Birth
from twinlab.edge.messages import pack, pack_readings
from twinlab.edge.readings import Reading, Readings
from twinlab.edge.signatures.signed_bytes import sign_message
from twinlab.errors import SchemaError
from twinlab.signing.keys.private_keys import public_text
from twinlab.sources.live.acceptance import Accepted
from twinlab.sources.live.guarded.ingest_guard import IngestGuard

KEY = Ed25519PrivateKey.generate()


class Time:
    now = 1_000.0


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def guard(tmp_path: Path, time: Time) -> IngestGuard:
    keys = {"people": {}, "devices": {"truck-1": {"keys": [{"public": public_text(KEY)}]}}}
    (tmp_path / "keys.yaml").write_text(yaml.safe_dump(keys))
    return IngestGuard(
        "trucks", tmp_path, keys=tmp_path / "keys.yaml", unsigned=["old-*"], clock=lambda: time.now,
        wall=lambda: int(time.now * 1e9),
    )  # fmt: skip


def birth(token: int = 7, *runs: int, first: int = 1, online: bool = True) -> bytes:
    made = Birth(token, first, 0, 0, {}, online=online, runs=tuple((n, n) for n in runs or (1,)))
    return sign_message(made.to_json(), kind="birth", gateway="truck-1", key=KEY)


def rows(first: int = 1, count: int = 10, *, token: int = 7, sent: int = 0) -> bytes:
    readings = Readings.of([Reading("t", n, 1.0) for n in range(count)])
    message = pack(token, pack_readings(first, readings), sent)
    return sign_message(message, kind="rows", gateway="truck-1", key=KEY)


def reasons(guard: IngestGuard) -> list[str]:
    return sorted(one.reason for one in guard.quarantine.entries())


def take(guard: IngestGuard, payload: bytes) -> None:
    message = guard.rows("truck-1", payload)
    assert message is not None
    guard.acknowledged([Accepted("truck-1", message.token, 1, message.first, message.rows, message.content)])


def test_rows_after_a_handshake_are_taken_and_known(guard: IngestGuard) -> None:
    assert guard.birth("truck-1", birth()) is not None
    take(guard, rows())
    stream = guard.streams["truck-1"]
    assert (stream.signed, stream.sequence, stream.epoch, stream.quarantined) == (True, 10, f"{7:016x}", 0)
    assert reasons(guard) == []


def test_a_handshake_that_is_sent_again_later_is_not_taken(guard: IngestGuard) -> None:
    first = birth(7, 1)
    assert guard.birth("truck-1", first) is not None
    assert guard.birth("truck-1", birth(7, 1, 50)) is not None
    assert guard.birth("truck-1", first) is None
    assert guard.birth("truck-1", birth(8)) is not None
    assert guard.birth("truck-1", first) is None
    assert reasons(guard) == ["earlier epoch", "sequence again"]


def test_rows_of_an_earlier_epoch_or_acknowledged_long_ago_are_not_taken(guard: IngestGuard, time: Time) -> None:
    guard.birth("truck-1", birth())
    take(guard, rows())
    take(guard, rows())  # sent again at once: no regression
    time.now += 100
    take(guard, rows(11))
    assert guard.rows("truck-1", rows()) is None
    guard.birth("truck-1", birth(8))
    time.now += 100
    assert guard.rows("truck-1", rows(21)) is None
    assert reasons(guard) == ["earlier epoch", "sequence again"]


def test_after_a_restart_what_the_ledger_has_counts(guard: IngestGuard, time: Time) -> None:
    guard.restore([("truck-1", 6, 1, 900), ("truck-1", 7, 2, 10)])
    assert guard.birth("truck-1", birth(6)) is None
    assert guard.birth("truck-1", birth(7)) is not None
    time.now += 100
    assert guard.rows("truck-1", rows()) is None
    assert guard.rows("truck-1", rows(11)) is not None
    assert reasons(guard) == ["earlier epoch", "sequence again"]


def test_copies_that_differ_in_the_time_of_sending_are_one_entry(guard: IngestGuard) -> None:
    for sent in range(5):
        assert guard.rows("truck-1", rows(sent=sent)) is None
    assert len(guard.quarantine) == 1
    assert guard.streams["truck-1"].quarantined == 5


def test_without_keys_that_can_be_read_nothing_is_taken_and_nothing_is_quarantined(
    guard: IngestGuard, tmp_path: Path, time: Time
) -> None:
    guard.birth("truck-1", birth())
    (tmp_path / "keys.yaml").write_text("people: [")
    time.now += 2
    with pytest.raises(SchemaError, match="takes no message of a gateway"):
        guard.rows("truck-1", rows())
    assert reasons(guard) == []
    with pytest.raises(SchemaError, match=r"keys\.yaml"):
        IngestGuard("trucks", tmp_path, keys=tmp_path / "keys.yaml")


def test_who_may_send_unsigned_is_named(guard: IngestGuard) -> None:
    plain = pack(9, pack_readings(1, Readings.of([Reading("t", 0, 1.0)])), 0)
    assert guard.birth("old-1", Birth(9, 1, 0, 0, {}).to_json()) is not None
    assert guard.rows("old-1", plain) is not None
    assert guard.streams["old-1"].signed is False
    assert guard.rows("new-1", plain) is None
    # A signature that doesn't count isn't better than none.
    assert (
        guard.rows("old-1", sign_message(plain, kind="rows", gateway="old-1", key=Ed25519PrivateKey.generate())) is None
    )
    assert reasons(guard) == ["unknown key", "unsigned"]


def test_without_a_ring_signed_and_unsigned_messages_are_taken(tmp_path: Path) -> None:
    guard = IngestGuard("trucks", tmp_path)
    assert guard.birth("truck-1", birth()) is not None
    assert guard.rows("truck-1", rows()) is not None
    assert guard.streams["truck-1"].signed is False


def test_what_is_noted_is_one_line_in_ten_seconds_with_its_number_and_traffic_one_a_minute(
    guard: IngestGuard, tmp_path: Path, time: Time
) -> None:
    guard.birth("truck-1", birth())
    take(guard, rows())
    for sent in range(30):
        guard.rows("truck-2", rows(sent=sent))
    time.now += 61
    guard.look()
    lines = [json.loads(line) for line in (tmp_path / "live" / "security.jsonl").read_text().splitlines()]
    assert [(one["kind"], one["client"], one["count"]) for one in lines] == [
        ("key of another", "truck-2", 1), ("key of another", "truck-2", 29), ("traffic", "truck-1", 10),
    ]  # fmt: skip


def test_a_released_handshake_is_the_gateways_epoch(guard: IngestGuard) -> None:
    guard.birth("truck-1", birth(7))
    guard.birth("truck-1", birth(8))
    assert guard.birth("truck-1", birth(7)) is None
    (entry,) = guard.quarantine.entries()
    guard.quarantine.decide(entry.id, "released", by="Noor", note="the old disk is back")
    (found,) = guard.look()
    guard.taken_released("truck-1", Birth.from_json(found.message))
    assert guard.rows("truck-1", rows()) is not None
    assert guard.look() == []
    assert [one.state for one in guard.quarantine.entries()] == ["ingested"]


def test_a_handshake_that_nobody_signed_begins_no_epoch(guard: IngestGuard) -> None:
    plain = Birth(7, 1, 0, 0, {}).to_json()
    assert guard.birth("truck-1", plain) is None
    assert guard.birth("truck-1", sign_message(plain, kind="birth", gateway="truck-2", key=KEY)) is None
    assert guard.rows("truck-1", rows()) is None
    assert reasons(guard) == ["changed", "no handshake", "unsigned"]
