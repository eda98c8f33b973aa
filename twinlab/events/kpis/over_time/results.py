"""Aggregates over the time of assets: read the cells of whole windows, a part of the span at a time, and fold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

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
from twinlab.events.kpis.over_time.rollups import FromRollups, from_rollups
from twinlab.events.kpis.windows import Windows
from twinlab.model.basics import parse_duration
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import signals_of
from twinlab.model.units import conversion

if TYPE_CHECKING:
    from twinlab.model.kpis.formulas import TimeAggregate
    from twinlab.model.reader import TwinReader

__all__ = ["Results", "ResultsHere", "TimeInput", "assets_of", "over_time", "signals_in", "validity_ns"]

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


@dataclass(frozen=True)
class TimeInput:
    """Aggregates of one asset type, its assets, and the groups that they are in; a task gets it once."""

    aggregates: tuple[TimeAggregate, ...]
    assets: tuple[str, ...]
    groups: Memberships
    number_of_groups: int

    @property
    def asset_type(self) -> str:
        """The type of the assets."""
        return self.aggregates[0].asset_type

    def rollups(self, twin: TwinReader, windows: Windows) -> FromRollups | None:
        """Return the aggregates of windows of which stored rollups say all."""
        return from_rollups(twin, self.aggregates, windows, self.assets, self.groups, self.number_of_groups)

    def cells(self, twin: TwinReader, windows: Windows, first: int, stop: int) -> list[Folded]:
        """Return the aggregates of the assets ``first .. stop - 1``, from cells."""
        groups = self.groups.of_assets(first, stop)
        return _from_cells(twin, self.aggregates, windows, self.assets[first:stop], groups, self.number_of_groups)


class Results(Protocol):
    """Gives the results of parts in their order: computed here, or on a cluster."""

    def rollups(self, given: TimeInput, parts: Iterable[Windows]) -> Iterator[FromRollups | None]:
        """Yield `TimeInput.rollups` of windows."""

    def cells(self, given: TimeInput, parts: Iterable[tuple[Windows, int, int]]) -> Iterator[list[Folded]]:
        """Yield `TimeInput.cells` of windows and assets."""

    def divided(self, windows: Windows, assets: int) -> list[Windows]:
        """Return the windows whose rollups are read at once."""


@dataclass(frozen=True)
class ResultsHere:
    """Computes parts in this thread."""

    twin: TwinReader

    def rollups(self, given: TimeInput, parts: Iterable[Windows]) -> Iterator[FromRollups | None]:
        """Yield `TimeInput.rollups` of windows."""
        return (given.rollups(self.twin, one) for one in parts)

    def cells(self, given: TimeInput, parts: Iterable[tuple[Windows, int, int]]) -> Iterator[list[Folded]]:
        """Yield `TimeInput.cells` of windows and assets."""
        return (given.cells(self.twin, *one) for one in parts)

    def divided(self, windows: Windows, assets: int) -> list[Windows]:  # noqa: ARG002  (as the protocol has it)
        """Return all windows as one part."""
        return [windows]


def over_time(twin: TwinReader, given: TimeInput, windows: Windows, results: Results) -> list[Folded]:
    """Return the aggregates of one asset type by window and group.

    Windows of which stored rollups say all are read from them; the cells of all others are read, some windows and assets at a time, and
    added up in the same order wherever they are computed.
    """
    shape = len(windows), given.number_of_groups
    found = [_nothing(shape, one) for one in given.aggregates]
    todo = np.ones(len(windows), dtype=bool)
    at = 0
    divided = results.divided(windows, len(given.assets))
    for some, stored in zip(divided, results.rollups(given, divided), strict=True):
        if stored is not None:
            own = np.flatnonzero(stored.complete)
            todo[at + own] = False
            for whole, part in zip(found, stored.folded, strict=True):
                _put(whole, part, at + own, own)
        at += len(some)
    spec = twin.model.asset_types[given.asset_type]
    cadence = min(spec.signals[name].cadence_ns for name in signals_in(given.aggregates))
    parts = [
        (place, some.windows, first, min(first + some.assets, len(given.assets)))
        for place, some in _batches(windows, todo, cadence, len(given.assets))
        for first in range(0, max(1, len(given.assets)), some.assets)
    ]
    for (place, some, first, _), folded in zip(parts, results.cells(given, (p[1:] for p in parts)), strict=True):
        rows = place + np.arange(len(some))
        for whole, one, part in zip(found, given.aggregates, folded, strict=True):
            kept = _rows(whole, rows).with_others(part, how_of(one)) if first else part
            _put(whole, kept, rows, np.arange(len(rows)))
    return [_finished(one, part) for one, part in zip(given.aggregates, found, strict=True)]


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
