"""Rollups in exact integer arithmetic: computed at once or piece by piece, from cells or from a finer level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.fold_kernels import fold_high, fold_low, fold_sum, reduce_windows

__all__ = ["COUNTS", "STATISTICS", "reduce_cells", "reduce_rollup"]

#: Statistics of a window, over cells that pass or are suspect.
STATISTICS = ("sum", "min", "max", "count")
#: Numbers of cells of a window by flag.
COUNTS = ("pass", "not_evaluated", "suspect", "fail", "missing")


def reduce_cells(
    values: NDArray[np.signedinteger], flags: NDArray[np.uint8], per: int
) -> dict[str, NDArray[np.generic]]:
    """Fold cells (time, asset) into windows of ``per`` cells; the number of cells is a multiple of ``per``.

    Returns ``sum min max count`` over cells that pass or are suspect and have a value (min and max are the type's
    smallest integer in windows without one), and the number of cells with each flag.
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
    reduce_windows(v, f, per, none, out["sum"], out["min"], out["max"], out["count"], counts)
    out.update({name: counts[i] for i, name in enumerate(COUNTS)})
    return {name: part.T for name, part in out.items()}


def reduce_rollup(below: dict[str, NDArray[np.generic]], per: int) -> dict[str, NDArray[np.generic]]:
    """Fold windows (window, asset) of one level into windows ``per`` times as long."""
    # Stored windows are contiguous by asset, so this copies nothing.
    series = {name: np.ascontiguousarray(part.T) for name, part in below.items()}
    assets, windows = next(iter(series.values())).shape
    out: dict[str, NDArray[np.generic]] = {}
    for name, part in series.items():
        folded = np.empty((assets, windows // per), part.dtype)
        if name == "max":
            fold_high(part, per, folded)
        elif name == "min":
            fold_low(part, per, part.dtype.type(sentinel(part.dtype)), folded)
        else:
            fold_sum(part, per, folded)
        out[name] = folded
    return {name: part.T for name, part in out.items()}
