"""A small fitted model of each kind."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

import twinlab as tl
from tests.predict.anomaly.test_scoring import history as pumps
from tests.predict.conftest import HOUR, INPUTS, TARGET, history, state_of
from tests.predict.delay.test_delay import SETTINGS, trips
from tests.predict.delay.test_delay import state_of as bus_state
from twinlab.predict.anomaly import Forest, Pca, RobustZ, fit

P = tl.predict
LEADS = P.lead_times("12h", every="6h")
FEATURES = (
    P.Lag("temperature"),
    P.Rolling("temperature", "6h"),
    P.Calendar("hour", zone="Europe/Berlin"),
    P.LeadTime(),
)

TREES = {"n_estimators": 8, "num_leaves": 7, "min_child_samples": 5, "verbose": -1, "n_jobs": 1, "random_state": 0}


@pytest.fixture(scope="session")
def state():
    return state_of(history(960))


def _features(estimator, **options):
    return P.FeaturePredictor(INPUTS, TARGET, FEATURES, estimator, LEADS, train_every="6h", **options)


def _lightgbm():
    from lightgbm import LGBMRegressor

    levels = tuple((level, (("alpha", level),)) for level in (0.1, 0.5, 0.9))
    return P.SklearnRegressor(LGBMRegressor(objective="quantile", **TREES), levels)


def _forest():
    from sklearn.ensemble import RandomForestRegressor

    return P.SklearnRegressor(RandomForestRegressor(5, max_depth=4, random_state=0))


def _pipeline():
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return P.SklearnRegressor(make_pipeline(StandardScaler(), Ridge()))


def _events(estimator):
    visits = P.EventTarget("visit")
    inputs = P.Inputs("room", ("temperature",), window="3d", training="60d", events=("visit",))
    features = (P.Lag("temperature"), P.EventCount("visit", "2d"), P.HoursSinceEvent("visit", "2d"))
    return P.FeaturePredictor(inputs, visits, features, estimator, ("12h",), train_every="6h")


def _classifiers():
    from lightgbm import LGBMClassifier
    from sklearn.linear_model import LogisticRegression

    return {"logistic": LogisticRegression(), "classes": LGBMClassifier(**TREES)}


def _visits(state):
    import pandas as pd

    rng = np.random.default_rng(0)
    start = state.issue_time - rng.integers(1, 900, 60) * HOUR
    table = pd.DataFrame({
        "event_id": [f"v{k}" for k in range(60)], "type": "visit", "asset": rng.choice(["A", "B"], 60), "start": start, "end": start,
        "planned_start": pd.NaT, "planned_end": pd.NaT,
    })  # fmt: skip
    return {"visit": table}


@pytest.fixture(scope="session")
def fitted(state):
    """Fitted predictors by name, each with a state to predict from."""
    naive = P.SeasonalNaive(INPUTS, TARGET, LEADS)
    of_rooms = {
        "seasonal naive": naive,
        "forecast": P.Forecaster(replace(INPUTS, window="60d"), TARGET, LEADS),
        "climatology": P.Climatology(INPUTS, TARGET, LEADS),
        "constant": P.Constant(INPUTS, TARGET, LEADS, 4.0),
        "trees": _features(_lightgbm()),
        "forest": _features(_forest()),
        "pipeline": _features(_pipeline(), relative_to=P.Lag("temperature")),
        "intervals": P.Conformal(naive, TARGET, calibration="10d", every="3h", group="asset"),
        "adaptive": P.Conformal(_features(_pipeline()), TARGET, calibration="10d", every="3h", method="adaptive"),
    }
    out = {name: (one.fit(state), state) for name, one in of_rooms.items()}
    known = state_of(history(960), events=_visits(state))
    out |= {name: (_events(P.SklearnClassifier(one)).fit(known), known) for name, one in _classifiers().items()}
    bus = bus_state(trips(40), "2026-02-08")
    delay = P.DelayPredictor(
        SETTINGS,
        (P.Average((_delay_trees(), _delay_trees(9))),),
        (P.SklearnClassifier(_classifiers()["classes"]),),
        calibration="10d",
        least_cases=40,
    )
    out["delay"] = (delay.fit(bus), bus)
    return out


def _delay_trees(leaves=5):
    from lightgbm import LGBMRegressor

    levels = tuple((level, (("alpha", level),)) for level in (0.05, 0.5, 0.95))
    return P.SklearnRegressor(LGBMRegressor(objective="quantile", **TREES | {"num_leaves": leaves}), levels)


@pytest.fixture(scope="session")
def anomaly_models():
    """Models of anomalies by name, each with rows to score."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        usual = pumps(400)
        models = {
            type(one).__name__: fit(usual, detector=one, delay=20) for one in (Pca(), RobustZ(), Forest(trees=10))
        }
    return {name: (one.with_limit(1.25), pumps(50, begin=400)) for name, one in models.items()}
