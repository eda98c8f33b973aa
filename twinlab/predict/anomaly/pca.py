"""Hotelling's T² and Q on principal components: values far from usual, and relations between signals that are broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from twinlab.edge import scorer
from twinlab.errors import SchemaError
from twinlab.predict.anomaly.values import Floats

__all__ = ["Pca", "PcaFit"]


@dataclass(frozen=True)
class Pca:
    """Parameters of the detector by principal components.

    References
    ----------
    .. [1] H. Hotelling, "Multivariate quality control", 1947: T² and its limit by the F distribution.
    .. [2] J. E. Jackson, G. S. Mudholkar, "Control procedures for residuals associated with principal component
       analysis", Technometrics 21, 1979: the limit of Q.
    .. [3] J. A. Westerhuis, S. P. Gurden, A. K. Smilde, "Generalized contribution plots in multivariate statistical process
       monitoring", Chemometrics and Intelligent Laboratory Systems 51, 2000: the contributions.
    """

    variance: float = 0.85
    """Share of the variance that the components kept have at least."""
    confidence: float = 0.999
    """Share of usual rows within each limit, if they are normal and independent."""

    def __post_init__(self) -> None:
        """Raise `SchemaError` for shares that aren't between 0 and 1."""
        for name in ("variance", "confidence"):
            if not 0 < getattr(self, name) < 1:
                msg = f"Pca: expected a share between 0 and 1 for {name}, got {getattr(self, name)!r}"
                raise SchemaError(msg)

    def fit(self, scaled: Floats) -> PcaFit:
        """Return the detector learnt from usual rows, [row, signal], of mean 0 and scale 1."""
        rows, signals = scaled.shape
        values, vectors = np.linalg.eigh(scaled.T @ scaled / max(rows - 1, 1))
        values, vectors = np.maximum(values[::-1], 1e-12), vectors[:, ::-1]
        kept = int(np.searchsorted(np.cumsum(values) / values.sum(), self.variance) + 1)
        kept = min(kept, max(signals - 1, 1))
        within = kept * (rows**2 - 1) / (rows * (rows - kept)) * float(stats.f.ppf(self.confidence, kept, rows - kept))
        return PcaFit(vectors[:, :kept], values[:kept], within, _residual_limit(values[kept:], self.confidence))


def _residual_limit(rest: Floats, confidence: float) -> float:
    """Return the limit of Q from the eigenvalues of the components left out; infinite if there is none."""
    if not len(rest) or rest.sum() < 1e-9:
        return float("inf")
    first, second, third = (float((rest**power).sum()) for power in (1, 2, 3))
    bend = max(1 - 2 * first * third / (3 * second**2), 1e-3)
    normal = float(stats.norm.ppf(confidence))
    inner = normal * np.sqrt(2 * second * bend**2) / first + 1 + second * bend * (bend - 1) / first**2
    return float(first * max(inner, 1e-9) ** (1 / bend))


@dataclass(frozen=True)
class PcaFit:
    """What was learnt: components [signal, component], their variances, and the limits of T² and Q."""

    components: Floats
    variances: Floats
    t2_limit: float
    q_limit: float

    def index(self, scaled: Floats) -> Floats:
        """Return the larger of T² and Q of each row, [row, signal], as shares of their limits."""
        found: Floats = scorer.pca(self.arrays(), scaled.T)
        return found

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what `twinlab.edge.scorer` needs."""
        return {"kind": np.array("pca")} | {name: np.asarray(found) for name, found in vars(self).items()}

    def contributions(self, scaled: Floats) -> Floats:
        """Return the share of each signal in the index of each row, [row, signal]; the shares of a row add up to 1."""
        along = scaled @ self.components
        inverse = (along / self.variances) @ self.components.T
        of_t2 = np.maximum(scaled * inverse, 0.0)
        of_q = (scaled - along @ self.components.T) ** 2
        by_t2 = (scaled * inverse).sum(axis=1) / self.t2_limit >= of_q.sum(axis=1) / self.q_limit
        return shares(np.where(by_t2[:, None], of_t2, of_q))


def shares(parts: Floats) -> Floats:
    """Return parts [row, signal] as shares of their row's sum; all equal where the sum is 0."""
    total = parts.sum(axis=1, keepdims=True)
    found: Floats = np.where(total > 0, parts / np.where(total > 0, total, 1.0), 1.0 / parts.shape[1])
    return found
