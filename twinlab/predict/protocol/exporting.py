"""Estimators of boosted trees as a file of arrays, with the module that predicts from it without LightGBM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twinlab._files import write_atomically
from twinlab.edge.scorers import trees as scorer
from twinlab.errors import SchemaError
from twinlab.predict.protocol.average import FittedAverage
from twinlab.predict.protocol.estimator import FittedEstimator
from twinlab.predict.protocol.sklearn import FittedClassifier, FittedRegressor

__all__ = ["MODULE", "arrays_of", "export_estimator"]

#: Name of the module beside an exported model.
MODULE: Final = "twinlab_trees.py"
#: Objectives whose raw values are the predictions.
_PLAIN: Final = ("regression", "regression_l1", "quantile", "huber", "fair", "mape")
_LINE: Final = re.compile(r"^(\w+)=(.*)$", re.MULTILINE)


def export_estimator(fitted: FittedEstimator, names: Sequence[str], path: str | Path) -> Path:
    """Write a fitted estimator of LightGBM's trees as arrays, and beside them the module that predicts with them.

    ``predict(dict(np.load(path)), rows)`` of the module gives the predictions of ``fitted.predict(rows)`` to the last bit.

    Parameters
    ----------
    fitted : FittedEstimator
        Of `SklearnRegressor` or `SklearnClassifier` with an estimator of LightGBM, or of an `Average` of such.
    names : sequence of str
        Of the features, in their order.
    path : path
        Ends in ``.npz``.

    Returns
    -------
    Path
        The module, ``twinlab_trees.py``: numpy only.

    Raises
    ------
    SchemaError
        If the path has another ending, or the estimator can't be written as arrays of trees.
    SourceError
        If the disk is full or fails.
    """
    target = Path(path)
    if target.suffix != ".npz":
        msg = f"expected a file whose name ends in .npz, got {target.name!r}"
        raise SchemaError(msg)
    arrays = arrays_of(fitted, names)
    write_atomically(target, lambda draft: np.savez(draft, **arrays))  # type: ignore[arg-type]
    module = Path(scorer.__file__).read_bytes()
    return write_atomically(target.with_name(MODULE), lambda draft: draft.write_bytes(module))


def arrays_of(fitted: FittedEstimator, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return a fitted estimator as arrays: what `twinlab.edge.scorers.trees.predict` takes.

    Raises
    ------
    SchemaError
        If it can't be written as arrays of trees.
    """
    members = fitted.members if isinstance(fitted, FittedAverage) else (fitted,)
    nodes, bounds, sigmoids, levels = _Nodes(), [0], set(), set()
    for member in members:
        texts = _texts(member)
        levels.add(len(texts))
        for text in texts:
            if isinstance(text, float):
                nodes.add_leaf(text)
                sigmoids.add(0.0)
            else:
                sigmoids.add(_sigmoid(text, len(names)))
                nodes.add(text)
            bounds.append(len(nodes.roots))
    if len(sigmoids) > 1 or len(levels) > 1:
        msg = "expected members of one kind and with the same levels; one that was fitted to one class alone can't be exported with others"
        raise SchemaError(msg)
    return nodes.arrays() | {
        "names": np.array(list(names), "str"),
        "bounds": np.array(bounds, "int64"),
        "shape": np.array([len(members), levels.pop()], "int64"),
        "sigmoid": np.array(sigmoids.pop()),
    }


def _texts(member: object) -> list[str | float]:
    """Return LightGBM's text of the model of each level; the probability of a classifier that saw one class."""
    if isinstance(member, FittedClassifier) and member.model is None:
        return [member.share]
    models = member.models if isinstance(member, FittedRegressor) else (getattr(member, "model", None),)
    boosters = [getattr(one, "booster_", None) for one in models]
    if not isinstance(member, (FittedClassifier, FittedRegressor)) or any(one is None for one in boosters):
        of = getattr(getattr(member, "of", member), "name", type(member).__name__)
        msg = f"expected estimators of LightGBM, got {of}: only trees of LightGBM can be exported; twin.models stores others"
        raise SchemaError(msg)
    return [one.model_to_string() for one in boosters if one is not None]


