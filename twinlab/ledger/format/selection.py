"""Some rows of packed columns (see `twinlab.ledger.format.codec`), without unpacking all rows into numbers."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.ledger.format.codec import (
    CONSTANT,
    DIFFERENCES,
    EXCEPTIONS,
    OFFSETS,
    PACK,
    RAW,
    TWO,
    WIDTHS,
    WORD,
    decode_floats,
    decode_ints,
    unpack,
)

__all__ = ["find_ints", "take_floats", "take_ints"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def find_ints(data: memoryview, at: int, count: int, wanted: Iterable[int]) -> Ints:
    """Return the places of some numbers among ``count`` packed ones, ascending."""
    found = np.zeros(count, dtype=np.bool_)
    packed: npt.NDArray[Any]
    packed, base, step = _offsets(data, at) if data[at] == OFFSETS else (decode_ints(data, at, count)[0], 0, 1)
    limits = np.iinfo(packed.dtype)
    for number in wanted:
        place, rest = divmod(number - base, step)
        if not rest and limits.min <= place <= limits.max:
            found |= packed == place
    return np.flatnonzero(found)


def take_ints(data: memoryview, at: int, count: int, places: Ints) -> Ints:
    """Return the numbers at some places of ``count`` packed ones: those of `decode_ints`, without making all of them."""
    mode = data[at]
    if mode == CONSTANT:
        return np.full(len(places), WORD.unpack_from(data, at)[1], dtype=np.int64)
    if mode == OFFSETS:
        packed, base, step = _offsets(data, at)
        return _scaled(packed[places], step, base)
    if mode == EXCEPTIONS:
        base, where, others = _exceptions(data, at)
        values = np.full(len(places), base, dtype=np.int64)
        _replace(values, places, where, others)
        return values
    first, inner = WORD.unpack_from(data, at)[1], at + WORD.size
    if data[inner] == CONSTANT:
        return _scaled(places, WORD.unpack_from(data, inner)[1], first)
    if data[inner] == EXCEPTIONS:
        base, where, others = _exceptions(data, inner)
        sums: Ints = np.concatenate([np.zeros(1, np.int64), np.cumsum(others - base)])
        before: Ints = sums[where.searchsorted(places)]
        return _scaled(places, base, first) + before
    if data[inner] == OFFSETS:
        packed, base, step = _offsets(data, inner)
        sums = np.zeros(count, dtype=np.int64)
        np.cumsum(packed.view(np.int64) if packed.itemsize == 8 else packed, out=sums[1:])
        return _scaled(places, base, first) + _scaled(sums[places], step, 0)
    every = decode_ints(data, at, count)[0]
    found: Ints = every[places]
    return found


def _exceptions(data: memoryview, at: int) -> tuple[int, Ints, Ints]:
    """Return the common number, the places of other ones, and these."""
    _, base, other = TWO.unpack_from(data, at)
    where, at = decode_ints(data, at + TWO.size, other)
    return base, where, decode_ints(data, at, other)[0]


def _replace(values: npt.NDArray[Any], places: Ints, where: Ints, others: npt.NDArray[Any]) -> None:
    """Put those of the numbers at the places ``where`` of a column that are among ``places`` into ``values``."""
    if not len(where):
        return
    near = np.minimum(where.searchsorted(places), len(where) - 1)
    same = where[near] == places
    values[same] = others[near[same]]


def _end_of_ints(data: memoryview, at: int) -> int:
    """Return the offset after packed numbers."""
    mode = data[at]
    if mode == CONSTANT:
        return at + WORD.size
    if mode == DIFFERENCES:
        return _end_of_ints(data, at + WORD.size)
    if mode == EXCEPTIONS:
        return _end_of_ints(data, _end_of_ints(data, at + TWO.size))
    return at + TWO.size + PACK.size + int(PACK.unpack_from(data, at + TWO.size)[2])


def _offsets(data: memoryview, at: int) -> tuple[npt.NDArray[Any], int, int]:
    """Return packed offsets, the number that is added to each, and the one that each is multiplied with."""
    _, base, step = TWO.unpack_from(data, at)
    kind = WIDTHS[data[at + TWO.size + 1].bit_length() - 1]
    return unpack(data, at + TWO.size, kind)[0], base, step


def _scaled(numbers: npt.NDArray[Any], step: int, base: int) -> Ints:
    """Return ``numbers * step + base`` modulo 2**64, as the numbers were packed."""
    wide = numbers.astype(np.uint64) * np.uint64(step % (1 << 64))
    wide += np.uint64(base % (1 << 64))
    return wide.view(np.int64)


def take_floats(data: memoryview, at: int, count: int, places: Ints) -> Floats:
    """Return the float64 numbers at some places of ``count`` packed ones."""
    if data[at] == RAW:
        return decode_floats(data, at, count)[0][places]
    _, digits, exceptions = struct.unpack_from("<BBI", data, at)
    values: Floats = take_ints(data, at + 6, count, places) / 10.0**digits
    if exceptions:
        where, at = decode_ints(data, _end_of_ints(data, at + 6), exceptions)
        _replace(values, places, where, unpack(data, at, WIDTHS[3])[0].view(np.float64))
    return values
