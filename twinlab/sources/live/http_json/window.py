"""The rows of a table that are known: those of the overlap come with each poll again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from twinlab.sources.base import Problem
from twinlab.sources.live.http_json.options import ServiceTable

__all__ = ["Window", "change_of"]

#: Rows that are remembered, at most; of more, the oldest come again with the next poll, which changes no value.
_MOST_KNOWN = 500_000
_SECOND = 10**9


class Window:
    """Drops rows that are known, and says from where on the next poll reads.

    Parameters
    ----------
    table : ServiceTable
    overlap : int
        How long before the newest row a poll begins, ns; rows with numbers have no overlap.
    until : int, optional
        All rows that changed before are durable: a time in ns, or a number.
    """

    def __init__(self, table: ServiceTable, *, overlap: int, until: int | None = None) -> None:
        self._numbered = table.times == "number"
        self._table, self._overlap = table, 0 if self._numbered else overlap
        self.until = until
        """The newest change of the polls that are done."""
        self._newest = until
        # Key -> (time of the change, digest), in the order in which they came.
        self._known: dict[str, tuple[int | None, bytes]] = {}
        self._seen: set[str] = set()

    def since(self) -> str | None:
        """Return the value of the query's parameter for the next poll; None if it reads everything."""
        if self._table.since is None or self.until is None:
            return None
        low = self.until - self._overlap
        if self._numbered:
            return str(low)
        if self._table.times == "iso":
            return datetime.fromtimestamp(low // _SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return str(low // (_SECOND if self._table.times == "s" else 10**6))

    @property
    def low(self) -> int | None:
        """From when on the next poll reads, ns UTC, or its number; None if it reads everything."""
        return None if self.until is None else self.until - self._overlap

    def begin(self) -> None:
        """Note that a poll begins."""
        self._newest = self.until
        self._seen.clear()

    def fresh(self, rows: Iterable[dict[str, Any] | Problem]) -> Iterator[dict[str, Any] | Problem]:
        """Yield the rows that are new or have changed."""
        for row in rows:
            at = None
            if isinstance(row, Problem):
                key = text = f"{row.reason}: {row.text}"
            else:
                key = json.dumps([row.get(column) for column in self._table.key], default=str)
                text = json.dumps(row, sort_keys=True, default=str)
                at = change_of(row.get(self._table.updated or ""), self._table.times)
            digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
            self._seen.add(key)
            if at is not None:
                self._newest = at if self._newest is None else max(self._newest, at)
            before = self._known.pop(key, None)
            self._known[key] = at, digest
            if len(self._known) > _MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            if before is None or before[1] != digest:
                yield row

    def end(self, now: int) -> bool:
        """Note that a poll is done; return whether `until` has moved on."""
        before = self.until
        if self._newest is not None:
            # One row of the future must not hide all others.
            newest = self._newest if self._numbered else min(self._newest, now)
            self.until = max(newest, before or 0)
        if self._table.since is None:
            self._known = {key: one for key, one in self._known.items() if key in self._seen}
        elif self.until is not None:
            low = self.until - self._overlap - (0 if self._numbered else _SECOND)
            self._known = {key: one for key, one in self._known.items() if one[0] is None or one[0] >= low}
        self._seen.clear()
        return self.until != before

    def back_to(self, start: int) -> None:
        """Let the next poll read, and yield, all rows from a time on."""
        self.until = start + self._overlap if self.until is None else min(self.until, start + self._overlap)
        self._known.clear()


def change_of(value: object, times: str) -> int | None:
    """Return the time of a change in ns UTC, or its number; None if it can't be read.

    >>> change_of("2026-03-01T01:00:00+01:00", "iso"), change_of(1772323200500, "ms"), change_of("soon", "iso")
    (1772323200000000000, 1772323200500000000, None)
    """
    try:
        if times == "iso":
            at = datetime.fromisoformat(str(value))
            return round((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1e6) * 1000
        if times == "number":
            return int(str(value))
        return round(float(str(value)) * 1000) * (10**6 if times == "s" else 1000)
    except (ValueError, OverflowError):
        return None
