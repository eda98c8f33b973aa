"""From a link and parameters to what the signal explorer asks for; what can't be is told, not raised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.errors import SchemaError
from twinlab.explore.charts.choices import words
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.views.signals.compare import Period, parse_shift
from twinlab.explore.views.signals.periods import Anchor, clock_period, event_periods, parse_anchor

if TYPE_CHECKING:
    from twinlab.explore.charts.choices import Choices
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.views.signals.explorer import SignalExplorer

__all__ = [
    "MAX_ASSETS",
    "MAX_MULTIPLES",
    "MAX_SIGNALS",
    "TOO_MANY",
    "asked_periods",
    "drawn_signals",
    "room",
    "too_many",
    "understand",
]

#: Assets in one chart; curves of more can't be told apart.
MAX_ASSETS = 6
#: Small charts on a page.
MAX_MULTIPLES = 24
MAX_SIGNALS = 4
#: Curves in one chart.
_MAX_CURVES = 16


def room(layout: str, *, signals: int, periods: int) -> int:
    """Return how many assets can be drawn.

    >>> room("together", signals=1, periods=1), room("together", signals=4, periods=2), room("multiples", signals=1, periods=2)
    (6, 2, 24)
    """
    if layout == "multiples":
        return MAX_MULTIPLES
    return max(1, min(MAX_ASSETS, _MAX_CURVES // max(1, signals * periods)))


#: How the notice begins that says what isn't drawn.
TOO_MANY = "Drawn are only "


def drawn_signals(explorer: SignalExplorer) -> tuple[str, ...]:
    """Return the signals that are drawn: up to four; in small multiples those that share the first one's axis."""
    signals = tuple(explorer.signals[:MAX_SIGNALS])
    if explorer.layout != "multiples" or not signals:
        return signals
    specs = explorer.twin.model.asset_types[str(explorer.asset_type)].signals
    first = specs[signals[0]]
    if first.kind == "state":
        return signals[:1]
    return tuple(s for s in signals if (specs[s].unit, specs[s].kind) == (first.unit, first.kind))


def too_many(explorer: SignalExplorer, signals: Sequence[str], assets: Sequence[str]) -> str:
    """Return a sentence that says what is drawn of too much."""
    specs = explorer.twin.model.asset_types[str(explorer.asset_type)].signals
    names = ", ".join(specs[s].title or words(s) for s in signals)
    if len(signals) < len(explorer.signals[:MAX_SIGNALS]):
        return f"{TOO_MANY}{names}: small charts share one value axis. Together, each unit has a chart."
    return f"{TOO_MANY}the first {len(signals)} signals of the first {len(assets)} assets: more can't be told apart."


def understand(
    link: Link, types: Sequence[str], choices: Choices, layouts: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters that a link asks for, and what couldn't be understood, a sentence each."""
    problems = list(link.problems)
    wanted: dict[str, Any] = {
        "window": link.window,
        "show_flags": True if link.show_flags is None else link.show_flags,
        "full_range": bool(link.full_range),
        "layout": known_or_problem(link.layout, layouts, "layout", problems) or "together",
        **_compared(link.compare, problems),
    }
    if not types:
        return wanted, problems
    kind = known_or_problem(link.asset_type, types, "asset type", problems) or next(iter(types))
    wanted["asset_type"] = kind
    for name, what, known in (
        ("signals", "signal", choices.signals(kind)),
        ("assets", "asset", choices.assets(kind)),
    ):
        asked = [known_or_problem(value, known.values(), what, problems) for value in getattr(link, name) or ()]
        found = list(dict.fromkeys(value for value in asked if value is not None))
        if found:
            wanted[name] = found
    return wanted, problems


def _compared(text: str | None, problems: list[str]) -> dict[str, Any]:
    """The parameters ``compare``, ``zone`` and ``anchor`` of a link's ``compare=``."""
    nothing = {"compare": "", "zone": "", "anchor": None}
    if not text:
        return nothing
    try:
        if text.startswith("event"):
            return {"compare": "event", "zone": "", "anchor": parse_anchor(text)}
        shift = parse_shift(text)
    except SchemaError as error:
        problems.append(f"compare={text!r} is ignored: {error}")
        return nothing
    return {"compare": shift.text.split("@")[0], "zone": shift.zone or "", "anchor": None}


def asked_periods(explorer: SignalExplorer, window: Window) -> tuple[np.datetime64 | None, tuple[Period, ...], str]:
    """Return the instant from which time is counted (None: the clock), the other periods, and what was wrong."""
    if not explorer.compare:
        return None, (), ""
    try:
        if explorer.compare != "event":
            text = f"{explorer.compare}@{explorer.zone}" if explorer.zone else explorer.compare
            return None, (clock_period(text, window),), ""
        if explorer.anchor is None:
            return None, (), "Choose an event in the table: its predecessors are then drawn under it."
        return *_of_events(explorer, explorer.anchor), ""
    except SchemaError as error:
        return None, (), str(error)


def _of_events(explorer: SignalExplorer, anchor: Anchor) -> tuple[np.datetime64, tuple[Period, ...]]:
    types: Mapping[str, Any] = explorer.twin.model.event_types
    if anchor.event_type not in types:
        msg = f"there is no kind of event {anchor.event_type!r}; choose an event in the table"
        raise SchemaError(msg)
    return event_periods(
        explorer.shared.tables.table(anchor.event_type),
        anchor,
        types[anchor.event_type],
        asset_type=str(explorer.asset_type),
        assets=list(explorer.assets),
    )
