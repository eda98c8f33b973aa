"""Three-valued truth as numbers: "and" is the smaller one, "or" the larger one, "not" two minus it (Kleene)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FALSE", "TRUE", "UNKNOWN", "Truth", "truth_of"]

FALSE, UNKNOWN, TRUE = np.uint8(0), np.uint8(1), np.uint8(2)

Truth = NDArray[np.uint8]


def truth_of(true: NDArray[np.bool_], known: NDArray[np.bool_]) -> Truth:
    """Return the truth of cells of which some are known.

    >>> truth_of(np.array([True, False, True]), np.array([True, True, False])).tolist()
    [2, 0, 1]
    """
    return np.where(known, np.asarray(true, dtype=np.bool_).view(np.uint8) * TRUE, UNKNOWN)
