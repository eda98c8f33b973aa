"""A small twin whose truth is known: rooms in two houses, one of which moves; trips between the houses."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.model import TwinModel
from twinlab.testing import FakeTwin

DAY = np.datetime64("2026-03-02", "ns")
DAYS, CELLS = 3, 96  # of a quarter of an hour

MODEL = TwinModel.model_validate(
    {
        "twin": "houses",
        "origin": "2026-03-01",
        "asset_types": {
            "house": {"properties": {"town": {}}},
            "room": {
                "properties": {
                    "limit": {"dtype": "number", "unit": "degF"},
                    "kind": {},
                },
                "signals": {
                    "warmth": {"unit": "degC", "resolution": 0.1, "cadence": "15min", "sensor_span": [-20, 40]},
                    "power": {"unit": "kW", "resolution": 0.1, "cadence": "15min", "sensor_span": [0, 10]},
                    "door": {"kind": "state", "states": {0: "closed", 1: "open"}, "cadence": "15min"},
                    "meter": {"kind": "counter", "unit": "kWh", "resolution": 0.1, "cadence": "15min"},
                    "free": {"unit": "m", "resolution": 0.1, "cadence": "15min"},
                },
            },
        },
        "relationships": {"part_of": {"from": "room", "to": "house"}},
        "event_types": {
            "trip": {
                "asset": "room",
                "links": {"origin": "house", "destination": "house"},
                "properties": {
                    "load": {"dtype": "number", "unit": "kg"},
                    "cause": {},
                    "cancelled": {"dtype": "boolean"},
                },
            }
        },
    }
)
ROOMS = ["R1", "R2", "R3"]


def truth(seed: int = 1) -> xr.Dataset:
    """Return full histories."""
    rng = np.random.default_rng(seed)
    shape = (DAYS * CELLS, len(ROOMS))
    time = DAY + np.arange(shape[0]) * np.timedelta64(15, "m")
    return xr.Dataset(
        {
            "warmth": (("time", "asset"), np.round(rng.normal(5, 3, shape), 1)),
            "power": (("time", "asset"), np.round(rng.uniform(0, 10, shape), 1)),
            "door": (("time", "asset"), rng.integers(0, 2, shape).astype(float)),
            "meter": (("time", "asset"), np.round(np.cumsum(rng.uniform(0, 1, shape), axis=0), 1)),
            "free": (("time", "asset"), np.round(rng.normal(0, 3, shape), 1)),
        },
        coords={"time": time.astype("datetime64[ns]"), "asset": np.array(ROOMS, dtype=object)},
    )


def with_gaps(data: xr.Dataset, mask: np.ndarray, *, suspect: np.ndarray | None = None) -> xr.Dataset:
    """Return histories without the values of a mask, and with values of another one that are wrong and suspect."""
    found = {}
    for name, one in data.data_vars.items():
        values, flags = one.values.copy(), np.ones(one.shape, dtype="uint8")
        values[mask], flags[mask] = np.nan, 9
        if suspect is not None:
            wrong = suspect & ~mask
            values[wrong] = 1.0 if name == "door" else values[wrong] * 0 + 8.0
            flags[wrong] = 3
        found[name], found[f"{name}_qc"] = (one.dims, values), (one.dims, flags)
    return xr.Dataset(found, coords=data.coords)


def links() -> pd.DataFrame:
    """R1 and R2 are in A; R3 is in B and moves to A at noon of the second day."""
    noon = pd.Timestamp(DAY) + pd.Timedelta("36h")
    return pd.DataFrame(
        {
            "source": ["R1", "R2", "R3", "R3"],
            "target": ["A", "A", "B", "A"],
            "valid_from": pd.to_datetime([None, None, None, noon]),
            "valid_until": pd.to_datetime([None, None, noon, None]),
        }
    )


def trips(seed: int = 1, count: int = 120) -> pd.DataFrame:
    """Return trips, all of whose times are known."""
    rng = np.random.default_rng(seed)
    planned = pd.Timestamp(DAY) + pd.to_timedelta(np.sort(rng.integers(0, DAYS * 86400 - 7200, count)), "s")
    start = planned + pd.to_timedelta(rng.integers(0, 1800, count), "s")
    end = start + pd.to_timedelta(rng.integers(600, 5400, count), "s")
    return pd.DataFrame(
        {
            "event_id": [f"t{n}" for n in range(count)],
            "type": "trip",
            "asset": rng.choice(ROOMS, count),
            "start": start,
            "end": end,
            "planned_start": planned,
            "planned_end": planned + pd.Timedelta("50min"),
            "origin": rng.choice(["A", "B"], count),
            "destination": rng.choice(["A", "B"], count),
            "load": np.round(rng.uniform(0, 100, count), 1),
            "cause": rng.choice(["rain", "traffic"], count),
            "cancelled": rng.random(count) < 0.1,
        }
    )


@pytest.fixture(scope="session")
def plain() -> SimpleNamespace:
    """Return the functions that make histories and tables."""
    return SimpleNamespace(truth=truth, with_gaps=with_gaps, links=links, trips=trips)


@pytest.fixture(scope="session")
def houses() -> Callable[..., FakeTwin]:
    """Return a function that makes the twin of histories and events."""

    def make(history: xr.Dataset | None = None, events: pd.DataFrame | None = None) -> FakeTwin:
        rooms = pd.DataFrame(
            {"limit": [46.4, 41.0, 50.0], "kind": ["cold", "cold", "warm"]}, index=pd.Index(ROOMS, name="asset")
        )
        # The last trip ends long after the last window, so that all windows are settled.
        late = trips(count=1).assign(
            event_id="last", start=pd.Timestamp("2026-03-09"), end=pd.Timestamp("2026-03-09"),
            planned_start=pd.Timestamp("2026-03-09"), planned_end=pd.Timestamp("2026-03-09"),
        )  # fmt: skip
        return FakeTwin(
            MODEL,
            histories={"room": truth() if history is None else history},
            events={"trip": pd.concat([trips() if events is None else events, late], ignore_index=True)},
            assets={
                "room": rooms,
                "house": pd.DataFrame({"town": ["X", "Y"]}, index=pd.Index(["A", "B"], name="asset")),
            },
            relationships={"part_of": links()},
        )

    return make
