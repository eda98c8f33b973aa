"""The other signals of a test."""

from __future__ import annotations

import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.terms import nearest

__all__ = ["other_signal"]


def other_signal(others: xr.Dataset, name: str) -> xr.DataArray:
    """Return a signal of a Dataset.

    Raises
    ------
    SchemaError
        If there is none of this name.

    >>> other_signal(xr.Dataset({"door": 1.0}), "door").item()
    1.0
    """
    if name not in others.data_vars:
        known = sorted(map(str, others.data_vars))
        msg = f"expected the signal {name!r} among the others, got {known}{nearest(name, known)}; add it"
        raise SchemaError(msg)
    return others[name]