def _sigmoid(text: str, features: int) -> float:
    """Return the factor of the log odds of a classifier; 0 where raw values are the predictions."""
    facts = dict(_LINE.findall(text.split("Tree=", 1)[0]))
    if int(facts["max_feature_idx"]) + 1 != features:
        msg = f"expected the names of the {int(facts['max_feature_idx']) + 1} features that the trees were fitted to, got {features}"
        raise SchemaError(msg)
    name, *options = facts.get("objective", "").split()
    if "average_output" in text.split("Tree=", 1)[0].splitlines() or facts.get("num_tree_per_iteration", "1") != "1":
        msg = "expected boosted trees of one output, got a random forest or several classes"
        raise SchemaError(msg)
    if name == "binary":
        return float(dict(one.split(":") for one in options)["sigmoid"])
    if name not in _PLAIN or "sqrt" in options:
        msg = f"expected an objective whose raw values are the predictions ({', '.join(_PLAIN)}), or binary, got {facts.get('objective')!r}"
        raise SchemaError(msg)
    return 0.0


class _Nodes:
    """The nodes of all trees; leaves lead to themselves."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self._columns: dict[str, list[NDArray[Any]]] = {
            name: [] for name in ("feature", "threshold", "left", "right", "missing", "default_left", "value")
        }
        self._count = self._depth = 0

    def add_leaf(self, value: float) -> None:
        """Add a tree that is a leaf."""
        self._add(
            np.empty(0, "int64"), np.empty(0), (np.empty(0, "int64"),) * 2, np.empty(0, "int64"), np.array([value])
        )

    def add(self, text: str) -> None:
        """Add the trees of LightGBM's text of a model."""
        for tree in re.split(r"^Tree=\d+$", text.split("\nend of trees", 1)[0], flags=re.MULTILINE)[1:]:
            lines = dict(_LINE.findall(tree))
            whole = {
                name: np.array(lines.get(name, "").split(), "int64")
                for name in ("split_feature", "left_child", "right_child", "decision_type")
            }
            leaves = np.array(lines["leaf_value"].split(), float)
            children = whole["left_child"], whole["right_child"]
            self._add(
                whole["split_feature"],
                np.array(lines.get("threshold", "").split(), float),
                children,
                whole["decision_type"],
                leaves,
            )

    def _add(
        self,
        feature: NDArray[Any],
        threshold: NDArray[Any],
        children: tuple[NDArray[Any], NDArray[Any]],
        kinds: NDArray[Any],
        leaves: NDArray[Any],
    ) -> None:
        splits, count = len(feature), len(feature) + len(leaves)
        own = self._count + np.arange(count)
        # A leaf k is the child -k - 1.
        places = [np.where(one >= 0, one, splits - one - 1) + self._count for one in children]
        none = np.zeros(len(leaves))
        added = {
            "feature": [feature, none], "threshold": [threshold, none], "left": [places[0], own[splits:]], "right": [places[1], own[splits:]],
            # Bits of LightGBM: 2 is the default side, 4 and 8 what counts as missing.
            "missing": [kinds >> 2 & 3, none], "default_left": [kinds >> 1 & 1, none], "value": [np.zeros(splits), leaves],
        }  # fmt: skip
        for name, parts in added.items():
            self._columns[name].append(np.concatenate(parts))
        self.roots.append(self._count)
        self._depth = max(self._depth, _depth([one - self._count for one in places], splits))
        self._count += count

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of all trees."""
        kinds = {"threshold": "float64", "value": "float64", "missing": "int8", "default_left": "bool"}
        found = {name: np.concatenate(parts).astype(kinds.get(name, "int32")) for name, parts in self._columns.items()}
        return found | {"roots": np.array(self.roots, "int32"), "depth": np.array(self._depth, "int64")}


def _depth(children: Sequence[NDArray[Any]], splits: int) -> int:
    """Return the number of decisions to the deepest leaf; children come after their parents."""
    depth = np.zeros(2 * splits + 1, "int64")
    for node in range(splits):
        for side in children:
            depth[side[node]] = depth[node] + 1
    return int(depth.max())
