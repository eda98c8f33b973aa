"""Backtests: what was known then, baselines, resumption, clusters, cost, and the leak of final data."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from tests.predict.conftest import INPUTS, TARGET
from twinlab.errors import SchemaError
from twinlab.predict.backtests.block import BlockTask
from twinlab.predict.backtests.plan import Plan
from twinlab.predict.protocol.estimator import CallableEstimator

P = tl.predict
LEADS = ("1h", "6h")


def least_squares(x, y, _names):
    whole = ~np.isnan(x).any(axis=1)
    return np.linalg.lstsq(np.column_stack([x, np.ones(len(x))])[whole], y[whole], rcond=None)[0]


def line(weights, x):
    return np.column_stack([x, np.ones(len(x))]) @ weights


LINEAR = CallableEstimator("linear", least_squares, line)
FEATURES = (P.Rolling("temperature", "24h"), P.Lag("temperature", "24h", of="valid_time"))
MODEL = P.FeaturePredictor(INPUTS, TARGET, FEATURES, LINEAR, LEADS)


def run(twin, **options):
    return P.backtest(MODEL, twin, "2026-01-20", "2026-01-30", **({"refit": "4d", "progress": False} | options))


def test_fits_and_issue_times_follow_the_plan():
    plan = Plan.of("2026-01-20", "2026-01-30", every="1d", refit="4d")
    assert [len(one.issued) for one in plan.blocks] == [4, 4, 2]
    assert all(one.fit == one.issued[0] for one in plan.blocks)
    assert len(Plan.of("2026-01-20", "2026-01-30", every="1d", refit=None).blocks) == 1
    with pytest.raises(SchemaError, match="multiple of every='1d'"):
        Plan.of("2026-01-20", "2026-01-30", every="1d", refit="36h")
    with pytest.raises(SchemaError, match="before the stop"):
        Plan.of("2026-01-20", "2026-01-20", every="1d", refit=None)


def test_a_model_is_scored_beside_its_baselines(twin):
    found = run(twin)
    assert found.models == ["linear", "naive", "seasonal_naive", "median"]
    table = found.scores(by=("lead_time",))
    assert len(table) == 8
    assert (table["cases"] == 20).all()
    best = found.scores().set_index("model")
    assert best.loc[found.reference, "skill"] == 0
    assert best.loc["linear", "skill"] == pytest.approx(
        1 - best.loc["linear", "mae"] / best.loc[found.reference, "mae"]
    )
    significance = found.significance().set_index("baseline")
    assert significance.loc["median", "verdict"] == "better"
    by_group = found.scores(by=("group",), groups={"A": "cold", "B": "warm"})
    assert set(by_group["group"]) == {"cold", "warm"}
    assert "10 issue times" in repr(found)


def test_a_prediction_of_a_backtest_is_the_one_that_would_have_been_issued(twin):
    found = run(twin)
    fitted = P.fit_on(MODEL, twin, known="2026-01-24")
    one = P.predict_at(fitted, twin, issue_time="2026-01-26")
    stored = found.predictions["linear", "then"].sel(issue_time=["2026-01-26"])
    assert np.array_equal(stored.temperature.values, one.temperature.values)
    assert stored["model_hash"].item() == one.attrs["model_hash"]
    assert stored["training_stop"].item() == "2026-01-24T00:00:00.000000000"


def test_an_interrupted_backtest_goes_on_where_it_was(twin, tmp_path, monkeypatch):
    whole = run(twin)
    original, runs = BlockTask.run, []

    def interrupted(self, *given):
        if len(runs) == 2:
            raise KeyboardInterrupt
        runs.append(self.block.number)
        return original(self, *given)

    monkeypatch.setattr(BlockTask, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(twin, store=tmp_path / "b", workers=1)
    monkeypatch.setattr(BlockTask, "run", lambda self, *given: runs.append(self.block.number) or original(self, *given))
    counts = []
    found = run(twin, store=tmp_path / "b", workers=1, progress=lambda done, of: counts.append((done, of)))
    assert runs == [0, 1, 2]
    assert counts == [(2, 3), (3, 3)]
    for key, data in whole.predictions.items():
        xr.testing.assert_identical(found.predictions[key], data)
    assert found.cost["cpu_seconds"].gt(0).all()
    other = P.FeaturePredictor(INPUTS, TARGET, FEATURES[:1], LINEAR, LEADS)
    with pytest.raises(SchemaError, match="another|other models"):
        P.backtest(other, twin, "2026-01-20", "2026-01-30", refit="4d", store=tmp_path / "b", progress=False)
    assert json.loads((tmp_path / "b" / "backtest.json").read_text())["plan"]


def test_a_cluster_and_threads_give_the_same(twin, cluster_client):
    found = run(twin, client=cluster_client)
    alone = run(twin, workers=1)
    for key, data in run(twin, workers=2).predictions.items():
        xr.testing.assert_identical(found.predictions[key], data)
        xr.testing.assert_identical(alone.predictions[key], data)
    assert found.cost["cpu_seconds"].gt(0).all()


def test_cost_is_by_model_and_prediction_with_its_source(twin):
    rates = tl.simulate.Rates(price_per_kwh=0.5, price_per_core_hour=1.0, watts_per_core=10)
    table = run(twin, rates=rates, workers=1).cost.set_index("model")
    row = table.loc["linear"]
    assert row["predictions"] == 40
    assert row["cpu_per_prediction"] == pytest.approx(row["cpu_seconds"] / 40)
    assert row["kwh"] == pytest.approx(row["cpu_seconds"] * 10 / 3.6e6) or "RAPL" in row["source"]
    assert row["money"] == pytest.approx(row["cpu_seconds"] / 3600 + row["kwh"] * 0.5)
    assert table.loc["reading", "predictions"] == 0


def test_a_latency_makes_the_last_cells_unknown_and_the_leak_shows_what_they_are_worth(twin):
    naive = P.SeasonalNaive(INPUTS, TARGET, ("1h",), season="1h", name="last")
    found = P.backtest(
        naive, twin, "2026-01-20", "2026-01-30", every="6h", baselines={}, knowledge=P.ByEventTime(latency="5h"),
        progress=False,
    )  # fmt: skip
    then = found.predictions["last", "then"].temperature.sel(quantile=0.5).values[:, 0]
    data = twin.history("room").temperature
    issued = found.predictions["last", "then"].issue_time.values
    assert np.array_equal(then, data.sel(time=issued - np.timedelta64(6, "h")).values)
    leak = found.leak().iloc[0]
    assert leak["loss_final"] < leak["loss_then"]
    assert leak["p"] < 0.01
    same = run(twin, knowledge=P.ByEventTime())
    with pytest.raises(SchemaError, match="nothing was predicted from final data"):
        same.leak()


def test_too_short_a_history_is_an_error_that_names_the_model_and_the_instant(twin):
    with pytest.raises(SchemaError, match=r"linear is fitted at 2026-01-01T02.*at least 30 training cases"):
        P.backtest(MODEL, twin, "2026-01-01T02:00", "2026-01-02", baselines={}, progress=False)


def test_a_model_that_learns_between_fits_is_updated_in_time_order(twin):
    seen = []

    class Learning:
        name, inputs, target, lead_times = "learning", INPUTS, TARGET, LEADS
        training = (np.datetime64("2026-01-01", "ns"), np.datetime64("2026-01-20", "ns"))

        def content_hash(self):
            return "0" * 32

        def fit(self, state):
            self.fitted = P.SeasonalNaive(INPUTS, TARGET, LEADS).fit(state)
            return self

        def predict(self, state):
            return self.fitted.predict(state)

        def update(self, state):
            seen.append(state.issue_time)
            return self

    P.backtest(Learning(), twin, "2026-01-20", "2026-01-24", baselines={}, update=True, workers=1, progress=False)
    assert seen == list(pd.date_range("2026-01-21", "2026-01-23").to_numpy("datetime64[ns]"))


def test_skill_and_significance_compare_the_same_places(twin):
    class Selective:
        """The last value, told only where it will be right: its own mean error says nothing about the baseline."""

        name, inputs, target, lead_times = "selective", INPUTS, TARGET, ("1h",)
        training = (np.datetime64("2026-01-01", "ns"), np.datetime64("2026-01-20", "ns"))

        def content_hash(self):
            return "0" * 32

        def fit(self, state):
            self.fitted = P.SeasonalNaive(INPUTS, TARGET, ("1h",), season="1h").fit(state)
            return self

        def predict(self, state):
            data = self.fitted.predict(state)
            refused = data.cant_tell.copy(
                data=np.full((1, 1, 2), state.issue_time.astype("datetime64[D]").astype(int) % 2)
            )
            refused = refused.astype("uint16").assign_attrs(reasons=["", "an odd day"])
            return data.assign(temperature=data.temperature.where(refused == 0), cant_tell=refused)

        def update(self, state):
            return self

    base = P.SeasonalNaive(INPUTS, TARGET, ("1h",), season="1h", name="last")
    found = P.backtest(
        Selective(), twin, "2026-01-20", "2026-01-30", baselines={"last": base}, final=False, progress=False
    )
    table = found.scores(by=("asset",)).set_index("model")
    assert table.loc["selective", "cant_tell"].tolist() == [0.5, 0.5]
    assert table.loc["selective", "mae"].tolist() != table.loc["last", "mae"].tolist()
    assert table.loc["selective", "skill"].tolist() == [0, 0]
    assert found.significance()["difference"].item() == 0
    assert found.significance()["issue_times"].item() == 5
