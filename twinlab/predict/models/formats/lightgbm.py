"""Format of LightGBM's estimators: parameters, and the trees in LightGBM's own text, which its other interfaces read, too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from twinlab.errors import SchemaError
from twinlab.predict.models.format import ModelFormat
from twinlab.predict.models.plain import Decoder, Encoder, array_of_text, text_of_array
from twinlab.predict.protocol.sklearn import library

__all__ = ["FORMAT", "check_trees", "feature_count"]

_CLASSES: Final = ("LGBMClassifier", "LGBMRegressor")
_LINE: Final = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)


def _write(value: Any, encoder: Encoder, place: str) -> dict[str, Any]:  # noqa: ANN401  (LightGBM's own types)
    out = {"parameters": encoder.value(value.get_params(deep=False), f"{place}.parameters")}
    if not getattr(value, "fitted_", False):
        return out
    text = array_of_text(value.booster_.model_to_string())
    out["trees"] = encoder.array(text, f"{place}.trees.txt")
    out["features"] = int(value.n_features_in_)
    out["classes"] = encoder.value(getattr(value, "classes_", None), f"{place}.classes")
    return out


def _read(of: str, content: Mapping[str, Any], decoder: Decoder) -> object:
    lightgbm = library("lightgbm")
    found = getattr(lightgbm, of)(**decoder.value(content["parameters"]))
    if "trees" not in content:
        return found
    text, features = text_of_array(decoder.array(content["trees"])), int(content["features"])
    check_trees(text, features)
    booster = lightgbm.Booster(model_str=text)
    classes = decoder.value(content["classes"])
    # What `fit` sets and `predict` reads; LightGBM has no public way from a booster to an estimator.
    vars(found).update(_Booster=booster, _n_features=features, _n_features_in=features, fitted_=True)
    if classes is not None:
        vars(found).update(_classes=np.asarray(classes), _n_classes=len(classes))
    return found


def feature_count(text: str) -> int:
    r"""Return the number of features that LightGBM's text of a model states; 0 if it states none.

    >>> feature_count("tree\nversion=v4\nmax_feature_idx=2\n")
    3
    """
    return int(dict(_LINE.findall(text.split("Tree=", 1)[0])).get("max_feature_idx", -1)) + 1


def check_trees(text: str, features: int) -> None:
    """Check that trees lead downwards only, to nodes and features that exist: LightGBM's compiled code doesn't.

    Raises
    ------
    SchemaError
        If one doesn't.
    """
    head, *trees = re.split(r"^Tree=\d+$", text.split("\nend of trees", 1)[0], flags=re.MULTILINE)
    facts = dict(_LINE.findall(head))
    if not text.startswith("tree\n") or features < 1 or feature_count(text) != features:
        msg = f"expected LightGBM's text of a model of {features} features, got max_feature_idx={facts.get('max_feature_idx')!r}"
        raise SchemaError(msg)
    for number, tree in enumerate(trees):
        lines = dict(_LINE.findall(tree))
        leaves = int(lines["num_leaves"])
        columns = [_numbers(lines.get(name, "")) for name in ("left_child", "right_child", "split_feature")]
        # No more leaves than the text has values.
        places = np.arange(min(leaves, len(tree)) - 1)
        fits = all(len(one) == len(places) for one in columns) and _numbers(lines["leaf_value"], float).size == leaves
        if fits:
            # A leaf k is the child -k - 1.
            fits = all(
                bool(np.where(one >= 0, (one > places) & (one < leaves - 1), one >= -leaves).all())
                for one in columns[:2]
            ) and bool(((columns[2] >= 0) & (columns[2] < features)).all())
        if not fits or leaves < 1 or lines.get("num_cat", "0") != "0" or lines.get("is_linear", "0") != "0":
            msg = f"tree {number} of LightGBM's text isn't a tree of {leaves} leaves over {features} features with numeric splits"
            raise SchemaError(msg)


def _numbers(text: str, dtype: type = int) -> np.ndarray[Any, Any]:
    return np.array(text.split(), dtype)


FORMAT = ModelFormat(
    "lightgbm", "estimators of LightGBM", {name: f"lightgbm.sklearn:{name}" for name in _CLASSES}, _write, _read
)
