"""Isolation forest: rows that few random cuts separate from the others. Needs scikit-learn (the extra ``predict``)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.edge import scorer
from twinlab.errors import SchemaError, SourceError
from twinlab.predict.anomaly.pca import shares
from twinlab.predict.anomaly.values import Floats

__all__ = ["Forest", "ForestFit"]


@dataclass(frozen=True)
class Forest:
    """Parameters of the isolation forest.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM 2008.
    """

    confidence: float = 0.99
    """Share of the rows learnt from within the limit. The scores of rows far out are close to the largest learnt from, so that
    higher ones find little."""
    trees: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise `SchemaError` for parameters that aren't valid."""
        if not 0 < self.confidence < 1 or self.trees < 1:
            msg = f"Forest: expected a confidence between 0 and 1 and at least 1 tree, got {self.confidence!r} and {self.trees!r}"
            raise SchemaError(msg)

    def fit(self, scaled: Floats) -> ForestFit:
        """Return the detector learnt from usual rows, [row, signal].

        Raises
        ------
        SourceError
            If scikit-learn isn't installed.
        """
        try:
            from sklearn.ensemble import IsolationForest  # type: ignore[import-untyped]  # noqa: PLC0415  (optional)
        except ModuleNotFoundError as error:
            msg = 'the isolation forest needs scikit-learn, which isn\'t installed; install it with: pip install "twinlab-kit[predict]"'
            raise SourceError(msg) from error
        forest = IsolationForest(n_estimators=self.trees, random_state=self.seed).fit(scaled)
        fitted = _fit_of(forest)
        return replace(fitted, forest_limit=float(np.quantile(fitted.index(scaled), self.confidence)))


@dataclass(frozen=True)
class ForestFit:
    """The trees of a forest in common arrays of nodes, and the limit of its scores."""

    roots: npt.NDArray[np.int64]
    """First node of each tree."""
    feature: npt.NDArray[np.int64]
    """Column that a node compares; a leaf leads to itself."""
    threshold: Floats
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    depth: Floats
    """Of leaves: cuts before them, and the mean number of cuts that would separate the rows that are left."""
    levels: int
    """Largest number of cuts."""
    usual_depth: float
    """Mean sum of depths of the rows of a tree."""
    forest_limit: float

    def index(self, scaled: Floats) -> Floats:
        """Return the score of each row, [row, signal], as a share of the limit."""
        found: Floats = scorer.forest(self.arrays(), scaled.T)
        return found

    def contributions(self, scaled: Floats) -> Floats:
        """Return the share of each signal, [row, signal]: by how much the score falls if the signal were as usual."""
        score = self.index(scaled)
        falls = np.zeros(scaled.shape)
        for signal in range(scaled.shape[1]):
            usual = scaled.copy()
            usual[:, signal] = 0.0
            falls[:, signal] = np.maximum(score - self.index(usual), 0.0)
        return shares(falls)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `twinlab.edge.scorer` needs."""
        return {"kind": np.array("forest")} | {name: np.asarray(found) for name, found in vars(self).items()}


def _fit_of(forest: Any) -> ForestFit:  # noqa: ANN401  (a fitted IsolationForest)
    """Return the trees of scikit-learn's forest as arrays, with the limit 1."""
    parts: list[tuple[npt.NDArray[Any], ...]] = []
    roots, first, levels = [], 0, 0
    for one in forest.estimators_:
        tree = one.tree_
        own = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        cuts = np.zeros(tree.node_count)
        for node in own[~leaf]:  # children come after their parent
            cuts[[tree.children_left[node], tree.children_right[node]]] = cuts[node] + 1
        left, right = (first + np.where(leaf, own, side) for side in (tree.children_left, tree.children_right))
        depth = np.where(leaf, cuts + _mean_cuts(tree.n_node_samples), 0.0)
        parts.append((np.where(leaf, 0, tree.feature), tree.threshold, left, right, depth))
        roots.append(first)
        first, levels = first + tree.node_count, max(levels, int(cuts.max()))
    feature, threshold, left, right, depth = (np.concatenate(one) for one in zip(*parts, strict=True))
    usual = len(roots) * float(_mean_cuts(np.array([forest.max_samples_]))[0])
    return ForestFit(np.array(roots), feature, threshold, left, right, depth, levels, usual, 1.0)


def _mean_cuts(rows: npt.NDArray[Any]) -> Floats:
    """Return the mean number of cuts that separate one of so many rows from the others ([1]_ of `Forest`, equation 1)."""
    more = np.maximum(rows - 1.0, 1.0)
    found = 2 * (np.log(more) + np.euler_gamma) - 2 * more / np.maximum(rows, 1)
    return np.where(rows > 2, found, np.where(rows == 2, 1.0, 0.0))
