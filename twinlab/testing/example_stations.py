"""The fixed part of the example twin: three stations, and the trips between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.flags import Flag, flag_attributes
from twinlab.model.twinmodel import TwinModel
from twinlab.testing.example_model import EXAMPLE_MODEL

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["EXAMPLE_IDS", "PLACES", "station_history", "stations", "trips"]

EXAMPLE_IDS = ("EAST", "NORTH", "WEST")
#: Latitude and longitude, degrees.
PLACES = ((47.3712, 8.7903), (47.6021, 8.5127), (47.2689, 8.2214))


def stations() -> pd.DataFrame:
    """Return the stations with their properties."""
    import pandas as pd  # noqa: PLC0415

    index = pd.Index(EXAMPLE_IDS, name="asset")
    return pd.DataFrame(
        {
            "name": ["East quay", "North yard", "West gate"],
            "height": [3.0, 41.0, 12.0],
            "latitude": [place[0] for place in PLACES],
            "longitude": [place[1] for place in PLACES],
        },
        index=index,
    )


def station_history(rng: np.random.Generator, days: int) -> xr.Dataset:
    """Minutely values with planted faults: an absurd fail, suspects, a missing stretch, an end not evaluated."""
    import xarray as xr  # noqa: PLC0415

    n = days * 1440
    day = np.arange(n)[:, None] / 1440.0
    shift = np.arange(len(EXAMPLE_IDS))
    noise = np.cumsum(rng.normal(0, 0.03, (n, 3)), axis=0)
    values = {
        "temperature": 9 + 2 * shift + 6 * np.sin(2 * np.pi * (day - 0.4)) + noise * 0.2,
        "wind_speed": np.abs(8 + 3 * np.sin(2 * np.pi * day / 5 + shift) + rng.normal(0, 1.2, (n, 3))),
        "fan": ((day * 24 + 5 * shift) % 24 > 14).astype(float),
    }
    flags = {name: np.full((n, 3), Flag.PASS, "uint8") for name in values}
    absurd, gap, odd = int(0.7 * n), slice(int(0.3 * n), int(0.3 * n) + 180), slice(int(0.5 * n), int(0.5 * n) + 40)
    values["wind_speed"][absurd, 0], flags["wind_speed"][absurd, 0] = 1048.36, Flag.FAIL
    values["temperature"][odd, 0] += 14.0
    flags["temperature"][odd, 0] = Flag.SUSPECT
    for name, grid in values.items():
        grid[gap, 0], flags[name][gap, 0] = np.nan, Flag.MISSING
        grid[-120:, :], flags[name][-120:, :] = np.nan, Flag.NOT_EVALUATED
    data: dict[str, tuple[tuple[str, str], NDArray[np.generic], dict[str, object]]] = {}
    signals = TwinModel.model_validate(EXAMPLE_MODEL).asset_types["station"].signals
    for name, value in values.items():
        spec = signals[name]
        attrs: dict[str, object] = {"long_name": spec.title or name.replace("_", " ")}
        if spec.kind != "state":
            attrs["units"] = spec.unit
        data[name] = (("time", "asset"), value.round(2), attrs)
        data[f"{name}_qc"] = (("time", "asset"), flags[name], flag_attributes(name))
    time = np.datetime64("2026-01-01", "ns") + np.arange(n) * np.timedelta64(60, "s")
    return xr.Dataset(data, coords={"time": time, "asset": np.array(EXAMPLE_IDS, dtype=object)})


def trips(rng: np.random.Generator, days: int, count: int) -> pd.DataFrame:
    """Return trips between the stations; some late, some cancelled."""
    import pandas as pd  # noqa: PLC0415

    minutes = np.sort(rng.integers(0, days * 1440, count)).astype("timedelta64[m]")
    planned = np.datetime64("2026-01-01", "ns") + minutes
    lasting = rng.integers(20, 240, count).astype("timedelta64[m]")
    late = rng.gamma(1.5, 8, count).astype("int64").astype("timedelta64[m]")
    cancelled = rng.random(count) < 0.03
    origin = rng.integers(0, 3, count)
    names = np.array(EXAMPLE_IDS, dtype=object)
    nothing = np.datetime64("NaT", "ns")
    return pd.DataFrame(
        {
            "event_id": [f"trip-{k:06d}" for k in range(count)],
            "type": "trip",
            "asset": [f"V{k:02d}" for k in rng.integers(0, 40, count)],
            "start": np.where(cancelled, nothing, planned + late),
            "end": np.where(cancelled, nothing, planned + late + lasting),
            "planned_start": planned,
            "planned_end": planned + lasting - np.timedelta64(5, "m"),
            "origin": names[origin],
            "destination": names[(origin + rng.integers(1, 3, count)) % 3],
            "number": np.arange(count) + 100,
            "distance": rng.gamma(3, 40, count).round(1),
            "cancelled": cancelled,
        }
    )
