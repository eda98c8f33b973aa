"""Exported trees give the bits of LightGBM, whatever is missing, in a process that has numpy alone."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.predict.conftest import INPUTS, TARGET, history, state_of
from twinlab.edge.scorers.trees import predict
from twinlab.errors import SchemaError
from twinlab.predict import Average, FeaturePredictor, Lag, LeadTime, SklearnClassifier, SklearnRegressor, lead_times
from twinlab.predict.protocol.exporting import arrays_of, export_estimator

lightgbm = pytest.importorskip("lightgbm")
NAMES = ["a", "b", "c"]
LEVELS = tuple((level, (("alpha", level),)) for level in (0.05, 0.5, 0.95))
TREES = {"n_estimators": 12, "min_child_samples": 3, "verbose": -1, "n_jobs": 1, "random_state": 0}
KINDS = [{}, {"use_missing": False}, {"zero_as_missing": True}, {"num_leaves": 3}, {"num_leaves": 2, "n_estimators": 1}]


def rows(seed, count=300):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (count, 3)).round(1)
    x[rng.random(x.shape) < 0.15] = np.nan
    x[rng.random(x.shape) < 0.15] = 0.0
    y = np.nan_to_num(x[:, 0]) * 2 + np.isnan(x[:, 1]) + rng.normal(0, 0.3, count)
    return x, y


def same_bits(fitted, x):
    found = predict(arrays_of(fitted, NAMES), x)
    assert found.tobytes() == np.ascontiguousarray(fitted.predict(x)).tobytes()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1000), st.sampled_from(KINDS))
def test_quantiles_probabilities_and_means_are_equal_to_the_last_bit(seed, kind):
    x, y = rows(seed)
    quantiles = SklearnRegressor(lightgbm.LGBMRegressor(objective="quantile", **TREES | kind), LEVELS)
    plain = SklearnRegressor(lightgbm.LGBMRegressor(**TREES | kind))
    chance = SklearnClassifier(lightgbm.LGBMClassifier(**TREES | kind))
    later = np.vstack(
        [rows(seed + 1)[0], np.full((1, 3), np.nan), np.zeros((1, 3)), np.full((1, 3), 1e-36), np.full((1, 3), np.inf)]
    )
    for estimator, values in (
        (quantiles, y),
        (plain, y),
        (chance, (y > 0.5).astype(float)),
        (Average((quantiles, quantiles)), y),
    ):
        same_bits(estimator.fit(x, values, NAMES), later)


def test_one_class_alone_is_its_share_and_odds_beyond_all_bounds_are_no_error():
    x, y = rows(3)
    chance = SklearnClassifier(lightgbm.LGBMClassifier(**TREES))
    same_bits(chance.fit(x, np.ones(len(x)), NAMES), x)
    same_bits(
        SklearnClassifier(lightgbm.LGBMClassifier(**TREES | {"min_child_samples": 1, "learning_rate": 50.0})).fit(
            x, (y > 0.5) * 1.0, NAMES
        ),
        x,
    )


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (SklearnRegressor(lightgbm.LGBMRegressor(objective="poisson", **TREES)), "raw values are the predictions"),
        (
            SklearnRegressor(lightgbm.LGBMRegressor(boosting_type="rf", subsample=0.5, subsample_freq=1, **TREES)),
            "random forest",
        ),
    ],
)
def test_what_is_more_than_a_sum_of_trees_is_refused(estimator, said, tmp_path):
    x, y = rows(4)
    fitted = estimator.fit(x, np.abs(y), NAMES)
    with pytest.raises(SchemaError, match=said):
        export_estimator(fitted, NAMES, tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


def test_other_estimators_endings_and_rows_are_refused(tmp_path):
    from sklearn.linear_model import Ridge

    x, y = rows(5)
    x = np.nan_to_num(x)
    with pytest.raises(SchemaError, match=r"got Ridge: only trees of LightGBM can be exported"):
        export_estimator(SklearnRegressor(Ridge()).fit(x, y, NAMES), NAMES, tmp_path / "model.npz")
    trees = SklearnRegressor(lightgbm.LGBMRegressor(**TREES)).fit(x, y, NAMES)
    with pytest.raises(SchemaError, match=r"ends in \.npz, got 'model\.onnx'"):
        export_estimator(trees, NAMES, tmp_path / "model.onnx")
    with pytest.raises(SchemaError, match="features"):
        arrays_of(trees, NAMES[:2])
    with pytest.raises(ValueError, match=r"rows of 3 features, got an array of shape \(300, 2\)"):
        predict(arrays_of(trees, NAMES), x[:, :2])


def test_a_feature_model_is_exported_and_predicts_without_twinlab_and_lightgbm(tmp_path):
    inputs = replace(INPUTS, window="3d")
    features = (Lag("temperature"), Lag("temperature", "24h", of="valid_time"), LeadTime())
    estimator = SklearnRegressor(lightgbm.LGBMRegressor(objective="quantile", **TREES), LEVELS)
    fitted = FeaturePredictor(inputs, TARGET, features, estimator, lead_times("12h", every="6h"), train_every="6h").fit(
        state_of(history(960))
    )
    module = fitted.export(tmp_path / "room.npz")
    assert module == tmp_path / "twinlab_trees.py"
    assert len(module.read_text().splitlines()) <= 50
    x = np.random.default_rng(0).normal(5, 3, (50, 3))
    np.save(tmp_path / "rows.npy", x)
    code = (
        "import sys, numpy as np, twinlab_trees as t\n"
        "m = dict(np.load('room.npz')); np.save('found.npy', t.predict(m, np.load('rows.npy')))\n"
        "assert not {'lightgbm', 'twinlab', 'sklearn', 'pandas'} & set(sys.modules); print(m['names'].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([one.name for one in features])
    assert np.load(tmp_path / "found.npy").tobytes() == fitted.model.predict(x).tobytes()
