"""Which parts a total has, and totals of plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["add_totals", "parts_of", "summing_matrix"]

Floats = NDArray[np.float64]
Totals = Mapping[str, Sequence[str]]


def parts_of(totals: Totals) -> dict[str, tuple[str, ...]]:
    """Return the parts of each total that aren't totals themselves.

    Raises
    ------
    SchemaError
        If a total has no part, a part twice, or itself.

    >>> parts_of({"all": ["north", "C"], "north": ["A", "B"]})
    {'all': ('A', 'B', 'C'), 'north': ('A', 'B')}
    """

    def expanded(name: str, above: tuple[str, ...]) -> list[str]:
        if name in above:
            msg = f"the total {name!r} is a part of itself: {' of '.join((*above, name))}"
            raise SchemaError(msg)
        if name not in totals:
            return [name]
        return [part for one in totals[name] for part in expanded(one, (*above, name))]

    out = {}
    for name in totals:
        found = expanded(name, ())
        if not found or len(set(found)) != len(found):
            twice = next((one for one in found if found.count(one) > 1), None)
            msg = f"expected parts of the total {name!r}, each once, got {f'{twice!r} twice' if twice else 'none'}"
            raise SchemaError(msg)
        out[name] = tuple(found)
    return out


def summing_matrix(ids: Sequence[str], totals: Totals) -> tuple[list[str], Floats]:
    """Return the parts among assets, and the matrix (asset, part) of which part is in which asset.

    Raises
    ------
    UnknownTermError
        If a total or a part isn't among the assets.
    """
    found = parts_of(totals)
    for name in (*found, *(part for parts in found.values() for part in parts)):
        if name not in ids:
            msg = f"expected the total or part {name!r} among the assets{nearest(name, ids)}; `predict.add_totals` adds totals to a history"
            raise UnknownTermError(msg)
    bottom = [one for one in ids if one not in found]
    place = {name: k for k, name in enumerate(bottom)}
    out = np.zeros((len(ids), len(bottom)))
    for row, name in enumerate(ids):
        out[row, [place[part] for part in found.get(name, (name,))]] = 1.0
    return bottom, out


def add_totals(data: xr.DataArray, totals: Totals) -> xr.DataArray:
    """Return data with totals beside the parts; NaN where a part is missing.

    Parameters
    ----------
    data : DataArray
        Dim ``asset`` and others.
    totals : mapping of str to sequence of str
        Name of a total -> its parts, assets or other totals.

    Raises
    ------
    UnknownTermError
        If there is no such part.
    SchemaError
        If a total has the name of an asset, no part, a part twice, or itself.

    Examples
    --------
    >>> counts = xr.DataArray([[1.0, 2.0]], {"asset": ["A", "B"]}, ("time", "asset"))
    >>> add_totals(counts, {"all": ["A", "B"]}).sel(asset="all").item()
    3.0
    """
    ids = [str(one) for one in data["asset"].values]
    taken = [name for name in totals if name in ids]
    if taken:
        msg = f"expected names of totals that aren't assets, got {taken[0]!r}"
        raise SchemaError(msg)
    parts = parts_of(totals)
    for part in (one for some in parts.values() for one in some):
        if part not in ids:
            msg = f"expected the part {part!r} among the assets{nearest(part, ids)}"
            raise UnknownTermError(msg)
    data = data.assign_coords(asset=np.array(ids, object))
    sums = [
        data.sel(asset=list(some)).sum("asset", skipna=False).expand_dims(asset=np.array([name], object))
        for name, some in parts.items()
    ]
    out: xr.DataArray = xr.concat([data, *sums], "asset", coords="minimal", compat="override", join="override")
    return out.transpose(*data.dims).assign_attrs(data.attrs).rename(data.name)
