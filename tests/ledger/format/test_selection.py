"""Some rows of packed columns are those of the whole column."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from twinlab.ledger.format import codec, selection

from .test_codec import INT64, SMALL

PLACES = st.lists(st.integers(0, 10**6), max_size=20)
RARE = st.builds(
    lambda common, places, others, count: _with_others(np.full(count, common), places, others),
    st.integers(-(2**62), 2**62), PLACES, st.lists(st.integers(-(2**62), 2**62), min_size=1), st.integers(30, 400),
)  # fmt: skip
SERIES = SMALL.map(np.cumsum) | RARE.map(np.cumsum)


def _with_others(values: np.ndarray, places: list[int], others: list[int]) -> np.ndarray:
    for number, place in enumerate(places):
        values[place % len(values)] = others[number % len(others)]
    return values


@example(np.array([-(2**63), 2**63 - 1, *[0] * 18]), [0, 1, 2, 19])
@example(np.arange(1000) * 7 - 3, [0, 999, 5])
@example(np.cumsum([0, *[60] * 300, 61, *[60] * 300]), [0, 300, 301, 302, 601])
@given(INT64 | SMALL | RARE | SERIES, PLACES)
def test_integers_at_some_places(values: np.ndarray, places: list[int]) -> None:
    at = np.array([place % len(values) for place in places if len(values)], dtype=np.int64)
    data = memoryview(codec.encode_ints(values)) if len(values) else memoryview(b"")
    if len(values):
        assert np.array_equal(selection.take_ints(data, 0, len(values), at), values[at])
        wanted = {int(value) for value in values[at]} | {12345}
        assert np.array_equal(
            selection.find_ints(data, 0, len(values), wanted), np.flatnonzero(np.isin(values, list(wanted)))
        )


@example([2.5, 2.5, -0.0, float("nan"), *[2.5] * 60], [0, 2, 3, 60])
@given(
    st.lists(st.floats(width=64), min_size=1, max_size=100)
    | st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=300).map(lambda k: (np.array(k) / 10).tolist()),
    PLACES,
)
def test_floats_at_some_places_bit_for_bit(numbers: list[float], places: list[int]) -> None:
    values = np.array(numbers)
    at = np.array([place % len(values) for place in places], dtype=np.int64)
    data = memoryview(codec.encode_floats(values))
    found = selection.take_floats(data, 0, len(values), at)
    assert np.array_equal(found.view(np.uint64), values[at].view(np.uint64))
