"""Seeded telemetry of a fleet, as integers of the sensors' resolution: latitude, longitude, speed, temperature, pressure."""

# ruff: noqa: NPY002  (numba knows the legacy generator, seeded per series)

from __future__ import annotations

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

#: A fifth of the columns each: 1e-5 degrees, 1e-5 degrees, 0.1 km/h, 0.1 degC, 0.1 hPa.
KINDS = ("latitude", "longitude", "speed", "temperature", "pressure")


@numba.njit(cache=True)
def _vehicle(seed, n, seconds, out, kind):  # type: ignore[no-untyped-def]  # numba types it
    np.random.seed(seed)
    lat, lon, heading, speed, target = 40.7, -74.0, np.random.rand() * 6.28, 0.0, 0.0
    driving, left = False, 0.0
    temp, base, pressure = 15.0, np.random.normal(0, 3), 1013.0
    fix_lat, fix_lon = 0.0, 0.0
    for i in range(n):
        left -= seconds
        if left <= 0:
            driving = not driving
            left = np.random.exponential(2400.0 if driving else 5400.0)
            target = 20.0 + np.random.rand() * 60 if driving else 0.0
        pull = 1.0 - np.exp(-seconds / 12.0)
        if driving:
            heading += np.random.normal(0, 0.02 * np.sqrt(seconds))
            speed = max(0.0, speed + (target - speed) * pull + np.random.normal(0, 0.6 * np.sqrt(min(seconds, 20.0))))
            step = speed / 3.6 * seconds / 111_000.0
            lat += step * np.cos(heading)
            lon += step * np.sin(heading) / 0.76
        else:
            speed = 0.0
        # A receiver's error wanders by a metre or two within a minute, parked or not.
        keep = np.exp(-seconds / 60.0)
        fix_lat = keep * fix_lat + np.random.normal(0, 1.3e-5 * np.sqrt(1 - keep * keep))
        fix_lon = keep * fix_lon + np.random.normal(0, 1.3e-5 * np.sqrt(1 - keep * keep))
        day = i * seconds / 86400.0
        outside = 12 + base + 10 * np.sin(6.2832 * day / 365.0) + 5 * np.sin(6.2832 * day)
        temp += (outside - temp) * (1 - np.exp(-seconds / 3600.0)) + np.random.normal(0, 0.004 * np.sqrt(seconds))
        pressure += (1013.0 - pressure) * seconds / 3e5 + np.random.normal(0, 0.0025 * np.sqrt(seconds))
        if kind == 0:
            out[i] = np.rint((lat + fix_lat) * 1e5)
        elif kind == 1:
            out[i] = np.rint((lon + fix_lon) * 1e5)
        elif kind == 2:
            out[i] = np.rint(speed * 10)
        elif kind == 3:
            out[i] = np.rint(10 * (temp + np.random.normal(0, 0.06)))
        else:
            out[i] = np.rint(10 * (pressure + np.random.normal(0, 0.05)))


def series(number: int, cells: int, *, seconds: float, assets: int) -> NDArray[np.int32]:
    """Return one column of a fleet of ``assets`` columns, five kinds in equal blocks."""
    out = np.empty(cells, dtype=np.int32)
    _vehicle(1000 + number, cells, seconds, out, number * len(KINDS) // assets)
    return out


def observations(
    names: pa.Array,
    tag: NDArray[np.int32],
    at: NDArray[np.int64],
    value: NDArray[np.float64],
    sequence: NDArray[np.int64],
) -> pa.RecordBatch:
    """Return rows as observations in UTC; ``tag`` are places in ``names``."""
    zeros = np.zeros(len(tag), dtype=np.int64)
    basis = pa.DictionaryArray.from_arrays(pa.array(zeros.astype(np.int8)), pa.array(["utc"]))
    tags = pa.DictionaryArray.from_arrays(pa.array(tag), names)
    columns = [tags, pa.array(at), basis, pa.array(zeros), pa.array(sequence), pa.array(value)]
    return pa.RecordBatch.from_arrays(columns, names=["tag", "source_time", "time_basis", "epoch", "sequence", "value"])
