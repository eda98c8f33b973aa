"""A map of places and the links between them, on which simulated trips move smoothly in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from bokeh.events import SelectionGeometry
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, Line, Patch, Range1d, Scatter, Segment, TapTool, Text
from bokeh.plotting import figure as bokeh_figure
from panel.io import hold

from twinlab.explore.charts.basemap import base_map, extent_of, join_lines, prepare

__all__ = ["LAYERS", "fill_network", "make_network_map", "move_trips"]

Columns = Mapping[str, Any]

_TIP = '<div style="font:12px/1.45 system-ui,sans-serif">@tip{safe}</div>'
_ORANGE, _BLUE, _GREY = "#D55E00", "#0072B2", "#5b6b79"

#: Name of each layer, bottom first -> its glyph. Wide lines without colour are what a finger hits beside a link.
_GLYPHS: dict[str, Any] = {
    "targets": lambda: Segment(x0="x0", y0="y0", x1="x1", y1="y1", line_width=16, line_alpha=0.0),
    "links": lambda: Segment(x0="x0", y0="y0", x1="x1", y1="y1", line_width=1.2, line_color=_GREY, line_alpha=0.55),
    "marked_links": lambda: Segment(
        x0="x0", y0="y0", x1="x1", y1="y1", line_width=3.5, line_color=_ORANGE, line_dash="dashed"
    ),
    "marked": lambda: Scatter(
        x="x", y="y", size=30, marker="circle", fill_color=_ORANGE, fill_alpha=0.18, line_color=_ORANGE, line_width=2.5
    ),
    "hubs": lambda: Scatter(
        x="x", y="y", size="size", marker="circle", fill_color=_BLUE, fill_alpha=0.7, line_color=_BLUE, line_width=1.2
    ),
    "movers": lambda: Scatter(
        x="x", y="y", size=10, angle="angle", marker="triangle", fill_color="#E69F00", line_color="#4a3200", line_width=0.8
    ),
    "names": lambda: Text(
        x="x", y="y", text="text", text_align="center", text_baseline="bottom", y_offset="above", text_color="#222222",
        text_font_size="12px", background_fill_color="#ffffff", background_fill_alpha=0.75, border_radius=3, padding=1,
    ),
    "trips": lambda: Scatter(x="x0", y="y0", size=0),
}  # fmt: skip
#: Columns of each layer; ``start`` and ``end`` of trips are milliseconds since 1970.
LAYERS: dict[str, tuple[str, ...]] = {
    "targets": ("x0", "y0", "x1", "y1"),
    "links": ("x0", "y0", "x1", "y1"),
    "marked_links": ("x0", "y0", "x1", "y1", "tip"),
    "marked": ("x", "y", "tip"),
    "hubs": ("x", "y", "size", "tip"),
    "movers": ("x", "y", "angle", "tip"),
    "names": ("x", "y", "text", "above"),
    "trips": ("start", "end", "x0", "y0", "x1", "y1"),
}
#: Where trips are at an instant is computed here, so that they move with each frame of the screen. The columns are changed in
#: place, which isn't sent to the server.
_MOVE = """
const [until, duration] = trips.tags
const state = trips.playing ?? (trips.playing = {at: null, frame: 0})
const place = (at) => {
  const {start, end, x0, y0, x1, y1} = trips.data
  const {x, y, angle} = movers.data
  for (let i = 0; i < start.length; i++) {
    const share = (at - start[i]) / (end[i] - start[i])
    const moving = share >= 0 && share < 1
    x[i] = moving ? x0[i] + share * (x1[i] - x0[i]) : NaN
    y[i] = moving ? y0[i] + share * (y1[i] - y0[i]) : NaN
    angle[i] = Math.atan2(y1[i] - y0[i], x1[i] - x0[i]) - Math.PI / 2
  }
  state.at = at
  movers.change.emit()
}
cancelAnimationFrame(state.frame)
const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches
if (duration > 0 && state.at !== null && !still) {
  const from = state.at, begun = performance.now()
  const step = (now) => {
    const share = Math.min(1, Math.max(0, (now - begun) / duration))
    place(from + share * (until - from))
    if (share < 1) state.frame = requestAnimationFrame(step)
  }
  state.frame = requestAnimationFrame(step)
} else {
  place(until)
}
"""


def make_network_map(
    layers: Mapping[str, Columns],
    *,
    latitude: np.ndarray,
    longitude: np.ndarray,
    height: int,
    on_pick: Callable[[str, int], None],
) -> Any:
    """Return a map as a Bokeh figure.

    Parameters
    ----------
    layers : mapping of layer to its columns
        Of `LAYERS`; one that is left out is empty.
    latitude, longitude : array, degrees
        What the map shows at first.
    height : int
        Pixels.
    on_pick : callable
        Called after a tap with ``"hubs"`` or ``"links"`` and the row.
    """
    view = extent_of(latitude, longitude)
    chart = bokeh_figure(
        height=height,
        sizing_mode="stretch_width",
        x_range=Range1d(view.left, view.right),
        y_range=Range1d(view.bottom, view.top),
        # Without the wheel: a page is scrolled over the map.
        tools="pan,box_zoom,reset,save",
        active_drag=None,
        min_border=6,
        toolbar_location="right",
    )
    chart.outline_line_color = "rgba(127, 127, 127, 0.5)"
    chart.background_fill_alpha = chart.border_fill_alpha = 0
    prepare(chart, view)
    for name, columns in base_map(view).items():
        one = join_lines(columns)
        data = {key[0]: parts[0].tolist() if parts else [] for key, parts in one.items()}
        chart.add_glyph(ColumnDataSource(data), _ground(name))
    made = {name: _add_layer(chart, name, layers.get(name, {})) for name in _GLYPHS}
    made["trips"].visible = False
    trips, movers = made["trips"].data_source, made["movers"].data_source
    trips.js_on_change("tags", CustomJS(args={"trips": trips, "movers": movers}, code=_MOVE))
    picked = [made["hubs"], made["targets"]]
    tap = TapTool(renderers=picked)
    chart.add_tools(tap)
    chart.toolbar.active_tap = tap

    def report(event: Any) -> None:
        # It comes with each tap, also on what is selected already; the selection was updated just before.
        if event.final:
            with hold(chart.document):
                for name, renderer in zip(("hubs", "links"), picked, strict=True):
                    rows = renderer.data_source.selected.indices
                    if rows:
                        on_pick(name, int(rows[0]))
                        return

    chart.on_event(SelectionGeometry, report)
    return chart


def _ground(name: str) -> Any:
    if name == "land":
        return Patch(x="x", y="y", fill_color="#8896a3", fill_alpha=0.16, line_alpha=0.0)
    dash = "dashed" if name == "borders" else "solid"
    return Line(x="x", y="y", line_color="#8896a3", line_alpha=0.7, line_width=0.8, line_dash=dash)


def _add_layer(chart: Any, name: str, columns: Columns) -> Any:
    renderer = chart.add_glyph(ColumnDataSource(data=_whole(name, columns)), _GLYPHS[name](), name=name)
    # A tap doesn't change what is drawn.
    renderer.selection_glyph = renderer.nonselection_glyph = None
    if "tip" in LAYERS[name]:
        chart.add_tools(HoverTool(renderers=[renderer], tooltips=_TIP, visible=False))
    return renderer


def _whole(name: str, columns: Columns) -> dict[str, Any]:
    """Return the columns of a layer as lists, which are sent within the message."""
    return {each: np.asarray(columns.get(each, ())).tolist() for each in LAYERS[name]}


def fill_network(chart: Any, layers: Mapping[str, Columns]) -> None:
    """Change layers of a map, matched by name; those that are left out stay."""
    sources = _sources(chart)
    for name, columns in layers.items():
        new = _whole(name, columns)
        if sources[name].data != new:
            sources[name].data = new


def move_trips(chart: Any, at: float, *, duration: float) -> None:
    """Let trips move from where they are to where they are at an instant.

    Parameters
    ----------
    chart : figure of `make_network_map`
    at : float
        Milliseconds since 1970.
    duration : float
        Milliseconds of the movement; 0 shows the instant at once.
    """
    _sources(chart)["trips"].tags = [at, duration]


def _sources(chart: Any) -> dict[str, Any]:
    return {renderer.name: renderer.data_source for renderer in chart.renderers if renderer.name in LAYERS}
