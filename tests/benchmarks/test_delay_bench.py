"""Arrival delays of the flights of New York, fitted to January–September 2013, October–December predicted: each flight 2 h before its planned
departure, and all that are open at 91 daily issue times.

``python -m pytest tests/benchmarks/test_delay_bench.py -m benchmark -s -n0``

One configuration, the defaults of `twinlab.predict.DelayPredictor`; they were chosen on five months within January–September. Nothing was chosen on
October–December.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from twinlab.predict.backtests.result import Backtest
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


#: Issue times of the backtest, and what it does in another process.
START, WEEKS = "2013-10-01T14:00", 13
CODE = "from tests.benchmarks.test_delay_bench import thirteen_weeks; import sys; thirteen_weeks(store=sys.argv[1])"


def thirteen_weeks(**options: object) -> Backtest:
    """Predict all flights that are planned within 12 h, overdue or under way at 91 issue times, fitted every 28 days."""
    origin = ("wind_speed", "wind_gust", "visibility", "precipitation", "pressure", "temperature", "dew_point")
    predictor = DelayPredictor(
        DelaySettings(
            "flight",
            "aircraft",
            places=("origin", "destination"),
            links=("origin", "destination", "airline"),
            group="origin",
            surroundings={"origin": ("airport", origin)},
            zone=ZONE,
            training="273d",
        ),
        most_cases=60_000,
    )
    stop = np.datetime64(START) + np.timedelta64(7 * WEEKS, "D")
    given = {"every": "1d", "refit": "28d", "update": True, "final": False, "progress": False}
    return tl.predict.backtest(
        predictor,
        tl.demo("nyc"),
        START,
        stop,
        knowledge=ByEventTime("1h"),
        **(given | options),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def whole() -> tuple[Backtest, float]:
    tl.demo("nyc")
    begin = time.perf_counter()
    found = thirteen_weeks(workers=2)
    return found, time.perf_counter() - begin


def test_thirteen_weeks_of_daily_issue_times(whole: tuple[Backtest, float]) -> None:
    found, seconds = whole
    edges = ("0h", "2h", "6h")
    tables = {
        "all": found.scores(),
        "by lead time": found.scores(by=("lead_time",), lead_edges=edges),
        "by phase": found.scores(by=("phase",)),
        "by origin": found.scores(by=("origin",)),
        "by carrier": found.scores(by=("airline",)),
        "against baselines": found.significance(),
        "cost": found.cost,
    }
    print(f"\n{seconds:.0f} s")  # noqa: T201
    for name, table in tables.items():
        shown = table[table["model"] == "delay"] if name.startswith("by ") and name != "by lead time" else table
        print(f"{name}\n{shown.to_string(index=False, float_format='{:.3g}'.format)}")  # noqa: T201
    by_lead = tables["by lead time"].query("model == 'delay'")
    assert by_lead["coverage"].between(0.87, 0.93).all()
    assert (found.significance()["verdict"] == "better").all()


def test_a_backtest_that_was_killed_goes_on_and_gives_the_same(whole: tuple[Backtest, float], tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", CODE, str(tmp_path / "b")])
    while not list((tmp_path / "b").glob("then-*")) and other.poll() is None:
        time.sleep(0.5)
    other.kill()
    other.wait()
    done = len(list((tmp_path / "b").glob("then-*")))
    assert 0 < done < len(whole[0].plan.blocks)
    begin = time.perf_counter()
    found = thirteen_weeks(store=tmp_path / "b", workers=2)
    seconds, count = time.perf_counter() - begin, len(whole[0].plan.blocks)
    print(f"\n{done} of {count} blocks were done; the others took {seconds:.0f} s")  # noqa: T201
    for key, data in whole[0].predictions.items():
        xr.testing.assert_identical(found.predictions[key], data)


def test_a_cluster_of_processes_gives_the_same(whole: tuple[Backtest, float]) -> None:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        begin = time.perf_counter()
        found = thirteen_weeks(client=client)
        print(f"\n{time.perf_counter() - begin:.0f} s on a cluster")  # noqa: T201
    for key, data in whole[0].predictions.items():
        xr.testing.assert_identical(found.predictions[key], data)


def test_skill_on_final_data_beside_skill_then() -> None:
    found = thirteen_weeks(refit=None, final=True, workers=2)
    print("\n" + found.leak().to_string(index=False, float_format="{:.3g}".format))  # noqa: T201
    leak = found.leak().set_index("model").loc["delay", "leak"]
    assert abs(leak) < 0.05
