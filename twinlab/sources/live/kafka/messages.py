"""Messages of a topic as rows of a table, with the same types of columns in all batches, and those that can't be read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from twinlab.errors import SchemaError
from twinlab.model.schema import ADDED_PREFIX
from twinlab.sources.base import RowBatch
from twinlab.sources.live.kafka.options import Added, TopicRule
from twinlab.sources.live.kafka.values import decoder_of, key_columns
from twinlab.sources.live.protocol import Unreadable
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.values import ValueColumns

__all__ = ["Message", "Read", "TopicReader"]

#: Types of timestamps in the protocol.
_NO_TIME, _CREATE_TIME, _LOG_APPEND_TIME = 0, 1, 2
_TIME_TYPES = {_CREATE_TIME: "CreateTime", _LOG_APPEND_TIME: "LogAppendTime"}
_HEADER = "header."

Header = tuple[str, bytes | str | None]


class Message(Protocol):
    """What is used of a message of the client library."""

    def partition(self) -> int | None:
        """Return the partition."""

    def offset(self) -> int | None:
        """Return the offset."""

    def value(self) -> Any:  # noqa: ANN401  (bytes or None; the library's stub is generic)
        """Return the bytes; None for a tombstone."""

    def key(self) -> Any:  # noqa: ANN401
        """Return the key's bytes, if it has one."""

    def headers(self) -> Any:  # noqa: ANN401
        """Return names and bytes, if it has some."""

    def timestamp(self) -> tuple[int, int]:
        """Return the type of the timestamp and its milliseconds."""


@dataclass(frozen=True)
class Read:
    """What some messages of a topic have."""

    batch: RowBatch | None
    """The rows; None if there is none."""
    unreadable: tuple[Unreadable, ...] = ()
    tombstones: int = 0
    """Messages without a value that withdraw nothing, because the topic's rule has no `key`."""
    last_ms: int | None = None
    """Latest timestamp, milliseconds since 1970."""


@dataclass
class _Rows:
    """Rows and, for each, the message that it is of."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    of: list[Message] = field(default_factory=list)
    retracts: list[bool] = field(default_factory=list)

    def add(self, rows: Iterable[dict[str, Any]], message: Message, *, retracts: bool = False) -> None:
        for row in rows:
            self.rows.append(row)
            self.of.append(message)
            self.retracts.append(retracts)


class TopicReader:
    """Reads the messages of one topic.

    Parameters
    ----------
    topic : str
    rule : TopicRule
    added : collection of str
        What is stored of a message beside its value.
    texts, missing : collection of str
        Columns that are text even if they look like numbers; texts that are empty cells.
    """

    def __init__(
        self,
        topic: str,
        rule: TopicRule,
        added: Collection[Added],
        *,
        texts: Collection[str] = (),
        missing: Collection[str] = (),
    ) -> None:
        self.topic, self._rule, self._added = topic, rule, frozenset(added)
        self._decode = decoder_of(rule)
        self._columns = ValueColumns(Numerals(), frozenset(texts), frozenset(missing))

    def read(self, messages: Sequence[Message]) -> Read:
        """Return the rows of messages, in their order."""
        rows, unreadable, tombstones, latest = _Rows(), [], 0, -1
        decode, key = self._decode, self._rule.key
        for message in messages:
            kind, at = message.timestamp()
            if kind != _NO_TIME and at > latest:
                latest = at
            value = message.value()
            try:
                if value is None and key is None:
                    tombstones += 1
                elif value is None:
                    rows.add([key_columns(message.key(), key or [])], message, retracts=True)
                elif key is None:
                    rows.add(decode(value), message)
                else:
                    of_key = key_columns(message.key(), key)
                    rows.add([{**of_key, **row} for row in decode(value)], message)
            except SchemaError as error:
                unreadable.append(self._unreadable(message, str(error)))
        batch = self._batch(rows) if rows.rows else None
        return Read(batch, tuple(unreadable), tombstones, None if latest < 0 else latest)

    # -- inside ----------------------------------------------------------------------------------------------------
    def _batch(self, found: _Rows) -> RowBatch:
        added = self._added_columns(found.of)
        names = _names(found.rows)
        # What the broker states keeps its name.
        renamed = {name: f"{name}__2" if name in added else name for name in names}
        columns, arrays = self._columns.convert({renamed[n]: [row.get(n) for row in found.rows] for n in names})
        columns, arrays = [*columns, *added], [*arrays, *added.values()]
        schema = pa.schema([pa.field(name, array.type) for name, array in zip(columns, arrays, strict=True)])
        numbers = np.fromiter((message.offset() or 0 for message in found.of), np.int64, len(found.of))
        retracts = np.array(found.retracts) if any(found.retracts) else None
        table = self._rule.table or self.topic
        return RowBatch(table, pa.RecordBatch.from_arrays(arrays, schema=schema), numbers, retracts=retracts)

    def _added_columns(self, of: list[Message]) -> dict[str, pa.Array]:
        """Return the columns of what messages have beside their values."""
        out: dict[str, pa.Array] = {}
        if "key" in self._added:
            out["key"] = pa.array([_shown(message.key()) for message in of], pa.string())
        if self._added & {"timestamp", "timestamp_type"}:
            times = [message.timestamp() for message in of]
            if "timestamp" in self._added:
                out["timestamp"] = pa.array([at if kind != _NO_TIME else None for kind, at in times], pa.int64())
            if "timestamp_type" in self._added:
                out["timestamp_type"] = pa.array([_TIME_TYPES.get(kind) for kind, _ in times], pa.string())
        if "partition" in self._added:
            out["partition"] = pa.array([message.partition() for message in of], pa.int64())
        if "offset" in self._added:
            out["offset"] = pa.array([message.offset() for message in of], pa.int64())
        if "headers" in self._added:
            headers = [_named_headers(message.headers()) for message in of]
            if any(headers):
                for name in _names(headers):
                    out[_HEADER + name] = pa.array([one.get(name) for one in headers], pa.string())
        return {ADDED_PREFIX + name: array for name, array in out.items()}

    def _unreadable(self, message: Message, reason: str) -> Unreadable:
        kind, at = message.timestamp()
        headers = _named_headers(message.headers())
        return Unreadable(
            f"{self.topic}/{message.partition()}/{message.offset()}",
            message.value() or b"",
            reason,
            time_ns=None if kind == _NO_TIME else at * 1_000_000,
            key=message.key(),
            headers=json.dumps(headers, ensure_ascii=False) if headers else "",
        )


def _names(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the columns of all rows; most messages of a topic have the same."""
    first = rows[0].keys()
    if all(row.keys() == first for row in rows):
        return list(first)
    return list(dict.fromkeys(name for row in rows for name in row))


def _shown(value: bytes | str | None) -> str | None:
    """Return bytes as text, in hexadecimal if they aren't UTF-8."""
    if value is None or isinstance(value, str):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex()


def _named_headers(headers: Sequence[Header] | None) -> dict[str, str | None]:
    """Return headers by name; of a name that occurs again, the second is ``name__2``."""
    out: dict[str, str | None] = {}
    for name, value in headers or ():
        free, count = name, 1
        while free in out:
            count += 1
            free = f"{name}__{count}"
        out[free] = _shown(value)
    return out
