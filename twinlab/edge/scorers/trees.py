"""Predict with an exported model of boosted trees, ``model = dict(np.load(path))``; numpy only: the bits of LightGBM."""

import itertools
import math
from typing import Any

import numpy as np

#: LightGBM takes what is closer to 0 as 0.
_ZERO = float(np.float32(1e-35))


def predict(model: dict[str, Any], rows: Any) -> Any:  # noqa: ANN401
    """Return predictions [row, level] of features [row, feature] in the order of ``model["names"]``; NaN is missing."""
    rows = np.asarray(rows, float)
    if rows.ndim != 2 or rows.shape[1] != len(model["names"]):
        msg = f"expected rows of {len(model['names'])} features, got an array of shape {rows.shape}"
        raise ValueError(msg)
    leaves = model["value"][_leaves(model, rows)]
    bounds = model["bounds"].tolist()
    # Tree by tree, in the order in which LightGBM adds.
    raw = [sum(leaves[first:last]) for first, last in itertools.pairwise(bounds)]
    if model["sigmoid"] > 0:
        raw = [np.array([_probability(float(model["sigmoid"]) * one) for one in column.tolist()]) for column in raw]
    members, levels = model["shape"].tolist()
    found = [np.sort(np.stack(raw[at : at + levels], axis=1)) for at in range(0, members * levels, levels)]
    return sum(found) / members if members > 1 else found[0]


def _leaves(model: dict[str, Any], rows: Any) -> Any:  # noqa: ANN401
    """Return the leaf [tree, row] of each row: a leaf leads to itself."""
    rows = np.where(np.abs(rows) <= _ZERO, 0.0, rows)
    nodes = np.repeat(model["roots"][:, None], len(rows), axis=1)
    for _ in range(int(model["depth"])):
        value, missing = rows[np.arange(len(rows)), model["feature"][nodes]], model["missing"][nodes]
        value = np.where(np.isnan(value) & (missing != 2), 0.0, value)
        absent = np.where(missing == 1, np.abs(value) <= _ZERO, np.isnan(value))
        left = np.where(absent, model["default_left"][nodes], value <= model["threshold"][nodes])
        nodes = np.where(left, model["left"][nodes], model["right"][nodes])
    return nodes


def _probability(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds)) if odds > -709.78 else 0.0
