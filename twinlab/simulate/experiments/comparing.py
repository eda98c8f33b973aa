"""Compare two scenarios on one KPI."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.experiments.comparison import Comparison, verdict_of
from twinlab.simulate.experiments.intervals import (
    Floats,
    Interval,
    bootstrap,
    more_needed,
    newcombe,
    newcombe_paired,
    paired_t,
    welch,
    wilson,
)
from twinlab.simulate.experiments.samples import Better, Pair, better_of, kpi_values, pair, sample

__all__ = ["Method", "compare", "compared"]

Method = Literal["auto", "t", "bootstrap", "rate"]
#: Probability with which the estimated number of replications gives a verdict.
POWER = 0.8


def compare(
    a: object,
    b: object,
    *,
    kpi: str | None = None,
    better: Better | None = None,
    level: float = 0.95,
    method: Method = "auto",
    indifference: float = 0.0,
    paired: bool | None = None,
    seed: int = 0,
) -> Comparison:
    """Say whether scenario ``b`` is better or worse than scenario ``a``, or that the replications don't show it.

    Parameters
    ----------
    a, b : DataArray, Dataset or results
        KPIs of one scenario each, dim ``replication``. The names are their coordinates ``scenario``, or ``"a"`` and ``"b"``.
    kpi : str, optional
        Name of the KPI, for data with several.
    better : "higher" or "lower", optional
        Which is better; by default the KPI's attribute ``better``.
    level : float
        Confidence level of the interval.
    method : "auto", "t", "bootstrap" or "rate"
        Student's t; the studentised bootstrap, for skewed KPIs and few replications; Newcombe's interval, for KPIs that are true
        or false in each replication. By default ``"rate"`` for booleans and ``"t"`` for numbers.
    indifference : float
        Smallest difference that matters, in the KPI's unit. The verdict is ``"no difference"`` if the whole interval is smaller.
        If no replication differs, the interval of a KPI that is a number has no width, though a rare event may not have come yet: for
        events in fewer than 3 of ``n`` replications, compare rates.
    paired : bool, optional
        Pair the replications by number, as common random numbers allow. By default they are, unless the data state different
        seeds (attribute ``seed``) or share fewer than two numbers; then the samples are independent (Welch). Pairing independent
        samples of equal numbers is valid, too, it only gives wider intervals.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    SchemaError
        If fewer than two replications have a value in both, units differ, or an argument doesn't fit.
    UnknownTermError
        If there is no such KPI.

    >>> a = xr.DataArray([5.0, 7.0, 6.0, 9.0], dims="replication", name="delay", attrs={"units": "min", "better": "lower"})
    >>> compare(a, a - [1.0, 1.2, 0.9, 1.1], better="lower")
    delay: b is better than a; difference -1.05 (95 % interval -1.255 to -0.8446 min)
    4 replications of each, paired by common random numbers, Student's t.
    """
    first, second = (sample(kpi_values(data, kpi)) for data in (a, b))
    names = [_name(values, default) for values, default in ((first, "a"), (second, "b"))]
    return compared(
        first,
        second,
        names=(names[0], names[1]),
        better=better_of(first, better),
        level=level,
        interval_level=level,
        method=method,
        indifference=indifference,
        paired=paired,
        seed=seed,
    )


def _name(values: xr.DataArray, default: str) -> str:
    scenario: Hashable = values["scenario"].item() if "scenario" in values.coords else default
    return str(scenario)


def compared(
    first: xr.DataArray,
    second: xr.DataArray,
    *,
    names: tuple[str, str],
    better: Better | None,
    level: float,
    interval_level: float,
    method: Method,
    indifference: float,
    paired: bool | None,
    seed: int,
) -> Comparison:
    """Compare two samples; ``interval_level`` is the level of each interval, ``level`` that of the family."""
    check_options(level=level, indifference=indifference, method=method)
    chosen = ("rate" if first.dtype == second.dtype == bool else "t") if method == "auto" else method
    both = pair(first, second, paired=paired)
    found = _interval(both, chosen, interval_level, seed)
    verdict = verdict_of(found.low, found.high, better=better, indifference=indifference)
    size = min(len(both.first), len(both.second))
    more: int | None = 0
    if verdict == "can't tell":
        more = more_needed(found, replications=size, level=interval_level, indifference=indifference, power=POWER)
    low_a, high_a = _own_interval(both.first, chosen, level)
    low_b, high_b = _own_interval(both.second, chosen, level)
    apart = both.first.var(ddof=1) + both.second.var(ddof=1)
    together = (both.second - both.first).var(ddof=1) if both.paired else np.nan
    return Comparison(
        a=names[0],
        b=names[1],
        kpi=str(first.attrs.get("long_name", "KPI" if first.name is None else first.name)),
        units=str(first.attrs.get("units", "")),
        difference=found.value,
        low=found.low,
        high=found.high,
        level=level,
        verdict=verdict,
        p_value=found.p_value,
        mean_a=float(both.first.mean()),
        low_a=low_a,
        high_a=high_a,
        mean_b=float(both.second.mean()),
        low_b=low_b,
        high_b=high_b,
        better=better,
        indifference=indifference,
        method=chosen,
        paired=both.paired,
        replications=size,
        left_out=both.left_out,
        more_replications=more,
        saved_by_pairing=float(apart / together) if together > 0 else np.nan,
    )


def check_options(*, level: float, indifference: float, method: str = "auto") -> None:
    """Check what several functions of this package take.

    Raises
    ------
    SchemaError
        If the level isn't between 0 and 1, the difference is negative, or the method isn't known.
    """
    if not 0.0 < level < 1.0:
        msg = f"expected a level between 0 and 1, such as 0.95, got {level!r}"
        raise SchemaError(msg)
    if not indifference >= 0.0:
        msg = f"expected an indifference of 0 or more, in the KPI's unit, got {indifference!r}"
        raise SchemaError(msg)
    if method not in ("auto", "t", "bootstrap", "rate"):
        msg = f"expected method 'auto', 't', 'bootstrap' or 'rate', got {method!r}"
        raise SchemaError(msg)


def _interval(both: Pair, method: str, level: float, seed: int) -> Interval:
    first, second = both.first, both.second
    if method == "rate":
        if not np.isin(np.concatenate([first, second]), (0.0, 1.0)).all():
            msg = "expected a KPI that is true or false (1 or 0) in each replication for method 'rate'; use method='t'"
            raise SchemaError(msg)
        return (newcombe_paired if both.paired else newcombe)(first, second, level=level)
    if method == "bootstrap":
        if both.paired:
            return bootstrap(None, second - first, level=level, seed=seed)
        return bootstrap(first, second, level=level, seed=seed)
    return paired_t(second - first, level=level) if both.paired else welch(first, second, level=level)


def _own_interval(values: Floats, method: str, level: float) -> tuple[float, float]:
    if method == "rate":
        return wilson(float(values.sum()), len(values), level=level)
    found = paired_t(values, level=level)
    return found.low, found.high
