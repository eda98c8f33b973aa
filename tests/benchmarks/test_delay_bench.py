"""Arrival delays of the flights of New York, 2 h before their planned departure: fitted to January–September 2013, October–December predicted.

``python -m pytest tests/benchmarks/test_delay_bench.py -m benchmark -s -n0``

One configuration, that of `twinlab.predict.delay.estimators`; nothing was chosen on October–December.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.predict.delay import DelayPredictor, DelaySettings, FittedDelay
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.predict.known.reading import read_state
from twinlab.predict.protocol.state import State
from twinlab.predict.scores import auc, coverage, mae

pytestmark = pytest.mark.benchmark

ZONE = "America/New_York"
SIGNALS = ("wind_speed", "wind_gust", "visibility", "precipitation", "pressure", "temperature", "dew_point")
LATE = 15


def settings(training: str) -> DelaySettings:
    return DelaySettings(
        "flight",
        "aircraft",
        places=("origin", "destination"),
        links=("origin", "destination", "airline"),
        surroundings={"origin": ("airport", SIGNALS)},
        zone=ZONE,
        leads=("2h",),
        under_way=False,
        training=training,
    )


def past(training: str, stop: str, until: str) -> tuple[FittedDelay, State, pd.DataFrame]:
    """Fit to the span before ``stop``, and predict the flights from then on that had ended by ``until``."""
    twin, predictor = tl.demo("nyc"), DelayPredictor(settings(training))

    def known(at: str, span: np.timedelta64) -> State:
        return read_state(twin, predictor.inputs, np.datetime64(at, "ns"), knowledge=ByEventTime(), span=span)

    state = known(stop, predictor.inputs.training_ns)
    fitted = predictor.fit(state)
    first = np.datetime64(stop, "ns")
    span = np.datetime64(until, "ns") - first + predictor.inputs.window_ns
    return fitted, state, fitted.past(known(until, span), since=first)


def by_hour(state: State, found: pd.DataFrame) -> pd.DataFrame:
    """Return the median delay and the share of late flights of each local hour of planned departure in the training span, for each case."""
    table = state.events["flight"]
    delay = (table["end"] - table["planned_end"]) / pd.Timedelta("1min")
    hour = table["planned_start"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.hour
    known = delay.notna()
    groups = delay[known].groupby(hour[known])
    usual = pd.DataFrame({"expected": groups.median(), "late": groups.agg(lambda one: (one >= LATE).mean())})
    planned = (found["issue_time"] + found["lead_time"]).dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.hour
    return usual.reindex(planned).reset_index(drop=True)


def test_flights_two_hours_before_departure() -> None:
    begin = time.process_time()
    fitted, state, found = past("273d", "2013-10-01", "2014-01-01")
    cost = time.process_time() - begin
    table = state.events["flight"]
    median = ((table["end"] - table["planned_end"]) / pd.Timedelta("1min")).median()
    usual, actual = by_hour(state, found), found["actual"].to_numpy()
    late = (actual >= LATE).astype(float)
    figures = {
        "cases": len(found),
        "AUC": float(auc(found["late"].to_numpy(), late)),
        "AUC, share late by hour": float(auc(usual["late"].to_numpy(), late)),
        "MAE": float(mae(found["expected"].to_numpy(), actual)),
        "MAE, schedule": float(mae(np.zeros(len(actual)), actual)),
        "MAE, median": float(mae(np.full(len(actual), median), actual)),
        "MAE, median by hour": float(mae(usual["expected"].to_numpy(), actual)),
        "coverage of 90 %": float(coverage(found["low"].to_numpy(), found["high"].to_numpy(), actual)),
        "width, min": float((found["high"] - found["low"]).mean()),
        "features": len(fitted.names),
        "CPU, s": cost,
    }
    print("\n" + "\n".join(f"{name}: {value:.4g}" for name, value in figures.items()))  # noqa: T201
    assert figures["AUC"] >= 0.75 > figures["AUC, share late by hour"]
    assert figures["MAE"] <= 20.5 < figures["MAE, median"]
    assert 0.87 <= figures["coverage of 90 %"] <= 0.93
