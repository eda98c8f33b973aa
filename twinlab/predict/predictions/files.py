"""Predictions as a Zarr directory."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import CorruptionError
from twinlab.predict.predictions.schema import check_predictions

__all__ = ["issue_times", "load_predictions", "save_predictions"]


def save_predictions(data: xr.Dataset, path: Path) -> None:
    """Write predictions to a Zarr directory that `xarray.open_zarr` opens."""
    plain = data.copy()
    for name in ("issue_time", "lead_time"):
        # As whole nanoseconds: xarray would choose another unit.
        unit = "nanoseconds since 1970-01-01" if name == "issue_time" else "nanoseconds"
        plain[name].encoding = {"units": unit, "dtype": "int64"}
    plain.attrs = {
        key: value if isinstance(value, (str, int, float)) else json.dumps(value) for key, value in data.attrs.items()
    }
    plain.to_zarr(str(path), mode="w", consolidated=False, zarr_format=3)


def load_predictions(path: Path) -> xr.Dataset:
    """Read predictions that `save_predictions` wrote.

    Raises
    ------
    CorruptionError
        If they can't be read.
    SchemaError
        If they don't follow the schema.
    """
    try:
        data: xr.Dataset = xr.open_zarr(str(path), consolidated=False, chunks=None, decode_timedelta=True).load()
    except Exception as error:
        msg = f"the predictions {path} can't be read: {type(error).__name__}: {error}; delete that folder and predict again"
        raise CorruptionError(msg) from error
    # Zarr's text becomes objects again: NumPy joins its own kind of strings with few others.
    data = data.assign_coords({name: one.astype(object) for name, one in data.coords.items() if one.dtype.kind in "TU"})
    times = {"issue_time": "datetime64[ns]", "lead_time": "timedelta64[ns]"}
    data = data.assign_coords({name: data[name].astype(dtype) for name, dtype in times.items()})
    for name in data.variables:
        data[name].encoding = {}
    check_predictions(data)
    return data


@lru_cache(maxsize=4096)
def issue_times(path: Path, written: int) -> NDArray[np.datetime64]:  # noqa: ARG001  (a part that was written anew is read anew)
    """Return the different issue times of predictions that `save_predictions` wrote, without reading these.

    Raises
    ------
    CorruptionError
        If they can't be read.
    """
    try:
        with xr.open_zarr(str(path), consolidated=False, chunks=None, decode_timedelta=True) as data:
            found: NDArray[np.datetime64] = np.unique(data["issue_time"].values.astype("datetime64[ns]"))
            return found
    except Exception as error:
        msg = f"the predictions {path} can't be read: {type(error).__name__}: {error}; delete that folder and predict again"
        raise CorruptionError(msg) from error
