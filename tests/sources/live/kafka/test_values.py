"""Values of messages as objects, and messages as rows: nothing is guessed, and what can't be read says why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from twinlab.errors import SchemaError
from twinlab.sources.live import LIVE_KINDS
from twinlab.sources.live.kafka.messages import TopicReader
from twinlab.sources.live.kafka.options import TopicRule
from twinlab.sources.live.kafka.values import decoder_of, key_columns

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
OBJECTS = st.dictionaries(st.text(st.characters(exclude_characters="."), min_size=1), CELLS, min_size=1)


@dataclass
class Sent:
    """A message as the client library has it."""

    content: bytes | None
    at: int = 0
    of: bytes | None = None
    more: tuple[tuple[str, bytes | None], ...] = ()
    kind: int = 1

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at

    def value(self) -> bytes | None:
        return self.content

    def key(self) -> bytes | None:
        return self.of

    def headers(self) -> Any:
        return list(self.more) or None

    def timestamp(self) -> tuple[int, int]:
        return self.kind, 1_000 + self.at


@given(st.lists(OBJECTS, min_size=1))
def test_an_object_a_list_and_lines_have_the_same_rows(objects: list[dict[str, Any]]) -> None:
    decode = decoder_of(TopicRule())
    whole = [decode(json.dumps(one).encode()) for one in objects]
    assert [row for rows in whole for row in rows] == objects
    assert decode(json.dumps(objects).encode()) == objects
    assert decode("\n".join(json.dumps(one) for one in objects).encode()) == objects


@given(st.binary())
def test_any_bytes_are_rows_or_a_reason(value: bytes) -> None:
    for form in ("json", "csv", "number", "text"):
        try:
            rows = decoder_of(TopicRule(format=form))(value)
        except SchemaError as error:
            assert str(error)
        else:
            assert all(isinstance(row, dict) for row in rows)


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        ({}, b"", "expected JSON, got an empty value"),
        ({}, b"\xff\xfe", "expected text in UTF-8, got the byte 0xff at 0"),
        ({}, b'{"a": 1', "not JSON: Expecting ',' delimiter at character 8"),
        ({}, b"[1, 2]", "a JSON int where an object was expected"),
        ({}, b"[" * 100_000, "not JSON that can be read"),
        ({"format": "number"}, b"4,5", "expected a number, got '4,5'"),
        ({"format": "number"}, b"nan", "expected a number, got 'nan'"),
        ({"format": "csv"}, b"1,2", "expected a line with the names of the columns and lines of cells, got 1 lines"),
        ({"format": "csv", "columns": ["a", "b"]}, b"1,2\n3", r"expected 2 cells \(a, b\), got 1 in line 2"),
        ({"format": "csv", "columns": ["a"]}, b'"x', "not CSV"),
        ({"format": "csv", "columns": ["a"]}, b"\n", "expected lines of cells, got none"),
    ],
)
def test_what_cannot_be_read_says_why(rule: dict[str, Any], value: bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        decoder_of(TopicRule(**rule))(value)


def test_cells_of_csv_become_numbers_where_they_are() -> None:
    reader = TopicReader("t", TopicRule(format="csv", columns=["id", "kg"], delimiter=";"), (), texts=["id"])
    found = reader.read([Sent(b"007;1.5\n" * 20 + b"008;2"), Sent(b"009;x", 1)])
    assert found.batch is not None
    assert found.batch.rows.to_pylist()[-2:] == [
        {"id": "008", "kg": 2.0, "kg\u241ftext": None},
        {"id": "009", "kg": None, "kg\u241ftext": "x"},
    ]
    assert found.batch.row_numbers.tolist() == [0] * 21 + [1]


def test_key_time_place_and_headers_are_columns_that_a_value_cannot_take() -> None:
    reader = TopicReader("t", TopicRule(), ("key", "timestamp", "timestamp_type", "partition", "offset", "headers"))
    headers = (("unit", b"degC"), ("unit", b"\xff"), ("empty", None))
    messages = [Sent(b'{"kafka.offset": "mine"}', 7, b"\x00\xff", headers, kind=2), Sent(b"{}", 8, None, kind=0)]
    found = reader.read(messages)
    assert found.batch is not None
    assert found.batch.rows.to_pylist() == [
        {
            "kafka.offset__2": "mine", "kafka.key": "00ff", "kafka.timestamp": 1_007, "kafka.timestamp_type": "LogAppendTime",
            "kafka.partition": 0, "kafka.offset": 7, "kafka.header.unit": "degC", "kafka.header.unit__2": "ff", "kafka.header.empty": None,
        },
        {
            "kafka.offset__2": None, "kafka.key": None, "kafka.timestamp": None, "kafka.timestamp_type": None,
            "kafka.partition": 0, "kafka.offset": 8, "kafka.header.unit": None, "kafka.header.unit__2": None, "kafka.header.empty": None,
        },
    ]  # fmt: skip
    assert found.last_ms == 1_007


def test_tombstones_withdraw_by_their_key_or_are_counted() -> None:
    plain = TopicReader("t", TopicRule(), ()).read([Sent(None, 0, b"7"), Sent(b'{"kg": 1}', 1, b"7")])
    assert plain.tombstones == 1
    assert plain.batch is not None
    assert plain.batch.retracts is None
    keyed = TopicReader("t", TopicRule(key=["id"]), ()).read(
        [Sent(b'{"kg": 1}', 0, b"7"), Sent(None, 1, b"7"), Sent(None, 2)]
    )
    assert keyed.batch is not None
    assert keyed.batch.rows.to_pylist() == [{"id": 7, "kg": 1}, {"id": 7, "kg": None}]
    assert keyed.batch.retracts is not None
    assert keyed.batch.retracts.tolist() == [False, True]
    (lost,) = keyed.unreadable
    assert (lost.place, lost.content, lost.reason) == ("t/0/2", b"", "expected a key for id, got none")


def test_a_key_of_several_columns_is_an_object() -> None:
    assert key_columns(b'{"site": "a", "no": 3, "x": 0}', ["site", "no"]) == {"site": "a", "no": 3}
    with pytest.raises(SchemaError, match="expected a key that is a JSON object with site, no"):
        key_columns(b"a", ["site", "no"])


def test_what_is_unreadable_keeps_its_bytes_key_headers_and_time() -> None:
    (found,) = TopicReader("t", TopicRule(), ()).read([Sent(b"\xff", 5, b"k", (("a", b"b"),))]).unreadable
    assert (found.place, found.content, found.key, found.headers, found.time_ns) == (
        "t/0/5",
        b"\xff",
        b"k",
        '{"a": "b"}',
        1_005_000_000,
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"topics": {"t": {"format": "xml"}}}, "expected one of json, csv, number, text, got 'xml'"),
        ({"topics": {"t": {"columns": ["a"]}}}, "the key 'columns' is not used: it belongs to the format csv"),
        ({"topics": {"t": {"start": "yesterday"}}}, "expected earliest, latest or a time such as"),
        (
            {"topics": {"a": {"table": "x"}, "b": {"table": "x"}}},
            "expected a table for each topic, got 'x' for several",
        ),
        ({"servers": ["kafka"]}, "servers"),
        (
            {"servers": ["kafka:9092"], "login": {"user": "u", "password": "${P}"}},
            "expected `tls: true`: a password that is sent to kafka:9092",
        ),
        ({"login": {"user": "u", "password": "secret"}}, "a secret doesn't belong in a file"),
        ({"ca": "ca.pem"}, "the key 'ca' is not used without `tls: true`"),
        ({"tls": True, "certificate": "c.pem"}, "expected certificate and private_key, or neither"),
    ],
)
def test_options_that_do_not_fit_are_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LIVE_KINDS.get("kafka").parse({"servers": ["127.0.0.1:9092"], "topics": ["t"], **changed})
