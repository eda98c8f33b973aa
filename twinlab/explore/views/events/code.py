"""Python that gives the events that a page shows, in a fresh kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.explore.kit.table_filters import EventFilter, filters_code

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window

__all__ = ["events_code"]


def events_code(event_type: str, *, window: Window | None, filters: Sequence[EventFilter], opening: str) -> str:
    """Return the code, its result under the name ``data``.

    >>> print(events_code("trip", window=None, filters=[], opening="twin = ...").splitlines()[-1])
    data = explore.shown_table(twin.events('trip'), twin.model.event_types['trip'])
    """
    imports = ["import twinlab.explore as explore"]
    narrowing = filters_code(filters)
    if window is not None:
        start, stop = (pd.Timestamp(t).isoformat() for t in window)
        # Where a page narrows by period, so does this.
        narrowing.append(f"data = events.overlapping(data, start={start!r}, stop={stop!r})  # UTC")
    if any("events." in line for line in narrowing):
        imports.insert(0, "import twinlab.events as events")
    reading = f"data = explore.shown_table(twin.events({event_type!r}), twin.model.event_types[{event_type!r}])"
    return "\n".join([*imports, opening, "", reading, *narrowing, ""])
