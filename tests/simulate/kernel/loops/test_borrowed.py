"""Arrays as one pointer: read, written and measured as the arrays themselves, whatever their type and dims."""

from typing import Any, NamedTuple

import numpy as np

from twinlab._compiled import njit
from twinlab.simulate.kernel.loops.borrowed import borrowed, prefetch

PLACE = np.dtype([("count", "i2"), ("share", "f8")], align=True)


class Arrays(NamedTuple):
    numbers: Any
    table: Any
    places: Any
    copies: Any


@njit(nogil=True)
def _add(a, row, column):
    place = a.places[row]
    place.count += 3
    place.share = a.table[row, column] / 2
    a.numbers[row] += a.places[row].count
    a.copies[column] = a.places[row]
    return a.numbers.size


@njit(nogil=True)
def _changed(arrays, row, column):
    a = borrowed(arrays)
    prefetch(a.places, row)
    prefetch(a.places, -1)
    return _add(a, row, column)


def test_rows_are_read_and_written_in_place():
    arrays = Arrays(np.arange(5.0), np.arange(6, dtype=np.int32).reshape(3, 2), np.zeros(3, PLACE), np.zeros(2, PLACE))
    assert _changed(arrays, np.int32(2), 1) == 5
    assert arrays.places[2].tolist() == arrays.copies[1].tolist() == (3, 2.5)
    assert arrays.numbers.tolist() == [0, 1, 5, 3, 4]
    assert not arrays.places[:2]["count"].any()
    assert not arrays.copies[0]["count"]
