"""Columns to bytes and back: exact, small and quick on telemetry.

Integers are stored as a constant, as offsets from their least value (divided by their common step), as differences, or
as a common value with exceptions: whichever a look at a few of them promises to be narrowest, and then byte-shuffled
and packed by LZ4. Floats that are decimals with few digits, as sensors send them, are stored as such integers: digits
are chosen so that ``k / 10**d`` is the very same float64, bit for bit; the others keep all their bits. So NaN payloads
and the sign of zero survive.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from numcodecs import blosc

__all__ = ["decode_bits", "decode_floats", "decode_ints", "decode_strings", "encode_bits", "encode_floats", "encode_ints", "encode_strings"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CONSTANT, _OFFSETS, _DIFFERENCES, _EXCEPTIONS, _DECIMALS, _RAW = range(6)
_BYTE, _WORD, _TWO, _PACK = struct.Struct("<B"), struct.Struct("<Bq"), struct.Struct("<Bqq"), struct.Struct("<BBI")
_WIDTHS: tuple[np.dtype[Any], ...] = tuple(np.dtype(t) for t in ("<u1", "<u2", "<u4", "<u8"))
_LOOK = 256
_MOST_DIGITS = 6
#: Below this many bytes packing costs more than it saves.
_SMALL = 64


def _pack(values: npt.NDArray[Any]) -> bytes:
    raw = np.ascontiguousarray(values)
    if raw.nbytes >= _SMALL:
        packed = blosc.compress(raw, b"lz4", 3, blosc.SHUFFLE)
        if len(packed) < raw.nbytes:
            return _PACK.pack(1, raw.itemsize, len(packed)) + bytes(packed)
    return _PACK.pack(0, raw.itemsize, raw.nbytes) + raw.tobytes()


def _unpack(data: memoryview, at: int, kind: np.dtype[Any]) -> tuple[npt.NDArray[Any], int]:
    packed, _, size = _PACK.unpack_from(data, at)
    at += _PACK.size
    part = data[at : at + size]
    return np.frombuffer(blosc.decompress(part) if packed else part, dtype=kind), at + size


def _width(span: int) -> int:
    return 0 if span < 1 << 8 else 1 if span < 1 << 16 else 2 if span < 1 << 32 else 3


def _look(values: Ints) -> Ints:
    return values[:: max(1, len(values) // _LOOK)]


def encode_ints(values: Ints, *, depth: int = 2) -> bytes:
    """Pack int64 numbers of any size, shape (n,); `decode_ints` gives the same back."""
    if len(values) == 0:
        return _WORD.pack(_CONSTANT, 0)
    low, high = int(values.min()), int(values.max())
    if low == high:
        return _WORD.pack(_CONSTANT, low)
    if depth:
        common = _common(values)
        if common is not None:
            return common
        if len(values) > 2:  # noqa: PLR2004
            steps = np.diff(values)
            if _width(int(steps.max()) - int(steps.min())) < _width(high - low) or _common_value(_look(steps)):
                return _WORD.pack(_DIFFERENCES, int(values[0])) + encode_ints(steps, depth=depth - 1)
    return _offsets(values, low, high)


def _common_value(look: Ints) -> tuple[int] | None:
    """Return the value that nine in ten of a look have, if any."""
    middle = int(np.partition(look, len(look) // 2)[len(look) // 2])
    return (middle,) if np.count_nonzero(look == middle) * 10 >= 9 * len(look) else None


def _common(values: Ints) -> bytes | None:
    found = _common_value(_look(values))
    if found is None:
        return None
    where = np.flatnonzero(values != found[0])
    if len(where) * 8 > len(values):
        return None
    places, others = encode_ints(where.astype(np.int64), depth=1), encode_ints(values[where], depth=0)
    return _TWO.pack(_EXCEPTIONS, found[0], len(where)) + places + others


def _offsets(values: Ints, low: int, high: int) -> bytes:
    if high - low >= 1 << 53:
        return _TWO.pack(_OFFSETS, 0, 1) + _pack(values.view(np.uint64).astype("<u8", copy=False))
    rest = values - low
    step = int(np.gcd.reduce(_look(rest)))
    if step > 1:
        # Exact: all numbers stay below 2**53, and a float division is many times quicker than an integer one.
        scaled = np.rint(rest / step)
        if np.array_equal(scaled * step, rest):
            width = _WIDTHS[_width((high - low) // step)]
            return _TWO.pack(_OFFSETS, low, step) + _pack(scaled.astype(width))
    return _TWO.pack(_OFFSETS, low, 1) + _pack(rest.astype(_WIDTHS[_width(high - low)]))


def decode_ints(data: memoryview, at: int, count: int) -> tuple[Ints, int]:
    """Unpack ``count`` int64 numbers from ``data`` at ``at``; also the place after them."""
    mode = data[at]
    if mode == _CONSTANT:
        return np.full(count, _WORD.unpack_from(data, at)[1], dtype=np.int64), at + _WORD.size
    if mode == _DIFFERENCES:
        first = _WORD.unpack_from(data, at)[1]
        steps, at = decode_ints(data, at + _WORD.size, count - 1)
        values = np.empty(count, dtype=np.int64)
        values[0] = first
        np.cumsum(steps, out=values[1:])
        values[1:] += first
        return values, at
    _, base, other = _TWO.unpack_from(data, at)
    if mode == _EXCEPTIONS:
        places, at = decode_ints(data, at + _TWO.size, other)
        rest, at = decode_ints(data, at, other)
        values = np.full(count, base, dtype=np.int64)
        values[places] = rest
        return values, at
    kind = _WIDTHS[{1: 0, 2: 1, 4: 2, 8: 3}[data[at + _TWO.size + 1]]]
    packed, at = _unpack(data, at + _TWO.size, kind)
    values = packed.astype(np.int64)
    if other != 1:
        values *= other
    values += base
    return values, at


def _digits(look: Floats) -> int | None:
    """Decimal digits that give back nearly all of a look's numbers, or None."""
    for digits in range(_MOST_DIGITS + 1):
        scale = 10.0**digits
        if np.count_nonzero(np.rint(look * scale) / scale == look) * 32 >= 31 * len(look):
            return digits
    return None


