"""Completeness, cadence and status against slow oracles."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model import Signal
from twinlab.quality import cadence_flags, completeness_flags, status_flags
from twinlab.quality.signals.arrival import opc_ua_flag

MINUTE = np.timedelta64(1, "m")


def _slow_completeness(values: np.ndarray, minutes: np.ndarray, period: int, least: float) -> list[int]:
    found = []
    for value, minute in zip(values, minutes, strict=True):
        start = minute // period * period
        inside = (minutes >= start) & (minutes < start + period)
        following = (minutes >= start + period) & (minutes < start + 2 * period)
        whole = minutes[0] <= start or (minutes < start).any()
        if np.isnan(value):
            found.append(9)
        elif not whole or not (~np.isnan(values[following])).any():
            found.append(2)
        else:
            found.append(1 if (~np.isnan(values[inside])).sum() >= least * period else 3)
    return found


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    period=st.integers(2, 12),
    least=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    start=st.integers(0, 20),
)
def test_a_period_needs_a_share_of_its_values(seed: int, period: int, least: float, start: int) -> None:
    random = np.random.default_rng(seed)
    minutes = np.arange(60) + start
    values = np.where(random.random((60, 3)) < random.choice([0.1, 0.5, 0.9], (60, 1)), np.nan, 1.0)
    values[45:, 1] = np.nan
    array = xr.DataArray(values, {"time": np.datetime64(0, "ns") + minutes * MINUTE}, ("time", "asset"))
    expected = np.stack([_slow_completeness(column, minutes, period, least) for column in values.T], axis=1)
    options = {"period": f"{period}min", "least": least}
    assert (completeness_flags(array, **options).to_numpy() == expected).all()
    assert (completeness_flags(array.chunk(time=13), **options).to_numpy() == expected).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), repeated=st.booleans())
def test_the_distance_of_observations_is_compared_with_the_cadence(seed: int, repeated: bool) -> None:
    random = np.random.default_rng(seed)
    minutes = np.cumsum(random.integers(0 if repeated else 1, 20, 40))
    values = np.where(random.random((40, 2)) < 0.2, np.nan, 1.0)
    array = xr.DataArray(values, {"time": np.datetime64(0, "ns") + minutes * MINUTE}, ("time", "asset"))
    expected = np.full(values.shape, 9)
    for place, column in enumerate(values.T):
        rows = np.flatnonzero(~np.isnan(column))
        lags = np.diff(minutes[rows])
        flags = np.where(lags > 15, 2, np.where((lags >= 8) & (lags <= 12), 1, 3))
        expected[rows, place] = np.concatenate([[2], flags])[: rows.size]
    options = {"expected": "10min", "tolerance": "2min", "gap": "15min"}
    assert (cadence_flags(array, **options).to_numpy() == expected).all()
    assert (cadence_flags(array.chunk(time=7), **options).to_numpy() == expected).all()


@pytest.mark.parametrize(
    ("code", "flag"),
    [
        (0, 1),
        (0.0, 1),
        ("0x00AF0000", 1),
        ("Good", 1),
        ("GoodClamped", 1),
        ("GOOD", 1),
        ("goodwill", 2),
        (0x40000000, 3),
        ("UncertainLastUsableValue", 3),
        ("uncertain, estimated", 3),
        (0x80000000, 4),
        (-2147483648, 4),
        (0xC0000000, 4),
        ("Bad_NoCommunication", 4),
        (2**32, 2),
        (1.5, 2),
        (float("nan"), 2),
        ("0xZZ", 2),
        ("closed", 2),
        ("", 2),
        (None, 2),
    ],
)
def test_an_opc_ua_status_has_its_severity(code: object, flag: int) -> None:
    assert opc_ua_flag(code) == flag
    array = xr.DataArray([1.0, np.nan], {"status": ("time", np.array([code, code], dtype=object))}, "time")
    assert status_flags(array).values.tolist() == [flag, 9]


def test_a_table_says_what_a_status_means() -> None:
    statuses = np.array([["a", "e"], ["p", ""]])
    array = xr.DataArray(np.ones((2, 2)), {"status": (("time", "asset"), statuses)}, ("time", "asset"))
    codes = {"a": "pass", "e": "suspect", "p": "fail"}
    assert status_flags(array.chunk(), codes=codes).values.tolist() == [[1, 3], [4, 2]]
    assert status_flags(array, codes=codes, other="fail").values.tolist() == [[1, 3], [4, 4]]
    numbers = array.isel(asset=0, drop=True).assign_coords(status=("time", [3.0, np.nan]))
    assert status_flags(numbers, codes={"3": "suspect"}, other="pass").values.tolist() == [3, 1]


def test_wrong_arguments_are_refused() -> None:
    times = np.datetime64(0, "ns") + np.arange(3) * MINUTE
    array = xr.DataArray(np.ones(3), {"time": times, "status": ("time", [0, 0, 0])}, "time")
    with pytest.raises(SchemaError, match="share above 0"):
        completeness_flags(array, period="10min", least=0)
    with pytest.raises(SchemaError, match="period of at least two values"):
        completeness_flags(array, period="1min")
    with pytest.raises(SchemaError, match="gap longer than a late observation"):
        cadence_flags(array, expected="10min", gap="10min")
    with pytest.raises(SchemaError, match="'time' in order"):
        cadence_flags(array[::-1])
    with pytest.raises(SchemaError, match="got 'missing'"):
        status_flags(array, codes={"x": "missing"})
    with pytest.raises(SchemaError, match="coordinate 'status'"):
        status_flags(array.drop_vars("status"))
    with pytest.raises(ValueError, match="number should be less|expected less than or equal to 1"):
        Signal(resolution=1, tests={"completeness": {"period": "1d", "least": 2}})
