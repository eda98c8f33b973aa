"""Clocks that are shifted, drift, or are in another zone, among assets that share the weather."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality import clock_drift, clock_findings, clock_flags, clock_shifts
from twinlab.quality.clocks.kernels import bin_means, lagged_correlations
from twinlab.quality.clocks.shifts import median_of_assets

STEP_S = 600
START = np.datetime64("2026-01-01", "ns")


def _weather(seconds: np.ndarray) -> np.ndarray:
    """A course of the day with weather that differs from day to day."""
    random = np.random.default_rng(7)
    knots = np.arange(-4, 70 * 4)
    levels = np.cumsum(random.normal(0, 1.5, knots.size)) * 0.6
    return 10 + 4 * np.sin(seconds / 86_400 * 2 * np.pi) + np.interp(seconds / 21_600, knots, levels)


def _assets(weeks: int, late_s: list[object], noise: float = 0.5) -> xr.DataArray:
    """Assets whose clocks write times that are so many seconds (a number, or an array by time) too late."""
    random = np.random.default_rng(3)
    seconds = np.arange(weeks * 7 * 86_400 // STEP_S) * STEP_S
    columns = [_weather(seconds - np.asarray(late)) + random.normal(0, noise, seconds.size) for late in late_s]
    values = np.stack(columns, axis=1)
    values[random.random(values.shape) < 0.1] = np.nan
    names = [f"r{place}" for place in range(len(late_s))]
    return xr.DataArray(values, {"time": START + seconds * np.timedelta64(1, "s"), "asset": names}, ("time", "asset"))


def test_shifted_clocks_are_found_and_the_others_arent() -> None:
    seconds = np.arange(5 * 7 * 86_400 // STEP_S) * STEP_S
    from_third_week = np.where(seconds < 14 * 86_400, 0, 3_600)
    signal = _assets(5, [0, 0, 7_200, 0, -4_500, 0, from_third_week, 0, 0])
    flags = clock_flags(signal, shift="30min").to_numpy()
    suspect = (flags == 3).mean(axis=0) / (flags != 9).mean(axis=0)
    assert suspect.round(1).tolist() == [0, 0, 1, 0, 1, 0, 0.6, 0, 0]
    lazy = clock_flags(signal.chunk(time=1_000, asset=4), shift="30min")
    assert lazy.chunks is not None and (lazy.to_numpy() == flags).all()
    found = clock_shifts(signal)
    # The median of all is a little late itself, as three of the nine are.
    minutes = (found["shift"] / np.timedelta64(1, "m")).to_numpy()
    assert np.abs(np.median(minutes, axis=0)[[2, 4]] - [120, -75]).max() < 6
    by_asset = {one.asset: one for one in clock_findings(found, shift=np.timedelta64(30, "m"), signal="t")}
    assert set(by_asset) == {"r2", "r4", "r6"}
    assert by_asset["r2"].fix == 'zone: "+02:00"' and by_asset["r2"].since is None
    assert by_asset["r4"].fix == "" and "min too early" in by_asset["r4"].evidence
    assert by_asset["r6"].since == START + np.timedelta64(14, "D") and by_asset["r6"].until is None
    assert all(one.kind == "clock" and one.signal == "t" for one in by_asset.values())


def test_a_clock_that_drifts_is_told_from_one_that_is_shifted() -> None:
    seconds = np.arange(9 * 7 * 86_400 // STEP_S) * STEP_S
    signal = _assets(9, [0, 0, 0, 0, 0, seconds / 86_400 * 90])
    found = clock_shifts(signal)
    (finding,) = clock_findings(found, shift=np.timedelta64(20, "m"))
    assert finding.asset == "r5" and "the clock gains" in finding.evidence and finding.fix == ""
    drift = clock_drift(found["shift"].isel(asset=5, drop=True))
    assert drift is not None and drift.low <= 90 <= drift.high and abs(drift.rate - 90) < 10
    steady = clock_drift(found["shift"].isel(asset=0, drop=True))
    assert steady is not None and abs(steady.rate) < 10
    assert clock_drift(found["shift"].isel(asset=5, period=slice(3), drop=True)) is None
    with pytest.raises(SchemaError, match="shifts of one series"):
        clock_drift(found["shift"])


def test_assets_that_share_nothing_arent_judged() -> None:
    random = np.random.default_rng(2)
    noise = _assets(3, [0] * 6).copy(data=random.normal(0, 1, (3 * 1008, 6)))
    assert set(np.unique(clock_flags(noise, shift="30min"))) == {2}
    few = _assets(3, [0, 0, 7_200])
    assert set(np.unique(clock_flags(few, shift="30min"))) == {2, 9}


def test_the_kernel_gives_pearsons_correlation_at_each_lag() -> None:
    random = np.random.default_rng(9)
    reference = random.normal(5, 1, (60, 1))
    values = np.roll(reference, 4, axis=0) + random.normal(0, 0.2, (60, 3))
    values[random.random(values.shape) < 0.2] = np.nan
    out = np.empty((3, 2, 3))
    starts, stops = np.array([10, 30]), np.array([30, 55])
    around = np.pad(reference, ((6, 6), (0, 0)), constant_values=np.nan)
    lagged_correlations(values, around, starts, stops, 6, 0.3, out)
    for p, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        for j in range(3):
            found = []
            for lag in range(-6, 7):
                rows = np.arange(start, stop)
                rows = rows[(rows - lag >= 0) & (rows - lag < 60)]
                rows = rows[~np.isnan(values[rows, j])]
                found.append(np.corrcoef(values[rows, j], reference[rows - lag, 0])[0, 1])
            assert out[1, p, j] == pytest.approx(max(found))
            assert out[2, p, j] == pytest.approx(found[6])
            assert abs(out[0, p, j] - (np.argmax(found) - 6)) <= 0.5


def test_means_of_bins_and_medians_leave_out_what_is_missing() -> None:
    values = np.array([[1.0, np.nan], [3, 4], [np.nan, np.nan], [5, 6]])
    out = np.empty((4, 2))
    bin_means(values, np.array([0, 0, 1, 3]), out)
    assert np.array_equal(out, [[2, 4], [np.nan, np.nan], [np.nan, np.nan], [5, 6]], equal_nan=True)
    table = xr.DataArray([[1.0, 5, np.nan, 2, 9], [1, np.nan, np.nan, 2, 3]], dims=("time", "asset"))
    assert np.array_equal(median_of_assets(table), [3.5, np.nan], equal_nan=True)
    assert np.array_equal(median_of_assets(table.chunk(asset=2), least=3), [3.5, 2])


def test_wrong_arguments_are_refused() -> None:
    signal = _assets(2, [0] * 5)
    for wrong in ({"period": "100min", "resolution": "30min"}, {"largest": "8d"}, {"resolution": "8h"}):
        with pytest.raises(SchemaError, match="multiple of the resolution"):
            clock_shifts(signal, **wrong)
    with pytest.raises(SchemaError, match="shift <= largest"):
        clock_flags(signal, shift="20h")
    with pytest.raises(SchemaError, match="dimension 'asset' of the assets"):
        clock_flags(signal[:, 0], shift="30min")
