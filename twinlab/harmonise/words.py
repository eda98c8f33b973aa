"""Numbers of 32 bits that were put together from two words of 16 bits, as Modbus devices send them, in the wrong order."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Words", "swap_words"]

Words = Literal["float32", "int32", "uint32"]
Floats = npt.NDArray[np.float64]


def swap_words(values: Floats, kind: Words) -> Floats:
    """Return numbers with the two 16-bit words of their 32 bits swapped, any shape; NaN where they aren't of the kind.

    >>> swap_words(np.array([65536.0, 1.5, 3.0]), "uint32").tolist()
    [1.0, nan, 196608.0]
    """
    numbers = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        if kind == "float32":
            fits = np.isfinite(numbers) & (np.abs(numbers) <= float(np.finfo(np.float32).max))
        else:
            limits = np.iinfo(kind)
            fits = (
                np.isfinite(numbers) & (numbers == np.rint(numbers)) & (numbers >= limits.min) & (numbers <= limits.max)
            )
        bits = np.where(fits, numbers, 0.0).astype(kind).view(np.uint32)
        swapped = ((bits >> np.uint32(16)) | (bits << np.uint32(16))).view(kind).astype(np.float64)
    return np.where(fits & np.isfinite(swapped), swapped, np.nan)
