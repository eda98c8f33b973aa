"""Messages: what is packed comes back, and nothing else is taken for rows."""

from __future__ import annotations

import struct

import google_crc32c
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.edge.handshake import Birth, Reply
from twinlab.edge.messages import Lost, lost_block, pack, pack_readings, parse, unpack_readings
from twinlab.edge.readings import Reading, Readings
from twinlab.errors import SchemaError

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
READING = st.builds(
    Reading,
    tag=st.text(min_size=1, max_size=8),
    time=INT64,
    value=st.none() | st.floats(allow_nan=False),
    text=st.none() | st.text(max_size=12),
    status=st.none() | st.integers(-(1 << 31), (1 << 31) - 1),
)


@given(st.lists(READING, min_size=1, max_size=60), st.integers(1, 1 << 61), st.integers(1, (1 << 64) - 1), INT64)
def test_packed_rows_come_back_exactly(rows: list[Reading], first: int, token: int, sent: int) -> None:
    units = {row.tag: row.tag[:1] for row in rows[::2]}
    readings = Readings.of(rows, units)
    message = parse(pack(token, pack_readings(first, readings), sent))
    assert (message.token, message.first, message.rows, message.sent) == (token, first, len(rows), sent)
    assert isinstance(message.content, Readings)
    assert message.content.rows() == rows
    assert dict(zip(message.content.tags, message.content.units, strict=True)) == {
        r.tag: units.get(r.tag) for r in rows
    }


def test_a_value_that_is_not_a_number_is_kept_as_one() -> None:
    readings = Readings.of([Reading("t", 0, float("nan")), Reading("t", 1)])
    content = parse(pack(1, pack_readings(1, readings), 0)).content
    assert isinstance(content, Readings)
    assert np.isnan(content.values[0])
    assert content.has_value.tolist() == [True, False]


@given(st.lists(READING, max_size=20), st.lists(READING, max_size=20), st.integers(0, 40), st.integers(0, 40))
def test_joined_and_cut_rows_are_the_rows(one: list[Reading], other: list[Reading], start: int, stop: int) -> None:
    joined = Readings.join([Readings.of(one, {"a": "degC"}), Readings.of(other)])
    assert joined.rows() == one + other
    assert joined.part(start, stop).rows() == (one + other)[start:stop]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused(payload: bytes) -> None:
    with pytest.raises(SchemaError):
        parse(payload)


@given(st.lists(READING, min_size=1, max_size=20), st.data())
def test_a_message_with_a_changed_byte_is_refused(rows: list[Reading], data: st.DataObject) -> None:
    payload = bytearray(pack(5, pack_readings(1, Readings.of(rows)), 0))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SchemaError):
        parse(bytes(payload))


@given(st.binary(max_size=120), st.integers(1, 30))
def test_a_body_with_a_right_checksum_and_wrong_contents_is_refused_or_has_the_rows_it_says(
    body: bytes, rows: int
) -> None:
    try:
        found = unpack_readings(body, rows)
    except SchemaError:
        return
    assert len(found) == rows
    assert len(found.rows()) == rows


def test_a_small_message_that_unpacks_to_very_much_is_refused_before_it_does() -> None:
    readings = Readings.of([Reading("t", 0, text="x" * (17 << 20))])
    payload = pack(1, pack_readings(1, readings), 0)
    assert len(payload) < 100_000
    with pytest.raises(SchemaError, match="at most 16777216 bytes"):
        parse(payload)


def test_a_message_of_another_version_says_what_to_do() -> None:
    payload = bytearray(pack(1, pack_readings(1, Readings.of([Reading("t", 0)])), 0))
    payload[4] = 2
    payload[44:48] = struct.pack("<I", google_crc32c.value(bytes(payload[:44])))
    with pytest.raises(
        SchemaError, match="expected b'TWLR' and version 1, got b'TWLR' and 2; gateway and historian need"
    ):
        parse(bytes(payload))


def test_a_report_of_lost_rows_comes_back() -> None:
    lost = Lost({"fast": 3, "slow": 2}, ("older than 60 s",), 5, 9)
    message = parse(pack(1, lost_block(7, 5, lost), 0))
    assert (message.first, message.rows, message.content) == (7, 5, lost)


@pytest.mark.parametrize(
    ("reading", "text"),
    [
        (Reading("", 0), "expected a text of 1 to 65,534 bytes"),
        (Reading("t", 1 << 63), "whole nanoseconds"),
        (Reading("t", 1.5), "whole nanoseconds"),  # type: ignore[arg-type]
        (Reading("t", 0, status=1 << 31), "32 bits"),
        (Reading("t", 0, text="\ud800"), "whole characters"),
    ],
)
def test_a_reading_that_can_not_be_sent_names_its_tag(reading: Reading, text: str) -> None:
    with pytest.raises(SchemaError, match=text):
        Readings.of([reading])


@given(st.integers(1, (1 << 64) - 1), st.dictionaries(st.text(min_size=1), st.none() | st.text()), st.booleans())
def test_births_and_replies_come_back(token: int, units: dict[str, str | None], online: bool) -> None:
    birth = Birth(token, 4, 9, 123, units, online)
    assert Birth.from_json(birth.to_json()) == birth
    for reply in (Reply(token, 3, 8), Reply(token, 3, 8, 10)):
        assert Reply.from_json(reply.to_json()) == reply


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b'{"token": "x"}', b"\xff", b'{"token": "1", "accepted": null}']
)
def test_a_birth_or_reply_that_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(SchemaError):
        Birth.from_json(payload)
    with pytest.raises(SchemaError):
        Reply.from_json(payload)
