"""Wear of all assets of a type over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import Floats, Ints
from twinlab.plant.network.failures.failure import Failure

__all__ = ["broken_of", "wear_of"]


def wear_of(failures: Sequence[Failure], kind: str, time: Ints, count: int) -> Floats:
    """Return the wear of one kind, [time, asset]: 0 as new, 1 from a failure to its repair."""
    found = np.zeros((len(time), count))
    for one in failures:
        if one.kind == kind:
            low, high = np.searchsorted(time, [one.onset, one.repaired])
            found[low:high, one.asset] = one.wear(time[low:high])
    return found


def broken_of(failures: Sequence[Failure], kind: str, time: Ints, count: int) -> npt.NDArray[np.bool_]:
    """Return which assets don't work because of a failure of one kind, [time, asset]."""
    found = np.zeros((len(time), count), dtype=bool)
    for one in failures:
        if one.kind == kind:
            low, high = np.searchsorted(time, [one.failed, one.repaired])
            found[low:high, one.asset] = True
    return found
