"""Planted drifts of 0.5 to 5 % of a sensor's span a month, over three months, among cold rooms whose sensors are right.

The rooms are generated (`tests/quality/drift/rooms.py`): weather that all share, a daily course, and of each room a wander
of five days, hourly noise, doors and gaps. The rooms of the parcel twin are those that its plant simulates: heat through
walls and doors, compressors that go on and off, and fail. TWINLAB_BENCH_OUT takes the figures as JSON.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from twinlab.plant.network.cold_rooms import simulate_cold_rooms
from twinlab.plant.network.size import ParcelSize
from twinlab.quality.drift import drift_from_peers

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

_PLACE = Path(__file__).parents[1] / "quality" / "drift" / "rooms.py"
_SPEC = importlib.util.spec_from_file_location("rooms", _PLACE)
assert _SPEC is not None and _SPEC.loader is not None
rooms = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(rooms)

SEEDS = range(5)


def plant_rooms(seed: int) -> tuple[xr.DataArray, list[bool]]:
    """Return half a year of the parcel plant's cold rooms, as sensors with a noise of 0.05 degC see them; which are frozen."""
    rooms_ = simulate_cold_rooms(ParcelSize(weeks=26, seed=seed))
    true = rooms_.temperature.T
    seen = true + np.random.default_rng(seed).normal(0, 0.05, true.shape)
    times = (rooms_.time * 10**9).view("datetime64[ns]")
    names = [f"C{number}" for number in range(len(rooms_))]
    return xr.DataArray(seen, {"time": times, "asset": names}, ("time", "asset")), rooms_.frozen.tolist()


def with_drifts(values: xr.DataArray, seed: int, *, count: int = 8, span: float = 80.0) -> tuple[xr.DataArray, dict]:
    """Add drifts as `rooms.with_drifts` does, in percent of the span that the parcel twin states for its sensors."""
    rng = np.random.default_rng(seed)
    day = (values.time.values - values.time.values[0]) / np.timedelta64(1, "D")
    out, truth = values.copy(deep=True), {}
    for asset in rng.choice(values.sizes["asset"], count, replace=False):
        onset = round(day[-1]) - 90 - int(rng.integers(0, 10))
        slope = span * np.exp(rng.uniform(np.log(0.005), np.log(0.05))) * rng.choice([-1, 1])
        out[:, asset] += slope / 30 * np.clip(day - onset, 0, None)
        truth[str(values.asset[asset].item())] = (onset, slope)
    return out, truth


@pytest.mark.parametrize("made", ["generated", "plant"])
def test_planted_drifts_of_five_seeds(made: str):
    errors, inside, suspected, clean, planted = [], 0, 0, 0, 0
    for seed in SEEDS:
        groups = None
        if made == "plant":
            right, groups = plant_rooms(seed + 1)
            values, truth = with_drifts(right, seed + 1)
        else:
            right = rooms.rooms(seed)
            values, truth = rooms.with_drifts(right, seed)
        planted += len(truth)
        for one in drift_from_peers(values, groups=groups):
            if one.asset not in truth:
                clean, suspected = clean + 1, suspected + (one.verdict == "drift")
            elif one.verdict == "drift":
                onset, slope = truth[one.asset]
                errors.append(abs((one.onset - values.time.values[0]) / np.timedelta64(1, "D") - onset))
                inside += one.slope_interval[0] <= slope <= one.slope_interval[1]
        for one in drift_from_peers(right, groups=groups):
            clean, suspected = clean + 1, suspected + (one.verdict == "drift")
    within = int(np.sum(np.array(errors) <= 7))
    note(
        f"planted_drifts_{made}",
        planted=planted,
        found=len(errors),
        onset_within_a_week=within,
        median_onset_error_days=float(np.median(errors)),
        worst_onset_error_days=float(np.max(errors)),
        slope_inside=int(inside),
        clean=clean,
        suspected=int(suspected),
    )
    assert within >= 0.9 * planted
    assert inside >= 0.9 * planted
    assert suspected <= 0.02 * clean


def test_a_year_of_a_thousand_sensors():
    values = rooms.rooms(1, days=365, count=1000)
    began = time.process_time()
    found = drift_from_peers(values)
    took = time.process_time() - began
    suspected = sum(one.verdict == "drift" for one in found)
    note("thousand_sensors", seconds=took, suspected=suspected)
    assert suspected <= 20
