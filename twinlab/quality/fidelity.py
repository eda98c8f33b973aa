"""How well signals match the truth, as numbers with units, where the truth is known: a plant's, or a reference instrument's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import UnitError, UnknownTermError
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest
from twinlab.model.units.conversions import convert

__all__ = ["arrival_delays", "signal_fidelity"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_FLAGGED = (int(Flag.SUSPECT), int(Flag.FAIL))
#: Errors that exceed a tolerance by less than rounding errors of doubles don't exceed it.
_SLACK = 1 + 1e-6


def signal_fidelity(
    history: xr.Dataset,
    truth: xr.Dataset,
    *,
    tolerances: Mapping[str, float] | None = None,
    by_asset: bool = False,
) -> pd.DataFrame:
    """Return how well the signals of a history match their true values: error, coverage, and what the flags say about it.

    Parameters
    ----------
    history : Dataset
        Signals with dims ``time, asset``, and flags ``<signal>_qc`` where there are any, as `Twin.history` returns them.
    truth : Dataset
        True values of some of these signals, dims ``time, asset``; NaN where the truth says nothing. Values in another unit
        than the history's (attribute ``units``) are converted. All its cells count: those that the history lacks lower the
        coverage.
    tolerances : mapping of str to float, optional
        Signal -> largest error that isn't wrong, in the signal's unit; by default the attribute ``resolution``, or 0.
    by_asset : bool
        Return a row for each asset of a signal.

    Returns
    -------
    DataFrame
        Index ``signal``, or ``signal, asset``. Columns: ``unit`` of the errors; ``cells`` with a true value, ``compared``:
        those of which the history has a value, too, ``coverage``: their share; ``bias, mae, rmse, p99, max`` of the error, NaN
        for states; ``tolerance``; ``wrong``: share of the compared cells with a larger error, or another state; ``flagged``:
        share that is flagged suspect or fail; ``wrong_flagged``: share of the wrong cells that is flagged; ``max_unflagged``:
        largest error of a cell that isn't flagged.

    Raises
    ------
    UnknownTermError
        If the history has no such signal, or a tolerance is of none.
    UnitError
        If the unit of a true signal can't be converted.

    Examples
    --------
    >>> import numpy as np, pandas as pd, xarray as xr
    >>> coords = {"time": pd.date_range("2026-03-01", periods=3, freq="1min"), "asset": ["R1"]}
    >>> about = {"units": "degC", "resolution": 0.1}
    >>> truth = xr.Dataset({"temperature": (("time", "asset"), [[4.0], [4.1], [4.2]], about)}, coords)
    >>> history = xr.Dataset(
    ...     {"temperature": (("time", "asset"), [[4.0], [39.4], [np.nan]], about),
    ...      "temperature_qc": (("time", "asset"), [[1], [3], [9]])}, coords)
    >>> found = signal_fidelity(history, truth).loc["temperature"]
    >>> found[["compared", "coverage", "max", "wrong", "wrong_flagged", "max_unflagged"]].round(2).to_dict()
    {'compared': 2, 'coverage': 0.67, 'max': 35.3, 'wrong': 0.5, 'wrong_flagged': 1.0, 'max_unflagged': 0.0}
    """
    stated = dict(tolerances or {})
    for name in [*map(str, truth.data_vars), *stated]:
        if name not in history or name not in truth:
            known = [str(one) for one in truth.data_vars if one in history]
            msg = f"fidelity: expected signals of both the history and the truth, got {name!r}{nearest(name, known)}"
            raise UnknownTermError(msg)
    same_grid = history.reindex(time=truth.time, asset=truth.asset)
    assets = [str(one) for one in truth.asset.values]
    keys: list[tuple[str, ...]] = []
    rows: list[dict[str, object]] = []
    for name in map(str, truth.data_vars):
        about = history[name].attrs
        given = _array(same_grid[name])
        true = _in_unit_of(name, _array(truth[name]), truth[name].attrs, about)
        flags = _array(same_grid[f"{name}_qc"]) if f"{name}_qc" in history else np.full(true.shape, float(Flag.PASS))
        flagged = np.isin(flags, _FLAGGED)
        state = about.get("kind") == "state"
        tolerance = 0.0 if state else stated.get(name, float(about.get("resolution") or 0.0))
        unit = "" if state else str(about.get("units", ""))
        parts = [(asset, slice(at, at + 1)) for at, asset in enumerate(assets)] if by_asset else [("", slice(None))]
        for asset, at in parts:
            keys.append((name, asset))
            scores = _scores(given[:, at], true[:, at], flagged[:, at], tolerance, state=state)
            rows.append({"unit": unit, **scores})
    index = pd.MultiIndex.from_tuples(keys, names=["signal", "asset"])
    found = pd.DataFrame(rows, index=index, columns=["unit", *_COLUMNS])
    return found if by_asset else found.droplevel("asset")


_COLUMNS = (
    "cells", "compared", "coverage", "bias", "mae", "rmse", "p99", "max", "tolerance", "wrong", "flagged", "wrong_flagged",
    "max_unflagged",
)  # fmt: skip


def _scores(given: Floats, true: Floats, flagged: Bools, tolerance: float, *, state: bool) -> dict[str, float | int]:
    """Return the columns of a table of fidelity for some cells, arrays of the same shape."""
    cells, both = ~np.isnan(true), ~np.isnan(true) & ~np.isnan(given)
    error, flags = given[both] - true[both], flagged[both]
    size = np.abs(error)
    wrong = size > tolerance * _SLACK
    found: dict[str, float | int] = {
        "cells": int(cells.sum()), "compared": len(error), "coverage": _share(int(both.sum()), int(cells.sum())),
        "tolerance": tolerance, "wrong": _share(int(wrong.sum()), len(error)),
        "flagged": _share(int(flags.sum()), len(error)),
        "wrong_flagged": _share(int((wrong & flags).sum()), int(wrong.sum())),
    }  # fmt: skip
    if len(error) and not state:
        found |= {
            "bias": float(error.mean()), "mae": float(size.mean()), "rmse": float(np.sqrt((error**2).mean())),
            "p99": float(np.quantile(size, 0.99)), "max": float(size.max()),
        }  # fmt: skip
        if not flags.all():
            found["max_unflagged"] = float(size[~flags].max())
    return found


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _array(values: xr.DataArray) -> Floats:
    found: Floats = values.transpose("time", "asset").to_numpy().astype(np.float64)
    return found


def _in_unit_of(name: str, true: Floats, given: Mapping[str, object], wanted: Mapping[str, object]) -> Floats:
    source, target = given.get("units"), wanted.get("units")
    if source is None or target is None or source == target:
        return true
    try:
        return convert(true, str(source), str(target))
    except UnitError as error:
        msg = f"fidelity: the truth of {name!r} is in {source!r}, which can't be converted to {target!r}: {error}"
        raise UnitError(msg) from error


def arrival_delays(arrivals: pd.DataFrame, truth: pd.DataFrame, *, within: np.timedelta64) -> pd.DataFrame:
    """Return how long after each true row its first observation arrived, in seconds.

    Parameters
    ----------
    arrivals : DataFrame
        ``asset, signal, time`` (of the event), ``ingest_time``: observations.
    truth : DataFrame
        ``asset, time`` of true rows, and ``recorded``: when each of them happened by the clock that ``ingest_time`` is of; without
        this column ``time``.
    within : timedelta
        An observation is of the last true row that isn't later than it and at most so much earlier. One that arrived before the
        row happened, such as a poll of a moment earlier, isn't of it.

    Returns
    -------
    DataFrame
        ``asset, signal, time`` of the true row, ``delay`` (s). True rows without an observation aren't in it.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> at = lambda *times: pd.to_datetime(list(times)).astype("datetime64[ns]")
    >>> truth = pd.DataFrame({"asset": ["a", "a"], "time": at("2026-03-01T00:00", "2026-03-01T00:01")})
    >>> arrivals = pd.DataFrame({"asset": "a", "signal": "speed", "time": at("2026-03-01T00:00:10", "2026-03-01T00:00:20"),
    ...                          "ingest_time": at("2026-03-01T00:00:11", "2026-03-01T00:00:21")})
    >>> arrival_delays(arrivals, truth, within=np.timedelta64(1, "m"))["delay"].tolist()
    [11.0]
    """
    happened = truth["recorded"] if "recorded" in truth else truth["time"]
    rows = pd.DataFrame({"asset": truth["asset"], "true_time": truth["time"], "happened": happened})
    rows = rows.drop_duplicates(["asset", "true_time"]).sort_values("true_time")
    found = pd.merge_asof(
        arrivals.sort_values("time"), rows, left_on="time", right_on="true_time", by="asset", tolerance=pd.Timedelta(within)
    ).dropna(subset=["true_time"])  # fmt: skip
    found["delay"] = (found["ingest_time"] - found["happened"]).dt.total_seconds()
    first: pd.Series[float] = found[found["delay"] >= 0].groupby(["asset", "signal", "true_time"])["delay"].min()
    return first.rename_axis(index={"true_time": "time"}).reset_index()
