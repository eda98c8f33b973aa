"""Texts with a kind, a name and versions, such as plans; of two servers that change one at once, only one does."""

from __future__ import annotations

import time
from dataclasses import dataclass

import sqlalchemy as sa

from twinlab.database.connection import NewerVersionError, SharedDatabase
from twinlab.database.tables import DOCUMENTS

__all__ = ["Document", "Documents"]


@dataclass(frozen=True, slots=True)
class Document:
    """One version."""

    name: str
    version: int
    """1 for the first."""
    text: str
    author: str
    time: int
    """ns UTC."""


class Documents:
    """The documents of one kind.

    Parameters
    ----------
    database : SharedDatabase
    kind : str
        Such as "plan".
    """

    def __init__(self, database: SharedDatabase, kind: str) -> None:
        self.database, self.kind = database, kind

    def put(
        self, name: str, text: str, *, author: str = "", after: int | None = None, time_ns: int | None = None
    ) -> Document:
        """Write a new version, which is durable when this returns.

        Parameters
        ----------
        name, text, author : str
        after : int, optional
            The version that was changed, 0 for none; by default whatever is the newest.
        time_ns : int, optional
            When; now by default.

        Raises
        ------
        HistoryConflictError
            If there is a newer version than ``after``; nothing is written then.
        """

        def work(connection: sa.Connection) -> Document:
            self.database.one_at_a_time(connection, f"{self.kind} {name}")
            query = sa.select(sa.func.max(DOCUMENTS.c.version)).where(self._named(name))
            newest = int(connection.execute(query).scalar_one() or 0)
            if after is not None and newest != after:
                msg = (
                    f"{self.kind} {name!r}: expected version {after} to be the newest, another server has written version {newest}: "
                    "read it, then change it again. Nothing was written"
                )
                raise NewerVersionError(msg)
            made = Document(name, newest + 1, text, author, time.time_ns() if time_ns is None else time_ns)
            values = {"kind": self.kind, **{one: getattr(made, one) for one in Document.__slots__}}
            connection.execute(sa.insert(DOCUMENTS).values(values))
            return made

        return self.database.run(work)

    def get(self, name: str) -> Document | None:
        """Return the newest version of a document, or None."""
        found = self._read(self._named(name), newest=True)
        return found[0] if found else None

    def all(self) -> list[Document]:
        """Return the newest version of each document, that with the latest time first."""
        return self._read(DOCUMENTS.c.kind == self.kind, newest=True)

    def versions(self, name: str) -> list[Document]:
        """Return all versions of a document, the oldest first."""
        return sorted(self._read(self._named(name), newest=False), key=lambda one: one.version)

    def state(self) -> tuple[int, int]:
        """Return two numbers that differ after each change: how many versions there are, and when the last one was written."""
        query = sa.select(sa.func.count(), sa.func.max(DOCUMENTS.c.time)).where(DOCUMENTS.c.kind == self.kind)
        count, last = self.database.run(lambda connection: connection.execute(query).one(), writes=False)
        return int(count), int(last or 0)

    def _named(self, name: str) -> sa.ColumnElement[bool]:
        return sa.and_(DOCUMENTS.c.kind == self.kind, DOCUMENTS.c.name == name)

    def _read(self, which: sa.ColumnElement[bool], *, newest: bool) -> list[Document]:
        query = sa.select(DOCUMENTS).where(which)
        if newest:
            other = DOCUMENTS.alias()
            same = sa.and_(other.c.kind == DOCUMENTS.c.kind, other.c.name == DOCUMENTS.c.name)
            last = sa.select(sa.func.max(other.c.version)).where(same).scalar_subquery()
            query = query.where(DOCUMENTS.c.version == last)
        query = query.order_by(DOCUMENTS.c.time.desc(), DOCUMENTS.c.name)
        rows = self.database.run(lambda connection: connection.execute(query).mappings().all(), writes=False)
        return [
            Document(str(one["name"]), int(one["version"]), str(one["text"]), str(one["author"]), int(one["time"]))
            for one in rows
        ]
