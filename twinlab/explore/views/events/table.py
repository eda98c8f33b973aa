"""An event table: titles, number formats and filters of its columns, and the Python that reproduces it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from bokeh.models import BooleanFormatter, DateFormatter

from twinlab.events import STATUSES
from twinlab.explore.charts.scale import axis_label
from twinlab.explore.kit.tables.table_filters import EventFilter, filters_code
from twinlab.explore.kit.translation import number_formatter
from twinlab.languages import date_pattern, mark, tr, tr_values

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.model.twinmodel import EventType, PropertySpec

__all__ = ["column_formatters", "column_titles", "events_code", "header_filters"]

#: Largest number of distinct texts for which the filter of a column is a list.
_CHOICES = 60
#: Column -> its title, of times, of delays and of the others that every table of events has.
_TIMES = {
    "planned_start": mark("planned start (UTC)"),
    "start": mark("start (UTC)"),
    "planned_end": mark("planned end (UTC)"),
    "end": mark("end (UTC)"),
}
_DELAYS = {"start_delay": mark("start delay (min)"), "end_delay": mark("end delay (min)")}
_OTHERS = {"event_id": mark("event id"), "status": mark("status"), "duration": mark("duration")}


def column_titles(rows: pd.DataFrame, spec: EventType) -> dict[str, str]:
    """Return the titles of the columns, with units."""
    special = {"asset": str(spec.asset or "asset").replace("_", " ")}
    special |= tr_values(_TIMES | _DELAYS)
    out = {}
    for name in map(str, rows.columns):
        prop: PropertySpec | None = spec.properties.get(name)
        title = (prop.title if prop is not None else None) or tr(_OTHERS.get(name, name.replace("_", " ")))
        out[name] = special.get(name) or axis_label(title, (prop.unit if prop is not None else None) or "")
    return out


def column_formatters(rows: pd.DataFrame) -> dict[str, object]:
    """Return the number formats of the columns."""
    out: dict[str, object] = {}
    for name in rows:
        kind = rows[name].dtype
        if pd.api.types.is_datetime64_any_dtype(kind):
            out[str(name)] = DateFormatter(format=date_pattern("%Y-%m-%d %H:%M"), nan_format="–", null_format="–")
        elif pd.api.types.is_bool_dtype(kind):
            out[str(name)] = BooleanFormatter()
        elif pd.api.types.is_integer_dtype(kind):
            out[str(name)] = number_formatter("0")
        elif pd.api.types.is_numeric_dtype(kind):
            out[str(name)] = number_formatter("0,0.[0]")
    return out


def header_filters(rows: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return the filter of each column: a list for few texts, a search for many, a minimum for numbers, a tick for flags."""
    out: dict[str, dict[str, object]] = {}
    for name in map(str, rows.columns):
        column = rows[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            present = [str(c) for c in column.cat.categories[np.unique(column.cat.codes[column.cat.codes >= 0])]]
            if len(present) <= _CHOICES:
                ordered = [s for s in STATUSES if s in present] if name == "status" else present
                out[name] = {
                    "type": "list",
                    "func": "=",
                    "values": ["", *[p for p in ordered if p]],
                    "placeholder": "any",
                }
            else:
                out[name] = {"type": "input", "func": "like", "placeholder": "find…"}
        elif column.dtype == bool:
            out[name] = {"type": "tickCross", "tristate": True, "indeterminateValue": None, "placeholder": "any"}
        elif pd.api.types.is_numeric_dtype(column.dtype):
            out[name] = {"type": "number", "func": ">=", "placeholder": tr("at least…")}
    return out


def events_code(event_type: str, *, window: Window | None, filters: Sequence[EventFilter], opening: str) -> str:
    """Return Python that reads the shown events in a fresh kernel as ``data``.

    >>> print(events_code("trip", window=None, filters=[], opening="twin = ...").splitlines()[-1])
    data = explore.shown_table(twin.events('trip'), twin.model.event_types['trip'])
    """
    imports = ["import twinlab.explore as explore"]
    filtering = filters_code(filters)
    if window is not None:
        start, stop = (pd.Timestamp(t).isoformat() for t in window)
        # Also limited to the period of the page.
        filtering.append(f"data = events.overlapping(data, start={start!r}, stop={stop!r})  # UTC")
    if any("events." in line for line in filtering):
        imports.insert(0, "import twinlab.events as events")
    reading = f"data = explore.shown_table(twin.events({event_type!r}), twin.model.event_types[{event_type!r}])"
    return "\n".join([*imports, opening, "", reading, *filtering, ""])
