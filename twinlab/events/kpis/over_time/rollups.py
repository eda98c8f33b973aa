"""Means and extremes of a signal from stored rollups, for the windows of which they say all.

A rollup has the sum, the extremes and the counts of good and suspect cells together. It says all of a window in which no cell is suspect
or waits for its flag, so that what isn't known are whole cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.groups import Memberships
from twinlab.events.kpis.over_time.aggregates import Folded
from twinlab.events.kpis.over_time.cells import reach_of
from twinlab.events.kpis.over_time.folding import Folding, How, folding
from twinlab.events.kpis.windows import Windows
from twinlab.model.basics import parse_duration
from twinlab.model.expressions import bound

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.kpis.formulas import TimeAggregate
    from twinlab.model.reader import TwinReader

__all__ = ["FromRollups", "from_rollups"]

Floats = NDArray[np.float64]

_FUNCTIONS = ("time_mean", "time_min", "time_max")
_STATISTICS = ("sum", "min", "max", "count", "pass", "suspect", "fail", "missing")


@dataclass(frozen=True)
class FromRollups:
    """Aggregates by window and group, before they are finished, and the windows that they are valid for."""

    folded: list[Folded]
    complete: NDArray[np.bool_]


def from_rollups(  # noqa: PLR0917
    twin: TwinReader,
    aggregates: Sequence[TimeAggregate],
    windows: Windows,
    assets: Sequence[str],
    groups: Memberships,
    number_of_groups: int,
) -> FromRollups | None:
    """Return the aggregates from rollups; None if an aggregate needs cells, or no rollup fits the windows."""
    asset_type = aggregates[0].asset_type
    spec = twin.model.asset_types[asset_type]
    signals = list(dict.fromkeys(one.part.name for one in aggregates if isinstance(one.part, bound.Signal)))
    plain = all(one.function in _FUNCTIONS and isinstance(one.part, bound.Signal) for one in aggregates)
    if not plain or spec.lifetime is not None or not groups.constant or not assets:
        return None
    if any(spec.signals[name].kind != "gauge" or spec.signals[name].heartbeat is not None for name in signals):
        return None
    step = _step(twin, asset_type, signals, windows)
    if step is None:
        return None
    start, stop = (np.datetime64(int(one), "ns") for one in (windows.edges[0], windows.edges[-1]))
    data = twin.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
    data = data[[f"{name}_{what}" for name in signals for what in _STATISTICS]].compute()
    times = data["time"].values.astype("datetime64[ns]").astype("int64")
    inside = (times >= windows.edges[0]) & (times < windows.edges[-1])
    data, times = data.isel(time=np.flatnonzero(inside)), times[inside]
    place = windows.of(times)
    per_window = windows.width_ns // parse_duration(step)
    complete = np.bincount(place, minlength=len(windows)) == per_window
    for name in signals:
        cells = parse_duration(step) // spec.signals[name].cadence_ns
        certain = _array(data, name, "pass") + _array(data, name, "fail") + _array(data, name, "missing")
        unsure = (certain != cells).any(axis=1)
        complete &= np.bincount(place[unsure], minlength=len(windows)) == 0
    fold = folding(times, windows, groups, number_of_groups)
    reach = {name: reach_of(twin, asset_type, name, assets) for name in signals}
    found = [_aggregate(data, fold, one, reach) for one in aggregates]
    return FromRollups(found, complete)


def _step(twin: TwinReader, asset_type: str, signals: Sequence[str], windows: Windows) -> str | None:
    """Return the longest step of stored rollups of which the windows are made."""
    steps = set.intersection(*(set(twin.steps(asset_type, name)) for name in signals))
    whole = [one for one in steps if windows.width_ns % parse_duration(one) == 0]
    return max(whole, key=parse_duration, default=None)


def _array(data: xr.Dataset, name: str, what: str) -> Floats:
    return np.asarray(data[f"{name}_{what}"].transpose("time", "asset").values, dtype=np.float64)


def _aggregate(data: xr.Dataset, fold: Folding, one: TimeAggregate, reach: dict[str, tuple[Floats, Floats]]) -> Folded:
    assert isinstance(one.part, bound.Signal)
    name = one.part.name
    least, most = reach[name]
    known, lost = _array(data, name, "pass"), _array(data, name, "fail") + _array(data, name, "missing")
    cells = [fold.fold(known), fold.fold(known + lost), fold.fold(_array(data, name, "count"))]
    if one.function == "time_mean":
        sums = np.nan_to_num(_array(data, name, "sum"))
        ends = [sums + np.where(lost > 0, lost, 1.0) * np.where(lost > 0, edge, 0.0) for edge in (least, most)]
        return Folded(Bounded(*(fold.fold(part) for part in (sums, *ends))), *cells)
    greatest = one.function == "time_max"
    how: How = "max" if greatest else "min"
    edge = -np.inf if greatest else np.inf
    best = np.where(known > 0, _array(data, name, how), edge)
    further = np.maximum if greatest else np.minimum
    ends = [np.where(lost > 0, further(best, bound_), best) for bound_ in (least, most)]
    return Folded(Bounded(*(fold.fold(part, how) for part in (best, *ends))), *cells)
