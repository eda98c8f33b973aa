"""Which parameters of a model a KPI depends on: Sobol indices and Morris screening, by SALib."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.simulate.experiments.comparing import check_options
from twinlab.simulate.experiments.designs import Ranges, checked_ranges
from twinlab.simulate.experiments.samples import kpi_values, sample

__all__ = ["Respond", "morris", "sobol"]

#: Returns the KPI for each row of a design: one number per row, or KPIs with dims ``scenario, replication``.
Respond = Callable[[pd.DataFrame], object]


def sobol(
    ranges: Ranges, respond: Respond, *, samples: int = 256, level: float = 0.95, seed: int = 0, kpi: str | None = None
) -> xr.Dataset:
    """Return each parameter's share in a KPI's variance.

    Parameters
    ----------
    ranges : mapping of str to (low, high)
        Range of each parameter, in which all values are equally likely and independent.
    respond : callable
        Gets a DataFrame with one row per point (index ``scenario``) and one column per parameter, and returns the KPI's mean for each
        row: an array, or KPIs with dims ``scenario, replication`` such as the results of `twinlab.simulate.run`. With the same replication
        numbers everywhere, the points are compared on common random numbers.
    samples : int
        A power of two. The model is evaluated at ``samples * (parameters + 2)`` points.
    level : float
        Confidence level of the intervals (bootstrap).
    seed : int
        Seed of points and intervals.
    kpi : str, optional
        Name of the KPI, for data with several.

    Returns
    -------
    Dataset
        Dim ``parameter``: ``first`` (share of a parameter alone) and ``total`` (with all its interactions), each with ``_low`` and ``_high``.

    Raises
    ------
    ImportError
        If SALib isn't installed.
    SchemaError
        If a range is empty, ``samples`` isn't a power of two, or a point has no value.

    References
    ----------
    .. [1] Saltelli et al., "Variance based sensitivity analysis of model output", Computer Physics Communications 181, 2010.

    >>> found = sobol({"x": (0, 1), "y": (0, 1)}, lambda design: 3 * design["x"] + design["y"])
    >>> found["first"].round(1).values.tolist()
    [0.9, 0.1]
    """
    check_options(level=level, indifference=0.0)
    names, problem = _problem(ranges)
    if samples < 2 or samples & (samples - 1):
        msg = f"expected samples as a power of two, such as 256, got {samples!r}"
        raise SchemaError(msg)
    from SALib.analyze import sobol as analysis  # noqa: PLC0415  (an extra)
    from SALib.sample import sobol as sampling  # noqa: PLC0415

    points = sampling.sample(problem, samples, calc_second_order=False, seed=seed)
    values = _values(points, names, respond, kpi)
    if np.ptp(values) == 0:
        msg = f"expected a KPI that depends on a parameter, got {values[0]:g} at all {len(values)} points"
        raise SchemaError(msg)
    # SALib 1.6 takes a seed of 0 for none.
    found = analysis.analyze(problem, values, calc_second_order=False, conf_level=level, seed=seed + 1)
    variables = {}
    for name, key in (("first", "S1"), ("total", "ST")):
        variables[name] = ("parameter", found[key])
        variables[f"{name}_low"] = ("parameter", found[key] - found[f"{key}_conf"])
        variables[f"{name}_high"] = ("parameter", found[key] + found[f"{key}_conf"])
    attrs = {"points": len(values), "level": level, "seed": seed, "method": "Sobol indices (Saltelli 2010), SALib"}
    return xr.Dataset(variables, coords={"parameter": names}, attrs=attrs)


def morris(
    ranges: Ranges,
    respond: Respond,
    *,
    trajectories: int = 10,
    level: float = 0.95,
    seed: int = 0,
    kpi: str | None = None,
) -> xr.Dataset:
    """Screen many parameters with few points: which change a KPI, and which do so differently depending on others.

    Parameters
    ----------
    trajectories : int
        Number of trajectories. The model is evaluated at ``trajectories * (parameters + 1)`` points.
    ranges, respond, level, seed, kpi
        As `sobol`.

    Returns
    -------
    Dataset
        Dim ``parameter``, in the KPI's unit per range of the parameter: ``effect`` (mean of the absolute effects, Campolongo's mu*) with
        ``effect_low`` and ``effect_high``, ``signed`` (mean of the effects) and ``spread`` (their standard deviation: not linear, or
        dependent on other parameters).

    Raises
    ------
    ImportError
        If SALib isn't installed.
    SchemaError
        If a range is empty, there are fewer than two trajectories, or a point has no value.

    References
    ----------
    .. [1] Morris, "Factorial sampling plans for preliminary computational experiments", Technometrics 33, 1991.
    .. [2] Campolongo et al., "An effective screening design for sensitivity analysis of large models", 2007.

    >>> found = morris({"x": (0, 1), "y": (0, 1)}, lambda design: 3 * design["x"] - design["y"])
    >>> found["signed"].round(6).values.tolist()
    [3.0, -1.0]
    """
    check_options(level=level, indifference=0.0)
    names, problem = _problem(ranges)
    if trajectories < 2:
        msg = f"expected at least 2 trajectories, got {trajectories!r}"
        raise SchemaError(msg)
    from SALib.analyze import morris as analysis  # noqa: PLC0415  (an extra)
    from SALib.sample import morris as sampling  # noqa: PLC0415

    points = sampling.sample(problem, trajectories, num_levels=4, seed=seed)
    values = _values(points, names, respond, kpi)
    found = analysis.analyze(problem, points, values, num_levels=4, conf_level=level, seed=seed)
    effect, reach = np.asarray(found["mu_star"]), np.asarray(found["mu_star_conf"], dtype=np.float64)
    variables = {
        "effect": ("parameter", effect),
        "effect_low": ("parameter", effect - reach),
        "effect_high": ("parameter", effect + reach),
        "signed": ("parameter", np.asarray(found["mu"])),
        "spread": ("parameter", np.asarray(found["sigma"])),
    }
    attrs = {"points": len(values), "level": level, "seed": seed, "method": "Morris screening, SALib"}
    return xr.Dataset(variables, coords={"parameter": names}, attrs=attrs)


def _problem(ranges: Ranges) -> tuple[list[str], dict[str, Any]]:
    names, bounds = checked_ranges(ranges)
    if importlib.util.find_spec("SALib") is None:
        msg = 'expected the package SALib, which isn\'t installed; run: pip install "twinlab-kit[simulate]"'
        raise ImportError(msg)
    return names, {"num_vars": len(names), "names": names, "bounds": [list(each) for each in bounds]}


def _values(points: NDArray[np.float64], names: list[str], respond: Respond, kpi: str | None) -> NDArray[np.float64]:
    index = pd.Index([f"point {number}" for number in range(len(points))], name="scenario")
    design = pd.DataFrame(points, columns=names, index=index)
    found = respond(design)
    if isinstance(found, xr.Dataset | xr.DataArray) or hasattr(found, "kpis"):
        data = kpi_values(found, kpi)
        values = np.array([float(sample(data, name).mean()) for name in design.index])
    else:
        values = np.asarray(found, dtype=np.float64)
    if values.shape != (len(design),) or not np.isfinite(values).all():
        lacking = int((~np.isfinite(values)).sum()) if values.shape == (len(design),) else values.shape
        msg = f"expected a number for each of {len(design)} points, got {lacking} {'missing' if isinstance(lacking, int) else 'as shape'}"
        raise SchemaError(msg)
    return values
