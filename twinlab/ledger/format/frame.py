"""The format of a frame: a head with all that a reader needs to skip the frame, and a payload, each with a CRC-32C.

``[magic 4][length 4][header length 4][crc32c of head 4][header][payload]``; the header has the payload's crc32c. A
reader that skips a frame by its head thus relies on verified bytes only.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from twinlab.ledger.format.disk import crc32c
from twinlab.model.schema import SCHEMA_VERSION

__all__ = [
    "DICTIONARY",
    "FRAME_TABLE",
    "KINDS",
    "MAGIC",
    "OBSERVATIONS_KIND",
    "PREFIX",
    "RECORDS_KIND",
    "RETRACT_KIND",
    "ROW_KINDS",
    "Head",
    "join",
    "noted",
    "pack_head",
    "pack_ids",
    "parse_head",
    "unpack_ids",
]

MAGIC = b"TLF1"
PREFIX = struct.Struct("<4sIII")
_HEADER = struct.Struct("<BBqqIqqqqiiIIII")

DICTIONARY, OBSERVATIONS_KIND, RECORDS_KIND, RETRACT_KIND, FRAME_TABLE = 0, 1, 2, 3, 4
KINDS = ("dictionary", "observations", "records", "retract_file", "frame_table")
#: Kinds that have rows; the others describe the segment.
ROW_KINDS = frozenset({OBSERVATIONS_KIND, RECORDS_KIND, RETRACT_KIND})


@dataclass(frozen=True, slots=True)
class Head:
    """All fields before a payload."""

    kind: int
    """Index into `KINDS`."""
    index: int
    """Frame number within the source."""
    first: int
    """Ordinal of the first row."""
    rows: int
    """Number of ordinals of the frame."""
    ingest_time: int
    """ns UTC; never decreases within a source."""
    durable: int
    """Bytes of this segment that were durable when the frame was written: proof that earlier frames had been
    acknowledged."""
    time_low: int
    """Least ``source_time``, ns (observations)."""
    time_high: int
    """Greatest ``source_time``, ns (observations)."""
    record_type: int
    """Name code of the record type, or -1."""
    file_id: int
    """Name code of the file, or -1."""
    tags: bytes
    """Packed tag ids, see `pack_ids`."""
    meta: bytes
    """JSON: units and row range of records, and the note of a writer."""
    payload_length: int = 0
    payload_crc: int = 0
    version: int = SCHEMA_VERSION
    """Of the schema: frames with encrypted columns have a higher one."""

    @property
    def extra(self) -> Mapping[str, object]:
        """`meta` as a mapping."""
        loaded: Mapping[str, object] = json.loads(self.meta) if self.meta else {}
        return loaded


def noted(meta: bytes, note: Mapping[str, object] | None) -> bytes:
    """Return the meta of a frame with a writer's note, if there is one.

    >>> noted(b"", {"until": 7}), noted(b"{}", None)
    (b'{"note": {"until": 7}}', b'{}')
    """
    if not note:
        return meta
    return json.dumps({**(json.loads(meta) if meta else {}), "note": dict(note)}, allow_nan=False).encode()


def pack_head(head: Head, payload: bytes) -> bytes:
    """Return all bytes before ``payload``."""
    header = (
        _HEADER.pack(
            head.kind,
            head.version,
            head.index,
            head.first,
            head.rows,
            head.ingest_time,
            head.durable,
            head.time_low,
            head.time_high,
            head.record_type,
            head.file_id,
            len(payload),
            crc32c(payload),
            len(head.tags),
            len(head.meta),
        )
        + head.tags
        + head.meta
    )
    prefix = PREFIX.pack(MAGIC, len(header) + len(payload), len(header), 0)
    return PREFIX.pack(MAGIC, len(header) + len(payload), len(header), crc32c(header, crc32c(prefix))) + header


def parse_head(data: bytes, at: int = 0) -> tuple[Head, int] | int | None:
    """Read a head from ``data``.

    Returns
    -------
    (Head, int)
        The head and its length in bytes.
    int
        Bytes needed from ``at`` on, if ``data`` is too short.
    None
        If the bytes aren't a head: wrong magic or wrong checksum.
    """
    if len(data) - at < PREFIX.size:
        return PREFIX.size
    magic, length, size, crc = PREFIX.unpack_from(data, at)
    if magic != MAGIC or size > length or size < _HEADER.size:
        return None
    if len(data) - at < PREFIX.size + size:
        return PREFIX.size + int(size)
    header = data[at + PREFIX.size : at + PREFIX.size + size]
    if crc32c(header, crc32c(PREFIX.pack(magic, length, size, 0))) != crc:
        return None
    kind, version, *middle, payload_length, payload_crc, tags_length, _ = _HEADER.unpack_from(header)
    index, first, rows, ingest_time, durable, low, high, record_type, file_id = middle
    tags, meta = header[_HEADER.size : _HEADER.size + tags_length], header[_HEADER.size + tags_length :]
    head = Head(
        kind,
        index,
        first,
        rows,
        ingest_time,
        durable,
        low,
        high,
        record_type,
        file_id,
        tags,
        meta,
        payload_length,
        payload_crc,
        version,
    )
    return head, PREFIX.size + size


def join(head: Head, payload: bytes) -> tuple[Head, list[bytes]]:
    """Return the head with length and checksum of the payload, and the buffers of the frame."""
    done = replace(head, payload_length=len(payload), payload_crc=crc32c(payload))
    return done, [pack_head(done, payload), payload]


_NONE, _RANGE, _LIST, _BITS = range(4)


def pack_ids(present: npt.NDArray[np.bool_]) -> bytes:
    """Pack which of the segment's tag ids occur, as a range, a list or a bitmap, whichever is shortest.

    >>> unpack_ids(pack_ids(np.array([False, True, True]))).tolist()
    [1, 2]
    """
    ids = np.flatnonzero(present).astype("<u4")
    if len(ids) == 0:
        return bytes([_NONE])
    low, high = int(ids[0]), int(ids[-1])
    if high - low + 1 == len(ids):
        return bytes([_RANGE]) + struct.pack("<II", low, high)
    if len(ids) * 4 <= high // 8:
        return bytes([_LIST]) + ids.tobytes()
    return bytes([_BITS]) + np.packbits(present[: high + 1], bitorder="little").tobytes()


def unpack_ids(data: bytes) -> npt.NDArray[np.int64]:
    """Return the ids that `pack_ids` packed, in order."""
    if not data or data[0] == _NONE:
        return np.empty(0, dtype=np.int64)
    if data[0] == _RANGE:
        low, high = struct.unpack_from("<II", data, 1)
        return np.arange(low, high + 1, dtype=np.int64)
    if data[0] == _LIST:
        return np.frombuffer(data, dtype="<u4", offset=1).astype(np.int64)
    return np.flatnonzero(np.unpackbits(np.frombuffer(data, dtype=np.uint8, offset=1), bitorder="little")).astype(
        np.int64
    )
