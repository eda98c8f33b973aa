"""Predictions of single events, such as the arrival of a flight: a list of cases in place of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import CANT_TELL, CASES, attributes, check_predictions, encoded
from twinlab.predict.protocol.predictor import CantTell, Fitted
from twinlab.predict.protocol.state import State

__all__ = ["event_predictions"]


def event_predictions(
    values: NDArray[np.float64],
    *,
    state: State,
    fitted: Fitted,
    target: str,
    units: str,
    event_ids: Sequence[str],
    assets: Sequence[str],
    lead_times: ArrayLike,
    quantiles: Sequence[float] = (),
    refused: Mapping[int, CantTell] | None = None,
    coords: Mapping[str, ArrayLike] | None = None,
    attrs: Mapping[str, object] | None = None,
) -> xr.Dataset:
    """Return predictions of events, issued at one instant.

    Parameters
    ----------
    values : array (case,) or (case, quantile)
        Without ``quantiles`` a probability. NaN where it can't tell.
    state, fitted, target, units, quantiles, attrs
        As in `twinlab.predict.predictions.schema.predictions`.
    event_ids, assets : sequence of str
        Of each case; an event is predicted once.
    lead_times : array of timedelta64
        Of each case, such as the span until the planned start.
    refused : mapping of int to CantTell
        Reasons by place.
    coords : mapping, optional
        Further coordinates of the cases, by which scores can be grouped.

    Returns
    -------
    Dataset
        Dims ``case`` and, of a value, ``quantile``; coordinates ``issue_time, lead_time, asset, event_id`` of each case.

    Raises
    ------
    SchemaError
        If lengths differ, an event comes twice, or the values don't follow the schema.
    """
    count = len(event_ids)
    shape = (count, len(quantiles)) if quantiles else (count,)
    leads = np.asarray(lead_times, "timedelta64[ns]")
    if values.shape != shape or len(assets) != count or leads.shape != (count,):
        msg = f"expected predictions of {target!r} of shape {shape} with an asset and a lead time each, got {values.shape}"
        raise SchemaError(msg)
    if len(set(event_ids)) != count:
        msg = f"expected each event once in predictions of {target!r} of one issue time"
        raise SchemaError(msg)
    missing = np.asarray(np.isnan(values).any(axis=-1) if quantiles else np.isnan(values), bool)
    codes, texts = encoded(missing, {(place,): one for place, one in (refused or {}).items()}, fitted.name)
    values = np.where((codes > 0)[:, None] if quantiles else codes > 0, np.nan, values)
    given: dict[str, Any] = {
        "issue_time": np.full(count, state.issue_time, "datetime64[ns]"),
        "lead_time": leads,
        "asset": np.array(list(assets), object),
        "event_id": np.array(list(event_ids), object),
        **{name: np.asarray(one) for name, one in (coords or {}).items()},
    }
    axes: dict[str, Any] = {name: (CASES, one) for name, one in given.items()}
    if quantiles:
        axes["quantile"] = np.array(quantiles, float)
    dims = (*CASES, "quantile") if quantiles else CASES
    kind = "quantiles" if quantiles else "probability"
    out = xr.Dataset(
        {target: (dims, values, {"units": units, "kind": kind}), CANT_TELL: (CASES, codes, {"reasons": texts})},
        coords=axes,
        attrs=attributes(state, fitted, target, attrs),
    )
    check_predictions(out)
    return out
