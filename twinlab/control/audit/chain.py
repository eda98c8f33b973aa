"""Reading the bytes of a log: rows that follow one another, and bytes that a writer didn't finish."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from twinlab.control.audit.merkle import Frontier, leaf_hash
from twinlab.control.audit.rows import NO_ROW, AuditEntry, row_prefix
from twinlab.errors import TwinlabError

__all__ = ["MOST_ROWS_AT_ONCE", "BrokenChainError", "Chain", "TakenRow", "TornBytes", "take_rows", "torn_entry"]

#: Rows that are written together, and acknowledged together once they're durable.
MOST_ROWS_AT_ONCE = 128
_KEYS = {"n", "previous", "at", "kind", "who", "what"}


class BrokenChainError(TwinlabError):
    """A row isn't the one that should be there."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(f"row {row}: {reason}")
        self.row = row
        self.reason = reason


@dataclass(frozen=True)
class TornBytes:
    """Bytes of a row that was never acknowledged, because its writer was killed or its disk was full."""

    offset: int
    """Where they begin in the file."""
    size: int
    noted: bool
    """Whether a later row states them; otherwise they're the end of the file, and the next writer notes them."""


class TakenRow(NamedTuple):
    """A row that follows the ones before it."""

    line: bytes
    """Its bytes, without the line end."""
    leaf: bytes
    """Its hash."""
    fields: dict[str, Any]
    """What its JSON states."""


class Chain:
    """The state of a log after some rows: their number, the hash of the last one, and the tree."""

    def __init__(self, frontier: Frontier | None = None, last: bytes = NO_ROW) -> None:
        self.tree = frontier or Frontier()
        self.last = last

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.tree.size

    def copy(self) -> Chain:
        """Return the same state, which changes by itself from now on."""
        return Chain(self.tree.copy(), self.last)

    def prefix(self) -> bytes:
        """Return the bytes with which the next row begins."""
        return row_prefix(self.count, self.last)

    def take(self, line: bytes) -> bytes:
        """Add a row that begins with the prefix, and return its hash."""
        self.last = leaf_hash(line)
        self.tree.append(self.last)
        return self.last


def take_rows(chain: Chain, data: bytes, base: int = 0) -> Iterator[TakenRow | TornBytes]:
    """Yield whole rows, and torn bytes between or after them; when a row is yielded, the chain is that after it.

    Parameters
    ----------
    chain : Chain
        After the rows before these bytes.
    data : bytes
        A file, or its end.
    base : int
        Offset of the bytes in their file.

    Raises
    ------
    BrokenChainError
        If there is something else than the next row, or than bytes that were never acknowledged.
    """
    start, total = 0, len(data)
    while start < total:
        end = data.find(b"\n", start)
        stop = end if end >= 0 else total
        line = data[start:stop]
        fields = _fields(line)
        if fields is not None and line.startswith(chain.prefix()):
            yield TakenRow(line, chain.take(line), fields)
            start = stop + 1
            continue
        resumed = _resumption(chain, data, start, base)
        if resumed is not None:
            yield TornBytes(base + start, resumed - 1 - start, noted=True)
            start = resumed
            continue
        # Whole rows may follow bytes that never reached the disk: they were written together, and none was acknowledged.
        if fields is None and data.count(b"\n", start) <= MOST_ROWS_AT_ONCE:
            yield TornBytes(base + start, total - start, noted=False)
            return
        raise _broken(chain, fields)


def torn_entry(data: bytes, torn: TornBytes) -> AuditEntry:
    """Return the row that states torn bytes.

    Parameters
    ----------
    data : bytes
        The torn bytes.
    torn : TornBytes
        Where they are.
    """
    return AuditEntry(
        "torn", (), {"offset": torn.offset, "bytes": torn.size, "sha256": hashlib.sha256(data).hexdigest()}
    )


def _fields(line: bytes) -> dict[str, Any] | None:
    """Return what a whole row states, None if the line isn't one."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and fields.keys() == _KEYS else None


def _resumption(chain: Chain, data: bytes, start: int, base: int) -> int | None:
    """Return where the row begins that states the bytes before it as torn, None if none does.

    Raises
    ------
    BrokenChainError
        If the next row is there, and doesn't state them.
    """
    prefix, stop = chain.prefix(), data.find(b"\n", start)
    for _ in range(MOST_ROWS_AT_ONCE + 1):
        if stop < 0:
            return None
        end = data.find(b"\n", stop + 1)
        line = data[stop + 1 : end if end >= 0 else len(data)]
        fields = _fields(line) if line.startswith(prefix) else None
        if fields is not None:
            # A power cut leaves a later row behind such bytes, never the next one: only a note of them may be that.
            torn = TornBytes(base + start, stop - start, noted=True)
            if fields["kind"] == "torn" and fields["what"] == torn_entry(data[start:stop], torn).what:
                return stop + 1
            raise BrokenChainError(
                chain.count, "expected it to follow the row before it, or to state the bytes between them"
            )
        stop = end
    return None


def _broken(chain: Chain, fields: dict[str, Any] | None) -> BrokenChainError:
    if fields is None:
        return BrokenChainError(chain.count, "expected a row of JSON, got other bytes")
    if fields["n"] != chain.count:
        return BrokenChainError(chain.count, f"expected the row of this number, got row {fields['n']!r:.40}")
    if chain.count == 0:
        return BrokenChainError(0, "expected a first row without a row before it, got one that follows another")
    reason = f"expected the row that row {chain.count} was written after, got other bytes (or row {chain.count} is another one)"
    return BrokenChainError(chain.count - 1, reason)
