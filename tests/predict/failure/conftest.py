"""Pumps that vibrate more and more for some days before they fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.predict.failure import FailurePredictor, FailureSettings, FittedFailure, Indicator
from twinlab.predict.failure.trees import Trees
from twinlab.predict.protocol.state import State

START = np.datetime64("2026-01-01", "ns")
HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
SETTINGS = FailureSettings(
    "pump_failure",
    "pump",
    (Indicator("vibration"), Indicator("vibration", "high"), Indicator("noise")),
    step="1h",
    spans=(1, 3),
    usual_rows=14,
    longest="7d",
    training="90d",
    ending=("part",),
)
PREDICTOR = FailurePredictor(SETTINGS, ("2d", "5d"), Trees("binary", 40, 1), Trees("regression", 40, 1))
DAYS, PUMPS = 70, 10


def failures_of(pumps: int = PUMPS, days: int = DAYS) -> pd.DataFrame:
    """Each pump fails about every twenty days, and is repaired within half a day."""
    rows = [
        (f"P{pump}", START + (9 + 2 * pump + 20 * k) * DAY + 7 * HOUR)
        for pump in range(pumps)
        for k in range(4)
        if 9 + 2 * pump + 20 * k < days - 1
    ]
    start = np.array([when for _, when in rows], "datetime64[ns]")
    return pd.DataFrame(
        {
            "event_id": [f"f{k}" for k in range(len(rows))],
            "type": "pump_failure",
            "asset": [asset for asset, _ in rows],
            "start": start,
            "end": start + 12 * HOUR,
            "planned_start": pd.NaT,
            "planned_end": pd.NaT,
            "part": ["bearing", "seal"] * (len(rows) // 2) + ["bearing"] * (len(rows) % 2),
        }
    ).sort_values("start", ignore_index=True)


def history_of(failures: pd.DataFrame, pumps: int = PUMPS, days: int = DAYS, *, seed: int = 1) -> xr.Dataset:
    """Hourly vibration that rises in the five days before a failure, and noise that says nothing."""
    rng = np.random.default_rng(seed)
    times = START + np.arange(24 * days) * HOUR
    vibration = 3 + np.arange(pumps) * 0.2 + rng.normal(0, 0.3, (len(times), pumps))
    for one in failures.itertuples():
        ahead = (np.datetime64(one.start, "ns") - times) / DAY
        vibration[:, int(one.asset[1:])] += np.where((ahead > 0) & (ahead < 5), 2 * (1 - ahead / 5), 0)
    data = {
        "vibration": (("time", "asset"), vibration, {"units": "mm/s"}),
        "noise": (("time", "asset"), rng.normal(60, 2, vibration.shape), {"units": "dB"}),
    }
    return xr.Dataset(data, {"time": times, "asset": np.array([f"P{k}" for k in range(pumps)], object)})


def state_at(day: float, history: xr.Dataset | None = None, failures: pd.DataFrame | None = None) -> State:
    """What is known some days after the start."""
    failures = failures_of() if failures is None else failures
    history = history_of(failures) if history is None else history
    whole = State(
        START + DAYS * DAY, history, HOUR.astype("timedelta64[ns]"), events={"pump_failure": failures},
        assets={"pump": pd.DataFrame(index=[str(one) for one in history["asset"].values])},
    )  # fmt: skip
    return whole.at(START + np.timedelta64(round(day * 24), "h"), window=DAYS * DAY)


@pytest.fixture(scope="session")
def fitted() -> FittedFailure:
    """Fitted to the first fifty days."""
    pytest.importorskip("lightgbm")
    return PREDICTOR.fit(state_at(50))
