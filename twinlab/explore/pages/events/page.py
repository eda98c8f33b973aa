"""The Events page: a summary, a chart of counts, a map of routes and a table, each filtering the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from panel.io import hold

from twinlab._html import html
from twinlab.explore.charts.basemap import base_map, extent_of
from twinlab.explore.charts.outlines import Box
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.panes import Html, empty_pane
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.kit.tables.table_filters import EventFilter
from twinlab.explore.kit.widgets import row
from twinlab.explore.pages.events.bins import Bins, count_by_delay, count_by_time
from twinlab.explore.pages.events.live_chart import EventChart
from twinlab.explore.pages.events.stacks import Span, chart_legend
from twinlab.explore.pages.events.summary import summarise, summary_html
from twinlab.explore.views.base import Explorer, on_event_loop
from twinlab.explore.views.events.explorer import NO_EVENTS, EventExplorer
from twinlab.explore.views.map.layers import MapLayer, base_map_layers, overlay
from twinlab.explore.views.map.legend import routes_legend
from twinlab.explore.views.map.live_figure import LiveMap, pixel_size
from twinlab.explore.views.map.routes import place_links, places_of, route_layers, routes
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.model.reader import TwinReader

__all__ = ["EventsView"]

_CHARTS = {mark("Counts over time"): "time", mark("Delays"): "delay"}
_DELAY = "end_delay"
_TIMES = ("start", "planned_start", "end", "planned_end")
_MAP_HEIGHT = 360


class EventsView(Explorer):
    """Events of one type: summary, chart, map and table.

    A box on the chart filters the table by period or by delay, a click on a route by that route; filters in the headers
    of the table apply to chart and map too. A selected row is marked on both.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "events"
    label: ClassVar[str] = mark("Events")

    chart = param.Selector(default="time", objects=_CHARTS, check_on_set=True, doc="horizontal axis of the chart")

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._quiet = True
        self._route: tuple[str, str] | None = None
        # Counts and routes on the page.
        self._bins: Bins | None = None
        self._drawn: pd.DataFrame | None = None
        self._extent: Box | None = None
        self._summary = Html("", sizing_mode="stretch_width", margin=(6, 10))
        self._chart = EventChart(on_box=self._box_drawn)
        self._chart_legend = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._map = LiveMap(on_choose=self._route_clicked, pick="routes", height=_MAP_HEIGHT)
        self._map_legend = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._map_part = pn.Column(self._map.pane, self._map_legend, sizing_mode="stretch_width")
        self._filters = Html("", margin=(4, 10))
        self._clear = pmui.Button(label=tr("Clear filters"), variant="outlined", size="small", visible=False)
        self._clear.on_click(lambda _: self.clear_filters())
        self.table = EventExplorer(
            twin,
            link=_for_table(self.first_link),
            shared=self.shared,
            session=self.session,
            # A page that is built in a thread may read at once: it blocks no other reader.
            patient=patient and on_event_loop(),
            open_code=self.open_code,
        )
        self.table.patient = patient
        self._table_part = pn.Column(self.table.grid(), sizing_mode="stretch_width")
        with param.parameterized.batch_call_watchers(self):
            self._apply_own(self.first_link)
        self.table.param.watch(self._others_shown, "shows")
        self.table.param.watch(self._follow, "revision")
        self.table.param.watch(self._row_chosen, "selected")
        self.table.param.watch(self._copy_notice, "notice")
        self._quiet = False
        self._copy_notice()
        self._draw()

    # -- selecting ----------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the state of a link; a wrong value becomes a notice."""
        with self._silently():
            self._apply_own(link)
            self.table.apply(_for_table(link))
        self._draw()
        self.revision += 1

    def _apply_own(self, link: Link) -> None:
        self.chart = link.layout if link.layout in _CHARTS.values() else "time"
        self.table.window = link.window

    def _others_shown(self, *_: object) -> None:
        if not self._quiet:
            self._draw()

    def _follow(self, *_: object) -> None:
        if not self._quiet:
            self.revision += 1

    def _copy_notice(self, *_: object) -> None:
        self.notice = self.table.notice

    def _row_chosen(self, *_: object) -> None:
        event = self.table.selected
        if self._quiet:
            return
        links = self._links()
        self._route = None
        if event is not None and len(links) > 1:
            self._route = (str(event[links[0]]), str(event[links[1]]))
        if event is not None:
            self.chosen = self.table.chosen
        self._chart.mark(self._marked())
        self._draw_routes()
        self.revision += 1

    def _box_drawn(self, span: Span) -> None:
        """Filter the table by a box that a reader drew on the chart."""
        if self.chart == "time":
            start, stop = (np.datetime64(round(x * 1e3), "us").astype("datetime64[ns]") for x in span)
            with param.parameterized.batch_call_watchers(self.table):
                self.table.param.update(window=(start, stop), in_view=True)
        else:
            low, high = (float(round(x, 1)) for x in span)
            others = tuple(one for one in self.table.filters if one.column != _DELAY)
            self.table.filters = (*others, EventFilter(_DELAY, ">=", low), EventFilter(_DELAY, "<", high))

    def _route_clicked(self, rows: list[int]) -> None:
        """Filter the table by a route that a reader clicked."""
        links = self._links()
        if self._drawn is None or len(rows) != 1 or rows[0] >= len(self._drawn):
            return
        route = self._drawn.iloc[rows[0]]
        others = tuple(one for one in self.table.filters if one.column not in links[:2])
        ends = (EventFilter(links[0], "=", str(route["origin"])), EventFilter(links[1], "=", str(route["destination"])))
        self.table.filters = (*others, *ends)

    def clear_filters(self) -> None:
        """Remove all filters."""
        # One message: the browser lays the page out once, not after each part.
        with hold():
            with self._silently():
                self.table.clear_filters()
                self.table.window = None
            self._draw()
            self.revision += 1

    @param.depends("chart", watch=True)
    def _chart_changed(self) -> None:
        if not self._quiet:
            self._draw_chart(self._rows())
            self.revision += 1

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _links(self) -> tuple[str, ...]:
        kind = self.table.event_type
        return () if kind is None else place_links(self.twin.model, self.twin.model.event_types[kind])

    def _rows(self) -> pd.DataFrame | None:
        """Return the columns of the filtered events that chart and map need; None if the events can't be read."""
        links = self._links()
        return self.table.columns(["status", *_TIMES, _DELAY, *(links[:2] if len(links) > 1 else ())])

    def _draw(self) -> None:
        """Update summary, chart and map from the filtered events."""
        rows = self._rows()
        some = rows is not None and self.table.total > 0
        self._chart.pane.visible = self._table_part.visible = some
        if rows is None or not some:
            # The table shows the error itself.
            self._table_part.visible = rows is None
            self._summary.object = "" if rows is None else empty_pane(*NO_EVENTS).object
            self._chart_legend.object = self._map_legend.object = self._filters.object = ""
            self._map_part.visible = self._clear.visible = False
            return
        self._summary.object = summary_html(summarise(rows))
        filters = [str(one) for one in self.table.all_filters]
        if self.table.narrowing_window is not None:
            filters.append(tr("overlapping ") + self.table.settings()[tr("Period (UTC)")] + " UTC")
        self._clear.visible = bool(filters)
        self._filters.object = _filters_html(filters, empty=rows.empty)
        self._draw_chart(rows)
        self._draw_map(rows)

    def _draw_chart(self, rows: pd.DataFrame | None) -> None:
        if rows is None:
            return
        self._bins = count_by_time(rows) if self.chart == "time" else count_by_delay(rows, column=_DELAY)
        self._chart.show(self._bins, by_time=self.chart == "time", marked=self._marked(), empty=rows.empty)
        self._chart_legend.object = chart_legend(self._bins)

    def _marked(self) -> Span | None:
        """Return the position of the selected event on the chart's axis."""
        event = self.table.selected
        if event is None:
            return None
        if self.chart == "delay":
            delay = float(event[_DELAY])
            return None if np.isnan(delay) else (delay, delay)
        times = [event[name] for name in _TIMES]
        known = [pd.Timestamp(t).timestamp() * 1e3 for t in times if not pd.isna(t)]
        return (min(known), max(known)) if known else None

    def _find_routes(self, rows: pd.DataFrame) -> None:
        """Count the events between each pair of places; None if the events link no places."""
        ends = self._ends()
        if ends is None:
            self._drawn = None
            return
        places = [self._places(kind).index for _, kind in ends]
        found = routes(rows, [name for name, _ in ends])
        there = found["origin"].isin(places[0]) & found["destination"].isin(places[1])
        self._drawn = found[there].reset_index(drop=True)

    def _ends(self) -> tuple[tuple[str, str], tuple[str, str]] | None:
        """Return the links to origin and destination, each with its asset type; None without two such links."""
        links, kind = self._links(), self.table.event_type
        if len(links) < 2 or kind is None:
            return None
        spec = self.twin.model.event_types[kind]
        return (links[0], spec.links[links[0]]), (links[1], spec.links[links[1]])

    def _layers(self) -> list[MapLayer] | None:
        """Return the layers of the map; None without a map."""
        ends = self._ends()
        if self._drawn is None or ends is None or (self._extent is None and self._drawn.empty):
            return None
        kinds = {"origin": ends[0][1], "destination": ends[1][1]}
        places = {end: self._places(kind) for end, kind in kinds.items()}
        if self._extent is None:
            both = pd.concat([places[end].loc[self._drawn[end].unique()] for end in kinds])
            self._extent = extent_of(both["latitude"].to_numpy(dtype=float), both["longitude"].to_numpy(dtype=float))
        return route_layers(
            self._drawn,
            places,
            {end: self.shared.labels(kind) for end, kind in kinds.items()},
            chosen=self._route,
            metres_a_pixel=self._map.metres_a_pixel or pixel_size(self._extent, height=_MAP_HEIGHT),
        )

    def _places(self, asset_type: str) -> pd.DataFrame:
        return self.shared.cached(("places", asset_type), lambda: places_of(self.twin, asset_type))

    def _draw_map(self, rows: pd.DataFrame) -> None:
        try:
            self._find_routes(rows)
        except READING_ERRORS as error:
            self.notice = tr("The map can't be drawn: {error}", error=error)
            self._drawn = None
        self._draw_routes()

    def _draw_routes(self) -> None:
        layers = self._layers()
        self._map_part.visible = layers is not None
        if layers is None or self._extent is None:
            return
        if self._map.is_shown:
            self._map.refresh(layers)
        else:
            self._map.show(layers, self._extent)
        self._map_legend.object = routes_legend()

    # -- state, code and data -----------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the state of the page."""
        own = self.table.link()
        chosen = self.chosen
        return replace(
            own,
            layout=None if self.chart == "time" else self.chart,
            asset_type=None if chosen is None else chosen[0],
            assets=None if chosen is None else (chosen[1],),
        )

    def code(self) -> str:
        """Return Python that gives the filtered events under the name ``data``."""
        return self.table.code()

    def data(self) -> pd.DataFrame | None:
        """Return the filtered events, as `code` gives them."""
        return self.table.data()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the filtered events, and the routes between their places, as tables."""
        out = self.table.tables()
        if out and self._drawn is not None and self._links():
            names = {"count": tr("events"), "delay": tr("median delay (min)")}
            out["Routes"] = self._drawn.rename(columns=names)
        return out

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        return {**self.table.settings(), tr("Chart"): next(tr(k) for k, v in _CHARTS.items() if v == self.chart)}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the chart as a HoloViews object."""
        from twinlab.explore.pages.events.plot import event_bars  # noqa: PLC0415  (HoloViews is imported only for pictures)

        if self._bins is None or self.table.data() is None:
            return None
        return event_bars(self._bins, by_time=self.chart == "time", backend=backend)

    def map_figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the map of routes as a HoloViews object; None if the events link no places."""
        layers = self._layers()
        if layers is None or self._extent is None:
            return None
        view = self._extent
        limits: dict[str, Any] = {"xlim": (view.left, view.right), "ylim": (view.bottom, view.top)}
        plot = overlay([*base_map_layers(base_map(view)), *layers], backend=backend)
        return plot.opts(**limits, xaxis=None, yaxis=None, backend=backend)

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets above the chart."""
        kind = pmui.Select.from_param(
            self.table.param.event_type, label=tr("Kind of event"), width=190, size="small", description=""
        )
        chart = pmui.Select.from_param(self.param.chart, label=tr("Chart"), width=180, size="small", description="")
        view = pmui.Switch.from_param(self.table.param.in_view, label=tr("Only in the chosen period"), description="")
        return row([kind, chart, view], margin=(8, 0, 4, 0))

    def __panel__(self) -> pn.viewable.Viewable:
        if self.table.event_type is None:
            return pn.Column(self.table, sizing_mode="stretch_width")
        return pn.Column(
            self._alert,
            self.controls(),
            self._summary,
            pn.FlexBox(self._filters, self._clear, align_items="center", sizing_mode="stretch_width"),
            self._chart.pane,
            self._chart_legend,
            self._map_part,
            self._table_part,
            sizing_mode="stretch_width",
        )


def _for_table(link: Link) -> Link:
    """Return a link for the table, in which a period filters the events unless the link says otherwise."""
    return replace(link, in_view=link.in_view if link.in_view is not None else link.window is not None)


def _filters_html(filters: list[str], *, empty: bool) -> str:
    if not filters:
        return ""
    return html(
        '<span role="status" style="font:13px/1.5 Roboto,system-ui,sans-serif">'
        "{{ 'No event fulfils' if empty else 'Filters:' }} {{ filters | join('; ') }}</span>",
        empty=empty,
        filters=filters,
    )
