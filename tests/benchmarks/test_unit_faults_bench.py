"""Wrong units planted in the parcel plant: how many are found, how many clean channels are suspected, and what it costs.

Seeds 1 to 5 are those of the figures and were not used to choose anything; the module's constants were chosen on seeds
from 101. TWINLAB_BENCH_OUT takes the figures as JSON.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
import xarray as xr

from tests.quality.unit_faults.planted import score
from twinlab.plant import ParcelSize
from twinlab.quality import suspect_units

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

SEEDS = range(1, 6)


@pytest.mark.parametrize("weeks", [13, 4])
def test_thirty_wrong_units_beside_three_hundred_clean_channels(weeks: int):
    lines, found, planted, suspected, clean = [], 0, 0, 0, 0
    for seed in SEEDS:
        size = ParcelSize(trucks=60, cold_rooms=64, forklifts=60, parcels_a_week=20, weeks=weeks, seed=seed)
        one = score(size, faulty=30, clean=300)
        found, planted = found + one.found, planted + one.planted
        suspected, clean = suspected + one.suspected, clean + one.clean
        lines += [f"  seed {seed}: {one.found}/{one.planted}, {one.suspected}/{one.clean}, {one.seconds:.2f} s CPU"]
        lines += [f"    {text}" for text in one.wrong]
    print(f"\n{weeks} weeks: found with the right fix first {found}/{planted}, clean suspected {suspected}/{clean}")  # noqa: T201
    print("\n".join(lines))  # noqa: T201
    note(f"unit faults, {weeks} weeks", found=found, planted=planted, suspected=suspected, clean=clean)


def test_a_year_of_minutes_of_a_thousand_assets():
    random = np.random.default_rng(1)
    minutes, assets = 365 * 1440, 1000
    values = np.empty((minutes, assets), dtype=np.float32)
    daily = np.sin(2 * np.pi * np.arange(minutes) / 1440).astype(np.float32)
    for asset in range(assets):
        noise = random.standard_normal(minutes, dtype=np.float32)
        values[:, asset] = 80 + 2 * random.standard_normal() + 10 * daily + 4 * noise
    values[200_000:, 500] /= 1.609344
    instants = np.datetime64("2025-01-01", "ns") + np.arange(minutes) * np.timedelta64(1, "m")
    coords = {"time": instants, "asset": [f"A{number:04d}" for number in range(assets)]}
    year = xr.DataArray(values, coords, ("time", "asset"), "speed", {"units": "km/h"})
    began, wall = time.process_time(), time.perf_counter()
    found = suspect_units(year)
    took, long = time.process_time() - began, time.perf_counter() - wall
    assert [(one.asset, one.hypothesis.written) for one in found] == [("A0500", "mph")]
    print(f"\n525.6 M values: {took:.1f} s CPU, {long:.1f} s; the switch is found at {found[0].since}")  # noqa: T201
    note("unit faults, a year of minutes of 1,000 assets", cpu_s=took)
