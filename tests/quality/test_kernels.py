"""Every kernel against its slow oracle, on short series full of holes, repeats and jumps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality import oracles
from twinlab import quality

# Few distinct quarters: repeats, ties with thresholds and exact arithmetic come for free.
VALUES = st.lists(
    st.one_of(st.just(np.nan), st.integers(-8, 8).map(lambda n: n / 4), st.sampled_from([30.0, -30.0, np.inf])),
    min_size=1,
    max_size=30,
)
# The first example compiles.
PROVED = settings(deadline=None)
REACH = st.integers(1, 5)


def series(values: list[float], step: str = "2s") -> xr.DataArray:
    times = pd.date_range("2013-01-01", periods=len(values), freq=step, unit="ns")
    return xr.DataArray(values, {"time": times}, ["time"], name="x", attrs={"units": "K"})


def without_infinities(values: list[float]) -> list[float]:
    return [v if np.isfinite(v) else np.nan for v in values]


@PROVED
@given(VALUES)
def test_range_flags_equal_the_oracle(values: list[float]) -> None:
    found = quality.range_flags(series(values), fail_span=(-2, 1.5), suspect_span=(-1, 1))
    assert found.values.tolist() == [oracles.range_of(v, (-2, 1.5), (-1, 1)) for v in values]


@PROVED
@given(VALUES)
def test_a_value_is_missing_exactly_if_it_is_nan(values: list[float]) -> None:
    found = quality.missing_flags(series(values))
    assert found.values.tolist() == [9 if np.isnan(v) else 1 for v in values]


@PROVED
@given(VALUES, REACH)
def test_spike_flags_equal_the_oracle(values: list[float], reach: int) -> None:
    values = without_infinities(values)
    within = np.timedelta64(2 * reach, "s")
    found = quality.spike_flags(series(values), suspect=0.5, fail=1, within=within)
    assert found.values.tolist() == oracles.each(values, lambda v, k: oracles.spike(v, k, reach, suspect=0.5, fail=1))


@PROVED
@given(VALUES, REACH)
def test_rate_flags_equal_the_oracle(values: list[float], reach: int) -> None:
    values = without_infinities(values)
    within = np.timedelta64(2 * reach, "s")
    found = quality.rate_flags(series(values), suspect=0.25, fail=0.5, within=within)
    assert found.values.tolist() == oracles.each(
        values, lambda v, k: oracles.rate(v, k, reach, suspect=0.25, fail=0.5, seconds=2)
    )


@PROVED
@given(st.lists(st.sampled_from([np.nan, 1.0, 1.0, 1.0, 1.25]), min_size=1, max_size=40), REACH, st.integers(1, 8))
def test_flat_line_flags_equal_the_oracle(values: list[float], reach: int, cells: int) -> None:
    within, duration = np.timedelta64(2 * reach, "s"), np.timedelta64(2 * cells, "s")
    found = quality.flat_line_flags(series(values), duration=duration, within=within)
    assert found.values.tolist() == oracles.each(values, lambda v, k: oracles.flat(v, k, reach, cells))


@PROVED
@given(st.lists(st.one_of(st.just(np.nan), st.integers(0, 20).map(float)), min_size=1, max_size=30), REACH)
def test_counter_flags_equal_the_oracle(values: list[float], reach: int) -> None:
    found = quality.counter_flags(series(values), wraps_at=20, within=np.timedelta64(2 * reach, "s"))
    assert found.values.tolist() == oracles.each(values, lambda v, k: oracles.counter(v, k, reach, 20))


@PROVED
@given(st.lists(st.sampled_from([np.nan, np.nan, 1.0]), min_size=1, max_size=40), st.integers(1, 5))
def test_gap_flags_equal_the_oracle(values: list[float], longest: int) -> None:
    found = quality.gap_flags(series(values), gap=np.timedelta64(2 * longest, "s"))
    assert found.values.tolist() == oracles.each(values, lambda v, k: oracles.gap(v, k, longest))


@PROVED
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_a_state_passes_exactly_if_its_code_is_known(values: list[float]) -> None:
    values = [*values, 0.0, 1.0, 2.0, 3.0, -0.0, 0.5]
    found = quality.state_flags(series(values), codes={0, 2})
    assert found.values.tolist() == [9 if np.isnan(v) else 1 if v in (0, 2) else 4 for v in values]


@PROVED
@given(st.lists(st.lists(st.sampled_from([1, 2, 3, 4, 9]), min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_worst_of_all_tests_counts(tables: list[list[int]]) -> None:
    found = quality.aggregate_flags(*(xr.DataArray(np.array(flags, "uint8"), dims="time") for flags in tables))
    assert found.values.tolist() == [oracles.worst(column) for column in zip(*tables, strict=True)]


def test_a_sensor_that_jitters_within_its_resolution_is_flat() -> None:
    jitter = series([20.01, 19.99, 20.02, 20.0, 19.98])
    assert quality.flat_line_flags(jitter, duration="4s").values.tolist() == [2, 1, 1, 1, 1]
    found = quality.flat_line_flags(jitter, duration="4s", resolution=0.1)
    assert found.values.tolist() == [2, 2, 3, 3, 3]


def test_irregular_times_are_judged_by_their_true_distances() -> None:
    times = np.datetime64("2013-01-01", "ns") + np.array([0, 1, 2, 12, 13]) * np.timedelta64(1, "s")
    data = xr.DataArray([0.0, 0.0, 0.0, 10.0, 11.0], {"time": times}, ["time"])
    assert quality.rate_flags(data, suspect=1.0, fail=9).values.tolist() == [2, 1, 1, 1, 1]
    assert quality.spike_flags(data, suspect=1, fail=9, within="20s").values.tolist() == [2, 1, 1, 1, 2]


@pytest.mark.parametrize(("values", "expected"), [([], []), ([1.0], [2])])
def test_series_without_neighbours_are_not_evaluated(values: list[float], expected: list[int]) -> None:
    data = series(values)
    assert quality.spike_flags(data, suspect=1, fail=2).values.tolist() == expected
    assert quality.rate_flags(data, suspect=1, fail=2).values.tolist() == expected
    assert quality.flat_line_flags(data, duration="1h").values.tolist() == expected
