"""Records: values further out than all before them."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.anomaly import record_index


def series(values: np.ndarray, step: str = "m") -> xr.DataArray:
    return xr.DataArray(values, dims="time", coords={"time": np.arange(len(values)).astype(f"M8[{step}]")})


def test_a_spike_a_shift_and_a_missed_day_are_the_largest_records() -> None:
    random = np.random.default_rng(0)
    usual = random.normal(0, 1, 1000)
    spike, shift = usual.copy(), usual.copy()
    spike[700] += 12
    shift[700:] += 3
    assert int(np.argmax(record_index(series(spike)).values)) == 700
    assert 700 <= int(np.argmax(record_index(series(shift)).values)) <= 730
    daily = np.sin(np.arange(24 * 30) / 24 * 2 * np.pi) * 10
    daily[24 * 20 : 24 * 21] = 0
    assert int(np.argmax(record_index(series(daily, "h")).values)) // 24 in (20, 21)


def test_later_values_change_nothing_before_them() -> None:
    values = np.random.default_rng(1).normal(0, 1, 600)
    whole = record_index(series(values))
    for cut in (61, 200, 431):
        np.testing.assert_allclose(record_index(series(values[:cut])), whole[:cut])


def test_constant_series_have_no_records_and_missing_values_neither() -> None:
    assert float(record_index(series(np.full(300, 7.0))).max()) == 0
    gaps = np.random.default_rng(2).normal(0, 1, 500)
    gaps[200:260] = np.nan
    found = record_index(series(gaps))
    assert np.isfinite(found).all()
    assert float(found[200:260].max()) == 0


def test_each_asset_has_its_own_records() -> None:
    values = np.random.default_rng(3).normal(0, 1, (500, 2))
    values[300, 1] = 40
    both = xr.DataArray(values, dims=("time", "asset"), coords={"time": np.arange(500).astype("M8[m]")})
    found = record_index(both.transpose("asset", "time"))
    assert found.dims == ("asset", "time")
    np.testing.assert_allclose(found[1], record_index(both[:, 1]))
    assert int(np.argmax(found[1].values)) == 300


def test_a_series_without_time_or_a_window_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected a dim time"):
        record_index(xr.DataArray(np.zeros(5), dims="row"))
    with pytest.raises(SchemaError, match="a window of at least 2"):
        record_index(series(np.zeros(5)), window=1)
