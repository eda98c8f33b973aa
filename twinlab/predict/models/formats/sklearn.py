"""Format of scikit-learn's estimators: linear models, trees, forests, scalers and pipelines, as parameters and arrays.

An estimator is its parameters, and what `fit` has set. A tree is its arrays, checked before scikit-learn's compiled code walks along them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.models.format import ModelFormat
from twinlab.predict.models.plain import Decoder, Encoder
from twinlab.predict.protocol.sklearn import library

__all__ = ["FORMAT"]

_PUBLIC: Final = {
    "ensemble": ("ExtraTreesClassifier", "ExtraTreesRegressor", "IsolationForest", "RandomForestClassifier", "RandomForestRegressor"),
    "linear_model": (
        *("BayesianRidge", "ElasticNet", "HuberRegressor", "Lasso", "LinearRegression", "LogisticRegression"),
        *("QuantileRegressor", "Ridge"),
    ),
    "pipeline": ("Pipeline",),
    "preprocessing": ("MinMaxScaler", "RobustScaler", "StandardScaler"),
    "tree": ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor", "Tree"),
}  # fmt: skip
#: Arrays of a tree's nodes that are used as places.
_PLACES: Final = ("left_child", "right_child", "feature")


def _write(value: Any, encoder: Encoder, place: str) -> dict[str, Any]:  # noqa: ANN401  (scikit-learn has no types)
    if type(value).__name__ == "Tree":
        _, (features, classes, outputs), state = value.__reduce__()
        tree = {"features": int(features), "classes": classes, "outputs": int(outputs), **state}
        return {key: encoder.value(one, f"{place}.{key}") for key, one in tree.items()}
    parameters = value.get_params(deep=False)
    fitted = {key: one for key, one in vars(value).items() if key not in parameters}
    return {
        "parameters": encoder.value(parameters, f"{place}.parameters"),
        "fitted": encoder.value(fitted, f"{place}.fitted"),
    }


def _read(of: str, content: Mapping[str, Any], decoder: Decoder) -> object:
    package = next(name for name, names in _PUBLIC.items() if of in names)
    parts = {key: decoder.value(one) for key, one in content.items()}
    if of == "Tree":
        return _tree(parts)
    found = getattr(library(f"sklearn.{package}"), of)(**parts["parameters"])
    vars(found).update(parts["fitted"])
    _check_trees(found)
    return found


def _tree(parts: Mapping[str, Any]) -> object:
    """Return a tree whose nodes lead downwards only, to nodes and features that exist."""
    nodes, count, features = parts["nodes"], parts["node_count"], parts["features"]
    _expect(isinstance(nodes, np.ndarray) and nodes.ndim == 1 and len(nodes) == count > 0, "a node at least")
    _expect(nodes.dtype.names is not None and set(_PLACES) <= set(nodes.dtype.names), "nodes of scikit-learn")
    left, right, feature = (nodes[name] for name in _PLACES)
    inner = np.flatnonzero(left != -1)
    for child in (left[inner], right[inner]):
        _expect(bool(((child > inner) & (child < count)).all()), "children behind their parent")
    _expect(bool((right[left == -1] == -1).all()), "leaves without children")
    _expect(bool(((feature[inner] >= 0) & (feature[inner] < features)).all()), f"features below {features}")
    values = parts["values"]
    _expect(isinstance(values, np.ndarray) and len(values) == count, "a value for each node")
    tree = library("sklearn.tree._tree").Tree(features, np.asarray(parts["classes"], np.intp), parts["outputs"])
    tree.__setstate__({key: parts[key] for key in ("max_depth", "node_count", "nodes", "values")})
    return tree


def _check_trees(found: Any) -> None:  # noqa: ANN401  (scikit-learn has no types)
    """Check that trees have the features of what they are in: some of scikit-learn's methods don't."""
    own = vars(found)
    tree, width = own.get("tree_"), own.get("n_features_in_")
    if tree is not None:
        _expect(tree.n_features == width, f"a tree of {width} features")
    subsets: list[NDArray[np.intp]] = own.get("estimators_features_") or []
    for place, one in enumerate(own.get("estimators_", [])):
        wanted = len(subsets[place]) if subsets else width
        _expect(vars(one)["tree_"].n_features == wanted, f"trees of {wanted} features")


def _expect(true: bool, what: str) -> None:  # noqa: FBT001  (a condition)
    if not true:
        msg = f"expected {what} in a tree of scikit-learn"
        raise SchemaError(msg)


FORMAT = ModelFormat(
    "sklearn",
    "estimators of scikit-learn",
    {name: f"sklearn.{package}:{name}" for package, names in _PUBLIC.items() for name in names},
    _write,
    _read,
)
