"""The page Events & KPIs: KPIs, events found by a condition, and recorded events: what was planned, what happened, how late.

In: the model and the data of a twin. Out: one part at a time: the view of KPIs; a condition and its events; or recorded events as a
summary line, a chart, a map of routes and the table, each filtering the others.
Read in order: `parts`, `found`; for recorded events `page`, `summary`, `bins` and `stacks` (pure), `plot` (HoloViews), `live_chart` (Bokeh).
Never: a Python loop over events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
    from twinlab.model.reader import TwinReader

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.events.parts import EventsAndKpisView  # noqa: PLC0415  (imported when first opened)

    return EventsAndKpisView


def _has_events(twin: TwinReader) -> bool:
    from twinlab.explore.pages.events.parts import parts_of  # noqa: PLC0415

    return bool(parts_of(twin.model))


PAGE = PageSpec(
    "events",
    mark("Events & KPIs"),
    "event_note",
    _load,
    has=_has_events,
    roles=("viewer", "dispatcher", "analyst", "steward"),
)
