"""Fit, predict, store, score: the whole way on a small twin."""

import numpy as np
import pytest

import twinlab as tl
from tests.predict.conftest import INPUTS, TARGET

P = tl.predict


@pytest.fixture
def cold(tmp_path):
    (tmp_path / "twin.yaml").write_text(
        "twin: cold\norigin: 2026-01-01\nasset_types:\n  room:\n    signals:\n"
        "      temperature: {unit: degC, resolution: 0.1, cadence: 1h}\n"
    )
    (tmp_path / "log.yaml").write_text(
        'source: log\nfiles: ["log*.csv"]\ntables:\n  - table: "log*"\n    time: {column: time, zone: UTC}\n'
        "    asset: {type: room, column: room}\n    columns: {t: {signal: temperature, unit: degC}}\n"
    )
    rows = ["time,room,t"]
    rng = np.random.default_rng(3)
    for hour in range(24 * 20):
        when = np.datetime64("2026-01-01") + np.timedelta64(hour, "h")
        for place, room in enumerate("AB"):
            rows.append(f"{when},{room},{4 + place + 2 * np.sin(hour * np.pi / 12) + rng.normal(0, 0.2):.1f}")
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n")
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "log.yaml")
    twin.ingest(tmp_path / "log.csv")
    return twin


def test_a_fitted_predictor_issues_predictions_that_the_twin_lists_and_scores(cold, need):
    need("sklearn")
    from sklearn.linear_model import LinearRegression

    leads = P.lead_times("24h", every="6h")
    features = (P.Lag("temperature"), P.Lag("temperature", "24h", of="valid_time"), P.Calendar("hour"), P.LeadTime())
    rule = P.ByEventTime()
    before = cold.history("room").temperature.values.copy()
    for name, predictor in {
        "naive": P.SeasonalNaive(INPUTS, TARGET, leads),
        "linear": P.FeaturePredictor(INPUTS, TARGET, features, P.SklearnRegressor(LinearRegression()), leads),
    }.items():
        fitted = P.fit_on(predictor, cold, known="2026-01-15", knowledge=rule)
        for day in (16, 17, 18):
            cold.predictions.issue(name, fitted, issue_time=f"2026-01-{day}", knowledge=rule)
    again = tl.open(cold.folder)
    assert again.predictions.names == ["linear", "naive"]
    table = again.predictions.compare()
    assert table["cases"].tolist() == [24, 24]
    assert (table["mae"] < 0.5).all()
    assert again.predictions.score("naive")["lead_time"].tolist() == [np.timedelta64(6 * k, "h") for k in (1, 2, 3, 4)]
    assert set(again.predictions.open("naive").attrs) >= {"twin_model", "mappings", "position", "training_stop"}
    assert np.array_equal(again.history("room").temperature.values, before)


def test_a_twin_that_was_loaded_later_knew_nothing_by_ingest_time(cold):
    fitted = P.fit_on(P.SeasonalNaive(INPUTS, TARGET, ("1h",)), cold, known="2026-01-15", knowledge=P.ByEventTime())
    with pytest.raises(tl.SchemaError, match="nothing was known"):
        P.predict_at(fitted, cold, issue_time="2026-01-16")


def test_threads_that_open_the_twin_each_give_what_one_thread_gives(cold):
    naive = P.SeasonalNaive(INPUTS, TARGET, ("1h", "12h"))
    options = {"refit": "2d", "knowledge": P.ByEventTime(latency="2h"), "progress": False}
    alone, both = (
        P.backtest(naive, cold, "2026-01-10", "2026-01-18", baselines={}, workers=workers, **options)
        for workers in (1, 2)
    )
    for key, data in alone.predictions.items():
        assert data.identical(both.predictions[key])
    assert both.scores()["cases"].item() == 32
    # With a latency of 2 h, the cell of an hour ahead is a day old, as it was without.
    leak = both.leak().iloc[0]
    assert leak["loss_final"] == leak["loss_then"]
