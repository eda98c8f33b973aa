"""The messages of pgoutput, written by hand: what they say, and what is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.sources.live.postgres.pgoutput import Begin, Commit, Decoder, Row, Truncated
from twinlab.sources.live.postgres.place import Place, lsn_text, lsn_value


def relation(number: int = 7, *, identity: bytes = b"f", columns: tuple[str, ...] = ("id", "note")) -> bytes:
    out = b"R" + struct.pack(">I", number) + b"public\0order\0" + identity + struct.pack(">h", len(columns))
    for name in columns:
        out += b"\1" + name.encode() + b"\0" + struct.pack(">Ii", 25, -1)
    return out


def values(*given: bytes | type[Ellipsis] | None) -> bytes:
    out = struct.pack(">h", len(given))
    for one in given:
        out += b"n" if one is None else b"u" if one is Ellipsis else b"t" + struct.pack(">i", len(one)) + one  # type: ignore[operator, arg-type]
    return out


def change(kind: bytes, *parts: bytes, number: int = 7) -> bytes:
    return kind + struct.pack(">I", number) + b"".join(parts)


@pytest.fixture
def decoder() -> Decoder:
    made = Decoder()
    assert list(made.decode(relation())) == []
    return made


def test_inserts_updates_and_deletes_are_rows(decoder: Decoder) -> None:
    def rows(message: bytes) -> list[tuple[tuple[bytes | None, ...], bool]]:
        return [(one.values, one.retracts) for one in decoder.decode(message) if isinstance(one, Row)]

    assert rows(change(b"I", b"N", values(b"1", None))) == [((b"1", None), False)]
    assert rows(change(b"U", b"O", values(b"1", b"a"), b"N", values(b"1", b"b"))) == [
        ((b"1", b"a"), True),
        ((b"1", b"b"), False),
    ]
    assert rows(change(b"D", b"O", values(b"1", b"b"))) == [((b"1", b"b"), True)]
    # A long value that hasn't changed isn't sent again.
    assert rows(change(b"U", b"O", values(b"1", b"long"), b"N", values(b"2", ...)))[1] == ((b"2", b"long"), False)
    # Nothing has changed.
    assert rows(change(b"U", b"O", values(b"1", b"b"), b"N", values(b"1", ...))) == []


def test_transactions_and_truncations(decoder: Decoder) -> None:
    begin, commit = b"B" + struct.pack(">qqi", 500, 1_000_000, 9), b"C" + struct.pack(">bqqq", 0, 500, 520, 0)
    assert list(decoder.decode(begin)) == [Begin(500, 946_684_801 * 10**9)]
    assert list(decoder.decode(commit)) == [Commit(520)]
    (found,) = decoder.decode(b"T" + struct.pack(">ibI", 1, 0, 7))
    assert isinstance(found, Truncated)
    assert [one.name for one in found.relations] == ["order"]
    for other in (b"Y\0\0\0\1public\0t\0", b"O\0\0\0\0\0\0\0\1origin\0", b"M\0"):
        assert list(decoder.decode(other)) == []


def test_an_old_row_that_is_not_whole_is_refused_with_the_command() -> None:
    decoder = Decoder()
    list(decoder.decode(relation(identity=b"d")))
    assert len(list(decoder.decode(change(b"I", b"N", values(b"1", None))))) == 1
    with pytest.raises(SchemaError, match='ALTER TABLE "public"."order" REPLICA IDENTITY FULL'):
        list(decoder.decode(change(b"D", b"K", values(b"1", None))))


@given(st.binary(max_size=60))
def test_damaged_messages_are_refused(message: bytes) -> None:
    decoder = Decoder()
    list(decoder.decode(relation()))
    try:
        list(decoder.decode(message))
    except SchemaError as error:
        assert "pgoutput" in str(error) or "REPLICA" in str(error)


@given(st.integers(0, 2**63 - 1))
def test_places_are_written_as_the_server_writes_them(place: int) -> None:
    assert lsn_value(lsn_text(place)) == place


def test_a_part_of_a_transaction_is_continued() -> None:
    decoder = Decoder()
    list(decoder.decode(relation()))
    (row,) = decoder.decode(change(b"I", b"N", values(b"1", None)))
    place = Place(100)
    for one in (Begin(150, 5), row, row):
        place = place.after(one)  # type: ignore[arg-type]
    assert (place.end, place.commit, place.rows) == (100, 150, 2)
    assert not place.knows(Begin(150, 5))
    done = place.after(Commit(160))
    assert done == Place(160, 5)
    assert done.knows(Begin(150, 5))
    assert not done.knows(Begin(160, 6))
    assert Place.from_json(None) is None
