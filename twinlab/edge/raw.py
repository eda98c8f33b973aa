"""Rows that aggregation left out, kept on the gateway's disk for a stated time and sent on request."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from twinlab.edge.aggregation import State
from twinlab.edge.handshake import read_object
from twinlab.edge.messages import ROWS, Block, Lost, pack_readings
from twinlab.edge.readings import Readings
from twinlab.errors import SchemaError

__all__ = ["RawRequest", "RawRows"]

_TABLES = """
create table if not exists raw (
    id integer primary key, stream text not null, rows integer not null, low integer not null, high integer not null,
    written integer not null, flags integer not null, size integer not null, checksum integer not null, body blob not null
);
create table if not exists reducers (stream text primary key, state text not null) without rowid;
"""
#: Rows of one request; another request gets the rest.
MAX_REQUESTED = 100_000


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A historian's request for rows that were left out."""

    tags: tuple[str, ...]
    """Patterns, such as ``"temp*"``."""
    start: int
    """ns UTC."""
    stop: int

    def to_json(self) -> bytes:
        """Return the payload."""
        return json.dumps({"tags": self.tags, "start": self.start, "stop": self.stop}).encode()

    @classmethod
    def from_json(cls, payload: bytes) -> RawRequest:
        """Read a payload.

        Raises
        ------
        SchemaError
            If it isn't one.
        """
        found = read_object(payload, "request for rows")
        try:
            return cls(tuple(map(str, found["tags"])), int(found["start"]), int(found["stop"]))
        except (KeyError, TypeError, ValueError) as error:
            msg = f"request for rows: expected tags, start and stop, got {payload[:200]!r}"
            raise SchemaError(msg) from error


class RawRows:
    """Tables of an outbox's file, changed in the outbox's own transactions, so that no kill repeats or loses a row.

    Parameters
    ----------
    database : sqlite3.Connection
        That of the outbox.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database
        self._db.executescript(_TABLES)

    def states(self) -> dict[str, dict[str, State]]:
        """Return the states of the reducers by stream, as they were at the last transaction."""
        return {stream: json.loads(state) for stream, state in self._db.execute("select stream, state from reducers")}

    def store_state(self, stream: str, state: Mapping[str, State]) -> None:
        """Store the state of a reducer."""
        self._db.execute("insert or replace into reducers values (?, ?)", (stream, json.dumps(state)))

    def store(self, stream: str, rows: Readings, *, now: int) -> None:
        """Store rows that were left out; ``now`` is the outbox's clock."""
        block = pack_readings(1, rows)
        self._db.execute(
            "insert into raw (stream, rows, low, high, written, flags, size, checksum, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                stream, len(rows), int(rows.times.min()), int(rows.times.max()), now, block.flags, block.size, block.checksum,
                block.body,
            ),
        )  # fmt: skip

    def forget(self, kept: Mapping[str, float], *, now: int, most_bytes: int) -> None:
        """Delete rows that are older than their streams keep them, seconds, those of other streams at once; the oldest beyond a size."""
        for (stream,) in self._db.execute("select distinct stream from raw").fetchall():
            before = now - int(kept.get(stream, 0) * 1e9)
            self._db.execute("delete from raw where stream = ? and written < ?", (stream, before))
        total = self._db.execute("select coalesce(sum(length(body)), 0) from raw").fetchone()[0]
        gone = []
        for number, size in self._db.execute("select id, length(body) from raw order by id"):
            if total <= most_bytes:
                break
            total -= size
            gone.append((number,))
        self._db.executemany("delete from raw where id = ?", gone)

    def take(self, request: RawRequest) -> Readings | None:
        """Return rows that were left out and delete them; None if there are none. At most 100,000 rows at once."""
        found: list[Readings] = []
        for number, count, flags, size, checksum, body in self._db.execute(
            "select id, rows, flags, size, checksum, body from raw where high >= ? and low < ? order by low",
            (request.start, request.stop),
        ).fetchall():
            content = _content(Block(ROWS, 1, count, body, flags, size, checksum))
            if content is None:
                continue
            names = np.array(
                [any(fnmatchcase(tag, one) for one in request.tags) for tag in content.tags], dtype=np.bool_
            )
            wanted = names[content.codes] & (content.times >= request.start) & (content.times < request.stop)
            if wanted.any():
                found.append(content.where(wanted))
                self._replace(number, content.where(~wanted))
            if sum(map(len, found)) >= MAX_REQUESTED:
                break
        return Readings.join(found) if found else None

    def _replace(self, number: int, rest: Readings) -> None:
        if not len(rest):
            self._db.execute("delete from raw where id = ?", (number,))
            return
        block = pack_readings(1, rest)
        self._db.execute(
            "update raw set rows = ?, flags = ?, size = ?, checksum = ?, body = ? where id = ?",
            (len(rest), block.flags, block.size, block.checksum, block.body, number),
        )


def _content(block: Block) -> Readings | None:
    """Return the rows of a block; None if they are damaged: they are details of rows that were sent."""
    try:
        content = block.content()
    except SchemaError:
        return None
    return None if isinstance(content, Lost) else content
