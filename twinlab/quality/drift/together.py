"""Flags of whole series that need other signals of the asset."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.model.flags import flag_attributes

__all__ = ["together"]


def together(
    judge: Callable[..., npt.NDArray[np.uint8]], given: Sequence[xr.DataArray], signal: xr.DataArray
) -> xr.DataArray:
    """Return the flags of a signal that ``judge(*values [time]) -> uint8 [time]`` gives, series by series; lazy if it is.

    >>> x = xr.DataArray([[1.0, 2.0]], dims=("asset", "time"), name="t")
    >>> together(lambda one, other: np.where(one < other, 3, 1).astype("uint8"), [x, x[:, ::-1]], x).values.tolist()
    [[3, 1]]
    """
    found: xr.DataArray = xr.apply_ufunc(
        judge,
        *(one if one.chunks is None else one.chunk(time=-1) for one in given),
        input_core_dims=[["time"]] * len(given),
        output_core_dims=[["time"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.uint8],
    )
    name = "signal" if signal.name is None else str(signal.name)
    return found.transpose(*signal.dims).rename(f"{name}_qc").assign_attrs(flag_attributes(name))
