"""Drift: planted drifts are found with honest intervals, right sensors aren't suspected, and undecided ones are reported as such."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model.calibration import calibrated
from twinlab.quality.drift import (
    daily_levels,
    drift_from_past,
    drift_from_peers,
    drift_from_redundancy,
    drift_from_reference,
    find_drift,
)
from twinlab.quality.drift.brokenline import fit_columns, hinges, posterior_of
from twinlab.quality.drift.levels import peer_levels, without_outliers

_SPEC = importlib.util.spec_from_file_location("rooms", Path(__file__).with_name("rooms.py"))
assert _SPEC is not None and _SPEC.loader is not None
_ROOMS = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ROOMS)
DAY = np.timedelta64(1, "D")


def series(values: np.ndarray, **keys: object) -> xr.DataArray:
    days = np.datetime64("2026-01-01", "ns") + np.arange(len(values)) * DAY
    return xr.DataArray(values, {"time": days}, "time", attrs={"units": "degC"}, **keys)


@pytest.fixture(scope="module")
def planted() -> tuple[xr.DataArray, dict, tuple]:
    values, truth = _ROOMS.with_drifts(_ROOMS.rooms(11, days=150, count=16), 11)
    return values, truth, drift_from_peers(values)


def test_planted_drifts_are_found_and_right_sensors_are_not_suspected(planted):
    values, truth, found = planted
    assert {one.asset for one in found if one.verdict == "drift"} == set(truth)
    assert {one.asset for one in found if one.verdict == "none"} == set(values.asset.values.tolist()) - set(truth)
    for one in found:
        if one.asset in truth:
            onset, slope = truth[one.asset]
            assert abs((one.onset - values.time.values[0]) / DAY - onset) <= 7
            low, high = one.slope_interval
            assert low < one.slope < high
            assert low - 0.2 * abs(slope) <= slope <= high + 0.2 * abs(slope)
            assert one.onset_interval[0] <= one.onset <= one.onset_interval[1]
            assert "degC a month" in one.evidence


def test_the_proposed_calibration_undoes_the_drift(planted):
    values, truth, found = planted
    right = _ROOMS.rooms(11, days=150, count=16)
    for one in found:
        if one.asset in truth:
            fix = one.calibration(f"room/{one.asset}", "temperature")
            raw, want = values.sel(asset=one.asset), right.sel(asset=one.asset)
            after = abs(calibrated(raw, fix) - want).mean()
            assert after < 0.25 * abs(raw - want).mean()
            line = one.finding(f"room/{one.asset}", "temperature")
            assert (line.kind, line.asset, line.since, line.until) == ("drift", one.asset, one.onset, None)
            assert line.fix.startswith(f"- {{asset: room/{one.asset}, signal: temperature, from: ")
            assert line.confidence > 0.9
        else:
            assert one.calibration("room/1", "temperature") is one.finding("room/1", "temperature") is None


def test_a_calibration_of_small_numbers_keeps_its_digits():
    rng = np.random.default_rng(12)
    table = 1e-7 * (rng.normal(0, 0.05, 140) + 0.03 * np.maximum(np.arange(140) - 70, 0))
    (found,) = drift_from_past(series(table), season=False)
    assert found.verdict == "drift"
    fixed = calibrated(series(table), found.calibration("room/1", "leak"))
    assert float(abs(fixed[100:]).mean()) < 0.2 * abs(table[100:]).mean()


def test_a_lazy_table_gives_the_same(planted):
    values, _, found = planted
    assert drift_from_peers(values.chunk(time=1000, asset=5)) == found


def test_a_drift_that_was_reset_ends_there():
    rng = np.random.default_rng(3)
    table = rng.normal(0, 0.05, 160)
    table[50:110] += 0.02 * np.arange(60)
    (found,) = drift_from_past(series(table), season=False)
    assert found.verdict == "drift"
    assert abs((found.until - series(table).time.values[110]) / DAY) <= 3
    assert found.slope == pytest.approx(0.6, rel=0.15)
    assert "reset on 2026-04-" in found.evidence
    fix = found.calibration("room/1", "temperature")
    assert float(abs(calibrated(series(table), fix)[115:] - table[115:]).max()) == 0


def test_a_step_is_not_a_drift():
    rng = np.random.default_rng(4)
    table = rng.normal(0, 0.05, 140) + np.where(np.arange(140) < 70, 0, 1.0)
    (found,) = drift_from_past(series(table), season=False)
    assert found.verdict == "none"


def test_what_the_data_cannot_decide_is_unknown_with_a_reason():
    rng = np.random.default_rng(5)
    short = xr.DataArray(
        rng.normal(0, 1, (30, 5)), {"time": series(np.zeros(30)).time, "asset": list("abcde")}, ("time", "asset")
    )
    assert {one.verdict for one in drift_from_peers(short)} == {"unknown"}
    assert "30 days with values in 30, 45 in a row are needed" in drift_from_peers(short)[0].reason
    few = xr.concat([short[:, :3]] * 3, "time").assign_coords(time=series(np.zeros(90)).time)
    assert {one.reason for one in drift_from_peers(few)} == {"less than three peers with values"}
    assert "season isn't separable: 90 days" in drift_from_past(few)[0].reason
    assert {one.reason for one in drift_from_peers(short, groups=list("xxyyz"))} == {
        "less than three peers with values"
    }
    assert str(find_drift(short)[0]).startswith("a: undecided (30 days")
    (empty,) = drift_from_past(series(np.full(400, np.nan)))
    assert (empty.verdict, empty.reason) == ("unknown", "no values")


def test_a_season_is_not_a_drift_and_a_drift_beside_a_season_is_found():
    rng = np.random.default_rng(6)
    days = np.arange(800)
    season = 8 * np.cos(2 * np.pi * days / 365.25) + _ROOMS.wander(rng, 800, 1, 3)[:, 0]
    assert drift_from_past(series(season))[0].verdict == "none"
    (found,) = drift_from_past(series(season + 0.05 * np.maximum(days - 650, 0)))
    assert found.verdict == "drift"
    assert found.slope_interval[0] <= 1.5 <= found.slope_interval[1]
    (short,) = drift_from_past(series(season[:200]))
    assert short.verdict == "unknown"


def test_two_sensors_show_a_drift_but_not_whose_it_is():
    rng = np.random.default_rng(7)
    true = 10 * np.sin(np.arange(120) / 9)
    first = series(true + rng.normal(0, 0.05, 120))
    second = series(true + rng.normal(0, 0.05, 120) + 0.02 * np.maximum(np.arange(120) - 50, 0), name="spare")
    (found,) = drift_from_redundancy(first, second)
    assert found.verdict == "drift"
    assert found.slope == pytest.approx(-0.6, rel=0.2)
    assert "the second sensor spare" in found.evidence
    assert "which of the two drifts" in found.reason
    assert drift_from_redundancy(first, first + 3)[0].verdict == "none"
    with pytest.raises(SchemaError, match="none in common"):
        drift_from_redundancy(first, second.assign_coords(time=second.time + 1000 * DAY))


def test_reference_measurements_give_a_slope_and_a_correction_through_each():
    rng = np.random.default_rng(8)
    hours = pd.date_range("2026-01-01", periods=24 * 100, freq="h", unit="ns")
    true = 7 + np.sin(np.arange(2400) / 24 * 2 * np.pi)
    values = xr.DataArray(true + 0.02 * np.arange(2400) / 24, {"time": hours}, "time", attrs={"units": "pH"})
    at = [30, 500, 1000, 1500, 2200]
    visits = pd.Series(true[at] + rng.normal(0, 0.02, 5), hours[at])
    found = drift_from_reference(values, visits)
    assert found.verdict == "drift"
    assert found.slope_interval[0] <= 0.6 <= found.slope_interval[1]
    after = calibrated(values, found.calibration("river/1", "ph"))
    assert float(abs(after - true).mean()) < 0.1 * float(abs(values - true).mean())
    assert drift_from_reference(values, visits.tz_localize("UTC")) == found
    assert "three are needed" in drift_from_reference(values, visits[:2]).reason
    steady = drift_from_reference(values - 0.02 * np.arange(2400) / 24 + 0.3, visits)
    assert steady.verdict == "none"
    assert "its error is +0.3" in steady.reason
    with pytest.raises(SchemaError, match="DatetimeIndex"):
        drift_from_reference(values, pd.Series([1.0]))


def test_daily_levels_don_t_depend_on_which_hours_are_missing():
    hours = np.datetime64("2026-01-01", "ns") + np.arange(24 * 20) * np.timedelta64(1, "h")
    course = 5 * np.sin(2 * np.pi * np.arange(480) / 24)
    values = xr.DataArray(course + np.repeat(np.arange(20.0), 24), {"time": hours}, "time")
    holes = values.copy()
    holes[24 * 5 : 24 * 5 + 11] = np.nan
    holes[24 * 7 : 24 * 7 + 13] = np.nan
    found = daily_levels(holes).table[:, 0]
    assert np.isnan(found[7])
    np.testing.assert_allclose(np.delete(found, 7), np.delete(daily_levels(values).table[:, 0], 7), atol=1e-9)
    np.testing.assert_allclose(np.diff(daily_levels(values).table[:, 0]), 1, atol=1e-9)


def test_the_reference_of_peers_leaves_out_those_that_drift():
    table = np.zeros((10, 5)) + np.arange(10.0)[:, None]
    table[:, 4] += 100 * np.arange(10)
    table[:, 3] += 50 * np.arange(10)
    without_them = peer_levels(np.hstack([table, table[:, :1]]), excluded=[3, 4])
    # Three are left beside each of the others; two beside the first, which has no reference then.
    np.testing.assert_allclose(without_them[:, [0, 3, 4]], np.arange(10)[:, None] - np.full(3, 4.5))
    assert np.isnan(peer_levels(table, excluded=[3, 4])[:, 0]).all()
    assert not np.isnan(peer_levels(table, excluded=[3, 4])[:, 4]).any()


def test_a_steep_drift_in_little_noise_leaves_no_outliers_before_it():
    rng = np.random.default_rng(9)
    table = rng.normal(0, 0.01, (180, 1)) + np.maximum(np.arange(180) - 90, 0)[:, None] * 0.1
    assert int(np.isnan(without_outliers(table)).sum()) <= 3
    (found,) = drift_from_past(series(table[:, 0]), season=False)
    assert found.verdict == "drift"
    assert found.slope == pytest.approx(3, rel=0.02)


def test_a_change_within_a_week_is_no_slow_drift():
    rng = np.random.default_rng(10)
    table = rng.normal(0, 0.05, 120)
    table[80:85] += np.arange(5) * 0.4
    (found,) = drift_from_past(series(table), season=False)
    assert found.verdict == "none"


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), offset=st.floats(-1e3, 1e3), factor=st.floats(0.1, 10))
def test_a_constant_changes_no_slope_and_a_factor_scales_it(seed, offset, factor):
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 1, 60) + 0.2 * np.maximum(np.arange(60) - 30, 0)
    base = np.ones((60, 1))
    first = posterior_of(y, base, hinges(60))
    moved = posterior_of(factor * y + offset, base, hinges(60))
    np.testing.assert_allclose(moved.slope, factor * first.slope, rtol=1e-4)
    np.testing.assert_allclose(moved.slope_interval, np.multiply(factor, first.slope_interval), rtol=1e-4, atol=1e-6)
    assert moved.onset == first.onset


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.3, 2.0, 10.0]))
def test_a_stable_series_with_a_wander_brings_no_strong_slope(seed, scale):
    rng = np.random.default_rng(seed)
    y = _ROOMS.wander(rng, 100, 4, scale) + 0.3 * rng.normal(size=(100, 4))
    gain = fit_columns(y, np.ones((100, 4, 1)), hinges(100)).gain
    # Reversed in time, it is as likely.
    back = fit_columns(y[::-1], np.ones((100, 4, 1)), hinges(100)).gain
    assert np.median([*gain, *back]) < 15
    assert (gain >= -1e-6).all()


@given(st.lists(st.floats(-1e3, 1e3), min_size=12, max_size=40))
def test_outliers_are_left_out_and_nothing_else_changes(values):
    table = np.array(values)[:, None]
    kept = without_outliers(table)
    same = np.isfinite(kept)
    np.testing.assert_array_equal(kept[same], table[same])
