"""Random numbers that depend on seed, replication, purpose and owner only (Philox 4x64, counter-based).

NumPy draws whole arrays of uniform and normal numbers for each owner here, where the kernel's compiled loops
(`kernel.loops.random`, Philox 4x32) need one uniform number at a time: neither gives the other's numbers.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

__all__ = ["Purpose", "generator", "uniforms"]

Floats = npt.NDArray[np.float64]


class Purpose(IntEnum):
    """What a random number is for."""

    START = 1
    DURATION = 2
    EFFECT_OF_START = 3
    EFFECT_OF_DURATION = 4
    ARRIVALS = 5
    DELIVERY = 6
    DELIVERY_OF_NEW = 7
    DAY = 8
    DOOR = 9
    FAILURE = 10
    ROOM = 11
    POSITION = 12


def generator(seed: int, replication: int, purpose: Purpose, owner: int = 0) -> np.random.Generator:
    """Return the stream of one owner for one purpose.

    >>> generator(1, 0, Purpose.START).random() == generator(1, 0, Purpose.START).random()
    True
    """
    mask = (1 << 64) - 1
    key = np.array([seed & mask, replication & mask], dtype=np.uint64)
    return np.random.Generator(
        np.random.Philox(key=key, counter=np.array([0, owner & mask, int(purpose), 0], dtype=np.uint64))
    )


def uniforms(seed: int, replications: npt.NDArray[np.int64], purpose: Purpose, count: int) -> Floats:
    """Return one number in (0, 1) for each replication and owner, shape ``(replications, count)``."""
    found = np.stack([generator(seed, int(each), purpose).random(count) for each in replications])
    return np.clip(found, 1e-12, 1 - 1e-12)
