"""The request of the signal explorer: the signals, assets and periods that its parameters select, within the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import SchemaError
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.views.signals.compare import Period
from twinlab.explore.views.signals.parameters import MAX_ASSETS, MAX_MULTIPLES, MAX_SIGNALS, SignalParameters
from twinlab.explore.views.signals.periods import Anchor, clock_period, event_periods
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window

__all__ = ["LIMITED", "limit_notice", "max_assets", "requested_periods", "requested_signals"]

#: Curves in one chart.
_MAX_CURVES = 16
#: First words of the notice about a selection that exceeds the limits.
LIMITED = mark("Drawn are only ")


def max_assets(layout: str, *, signals: int, periods: int) -> int:
    """Return how many assets can be drawn.

    >>> max_assets("together", signals=1, periods=1), max_assets("together", signals=4, periods=2), max_assets("multiples", signals=1, periods=2)
    (6, 2, 24)
    """
    if layout == "multiples":
        return MAX_MULTIPLES
    return max(1, min(MAX_ASSETS, _MAX_CURVES // max(1, signals * periods)))


def requested_signals(params: SignalParameters) -> tuple[str, ...]:
    """Return the drawn signals: up to four; in small multiples those that share the axis of the first one."""
    signals = tuple(params.signals[:MAX_SIGNALS])
    if params.layout != "multiples" or not signals:
        return signals
    specs = params.twin.model.asset_types[str(params.asset_type)].signals
    first = specs[signals[0]]
    if first.kind == "state":
        return signals[:1]
    return tuple(s for s in signals if (specs[s].unit, specs[s].kind) == (first.unit, first.kind))


def limit_notice(params: SignalParameters, signals: Sequence[str], assets: Sequence[str]) -> str:
    """Return a notice about what is drawn of a selection that exceeds the limits."""
    specs = params.twin.model.asset_types[str(params.asset_type)].signals
    names = ", ".join(specs[s].title or readable_name(s) for s in signals)
    if len(signals) < len(params.signals[:MAX_SIGNALS]):
        return tr(
            "{limited}{names}: small charts share one value axis. Together, each unit has a chart.",
            limited=tr(LIMITED),
            names=names,
        )
    return tr(
        "{limited}the first {count} signals of the first {count2} assets: more can't be told apart.",
        limited=tr(LIMITED),
        count=len(signals),
        count2=len(assets),
    )


def requested_periods(params: SignalParameters, window: Window) -> tuple[np.datetime64 | None, tuple[Period, ...], str]:
    """Return the origin of the time axis (None: UTC), the comparison periods, and an error message."""
    if not params.compare:
        return None, (), ""
    try:
        if params.compare != "event":
            text = f"{params.compare}@{params.zone}" if params.zone else params.compare
            return None, (clock_period(text, window),), ""
        if params.anchor is None:
            return None, (), tr("Choose an event in the table: its predecessors are then drawn under it.")
        return *_of_events(params, params.anchor), ""
    except SchemaError as error:
        return None, (), str(error)


def _of_events(params: SignalParameters, anchor: Anchor) -> tuple[np.datetime64, tuple[Period, ...]]:
    types: Mapping[str, Any] = params.twin.model.event_types
    if anchor.event_type not in types:
        msg = tr("there is no kind of event {event_type!r}; choose an event in the table", event_type=anchor.event_type)
        raise SchemaError(msg)
    return event_periods(
        params.shared.tables.table(anchor.event_type),
        anchor,
        types[anchor.event_type],
        asset_type=str(params.asset_type),
        assets=list(params.assets),
    )
