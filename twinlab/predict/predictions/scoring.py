"""Predictions with their true values: a table of scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import CANT_TELL, GRID, target_of
from twinlab.predict.scores.binary import auc, brier
from twinlab.predict.scores.point import mae, rmse
from twinlab.predict.scores.quantiles import coverage, crps, interval_width, pinball

__all__ = ["long_table", "score_predictions"]


def score_predictions(
    data: xr.Dataset,
    truth: xr.DataArray,
    *,
    by: Sequence[str] = ("lead_time",),
    groups: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return scores of predictions whose true values are known.

    Parameters
    ----------
    data : Dataset
        Predictions.
    truth : DataArray
        Dims ``issue_time, lead_time, asset``, NaN where it isn't known; joined by coordinates.
    by : sequence of str
        Rows of the table, among ``lead_time, issue_time, asset, group``; empty for one row.
    groups : mapping of asset to group, optional
        Needed for ``by=("group",)``.

    Returns
    -------
    DataFrame
        A row for each value of ``by``. Columns ``cases`` (with number and true value), ``cant_tell`` (share without a number), then of a value
        ``mae, rmse, bias`` (of the median), ``pinball, crps`` and, with two levels that are symmetric, ``interval`` (the promised share),
        ``coverage`` and ``width`` of the widest; of a probability ``auc, brier, predicted`` and ``observed``.

    Raises
    ------
    SchemaError
        If ``by`` has another name, or a group is missing.
    """
    unknown = [name for name in by if name not in (*GRID, "group")]
    if unknown:
        msg = f"expected by= among {', '.join(GRID)} and group, got {unknown[0]!r}"
        raise SchemaError(msg)
    values = target_of(data)
    grid = {name: data[name] for name in GRID}
    true = truth.reindex(grid).transpose(*GRID).values.ravel()
    array = values.values.reshape(true.size, -1)
    refused = data[CANT_TELL].values.ravel() > 0
    levels = data["quantile"].values if "quantile" in data.dims else None
    keys = _keys(data, by, groups)
    rows = []
    for key, place in keys:
        rows.append({**key, **_scores(array[place], true[place], refused[place], levels)})
    return pd.DataFrame(rows)


def _keys(
    data: xr.Dataset, by: Sequence[str], groups: Mapping[str, str] | None
) -> list[tuple[dict[str, object], NDArray[np.intp]]]:
    """Return the values of ``by`` and the places of their cases."""
    shape = tuple(data.sizes[name] for name in GRID)
    places = np.arange(int(np.prod(shape)))
    if not by:
        return [({}, places)]
    columns: dict[str, NDArray[np.generic]] = {}
    for name in by:
        if name == "group":
            ids = [str(asset) for asset in data["asset"].values]
            lacking = [asset for asset in ids if asset not in (groups or {})]
            if lacking:
                msg = f"expected a group for each asset in groups=, none for {lacking[0]!r}"
                raise SchemaError(msg)
            labels = np.array([(groups or {})[asset] for asset in ids], object)
            columns[name] = np.broadcast_to(labels, shape).ravel()
        else:
            at = GRID.index(name)
            one = data[name].values.reshape([-1 if k == at else 1 for k in range(3)])
            columns[name] = np.broadcast_to(one, shape).ravel()
    found = pd.DataFrame(columns).groupby(list(by), sort=True).indices
    out = []
    for key, place in found.items():
        parts = key if isinstance(key, tuple) else (key,)
        out.append((dict(zip(by, parts, strict=True)), np.asarray(place, np.intp)))
    return out


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
    """Return predictions as a table: a row for each issue time, lead time and asset.

    Returns
    -------
    DataFrame
        Columns ``issue_time, lead_time, valid_time, asset``, one for each quantile (``q0.05``) or ``probability``, ``reason``, and ``true`` with
        ``truth``.
    """
    values, codes = target_of(data), data[CANT_TELL]
    shape = tuple(data.sizes[name] for name in GRID)
    when, ahead, which = np.indices(shape).reshape(3, -1)
    out: dict[str, object] = {
        "issue_time": data["issue_time"].values[when],
        "lead_time": data["lead_time"].values[ahead],
        "valid_time": data["issue_time"].values[when] + data["lead_time"].values[ahead],
        "asset": data["asset"].values[which],
    }
    array = values.values.reshape(len(when), -1)
    names = [f"q{level:g}" for level in data["quantile"].values] if "quantile" in data.dims else ["probability"]
    out |= {name: array[:, k] for k, name in enumerate(names)}
    out["reason"] = np.array(list(codes.attrs["reasons"]), object)[codes.values.ravel()]
    if truth is not None:
        out["true"] = truth.reindex({name: data[name] for name in GRID}).transpose(*GRID).values.ravel()
    return pd.DataFrame(out)
