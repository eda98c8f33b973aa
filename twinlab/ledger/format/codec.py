"""Compression of columns: exact, and small and fast for telemetry.

Integers are stored as a constant, as offsets from their least value (divided by their common step), as differences, or
as a common value with exceptions, whichever is narrowest according to a sample; then they are byte-shuffled and
compressed by LZ4. Floats that are decimals with few digits, as sensors send them, are stored as integers ``k`` such
that ``k / 10**d`` is the same float64, bit for bit; all other floats keep their 64 bits, NaN payloads and the sign of
zero included.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from numcodecs import blosc

__all__ = [
    "decode_bits",
    "decode_floats",
    "decode_ints",
    "decode_strings",
    "encode_bits",
    "encode_floats",
    "encode_ints",
    "encode_strings",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CONSTANT, OFFSETS, DIFFERENCES, EXCEPTIONS, DECIMALS, RAW = range(6)
_BYTE, WORD, TWO, PACK = struct.Struct("<B"), struct.Struct("<Bq"), struct.Struct("<Bqq"), struct.Struct("<BBI")
WIDTHS: tuple[np.dtype[Any], ...] = tuple(np.dtype(t) for t in ("<u1", "<u2", "<u4", "<u8"))
_SAMPLE = 256
_MOST_DIGITS = 6
#: Fewer bytes than this aren't compressed: it would save nothing.
_SMALL = 64


def _pack(values: npt.NDArray[Any]) -> bytes:
    raw = np.ascontiguousarray(values)
    if raw.nbytes >= _SMALL:
        packed = blosc.compress(raw, b"lz4", 3, blosc.SHUFFLE)
        if len(packed) < raw.nbytes:
            return PACK.pack(1, raw.itemsize, len(packed)) + bytes(packed)
    return PACK.pack(0, raw.itemsize, raw.nbytes) + raw.tobytes()


def unpack(data: memoryview, at: int, kind: np.dtype[Any]) -> tuple[npt.NDArray[Any], int]:
    packed, _, size = PACK.unpack_from(data, at)
    at += PACK.size
    part = data[at : at + size]
    return np.frombuffer(blosc.decompress(part) if packed else part, dtype=kind), at + size


def _width(span: int) -> int:
    return 0 if span < 1 << 8 else 1 if span < 1 << 16 else 2 if span < 1 << 32 else 3


def _sample(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values[:: max(1, len(values) // _SAMPLE)]


def _steps(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    steps: npt.NDArray[Any] = values[1:] - values[:-1]
    return steps


def _sample_steps(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return differences of neighbours within a short run, to see whether differences are worth computing."""
    middle = max(0, (len(values) - _SAMPLE) // 2)
    return _steps(values[middle : middle + _SAMPLE + 1])


def encode_ints(values: npt.NDArray[Any], *, depth: int = 2) -> bytes:
    """Pack signed integers of any width, shape (n,); `decode_ints` returns them as int64."""
    if len(values) == 0:
        return WORD.pack(CONSTANT, 0)
    low, high = int(np.minimum.reduce(values)), int(np.maximum.reduce(values))
    if low == high:
        return WORD.pack(CONSTANT, low)
    if values.itemsize < 8 and high - low > np.iinfo(values.dtype).max:
        values = values.astype(np.int64)  # differences would overflow
    if depth:
        common = _common(values)
        if common is not None:
            return common
        if len(values) > 2 and high - low < 1 << 62:
            sample = _sample_steps(values)
            if _common_value(sample) or _width(int(sample.max()) - int(sample.min())) < _width(high - low):
                steps = _steps(values)
                if _common_value(sample) or _width(int(steps.max()) - int(steps.min())) < _width(high - low):
                    return WORD.pack(DIFFERENCES, int(values[0])) + encode_ints(steps, depth=depth - 1)
    return _offsets(values, low, high)


def _common_value(sample: npt.NDArray[Any]) -> tuple[int] | None:
    """Return the value of nine in ten elements of a sample, if any; only two candidates are tried, which is cheap."""
    for place in (len(sample) // 2, len(sample) // 3):
        candidate = sample[place]
        if np.count_nonzero(sample == candidate) * 10 >= 9 * len(sample):
            return (int(candidate),)
    return None


def _common(values: npt.NDArray[Any]) -> bytes | None:
    found = _common_value(_sample(values))
    if found is None:
        return None
    where = np.flatnonzero(values != found[0])
    if len(where) * 8 > len(values):
        return None
    places, others = encode_ints(where, depth=1), encode_ints(values[where], depth=0)
    return TWO.pack(EXCEPTIONS, found[0], len(where)) + places + others


def _offsets(values: npt.NDArray[Any], low: int, high: int) -> bytes:
    span = high - low
    if values.itemsize < 8:
        return TWO.pack(OFFSETS, low, 1) + _pack((values - values.dtype.type(low)).astype(WIDTHS[_width(span)]))
    # Modulo 2**64, so that any span fits.
    rest = values.view(np.uint64) - np.uint64(low % (1 << 64))
    step = int(np.gcd.reduce(_sample(rest))) if span >= 1 << 16 else 1
    if step >= 1 << 63:
        step = 1  # two values whose distance doesn't fit a signed integer
    if step > 1 and _divide(rest, step, span):
        return TWO.pack(OFFSETS, low, step) + _pack(rest.astype(WIDTHS[_width(span // step)]))
    if step > 1:
        rest = values.view(np.uint64) - np.uint64(low % (1 << 64))
    return TWO.pack(OFFSETS, low, 1) + _pack(rest.astype(WIDTHS[_width(span)]))


def _divide(rest: npt.NDArray[np.uint64], step: int, span: int) -> bool:
    """Divide in place by ``step`` if every number is a multiple of it; return whether it is.

    Exact division without dividing: shift out the power of two, multiply by the inverse of the odd part modulo 2**64.
    Multiples then become their quotients, and all others numbers larger than any quotient can be (Hacker's Delight, 2nd
    edition, 10-17).
    """
    twos = (step & -step).bit_length() - 1
    if int(np.bitwise_or.reduce(rest)) & ((1 << twos) - 1):
        return False
    rest >>= np.uint64(twos)
    rest *= np.uint64(pow(step >> twos, -1, 1 << 64))
    return int(rest.max()) <= span // step


def decode_ints(data: memoryview, at: int, count: int) -> tuple[Ints, int]:
    """Unpack ``count`` int64 numbers from ``data`` at ``at``; return them and the offset after them."""
    mode = data[at]
    if mode == CONSTANT:
        return np.full(count, WORD.unpack_from(data, at)[1], dtype=np.int64), at + WORD.size
    if mode == DIFFERENCES:
        first = WORD.unpack_from(data, at)[1]
        steps, at = decode_ints(data, at + WORD.size, count - 1)
        values = np.empty(count, dtype=np.int64)
        values[0] = first
        np.cumsum(steps, out=values[1:])
        values[1:] += first
        return values, at
    _, base, other = TWO.unpack_from(data, at)
    if mode == EXCEPTIONS:
        places, at = decode_ints(data, at + TWO.size, other)
        rest, at = decode_ints(data, at, other)
        values = np.full(count, base, dtype=np.int64)
        values[places] = rest
        return values, at
    kind = WIDTHS[data[at + TWO.size + 1].bit_length() - 1]
    packed, at = unpack(data, at + TWO.size, kind)
    if kind.itemsize == 8:
        wide = packed * np.uint64(other)  # modulo 2**64, as it was packed
        wide += np.uint64(base % (1 << 64))
        return wide.view(np.int64), at
    values = packed.astype(np.int64)
    if other != 1:
        values *= other
    values += base
    return values, at


def _digits(sample: Floats) -> int | None:
    """Return the number of decimal digits that represent nearly all of a sample exactly, or None."""
    for digits in range(_MOST_DIGITS + 1):
        scale = 10.0**digits
        if np.count_nonzero(np.rint(sample * scale) / scale == sample) * 32 >= 31 * len(sample):
            return digits
    return None


def encode_floats(values: Floats) -> bytes:
    """Pack float64 numbers, shape (n,), bit for bit."""
    with np.errstate(all="ignore"):
        digits = _digits(_sample(values)) if len(values) else None
        packed = None if digits is None else _decimals(values, digits)
    return _BYTE.pack(RAW) + _pack(values.view(np.uint64)) if packed is None else packed


def _decimals(values: Floats, digits: int) -> bytes | None:
    scale = 10.0**digits
    scaled = values * scale
    np.rint(scaled, out=scaled)
    scaled += 0.0  # no integer is -0.0
    # Compared as bits, so that -0.0 and NaN count as exceptions.
    wrong = (scaled / scale).view(np.int64) != values.view(np.int64)
    where = np.flatnonzero(wrong)
    if len(where) * 16 > len(values):
        return None
    rest = b""
    if len(where):
        rest = encode_ints(where) + _pack(values[where].view(np.uint64))
        scaled[where] = scaled[0] if not wrong[0] else 0.0
    low, high = float(np.minimum.reduce(scaled)), float(np.maximum.reduce(scaled))
    if not max(-low, high) <= 1 << 53:
        return None  # beyond 2**53 not every integer is a float
    head = struct.pack("<BBI", DECIMALS, digits, len(where))
    if low == high:
        return head + WORD.pack(CONSTANT, int(low)) + rest
    scaled -= low
    numbers = scaled.astype(WIDTHS[_width(int(high) - int(low))])
    return head + TWO.pack(OFFSETS, int(low), 1) + _pack(numbers) + rest


def decode_floats(data: memoryview, at: int, count: int) -> tuple[Floats, int]:
    """Unpack ``count`` float64 numbers; return them and the offset after them."""
    if data[at] == RAW:
        raw, at = unpack(data, at + 1, WIDTHS[3])
        return raw.view(np.float64), at
    _, digits, exceptions = struct.unpack_from("<BBI", data, at)
    scaled, at = decode_ints(data, at + 6, count)
    values = scaled / 10.0**digits
    if exceptions:
        where, at = decode_ints(data, at, exceptions)
        raw, at = unpack(data, at, WIDTHS[3])
        values[where] = raw.view(np.float64)
    return values, at


def encode_strings(offsets: npt.NDArray[np.int32], text: bytes) -> bytes:
    """Pack n texts, given as Arrow's n + 1 offsets and the concatenated UTF-8."""
    packed = bytes(blosc.compress(text, b"zstd", 3, blosc.NOSHUFFLE)) if len(text) >= _SMALL else text
    if len(packed) >= len(text):
        packed = text
    lengths = encode_ints(np.diff(offsets).astype(np.int64))
    return lengths + struct.pack("<BI", packed is not text, len(packed)) + packed


def decode_strings(data: memoryview, at: int, count: int) -> tuple[npt.NDArray[np.int32], bytes, int]:
    """Unpack texts: return offsets, concatenated UTF-8, and the offset after them."""
    lengths, at = decode_ints(data, at, count)
    packed, size = struct.unpack_from("<BI", data, at)
    at += 5
    text = blosc.decompress(data[at : at + size]) if packed else bytes(data[at : at + size])
    offsets = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return offsets, text, at + size


def encode_bits(bits: npt.NDArray[np.bool_]) -> bytes:
    """Pack booleans, shape (n,)."""
    return _pack(np.packbits(bits, bitorder="little"))


def decode_bits(data: memoryview, at: int) -> tuple[npt.NDArray[np.uint8], int]:
    """Unpack to a little-endian bitmap, as Arrow uses it; return it and the offset after it."""
    return unpack(data, at, WIDTHS[0])
