"""Predictions with their true values: a table of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import CANT_TELL, places_of, target_of
from twinlab.predict.protocol.durations import duration
from twinlab.predict.scores.binary import auc, brier, reliability
from twinlab.predict.scores.point import mae, rmse
from twinlab.predict.scores.quantiles import coverage, crps, interval_width, pinball

__all__ = ["long_table", "reliability_table", "score_predictions", "true_values"]


def score_predictions(
    data: xr.Dataset,
    truth: xr.DataArray,
    *,
    by: Sequence[str] = ("lead_time",),
    groups: Mapping[str, str] | None = None,
    lead_edges: Sequence[str] = (),
) -> pd.DataFrame:
    """Return scores of predictions whose true values are known.

    Parameters
    ----------
    data : Dataset
        Predictions.
    truth : DataArray
        Dims ``issue_time, lead_time, asset``, NaN where it isn't known; joined by coordinates. Of events: dim ``case``, joined by
        its coordinates ``issue_time`` and ``event_id``, or ``event_id``.
    by : sequence of str
        Rows of the table, among ``lead_time, issue_time, asset, group`` and, of events, other coordinates of the cases; empty for one row.
    groups : mapping of asset to group, optional
        Needed for ``by=("group",)``.
    lead_edges : sequence of str
        Lead times are put into classes from each of these durations to the next, such as ``("0h", "2h", "6h")``; a row has the start of its
        class. Needed for events, whose lead times differ.

    Returns
    -------
    DataFrame
        A row for each value of ``by``. Columns ``cases`` (with number and true value), ``cant_tell`` (share without a number), then of a value
        ``mae, rmse, bias`` (of the median), ``pinball, crps`` and, with two levels that are symmetric, ``interval`` (the promised share),
        ``coverage`` and ``width`` of the widest; of a probability ``auc, brier, predicted`` and ``observed``.

    Raises
    ------
    SchemaError
        If ``by`` has another name, a group is missing, or the truth has other dims.
    """
    values = target_of(data)
    true = true_values(data, truth).ravel()
    array = values.values.reshape(true.size, -1)
    refused = data[CANT_TELL].values.ravel() > 0
    levels = data["quantile"].values if "quantile" in data.dims else None
    keys = _keys(data, by, groups, lead_edges)
    rows = []
    for key, place in keys:
        rows.append({**key, **_scores(array[place], true[place], refused[place], levels)})
    return pd.DataFrame(rows)


def reliability_table(data: xr.Dataset, truth: xr.DataArray, *, bins: int = 10) -> pd.DataFrame:
    """Return predicted probabilities against how often it happened, see `twinlab.predict.scores.binary.reliability`.

    Parameters
    ----------
    data : Dataset
        Predictions of kind "probability"; places without a number or a true value are left out.
    truth : DataArray
        As in `score_predictions`.
    bins : int
        Bins of equal width.

    Raises
    ------
    SchemaError
        If the predictions aren't probabilities.
    """
    values = target_of(data)
    if values.attrs["kind"] != "probability":
        msg = f"expected probabilities of {values.name!r}, got {values.attrs['kind']}; score_predictions has the coverage of intervals"
        raise SchemaError(msg)
    return reliability(values.values.ravel(), true_values(data, truth).ravel(), bins=bins)


def true_values(data: xr.Dataset, truth: xr.DataArray) -> NDArray[np.float64]:
    """Return true values in the order of predictions.

    Raises
    ------
    SchemaError
        If they have other dims, or another number of cases.
    """
    dims = places_of(data)
    if dims == ("case",):
        if truth.dims == ("event_id",):
            return np.asarray(truth.reindex(event_id=data["event_id"].values).values, float)
        if truth.dims == dims and {"issue_time", "event_id"} <= set(truth.coords):
            known, wanted = (
                pd.MultiIndex.from_arrays([one["issue_time"].values, one["event_id"].values]) for one in (truth, data)
            )
            return np.asarray(pd.Series(truth.values, known).reindex(wanted), float)
        if truth.dims != dims or truth.sizes["case"] != data.sizes["case"]:
            msg = (
                f"expected true values of {data.sizes['case']} cases, or with the dim event_id; got {dict(truth.sizes)}"
            )
            raise SchemaError(msg)
        if "event_id" in truth.coords and not np.array_equal(truth["event_id"].values, data["event_id"].values):
            msg = "expected true values of the same events in the same order; give them the dim event_id"
            raise SchemaError(msg)
        return np.asarray(truth.values, float)
    if set(truth.dims) != set(dims):
        msg = f"expected true values with dims {', '.join(dims)}, got {', '.join(map(str, truth.dims))}"
        raise SchemaError(msg)
    return np.asarray(truth.reindex({name: data[name] for name in dims}).transpose(*dims).values, float)


def _keys(
    data: xr.Dataset, by: Sequence[str], groups: Mapping[str, str] | None, lead_edges: Sequence[str]
) -> list[tuple[dict[str, object], NDArray[np.intp]]]:
    """Return the values of ``by`` and the places of their cases."""
    dims = places_of(data)
    shape = tuple(data.sizes[name] for name in dims)
    if not by:
        return [({}, np.arange(int(np.prod(shape))))]
    columns: dict[str, NDArray[np.generic]] = {}
    for name in by:
        label = _labels(data, name, groups)
        if name == "lead_time" and lead_edges:
            label = label.copy(data=_classes(label.values, lead_edges))
        if not set(label.dims) <= set(dims):
            msg = f"expected by= among coordinates of {', '.join(dims)}, got {name!r}"
            raise SchemaError(msg)
        columns[name] = label.broadcast_like(data[CANT_TELL]).transpose(*dims).values.ravel()
    found = pd.DataFrame(columns).groupby(list(by), sort=True, observed=True).indices
    out = []
    for key, place in found.items():
        parts = key if isinstance(key, tuple) else (key,)
        out.append((dict(zip(by, parts, strict=True)), np.asarray(place, np.intp)))
    return out


def _labels(data: xr.Dataset, name: str, groups: Mapping[str, str] | None) -> xr.DataArray:
    """Return the coordinate that a row is for, or the group of each asset."""
    if name != "group":
        if name not in data.coords:
            msg = f"expected by= among {', '.join(map(str, data.coords))} and group, got {name!r}"
            raise SchemaError(msg)
        return data[name].drop_vars([one for one in data[name].coords if one not in data.dims])
    lacking = [str(asset) for asset in data["asset"].values if str(asset) not in (groups or {})]
    if lacking:
        msg = f"expected a group for each asset in groups=, none for {lacking[0]!r}"
        raise SchemaError(msg)
    ids = data["asset"]
    return xr.DataArray(np.array([(groups or {})[str(asset)] for asset in ids.values], object), dims=ids.dims)


def _classes(leads: NDArray[np.timedelta64], edges: Sequence[str]) -> NDArray[np.timedelta64]:
    """Return the start of the class of each lead time; NaT before the first one."""
    starts = np.array([duration(text, what="lead_edges") for text in edges], "timedelta64[ns]")
    if len(starts) > 1 and not bool((starts[1:] > starts[:-1]).all()):
        msg = f"expected rising lead_edges, got {list(edges)}"
        raise SchemaError(msg)
    place = np.searchsorted(starts, leads, side="right") - 1
    return np.where(place >= 0, starts[place], np.timedelta64("NaT", "ns"))


def _scores(
    array: NDArray[np.float64],
    true: NDArray[np.float64],
    refused: NDArray[np.bool_],
    levels: NDArray[np.float64] | None,
) -> dict[str, float]:
    known = ~(np.isnan(true) | refused)
    out: dict[str, float] = {
        "cases": int(known.sum()),
        "cant_tell": float(refused.mean()) if refused.size else float("nan"),
    }
    array, true = array[known], true[known]
    if levels is None:
        p = array[:, 0]
        share = (float(p.mean()), float(true.mean())) if p.size else (float("nan"), float("nan"))
        return {**out, "auc": auc(p, true), "brier": brier(p, true), "predicted": share[0], "observed": share[1]}
    middle = array[:, int(np.argmin(np.abs(levels - 0.5)))]
    scores: dict[str, Callable[[], float]] = {
        "mae": lambda: mae(middle, true),
        "rmse": lambda: rmse(middle, true),
        "bias": lambda: float((middle - true).mean()) if true.size else float("nan"),
        "pinball": lambda: pinball(array, true, levels),
        "crps": lambda: crps(array, true, levels),
    }
    out |= {name: score() for name, score in scores.items()}
    if len(levels) > 1 and abs(levels[0] + levels[-1] - 1.0) < 1e-9:
        low, high = array[:, 0], array[:, -1]
        out |= {
            "interval": float(levels[-1] - levels[0]),
            "coverage": coverage(low, high, true),
            "width": interval_width(low, high),
        }
    return out


def long_table(data: xr.Dataset, truth: xr.DataArray | None = None) -> pd.DataFrame:
    """Return predictions as a table: a row for each issue time, lead time and asset, or event.

    Returns
    -------
    DataFrame
        Columns ``issue_time, lead_time, asset, valid_time`` (and ``event_id``), one for each quantile (``q0.05``) or ``probability``, ``reason``, and ``true`` with
        ``truth``.
    """
    values, codes = target_of(data), data[CANT_TELL]
    dims = places_of(data)
    codes_of = codes.drop_vars([name for name in codes.coords if name not in data.dims])
    out: dict[str, object] = {}
    for name in ("issue_time", "lead_time", "asset", *(("event_id",) if dims == ("case",) else ())):
        out[name] = _labels(data, name, None).broadcast_like(codes_of).transpose(*dims).values.ravel()
    out["valid_time"] = out["issue_time"] + out["lead_time"]  # type: ignore[operator]  # arrays
    array = values.values.reshape(codes.size, -1)
    names = [f"q{level:g}" for level in data["quantile"].values] if "quantile" in data.dims else ["probability"]
    out |= {name: array[:, k] for k, name in enumerate(names)}
    out["reason"] = np.array(list(codes.attrs["reasons"]), object)[codes.values.ravel()]
    if truth is not None:
        out["true"] = true_values(data, truth).ravel()
    return pd.DataFrame(out)
