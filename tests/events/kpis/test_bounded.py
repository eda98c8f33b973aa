"""Arithmetic with bounds: the result of any numbers inside the bounds of the parts is inside the result's bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.events.kpis.bounded import Bounded, combine

NUMBERS = st.integers(-4, 4).map(float)
SHARES = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@st.composite
def bounded(draw: st.DrawFn) -> tuple[float, float, float]:
    """Return a number and bounds around it, some of them infinite."""
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    number = low + draw(SHARES) * (high - low)
    return number, draw(st.sampled_from([low, low, -np.inf])), draw(st.sampled_from([high, high, np.inf]))


def of(value: float, low: float, high: float) -> Bounded:
    return Bounded(*(np.array([one]) for one in (value, low, high)))


@given(bounded(), bounded(), st.sampled_from("+-*/"))
def test_the_result_of_any_numbers_inside_is_inside(left, right, operator):
    found = combine(operator, of(*left), of(*right))
    if operator == "/" and right[0] == 0:
        return
    result = {"+": left[0] + right[0], "-": left[0] - right[0], "*": left[0] * right[0]}.get(operator)
    result = left[0] / right[0] if result is None else result
    assert found.low[0] <= result + 1e-12
    assert found.high[0] >= result - 1e-12
    assert found.value[0] == pytest.approx(result)


@given(NUMBERS, NUMBERS, st.sampled_from("+-*/"))
def test_of_exact_numbers_the_bounds_are_the_value(left, right, operator):
    found = combine(operator, Bounded.exact([left]), Bounded.exact([right]))
    np.testing.assert_array_equal(found.low, found.value)
    np.testing.assert_array_equal(found.high, found.value)


def test_a_quotient_by_what_may_be_zero_has_no_bound_on_that_side():
    found = combine("/", Bounded.exact([6.0]), of(2.0, 0.0, 3.0))
    assert (found.low[0], found.value[0], found.high[0]) == (2.0, 3.0, np.inf)
    both = combine("/", Bounded.exact([6.0]), of(2.0, -1.0, 3.0))
    assert (both.low[0], both.high[0]) == (-np.inf, np.inf)


def test_what_does_not_exist_stays_so_whatever_it_is_combined_with():
    missing = of(np.nan, np.nan, np.nan)
    found = combine("+", missing, Bounded.exact([1.0]))
    assert np.isnan([found.value, found.low, found.high]).all()
    assert np.isnan(combine("/", Bounded.exact([1.0]), Bounded.exact([0.0])).low).all()


def test_a_negative_factor_swaps_the_bounds():
    found = of(1.0, 0.0, 3.0).scaled(0.0, -2.0, 1.0)
    assert (found.value[0], found.low[0], found.high[0]) == (-1.0, -5.0, 1.0)
