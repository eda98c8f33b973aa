"""Rollups as exact integer arithmetic: equal at once or piecewise, every level from the one below."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from twinlab.history.catalog import COUNTS
from twinlab.history.encode import sentinel

__all__ = ["reduce_cells", "reduce_rollup"]


@numba.njit(cache=True, nogil=True)
def _reduce(values, flags, per, none, total, low, high, good, counts):  # type: ignore[no-untyped-def]  # numba types it
    """Fold (asset, cell) into (asset, window)."""
    for a in range(values.shape[0]):
        for w in range(total.shape[1]):
            s, n = np.int64(0), np.uint32(0)
            lo, hi = none, none
            c1, c2, c3, c4, c9 = 0, 0, 0, 0, 0
            for k in range(w * per, (w + 1) * per):
                f = flags[a, k]
                v = values[a, k]
                if f == 1:
                    c1 += 1
                elif f == 2:
                    c2 += 1
                elif f == 3:
                    c3 += 1
                elif f == 4:
                    c4 += 1
                elif f == 9:
                    c9 += 1
                if (f == 1 or f == 3) and v != none:
                    s += v
                    if n == 0 or v < lo:
                        lo = v
                    if n == 0 or v > hi:
                        hi = v
                    n += 1
            total[a, w] = s
            low[a, w] = lo
            high[a, w] = hi
            good[a, w] = n
            counts[0, a, w] = c1
            counts[1, a, w] = c2
            counts[2, a, w] = c3
            counts[3, a, w] = c4
            counts[4, a, w] = c9


def reduce_cells(
    values: NDArray[np.signedinteger], flags: NDArray[np.uint8], per: int
) -> dict[str, NDArray[np.generic]]:
    """Fold cells (time, asset) into windows of ``per`` cells; the number of cells is a multiple of ``per``.

    Returns ``sum min max count`` over cells that pass or are suspect and hold a value (min and max are the type's
    smallest integer in windows without one), and how many cells bear each flag.
    """
    v, f = np.ascontiguousarray(values.T), np.ascontiguousarray(flags.T)
    shape = (v.shape[0], v.shape[1] // per)
    out: dict[str, NDArray[np.generic]] = {
        "sum": np.empty(shape, "int64"),
        "min": np.empty(shape, v.dtype),
        "max": np.empty(shape, v.dtype),
        "count": np.empty(shape, "uint32"),
    }
    counts = np.empty((len(COUNTS), *shape), "uint32")
    none = v.dtype.type(sentinel(v.dtype))
    _reduce(v, f, per, none, out["sum"], out["min"], out["max"], out["count"], counts)
    out.update({name: counts[i] for i, name in enumerate(COUNTS)})
    return {name: part.T for name, part in out.items()}


def reduce_rollup(below: dict[str, NDArray[np.generic]], per: int) -> dict[str, NDArray[np.generic]]:
    """Fold windows (window, asset) of one level into windows ``per`` times as long."""
    out: dict[str, NDArray[np.generic]] = {}
    windows, assets = below["count"].shape
    shape = (windows // per, per, assets)
    for name in ("sum", "count", *COUNTS):
        if name in below:
            out[name] = below[name].reshape(shape).sum(axis=1, dtype=below[name].dtype)
    if "max" in below:
        # "No value" is the smallest integer, so it loses by itself.
        out["max"] = below["max"].reshape(shape).max(axis=1)
    if "min" in below:
        low = below["min"].reshape(shape)
        none = sentinel(low.dtype)
        least = np.where(low == none, np.iinfo(low.dtype).max, low).min(axis=1)
        out["min"] = np.where(out["count"] == 0, none, least).astype(low.dtype)
    return out
