"""Multi-variate tests against slow oracles."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.quality import ConditionalSpan, conditional_flags, multivariate_flags

MINUTES = np.datetime64("2026-01-01", "ns") + np.arange(30) * np.timedelta64(1, "m")


def _data(seed: int) -> tuple[xr.DataArray, xr.Dataset]:
    random = np.random.default_rng(seed)
    tables = random.integers(-6, 6, (3, 30, 4)).astype(float)
    tables[random.random(tables.shape) < 0.15] = np.nan
    coords = {"time": MINUTES, "asset": list("abcd")}
    data = xr.Dataset({name: (("time", "asset"), table) for name, table in zip("vxy", tables, strict=True)}, coords)
    return data.v, data[["x", "y"]]


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), fail=st.sampled_from([None, 4.6]))
def test_the_distance_from_the_combination_decides(seed: int, fail: float | None) -> None:
    values, others = _data(seed)
    distance = abs(values - (0.5 + 2 * others.x - 0.5 * others.y))
    expected = xr.where(distance > (fail or np.inf), 4, xr.where(distance > 2.3, 3, 1))
    expected = expected.where(distance.notnull(), 2).where(values.notnull(), 9)
    options = {"coefficients": {"x": 2, "y": -0.5}, "intercept": 0.5, "suspect": 2.3, "fail": fail}
    assert (multivariate_flags(values, others, **options) == expected).all()
    lazy = multivariate_flags(values.chunk(time=7), others.chunk(time=11), **options)
    assert lazy.chunks is not None
    assert (lazy == expected).all()


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    spans=st.lists(
        st.tuples(st.integers(-6, 2), st.integers(0, 6), st.integers(-5, 0), st.integers(1, 5), st.booleans()),
        min_size=1,
        max_size=4,
    ),
)
def test_the_last_span_that_covers_the_other_signal_decides(seed: int, spans: list) -> None:
    values, others = _data(seed)
    made = [
        ConditionalSpan((low, low + more), (bottom, top), (bottom - 1, top) if failing else None)
        for low, more, bottom, top, failing in spans
    ]
    expected = values.copy(data=np.full(values.shape, 2))
    for span in made:
        outer = span.fail or (-np.inf, np.inf)
        flags = xr.where((values < span.suspect[0]) | (values > span.suspect[1]), 3, 1)
        flags = xr.where((values < outer[0]) | (values > outer[1]), 4, flags)
        expected = xr.where((others.x >= span.when[0]) & (others.x <= span.when[1]), flags, expected)
    expected = expected.where(values.notnull(), 9)
    assert (conditional_flags(values, others, given="x", spans=made) == expected).all()
    assert (conditional_flags(values.chunk(time=7), others, given="x", spans=made) == expected).all()


def test_a_signal_of_the_site_is_compared_with_each_asset() -> None:
    values, others = _data(1)
    alone = others.isel(asset=0, drop=True)
    flags = multivariate_flags(values, alone, coefficients={"x": 1}, suspect=2)
    same = multivariate_flags(values, alone.expand_dims(asset=values.asset), coefficients={"x": 1}, suspect=2)
    assert (flags == same).all() and flags.dims == values.dims


def test_wrong_arguments_are_refused() -> None:
    values, others = _data(2)
    with pytest.raises(SchemaError, match="coefficient for at least one"):
        multivariate_flags(values, others, coefficients={}, suspect=1)
    with pytest.raises(SchemaError, match=r"signal 'z' among the others, got \['x', 'y'\]"):
        multivariate_flags(values, others, coefficients={"z": 1}, suspect=1)
    with pytest.raises(SchemaError, match="on the coordinates of 'v'"):
        multivariate_flags(values, others.isel(time=slice(3, None)), coefficients={"x": 1}, suspect=1)
    with pytest.raises(SchemaError, match="at least one span"):
        conditional_flags(values, others, given="x", spans=[])
    with pytest.raises(SchemaError, match="suspect as .low, high. inside fail"):
        ConditionalSpan((0, 1), (0, 5), (1, 9))
