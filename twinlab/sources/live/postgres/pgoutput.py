"""The messages of PostgreSQL's output plugin pgoutput, protocol version 1. Pure: no connection."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from twinlab.errors import SchemaError

__all__ = ["Begin", "Commit", "Decoder", "Relation", "Row", "Truncated"]

#: Seconds from 1970 to 2000, where PostgreSQL's times begin.
_EPOCH = 946_684_800


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as the transaction saw it."""

    schema: str
    name: str
    full: bool
    """Whether it has REPLICA IDENTITY FULL: old rows come whole."""
    columns: tuple[str, ...]
    types: tuple[int, ...]
    """Numbers of the types."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins."""

    commit: int
    """Place of its commit in the log."""
    time_ns: int
    """When it was committed, ns UTC by the server's clock."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The transaction ends."""

    end: int
    """Place in the log after it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is there now, or that isn't any more."""

    relation: Relation
    values: tuple[bytes | None, ...]
    """As text in the client's encoding; None is NULL."""
    retracts: bool = False
    """Whether it was deleted, or replaced by the next row."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """All rows of some tables were deleted at once."""

    relations: tuple[Relation, ...]


class Decoder:
    r"""Decodes the messages of one session; the server describes each table before its first row.

    Examples
    --------
    >>> decoder = Decoder()
    >>> table = b"R\0\0\0\x09public\0t\0f\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff"
    >>> list(decoder.decode(table))
    []
    >>> [(row.values, row.retracts) for row in decoder.decode(b"D\0\0\0\x09O\0\x01t\0\0\0\x0242")]
    [((b'42',), True)]
    """

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}

    def decode(self, message: bytes) -> Iterator[Begin | Commit | Row | Truncated]:
        """Yield what a message says.

        Raises
        ------
        SchemaError
            If it can't be read, or an old row isn't whole.
        """
        reader, kind = _Reader(message), message[:1]
        try:
            reader.take(1)
            if kind == b"B":
                commit, micros = reader.numbers(">qq")
                yield Begin(commit, micros * 1_000 + _EPOCH * 10**9)
            elif kind == b"C":
                _, _, end = reader.numbers(">bqq")
                yield Commit(end)
            elif kind == b"R":
                self._describe(reader)
            elif kind in b"IUD":
                yield from self._rows(kind, reader)
            elif kind == b"T":
                count, _ = reader.numbers(">ib")
                yield Truncated(tuple(self._relations[reader.number(">I")] for _ in range(count)))
            # Others (types, origins, messages of applications) change no row.
        except (struct.error, KeyError, IndexError, ValueError) as error:
            if isinstance(error, SchemaError):
                raise
            msg = f"message {kind!r} of pgoutput: it can't be read ({error}); expected protocol version 1, got {message[:60]!r}"
            raise SchemaError(msg) from error

    def _describe(self, reader: _Reader) -> None:
        number = reader.number(">I")
        schema, name, identity = reader.text(), reader.text(), reader.byte()
        columns, types = [], []
        for _ in range(reader.number(">h")):
            reader.byte()
            columns.append(reader.text())
            types.append(reader.number(">I"))
            reader.number(">i")
        self._relations[number] = Relation(schema or "pg_catalog", name, identity == b"f", tuple(columns), tuple(types))

    def _rows(self, kind: bytes, reader: _Reader) -> Iterator[Row]:
        relation = self._relations[reader.number(">I")]
        if kind != b"I" and not relation.full:
            table = f'"{relation.schema}"."{relation.name}"'
            msg = (
                f"table {table}: a row was changed or deleted, and the server doesn't say which values it had: "
                f"run  ALTER TABLE {table} REPLICA IDENTITY FULL"
            )
            raise SchemaError(msg)
        old: tuple[bytes | None, ...] = ()
        if kind != b"I":
            reader.byte()
            old = reader.row(())
        if kind == b"D":
            yield Row(relation, old, retracts=True)
            return
        reader.byte()
        new = reader.row(old)
        if new == old:
            return
        if kind == b"U":
            yield Row(relation, old, retracts=True)
        yield Row(relation, new)


class _Reader:
    """Reads bytes from the front to the back."""

    def __init__(self, message: bytes) -> None:
        self._message, self._at = message, 0

    def numbers(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(form, self._message, self._at)
        self._at += struct.calcsize(form)
        return found

    def number(self, form: str) -> int:
        return self.numbers(form)[0]

    def byte(self) -> bytes:
        return self.take(1)

    def take(self, size: int) -> bytes:
        part = self._message[self._at : self._at + size]
        if len(part) != size:
            msg = f"expected {size} bytes at {self._at}, got {len(part)}"
            raise ValueError(msg)
        self._at += size
        return part

    def text(self) -> str:
        end = self._message.index(b"\0", self._at)
        return str(self.take(end - self._at + 1)[:-1], "utf-8")

    def row(self, old: tuple[bytes | None, ...]) -> tuple[bytes | None, ...]:
        """Return the values of a row. Long ones that haven't changed are those of the old row."""
        values: list[bytes | None] = []
        for place in range(self.number(">h")):
            kind = self.byte()
            if kind == b"t":
                values.append(self.take(self.number(">i")))
            elif kind == b"u":
                values.append(old[place])
            elif kind == b"n":
                values.append(None)
            else:
                msg = f"expected a value of the kind t, u or n, got {kind!r}"
                raise ValueError(msg)
        return tuple(values)
