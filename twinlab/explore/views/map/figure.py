"""A map as a Bokeh figure: its layers as glyphs, made once, and afterwards only what changed is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.core.properties import field
from bokeh.events import SelectionGeometry
from bokeh.models import (
    BoxSelectTool,
    ColumnDataSource,
    CustomJS,
    HoverTool,
    Line,
    MultiLine,
    Patch,
    Range1d,
    Scatter,
    TapTool,
    Text,
)
from bokeh.plotting import figure as bokeh_figure
from panel.io import hold

from twinlab.explore.charts.basemap import joined, prepare
from twinlab.explore.charts.figures import WHEEL_END_MS
from twinlab.explore.views.map.layers import MAP_TOOLS, MapLayer

if TYPE_CHECKING:
    from twinlab.explore.charts.outlines import Box

__all__ = ["fill_map", "make_map"]

#: A reader's hand rests this long before what they see is told, milliseconds.
_REST = 90
_TELL_SEEN = """
clearTimeout(seen.rest)
seen.rest = setTimeout(() => {
    const x = plot.x_range, y = plot.y_range
    if (plot.inner_width > 0) seen.tags = [x.start, y.start, x.end, y.end, plot.inner_width]
}, rest)
"""
#: Up to so many numbers go within the message; each array by itself costs two more messages.
_FEW = 400
_TIP = '<div style="font:12px/1.45 system-ui,sans-serif">@tip{safe}</div>'


def make_map(
    layers: Sequence[MapLayer],
    view: Box,
    *,
    height: int,
    pick: str,
    on_choose: Callable[[list[int]], None],
    on_move: Callable[[tuple[float, float, float, float], float], None],
) -> Any:
    """Return a map as a Bokeh figure.

    Parameters
    ----------
    layers : sequence of MapLayer
        Bottom first; the ground's among them.
    view : Box
        What is shown first.
    pick : str
        Name of the layer that can be chosen from.
    on_choose : callable
        Called with the rows of that layer that a reader tapped or boxed.
    on_move : callable
        Called with left, bottom, right and top of what a reader sees, and how many pixels wide that is: when it first
        stands, and after dragging and zooming.
    """
    chart = bokeh_figure(
        height=height,
        sizing_mode="stretch_width",
        x_range=Range1d(view.left, view.right),
        y_range=Range1d(view.bottom, view.top),
        tools=",".join(MAP_TOOLS),
        active_drag="pan",
        active_scroll="wheel_zoom",
        min_border=6,
        lod_timeout=WHEEL_END_MS,
        toolbar_location="right",
    )
    chart.outline_line_color = "rgba(127, 127, 127, 0.5)"
    chart.background_fill_alpha = chart.border_fill_alpha = 0
    prepare(chart, view)
    for layer in layers:
        renderer = chart.add_glyph(ColumnDataSource(data=_columns(layer)), _glyph(layer), name=layer.name)
        # Chosen or not, a marker keeps its look: the halo tells.
        renderer.selection_glyph = renderer.nonselection_glyph = None
        if "tip" in layer.columns:
            chart.add_tools(HoverTool(renderers=[renderer], tooltips=_TIP, visible=False))
        if layer.name == pick:
            _listen_to_choices(chart, renderer, on_choose)
    seen = Range1d(name="seen")
    seen.on_change("tags", lambda _attr, _old, new: on_move((new[0], new[1], new[2], new[3]), new[4]))
    tell = CustomJS(args={"seen": seen, "rest": _REST, "plot": chart}, code=_TELL_SEEN)
    chart.js_on_event("rangesupdate", tell)
    # After what `prepare` does then.
    chart.js_on_change("inner_width", tell)
    return chart


def _listen_to_choices(chart: Any, renderer: Any, on_choose: Callable[[list[int]], None]) -> None:
    tap = TapTool(renderers=[renderer])
    chart.add_tools(tap, BoxSelectTool(renderers=[renderer], persistent=False))
    chart.toolbar.active_tap = tap

    def chosen(event: Any) -> None:
        # Told of each tap, be it on the marker that was tapped last; the rows have come just before.
        if event.final:
            with hold(chart.document):
                on_choose([int(k) for k in renderer.data_source.selected.indices])

    chart.on_event(SelectionGeometry, chosen)


def _glyph(layer: MapLayer) -> Any:
    options = dict(layer.options)
    if layer.kind == "Labels":
        return _text(layer, options)
    if layer.kind == "Polygons":
        return Patch(x="x", y="y", **options)
    if layer.kind == "Path":
        look = {
            {"color": "line_color", "alpha": "line_alpha"}.get(name, name): value for name, value in options.items()
        }
        if not _own(layer):
            return Line(x="x", y="y", line_join="round", **look)
        return MultiLine(xs="xs", ys="ys", line_color=field("color"), line_width=field("line_width"), **look)
    look = {name: field(name) for name in layer.columns if name not in ("x", "y", "tip", "color", "angle")}
    if "color" in layer.columns:
        look |= {"fill_color": field("color"), "line_color": field("color")}
        options.pop("line_color", None)
    if "angle" in layer.columns:
        look |= {"angle": field("angle"), "angle_units": "deg"}
    return Scatter(x="x", y="y", **{**options, **look})


def _text(layer: MapLayer, options: Mapping[str, Any]) -> Text:
    return Text(
        x="x",
        y="y",
        text="text",
        text_align="center",
        text_color="#222222",
        # Names stand above their marker, what it carries below, however many lines that is.
        text_baseline="top" if layer.name == "counts" else "middle",
        y_offset=9 if layer.name == "counts" else -14,
        background_fill_color="#ffffff",
        background_fill_alpha=0.75,
        border_radius=3,
        padding=1,
        **options,
    )


def _own(layer: MapLayer) -> bool:
    """Whether each line has columns of its own."""
    return any(name not in ("xs", "ys") for name in layer.columns)


def _columns(layer: MapLayer) -> dict[str, Any]:
    """The columns as the layer's glyph wants them: lines that look the same are one, with breaks."""
    columns = layer.columns
    if layer.kind in ("Polygons", "Path") and not _own(layer):
        one = joined({"x": columns["xs"], "y": columns["ys"]})
        return {name: _plain(parts[0]) if parts else [] for name, parts in one.items()}
    return {name: _plain(values) for name, values in columns.items()}


def _plain(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return values.tolist() if values.dtype == object or values.size <= _FEW else values
    # Of lines apart each would be two messages; a decimetre is less than a pixel.
    return [np.round(one, 1).tolist() if isinstance(one, np.ndarray) else one for one in values]


def fill_map(chart: Any, layers: Sequence[MapLayer]) -> None:
    """Put other columns into a map's layers, found by their names; only those that changed are sent."""
    sources = {renderer.name: renderer.data_source for renderer in chart.renderers}
    for layer in layers:
        source = sources[layer.name]
        new = _columns(layer)
        changed = {name: values for name, values in new.items() if not _same(source.data[name], values)}
        if len(changed) == len(new) or (changed and not _as_long(source.data, new)):
            source.data = new
        elif changed:
            source.data.update(changed)


def _as_long(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return all(len(before[name]) == len(after[name]) for name in after)


def _same(before: Any, after: Any) -> bool:
    if len(before) != len(after):
        return False
    if isinstance(before, np.ndarray) or isinstance(after, np.ndarray):
        return np.array_equal(before, after, equal_nan=True)
    return bool(before == after)
