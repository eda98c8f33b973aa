"""Random numbers by counter: Philox4x32-10, keyed by seed and replication, counted by owner."""

from __future__ import annotations

from typing import Final

import numpy as np

from twinlab._compiled import njit

__all__ = ["philox", "uniform"]

#: Purposes: the lowest byte of a counter's last word.
ARRIVAL: Final = 1
DESTINATION: Final = 2
DUE: Final = 3
SERVICE: Final = 4
ROUTE: Final = 5
MOVE: Final = 6
TRAVEL: Final = 7
LOAD: Final = 8
UNLOAD: Final = 9
TURN: Final = 10
FIRST: Final = 11
INTERVAL: Final = 12
UPTIME: Final = 13
REPAIR: Final = 14

_MULTIPLY_0: Final = np.uint64(0xD2511F53)
_MULTIPLY_1: Final = np.uint64(0xCD9E8D57)
_ADD_0: Final = np.uint64(0x9E3779B9)
_ADD_1: Final = np.uint64(0xBB67AE85)
_LOW: Final = np.uint64(0xFFFFFFFF)
_32: Final = np.uint64(32)
_20: Final = np.uint64(20)
_12: Final = np.uint64(12)
_STEP: Final = 1.0 / 4503599627370496.0


@njit(cache=True, nogil=True, forceinline=True)
def philox(c0, c1, c2, c3, k0, k1):
    """Return four words of 32 bits for a counter of four words and a key of two, all as uint64.

    Philox4x32 with ten rounds [1]_.

    References
    ----------
    .. [1] J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    for _ in range(10):
        product_0 = _MULTIPLY_0 * c0
        product_1 = _MULTIPLY_1 * c2
        c0 = (product_1 >> _32) ^ c1 ^ k0
        c1 = product_1 & _LOW
        c2 = (product_0 >> _32) ^ c3 ^ k1
        c3 = product_0 & _LOW
        k0 = (k0 + _ADD_0) & _LOW
        k1 = (k1 + _ADD_1) & _LOW
    return c0, c1, c2, c3


@njit(cache=True, nogil=True, forceinline=True)
def uniform(high, low):
    """Return a number between 0 and 1, both excluded, of 52 bits from two words."""
    return (float((high << _20) | (low >> _12)) + 0.5) * _STEP
