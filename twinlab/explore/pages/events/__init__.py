"""The Events page: what was planned, what happened, how late.

In: an event table and filters. Out: a summary line, a chart, a map of routes and the table, each filtering the
others.
Read in order: `page`, `summary`, `bins` and `stacks` (pure), `plot` (HoloViews), `live_chart` (Bokeh).
Never: a Python loop over events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
    from twinlab.model.reader import TwinReader

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.events.page import EventsView  # noqa: PLC0415  (imported when the page is first opened)

    return EventsView


def _has_events(twin: TwinReader) -> bool:
    return bool(twin.model.event_types)


PAGE = PageSpec(
    "events", "Events", "event_note", _load, has=_has_events, roles=("viewer", "dispatcher", "analyst", "steward")
)
