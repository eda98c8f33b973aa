"""Roads between hubs: great circles with slight bends, as points at equal distances; the same for all trucks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.towns import TOWNS

__all__ = ["Roads", "build_roads"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_EARTH_KM = 6371.0088
_POINTS = 513


@dataclass(frozen=True)
class Roads:
    """The road of each directed pair of hubs."""

    # [hub, hub, point] degrees, points at equal distances along the road.
    latitude: Floats
    longitude: Floats
    # [hub, hub] km along the road.
    length: Floats

    def place(self, origin: Ints, destination: Ints, km: Floats) -> tuple[Floats, Floats]:
        """Return latitude and longitude after ``km`` of the road between two hubs; all arrays have the same shape."""
        last = self.latitude.shape[2] - 1
        at = np.clip(km / np.maximum(self.length[origin, destination], 1e-9), 0.0, 1.0) * last
        low = np.minimum(at.astype(np.int64), last - 1)
        part = at - low
        lat = self.latitude[origin, destination, low] * (1 - part) + self.latitude[origin, destination, low + 1] * part
        lon = (
            self.longitude[origin, destination, low] * (1 - part) + self.longitude[origin, destination, low + 1] * part
        )
        return lat, lon


def build_roads(size: ParcelSize) -> Roads:
    """Return the roads of a network."""
    random = size.random("roads")
    count = size.hubs
    lat, lon, length = np.zeros((count, count, _POINTS)), np.zeros((count, count, _POINTS)), np.zeros((count, count))
    for first in range(count):
        lat[first, first], lon[first, first] = TOWNS[first].latitude, TOWNS[first].longitude
        for second in range(first + 1, count):
            bends = random.normal(0.0, 1.0, 4) * np.array([0.045, 0.03, 0.018, 0.010])
            there = _curved_path(first, second, bends)
            lat[first, second], lon[first, second], km = _equally_spaced(*there)
            lat[second, first], lon[second, first] = lat[first, second, ::-1], lon[first, second, ::-1]
            length[first, second] = length[second, first] = km
    return Roads(lat, lon, length)


def _curved_path(first: int, second: int, bends: Floats) -> tuple[Floats, Floats]:
    """Return a great circle with lateral sine waves that are zero at both ends."""
    ends = [np.radians([TOWNS[hub].latitude, TOWNS[hub].longitude]) for hub in (first, second)]
    unit = [np.array([np.cos(a) * np.cos(o), np.cos(a) * np.sin(o), np.sin(a)]) for a, o in ends]
    angle = float(np.arccos(np.clip(unit[0] @ unit[1], -1.0, 1.0)))
    part = np.linspace(0.0, 1.0, 4 * _POINTS)
    path = (np.sin((1 - part) * angle)[:, None] * unit[0] + np.sin(part * angle)[:, None] * unit[1]) / np.sin(angle)
    side = np.cross(unit[0], unit[1])
    side /= np.linalg.norm(side)
    waves = np.sin(np.pi * part[:, None] * np.arange(1, 5)) @ bends
    path = path + (angle * waves)[:, None] * side
    path /= np.linalg.norm(path, axis=1, keepdims=True)
    return np.degrees(np.arcsin(path[:, 2])), np.degrees(np.arctan2(path[:, 1], path[:, 0]))


def _equally_spaced(lat: Floats, lon: Floats) -> tuple[Floats, Floats, float]:
    """Return points at equal distances along a path, and its length in km (haversine)."""
    a, o = np.radians(lat), np.radians(lon)
    half = np.sin(np.diff(a) / 2) ** 2 + np.cos(a[1:]) * np.cos(a[:-1]) * np.sin(np.diff(o) / 2) ** 2
    along = np.concatenate([[0.0], np.cumsum(2 * _EARTH_KM * np.arcsin(np.sqrt(half)))])
    even = np.linspace(0.0, along[-1], _POINTS)
    return np.interp(even, along, lat), np.interp(even, along, lon), float(along[-1])
