"""Encoding of values as integers, and the grid of cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from twinlab.errors import SchemaError
from twinlab.history.layout.encoding import decode, encode
from twinlab.history.layout.grid import DAY_NS, Axis, Group, cold_layout, duration_text, floor_midnight, rollup_steps
from twinlab.model.twinmodel import Signal

SIGNALS = [
    Signal(unit="degC", resolution=0.1),
    Signal(unit="km/h", resolution=0.3),
    Signal(unit="m", resolution=5.0),
    Signal(unit="Pa", resolution=1e-5, sensor_span=(0.0, 1e6)),
]


@given(st.sampled_from(SIGNALS), hnp.arrays("float64", st.integers(0, 40), elements=st.floats(-1e7, 1e7)))
def test_values_read_back_within_half_a_resolution(signal, values):
    ints, lost = encode(values, signal)
    back = decode(ints, signal)
    kept = ~lost
    assert np.all(np.abs(back[kept] - values[kept]) <= signal.resolution * 0.5000001)
    assert np.isnan(back[lost]).all()


@given(st.sampled_from(SIGNALS), st.integers(-(2**31) + 1, 2**31 - 1))
def test_an_integer_survives_decode_and_encode(signal, number):
    ints = np.array([number], dtype=signal.storage_dtype)
    again, lost = encode(decode(ints, signal), signal)
    assert again.dtype == ints.dtype
    assert (again == ints).all()
    assert not lost.any()


def test_decimal_resolutions_read_back_as_the_nearest_double():
    ints, _ = encode([0.1, 0.3, 20.7], SIGNALS[0])
    assert decode(ints, SIGNALS[0]).tolist() == [0.1, 0.3, 20.7]


def test_what_does_not_fit_is_marked_lost_and_nan_is_not():
    _, lost = encode([np.nan, np.inf, 1e12, 1.0], SIGNALS[0])
    assert lost.tolist() == [False, True, True, False]


def test_negative_state_codes_are_lost():
    ints, lost = encode([0, 7, -1, np.nan], Signal(kind="state", states={0: "off", 7: "on"}))
    assert ints.dtype == np.int16
    assert lost.tolist() == [False, False, True, False]


@given(st.sampled_from(["1s", "10s", "1min", "7min", "1h", "1d"]), st.integers(0, 50_000), st.integers(0, 50_000))
def test_a_split_covers_the_span_once_and_stays_within_years(cadence, first, length):
    axis = Axis(floor_midnight(Signal(resolution=1.0).cadence_ns), Group("x", cadence).cadence_ns)
    parts = list(axis.split(first, first + length))
    assert [k for _, a, b in parts for k in (a, b)][1:-1:2] == [a for _, a, _ in parts][1:]
    assert sum(b - a for _, a, b in parts) == length
    for year, a, b in parts:
        low, high = axis.year_cells(year)
        assert low <= a < b <= high


def test_a_group_has_one_spelling():
    assert Group("truck", "60s") == Group("truck", "1min")
    assert Group.at("truck/1min").cadence_ns == 60 * 10**9


def test_steps_need_four_cells_and_whole_windows():
    assert rollup_steps(10**9) == ("1min", "15min", "1h", "4h", "1d")
    assert rollup_steps(7 * 60 * 10**9) == ()
    assert rollup_steps(DAY_NS) == ()


def test_a_duration_of_nothing_is_refused():
    with pytest.raises(SchemaError, match="whole milliseconds"):
        duration_text(0)


def test_small_groups_get_small_tiles():
    assert cold_layout(525_600, 1000).tile == (4096, 8)
    assert cold_layout(8_760, 3).tile == (8192, 4)
    assert cold_layout(8_760, 1).tile[1] == 1
