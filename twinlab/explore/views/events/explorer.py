"""The event explorer: a table of events, fast at hundreds of thousands of rows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from twinlab._html import html
from twinlab.events import overlapping
from twinlab.explore.charts.reading import READING_ERRORS, Window, as_window, shown_instant
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.panes import Html, empty_pane, error_pane
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.kit.tables.event_tables import EventTables
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET, EventGrid
from twinlab.explore.kit.tables.table_filters import (
    EventFilter,
    apply_filters,
    filters_text,
    from_headers,
    parse_filters,
)
from twinlab.explore.kit.translation import table_buttons
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.events.table import column_formatters, column_titles, events_code, header_filters
from twinlab.languages import local_number, mark, tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import EventType

__all__ = ["NO_EVENTS", "EventExplorer"]

_LOG = logging.getLogger(__name__)

_SHEET = """
.tabulator .tabulator-header .tabulator-header-filter input { font-size: 12px; padding: 3px 4px !important; }
"""
_COUNT = '<span role="status" style="font:13px Roboto,system-ui,sans-serif">{{ what }} {{ total }} events</span>'
NO_EVENTS = (
    mark("No events of this kind yet"),
    mark("Ingest a source with such events, then reload the page; or choose another kind of event."),
)
#: Prefix of the selected event among the filters of a link.
_EVENT_PREFIX = "#"


class EventExplorer(Explorer):
    """A table of events with a filter in each header; the server filters, sorts and sends one page at a time.

    Selecting a row sets ``selected``. With ``in_view`` the table contains only events that overlap ``window``;
    ``filters`` apply before those in the headers. With ``patient`` a served page is shown first and a slow table loaded
    afterwards.
    """

    name_in_link: ClassVar[str] = "table"
    label: ClassVar[str] = mark("Events")

    event_type = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="kind of event")
    in_view = param.Boolean(default=False, doc="only events that overlap the chart's window")
    window = param.DateRange(default=None, allow_None=True, doc="the chart's window, UTC; None is everything")
    filters = param.Parameter(default=(), doc="further conditions, each an `EventFilter`")
    selected = param.Parameter(default=None, allow_None=True, doc="the selected event as a pandas Series")
    shows = param.Integer(default=0, doc="incremented whenever other events are shown")

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
        event_type: str | None = None,
        in_view: bool = False,
        tables: EventTables | None = None,
        page_size: int = 12,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._waiting = False
        # Number of events of the type, before filters.
        self._total = 0
        self._twin = twin
        self._tables = tables or self.shared.tables
        self._page_size = page_size
        # Message of the last read error.
        self._failure = ""
        self._link_filters = ""
        self._grid: EventGrid | None = None
        self._count = Html("", margin=(0, 10), sizing_mode="stretch_width")
        self._body = pn.Column(sizing_mode="stretch_width")
        kinds = {spec.title or name.replace("_", " "): name for name, spec in twin.model.event_types.items()}
        self.param.event_type.objects = kinds
        first = link if link is not None else Link(event_type=event_type, in_view=in_view)
        with param.discard_events(self):
            requested = first.event_type if first.event_type in kinds.values() else None
            self.event_type = requested or next(iter(kinds.values()), None)
        self._rebuild()
        self.apply(first)

    # -- reading ------------------------------------------------------------------------------------------------------

    def rows(self) -> pd.DataFrame:
        """Return the events in the table, before the filters in its headers."""
        table = self._tables.table(str(self.event_type))
        self._total = len(table)
        table = apply_filters(table, self.filters)
        window = self.narrowing_window
        return table if window is None else overlapping(table, start=window[0], stop=window[1])

    @property
    def total(self) -> int:
        """Number of events of the type, before filters."""
        return self._total

    @property
    def ready(self) -> bool:
        """Whether a table is shown."""
        return self._grid is not None

    @property
    def narrowing_window(self) -> Window | None:
        """The window that limits the events; None if there is none."""
        if not self.in_view or self.window is None:
            return None
        return as_window(*self.window)

    @property
    def all_filters(self) -> tuple[EventFilter, ...]:
        """All conditions: ``filters`` and those in the headers."""
        headers = () if self._grid is None else from_headers(self._grid.filters)
        return tuple(dict.fromkeys((*self.filters, *headers)))

    def shown(self) -> pd.DataFrame:
        """Return the events in the table, after the filters in its headers and sorted."""
        return self.rows() if self._grid is None else self._grid.current_view

    def _read(self) -> pd.DataFrame | None:
        self._failure = ""
        try:
            return self.rows()
        except READING_ERRORS as error:
            self._failure = str(error)
            return None

    @param.depends("event_type", watch=True)
    def _rebuild(self) -> None:
        self.selected = None
        if not self.patient or self.event_type is None or self._tables.ready(self.event_type):
            self._fill()
            return
        self._grid = None
        self._body[:] = [pmui.Typography(tr("Reading the events …"), variant="body1", margin=(20, 10), min_height=400)]
        self._count.object = ""
        if not self._waiting:
            self._waiting = True
            pn.state.onload(self._fill_later)

    async def _fill_later(self) -> None:
        """Read the table in a thread, so that the page remains usable."""
        try:
            await asyncio.to_thread(self._tables.table, str(self.event_type))
        except READING_ERRORS:
            _LOG.info("the events can't be read yet; the next attempt shows the error", exc_info=True)
        self._waiting = False
        self._fill()

    def _fill(self) -> None:
        rows = None if self.event_type is None else self._read()
        if rows is None:
            self._grid = None
            self._body[:] = [self._placeholder()]
            self._count.object = ""
            return
        self._grid = self._make_grid(rows)
        self._body[:] = [self._grid if self._total else empty_pane(*NO_EVENTS, height=140)]
        self._apply_link_filters()
        self._others_shown()

    def _placeholder(self) -> pn.viewable.Viewable:
        """Return the empty or error state of the table."""
        if self.event_type is None:
            return empty_pane(
                tr("This twin has no events"), tr("Its model, twin.yaml, names no kind of event."), height=140
            )
        return error_pane(tr("The table of events"), self._failure, retry=self._retry)

    def _retry(self) -> None:
        """Read the table again after an error."""
        self.notice = ""
        self._rebuild()

    def _apply_link_filters(self) -> None:
        """Set the filters of a link, which can be parsed only after the table was read."""
        text, self._link_filters = self._link_filters, ""
        if not text or self._grid is None:
            return
        parts = text.split(";")
        events = [part[1:] for part in parts if part.startswith(_EVENT_PREFIX)]
        filters = ";".join(part for part in parts if not part.startswith(_EVENT_PREFIX))
        found, problems = parse_filters(filters, self._tables.table(str(self.event_type)))
        self.filters = found
        for one in events[:1]:
            row = np.flatnonzero(self._grid.value["event_id"] == one)
            if len(row):
                page = self._grid.shown_position(int(row[0])) // self._page_size + 1
                self._grid.param.update(selection=[int(row[0])], page=page)
            else:
                problems.append(tr("the event {one_value!r} isn't among those shown", one_value=one))
        if problems:
            self.notice = " · ".join(filter(None, [self.notice, *problems]))

    @param.depends("in_view", "window", "filters", watch=True)
    def _narrow(self) -> None:
        if self._grid is None or not (self.in_view or self.filters or len(self._grid.value) != self._total):
            return
        rows = self._read()
        if rows is None:
            # The present rows remain.
            self.notice = tr("The events can't be read: {failure}", failure=self._failure)
        else:
            self._grid.param.update(value=rows, selection=[], page=1)
            self._others_shown()

    def _show_count(self) -> None:
        if self._grid is None:
            return
        shown, total = len(self._grid.filtered), self._total
        what = "all" if shown == total else tr("{shown:,} of", shown=shown)
        self._count.object = html(_COUNT, what=what, total=local_number(f"{total:,}"))

    def _choose(self, event: Any) -> None:
        if self._grid is not None and event.new:
            row = self._grid.value.iloc[event.new[-1]]
            owner = event_owner(row, self._twin.model.event_types[str(self.event_type)])
            # The asset first: watchers of the row use it.
            self.chosen = owner
            self.selected = row
            self.revision += 1

    def _others_shown(self, *_: object) -> None:
        self._show_count()
        self.param.update(shows=self.shows + 1, revision=self.revision + 1)

    def clear_filters(self) -> None:
        """Remove all filters."""
        with param.parameterized.batch_call_watchers(self):
            self.param.update(filters=(), in_view=False)
        if self._grid is not None and self._grid.filters:
            self._grid.clear_filters()

    # -- state and exports --------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Set the state from a link; wrong values become a notice."""
        problems: list[str] = []
        kinds = list(self.param.event_type.objects)
        known = known_or_problem(link.event_type, kinds, "event type", problems)
        self._link_filters = link.find or ""
        self.notice = " · ".join(problems)
        self.param.update(event_type=known or self.event_type, in_view=bool(link.in_view))
        if self._grid is not None:
            if self._link_filters:
                self._apply_link_filters()
            elif self.filters:
                self.filters = ()

    def link(self) -> Link:
        """Return the view's state."""
        several = len(list(self.param.event_type.objects)) > 1
        window = self.narrowing_window
        return Link(
            event_type=self.event_type if several else None,
            in_view=self.in_view or None,
            window=window,
            find=self._link_filters or ";".join(self._find()) or None,
        )

    def _find(self) -> list[str]:
        """Return the filters and the selected event as parts of a link."""
        filters = filters_text(self.all_filters)
        selected = [] if self.selected is None else [f"{_EVENT_PREFIX}{self.selected['event_id']}"]
        return [part for part in (filters, *selected) if part]

    def code(self) -> str:
        """Return Python that reads the shown events in a fresh kernel as ``data``."""
        if self._grid is None or self.event_type is None:
            return ""
        return events_code(
            self.event_type, window=self.narrowing_window, filters=self.all_filters, opening=self.open_code
        )

    def data(self) -> pd.DataFrame | None:
        """Return the shown events, equal to those of `code`, in the original order of the table."""
        if self._grid is None:
            return None
        rows = self._grid.value
        # A shallow copy, so that changes don't affect the cached table.
        return rows.copy(deep=False) if len(self._grid.filtered) == len(rows) else rows.iloc[self._grid.filtered]

    def columns(self, names: Sequence[str]) -> pd.DataFrame | None:
        """Return some columns of the shown events: charts need few, and all columns of 300,000 rows take time."""
        if self._grid is None:
            return None
        rows = self._grid.value[list(names)]
        return rows if len(self._grid.filtered) == len(rows) else rows.iloc[self._grid.filtered]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the shown events as a table, units in the column titles."""
        rows = self.data()
        if rows is None or self.event_type is None:
            return {}
        spec = self._twin.model.event_types[self.event_type]
        name = spec.title or self.event_type.replace("_", " ")
        return {
            name[:31]: rows.drop(columns="event_id").rename(columns=column_titles(rows, spec)).reset_index(drop=True)
        }

    def settings(self) -> dict[str, str]:
        """Return the settings as text: label -> value."""
        window = self.narrowing_window
        return {
            tr("Kind of event"): next((k for k, v in self.param.event_type.names.items() if v == self.event_type), ""),
            tr("Period (UTC)"): "all" if window is None else tr(" to ").join(shown_instant(t) for t in window),
            tr("Filters"): "; ".join(map(str, self.all_filters)) or "none",
        }

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:  # noqa: ARG002
        """Return None: there is no plot."""
        return None

    # -- layout -------------------------------------------------------------------------------------------------------

    def _make_grid(self, rows: pd.DataFrame) -> EventGrid:
        spec = self._twin.model.event_types[str(self.event_type)]
        grid = EventGrid(
            rows,
            pagination="remote",
            configuration=table_buttons(),
            page_size=self._page_size,
            show_index=False,
            hidden_columns=["event_id"],
            selectable=1,
            disabled=True,
            layout="fit_data_fill",
            titles=column_titles(rows, spec),
            formatters=column_formatters(rows),
            header_filters=header_filters(rows),
            text_align={c: "right" for c in rows if pd.api.types.is_numeric_dtype(rows[c]) and rows[c].dtype != bool},
            stylesheets=[TABLE_SHEET, _SHEET],
            sizing_mode="stretch_width",
            min_height=120,
            margin=(4, 10),
        )
        grid.param.watch(self._choose, "selection")
        grid.param.watch(self._others_shown, "filters")
        return grid

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets above the table."""
        kind = pmui.Select.from_param(
            self.param.event_type, label=tr("Kind of event"), width=190, size="small", description=""
        )
        view = pmui.Switch.from_param(
            self.param.in_view, label=tr("Only in the chart's window"), align="center", description=""
        )
        return pn.FlexBox(kind, view, self._count, align_items="center", sizing_mode="stretch_width")

    def grid(self) -> pn.viewable.Viewable:
        """Return the table without the widgets above it."""
        return self._body

    def __panel__(self) -> pn.viewable.Viewable:
        controls = [self.controls()] if self.param.event_type.objects else []
        return pn.Column(self._alert, *controls, self._body, sizing_mode="stretch_width")


def event_owner(event: pd.Series, spec: EventType) -> tuple[str, str] | None:
    """Return (asset type, asset) of an event: its own asset, else the first linked one; None if there is none.

    >>> from twinlab.model.twinmodel import EventType
    >>> event_owner(pd.Series({"asset": "T1", "origin": "H2"}), EventType(asset="truck", links={"origin": "hub"}))
    ('truck', 'T1')
    """
    ends = {"asset": spec.asset, **spec.links}
    named = [(kind, str(event[name])) for name, kind in ends.items() if kind is not None and event.get(name)]
    return named[0] if named else None
