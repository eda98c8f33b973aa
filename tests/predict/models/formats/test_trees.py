"""Trees from files lead downwards only, to nodes and features that exist: compiled code would read memory elsewhere."""

import re

import numpy as np
import pytest

from tests.predict.models.conftest import TREES
from twinlab.errors import SchemaError
from twinlab.predict.models.format import from_arrays, to_arrays
from twinlab.predict.models.plain import array_of_text, text_of_array
from twinlab.predict.protocol.sklearn import SklearnClassifier, SklearnRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
Y = X[:, 0] * 2 + X[:, 1] ** 2 + RNG.normal(size=300)
NAMES = ["a", "b", "c"]


def regressors():
    from lightgbm import LGBMRegressor
    from sklearn import ensemble, linear_model, tree
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    linear = (
        "BayesianRidge",
        "ElasticNet",
        "HuberRegressor",
        "Lasso",
        "LinearRegression",
        "QuantileRegressor",
        "Ridge",
    )
    scalers = (MinMaxScaler(), RobustScaler(), StandardScaler())
    return [
        *(getattr(linear_model, name)() for name in linear),
        *(make_pipeline(one, linear_model.Ridge()) for one in scalers),
        *(getattr(ensemble, f"{name}Regressor")(5, max_depth=4) for name in ("RandomForest", "ExtraTrees")),
        *(getattr(tree, f"{name}Regressor")(max_depth=4) for name in ("DecisionTree", "ExtraTree")),
        LGBMRegressor(**TREES),
    ]


def classifiers():
    from lightgbm import LGBMClassifier
    from sklearn import ensemble, linear_model, tree

    return [
        linear_model.LogisticRegression(),
        *(getattr(ensemble, f"{name}Classifier")(5, max_depth=4) for name in ("RandomForest", "ExtraTrees")),
        *(getattr(tree, f"{name}Classifier")(max_depth=4) for name in ("DecisionTree", "ExtraTree")),
        LGBMClassifier(**TREES),
    ]


def test_every_estimator_that_has_a_format_predicts_the_same_bits_again():
    for kind, estimators, y in ((SklearnRegressor, regressors(), Y), (SklearnClassifier, classifiers(), (Y > 0) * 1.0)):
        for one in estimators:
            model = kind(one).fit(X, y, NAMES)
            again = from_arrays(*to_arrays(model))
            assert np.array_equal(again.predict(X), model.predict(X)), one
            assert again.content_hash() == model.content_hash(), one


def test_one_class_alone_is_its_share():
    from sklearn.linear_model import LogisticRegression

    model = SklearnClassifier(LogisticRegression()).fit(X, np.ones(300), NAMES)
    assert (from_arrays(*to_arrays(model)).predict(X) == 1).all()


def test_an_estimator_that_is_not_listed_is_refused():
    from sklearn.neighbors import KNeighborsRegressor

    model = SklearnRegressor(KNeighborsRegressor()).fit(X, Y, NAMES)
    with pytest.raises(SchemaError, match=r"of\.estimator is a .*KNeighborsRegressor, which can't be stored"):
        to_arrays(model)


def forest():
    from sklearn.ensemble import RandomForestRegressor

    return SklearnRegressor(RandomForestRegressor(2, max_depth=3, random_state=0)).fit(X, Y, NAMES)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("left_child", 10**6, "children behind their parent"),
        ("right_child", -7, "children behind their parent"),
        ("left_child", 0, "children behind their parent"),
        ("feature", 3, "features below 3"),
        ("feature", -2, "features below 3"),
    ],
)
def test_a_tree_of_scikit_learn_that_leads_elsewhere_is_refused(field, value, why):
    arrays, content = to_arrays(forest())
    nodes = arrays[next(name for name in arrays if name.endswith("nodes"))]
    nodes[field][0] = value
    with pytest.raises(SchemaError, match=why):
        from_arrays(arrays, content)


def test_a_forest_with_trees_of_other_features_is_refused():
    arrays, content = to_arrays(forest())
    content["model"]["content"]["models"]["items"][0]["content"]["fitted"]["n_features_in_"] = 2
    with pytest.raises(SchemaError, match="trees of 2 features"):
        from_arrays(arrays, content)


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"left_child=\S+", "left_child=99999"),
        (r"right_child=\S+", "right_child=-99999"),
        (r"left_child=\S+", "left_child=0"),
        (r"split_feature=\S+", "split_feature=3"),
        (r"split_feature=\S+ ", "split_feature="),
        (r"num_leaves=\d+", "num_leaves=7000"),
        (r"max_feature_idx=\d+", "max_feature_idx=7"),
        (r"num_cat=0", "num_cat=1"),
    ],
)
def test_a_text_of_lightgbm_that_leads_elsewhere_is_refused(pattern, instead):
    from lightgbm import LGBMRegressor

    arrays, content = to_arrays(SklearnRegressor(LGBMRegressor(**TREES)).fit(X, Y, NAMES))
    (name,) = arrays
    text = text_of_array(arrays[name])
    changed = re.sub(pattern, instead, text, count=1)
    assert changed != text
    with pytest.raises(SchemaError, match="expected LightGBM's text|isn't a tree of"):
        from_arrays({name: array_of_text(changed)}, content)
