"""The neighbour test: an asset against the median of the others at the same time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.quality.labelled import each_instant
from twinlab.quality.related.kernels import far_from_peers

__all__ = ["peer_flags"]


def peer_flags(
    signal: xr.DataArray,
    *,
    resolution: float,
    suspect: float = 5.0,
    fail: float | None = None,
    least: int = 4,
    group: str | None = None,
    across: str = "asset",
) -> xr.DataArray:
    """Flag values that are far from those of the other assets at the same time (neighbour test).

    The distance is that from the median of the *other* assets, in robust standard deviations: 1.4826 times the median
    absolute deviation of all of them, which a minority of wrong sensors hardly changes.

    Parameters
    ----------
    signal : DataArray with dimension ``across``
        Of assets in like conditions.
    resolution : float
        Smallest standard deviation that is assumed, in the signal's unit: peers that read alike to the last digit
        don't make the next digit suspect.
    suspect : float
        Distance above which a value is suspect, in standard deviations.
    fail : float, optional
        Distance above which it fails; never by default.
    least : int
        Smallest number of other assets with a value; with fewer, nothing is evaluated.
    group : str, optional
        Coordinate along ``across``, such as a property of the assets: only assets with the same value are compared.
    across : str
        Dimension of the assets.

    Raises
    ------
    SchemaError
        If a threshold doesn't fit, or the dimension or the coordinate isn't there.

    References
    ----------
    .. [1] U.S. IOOS, "Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data", version 2.1,
       test 11, Neighbor Test (which leaves the comparison to the operator).
    .. [2] B. Iglewicz and D. Hoaglin, "How to Detect and Handle Outliers", ASQC 1993, for the median absolute deviation.

    >>> room = xr.DataArray([[4.0, 4.1, 3.9, 4.2, 4.0, 7.5]], dims=("time", "asset"))
    >>> peer_flags(room, resolution=0.1).values.tolist()
    [[1, 1, 1, 1, 1, 3]]
    """
    if across not in signal.dims:
        msg = f"expected a dimension {across!r} of the assets to compare, got {list(signal.dims)}; name it with across="
        raise SchemaError(msg)
    highest = math.inf if fail is None else float(fail)
    if not (0 < suspect <= highest and 0 < resolution < math.inf and least >= 2):
        msg = (
            "expected 0 < suspect <= fail, resolution > 0 and least >= 2, "
            f"got suspect={suspect!r}, fail={fail!r}, resolution={resolution!r}, least={least!r}"
        )
        raise SchemaError(msg)
    groups = _groups(signal, group, across)
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]
    plain = bool((order == np.arange(order.size)).all())

    def block(values: npt.NDArray[np.float64], ids: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        table = np.ascontiguousarray(values, dtype=np.float64).reshape(-1, values.shape[-1])
        table = table if plain else np.ascontiguousarray(table[:, order])
        out = np.empty(table.shape, dtype=np.uint8)
        far_from_peers(table, ids, float(suspect), highest, float(resolution), least, out)
        if not plain:
            sorted_flags, out = out, np.empty_like(out)
            out[:, order] = sorted_flags
        return out.reshape(values.shape)

    name = "neighbor_test_quality_flag"
    return each_instant(signal, block, across=across, groups=sorted_groups, standard_name=name)


def _groups(signal: xr.DataArray, group: str | None, across: str) -> npt.NDArray[np.int64]:
    if group is None:
        return np.zeros(signal.sizes[across], dtype=np.int64)
    if group not in signal.coords or signal.coords[group].dims != (across,):
        known = [str(name) for name, one in signal.coords.items() if one.dims == (across,) and name != across]
        msg = f"expected a coordinate {group!r} along {across!r}, got {known}; assign it, or compare all assets"
        raise SchemaError(msg)
    labels = signal.coords[group].to_numpy().astype(str)
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
