"""States, inputs, adapters of estimators, and the registry."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from pydantic import ValidationError

from tests.predict.conftest import HOUR, INPUTS, START, TARGET, history, state_of
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.predict import Climatology, Conformal, Constant, FeaturePredictor, Lag, LeadTime, SeasonalNaive, lead_times
from twinlab.predict.protocol.average import Average
from twinlab.predict.protocol.durations import instant, text_of
from twinlab.predict.protocol.estimator import CallableEstimator
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import CantTell
from twinlab.predict.protocol.registry import PREDICTORS, named_predictor
from twinlab.predict.protocol.sklearn import SklearnClassifier, SklearnRegressor
from twinlab.predict.protocol.state import State
from twinlab.testing import check_predictor

LEADS = ("1h", "6h")
NAMES = ["a", "b"]


def rows(count=200, seed=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 2))
    return x, x @ [2.0, -1.0] + rng.normal(0, 0.1, count)


def test_a_regressor_of_scikit_learn_is_an_estimator(need):
    need("sklearn")
    from sklearn.linear_model import LinearRegression

    x, y = rows()
    estimator = SklearnRegressor(LinearRegression())
    fitted = estimator.fit(x, y, NAMES)
    assert np.allclose(fitted.predict(x)[:, 0], LinearRegression().fit(x, y).predict(x))
    assert (
        fitted.content_hash()
        == estimator.fit(x, y, NAMES).content_hash()
        != estimator.fit(x, y + 1, NAMES).content_hash()
    )
    holed = x.copy()
    holed[0, 1] = np.nan
    assert np.isnan(estimator.fit(holed, y, NAMES).predict(holed)[0, 0])
    assert not hasattr(estimator.estimator, "coef_")
    with pytest.raises(SchemaError, match="each of the 200 training cases"):
        estimator.fit(x * np.nan, y, NAMES)


def test_one_model_a_quantile_that_never_cross(need):
    need("lightgbm")
    from lightgbm import LGBMRegressor

    x, y = rows(400)
    levels = tuple((level, (("objective", "quantile"), ("alpha", level))) for level in (0.1, 0.5, 0.9))
    estimator = SklearnRegressor(LGBMRegressor(n_estimators=20, verbose=-1, n_jobs=1), quantile_parameters=levels)
    assert estimator.quantiles == (0.1, 0.5, 0.9)
    holed = x.copy()
    holed[0, 1] = np.nan
    found = estimator.fit(x, y, NAMES).predict(holed)
    assert (np.diff(found, axis=1) >= 0).all()
    assert 0.6 < ((found[:, 0] <= y) & (y <= found[:, 2])).mean() < 0.95


def test_a_classifier_gives_the_probability_of_1_and_of_one_class_its_share(need):
    need("sklearn")
    from sklearn.linear_model import LogisticRegression

    x, y = rows()
    estimator = SklearnClassifier(LogisticRegression())
    wanted = LogisticRegression().fit(x, y > 0).predict_proba(x)[:, 1]
    assert np.allclose(estimator.fit(x, (y > 0).astype(float), NAMES).predict(x)[:, 0], wanted)
    assert estimator.fit(x, np.zeros(200), NAMES).predict(x).max() == 0.0
    with pytest.raises(SchemaError, match="expected values 0 and 1"):
        estimator.fit(x, y, NAMES)
    with pytest.raises(SchemaError, match="has no predict_proba"):
        from sklearn.linear_model import LinearRegression

        SklearnClassifier(LinearRegression())


def test_a_state_of_an_earlier_instant_has_what_was_known_then():
    state = replace(state_of(history(100)), latency=2 * HOUR)
    then = state.at(START + 50 * HOUR, window=np.timedelta64(10, "h"))
    assert then.history.time.values[[0, -1]].tolist() == [(START + k * HOUR).astype("int64") for k in (39, 47)]
    assert state.at(START, window=np.timedelta64(10, "h")).history.sizes["time"] == 0


def test_irregular_cells_are_refused():
    with pytest.raises(SchemaError, match="expected regular times"):
        State(START + 99 * HOUR, history(60).isel(time=[0, 1, 3]), HOUR)
    with pytest.raises(SchemaError, match="dims 'time' and 'asset'"):
        State(START + 99 * HOUR, history(60).rename(asset="room"), HOUR)


def test_durations_and_instants_name_what_is_wrong():
    assert lead_times("48h", every="1d") == ("1d", "2d")
    assert text_of(np.timedelta64(90, "s")) == "90s"
    assert instant("2026-01-01T02:00+02:00", what="x") == START
    with pytest.raises(SchemaError, match=r"Inputs.window: expected a duration such as.*'3 weeks'"):
        Inputs("room", ("temperature",), window="3 weeks")
    with pytest.raises(SchemaError, match="window of at least one step"):
        Inputs("room", ("temperature",), step="1d", window="1h")
    with pytest.raises(SchemaError, match="issue_time: expected an instant"):
        instant("soon", what="issue_time")
    with pytest.raises(SchemaError, match="issue_time: expected an instant"):
        instant(None, what="issue_time")
    with pytest.raises(SchemaError, match="multiple of every='1h'"):
        lead_times("90min", every="1h")


def test_a_hash_follows_every_parameter():
    base = SeasonalNaive(INPUTS, TARGET, LEADS)
    others = [
        replace(base, season="1h"),
        replace(base, lead_times=("1h",)),
        replace(base, inputs=replace(INPUTS, window="4d")),
    ]
    assert len({one.content_hash() for one in (base, *others)}) == 4
    assert hash_of(np.array([1.0])) != hash_of(np.array([1])) != hash_of([1])
    assert hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})


def test_predictors_are_built_by_name_with_checked_options():
    options = {"asset_type": "room", "variable": "temperature", "units": "degC", "lead_times": LEADS}
    found = named_predictor("seasonal_naive", options)
    assert found == SeasonalNaive(replace(INPUTS, window="14d", training="90d"), TARGET, LEADS)
    assert "seasonal_naive" in PREDICTORS.names()
    with pytest.raises(UnknownTermError, match="did you mean 'seasonal_naive'"):
        named_predictor("seasonal_naif")
    with pytest.raises(ValidationError, match="seasons"):
        named_predictor("seasonal_naive", {**options, "seasons": "1d"})


def test_a_point_target_needs_an_estimator_of_values(need):
    need("sklearn")
    from sklearn.linear_model import LogisticRegression

    with pytest.raises(SchemaError, match="is of kind 'quantiles', and LogisticRegression predicts a probability"):
        FeaturePredictor(INPUTS, TARGET, (LeadTime(),), SklearnClassifier(LogisticRegression()), LEADS)
    assert str(CantTell("no data")) == "can't tell: no data"


def linear():
    from sklearn.linear_model import LinearRegression

    features = (Lag("temperature"), Lag("temperature", "24h", of="valid_time"), LeadTime())
    return FeaturePredictor(INPUTS, TARGET, features, SklearnRegressor(LinearRegression()), LEADS)


PREDICTORS_HERE = {
    "seasonal": lambda: SeasonalNaive(INPUTS, TARGET, LEADS),
    "climatology": lambda: Climatology(INPUTS, TARGET, LEADS),
    "constant": lambda: Constant(INPUTS, TARGET, LEADS, 4.0),
    "features": linear,
    "split": lambda: Conformal(linear(), TARGET, calibration="15d"),
    "adaptive": lambda: Conformal(SeasonalNaive(INPUTS, TARGET, LEADS), TARGET, calibration="15d", method="adaptive"),
}


@pytest.mark.parametrize("name", PREDICTORS_HERE)
def test_a_predictor_conforms(name, need):
    need("sklearn")
    check_predictor(PREDICTORS_HERE[name](), state_of(history(24 * 40)))


@dataclass(frozen=True)
class Broken:
    """A predictor with a fault."""

    fault: str
    name: str = "broken"
    inputs: Inputs = INPUTS
    training: tuple[np.datetime64, np.datetime64] = (START, START + 24 * HOUR)

    def content_hash(self):
        return "ab" * 16

    def fit(self, state):
        if self.fault == "state":
            state.history["temperature"][:] = 0
        return self

    def predict(self, state):
        data = SeasonalNaive(INPUTS, TARGET, LEADS).fit(state_of(history(24 * 40))).predict(state)
        if self.fault == "window":
            return data.assign(temperature=data.temperature + state.history.sizes["time"])
        if self.fault == "random":
            return data.assign(temperature=data.temperature + np.random.default_rng().random())
        if self.fault == "schema":
            return data.drop_attrs(deep=False)
        if self.fault == "missing" and state.history.temperature.isnull().any():
            raise ValueError
        if self.fault == "issue":
            return data.assign_coords(issue_time=data.issue_time + HOUR)
        return data

    def update(self, state):
        return self


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("state", "changed the state"),
        ("window", "before Inputs.window changes"),
        ("random", "other predictions the second time"),
        ("schema", "don't follow the schema"),
        ("missing", "without any value raises ValueError"),
        ("issue", "are issued at"),
    ],
)
def test_the_conformance_check_finds_faults(fault, message):
    with pytest.raises(AssertionError, match=message):
        check_predictor(Broken(fault), state_of(history(24 * 40)))


def test_the_mean_of_estimators_is_that_of_their_quantiles_and_levels_have_to_be_the_same():
    x, y = rows()
    levels = (0.1, 0.9)
    low = CallableEstimator("low", lambda x, y, _n: float(y.min()), lambda m, x: np.full((len(x), 2), m), levels)
    spread = CallableEstimator(
        "spread", lambda x, y, _n: float(y.std()), lambda m, x: m * np.c_[-(x[:, 0] ** 2), x[:, 0] ** 2], levels
    )
    found = Average((low, spread)).fit(x, y, NAMES)
    apart = [one.fit(x, y, NAMES).predict(x) for one in (low, spread)]
    np.testing.assert_allclose(found.predict(x), (apart[0] + apart[1]) / 2)
    assert (np.diff(found.predict(x), axis=1) >= 0).all()
    assert Average((low, spread)).content_hash() != Average((low,)).content_hash() != low.content_hash()
    assert found.content_hash() != Average((low, spread)).fit(x, y + 1, NAMES).content_hash()
    with pytest.raises(SchemaError, match=r"same levels to average, got \[\(\), \(0\.1, 0\.9\)\]"):
        Average((low, CallableEstimator("p", lambda *_: 0, lambda m, x: x[:, 0], ())))
    with pytest.raises(SchemaError, match="none"):
        Average(())
