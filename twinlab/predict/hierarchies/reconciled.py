"""Reconcile the forecasts of parts and totals."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.forecasting.intervals import past_errors
from twinlab.predict.forecasting.seasons import given_seasons
from twinlab.predict.hierarchies.structure import Totals, parts_of, summing_matrix
from twinlab.predict.hierarchies.weights import projection, shrunk_covariance
from twinlab.predict.predictions.schema import CANT_TELL, check_predictions, target_of
from twinlab.predict.protocol.durations import duration

__all__ = ["Method", "reconcile"]

Floats = NDArray[np.float64]
Method = Literal["mint", "wls", "ols", "bottom_up"]


def reconcile(
    data: xr.Dataset,
    totals: Totals,
    *,
    history: xr.DataArray | None = None,
    method: Method = "mint",
    span: tuple[float, float] = (-math.inf, math.inf),
) -> xr.Dataset:
    """Return predictions whose totals are the sums of their parts.

    The medians (level 0.5) add up exactly. Other quantiles stay as they were calibrated, unless the median is outside, and don't add up: all parts are rarely
    high at once, so that the 95 % quantile of a total is below the sum of those of its parts.

    Parameters
    ----------
    data : Dataset
        Predictions of a grid with a level 0.5, of all parts and totals.
    totals : mapping of str to sequence of str
        Asset that is a total -> its parts, assets or other totals.
    history : DataArray, optional
        Dims ``time, asset``, parts and totals (`add_totals`) up to the issue time, of the same cells; the errors of past forecasts of it are the weights of
        "mint" and "wls".
    method : "mint", "wls", "ols" or "bottom_up"
        Least variance with all covariances of the errors, shrunk; with variances alone; all alike; or the sums of the forecasts of the parts.
    span : (float, float)
        Least and greatest value that a part can have, such as 0 and infinity of a count.

    Returns
    -------
    Dataset
        Where a part has no number, the parts beside it keep theirs, and its totals can't tell.

    Raises
    ------
    SchemaError
        If these aren't quantiles with a median, or the history is missing, too short, or of other assets.
    UnknownTermError
        If a total or a part isn't among the assets.

    Examples
    --------
    >>> from twinlab.predict.forecasting import forecast
    >>> from twinlab.predict.hierarchies import add_totals
    >>> time = np.datetime64("2026-01-01", "ns") + np.arange(24 * 30) * np.timedelta64(1, "h")
    >>> hour = np.arange(24 * 30) * np.pi / 12
    >>> parts = xr.DataArray(np.stack([np.sin(hour), np.cos(hour)], 1), {"time": time, "asset": ["A", "B"]}, ("time", "asset"), "power")
    >>> power = add_totals(parts, {"both": ["A", "B"]})
    >>> found = reconcile(forecast(power, horizon="2h"), {"both": ["A", "B"]}, history=power).power.sel(quantile=0.5)
    >>> bool(abs(found.sel(asset=["A", "B"]).sum("asset") - found.sel(asset="both")).max() < 1e-9)
    True
    """
    values = target_of(data)
    if values.dims != ("issue_time", "lead_time", "asset", "quantile"):
        msg = f"expected quantiles with dims issue_time, lead_time, asset, quantile to reconcile, got {values.dims}"
        raise SchemaError(msg)
    middle = int(np.argmin(np.abs(data["quantile"].values - 0.5)))
    if abs(float(data["quantile"].values[middle]) - 0.5) > 1e-9:
        msg = f"expected a median, the quantile 0.5, among {data['quantile'].values.tolist()}: medians add up"
        raise SchemaError(msg)
    ids = [str(one) for one in data["asset"].values]
    parts, summing = summing_matrix(ids, totals)
    medians = values.values[..., middle]
    matrix = _matrix(method, data, ids, parts, summing=summing, history=history)
    low, high = span
    known = ~np.isnan(medians).any(axis=-1)
    bottom = medians[..., [ids.index(one) for one in parts]].copy()
    bottom[known] = np.clip(medians[known] @ matrix.T, low, high)
    # A sum over a part without a number has none: 0 * NaN.
    found = np.stack([bottom[..., row > 0].sum(axis=-1) for row in summing], axis=-1)
    # The intervals stay as they were calibrated, but for a median that is outside.
    levels = data["quantile"].values
    around = np.where(
        levels < levels[middle],
        np.minimum(values.values, found[..., None]),
        np.maximum(values.values, found[..., None]),
    )
    moved = np.where(np.arange(len(levels)) == middle, found[..., None], around)
    moved[np.isnan(values.values).any(axis=-1)] = np.nan
    # A total of a part without a number has none.
    moved[np.isnan(moved).any(axis=-1)] = np.nan
    out = data.assign({str(values.name): (values.dims, moved, values.attrs)})
    out[CANT_TELL] = _codes(data, moved, ids, totals)
    out = out.assign_attrs(reconciled=method)
    check_predictions(out)
    return out


def _matrix(
    method: str, data: xr.Dataset, ids: list[str], parts: list[str], *, summing: Floats, history: xr.DataArray | None
) -> Floats:
    """Return the matrix (part, asset) from forecasts of all assets to those of the parts.

    Raises
    ------
    SchemaError
        If the method is unknown, or needs a history that isn't there.
    """
    if method == "bottom_up":
        return np.asarray([[one == part for one in ids] for part in parts], float)
    if method == "ols":
        return projection(summing, np.eye(len(ids)))
    if method not in ("mint", "wls"):
        msg = f"expected method= 'mint', 'wls', 'ols' or 'bottom_up', got {method!r}"
        raise SchemaError(msg)
    errors = _errors(data, ids, history, method)
    covariance = shrunk_covariance(errors)
    return projection(summing, covariance if method == "mint" else np.diag(np.diag(covariance)))


def _errors(data: xr.Dataset, ids: list[str], history: xr.DataArray | None, method: str) -> Floats:
    """Return errors (case, asset) of past forecasts of the history, one cell ahead.

    Raises
    ------
    SchemaError
        If there is no history of all assets, or it is too short.
    """
    lacking = ids if history is None else [one for one in ids if one not in history["asset"].values.astype(str)]
    if history is None or lacking:
        msg = f"method={method!r} needs history=, with dims time and asset, of all parts and totals; {lacking[0]!r} is missing"
        raise SchemaError(msg)
    if bool((history["time"].values[-1:] >= data["issue_time"].values[0]).any()):
        msg = f"expected a history up to the first issue time, {data['issue_time'].values[0]}, got {history['time'].values[-1]}"
        raise SchemaError(msg)
    step = duration(str(data.attrs["step"]), what="step")
    seasons = given_seasons([one for one in str(data.attrs.get("seasons", "")).split(", ") if one], step)
    values = history.assign_coords(asset=history["asset"].values.astype(str)).sel(asset=ids)
    errors = past_errors(values.transpose("asset", "time").values.astype(float), seasons, 1)[0][0].T
    errors = np.asarray(errors[~np.isnan(errors).any(axis=1)], float)
    if len(errors) < 2:
        msg = f"expected at least two past forecasts of all assets for method={method!r}, got {len(errors)}; use method='ols' or a longer history"
        raise SchemaError(msg)
    return errors


def _codes(data: xr.Dataset, moved: Floats, ids: list[str], totals: Totals) -> xr.DataArray:
    """Return codes of "can't tell", with a reason for the totals of a part without a number."""
    before = data[CANT_TELL]
    codes, texts = before.values.copy(), list(before.attrs["reasons"])
    empty = np.isnan(moved).any(axis=-1) & (codes == 0)
    for name, parts in parts_of(totals).items():
        column = ids.index(name)
        for issued, lead in np.argwhere(empty[..., column]):
            missing = [one for one in parts if codes[issued, lead, ids.index(one)] > 0]
            text = f"{', '.join(missing[:3])}{' and more' * (len(missing) > 3)}, which {name} is a total of, can't be forecast"
            if text not in texts:
                texts.append(text)
            codes[issued, lead, column] = texts.index(text)
    return before.copy(data=codes).assign_attrs(before.attrs | {"reasons": texts})
