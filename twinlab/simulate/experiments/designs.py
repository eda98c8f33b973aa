"""Designs: which values of a model's parameters to simulate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TypeVar

import numpy as np
import pandas as pd
from scipy.stats import qmc

from twinlab.errors import SchemaError
from twinlab.simulate.experiments.comparing import check_options
from twinlab.simulate.experiments.intervals import paired_t
from twinlab.simulate.experiments.samples import kpi_values, sample

__all__ = ["checked_ranges", "latin_hypercube", "models_of", "responses", "sweep"]

M = TypeVar("M")
Ranges = Mapping[str, tuple[float, float]]


def sweep(values: Mapping[str, Sequence[object]]) -> pd.DataFrame:
    """Return all combinations of values of parameters (full factorial design).

    Parameters
    ----------
    values : mapping of str to sequence
        Values of each parameter.

    Returns
    -------
    DataFrame
        One row per combination, one column per parameter; the index ``scenario`` has a name for each.

    Raises
    ------
    SchemaError
        If a parameter has no value, or one twice.

    >>> sweep({"trucks": [4, 5], "shift": ["day", "night"]})
                             trucks  shift
    scenario
    trucks=4, shift=day           4    day
    trucks=4, shift=night         4  night
    trucks=5, shift=day           5    day
    trucks=5, shift=night         5  night
    """
    if not values:
        msg = "expected values of at least one parameter, got none"
        raise SchemaError(msg)
    for name, each in values.items():
        if isinstance(each, str) or not len(each) or len(set(map(repr, each))) < len(each):
            msg = f"parameter {name!r}: expected a list of different values, got {each!r}"
            raise SchemaError(msg)
    rows = [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
    names = [", ".join(f"{name}={_text(value)}" for name, value in row.items()) for row in rows]
    return pd.DataFrame(rows, index=pd.Index(names, name="scenario"))


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def checked_ranges(ranges: Ranges) -> tuple[list[str], list[tuple[float, float]]]:
    """Return names and bounds of parameters.

    Raises
    ------
    SchemaError
        If there are none, or a low isn't below its high.
    """
    if not ranges:
        msg = "expected the range of at least one parameter, got none"
        raise SchemaError(msg)
    for name, (low, high) in ranges.items():
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            msg = f"parameter {name!r}: expected (low, high) with low < high, got ({low!r}, {high!r})"
            raise SchemaError(msg)
    return list(ranges), [(float(low), float(high)) for low, high in ranges.values()]


def latin_hypercube(ranges: Ranges, *, samples: int, seed: int = 0, whole: Sequence[str] = ()) -> pd.DataFrame:
    """Return points that cover ranges of parameters evenly: each parameter has one value in each of ``samples`` equal parts.

    Parameters
    ----------
    ranges : mapping of str to (low, high)
        Range of each parameter.
    samples : int
        Number of points.
    seed : int
        Seed of the points.
    whole : sequence of str
        Parameters that are whole numbers, from low to high inclusive.

    Returns
    -------
    DataFrame
        One row per point, one column per parameter; index ``scenario`` (``"point 0"``, …).

    Raises
    ------
    SchemaError
        If a range is empty, a name in ``whole`` unknown, or there is no sample.

    >>> latin_hypercube({"rate": (30, 60), "servers": (1, 3)}, samples=3, whole=["servers"]).round(1)
              rate  servers
    scenario
    point 0   40.6        1
    point 1   32.8        3
    point 2   55.8        2
    """
    names, bounds = checked_ranges(ranges)
    unknown = sorted(set(whole) - set(names))
    if unknown or samples < 1:
        msg = (
            f"expected samples from 1 on and whole numbers among {names}, got samples={samples!r}, whole={list(whole)}"
        )
        raise SchemaError(msg)
    unit = qmc.LatinHypercube(d=len(names), rng=np.random.default_rng(seed)).random(samples)
    return _points(unit, names, bounds, whole)


def _points(
    unit: np.ndarray, names: Sequence[str], bounds: Sequence[tuple[float, float]], whole: Sequence[str]
) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {}
    for number, (name, (low, high)) in enumerate(zip(names, bounds, strict=True)):
        if name in whole:
            columns[name] = np.floor(low + unit[:, number] * (high - low + 1)).astype(np.int64).clip(max=int(high))
        else:
            columns[name] = low + unit[:, number] * (high - low)
    index = pd.Index([f"point {number}" for number in range(len(unit))], name="scenario")
    return pd.DataFrame(columns, index=index)


def models_of(design: pd.DataFrame, build: Callable[..., M]) -> dict[str, M]:
    """Return a model for each row of a design, by the row's name: what `twinlab.simulate.run` takes.

    Parameters
    ----------
    design : DataFrame
        Of this module.
    build : callable
        ``build(**parameters)`` returns a model; the columns are the parameters.

    >>> models_of(sweep({"trucks": [4, 5]}), lambda trucks: f"a model with {trucks} trucks")
    {'trucks=4': 'a model with 4 trucks', 'trucks=5': 'a model with 5 trucks'}
    """
    rows = design.to_dict("records")
    return {
        str(name): build(**{str(key): value for key, value in row.items()})
        for name, row in zip(design.index, rows, strict=True)
    }


def responses(design: pd.DataFrame, data: object, *, kpi: str | None = None, level: float = 0.95) -> pd.DataFrame:
    """Return a design with the mean of a KPI and its interval for each row.

    Parameters
    ----------
    design : DataFrame
        Of this module.
    data : DataArray, Dataset or results
        KPIs with dims ``scenario, replication``; scenarios named as the rows.
    kpi : str, optional
        Name of the KPI.
    level : float
        Confidence level of each interval.

    Raises
    ------
    SchemaError
        If the KPI has no value in a scenario, or as `compare`.
    UnknownTermError
        If a row has no scenario.

    >>> import xarray as xr
    >>> values = xr.DataArray([[3.0, 5.0, 4.0], [1.0, 2.0, 3.0]], dims=("scenario", "replication"),
    ...     coords={"scenario": ["trucks=4", "trucks=5"]}, name="delay")
    >>> responses(sweep({"trucks": [4, 5]}), values).round(2)
              trucks  mean   low  high  replications
    scenario
    trucks=4       4   4.0  1.52  6.48             3
    trucks=5       5   2.0 -0.48  4.48             3
    """
    check_options(level=level, indifference=0.0)
    values = kpi_values(data, kpi)
    rows = []
    for name in design.index:
        known = sample(values, str(name)).dropna("replication").values.astype(np.float64)
        if not len(known):
            msg = f"expected a value of {values.name} in scenario {name!r}, got none"
            raise SchemaError(msg)
        if len(known) > 1:
            found = paired_t(known, level=level)
            rows.append((found.value, found.low, found.high, len(known)))
        else:
            rows.append((float(known[0]), np.nan, np.nan, 1))
    columns = ["mean", "low", "high", "replications"]
    return design.join(pd.DataFrame(rows, index=design.index, columns=columns))
