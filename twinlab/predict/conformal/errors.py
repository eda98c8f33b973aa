"""Errors of a fitted predictor at past issue times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import CANT_TELL, places_of, target_of
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.target import Target

__all__ = ["Columns", "Truth", "columns_of", "truth_by"]

#: ``truth(state, predictions)``: true values of the predictions' places as the state knows them, NaN where it doesn't.
Truth = Callable[[State, xr.Dataset], NDArray[np.float64]]


def truth_by(target: Target) -> Truth:
    """Return the truth of predictions of a target, on a grid."""

    def truth(state: State, data: xr.Dataset) -> NDArray[np.float64]:
        found = target.truth(state, list(data["issue_time"].values), list(data["lead_time"].values))
        return np.asarray(found.reindex(asset=data["asset"].values).values, float)

    return truth


@dataclass(frozen=True)
class Columns:
    """Predictions as columns, a row a place.

    Parameters
    ----------
    low, middle, high : array
        Bounds and median; of a point estimate all are equal. NaN where there is no number.
    issued : array of int64
        Issue time, ns.
    leads : array of int64
        Lead time, or the start of its class, ns.
    groups : array of object
    answered : array of bool
        Whether there is a number.
    """

    low: NDArray[np.float64]
    middle: NDArray[np.float64]
    high: NDArray[np.float64]
    issued: NDArray[np.int64]
    leads: NDArray[np.int64]
    groups: NDArray[np.object_]
    answered: NDArray[np.bool_]


def columns_of(data: xr.Dataset, *, group: str | Mapping[str, str] | None, lead_edges: Sequence[str] = ()) -> Columns:
    """Return predictions as columns.

    Parameters
    ----------
    data : Dataset
        Predictions of quantiles.
    group : str, mapping or None
        A coordinate such as "asset", or the group of each asset; None is one group.
    lead_edges : sequence of str
        Classes of lead times, see `twinlab.predict.score_predictions`.

    Raises
    ------
    SchemaError
        If these aren't quantiles, or a group is missing.
    """
    values = target_of(data)
    if "quantile" not in values.dims:
        msg = f"expected quantiles of {values.name!r} to put an interval around, got probabilities"
        raise SchemaError(msg)
    dims = places_of(data)
    array = values.transpose(*dims, "quantile").values
    middle = int(np.argmin(np.abs(data["quantile"].values - 0.5)))
    answered = data[CANT_TELL].values.ravel() == 0
    leads = _column(data, "lead_time").astype("timedelta64[ns]").astype("int64")
    if lead_edges:
        edges = np.array([duration(text, what="lead_edges") for text in lead_edges], "timedelta64[ns]").astype("int64")
        leads = edges[np.maximum(np.searchsorted(edges, leads, side="right") - 1, 0)]
    issued = _column(data, "issue_time").astype("datetime64[ns]").astype("int64")
    flat = array.reshape(answered.size, -1)
    return Columns(flat[:, 0], flat[:, middle], flat[:, -1], issued, leads, _groups(data, group), answered)


def _column(data: xr.Dataset, name: str) -> NDArray[np.generic]:
    dims = places_of(data)
    plain = data[name].drop_vars([one for one in data[name].coords if one not in data.dims])
    places = data[CANT_TELL].drop_vars([one for one in data[CANT_TELL].coords if one not in data.dims])
    return np.asarray(plain.broadcast_like(places).transpose(*dims).values).ravel()


def _groups(data: xr.Dataset, group: str | Mapping[str, str] | None) -> NDArray[np.object_]:
    size = data[CANT_TELL].size
    if group is None:
        return np.full(size, "all", object)
    if isinstance(group, str):
        if group not in data.coords:
            msg = f"expected group= among the coordinates {', '.join(map(str, data.coords))}, got {group!r}"
            raise SchemaError(msg)
        return _column(data, group).astype(object)
    assets = _column(data, "asset")
    lacking = [str(asset) for asset in assets if str(asset) not in group]
    if lacking:
        msg = f"expected a group of each asset in group=, none of {lacking[0]!r}"
        raise SchemaError(msg)
    return np.array([group[str(asset)] for asset in assets], object)
