"""Single tests of a few series give the flags of the kernel for many."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.quality import range_flags, rate_flags, spike_flags
from twinlab.quality.labelled import step_of


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    within=st.sampled_from([None, "3s", "9s"]),
    suspect=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
def test_one_series_gets_the_flags_that_it_has_among_many(seed: int, within: str | None, suspect: float) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(-5, 5, (60, 1)) / 2
    values[random.random(values.shape) < 0.15] = np.nan
    values[random.random(values.shape) < 0.05] = random.choice([np.inf, -np.inf, 1e300])
    times = np.datetime64("2026-01-01", "ns") + np.cumsum(random.integers(1, 4, 60)) * np.timedelta64(1, "s")
    alone = xr.DataArray(values, {"time": times}, ("time", "asset"))
    many = xr.DataArray(np.repeat(values, 6, axis=1), {"time": times}, ("time", "asset"))
    for test in (rate_flags, spike_flags):
        options = {"suspect": suspect, "fail": 2 * suspect, "within": within}
        assert (test(alone, **options).to_numpy() == test(many, **options).to_numpy()[:, :1]).all()
        assert (test(alone.chunk(time=7), **options).to_numpy() == test(many, **options).to_numpy()[:, :1]).all()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 600])
@pytest.mark.parametrize("missing", [0, 0.005, 0.5])
def test_blocks_without_missing_values_get_the_same_rates(size: int, missing: float) -> None:
    random = np.random.default_rng(size)
    values = random.integers(-5, 5, (size, 1)) / 2
    values[random.random(values.shape) < missing] = np.nan
    times = np.datetime64("2026-01-01", "ns") + np.cumsum(random.integers(1, 4, size)) * np.timedelta64(1, "s")
    alone = xr.DataArray(values, {"time": times}, ("time", "asset"))
    many = xr.DataArray(np.repeat(values, 6, axis=1), {"time": times}, ("time", "asset"))
    options = {"suspect": 1.0, "fail": 2.0, "within": "2s"}
    assert (rate_flags(alone, **options).to_numpy() == rate_flags(many, **options).to_numpy()[:, :1]).all()


@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 40_000])
def test_any_number_of_values_is_judged_once(size: int, dtype: str) -> None:
    values = (np.arange(size) % 7).astype(dtype)
    flags = range_flags(xr.DataArray(values, dims="x"), fail_span=(0, 5), suspect_span=(1, 5)).to_numpy()
    assert (flags == np.where(values > 5, 4, np.where(values < 1, 3, 1))).all()


def test_the_usual_step_is_the_median_one_unless_all_are_alike() -> None:
    assert step_of(np.arange(5) * 7) == 7
    assert step_of(np.array([0, 9, 10, 11, 12])) == 1
    assert step_of(np.array([3])) == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_missing_time_is_refused_wherever_it_is(place: int) -> None:
    times = np.datetime64("2026-01-01", "ns") + np.arange(3) * np.timedelta64(1, "s")
    times[place] = np.datetime64("NaT")
    with pytest.raises(SchemaError, match="falling or missing times"):
        rate_flags(xr.DataArray(np.zeros(3), {"time": times}, "time"), suspect=1, fail=2)
