"""Digests of Datasets: of states, and of the results of single replications."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["combined_digest", "dataset_digest", "replication_digests"]

_LENGTH = 16


def replication_digests(data: xr.Dataset) -> tuple[str, ...]:
    """Return a digest of each replication's values, of which every variable has the first dim ``replication``.

    It doesn't depend on the other replications of the Dataset.

    >>> one = xr.Dataset({"late": ("replication", [0.1, 0.2, 0.1])})
    >>> first, second, third = replication_digests(one)
    >>> first == third, first == second
    (True, False)
    """
    names = sorted(map(str, data.data_vars))
    arrays = [(name.encode(), _bytes(data[name].to_numpy())) for name in names]
    digests = []
    for place in range(data.sizes["replication"]):
        one = hashlib.sha256()
        for name, values in arrays:
            one.update(name)
            one.update(np.ascontiguousarray(values[place]).data)
        digests.append(one.hexdigest()[:_LENGTH])
    return tuple(digests)


def combined_digest(digests: Iterable[str]) -> str:
    """Return one digest of several, in their order."""
    return hashlib.sha256("".join(digests).encode()).hexdigest()[: 2 * _LENGTH]


def dataset_digest(data: xr.Dataset) -> str:
    """Return a digest of all variables of a Dataset: names, dims, kinds and values; attributes don't count."""
    whole = hashlib.sha256()
    for name in sorted(map(str, data.variables)):
        variable = data.variables[name]
        values = variable.to_numpy()
        kind = "text" if values.dtype.kind in "OUT" else values.dtype.name
        whole.update(repr((name, variable.dims, values.shape, kind)).encode())
        if kind == "text":
            whole.update(repr([str(value) for value in values.ravel()]).encode())
        else:
            whole.update(np.ascontiguousarray(_bytes(values)).data)
    return whole.hexdigest()[: 2 * _LENGTH]


def _bytes(values: NDArray[np.generic]) -> NDArray[np.generic]:
    # Python's buffers know no times.
    return values.view("int64") if values.dtype.kind in "mM" else values
