"""Rows of an audit: what they state, and the one way in which they are written as bytes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinlab.control.audit.kinds import KINDS
from twinlab.errors import CorruptionError, SchemaError
from twinlab.model.terms import nearest

__all__ = ["NO_ROW", "AuditEntry", "AuditRow", "checked_entry", "read_row", "row_prefix", "write_row"]

#: What the first row states as the hash of the row before it.
NO_ROW = bytes(32)
_LONGEST = 2000
#: An envelope with several signatures.
_LONGEST_WIRE = 16 * 1024
_MOST_VALUES = 200
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class AuditEntry:
    """What happened, before it has a number."""

    kind: str
    """One of `twinlab.control.audit.KINDS`."""
    who: tuple[str, ...]
    """Names of those who signed, asked or logged in; empty if nobody did."""
    what: Mapping[str, Any]
    """Fields of this kind: texts, finite numbers, bools, None, or lists of texts."""


@dataclass(frozen=True)
class AuditRow:
    """A row of an audit."""

    n: int
    """Number of the row, from 0 without a gap."""
    previous: str
    """SHA-256 of the row before it, as the Merkle tree has it (`leaf_hash`), in hexadecimal."""
    at: str
    """When it was written by the clock of the writer, UTC, to the microsecond."""
    kind: str
    who: tuple[str, ...]
    what: Mapping[str, Any]


def checked_entry(entry: AuditEntry | Mapping[str, Any]) -> AuditEntry:
    """Return an entry whose fields a row may have.

    Parameters
    ----------
    entry : AuditEntry or mapping
        A mapping has the keys kind, who and what; others are fields like those of what. Rooms below this one know no class of
        it.

    Raises
    ------
    SchemaError
        If the kind or a field isn't known, or a value is none that a row may have; names the field.

    >>> checked_entry({"kind": "login", "who": ["ann"], "what": {"outcome": "accepted"}}).who
    ('ann',)
    """
    if not isinstance(entry, AuditEntry):
        if not entry.keys() >= {"kind", "who", "what"}:
            msg = f"audit entry: expected the keys kind, who and what, got {', '.join(map(str, entry)) or 'none'}"
            raise SchemaError(msg)
        if isinstance(entry["who"], str):
            msg = f"audit entry: who: expected a list of names, got the text {entry['who']!r:.80}"
            raise SchemaError(msg)
        beside = {field: value for field, value in entry.items() if field not in {"kind", "who", "what"}}
        entry = AuditEntry(entry["kind"], tuple(entry["who"]), {**entry["what"], **beside})
    allowed = KINDS.get(entry.kind)
    if allowed is None:
        msg = f"audit entry: unknown kind {entry.kind!r}{nearest(str(entry.kind), KINDS)}"
        raise SchemaError(msg)
    names: tuple[object, ...] = entry.who
    for name in names:
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            msg = f"audit entry {entry.kind}: who: expected names of 1 to 100 characters, got {name!r:.80}"
            raise SchemaError(msg)
    for field, value in entry.what.items():
        if field not in allowed:
            msg = f"audit entry {entry.kind}: expected fields among {', '.join(allowed)}, got {field!r}"
            raise SchemaError(msg)
        if not _writable(value, _LONGEST_WIRE if field == "wire" else _LONGEST):
            msg = (
                f"audit entry {entry.kind}: {field}: expected a text of at most {_LONGEST} characters, a finite number, a bool, "
                f"None or a list of at most {_MOST_VALUES} texts, got {value!r:.80}"
            )
            raise SchemaError(msg)
    return entry


def _writable(value: object, longest: int) -> bool:
    if isinstance(value, str):
        # A lone surrogate has no bytes in UTF-8.
        return len(value) <= longest and (value.isascii() or not _SURROGATE.search(value))
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 2**63
    if isinstance(value, (list, tuple)):
        return len(value) <= _MOST_VALUES and all(isinstance(one, str) and _writable(one, longest) for one in value)
    return value is None


def row_prefix(n: int, previous: bytes) -> bytes:
    """Return the bytes with which the row of a number after another row begins."""
    return b'{"n":%d,"previous":"%s",' % (n, previous.hex().encode())


def write_row(n: int, previous: bytes, at: str, entry: AuditEntry) -> bytes:
    """Return a row as one line of JSON in UTF-8, without the line end."""
    rest = {"at": at, "kind": entry.kind, "who": list(entry.who), "what": dict(entry.what)}
    text = json.dumps(rest, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return row_prefix(n, previous) + text[1:].encode()


def read_row(line: bytes) -> AuditRow:
    """Return the row of a line.

    Raises
    ------
    CorruptionError
        If the line is no row.
    """
    try:
        found = json.loads(line)
        return AuditRow(found["n"], found["previous"], found["at"], found["kind"], tuple(found["who"]), found["what"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        msg = f"expected a row of an audit, got {line[:80]!r}; run: twinlab audit verify"
        raise CorruptionError(msg) from error
