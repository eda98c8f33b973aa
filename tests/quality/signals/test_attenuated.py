"""The attenuated signal test against a slow oracle."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.quality import attenuated_flags

SECOND = np.timedelta64(1, "s")


def _slow(
    values: np.ndarray, seconds: np.ndarray, window: int, least: int, limits: tuple[float, float], by: str
) -> list:
    found = []
    for place, value in enumerate(values):
        inside = values[: place + 1][seconds[: place + 1] > seconds[place] - window]
        inside = inside[~np.isnan(inside)]
        spread = np.nan if np.isnan(value) else np.ptp(inside) if by == "range" else np.std(inside)
        if np.isnan(value):
            found.append(9)
        elif inside.size < least:
            found.append(2)
        else:
            found.append(4 if spread < limits[1] else 3 if spread < limits[0] else 1)
    return found


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    window=st.integers(1, 60),
    least=st.integers(2, 6),
    by=st.sampled_from(["std", "range"]),
    series=st.integers(1, 40),
    regular=st.booleans(),
)
def test_the_variation_in_the_window_decides(
    seed: int, window: int, least: int, by: str, series: int, regular: bool
) -> None:
    random = np.random.default_rng(seed)
    seconds = np.arange(50) * random.integers(1, 9) if regular else np.cumsum(random.integers(1, 9, 50))
    values = np.round(random.normal(0, random.choice([0.1, 1, 5], (50, 1)), (50, series)), 1)
    values[random.random((50, series)) < 0.2] = np.nan
    # Neither a standard deviation nor a range of tenths.
    limits = (0.8234567, 0.2345678)
    array = xr.DataArray(values, {"time": np.datetime64("2026-01-01", "ns") + seconds * SECOND}, ("time", "asset"))
    options = {"window": f"{window}s", "suspect": limits[0], "fail": limits[1], "least": least, "by": by}
    expected = np.stack([_slow(column, seconds, window, least, limits, by) for column in values.T], axis=1)
    assert (attenuated_flags(array, **options).to_numpy() == expected).all()
    assert (attenuated_flags(array.chunk(time=9, asset=3), **options).to_numpy() == expected).all()


def test_huge_values_leave_no_rounding_error_behind() -> None:
    random = np.random.default_rng(5)
    values = 1e5 + random.normal(0, 1e-3, 5_000)
    values[[700, 1_400]] = 1e12, -1e15
    values[3_000:] = values[3_000]
    array = xr.DataArray(values, {"time": np.datetime64(0, "ns") + np.arange(5_000) * SECOND}, "time")
    flags = attenuated_flags(array, window="60s", suspect=3e-4, fail=1e-9).to_numpy()
    assert (flags[100:3_000] == 1).all()
    assert (flags[3_060:] == 4).all()


@pytest.mark.parametrize("by", ["std", "range"])
@pytest.mark.parametrize("series", [1, 3, 40])
def test_a_regular_cadence_gives_the_flags_of_an_irregular_one(by: str, series: int) -> None:
    random = np.random.default_rng(8)
    values = np.round(random.normal(20, 0.3, (1_000, series)), 1)
    values[random.random(values.shape) < 0.1] = np.nan
    values[random.random(values.shape) < 0.002] = random.choice([1e9, np.inf, -np.inf])
    values[300:600] = values[299]
    seconds = np.arange(1_000)
    flags = {}
    for last in (999, 1_001):
        seconds[-1] = last
        array = xr.DataArray(values, {"time": np.datetime64(0, "ns") + seconds * SECOND}, ("time", "asset"))
        flags[last] = attenuated_flags(array, window="40s", suspect=0.3, fail=0.1, by=by).to_numpy()[:-1]
    assert (flags[999] == flags[1_001]).all() and {1, 3, 4, 9} <= set(np.unique(flags[999]))


def test_by_default_half_a_window_is_needed() -> None:
    array = xr.DataArray(np.zeros(20), {"time": np.datetime64(0, "ns") + np.arange(20) * SECOND}, "time")
    assert attenuated_flags(array, window="10s", suspect=1).values.tolist() == [2] * 4 + [3] * 16


@pytest.mark.parametrize(
    "wrong", [{"suspect": 0}, {"suspect": 1, "fail": 2}, {"suspect": 1, "by": "mean"}, {"suspect": 1, "least": 1}]
)
def test_wrong_limits_are_refused(wrong: dict[str, object]) -> None:
    array = xr.DataArray(np.zeros(2), {"time": np.datetime64(0, "ns") + np.arange(2) * SECOND}, "time")
    with pytest.raises(SchemaError, match=r"0 <= fail <= suspect|least >= 2"):
        attenuated_flags(array, window="10s", **wrong)
