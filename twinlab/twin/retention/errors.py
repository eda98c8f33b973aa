"""What a removal changes: the share of time that a gauge is beyond its limit, day by day, and the exceptions that are found.

After a removal, a share is computed from the cells that are left and, for hours without, from the stored mean of the hour: so it
is known to whole hours only. The error is the difference to the share that all cells give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.history.read.direct import computed
from twinlab.model.expressions import bound
from twinlab.model.flags import Flag
from twinlab.twin.retention.kept import rules_of_gauges

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.expressions.syntax import ComparisonOperator
    from twinlab.model.reader import TwinReader

__all__ = ["ErrorEstimate", "Limit", "limits_of", "mean_error", "missed_exceptions", "shares_beyond"]

_DAY, _HOUR = 86_400 * 10**9, 3_600 * 10**9
_RESAMPLES = 400
#: Operators of limits, and with the sides exchanged.
_TURNED: dict[ComparisonOperator, ComparisonOperator] = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


@dataclass(frozen=True)
class Limit:
    """A gauge and the value that it is compared with: a number, or the property of its asset."""

    asset_type: str
    signal: str
    above: bool
    value: float | None
    property: str | None = None


@dataclass(frozen=True)
class ErrorEstimate:
    """The mean absolute error of daily shares of time, in percentage points, with its 95 % interval."""

    mean: float
    low: float
    high: float
    # Numbers of days and of daily shares that it is from.
    days: int
    shares: int


def limits_of(reader: TwinReader) -> list[Limit]:
    """Return the limits of gauges that rules name; of the gauges without one, the value that 5 % of a sample is above."""
    model, out = reader.model, []
    for rule in rules_of_gauges(model).values():
        spec = model.asset_types[rule.on]
        for one in _comparisons(rule.condition(model)) if rule.when else ():
            limit = _limit(rule.on, one)
            if limit is not None and spec.signals[limit.signal].kind == "gauge":
                out.append(limit)
    named = {(one.asset_type, one.signal) for one in out}
    for kind, spec in model.asset_types.items():
        for name, signal in spec.signals.items():
            if signal.kind == "gauge" and (kind, name) not in named:
                steps = reader.steps(kind, name)
                data = computed(reader.history(kind, signals=[name], step=steps[-1])) if steps else None
                means = np.empty(0) if data is None else data[f"{name}_mean"].values
                if np.isfinite(means).any():
                    out.append(Limit(kind, name, above=True, value=float(np.nanquantile(means, 0.95))))
    return sorted(
        set(out), key=lambda one: (one.asset_type, one.signal, one.above, one.value or 0.0, one.property or "")
    )


def _limit(asset_type: str, one: bound.Compare) -> Limit | None:
    """Return the limit that a comparison states of a signal; None if it is of another kind."""
    left, right, operator = one.left, one.right, one.operator
    if isinstance(right, bound.Signal):
        left, right, operator = right, left, _TURNED.get(operator, operator)
    if not isinstance(left, bound.Signal) or operator not in _TURNED:
        return None
    above = operator.startswith(">")
    if isinstance(right, bound.Constant):
        return Limit(asset_type, left.name, above, right.value)
    return Limit(asset_type, left.name, above, None, right.name) if isinstance(right, bound.Property) else None


def _comparisons(condition: bound.Condition) -> Iterator[bound.Compare]:
    """Yield the comparisons of a condition that are joined by "and" or "or", or must last."""
    if isinstance(condition, bound.Compare):
        yield condition
    elif isinstance(condition, (bound.All, bound.Any)):
        for part in condition.parts:
            yield from _comparisons(part)
    elif isinstance(condition, bound.ForAtLeast):
        yield from _comparisons(condition.part)


def shares_beyond(reader: TwinReader, limit: Limit, days: Sequence[int], *, reduced: bool) -> NDArray[np.float64]:
    """Return the share of the known time of each day that a gauge is beyond a limit, (day, asset).

    Parameters
    ----------
    days : sequence of int
        Starts of days, ns, UTC.
    reduced : bool
        Use the mean of each hour in which no cell is left.
    """
    return np.concatenate([_of_day(reader, limit, day, reduced=reduced) for day in days] or [np.empty((0, 0))])


def _of_day(reader: TwinReader, limit: Limit, day: int, *, reduced: bool) -> NDArray[np.float64]:
    start, stop = np.datetime64(day, "ns"), np.datetime64(day + _DAY, "ns")
    data = computed(reader.history(limit.asset_type, signals=[limit.signal], start=start, stop=stop))
    times = (data["time"].values.astype("datetime64[ns]").astype("int64") - day) // _HOUR
    value = data[limit.signal].transpose("time", "asset").values
    flag = data[f"{limit.signal}_qc"].transpose("time", "asset").values
    good = np.isfinite(value) & ((flag == Flag.PASS) | (flag == Flag.SUSPECT))
    beyond = _beyond(reader, limit, data, value) & good
    known, over = (_hourly(part, times) for part in (good, beyond))
    if reduced:
        steps = reader.steps(limit.asset_type, limit.signal)
        if "1h" in steps:
            hours = computed(
                reader.history(limit.asset_type, signals=[limit.signal], start=start, stop=stop, step="1h")
            )
            at = (hours["time"].values.astype("datetime64[ns]").astype("int64") - day) // _HOUR
            mean = hours[f"{limit.signal}_mean"].transpose("time", "asset").values
            count = hours[f"{limit.signal}_count"].transpose("time", "asset").values
            whole, cells = np.full(known.shape, np.nan), np.zeros(known.shape)
            whole[at], cells[at] = mean, count
            lacking = (known == 0) & (cells > 0)
            over = np.array(np.where(lacking, cells * _beyond(reader, limit, hours, whole), over))
            known = np.array(np.where(lacking, cells, known))
    total = known.sum(axis=0)
    return np.where(total > 0, over.sum(axis=0) / np.maximum(total, 1), np.nan)[None, :]


def _hourly(mask: NDArray[np.bool_], hours: NDArray[np.int64]) -> NDArray[np.float64]:
    out = np.zeros((24, mask.shape[1]))
    np.add.at(out, hours, mask)
    return out


def _beyond(reader: TwinReader, limit: Limit, data: xr.Dataset, value: NDArray[np.float64]) -> NDArray[np.bool_]:
    bound = np.full(value.shape[1], np.nan if limit.value is None else limit.value)
    if limit.property is not None:
        ids = [str(one) for one in data["asset"].values]
        bound[:] = reader.assets(limit.asset_type)[limit.property].astype("float64").reindex(ids)
    found: NDArray[np.bool_] = value > bound if limit.above else value < bound
    return found


def mean_error(errors: NDArray[np.float64], *, seed: int = 1) -> ErrorEstimate:
    """Return the mean of errors (day, series) with the interval that resampling of days gives; NaN are left out."""
    by_day = [row[np.isfinite(row)] for row in errors]
    by_day = [row for row in by_day if len(row)]
    if not by_day:
        return ErrorEstimate(0.0, 0.0, 0.0, 0, 0)
    sums, counts = np.array([row.sum() for row in by_day]), np.array([len(row) for row in by_day])
    drawn = np.random.default_rng(seed).integers(0, len(sums), (_RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return ErrorEstimate(float(sums.sum() / counts.sum()), float(low), float(high), len(sums), int(counts.sum()))


def missed_exceptions(before: Iterator[str] | Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the keys of exceptions that aren't found any more, and of those that are found although there were none."""
    was, now = set(before), set(after)
    return sorted(was - now), sorted(now - was)
