"""The bytes that an edge gateway and the historian send each other.

A message of rows has a header of 48 bytes, little-endian: ``TWLR``, version, kind, flags, epoch, first sequence, number
of rows, bytes of the body before compression, time of sending (ns UTC, the gateway's clock), CRC-32C of the body, CRC-32C
of the header before it. The checksum of the body is the one that the outbox stored: damage on the gateway's disk is found, too.

The body has, for *n* rows: number of tags (u16); of each tag the length of its name (u16), the name, the length of its
unit (u16, 65535 = none) and the unit; then columns: place of the tag (u16), time less that of the row before (i64), which of
value, text and status a row has (u8, bits 1, 2 and 4), values (f64, every row), the status codes (i32) and the lengths
(u32) and bytes of the texts, for the rows that have them.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import google_crc32c
import numpy as np

from twinlab.edge.handshake import read_object
from twinlab.edge.readings import Readings
from twinlab.errors import SchemaError

__all__ = ["LOST", "MAX_ROWS", "ROWS", "Block", "Lost", "Message", "lost_block", "pack", "pack_readings", "parse"]

ROWS, LOST = 0, 1
#: Maximum number of rows of a message.
MAX_ROWS = 1_000
VERSION = 1
_HEADER = struct.Struct("<4sBBHQQIIqII")
_MAGIC = b"TWLR"
_DEFLATED = 1
#: A message with a longer body is refused before anything is unpacked.
_MAX_BODY = 16 << 20
_NO_UNIT = 0xFFFF


@dataclass(frozen=True, slots=True)
class Lost:
    """Rows that the historian will never get."""

    streams: dict[str, int]
    """Stream -> number of its rows."""
    reasons: tuple[str, ...]
    low: int
    """Earliest time of the rows, ns UTC."""
    high: int
    """Latest time."""

    def to_json(self) -> bytes:
        """Return the body of a message."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def join(cls, reports: Sequence[Lost]) -> Lost:
        """Return one report for several, at least one."""
        streams: dict[str, int] = {}
        for report in reports:
            for stream, rows in report.streams.items():
                streams[stream] = streams.get(stream, 0) + rows
        reasons = tuple(dict.fromkeys(reason for report in reports for reason in report.reasons))
        return cls(streams, reasons, min(one.low for one in reports), max(one.high for one in reports))


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows as the outbox stores them: the body of a message."""

    kind: int
    """`ROWS` or `LOST`."""
    first: int
    """Sequence of the first row."""
    rows: int
    body: bytes
    flags: int
    size: int
    """Bytes before compression."""
    checksum: int

    @property
    def last(self) -> int:
        """Sequence of the last row."""
        return self.first + self.rows - 1

    def content(self) -> Readings | Lost:
        """Return the rows, or why there are none.

        Raises
        ------
        SchemaError
            If the bytes differ from those that were written.
        """
        return _content(self)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the historian reads it."""

    token: int
    """Random number of the outbox: its epoch."""
    first: int
    rows: int
    sent: int
    """Time of sending, ns UTC by the gateway's clock."""
    content: Readings | Lost


def pack_readings(first: int, readings: Readings) -> Block:
    """Return rows as a block; `unpack_readings` and `Block.content` give them back.

    Examples
    --------
    >>> from twinlab.edge.readings import Reading
    >>> block = pack_readings(7, Readings.of([Reading("t1", 0, 4.5)]))
    >>> block.first, block.last, block.content().rows()
    (7, 7, [Reading(tag='t1', time=0, value=4.5, text=None, status=None)])
    """
    parts = [struct.pack("<H", len(readings.tags))]
    for tag, unit in zip(readings.tags, readings.units, strict=True):
        name = tag.encode()
        parts += [struct.pack("<H", len(name)), name]
        text = b"" if unit is None else unit.encode()
        parts += [struct.pack("<H", _NO_UNIT if unit is None else len(text)), text]
    has_text = np.zeros(len(readings), dtype=np.bool_)
    texts: list[bytes] = []
    if readings.texts is not None:
        has_text[:] = [text is not None for text in readings.texts]
        texts = [text.encode() for text in readings.texts if text is not None]
    bits = readings.has_value * 1 + has_text * 2 + readings.has_status * 4
    parts += [
        readings.codes.astype("<u2").tobytes(),
        # Differences wrap around as the sums do that give the times back.
        np.diff(readings.times.astype("<i8"), prepend=np.int64(0)).tobytes(),
        bits.astype(np.uint8).tobytes(),
        readings.values.astype("<f8").tobytes(),
        readings.status[readings.has_status].astype("<i4").tobytes(),
        np.array([len(text) for text in texts], dtype="<u4").tobytes(),
        *texts,
    ]
    return _block(ROWS, first, len(readings), b"".join(parts))


def lost_block(first: int, rows: int, lost: Lost) -> Block:
    """Return the block that reports rows as lost."""
    return _block(LOST, first, rows, lost.to_json())


def _block(kind: int, first: int, rows: int, raw: bytes) -> Block:
    deflated = zlib.compress(raw, 1)
    shorter = len(deflated) < len(raw)
    body = deflated if shorter else raw
    return Block(kind, first, rows, body, _DEFLATED if shorter else 0, len(raw), google_crc32c.value(body))


def pack(token: int, block: Block, sent: int) -> bytes:
    """Return the message that sends a block."""
    fields = (
        _MAGIC, VERSION, block.kind, block.flags, token, block.first, block.rows, block.size, sent, block.checksum,
    )  # fmt: skip
    head = _HEADER.pack(*fields, 0)[:-4]
    return b"".join((head, struct.pack("<I", google_crc32c.value(head)), block.body))


