"""What is usual is learnt; later rows are scored as they come, however they are cut into batches."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnitError
from twinlab.predict.anomaly import AnomalyModel, Forest, Pca, RobustZ, fit

DETECTORS = [Pca(), RobustZ()]
ROWS, ASSETS = 600, 3


def history(rows: int = ROWS, *, assets: int = ASSETS, seed: int = 0, begin: int = 0) -> xr.Dataset:
    """Return pumps whose power follows their flow, and whose oil has a temperature of its own."""
    random = np.random.default_rng(seed)
    flow = 10 + random.normal(0, 1, (rows, assets)) + np.arange(assets)
    power = 3 * flow + random.normal(0, 0.3, flow.shape)
    oil = 60 + random.normal(0, 2, flow.shape)
    time = (begin + np.arange(rows)).astype("M8[m]")
    found = xr.Dataset(
        {name: (("time", "asset"), values) for name, values in (("flow", flow), ("power", power), ("oil", oil))},
        {"time": time, "asset": [f"P{number}" for number in range(assets)]},
    )
    for name, unit in (("flow", "m3/h"), ("power", "kW"), ("oil", "degC")):
        found[name].attrs["units"] = unit
    return found


@pytest.fixture(scope="module")
def model() -> AnomalyModel:
    return fit(history(), follow=0)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: type(one).__name__)
def test_usual_rows_are_within_the_limit_and_planted_ones_beyond_it(detector: Pca | RobustZ) -> None:
    fitted = fit(history(3000), detector=detector, follow=0)
    quiet, _ = fitted.score(history(seed=1))
    usual = 2 * (1 - detector.confidence) + 0.005
    assert float((quiet["index"] >= 1).mean()) < usual
    wrong = history(seed=1)
    wrong["oil"][100:200, 1] += 15
    scores, _ = fitted.score(wrong)
    beyond = scores["index"] >= 1
    assert float(beyond[100:200, 1].mean()) > 0.95
    assert float(beyond[:, 0].mean()) < usual
    top = scores["contribution"].sel(asset="P1")[100:200].mean("time")
    assert str(top["signal"].values[int(np.argmax(top.values))]) == "oil"


def test_a_forest_finds_rows_in_which_several_signals_are_unusual() -> None:
    fitted = fit(history(3000), detector=Forest(), follow=0)
    wrong = history(seed=1)
    for name, more in (("flow", 9.0), ("oil", 15.0)):
        wrong[name][100:200, 1] += more
    scores, _ = fitted.score(wrong)
    beyond = scores["index"] >= 1
    assert float(beyond[100:200, 1].mean()) > 0.9
    assert float(beyond[:, 0].mean()) < 0.03
    shares = scores["contribution"].sel(asset="P1")[100:200].mean("time")
    assert float(shares.sel(signal=["flow", "oil"]).sum()) > 0.8
    again, _ = fit(history(3000), detector=Forest(), follow=0).score(wrong)
    xr.testing.assert_equal(scores, again)


def test_a_broken_relation_is_found_although_each_signal_is_usual_by_itself(model: AnomalyModel) -> None:
    wrong = history(seed=2)
    wrong["power"][50:, 0] = wrong["power"][50:, 0].values[::-1]
    scores, _ = model.score(wrong)
    assert float((scores["index"][50:, 0] >= 1).mean()) > 0.5
    alone = fit(history(), detector=RobustZ(), follow=0).score(wrong)[0]
    assert float((alone["index"][50:, 0] >= 1).mean()) < 0.05


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 120), max_size=6))
def test_batches_of_any_length_give_the_same_scores(cuts: list[int]) -> None:
    drifting = history()
    drifting["oil"][:] += 40 * np.linspace(0, 1, ROWS)[:, None]
    fitted = fit(drifting, delay=30)
    assert fitted.levels.share[:, 2].all()
    assert not fitted.levels.share[:, :2].any()
    later = history(120, seed=3, begin=ROWS)
    later["oil"][:] += 40 + 40 * np.linspace(0, 0.2, 120)[:, None]
    later["oil"][10:15, 1] = np.nan
    whole, end = fitted.score(later)
    state, parts = fitted.state, []
    bounds = [0, *sorted(cuts), 120]
    for low, high in zip(bounds, bounds[1:], strict=False):
        part, state = fitted.score(later.isel(time=slice(low, high)), state)
        parts.append(part["index"].values)
    np.testing.assert_array_equal(np.concatenate(parts), whole["index"].values)
    np.testing.assert_array_equal(state.newest, end.newest)
    np.testing.assert_array_equal(state.earlier, end.earlier)


def test_a_level_that_follows_keeps_a_drift_from_being_an_anomaly_and_a_step_is_still_one() -> None:
    drifting = history()
    drifting["oil"][:] += 40 * np.linspace(0, 1, ROWS)[:, None]
    later = history(seed=3, begin=ROWS)
    later["oil"][:] += 40 + 40 * np.linspace(0, 1, ROWS)[:, None]
    stays, _ = fit(drifting, follow=0).score(later)
    follows, _ = fit(drifting, delay=30).score(later)
    assert float((stays["index"] >= 1).mean()) > 0.3
    assert float((follows["index"] >= 1).mean()) < 0.05
    later["oil"][300:, 2] += 25
    stepped, _ = fit(drifting, delay=30).score(later)
    assert float((stepped["index"][300:320, 2] >= 1).mean()) > 0.9


def test_missing_signals_count_as_usual_and_a_row_with_less_than_half_of_them_has_no_index(model: AnomalyModel) -> None:
    later = history(seed=4)
    later["oil"][5] = np.nan
    later["flow"][6] = np.nan
    later["oil"][6] = np.nan
    index = model.score(later)[0]["index"]
    assert np.isfinite(index[5]).all()
    assert np.isnan(index[6]).all()


def test_cells_that_failed_the_quality_tests_have_no_value(model: AnomalyModel) -> None:
    later = history(seed=5)
    later["oil"][7, 0] = 1e6
    assert float(model.score(later)[0]["index"][7, 0]) > 1
    flags = np.ones(later["oil"].shape, dtype=np.uint8)
    flags[7, 0] = 4
    later["oil_qc"] = (("time", "asset"), flags)
    assert float(model.score(later)[0]["index"][7, 0]) < 1


def test_another_unit_than_in_training_is_refused(model: AnomalyModel) -> None:
    later = history(seed=5)
    later["oil"].attrs["units"] = "degF"
    with pytest.raises(UnitError, match="oil: the unit is degF, the model was trained on degC"):
        model.score(later)


def test_a_missing_signal_or_asset_is_refused(model: AnomalyModel) -> None:
    with pytest.raises(SchemaError, match="oil isn't among flow, power"):
        model.score(history().drop_vars("oil"))
    with pytest.raises(SchemaError, match="P2 isn't in the history"):
        model.score(history().isel(asset=[0, 1]))


def test_assets_in_another_order_are_scored_as_themselves(model: AnomalyModel) -> None:
    later = history(seed=6)
    turned = later.isel(asset=[2, 0, 1]).transpose("asset", "time")
    xr.testing.assert_equal(model.score(later)[0], model.score(turned)[0])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda one: one.isel(time=slice(0, 15)), "expected at least 60 rows in which all"),
        (lambda one: one.assign(oil=one["oil"] * 0 + 5), "oil: the value is 5 in the whole span"),
        (lambda one: one.assign(oil=one["oil"].where(one["asset"] != "P1")), "P1 has none"),
        (lambda one: one.drop_vars(["flow", "power", "oil"]), "expected at least one signal"),
    ],
    ids=["too short", "constant", "all missing", "no signal"],
)
def test_a_span_that_teaches_nothing_is_refused(wrong: object, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        fit(wrong(history()))  # type: ignore[operator]


def test_one_asset_with_one_signal_is_enough() -> None:
    only = history()[["oil"]].isel(asset=[0])
    wrong = history(seed=7)[["oil"]].isel(asset=[0])
    wrong["oil"][100:110] += 20
    scores, _ = fit(only, follow=0).score(wrong)
    assert bool((scores["index"][100:110] >= 1).all())


def test_a_signal_that_is_constant_on_one_asset_is_judged_on_the_scale_of_the_others() -> None:
    usual = history()
    usual["oil"][:, 1] = 60.0
    later = history(seed=8)
    later["oil"][:, 1] = 60.0
    later["oil"][200:, 1] = 90.0
    index = fit(usual, follow=0).score(later)[0]["index"]
    assert float((index[:200, 1] >= 1).mean()) < 0.02
    assert bool((index[200:, 1] >= 1).all())


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan"), float("inf")])
def test_limits_that_are_no_positive_numbers_are_refused(model: AnomalyModel, limit: float) -> None:
    with pytest.raises(SchemaError, match="expected a limit above 0"):
        model.with_limit(limit)


def test_a_higher_limit_divides_the_index(model: AnomalyModel) -> None:
    later = history(seed=9)
    np.testing.assert_allclose(
        model.with_limit(2.0).score(later)[0]["index"], model.score(later)[0]["index"] / 2, rtol=1e-12
    )


@pytest.mark.parametrize("make", [lambda: Pca(variance=1.0), lambda: RobustZ(0.0), lambda: Forest(trees=0)])
def test_parameters_that_are_not_valid_are_refused(make: object) -> None:
    with pytest.raises(SchemaError, match="expected a"):
        make()  # type: ignore[operator]


def test_the_limits_of_normal_rows_are_those_of_their_confidence() -> None:
    random = np.random.default_rng(0)
    mixed = random.normal(size=(20_000, 5)) @ random.normal(size=(5, 5))
    scaled = (mixed - mixed.mean(axis=0)) / mixed.std(axis=0)
    fitted = Pca(variance=0.8, confidence=0.99).fit(scaled)
    along = scaled @ fitted.components
    t2 = (along**2 / fitted.variances).sum(axis=1)
    q = ((scaled - along @ fitted.components.T) ** 2).sum(axis=1)
    assert np.mean(t2 > fitted.t2_limit) == pytest.approx(0.01, abs=0.004)
    assert np.mean(q > fitted.q_limit) == pytest.approx(0.01, abs=0.006)
    np.testing.assert_allclose(fitted.index(scaled), np.maximum(t2 / fitted.t2_limit, q / fitted.q_limit), rtol=1e-6)
    np.testing.assert_allclose(fitted.contributions(scaled).sum(axis=1), 1.0)
