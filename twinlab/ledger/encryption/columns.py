"""Columns of a batch as ciphertexts, one for each person, in the metadata of the batch's schema; and back.

The rest of the batch is as before, so that frames, archives and readers needn't know of it. What is encrypted together is bound to the
columns' names and to its place, so that ciphertexts can't be exchanged.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.errors import SchemaError
from twinlab.ledger.format.records import repeated
from twinlab.signing.subjects.ciphers import decrypt, encrypt

__all__ = [
    "UNKNOWN",
    "Part",
    "People",
    "decrypt_columns",
    "encrypt_columns",
    "is_encrypted",
    "people_of",
    "subject_texts",
]

#: Metadata of an encrypted batch: what is encrypted, and the ciphertexts one behind the other.
_HEADER, _CIPHERTEXTS = b"twinlab.encrypted", b"twinlab.ciphertexts"
#: Columns with the number of each row's person; their first character occurs in no other name.
_PERSON = "\u241fperson"
#: Name of the person of rows that name nobody.
UNKNOWN = "(nobody named)"
#: Shorter plaintexts aren't compressed.
_COMPRESSED_FROM = 128

#: Returns the id and the key of each person for a period.
MakeKeys = Callable[[Sequence[str], str], Mapping[str, tuple[str, bytes]]]
#: Returns a key by the person's id and the period; None if it was destroyed.
FindKey = Callable[[str, str], bytes | None]


def is_encrypted(rows: pa.RecordBatch) -> bool:
    """Return whether some columns of a batch are encrypted."""
    return rows.schema.metadata is not None and _HEADER in rows.schema.metadata


class Part(NamedTuple):
    """Columns that belong to the same people and are encrypted for the same period."""

    names: list[str]
    people: pa.Array
    """Name of the person of each row."""
    period: str
    """Which of a person's keys: "2026-03", or with a class behind it "2026-03 sensitive"."""


class People(NamedTuple):
    """The people of some encrypted columns."""

    ids: list[str]
    """Ids of the people."""
    names: list[str]
    """Names of the columns."""
    numbers: npt.NDArray[np.int64]
    """Number in `ids` of each row's person."""


def people_of(rows: pa.RecordBatch) -> list[People]:
    """Return the people of a batch as it is stored."""
    if not is_encrypted(rows):
        return []
    parts = json.loads(rows.schema.metadata[_HEADER])["parts"]
    return [
        People(
            [one for one, _ in part["people"]],
            part["names"],
            _numbers(rows.column(rows.schema.get_field_index(f"{_PERSON}{n}"))),
        )
        for n, part in enumerate(parts)
    ]


def _numbers(codes: pa.Array) -> npt.NDArray[np.int64]:
    found = codes.dictionary_decode() if pa.types.is_dictionary(codes.type) else codes
    numbers: npt.NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return numbers


def subject_texts(column: pa.Array) -> pa.Array:
    """Return the names of the people in a column: texts without spaces around them, `UNKNOWN` for none."""
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    texts = plain if pa.types.is_string(plain.type) else plain.cast(pa.string())
    stripped = pc.utf8_trim_whitespace(texts.fill_null(UNKNOWN))
    return pc.if_else(pc.equal(stripped, ""), UNKNOWN, stripped)