def parse(payload: bytes) -> Message:
    """Read a message.

    Raises
    ------
    SchemaError
        If the bytes aren't a message of this version, or differ from those that were sent.
    """
    if len(payload) < _HEADER.size:
        msg = f"message of a gateway: expected at least {_HEADER.size} bytes, got {len(payload)}"
        raise SchemaError(msg)
    magic, version, kind, flags, token, first, rows, size, sent, checksum, own = _HEADER.unpack_from(payload)
    if magic != _MAGIC or version != VERSION:
        msg = (
            f"message of a gateway: expected {_MAGIC!r} and version {VERSION}, got {magic!r} and {version}; "
            "gateway and historian need versions of twinlab with the same format"
        )
        raise SchemaError(msg)
    if google_crc32c.value(payload[: _HEADER.size - 4]) != own:
        msg = "message of a gateway: the header's checksum differs; the message was damaged on its way"
        raise SchemaError(msg)
    if not first or not rows or first + rows > 1 << 62:
        msg = f"message of a gateway: expected rows from sequence 1 on, got {rows} rows from {first}"
        raise SchemaError(msg)
    content = _content(Block(kind, first, rows, payload[_HEADER.size :], flags, size, checksum))
    return Message(token, first, rows, sent, content)


def _content(block: Block) -> Readings | Lost:
    body, size = block.body, block.size
    if google_crc32c.value(body) != block.checksum:
        msg = (
            f"rows of a gateway: the checksum of {len(body)} bytes differs from the one written; the bytes are damaged"
        )
        raise SchemaError(msg)
    if size > _MAX_BODY or block.kind not in (ROWS, LOST):
        msg = f"rows of a gateway: expected kind 0 or 1 and at most {_MAX_BODY} bytes, got kind {block.kind} and {size} bytes"
        raise SchemaError(msg)
    raw = body
    if block.flags & _DEFLATED:
        try:
            raw = zlib.decompressobj().decompress(body, size + 1)
        except zlib.error as error:
            msg = f"rows of a gateway: the compressed bytes can't be read ({error})"
            raise SchemaError(msg) from error
    if len(raw) != size:
        msg = f"rows of a gateway: expected {size} bytes, got {len(raw)}"
        raise SchemaError(msg)
    if block.kind == ROWS:
        return unpack_readings(raw, block.rows)
    found = read_object(raw, "report of lost rows")
    try:
        streams = {str(stream): int(count) for stream, count in dict(found["streams"]).items()}
        return Lost(streams, tuple(map(str, found["reasons"])), int(found["low"]), int(found["high"]))
    except (KeyError, TypeError, ValueError) as error:
        msg = f"report of lost rows: expected streams, reasons, low and high, got {raw[:200]!r}"
        raise SchemaError(msg) from error


def unpack_readings(raw: bytes, rows: int) -> Readings:
    """Read the uncompressed body of a message of rows.

    Raises
    ------
    SchemaError
        If the bytes don't fit the number of rows, or a tag's number is not in the table.
    """
    body = _Body(raw)
    tags, units = [], []
    for _ in range(body.number("<H")):
        tags.append(body.text(body.number("<H")))
        length = body.number("<H")
        units.append(None if length == _NO_UNIT else body.text(length))
    codes = body.array("<u2", rows)
    times = np.cumsum(body.array("<i8", rows), dtype=np.int64)
    bits = body.array("<u1", rows)
    values = body.array("<f8", rows)
    has_status = (bits & 4) != 0
    status = np.zeros(rows, dtype=np.int32)
    status[has_status] = body.array("<i4", int(has_status.sum()))
    has_text = (bits & 2) != 0
    texts: list[str | None] | None = None
    if has_text.any():
        texts = [None] * rows
        where = np.flatnonzero(has_text).tolist()
        for place, length in zip(where, body.array("<u4", len(where)).tolist(), strict=True):
            texts[place] = body.text(length)
    body.end()
    if rows and (not tags or int(codes.max()) >= len(tags)):
        msg = f"rows of a gateway: a row's tag is number {int(codes.max())} of {len(tags)}"
        raise SchemaError(msg)
    return Readings(
        tuple(tags), tuple(units), codes.astype(np.uint16), times, values.astype(np.float64), (bits & 1) != 0, status,
        has_status, None if texts is None else tuple(texts),
    )  # fmt: skip


class _Body:
    """Reads bytes from the front to the back."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def _take(self, size: int) -> bytes:
        part = self._raw[self._at : self._at + size]
        if len(part) != size:
            msg = f"rows of a gateway: expected {size} bytes at {self._at}, got {len(part)}"
            raise SchemaError(msg)
        self._at += size
        return part

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def text(self, size: int) -> str:
        try:
            return self._take(size).decode()
        except UnicodeDecodeError as error:
            msg = f"rows of a gateway: expected UTF-8 at byte {self._at - size} ({error})"
            raise SchemaError(msg) from error

    def array(self, form: str, count: int) -> np.ndarray[Any, Any]:
        kind = np.dtype(form)
        return np.frombuffer(self._take(kind.itemsize * count), dtype=kind)

    def end(self) -> None:
        if self._at != len(self._raw):
            msg = f"rows of a gateway: {len(self._raw) - self._at} bytes too many"
            raise SchemaError(msg)
