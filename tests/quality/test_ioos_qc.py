"""The same flags as ioos_qc, the reference implementation of QARTOD's tests, on the same input.

Where both differ on purpose, the difference is stated and asserted: each test here compares all values.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest
import xarray as xr
from ioos_qc import argo, qartod

from twinlab.quality import (
    SeasonSpan,
    aggregate_flags,
    attenuated_flags,
    cadence_flags,
    climatology_flags,
    flat_line_flags,
    gap_flags,
    location_flags,
    range_flags,
    rate_flags,
    speed_flags,
    spike_flags,
)

SIZE = 5_000
MINUTE = np.timedelta64(60, "s")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(params=[0, 1, 2])
def series(request: pytest.FixtureRequest) -> xr.DataArray:
    """Minutes of a temperature with a daily course, spikes, runs of equal values, a weak stretch and holes."""
    random = np.random.default_rng(request.param)
    minutes = np.arange(SIZE)
    values = 10 + 5 * np.sin(minutes / 1440 * 2 * np.pi) + random.normal(0, 0.3, SIZE)
    spikes = random.random(SIZE) < 0.01
    values[spikes] += random.normal(0, 20, spikes.sum())
    values[1_000:1_060] = values[1_000]
    values[2_000:2_090] = 11 + random.normal(0, 0.003, 90)
    values[random.random(SIZE) < 0.02] = np.nan
    values[3_000:3_050] = np.nan
    times = np.datetime64("2026-01-30", "ns") + minutes * MINUTE
    return xr.DataArray(values.round(4), {"time": times}, "time")


def _equal(ours: xr.DataArray, theirs: np.ma.MaskedArray) -> bool:
    return bool((ours.to_numpy() == np.ma.getdata(theirs)).all())


def test_gross_range(series: xr.DataArray) -> None:
    spans = {"fail_span": (-5, 25), "suspect_span": (3, 17)}
    ours = range_flags(series, **spans)
    assert _equal(ours, qartod.gross_range_test(series.to_numpy(), **spans))
    assert set(np.unique(ours)) == {1, 3, 4, 9}


def test_spike(series: xr.DataArray) -> None:
    ours = spike_flags(series, suspect=2, fail=8)
    assert _equal(ours, qartod.spike_test(series.to_numpy(), 2, 8))
    assert set(np.unique(ours)) == {1, 2, 3, 4, 9}


def test_rate_of_change(series: xr.DataArray) -> None:
    theirs = qartod.rate_of_change_test(series.to_numpy(), series.time.to_numpy(), 0.02, 0.1)
    ours = rate_flags(series, suspect=0.02, fail=0.1, within="1min").to_numpy()
    # Without a value before, theirs passes and ours isn't evaluated.
    unknown = series.notnull() & series.shift(time=1).isnull()
    assert (ours[unknown] == 2).all() and (np.ma.getdata(theirs)[unknown] == 1).all()
    assert (ours == np.where(unknown, 2, np.ma.getdata(theirs))).all()
    assert set(np.unique(ours)) == {1, 2, 3, 4, 9}


def test_flat_line(series: xr.DataArray) -> None:
    whole = series.copy(data=series.to_pandas().ffill().bfill())
    theirs = qartod.flat_line_test(whole.to_numpy(), whole.time.to_numpy(), 900, 10**6, tolerance=1e-9)
    ours = flat_line_flags(whole, duration="15min").to_numpy()
    # Ours suspects only; the first run's beginning isn't known, which theirs passes.
    assert (np.where(ours == 2, 1, ours) == np.ma.getdata(theirs)).all()
    assert (ours == 3).sum() > 40
    # With holes, theirs counts samples and lets one hole end the run; ours goes by time and skips holes.
    holes = whole.where(np.arange(SIZE) != 1_020)
    theirs = np.ma.getdata(qartod.flat_line_test(holes.to_numpy(), holes.time.to_numpy(), 900, 10**6, tolerance=1e-9))
    ours = flat_line_flags(holes, duration="15min").to_numpy()
    differ = np.flatnonzero(ours != theirs)
    assert set(differ[differ > 0]) == {*range(1_021, 1_036)} or not differ[differ > 0].size
    assert (ours[1_021:1_060] == 3).all()


@pytest.mark.parametrize("by", ["std", "range"])
def test_attenuated_signal(series: xr.DataArray, by: str) -> None:
    limits = (0.05, 0.006) if by == "std" else (0.3, 0.02)
    theirs = qartod.attenuated_signal_test(
        series.to_numpy(), series.time.to_numpy(), *limits, test_period=1_800, min_obs=15, check_type=by
    )
    ours = attenuated_flags(series, window="30min", suspect=limits[0], fail=limits[1], by=by, least=15)
    theirs = np.ma.getdata(theirs)
    if by == "range":
        # With a missing value in the window theirs isn't evaluated; ours is the range of those that are there.
        holes = series.isnull().rolling(time=30, min_periods=1).max().to_numpy() == 1
        unknown = holes & (ours.to_numpy() != 9)
        assert (theirs[unknown] == 2).all()
        theirs = np.where(unknown, ours, theirs)
    assert (ours.to_numpy() == theirs).all()
    assert set(np.unique(ours)) == {1, 2, 3, 4, 9}


def test_climatology(series: xr.DataArray) -> None:
    config = [
        {"tspan": (1, 1), "period": "month", "vspan": (6, 14), "fspan": (0, 20)},
        {"tspan": (6, 11), "period": "hour", "vspan": (8, 16)},
    ]
    theirs = qartod.climatology_test(config, series.to_numpy(), series.time.to_numpy(), np.zeros(SIZE))
    spans = [SeasonSpan((6, 14), (0, 20), months=[1]), SeasonSpan((8, 16), hours=(6, 12))]
    ours = climatology_flags(series, spans=spans)
    # A missing value of a season passes in ioos_qc 3.0; ours is missing.
    missing = series.isnull().to_numpy()
    assert (ours.to_numpy()[missing] == 9).all()
    assert (ours.to_numpy() == np.ma.getdata(theirs))[~missing].all()
    february = climatology_flags(series, spans=spans[:1]).to_numpy()[series.time.dt.month == 2]
    assert set(np.unique(february)) == {2, 9}
    assert set(np.unique(ours)) == {1, 2, 3, 4, 9}


@pytest.fixture
def track() -> xr.Dataset:
    """A truck's positions by minutes, with jumps, a hole and a position that isn't on the Earth."""
    random = np.random.default_rng(4)
    north, east = np.cumsum(random.normal(0, 0.004, (2, 2_000)), axis=1) + np.array([[40.6], [-73.8]])
    north[random.random(2_000) < 0.01] += 0.3
    north[random.random(2_000) < 0.01] -= 0.05
    missing = random.random(2_000) < 0.02
    north[missing] = east[missing] = np.nan
    east[1_500] = 250
    coords = {"time": np.datetime64("2026-01-01", "ns") + np.arange(2_000) * MINUTE}
    return xr.Dataset({"lat": ("time", north), "lon": ("time", east)}, coords)


def _on_earth(track: xr.Dataset) -> xr.Dataset:
    return track.where(abs(track.lon) <= 180)


def test_location_bounds(track: xr.Dataset) -> None:
    box = [-74.5, 40.4, -73.2, 40.9]
    theirs = qartod.location_bounds_test(track.lon.to_numpy(), track.lat.to_numpy(), box)
    ours = location_flags(track.lat, track, longitude="lon", box=tuple(box))
    assert _equal(ours, theirs)
    assert set(np.unique(ours)) == {1, 4, 9}


def test_location(track: xr.Dataset) -> None:
    theirs = qartod.location_test(track.lon.to_numpy(), track.lat.to_numpy(), range_max=5_000, range_method="wgs84")
    theirs = np.ma.getdata(theirs)
    ours = location_flags(track.lat, track, longitude="lon", jump=5_000, within="1min").to_numpy()
    # Without a position before, theirs passes and ours isn't evaluated; so is the one after what isn't on the Earth.
    unknown = track.lat.notnull().to_numpy() & _on_earth(track).lat.shift(time=1).isnull().to_numpy() & (ours != 4)
    assert (ours[unknown] == 2).all()
    assert (np.where(unknown, theirs, ours) == theirs).all()
    assert (ours == 3).sum() > 20 and (ours == 4).sum() == 1


def test_impossible_speed(track: xr.Dataset) -> None:
    valid = _on_earth(track)
    theirs = argo.speed_test(valid.lon.to_numpy(), valid.lat.to_numpy(), valid.time.to_numpy(), 40, 540)
    theirs = np.ma.getdata(theirs)
    ours = speed_flags(valid.lat, valid, longitude="lon", suspect=40, fail=540, within="1min").to_numpy()
    # Theirs is missing after a missing position, since there is no distance; ours isn't evaluated.
    unknown = valid.lat.notnull().to_numpy() & valid.lat.shift(time=1).isnull().to_numpy()
    assert set(theirs[unknown]) <= {2, 9} and (ours[unknown] == 2).all()
    assert (np.where(unknown, theirs, ours) == theirs).all()
    assert {1, 2, 3, 4, 9} == set(np.unique(ours))


def test_gap(series: xr.DataArray) -> None:
    arrived = series.dropna("time")
    theirs = np.ma.getdata(qartod.time_gap_test(arrived.time.to_numpy(), fail_span=0.05))
    late = cadence_flags(arrived, expected="1min", tolerance="2min").to_numpy()
    # Theirs marks the value after a gap, as `cadence_flags` does; `gap_flags` marks what didn't arrive.
    assert (np.where(late == 2, 1, late == 3)[1:] == (theirs != 1)[1:]).all()
    holes = gap_flags(series, gap="2min").to_numpy()
    ends = np.flatnonzero((holes[:-1] == 9) & (holes[1:] != 9)) + 1
    assert set(series.time.to_numpy()[ends]) == set(arrived.time.to_numpy()[theirs != 1])


def test_aggregate_differs_in_the_rank_of_missing() -> None:
    flags = np.array([[1, 1, 9, 3, 2], [3, 9, 2, 9, 4]], np.uint8)
    ours = aggregate_flags(*(xr.DataArray(each) for each in flags)).values.tolist()
    assert ours == [3, 9, 9, 9, 4]
    assert qartod.qartod_compare(list(flags)).tolist() == [3, 1, 2, 3, 4]
