"""States on disk, as Zarr."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError, SourceError

__all__ = ["load_state", "save_state"]

#: What each state has.
_SCALARS: Final = ("start", "time", "seed", "replication")


def save_state(state: xr.Dataset, path: Path | str) -> None:
    """Write a state to a Zarr directory, in place of an earlier one.

    Raises
    ------
    SchemaError
        If it isn't a state.
    """
    _check(state, "the state")
    plain = state.copy()
    for name in ("start", "time"):
        # As whole nanoseconds: xarray would choose another unit.
        plain[name].encoding = {"units": "nanoseconds since 1970-01-01", "dtype": "int64"}
    plain.to_zarr(str(path), mode="w", consolidated=False, zarr_format=3)


def load_state(path: Path | str) -> xr.Dataset:
    """Read a state that `save_state` wrote.

    Raises
    ------
    SourceError
        If there is no such directory.
    SchemaError
        If it has no state.
    """
    if not Path(path).is_dir():
        msg = f"there is no state at {str(path)!r}; expected a directory that `save_state` wrote"
        raise SourceError(msg)
    state = xr.open_zarr(str(path), consolidated=False, chunks=None).load()
    _check(state, str(path))
    # Zarr's text becomes objects again, as it was: NumPy joins its own kind of strings with few others.
    state = state.assign({name: one.astype(object) for name, one in state.variables.items() if one.dtype.kind == "T"})
    for name in state.variables:
        state[name].encoding = {}
    found: xr.Dataset = state.assign({name: state[name].astype("datetime64[ns]") for name in ("start", "time")})
    return found


def _check(state: xr.Dataset, what: str) -> None:
    missing = [name for name in _SCALARS if name not in state or state[name].ndim]
    missing += [name for name in ("model", "model_hash") if name not in state.attrs]
    if missing:
        msg = f"{what} has no {', '.join(map(repr, missing))}; expected a state of a model"
        raise SchemaError(msg)
    if not all(np.issubdtype(state[name].dtype, np.datetime64) for name in ("start", "time")):
        msg = (
            f"expected `start` and `time` of {what} as datetime64, got {state['start'].dtype} and {state['time'].dtype}"
        )
        raise SchemaError(msg)
