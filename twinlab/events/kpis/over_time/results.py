"""Aggregates over the time of assets: read the cells of whole windows, a part of the span at a time, and fold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.evaluation.block import valid_cells
from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.groups import Memberships
from twinlab.events.kpis.over_time import aggregates as time_aggregates
from twinlab.events.kpis.over_time.aggregates import CellFold, Folded
from twinlab.events.kpis.over_time.cells import read_type_cells
from twinlab.events.kpis.over_time.counters import counter_total
from twinlab.events.kpis.over_time.folding import How, folding
from twinlab.events.kpis.over_time.leaves import PossibleLeaves, ReportedLeaves, ValidLeaves, look_back_ns
from twinlab.events.kpis.over_time.rollups import from_rollups
from twinlab.events.kpis.windows import Windows
from twinlab.model.basics import parse_duration
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import signals_of
from twinlab.model.units import conversion

if TYPE_CHECKING:
    from twinlab.model.kpis.formulas import TimeAggregate
    from twinlab.model.reader import TwinReader

__all__ = ["assets_of", "over_time", "signals_in", "validity_ns"]

_DAY = 86400 * 10**9
#: Cells that are read at once.
_CELLS = 2_000_000
#: Assets that are read at once at least: those of a stored tile.
_FEWEST = 8


def signals_in(aggregates: Sequence[TimeAggregate]) -> list[str]:
    """Return the signals of aggregates, each once."""
    return list(dict.fromkeys(name for one in aggregates for name in signals_of(one.part)))


def assets_of(twin: TwinReader, asset_type: str, signals: Sequence[str]) -> list[str]:
    """Return the assets of a type that have a history."""
    return [str(one) for one in twin.history(asset_type, signals=list(signals[:1]))["asset"].values]


def over_time(  # noqa: PLR0917
    twin: TwinReader,
    aggregates: Sequence[TimeAggregate],
    windows: Windows,
    assets: Sequence[str],
    groups: Memberships,
    number_of_groups: int,
) -> list[Folded]:
    """Return the aggregates of one asset type by window and group.

    Windows of which stored rollups say all are read from them; the cells of all others are read, some windows and assets at a time.
    """
    shape = len(windows), number_of_groups
    found = [_nothing(shape, one) for one in aggregates]
    todo = np.ones(len(windows), dtype=bool)
    stored = from_rollups(twin, aggregates, windows, assets, groups, number_of_groups)
    if stored is not None:
        todo = ~stored.complete
        for whole, part in zip(found, stored.folded, strict=True):
            _put(whole, part, np.flatnonzero(stored.complete), np.flatnonzero(stored.complete))
    spec = twin.model.asset_types[aggregates[0].asset_type]
    cadence = min(spec.signals[name].cadence_ns for name in signals_in(aggregates))
    for place, some in _batches(windows, todo, cadence, len(assets)):
        for first in range(0, max(1, len(assets)), some.assets):
            stop = min(first + some.assets, len(assets))
            mine = groups.of_assets(first, stop)
            parts = _from_cells(twin, aggregates, some.windows, assets[first:stop], mine, number_of_groups)
            for number, (one, part) in enumerate(zip(aggregates, parts, strict=True)):
                rows = place + np.arange(len(some.windows))
                kept = _rows(found[number], rows).with_others(part, how_of(one)) if first else part
                _put(found[number], kept, rows, np.arange(len(rows)))
    return [_finished(one, part) for one, part in zip(aggregates, found, strict=True)]


def _from_cells(  # noqa: PLR0917
    twin: TwinReader,
    aggregates: Sequence[TimeAggregate],
    windows: Windows,
    assets: Sequence[str],
    groups: Memberships,
    number_of_groups: int,
) -> list[Folded]:
    asset_type = aggregates[0].asset_type
    spec = twin.model.asset_types[asset_type]
    signals = signals_in(aggregates)
    lead = max(validity_ns(spec.signals[name]) for name in signals)
    lead += max(look_back_ns(one.part) for one in aggregates)
    counters = any(one.function == "total" and one.per_s is None for one in aggregates)
    lead, after = (max(lead, _DAY), _DAY) if counters else (lead, 0)
    low, high = int(windows.edges[0]), int(windows.edges[-1])
    cells = read_type_cells(twin, asset_type, signals, assets=assets, start_ns=low - lead, stop_ns=high + after)
    first, stop = (int(place) for place in np.searchsorted(cells.times, [low, high]))
    fold = CellFold(
        ReportedLeaves(twin, asset_type, cells),
        ValidLeaves(twin, asset_type, cells),
        PossibleLeaves(twin, asset_type, cells),
        folding(cells.times[first:stop], windows, groups, number_of_groups),
        first,
        stop,
    )
    return [_aggregate(fold, one) for one in aggregates]


def how_of(one: TimeAggregate) -> How:
    """Return how an aggregate of some assets is put together with that of others."""
    return {"time_min": "min", "time_max": "max"}.get(one.function, "sum")  # type: ignore[return-value]


def _finished(one: TimeAggregate, found: Folded) -> Folded:
    if one.function in ("time_share", "time_mean"):
        return found.of_a_mean()
    if one.function == "kinetic_mean":
        return found.of_a_kinetic_mean()
    return found.of_an_extreme() if one.function in ("time_min", "time_max") else found


def validity_ns(signal: object) -> int:
    """Return for how long before a window the cells of a signal count in it."""
    heartbeat = getattr(signal, "heartbeat", None)
    cadence: int = getattr(signal, "cadence_ns", 0)
    return max(valid_cells(cadence) * cadence, 0 if heartbeat is None else parse_duration(heartbeat) + cadence)


class _Batch(NamedTuple):
    windows: Windows
    #: How many assets are read at once.
    assets: int


def _batches(windows: Windows, todo: NDArray[np.bool_], cadence_ns: int, assets: int) -> Iterator[tuple[int, _Batch]]:
    """Yield the number of the first window and the windows that are read at once, of those to do."""
    cells = max(1, windows.width_ns // cadence_ns)
    size = max(1, _CELLS // max(1, assets * cells))
    together = max(assets, 1) if size > 1 else max(_FEWEST, _CELLS // cells)
    for run in np.split(np.flatnonzero(todo), np.flatnonzero(np.diff(np.flatnonzero(todo)) > 1) + 1):
        for first in range(0, len(run), size):
            place, stop = int(run[first]), int(run[min(first + size, len(run)) - 1]) + 1
            yield place, _Batch(Windows(windows.edges[place : stop + 1], windows.width_ns), together)


def _aggregate(cells: CellFold, one: TimeAggregate) -> Folded:
    function = one.function
    if function == "time_share":
        return time_aggregates.share(cells, cast("bound.Condition", one.part))
    if function == "time_total":
        return time_aggregates.duration(cells, cast("bound.Condition", one.part))
    value = cast("bound.Value", one.part)
    if function == "time_mean":
        return time_aggregates.mean(cells, value)
    if function == "kinetic_mean":
        return time_aggregates.kinetic_mean(cells, value, conversion(value.unit, "K").apply)
    if function == "total" and one.per_s is not None:
        return time_aggregates.total(cells, value, one.per_s)
    if function == "total":
        assert isinstance(value, bound.Signal)
        return counter_total(cells, cells.possible.cells.signals[value.name])
    return time_aggregates.extreme(cells, value, greatest=function == "time_max")


def _nothing(shape: tuple[int, int], one: TimeAggregate) -> Folded:
    edge = {"time_min": np.inf, "time_max": -np.inf}.get(one.function, 0.0)
    result = Bounded(*(np.full(shape, edge) for _ in range(3)))
    return Folded(result, *(np.zeros(shape) for _ in range(3)))


def _arrays(one: Folded) -> list[NDArray[np.float64]]:
    return [one.result.value, one.result.low, one.result.high, one.sure, one.expected, one.samples]


def _rows(one: Folded, rows: NDArray[np.int64]) -> Folded:
    value, low, high, *cells = (array[rows] for array in _arrays(one))
    return Folded(Bounded(value, low, high), *cells)


def _put(whole: Folded, part: Folded, rows: NDArray[np.int64], own: NDArray[np.int64]) -> None:
    for array, given in zip(_arrays(whole), _arrays(part), strict=True):
        array[rows] = given[own]
