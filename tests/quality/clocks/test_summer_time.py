"""Hours that summer time repeats or leaves out, under each wrong reading of local times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality import summer_time_flags
from twinlab.quality.clocks.summer_time import clock_changes

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


def _observations(zone: str, minutes: int, read_as: str) -> tuple[xr.DataArray, np.ndarray]:
    """Observations of 2026 around the changes of a zone, their local times read wrongly; and whether each is suspect."""
    year = [int(np.datetime64(day, "ns").astype(np.int64)) for day in ("2026-01-01", "2027-01-01")]
    stamps, wrong = [], []
    for instant, before, after in clock_changes(zone, *year):
        utc = pd.date_range(
            pd.Timestamp(instant, tz="UTC") - pd.Timedelta("3D"), periods=6 * 1440 // minutes, freq=f"{minutes}min"
        )
        local = utc.tz_convert(zone).tz_localize(None)
        offset = {"UTC": 0, "standard": min(before, after), "summer": max(before, after)}[read_as]
        order = np.argsort(local.to_numpy(), kind="stable")
        stamps.append((local - pd.Timedelta(offset, "ns")).to_numpy()[order])
        length = pd.Timedelta(abs(after - before), "ns")
        change = pd.Timestamp(instant).tz_localize("UTC").tz_convert(zone).tz_localize(None)
        # In autumn the hour after the change is there twice, in spring the hour before it (by the new clock) isn't.
        repeated = (local >= change) & (local < change + length) if after < before else local == change
        wrong.append(np.asarray(repeated)[order])
    order = np.argsort(np.concatenate(stamps), kind="stable")
    times = np.concatenate(stamps)[order].astype("datetime64[ns]")
    return xr.DataArray(np.ones(times.size), {"time": times}, "time"), np.concatenate(wrong)[order]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("minutes", [1, 15])
@pytest.mark.parametrize("read_as", ["UTC", "standard", "summer"])
def test_the_hour_is_found_however_local_times_were_read(zone: str, minutes: int, read_as: str) -> None:
    observations, wrong = _observations(zone, minutes, read_as)
    flags = summer_time_flags(observations, zone=zone).to_numpy()
    assert wrong.sum() > 1
    assert (flags == np.where(wrong, 3, 1)).all()


def test_right_times_gaps_and_ends_arent_suspect() -> None:
    times = np.datetime64("2026-03-25", "ns") + np.arange(8 * 96) * np.timedelta64(15, "m")
    right = xr.DataArray(np.ones((times.size, 2)), {"time": times}, ("time", "asset"))
    assert (summer_time_flags(right, zone="Europe/Berlin") == 1).all()
    # A night without observations isn't an hour that is missing.
    gap = right.where((right.time < np.datetime64("2026-03-28T22")) | (right.time > np.datetime64("2026-03-29T06")))
    flags = summer_time_flags(gap.chunk(time=50), zone="Europe/Berlin")
    assert flags.chunks is not None and set(np.unique(flags)) == {1, 9}
    ends = right.sel(time=slice(None, "2026-03-29T01:10"))
    assert (summer_time_flags(ends, zone="Europe/Berlin") == 1).all()
    assert (summer_time_flags(right, zone="Asia/Tokyo") == 1).all()


def test_an_unknown_zone_is_refused() -> None:
    right = xr.DataArray(np.ones(1), {"time": [np.datetime64("2026-03-25", "ns")]}, ("time",))
    with pytest.raises(SchemaError, match="time zone such as 'Europe/Berlin', got 'Mars'"):
        summer_time_flags(right, zone="Mars")
