"""Forks of a state: the same present, other random numbers from there on."""

from __future__ import annotations

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError

__all__ = ["fork"]


def fork(state: xr.Dataset, *, replication: int, seed: int | None = None) -> xr.Dataset:
    """Return a copy of a state whose later random numbers depend on a seed and a replication only.

    What was drawn before, such as the end of a service under way, stays as it is.

    Parameters
    ----------
    state : Dataset
    replication : int
        From 0 on.
    seed : int, optional
        The state's own by default.

    Raises
    ------
    SchemaError
        If a number isn't between 0 and 2**32 - 1.
    """
    seed = int(state["seed"]) if seed is None else seed
    for what, number in (("seed", seed), ("replication", replication)):
        if not 0 <= number < 2**32:
            msg = f"expected a {what} from 0 to 4294967295, got {number}"
            raise SchemaError(msg)
    return state.copy(deep=True).assign(seed=np.int64(seed), replication=np.int64(replication))
