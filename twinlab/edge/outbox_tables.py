"""Tables of an outbox's file, and errors of the disk it is on."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twinlab.edge.handshake import RUNS
from twinlab.edge.messages import Block
from twinlab.errors import SourceError

__all__ = ["COLUMNS", "TABLES", "begin_run", "disk", "row"]

TABLES = """
create table if not exists state (name text primary key, number integer not null) without rowid;
create table if not exists blocks (
    first integer primary key, kind integer not null, rows integer not null, stream text not null,
    low integer not null, high integer not null, written integer not null,
    flags integer not null, size integer not null, checksum integer not null, body blob not null
);
create table if not exists runs (opened integer primary key, number integer not null);
create index if not exists by_age on blocks (stream, kind, written);
"""
COLUMNS = "first, kind, rows, flags, size, checksum, body"


def row(block: Block, stream: str, low: int, high: int, now: int) -> tuple[object, ...]:
    """Return the row of the table of blocks."""
    return (
        block.first, block.kind, block.rows, stream, low, high, now, block.flags, block.size, block.checksum, block.body,
    )  # fmt: skip


def begin_run(db: sqlite3.Connection, opened: int) -> tuple[tuple[int, int], ...]:
    """Note in a transaction that rows are written from a sequence on; return the latest runs, this one included.

    A copy of the file notes another random number for it.
    """
    db.execute("insert or replace into runs values (?, ?)", (opened, secrets.randbits(32)))
    db.execute("delete from runs where opened not in (select opened from runs order by opened desc limit ?)", (RUNS,))
    return tuple(db.execute("select opened, number from runs order by opened"))


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Give errors of SQLite as errors of the outbox."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        msg = (
            f"outbox {path}: {error}. Free the disk or repair the file; rows that weren't stored have to be written again. "
            "A file that can't be repaired is moved aside: a new outbox begins another epoch."
        )
        raise SourceError(msg) from error
