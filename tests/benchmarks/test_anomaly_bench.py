"""Anomalies on SKAB and NAB with baselines beside.

SKAB: each experiment's first 400 rows are learnt from, the others scored, row by row, without hysteresis. The parameters are the defaults of
`twinlab.predict.anomaly.fit`: share of variance and confidence are those of the benchmark's own T² (0.85, 0.999); that levels follow was
chosen on the anomaly-free run with steps planted into it, for which no label is needed; it can't tell delays of 60 to 150 rows apart. NAB has no training labels: its own protocol
takes the one threshold with the best score for all series; the detector has one window, the same for all series.

    TWINLAB_TEST_DATA=... python -m pytest tests/benchmarks/test_anomaly_bench.py -n0 -s
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.predict.anomaly import AnomalyModel, Forest, RobustZ, fit, record_index
from twinlab.predict.scores.nab import NabSeries, nab_score

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

FOLDER = Path(os.environ.get("TWINLAB_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


def data(name: str) -> Path:
    path = FOLDER / name
    if not path.is_dir():
        pytest.skip(f"the data set {name} isn't in {FOLDER}; TWINLAB_TEST_DATA names the folder with it")
    return path


def experiments(path: Path) -> list[tuple[xr.Dataset, np.ndarray]]:
    table = pd.read_parquet(path / "skab.parquet")
    signals = [name for name in table if name not in ("experiment", "datetime", "anomaly", "changepoint")]
    found = []
    for name, own in table.groupby("experiment"):
        if not str(name).startswith("anomaly-free"):
            columns = {str(one): (("time", "asset"), own[[one]].to_numpy(float)) for one in signals}
            time = own["datetime"].to_numpy()
            found.append((xr.Dataset(columns, {"time": time, "asset": ["pump"]}), own["anomaly"].to_numpy() > 0))
    return found


def skab(path: Path, learn: Callable[[xr.Dataset], AnomalyModel] | None) -> dict[str, float]:
    """Return F1, false and missing alarms in percent of all rows together; without a detector every row is an alarm."""
    right = np.zeros((2, 2))
    for history, anomaly in experiments(path):
        later, truth = history.isel(time=slice(400, None)), anomaly[400:]
        alarm = np.ones(len(truth), dtype=bool)
        if learn is not None:
            alarm = learn(history.isel(time=slice(400))).score(later)[0]["index"].values[:, 0] >= 1
        for here in (False, True):
            for there in (False, True):
                right[int(here), int(there)] += int(((truth == here) & (alarm == there)).sum())
    (quiet, false), (missed, found) = right
    return {
        "F1": found / (found + (false + missed) / 2),
        "false %": 100 * false / (false + quiet),
        "missed %": 100 * missed / (missed + found),
    }


def test_skab() -> None:
    path = data("skab")
    found = {
        "alarm always": skab(path, None),
        "isolation forest": skab(path, lambda one: fit(one, detector=Forest())),
        "robust z": skab(path, lambda one: fit(one, detector=RobustZ())),
        "T2 and Q, levels stay": skab(path, lambda one: fit(one, follow=0)),
        "T2 and Q": skab(path, fit),
    }
    for name, figures in found.items():
        note(f"skab {name}", **figures)
    assert found["T2 and Q"]["F1"] >= 0.75
    assert found["T2 and Q"]["false %"] <= 27


def nab_series(path: Path) -> list[tuple[xr.DataArray, list[tuple[int, int]]]]:
    table = pd.read_parquet(path / "nab.parquet")
    windows = json.loads((path / "combined_windows.json").read_text(encoding="utf-8"))
    found = []
    for name, own in table.groupby("series", observed=True):
        time = own["timestamp"].to_numpy()
        rows = [
            np.flatnonzero((time >= np.datetime64(first)) & (time <= np.datetime64(last)))
            for first, last in windows[str(name)]
        ]
        values = xr.DataArray(own["value"].to_numpy(float), dims="time", coords={"time": time})
        found.append((values, [(int(one[0]), int(one[-1])) for one in rows]))
    return found


def _periodic(values: xr.DataArray, every: int) -> np.ndarray:
    return (np.arange(len(values)) % every == 0).astype(float)


def _gaussian(values: xr.DataArray) -> np.ndarray:
    """Return the tail probability of a normal distribution of the last 6,400 values, as the benchmark's baseline."""
    series = pd.Series(values.values)
    usual = series.rolling(6400, min_periods=10)
    return (np.abs(series - usual.mean().shift(1)) / np.maximum(usual.std().shift(1), 1e-6)).fillna(0.0).to_numpy()


