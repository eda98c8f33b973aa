"""A KPI as a table, for spreadsheets and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MET", "kpi_table", "met"]

#: What `met` says: all that the value can be meets the target, none of it does, or some of it.
MET = ("met", "missed", "not known")


def met(data: xr.Dataset) -> NDArray[np.object_] | None:
    """Return whether a KPI meets its target, by its bounds: one of `MET`, or None where it doesn't exist.

    Parameters
    ----------
    data : Dataset
        As ``twin.kpi`` returns it.

    Returns
    -------
    array of text, shape of ``data.value``; None if the KPI has no target

    >>> import xarray as xr
    >>> bounds = {"low": ("time", [98.0, 99.5, 90.0]), "high": ("time", [100.0, 100.0, 91.0])}
    >>> met(xr.Dataset(bounds, attrs={"target_operator": ">=", "target_value": 99.0})).tolist()
    ['not known', 'met', 'missed']
    """
    operator, target = data.attrs.get("target_operator"), data.attrs.get("target_value")
    if operator is None or target is None:
        return None
    compare = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}[str(operator)]
    low, high = compare(data["low"].values, target), compare(data["high"].values, target)
    out = np.where(low & high, MET[0], np.where(low | high, MET[2], MET[1])).astype(object)
    out[np.isnan(data["low"].values)] = None
    return cast("NDArray[np.object_]", out)


def kpi_table(data: xr.Dataset) -> pd.DataFrame:
    """Return a KPI as a table with a row for each window and group.

    Parameters
    ----------
    data : Dataset
        As ``twin.kpi`` returns it.

    Returns
    -------
    DataFrame
        ``time``, the group, ``value, low, high, coverage, samples``, ``settled`` (whether nothing more is expected of the window)
        and, if the KPI has a target, ``target``: "met", "missed" or "not known", by the bounds.
    """
    names = ["value", "low", "high", "coverage", "samples"]
    dims = [str(one) for one in data["value"].dims]
    index = pd.MultiIndex.from_product([data[one].values for one in dims], names=dims)
    columns: dict[str, object] = {one: index.get_level_values(one) for one in dims}
    columns |= {name: data[name].values.ravel() for name in names}
    ends = pd.DatetimeIndex(index.get_level_values("time")) + pd.Timedelta(parse_duration(data.attrs["every"]), "ns")
    columns["settled"] = np.asarray(ends <= data["settled_until"].values[()])
    verdict = met(data)
    if verdict is not None:
        columns["target"] = pd.Series(verdict.ravel(), dtype="str").array
    return pd.DataFrame(columns)