def encrypt_columns(rows: pa.RecordBatch, parts: Sequence[Part], make_keys: MakeKeys) -> pa.RecordBatch:
    """Return a batch whose personal columns are encrypted.

    Parameters
    ----------
    rows : RecordBatch
    parts : sequence of Part
        Columns that are encrypted together.
    make_keys : callable
        Returns ids and keys for names of people and a period.
    """
    hidden = {name for part in parts for name in part.names}
    arrays = [(field, rows.column(place)) for place, field in enumerate(rows.schema) if field.name not in hidden]
    header: dict[str, Any] = {"columns": rows.schema.names, "parts": []}
    ciphertexts: list[bytes] = []
    for number, (names, people, period) in enumerate(parts):
        coded = people.dictionary_encode()
        known: list[str] = coded.dictionary.to_pylist()
        codes: npt.NDArray[np.int32] = coded.indices.to_numpy()
        keys = make_keys(known, period)
        columns = [_plain(rows.column(rows.schema.get_field_index(name))) for name in names]
        bound = _bound(names, period, rows.num_rows)
        sizes = []
        order = np.argsort(codes, kind="stable")
        edges = np.searchsorted(codes[order], np.arange(len(known) + 1))
        taken = [column.take(pa.array(order)).to_pylist() for column in columns]
        for place, name in enumerate(known):
            low, high = edges[place], edges[place + 1]
            one, key = keys[name]
            text = json.dumps(
                [values[low:high] for values in taken], separators=(",", ":"), ensure_ascii=False
            ).encode()
            packed = b"\x01" + zlib.compress(text, 3) if len(text) >= _COMPRESSED_FROM else b"\x00" + text
            made = encrypt(key, packed, bound + one.encode())
            sizes.append([one, len(made)])
            ciphertexts.append(made)
        types = pa.schema([rows.schema.field(name).with_type(_type(rows, name)) for name in names])
        header["parts"].append({
            "names": list(names), "period": period, "types": base64.b64encode(types.serialize().to_pybytes()).decode(), "people": sizes,
        })  # fmt: skip
        person = pa.array(codes) if len(known) > 1 else pa.array(np.zeros(len(codes), np.int8))
        arrays.append((pa.field(f"{_PERSON}{number}", person.type), person))
    metadata = {
        **(rows.schema.metadata or {}),
        _HEADER: json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode(),
        _CIPHERTEXTS: b"".join(ciphertexts),
    }
    schema = pa.schema([field for field, _ in arrays], metadata=metadata)
    return pa.RecordBatch.from_arrays([array for _, array in arrays], schema=schema)


def decrypt_columns(rows: pa.RecordBatch, find_key: FindKey) -> pa.RecordBatch:
    """Return a batch with the columns that were encrypted; those of people whose key was destroyed are null.

    Raises
    ------
    CorruptionError
        If ciphertexts differ from what was written.
    """
    if not is_encrypted(rows):
        return rows
    metadata = dict(rows.schema.metadata)
    header, data = json.loads(metadata.pop(_HEADER)), memoryview(metadata.pop(_CIPHERTEXTS))
    found = {name: rows.column(place) for place, name in enumerate(rows.schema.names)}
    at = 0
    for number, part in enumerate(header["parts"]):
        codes = found.pop(f"{_PERSON}{number}")
        numbers = _numbers(codes)
        types = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(part["types"])))
        bound = _bound(part["names"], part["period"], rows.num_rows)
        pieces: list[list[list[object]]] = []
        counts = np.bincount(numbers, minlength=len(part["people"])).tolist()
        for (one, size), count in zip(part["people"], counts, strict=True):
            key = find_key(one, part["period"])
            if key is None:
                pieces.append([[None] * count for _ in part["names"]])
            else:
                packed = decrypt(key, bytes(data[at : at + size]), bound + one.encode())
                text = zlib.decompress(packed[1:]) if packed[:1] == b"\x01" else packed[1:]
                pieces.append(json.loads(text))
            at += size
        back = np.empty(len(numbers), dtype=np.int64)
        back[np.argsort(numbers, kind="stable")] = np.arange(len(numbers))
        for place, field in enumerate(types):
            values = [value for piece in pieces for value in piece[place]]
            found[field.name] = repeated(_typed(values, field.type).take(pa.array(back)))
    names = [*header["columns"], *(name for name in found if name not in header["columns"])]
    fields = [pa.field(name, found[name].type) for name in names]
    return pa.RecordBatch.from_arrays(
        [found[name] for name in names], schema=pa.schema(fields, metadata=metadata or None)
    )


def _bound(names: Sequence[str], period: str, rows: int) -> bytes:
    return json.dumps([list(names), period, rows], ensure_ascii=False).encode()


def _type(rows: pa.RecordBatch, name: str) -> pa.DataType:
    kind = rows.schema.field(name).type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _whole(kind: pa.DataType) -> pa.DataType | None:
    """Return the integers as which instants, dates and times of day are stored; None for other types."""
    if pa.types.is_temporal(kind):
        return pa.int32() if kind.bit_width == 32 else pa.int64()
    return None


def _plain(column: pa.Array) -> pa.Array:
    """Return a column whose values JSON can represent exactly."""
    whole = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    kind = whole.type
    number = _whole(kind)
    if number is not None:
        return whole.cast(number)
    simple = (
        pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)
    )
    if simple or pa.types.is_float64(kind):
        return whole
    msg = f"a personal column of the type {kind} can't be encrypted; convert it to text or numbers first"
    raise SchemaError(msg)


def _typed(values: list[object], kind: pa.DataType) -> pa.Array:
    number = _whole(kind)
    return pa.array(values, kind) if number is None else pa.array(values, number).cast(kind)
