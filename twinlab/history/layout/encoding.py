"""Encoding of values as integers: multiples of a signal's resolution, exact in both directions.

A gauge or counter of resolution r is stored as rint(value / r). It reads back as k / R where R = 1/r is a whole number
(for 0.1 as k / 10, the double nearest to the decimal number), else as k * r.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinlab.model.twinmodel import Signal

__all__ = ["decode", "divisor", "encode", "sentinel"]

#: Every integer up to here is a double; beyond, k and k + 1 may be the same double.
_EXACT = 2**53


def sentinel(dtype: np.dtype | type) -> int:
    """Return the integer that means "no value": the smallest of the type.

    >>> sentinel(np.int16)
    -32768
    """
    return int(np.iinfo(dtype).min)


def divisor(signal: Signal) -> int | None:
    """Return 1/resolution if that is a whole number above one, else None."""
    if signal.resolution is None:
        return None
    inverse = 1.0 / signal.resolution
    whole = round(inverse)
    return whole if whole > 1 and abs(inverse - whole) <= 1e-9 * whole else None


def encode(values: ArrayLike, signal: Signal) -> tuple[NDArray[np.signedinteger], NDArray[np.bool_]]:
    """Round values to the signal's resolution and return the integers to store.

    Parameters
    ----------
    values : array of float, any shape
        In the signal's unit; states as code numbers; NaN means no value.
    signal : Signal
        Defines resolution and storage type.

    Returns
    -------
    ints : array of ``signal.storage_dtype``
        The smallest integer of the type where there is no value.
    lost : array of bool
        True where a value doesn't fit the type (infinity included) and was replaced by "no value".

    >>> encode([20.04, float("nan")], Signal(unit="degC", resolution=0.1))[0].tolist()
    [200, -2147483648]
    """
    numbers = np.asarray(values, dtype=np.float64)
    scale = divisor(signal)
    scaled = np.rint(numbers * scale if scale is not None else numbers / (signal.resolution or 1.0))
    dtype = signal.storage_dtype
    low, high = (0, np.iinfo(dtype).max) if signal.kind == "state" else (-_EXACT, _EXACT)
    info = np.iinfo(dtype)
    low, high = max(low, info.min + 1), min(high, info.max)
    missing = np.isnan(numbers)
    with np.errstate(invalid="ignore"):
        fits = (scaled >= low) & (scaled <= high)
    ints = np.where(fits, scaled, 0.0).astype(dtype)
    ints[~fits] = info.min
    return ints, ~fits & ~missing


def decode(ints: NDArray[np.signedinteger], signal: Signal) -> NDArray[np.float64]:
    """Return stored integers as float64 in the signal's unit; NaN where there is no value.

    >>> decode(np.array([200], "int32"), Signal(unit="degC", resolution=0.1)).tolist()
    [20.0]
    """
    stored = np.asarray(ints)
    scale = divisor(signal)
    out = stored.astype(np.float64)
    if scale is not None:
        out /= scale
    elif signal.resolution is not None:
        out *= signal.resolution
    out[stored == sentinel(stored.dtype)] = np.nan
    return out
