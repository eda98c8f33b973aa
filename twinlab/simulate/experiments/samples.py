"""The values of one KPI per replication, taken from what a run returns, and paired by replication number."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["Better", "Pair", "better_of", "kpi_values", "pair", "sample"]

Better = Literal["higher", "lower"]
Floats = NDArray[np.float64]


def kpi_values(data: object, kpi: str | None) -> xr.DataArray:
    """Return the values of a KPI: dim ``replication``, and ``scenario`` if the data have it.

    Parameters
    ----------
    data : DataArray, Dataset, or an object with a Dataset ``kpis``
        Such as the results of `twinlab.simulate.run`.
    kpi : str, optional
        Name of the variable; not needed for a DataArray or a Dataset with one variable.

    Raises
    ------
    UnknownTermError
        If the data have no such KPI.
    SchemaError
        If the values have no dim ``replication``, or another dim than ``scenario`` beside it.
    """
    found = getattr(data, "kpis", data)
    if isinstance(found, xr.Dataset):
        found = _variable(found, kpi)
    if not isinstance(found, xr.DataArray):
        msg = f"expected a DataArray, a Dataset or results with KPIs, got {type(data).__name__}"
        raise SchemaError(msg)
    name = kpi or "the KPI" if found.name is None else str(found.name)
    over = set(found.dims) - {"scenario"}
    if over != {"replication"}:
        msg = (
            f"expected {name} with dim 'replication' (and 'scenario'), got dims {tuple(found.dims)}; reduce the others"
        )
        raise SchemaError(msg)
    if "replication" not in found.coords:
        found = found.assign_coords(replication=np.arange(found.sizes["replication"]))
    if found.get_index("replication").has_duplicates:
        msg = f"expected each replication once, got a number twice in {name}"
        raise SchemaError(msg)
    return found


def _variable(data: xr.Dataset, kpi: str | None) -> xr.DataArray:
    names = [str(name) for name, values in data.data_vars.items() if set(values.dims) - {"scenario"} == {"replication"}]
    if kpi is None:
        if len(names) != 1:
            msg = f"expected kpi= with the name of a KPI, got none; known: {', '.join(names) or 'none'}"
            raise SchemaError(msg)
        kpi = names[0]
    if kpi not in data.data_vars:
        msg = f"expected the name of a KPI, got {kpi!r}{nearest(kpi, names)}"
        raise UnknownTermError(msg)
    # The results of a run state their seed once, for all variables.
    return data[kpi].assign_attrs({name: data.attrs[name] for name in ("seed",) if name in data.attrs})


def better_of(values: xr.DataArray, better: Better | None) -> Better | None:
    """Return which direction is better: as stated, or as the attribute ``better`` says.

    Raises
    ------
    SchemaError
        If it is neither ``"higher"`` nor ``"lower"``.
    """
    found = values.attrs.get("better") if better is None else better
    if found not in ("higher", "lower", None):
        msg = f"expected better='higher' or 'lower', got {found!r}"
        raise SchemaError(msg)
    return found


@dataclass(frozen=True)
class Pair:
    """Two samples; paired ones have the same length and order.

    Parameters
    ----------
    first, second : array of float
        Values without missing ones.
    paired : bool
        Whether the i-th of both has the same replication number, hence the same random numbers.
    left_out : int
        Replications that have no value, or no partner.
    """

    first: Floats
    second: Floats
    paired: bool
    left_out: int


def sample(values: xr.DataArray, scenario: Hashable | None = None) -> xr.DataArray:
    """Return one scenario's values, dim ``replication``.

    Raises
    ------
    SchemaError
        If the values have several scenarios and none is named.
    UnknownTermError
        If there is no such scenario.
    """
    if "scenario" not in values.dims:
        return values
    names = [str(name) for name in values["scenario"].values]
    if scenario is None:
        if len(names) > 1:
            msg = f"expected one scenario, got {len(names)}: {', '.join(names)}; select one, or use compare_all"
            raise SchemaError(msg)
        return values.isel(scenario=0)
    if scenario not in names:
        msg = f"expected the name of a scenario, got {scenario!r}{nearest(str(scenario), names)}"
        raise UnknownTermError(msg)
    return values.isel(scenario=names.index(str(scenario)))


def pair(first: xr.DataArray, second: xr.DataArray, *, paired: bool | None) -> Pair:
    """Pair two samples by replication number.

    Parameters
    ----------
    first, second : DataArray, dim ``replication``
        A missing value is NaN.
    paired : bool or None
        None pairs samples that share at least two replication numbers, unless their attributes ``seed`` differ.

    Raises
    ------
    SchemaError
        If fewer than two replications are left, or units differ.
    """
    units = [str(values.attrs.get("units", "")) for values in (first, second)]
    if units[0] != units[1]:
        msg = f"expected the same unit in both scenarios, got {units[0]!r} and {units[1]!r}; convert one of them"
        raise SchemaError(msg)
    labels, at_first, at_second = np.intersect1d(first["replication"], second["replication"], return_indices=True)
    together = len(labels) >= 2 and first.attrs.get("seed") == second.attrs.get("seed") if paired is None else paired
    one, two = first.values.astype(np.float64), second.values.astype(np.float64)
    size = len(one) + len(two)
    if together:
        one, two = one[at_first], two[at_second]
        known = np.isfinite(one) & np.isfinite(two)
        one, two = one[known], two[known]
    else:
        one, two = one[np.isfinite(one)], two[np.isfinite(two)]
    if min(len(one), len(two)) < 2:
        msg = (
            f"expected at least 2 replications with a value in both scenarios, got {len(one)} and {len(two)}; run more"
        )
        raise SchemaError(msg)
    return Pair(one, two, together, size - len(one) - len(two))
