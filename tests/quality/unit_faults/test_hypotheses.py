"""Hypotheses of scale and offset."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import UnitError
from twinlab.model.units import compatible, conversion, convert
from twinlab.quality.unit_faults.hypotheses import FAMILIES, hypotheses

PAIRS = [
    (signal, declared, written)
    for family in FAMILIES
    for signal, declared, written in itertools.product(family, repeat=3)
    if conversion(declared, written)[:] != (0.0, 1.0, 0.0)
]


@given(st.sampled_from(PAIRS), st.floats(-1e4, 1e4), st.sampled_from([0.1, 10.0, 100.0]))
def test_a_hypothesis_undoes_the_wrong_conversion(pair: tuple[str, str, str], right: float, factor: float) -> None:
    signal, declared, written = pair
    tested = hypotheses(signal, declared)
    seen = convert(convert([right], signal, written), declared, signal)
    # Pressures and shares have units whose ratio is a decimal place; that is one hypothesis under one of its names.
    best = min(tested, key=lambda one: abs(float(one.apply(seen)[0]) - right))
    assert best.apply(seen)[0] == pytest.approx(right, rel=1e-6, abs=1e-6 * max(1.0, abs(float(seen[0]))))
    if any(one.factor == 1 / factor for one in tested):
        number = convert([right], signal, declared) * factor
        (decimal,) = [one for one in tested if one.factor == 1 / factor]
        again = decimal.apply(convert(number, declared, signal))[0]
        assert again == pytest.approx(right, rel=1e-6, abs=1e-6 * max(1.0, abs(right)))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family[0])
def test_no_two_hypotheses_have_the_same_effect_and_none_has_no_effect(family: tuple[str, ...]) -> None:
    for signal, declared in itertools.product(family, repeat=2):
        effects = [(1.0, 0.0), *((one.slope, one.shift) for one in hypotheses(signal, declared))]
        for one, other in itertools.combinations(effects, 2):
            assert not np.allclose(one, other, rtol=1e-6), (signal, declared)
        assert sum(one.prior for one in hypotheses(signal, declared)) == pytest.approx(0.01)


def test_units_of_a_family_are_of_one_quantity() -> None:
    assert all(compatible(one, other) for family in FAMILIES for one, other in itertools.combinations(family, 2))


def test_a_unit_that_nobody_confuses_has_decimal_places_only() -> None:
    assert {one.written for one in hypotheses("degree")} == {"degree"}
    assert sorted(one.factor for one in hypotheses("degree")) == [0.001, 0.01, 0.1, 10.0, 100.0, 1000.0]


def test_a_declared_unit_of_another_quantity_is_refused() -> None:
    with pytest.raises(UnitError, match="different things"):
        hypotheses("degC", "km/h")