def _planted(usual: xr.Dataset, learnt: xr.Dataset, random: np.random.Generator) -> xr.Dataset:
    """Return rows in which one to three signals are at another level for 400 rows, from the 170th on."""
    wrong = usual.copy(deep=True)
    names = [str(name) for name in usual]
    for name in random.choice(names, int(random.integers(1, 4)), replace=False):
        step = random.choice([-1, 1]) * random.uniform(1, 4) * float(learnt[name].std())
        wrong[name][170:570] += step
    return wrong


def test_levels_that_follow_find_more_planted_steps_on_the_run_without_anomalies() -> None:
    """No label of SKAB takes part: steps are planted into the anomaly-free run, of whose rows a fifth may be false alarms.

    Levels that follow are better than those that stay; which delay is best depends on the parts chosen.
    """
    table = pd.read_parquet(data("skab") / "skab.parquet")
    own = table[table["experiment"].str.startswith("anomaly-free")]
    names = [str(one) for one in own if one not in ("experiment", "datetime", "anomaly", "changepoint")]
    time = np.arange(len(own)).astype("M8[s]")
    run = xr.Dataset(
        {one: (("time", "asset"), own[[one]].to_numpy(float)) for one in names}, {"time": time, "asset": ["pump"]}
    )
    parts = [run.isel(time=slice(begin, begin + 1150)) for begin in range(0, len(own) - 1150, 820)]
    found: dict[str, float] = {}
    for delay, follow in ((60, 0.0), *itertools.product((60, 120, 200), (0.5, 0.7, 0.85, 1.0))):
        random, quiet, planted = np.random.default_rng(1), [], []
        for part in parts:
            learnt, later = part.isel(time=slice(400)), part.isel(time=slice(400, None))
            model = fit(learnt, delay=delay, follow=follow)
            quiet.append(model.score(later)[0]["index"].values[:, 0])
            planted += [model.score(_planted(later, learnt, random))[0]["index"].values[:, 0] for _ in range(3)]
        beyond = np.array(planted) >= np.quantile(np.concatenate(quiet), 0.8)
        within = np.zeros(750, dtype=bool)
        within[170:570] = True
        found[f"delay {delay}, follow {follow}"] = float(beyond[:, within].mean() - beyond[:, ~within].mean())
    note("found less false, planted steps", **found)
    assert found["delay 120, follow 0.85"] > 1.5 * found["delay 60, follow 0.0"]


def test_nab() -> None:
    series = nab_series(data("nab"))

    def score(detector: Callable[[xr.DataArray], np.ndarray]) -> float:
        return nab_score([NabSeries(detector(values), windows) for values, windows in series])[0]

    found = {
        "never": score(lambda one: np.zeros(len(one))),
        "every 300th row": score(lambda one: _periodic(one, 300)),
        "windowed Gaussian (published 39.6)": score(_gaussian),
        "records": score(lambda one: record_index(one).values),
        # The choice of the window isn't what the result depends on.
        **{f"records, window {rows}": score(lambda one, rows=rows: record_index(one, window=rows).values) for rows in (15, 60)},
    }  # fmt: skip
    note("nab", **found)
    assert found["never"] == 0
    assert found["records"] >= 60
