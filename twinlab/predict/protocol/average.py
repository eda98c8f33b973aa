"""The mean of what several estimators predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.errors import SchemaError
from twinlab.predict.protocol.estimator import Estimator, FittedEstimator, Floats
from twinlab.predict.protocol.hashing import hash_of

__all__ = ["Average", "FittedAverage"]


@dataclass(frozen=True)
class Average:
    """Several estimators, whose predictions are averaged with equal weights [1]_.

    Means of quantiles at each level stay in order.

    Parameters
    ----------
    members : tuple of Estimator
        With the same levels.

    Raises
    ------
    SchemaError
        If there is none, or their levels differ.

    References
    ----------
    .. [1] J. M. Bates, C. W. J. Granger, "The combination of forecasts", Operational Research Quarterly 20 (1969) 451-468.

    Examples
    --------
    >>> from twinlab.predict.protocol.estimator import CallableEstimator
    >>> two = [CallableEstimator(f"{n}", lambda x, y, names, n=n: n, lambda m, x: np.full(len(x), m)) for n in (1.0, 2.0)]
    >>> Average(tuple(two)).fit(np.zeros((1, 1)), np.zeros(1), ["a"]).predict(np.zeros((2, 1)))
    array([[1.5],
           [1.5]])
    """

    members: tuple[Estimator, ...]

    def __post_init__(self) -> None:
        levels = {one.quantiles for one in self.members}
        if len(levels) != 1:
            msg = f"expected estimators with the same levels to average, got {sorted(levels) or 'none'}"
            raise SchemaError(msg)

    @property
    def name(self) -> str:
        """Names of the members."""
        return " + ".join(dict.fromkeys(one.name for one in self.members))

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Levels of the members."""
        return self.members[0].quantiles

    def fit(self, x: Floats, y: Floats, names: Sequence[str]) -> FittedEstimator:
        """Fit each member to the same cases."""
        return FittedAverage(tuple(one.fit(x, y, names) for one in self.members))

    def content_hash(self) -> str:
        """Hash of the members."""
        return hash_of("average", [one.content_hash() for one in self.members])


@dataclass(frozen=True)
class FittedAverage:
    """An `Average` with fitted members."""

    members: tuple[FittedEstimator, ...]

    def predict(self, x: Floats) -> Floats:
        """Return the means (rows, levels); NaN where a member gives no number."""
        return np.asarray(sum(one.predict(x) for one in self.members) / len(self.members), float)

    def content_hash(self) -> str:
        """Hash of what was fitted."""
        return hash_of("average", [one.content_hash() for one in self.members])
