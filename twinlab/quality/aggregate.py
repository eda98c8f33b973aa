"""Aggregate the flags of several tests, and count flags."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import FLAG_SEVERITY, Flag, flag_attributes

__all__ = ["aggregate_flags", "flag_counts", "worst_of"]

_UNKNOWN: Final = 255
# Rank of each flag number, 0 for the least severe; and the inverse.
_MILDEST_FIRST: Final = np.array([flag.value for flag in reversed(FLAG_SEVERITY)], dtype=np.uint8)
_RANK: Final = np.full(256, _UNKNOWN, dtype=np.uint8)
_RANK[_MILDEST_FIRST] = np.arange(_MILDEST_FIRST.size, dtype=np.uint8)


def _refuse(number: object) -> SchemaError:
    msg = f"expected flags out of {[flag.value for flag in Flag]}, got {number}; give the result of a *_flags function"
    return SchemaError(msg)


def worst_of(*flags: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the worst flag of each cell by `FLAG_SEVERITY`; arrays of one shape, uint8.

    >>> worst_of(np.uint8([1, 2]), np.uint8([3, 2])).tolist()
    [3, 2]
    """
    ranks = _RANK[flags[0]]
    for other in flags[1:]:
        ranks = np.maximum(ranks, _RANK[other])
    if ranks.max(initial=0) == _UNKNOWN:
        raise _refuse(sorted({int(x) for part in flags for x in np.unique(part) if _RANK[x] == _UNKNOWN}))
    return _MILDEST_FIRST[ranks]


def aggregate_flags(*flags: xr.DataArray) -> xr.DataArray:
    """Return the flag that counts in each cell: the worst by `FLAG_SEVERITY`.

    Parameters
    ----------
    *flags : DataArray, uint8
        Results of one test each, on the same coordinates.

    Raises
    ------
    SchemaError
        If there are none, their coordinates differ, or one contains other numbers than flags.

    References
    ----------
    .. [1] CF Standard Name Table, ``aggregate_quality_flag``. Unlike ioos_qc, missing ranks above pass and suspect.

    >>> a, b = xr.DataArray(np.uint8([1, 2, 3])), xr.DataArray(np.uint8([3, 1, 9]))
    >>> aggregate_flags(a, b).values.tolist()
    [3, 1, 9]
    """
    if not flags:
        msg = "expected at least one array of flags, got none; give the results of the tests to aggregate"
        raise SchemaError(msg)
    for each in flags:
        if each.dtype != np.uint8:
            msg = f"expected flags as uint8, got {each.dtype} in {each.name!r}; give the result of a *_flags function"
            raise SchemaError(msg)
    try:
        aligned = xr.align(*flags, join="exact", copy=False)
    except ValueError as error:
        msg = f"expected flags on the same coordinates, got different ones ({error}); select a common part first"
        raise SchemaError(msg) from error
    found: xr.DataArray = xr.apply_ufunc(
        worst_of, *aligned, dask="parallelized", output_dtypes=[np.uint8], keep_attrs=False
    )
    name = "signal_qc" if flags[0].name is None else str(flags[0].name)
    return found.rename(name).assign_attrs(flag_attributes(name.removesuffix("_qc")))


def flag_counts(flags: xr.DataArray) -> dict[str, int]:
    """Count the cells of each flag by name, in the order of the numbers; computes if lazy.

    Raises
    ------
    SchemaError
        If a number isn't a flag.

    >>> flag_counts(xr.DataArray(np.uint8([1, 1, 9])))
    {'pass': 2, 'not_evaluated': 0, 'suspect': 0, 'fail': 0, 'missing': 1}
    """
    sums = xr.Dataset({flag.name.lower(): (flags == flag.value).sum() for flag in Flag}).compute()
    counts = {str(name): int(total) for name, total in sums.items()}
    if sum(counts.values()) != flags.size:
        what = f"another number in {flags.size - sum(counts.values())} cells"
        raise _refuse(what)
    return counts
