"""Aggregates over the time of assets: read the cells of whole windows, a part of the span at a time, and fold them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from twinlab.events.finding.evaluation.block import valid_cells
from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.groups import Memberships
from twinlab.events.kpis.over_time import aggregates as time_aggregates
from twinlab.events.kpis.over_time.aggregates import CellFold, Folded
from twinlab.events.kpis.over_time.cells import read_type_cells
from twinlab.events.kpis.over_time.counters import counter_total
from twinlab.events.kpis.over_time.folding import folding
from twinlab.events.kpis.over_time.leaves import PossibleLeaves, ReportedLeaves, ValidLeaves, look_back_ns, signals_of
from twinlab.events.kpis.windows import Windows
from twinlab.model.basics import parse_duration
from twinlab.model.expressions import bound
from twinlab.model.units import conversion

if TYPE_CHECKING:
    from twinlab.model.kpis.formulas import TimeAggregate
    from twinlab.model.reader import TwinReader

__all__ = ["assets_of", "over_time", "signals_in"]

_DAY = 86400 * 10**9
#: Cells that are read at once.
_CELLS = 2_000_000


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
    """Return the aggregates of one asset type by window and group."""
    asset_type = aggregates[0].asset_type
    spec = twin.model.asset_types[asset_type]
    signals = signals_in(aggregates)
    lead = max(_validity(spec.signals[name]) for name in signals)
    lead += max(look_back_ns(one.part) for one in aggregates)
    counters = any(one.function == "total" and one.per_s is None for one in aggregates)
    lead, after = (max(lead, _DAY), _DAY) if counters else (lead, 0)
    cadence = min(spec.signals[name].cadence_ns for name in signals)
    parts: list[list[Folded]] = []
    for some in _batches(windows, cadence, len(assets)):
        low, high = int(some.edges[0]), int(some.edges[-1])
        cells = read_type_cells(twin, asset_type, signals, assets=assets, start_ns=low - lead, stop_ns=high + after)
        first, stop = (int(place) for place in np.searchsorted(cells.times, [low, high]))
        fold = CellFold(
            ReportedLeaves(twin, asset_type, cells),
            ValidLeaves(twin, asset_type, cells),
            PossibleLeaves(twin, asset_type, cells),
            folding(cells.times[first:stop], some, groups, number_of_groups),
            first,
            stop,
        )
        parts.append([_aggregate(fold, one) for one in aggregates])
    return [_joined([part[place] for part in parts]) for place in range(len(aggregates))]


def _validity(signal: object) -> int:
    heartbeat = getattr(signal, "heartbeat", None)
    cadence: int = getattr(signal, "cadence_ns", 0)
    return max(valid_cells(cadence) * cadence, 0 if heartbeat is None else parse_duration(heartbeat) + cadence)


def _batches(windows: Windows, cadence_ns: int, assets: int) -> Iterator[Windows]:
    size = max(1, _CELLS // max(1, assets * max(1, windows.width_ns // cadence_ns)))
    for first in range(0, len(windows), size):
        yield Windows(windows.edges[first : first + size + 1], windows.width_ns)


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


def _joined(parts: Sequence[Folded]) -> Folded:
    results = [one.result for one in parts]
    return Folded(
        Bounded(*(np.concatenate([getattr(one, name) for one in results]) for name in ("value", "low", "high"))),
        *(np.concatenate([getattr(one, name) for one in parts]) for name in ("sure", "expected", "samples")),
    )
