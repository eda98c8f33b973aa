"""Backtests of delays: by phase and lead time beside baselines, the same in another process, and after an interruption."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import twinlab as tl
from tests.predict.delay.test_delay import PREDICTOR, SETTINGS, trips
from twinlab.compute import Handle
from twinlab.model.twinmodel import TwinModel
from twinlab.predict.backtests.block import BlockTask
from twinlab.predict.backtests.plan import Plan
from twinlab.predict.delay.baselines import PlainDelay
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.testing import FakeTwin

MODEL = {
    "twin": "buses",
    "origin": "2026-01-01",
    "asset_types": {"bus": {}, "stop": {}},
    "event_types": {"trip": {"asset": "bus", "links": {"origin": "stop", "destination": "stop"}}},
}


@pytest.fixture(scope="module")
def twin() -> FakeTwin:
    return FakeTwin(TwinModel.model_validate(MODEL), events={"trip": trips(60)})


def run(twin, **options):
    given = {"refit": "4d", "update": True, "knowledge": ByEventTime(), "progress": False, "workers": 1}
    return tl.predict.backtest(PREDICTOR, twin, "2026-02-15T11:00", "2026-02-23T11:00", **(given | options))


@pytest.fixture(scope="module")
def whole(twin):
    return run(twin)


def test_delays_are_scored_by_lead_time_phase_and_group_beside_baselines(whole):
    assert whole.models == ["delay", "schedule", "so_far", "usual"]
    table = whole.scores(by=("phase",))
    mine = table[table["model"] == "delay"].set_index("phase")
    assert (mine.loc[["before the planned start", "under way"], "cases"] > 10).all()
    by_lead = whole.scores(by=("lead_time",), lead_edges=("0h", "3h"))
    assert by_lead.groupby("model")["cases"].sum().nunique() == 1
    assert set(whole.scores(by=("origin",))["origin"]) == {"N", "S"}
    total = whole.scores().set_index("model")
    assert total.loc["delay", "skill"] > 0 >= total.loc[whole.reference, "skill"]
    assert 0.8 < total.loc["delay", "coverage"] < 0.98
    cost = whole.cost.set_index("model")
    assert cost.loc["delay", "cpu_per_prediction"] > 0
    assert set(whole.significance()["baseline"]) == {"schedule", "so_far", "usual"}


def test_the_truth_is_the_delay_against_the_plan_of_the_prediction(whole):
    data, truth = whole.predictions["delay", "then"], whole.truth
    table = trips(60).set_index("event_id").loc[data["event_id"].values]
    minutes = (table["end"] - table["planned_end"]) / np.timedelta64(1, "m")
    assert np.array_equal(truth.values, minutes.to_numpy())
    schedule = whole.predictions["schedule", "then"]
    assert float(np.abs(schedule["end_delay"]).max()) == 0


def test_an_interrupted_backtest_of_delays_goes_on_and_gives_the_same(twin, whole, tmp_path, monkeypatch):
    original, runs = BlockTask.run, []

    def interrupted(self, *given):
        if runs:
            raise KeyboardInterrupt
        runs.append(self.block.number)
        return original(self, *given)

    monkeypatch.setattr(BlockTask, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(twin, store=tmp_path / "b")
    monkeypatch.setattr(BlockTask, "run", original)
    found = run(twin, store=tmp_path / "b")
    for key, data in whole.predictions.items():
        xr.testing.assert_identical(found.predictions[key], data)


def test_another_process_gives_the_same(twin, whole):
    block = Plan.of("2026-02-15T11:00", "2026-02-23T11:00", every="1d", refit="4d").blocks[0]
    sent = pickle.dumps((BlockTask(block, ByEventTime(), update=True), Handle.of(twin), {"delay": PREDICTOR}))
    task, handle, models = pickle.loads(sent)
    found = task.run(handle.open(), models).predictions["delay"]
    wanted = whole.predictions["delay", "then"]
    wanted = wanted.isel(case=np.isin(wanted["issue_time"].values, block.issued))
    assert np.array_equal(found["end_delay"].values, wanted["end_delay"].values, equal_nan=True)


def test_the_probability_of_being_late_is_backtested_beside_shares(twin):
    found = tl.predict.backtest(
        replace(PREDICTOR, predicts="late"),
        twin,
        "2026-02-15T11:00",
        "2026-02-17T11:00",
        knowledge=ByEventTime(),
        progress=False,
    )
    assert found.loss_name == "brier"
    table = found.scores().set_index("model")
    assert table.loc["schedule", "predicted"] == 0
    assert 0 < table.loc["usual", "predicted"] < 1


def test_errors_that_come_later_widen_the_interval(twin):
    table = trips(60)
    fitted = tl.predict.fit_on(PREDICTOR, twin, known="2026-02-15", knowledge=ByEventTime())
    worse = table.copy()
    late = worse["planned_start"] > np.datetime64("2026-02-15")
    worse.loc[late, "end"] += np.where(np.arange(late.sum()) % 3 == 0, 90, 0) * np.timedelta64(1, "m")
    other = FakeTwin(twin.model, events={"trip": worse})
    updated = fitted
    for day in range(16, 24):
        state = tl.predict.read_state(
            other, fitted.inputs, np.datetime64(f"2026-02-{day}T11:00"), knowledge=ByEventTime()
        )
        updated = updated.update(state)
    before, after = (one.predict(state)["end_delay"].values for one in (fitted, updated))
    assert np.nanmean(after[:, 2] - after[:, 0]) > np.nanmean(before[:, 2] - before[:, 0]) + 20
    assert np.array_equal(before[:, 1], after[:, 1], equal_nan=True)
    # Nothing that ended since: nothing to learn.
    assert updated.update(state) is updated


@pytest.mark.parametrize("rule", ["schedule", "so_far", "usual"])
def test_baselines_are_predictors(twin, rule):
    fitted = tl.predict.fit_on(PlainDelay(SETTINGS, rule), twin, known="2026-02-15", knowledge=ByEventTime())
    data = tl.predict.predict_at(fitted, twin, issue_time="2026-02-16T11:10", knowledge=ByEventTime())
    under_way = data["phase"].values == "under way"
    middle = data["end_delay"].values[:, data["end_delay"].shape[1] // 2]
    assert under_way.any()
    assert (middle == 0).all() == (rule == "schedule")
