"""Compressed columns are decoded exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from twinlab.ledger.format import codec
from twinlab.ledger.format.frame import pack_ids, unpack_ids

INT64 = hnp.arrays(np.int64, st.integers(0, 400), elements=st.integers(-(2**63), 2**63 - 1))
SMALL = st.builds(
    lambda base, step, counts: base + step * np.array(counts, dtype=np.int64),
    st.integers(-(2**40), 2**40),
    st.sampled_from([1, 3, 1000, 1_000_000, 60_000_000_000 // 60_000]),
    st.lists(st.integers(-500, 70_000), min_size=1, max_size=400),
)


@example(np.array([-1, 2**63 - 1, *[0] * 18]))
@example(np.array([-(2**63), 2**63 - 1, -(2**63)]))
@given(INT64 | SMALL)
def test_integers_come_back_as_they_were(values: np.ndarray) -> None:
    back, _ = codec.decode_ints(memoryview(codec.encode_ints(values)), 0, len(values))
    assert np.array_equal(back, values)


@pytest.mark.parametrize("kind", [np.int8, np.int32])
@given(data=st.data())
def test_narrow_integers_come_back_as_they_were(kind: type, data: st.DataObject) -> None:
    info = np.iinfo(kind)
    values = data.draw(hnp.arrays(kind, st.integers(1, 300), elements=st.integers(int(info.min), int(info.max))))
    back, _ = codec.decode_ints(memoryview(codec.encode_ints(values)), 0, len(values))
    assert np.array_equal(back, values)


@given(st.integers(2, 60_000), st.integers(0, 2**32), st.integers(0, 299))
def test_one_number_off_the_common_step_is_not_lost(step: int, seed: int, place: int) -> None:
    values = step * np.random.default_rng(seed).integers(0, 2**30, 300)
    values[place] += 1
    back, _ = codec.decode_ints(memoryview(codec.encode_ints(values)), 0, len(values))
    assert np.array_equal(back, values)


@given(
    hnp.arrays(np.uint64, st.integers(0, 300), elements=st.integers(0, 2**64 - 1))
    | st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=300).map(
        lambda k: (np.array(k) / 100).view(np.uint64)
    )
)
def test_floats_come_back_bit_for_bit(bits: np.ndarray) -> None:
    values = bits.view(np.float64)
    back, _ = codec.decode_floats(memoryview(codec.encode_floats(values)), 0, len(values))
    assert np.array_equal(back.view(np.uint64), bits)


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=64, max_size=400),
    st.sampled_from([np.nan, -0.0, np.inf, 1 / 3, 1e300]),
)
def test_a_few_odd_values_among_decimals_keep_all_their_bits(counts: list[int], odd: float) -> None:
    values = np.array(counts) / 10
    for place in (0, len(values) // 2):
        values[place] = odd
        back, _ = codec.decode_floats(memoryview(codec.encode_floats(values)), 0, len(values))
        assert np.array_equal(back.view(np.uint64), values.view(np.uint64))


def test_decimals_at_sensor_resolution_take_a_fraction_of_eight_bytes() -> None:
    values = np.round(np.random.default_rng(0).normal(20, 3, 10_000), 2)
    assert len(codec.encode_floats(values)) < 2.1 * len(values)


def test_constants_ramps_and_rare_exceptions_cost_next_to_nothing() -> None:
    rare = np.zeros(10_000, dtype=np.int64)
    rare[::1000] = 7
    for values in (np.full(10_000, 5), np.arange(10_000) * 3, rare):
        assert len(codec.encode_ints(values)) < 100


@given(st.lists(st.text(max_size=20), max_size=100))
def test_texts_come_back_as_they_were(texts: list[str]) -> None:
    raw = [t.encode() for t in texts]
    offsets = np.cumsum([0, *map(len, raw)]).astype(np.int32)
    back, joined, _ = codec.decode_strings(memoryview(codec.encode_strings(offsets, b"".join(raw))), 0, len(raw))
    assert np.array_equal(back, offsets)
    assert joined == b"".join(raw)


@given(hnp.arrays(np.bool_, st.integers(0, 500)))
def test_the_ids_of_a_head_come_back_as_they_were(present: np.ndarray) -> None:
    assert np.array_equal(unpack_ids(pack_ids(present)), np.flatnonzero(present))
