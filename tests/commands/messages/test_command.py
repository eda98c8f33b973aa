"""Commands are read strictly, and are valid for a minute at most."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.commands.messages.conftest import NOW
from twinlab.commands.messages import Command, check_times, new_command, new_stop, read_command
from twinlab.errors import CommandExpiredError, CommandRejectedError
from twinlab.signing.envelopes import read_json


def changed(command: Command, **fields: Any) -> bytes:
    return json.dumps(command.model_dump() | fields).encode()


def test_a_payload_is_read_as_the_command_that_wrote_it(command: Command) -> None:
    assert read_command(command.payload()) == command
    assert (command.expires - command.issued, command.issued) == (timedelta(seconds=30), NOW)


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("NaN", "finite"), ("Infinity", "finite"), ("-Infinity", "finite"), ("1e999", "finite"), ("1" + "0" * 400, "16 digits"),
        ('"6"', "command.value: .*number"), ("true", "command.value: .*number"), ("null", "command.value: .*number"),
        ("[6]", "command.value: .*number"), ('{"a": 6}', "command.value: .*number"),
    ],
)  # fmt: skip
def test_a_value_that_is_no_finite_number_is_refused(command: Command, literal: str, expected: str) -> None:
    raw = changed(command, value=6.5).replace(b"6.5", literal.encode())
    with pytest.raises(CommandRejectedError, match=expected):
        read_command(raw)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"extra": 1}, "command.extra: Extra"), ({"target": "forklift"}, "command.target"), ({"target": "truck/a/b"}, "command.target"),
        ({"operation": "start"}, "command.operation"), ({"operation": "stop"}, "expected the value 0 and the unit 1 for a stop, got 6 km/h"), ({"counter": 0}, "command.counter"), ({"counter": 1.0}, "command.counter"),
        ({"counter": True}, "command.counter"), ({"expected_state": "A" * 64}, "command.expected_state"), ({"reason": ""}, "command.reason"),
        ({"id": "0199"}, "command.id: .*version 7"), ({"id": "9b2f1c1e-6b1f-4a0e-9d5e-111111111111"}, "command.id: .*version 7"),
        ({"issued_at": "2026-03-01T12:00:00Z"}, "command.issued_at"), ({"issued_at": "2026-02-30T12:00:00.000Z"}, "that exists"),
        ({"expires_at": "2026-03-01T12:01:00.001Z"}, "at most 60 s .* got 60.001 s"),
        ({"expires_at": "2026-03-01T12:00:00.000Z"}, "got 0 s"), ({"expires_at": "2026-03-01T11:59:59.000Z"}, "got -1 s"),
        ({"reason": "\ud800"}, "command.reason"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(command: Command, fields: dict[str, Any], expected: str) -> None:
    with pytest.raises(CommandRejectedError, match=expected):
        read_command(changed(command, **fields))


@pytest.mark.parametrize("field", sorted(Command.model_fields))
def test_no_field_may_be_missing(command: Command, field: str) -> None:
    fields = command.model_dump()
    del fields[field]
    with pytest.raises(CommandRejectedError, match=f"command.{field}: Field required"):
        read_command(json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": 1, "a": 1}', "'a' twice"), (b'{"b": {"a": 1, "a": 2}}', "'a' twice"), (b"[" * 8000, "levels"), (b'{"a":' * 2000, "levels"),
        (b'{"a":' * 9 + b"1" + b"}" * 9, "8 levels"), (b'{"a": "' + b"x" * 20_000 + b'"}', "16384 bytes, got 20009"), (b'{"a": "\xff"}', "UTF-8, got the byte 0xff"),
        (b"", "JSON"), (b"{", "JSON"), (b"[]", "object of JSON, got list"), (b"1", "object of JSON, got int"), (b'{"a": 1} x', "JSON"),
    ],
)  # fmt: skip
def test_json_that_two_readers_could_understand_differently_is_refused(raw: bytes, expected: str) -> None:
    with pytest.raises(CommandRejectedError, match=f"envelope: .*{expected}"):
        read_json(raw, what="envelope")


def test_eight_levels_are_read() -> None:
    assert read_json(b'{"a":' * 8 + b"1" + b"}" * 8, what="envelope")


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    ).map(lambda found: json.dumps(found).encode())
)
def test_anything_else_is_refused_without_another_error(raw: bytes) -> None:
    with pytest.raises(CommandRejectedError):
        read_command(raw)


def test_a_command_is_valid_until_the_instant_before_it_expires(command: Command) -> None:
    check_times(command, now=NOW + timedelta(seconds=29.999))
    with pytest.raises(
        CommandExpiredError, match=r"expected an instant after .*12:00:30.000Z, got 2026-03-01T12:00:30.000Z"
    ):
        check_times(command, now=NOW + timedelta(seconds=30))


def test_a_command_from_the_future_is_refused(command: Command) -> None:
    check_times(command, now=NOW - timedelta(seconds=5))
    with pytest.raises(CommandRejectedError, match="issued_at: expected at most 5 s ahead of the clock, got 6 s"):
        check_times(command, now=NOW - timedelta(seconds=6))


def test_commands_have_ids_of_their_own_that_rise_with_time() -> None:
    def made() -> str:
        return new_command(
            "truck/1", "max_speed", 50, "km/h",
            twin="parcel", operation="operate", counter=1, expected_state="0" * 64, reason="ice", now=NOW,
        ).id  # fmt: skip

    ids = [made() for _ in range(50)]
    assert len(set(ids)) == 50
    assert [text[:13] for text in ids] == sorted(text[:13] for text in ids)


def test_a_stop_has_no_setpoint_and_one_spelling() -> None:
    stop = new_stop("forklift/7", "max_speed", twin="parcel", reason="a person in the aisle", now=NOW)
    assert (stop.operation, stop.value, stop.unit) == ("stop", 0.0, "1")
    assert read_command(stop.payload()) == stop