def encode_floats(values: Floats) -> bytes:
    """Pack float64 numbers, shape (n,), every bit of them."""
    with np.errstate(all="ignore"):
        digits = _digits(values[:: max(1, len(values) // _LOOK)]) if len(values) else None
        if digits is not None:
            scale = 10.0**digits
            scaled = np.rint(values * scale)
            back = scaled / scale
            # Compared as bits, so that -0.0 and NaN count as exceptions. Beyond 2**53 integers aren't exact.
            where = np.flatnonzero((back.view(np.int64) != values.view(np.int64)) | (np.abs(scaled) > 1 << 53))
            if len(where) * 16 <= len(values):
                scaled[where] = 0.0
                head = struct.pack("<BBI", _DECIMALS, digits, len(where))
                rest = encode_ints(where.astype(np.int64)) + _pack(values[where].view(np.uint64)) if len(where) else b""
                return head + encode_ints(scaled.astype(np.int64)) + rest
    return _BYTE.pack(_RAW) + _pack(values.view(np.uint64))


def decode_floats(data: memoryview, at: int, count: int) -> tuple[Floats, int]:
    """Unpack ``count`` float64 numbers; also the place after them."""
    if data[at] == _RAW:
        raw, at = _unpack(data, at + 1, _WIDTHS[3])
        return raw.view(np.float64), at
    _, digits, exceptions = struct.unpack_from("<BBI", data, at)
    scaled, at = decode_ints(data, at + 6, count)
    values = scaled / 10.0**digits
    if exceptions:
        where, at = decode_ints(data, at, exceptions)
        raw, at = _unpack(data, at, _WIDTHS[3])
        values[where] = raw.view(np.float64)
    return values, at


def encode_strings(offsets: npt.NDArray[np.int32], text: bytes) -> bytes:
    """Pack n texts given as Arrow's n + 1 offsets and their joined UTF-8."""
    packed = bytes(blosc.compress(text, b"zstd", 3, blosc.NOSHUFFLE)) if len(text) >= _SMALL else text
    if len(packed) >= len(text):
        packed = text
    lengths = encode_ints(np.diff(offsets).astype(np.int64))
    return lengths + struct.pack("<BI", packed is not text, len(packed)) + packed


def decode_strings(data: memoryview, at: int, count: int) -> tuple[npt.NDArray[np.int32], bytes, int]:
    """Unpack what `encode_strings` packed: offsets, joined UTF-8, and the place after them."""
    lengths, at = decode_ints(data, at, count)
    packed, size = struct.unpack_from("<BI", data, at)
    at += 5
    text = blosc.decompress(data[at : at + size]) if packed else bytes(data[at : at + size])
    offsets = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return offsets, text, at + size


def encode_bits(bits: npt.NDArray[np.bool_]) -> bytes:
    """Pack n yes-or-no."""
    return _pack(np.packbits(bits, bitorder="little"))


def decode_bits(data: memoryview, at: int) -> tuple[npt.NDArray[np.uint8], int]:
    """Unpack to a little-endian bitmap, which is Arrow's own form; also the place after it."""
    return _unpack(data, at, _WIDTHS[0])
