"""Location and speed tests against the great circle, computed slowly."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.quality import location_flags, speed_flags

SECOND = np.timedelta64(1, "s")


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres over the great circle, by the formula for vectors (atan2), which has no weak spot."""
    (north_a, east_a), (north_b, east_b) = np.radians(a), np.radians(b)
    u = np.array([math.cos(north_a) * math.cos(east_a), math.cos(north_a) * math.sin(east_a), math.sin(north_a)])
    v = np.array([math.cos(north_b) * math.cos(east_b), math.cos(north_b) * math.sin(east_b), math.sin(north_b)])
    return 6_371_008.8 * math.atan2(float(np.linalg.norm(np.cross(u, v))), float(u @ v))


def _track(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scale = random.choice([1e-4, 1e-2, 1, 60], 40)
    north = np.clip(random.choice([0, 50, 89]) + np.cumsum(random.normal(0, 1, 40) * scale), -95, 95)
    east = (random.choice([0, 179.9]) + np.cumsum(random.normal(0, 1, 40) * scale) + 180) % 360 - 180
    east[random.random(40) < 0.1] = np.nan
    north[random.random(40) < 0.1] = np.nan
    east[random.random(40) < 0.05] = 200
    return north, east, np.cumsum(random.integers(1, 30, 40))


def _slow(north, east, seconds, box, within, suspect, fail) -> list[int]:
    found, last, seen = [], None, -(10**9)
    for a, o, second in zip(north, east, seconds, strict=True):
        over = box[0] <= o <= box[2] if box[0] < box[2] else o >= box[0] or o <= box[2]
        if np.isnan(a):
            found.append(9)
        elif np.isnan(o):
            found.append(2)
        elif not (box[1] <= a <= box[3] and over and abs(a) <= 90 and abs(o) <= 180):
            found.append(4)
        else:
            if last is None or second - seen > within:
                found.append(2)
            else:
                distance, lag = _distance(last, (a, o)), second - seen
                found.append(4 if fail(distance, lag) else 3 if suspect(distance, lag) else 1)
            last, seen = (a, o), second
    return found


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10_000), within=st.integers(10, 100), size=st.floats(10, 2e7))
def test_a_position_is_compared_with_the_one_before(seed: int, within: int, size: float) -> None:
    tracks = [_track(seed + place) for place in range(2)]
    north, east = (np.stack([track[part] for track in tracks], axis=1) for part in (0, 1))
    seconds = tracks[0][2]
    coords = {"time": np.datetime64("2026-01-01", "ns") + seconds * SECOND}
    data = xr.Dataset({"lat": (("time", "asset"), north), "lon": (("time", "asset"), east)}, coords)

    def slow(box, suspect, fail) -> np.ndarray:
        columns = zip(north.T, east.T, strict=True)
        return np.stack([_slow(a, o, seconds, box, within, suspect, fail) for a, o in columns], axis=1)

    box = (170.0, -60.0, -170.0, 60.0) if seed % 2 else (-20.0, -60.0, 30.0, 60.0)
    options = {"longitude": "lon", "within": f"{within}s"}
    expected = slow(box, lambda distance, lag: distance > size, lambda distance, lag: False)
    assert (location_flags(data.lat, data, box=box, jump=size, **options) == expected).all()
    world = (-180.0, -90.0, 180.0, 90.0)
    expected = slow(
        world, lambda distance, lag: distance / lag > size / 100, lambda distance, lag: distance / lag > size / 10
    )
    assert (speed_flags(data.lat, data, suspect=size / 100, fail=size / 10, **options) == expected).all()
    lazy = data.chunk(time=9)
    assert (speed_flags(lazy.lat, lazy, suspect=size / 100, fail=size / 10, **options) == expected).all()


def test_without_a_jump_only_the_box_counts() -> None:
    coords = {"time": np.datetime64("2026-01-01", "ns") + np.arange(3) * SECOND}
    data = xr.Dataset({"lat": ("time", [40.0, 0.0, 41.0]), "lon": ("time", [-73.0, 0.0, -74.0])}, coords)
    assert location_flags(data.lat, data, longitude="lon").values.tolist() == [1, 1, 1]
    assert location_flags(data.lat, data, longitude="lon", box=(-75, 39, -72, 42)).values.tolist() == [1, 4, 1]


def test_wrong_arguments_are_refused() -> None:
    coords = {"time": np.datetime64("2026-01-01", "ns") + np.arange(1) * SECOND}
    data = xr.Dataset({"lat": ("time", [40.0]), "lon": ("time", [-73.0])}, coords)
    for box in ((-75, 42, -72, 39), (-75, 39, -72), (-275, 39, -72, 42), (-75, 39, -75, 42)):
        with pytest.raises(SchemaError, match="box .west, south, east, north."):
            location_flags(data.lat, data, longitude="lon", box=box)
    with pytest.raises(SchemaError, match="jump as a positive number of metres"):
        location_flags(data.lat, data, longitude="lon", jump=0)
    with pytest.raises(SchemaError, match="speeds 0 < suspect <= fail"):
        speed_flags(data.lat, data, longitude="lon", suspect=5, fail=1)
