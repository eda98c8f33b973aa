"""Small twins and arrays that several tests of predict use."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.model.twinmodel import TwinModel
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.state import State
from twinlab.predict.targets.signal import SignalTarget
from twinlab.testing import FakeTwin

HOUR = np.timedelta64(1, "h")
START = np.datetime64("2026-01-01", "ns")

MODEL = {
    "twin": "cold",
    "origin": "2026-01-01",
    "asset_types": {"room": {"signals": {"temperature": {"unit": "degC", "cadence": "1h", "resolution": 0.1}}}},
    "event_types": {"visit": {"properties": {"reason": {}, "result": {}}}},
}
INPUTS = Inputs("room", ("temperature",), step="1h", window="3d", training="60d")
TARGET = SignalTarget("temperature", "degC")


def history(hours: int, assets: tuple[str, ...] = ("A", "B"), *, seed: int = 1, noise: float = 0.3) -> xr.Dataset:
    """Hourly temperatures with a daily course."""
    rng = np.random.default_rng(seed)
    hour = np.arange(hours)[:, None]
    values = 4 + np.arange(len(assets)) + 2 * np.sin(2 * np.pi * hour / 24) + rng.normal(0, noise, (hours, len(assets)))
    time = START + np.arange(hours) * HOUR
    coords = {"time": time, "asset": np.array(assets, object)}
    return xr.Dataset({"temperature": (("time", "asset"), values, {"units": "degC"})}, coords=coords)


def state_of(data: xr.Dataset, **others: object) -> State:
    """The state at the end of a history."""
    return State(data["time"].values[-1] + HOUR, data, HOUR.astype("timedelta64[ns]"), **others)  # type: ignore[arg-type]


@pytest.fixture
def twin() -> FakeTwin:
    """Two rooms for forty days, with visits."""
    visits = pd.DataFrame(
        {
            "event_id": ["v1", "v2", "v3"],
            "type": "visit",
            "asset": ["A", "B", "A"],
            "start": pd.to_datetime(["2026-01-03T10:00", "2026-01-05T10:00", None]),
            "end": pd.to_datetime(["2026-01-03T12:00", "2026-01-05T12:00", None]),
            "planned_start": pd.to_datetime(["2026-01-03T09:00", "2026-01-05T09:00", "2026-01-06T09:00"]),
            "planned_end": pd.to_datetime(["2026-01-03T11:00", "2026-01-05T11:00", "2026-01-06T11:00"]),
            "reason": ["check", "repair", "check"],
            "result": ["good", "bad", None],
        }
    )
    return FakeTwin(TwinModel.model_validate(MODEL), histories={"room": history(960)}, events={"visit": visits})
