"""A map as a Bokeh figure: layers become glyphs, and updates send only changed columns."""

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

from twinlab.explore.charts.basemap import join_lines, prepare
from twinlab.explore.charts.figures import WHEEL_END_MS
from twinlab.explore.views.map.layers import MAP_TOOLS, MapLayer

if TYPE_CHECKING:
    from twinlab.explore.charts.outlines import Box

__all__ = ["fill_map", "make_map"]

#: The visible extent is reported once it hasn't changed for this many milliseconds.
_SETTLED_MS = 90
_REPORT_EXTENT = """
clearTimeout(seen.timer)
seen.timer = setTimeout(() => {
    const x = plot.x_range, y = plot.y_range
    if (plot.inner_width > 0) seen.tags = [x.start, y.start, x.end, y.end, plot.inner_width]
}, settled)
"""
#: Arrays up to this size are sent as lists within the message; each binary array takes two more messages.
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
        Bottom first, including those of the base map.
    view : Box
        Initial extent.
    pick : str
        Name of the selectable layer.
    on_choose : callable
        Called after a tap or a box selection with the rows of that layer.
    on_move : callable
        Called with (left, bottom, right, top) of the visible extent and its width in pixels, at first and after panning
        and zooming.
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
        # Selection doesn't change the glyph; a halo shows it.
        renderer.selection_glyph = renderer.nonselection_glyph = None
        if "tip" in layer.columns:
            chart.add_tools(HoverTool(renderers=[renderer], tooltips=_TIP, visible=False))
        if layer.name == pick:
            _listen_to_choices(chart, renderer, on_choose)
    seen = Range1d(name="seen")
    seen.on_change("tags", lambda _attr, _old, new: on_move((new[0], new[1], new[2], new[3]), new[4]))
    report = CustomJS(args={"seen": seen, "settled": _SETTLED_MS, "plot": chart}, code=_REPORT_EXTENT)
    chart.js_on_event("rangesupdate", report)
    # After the callback of `prepare`.
    chart.js_on_change("inner_width", report)
    return chart


def _listen_to_choices(chart: Any, renderer: Any, on_choose: Callable[[list[int]], None]) -> None:
    tap = TapTool(renderers=[renderer])
    chart.add_tools(tap, BoxSelectTool(renderers=[renderer], persistent=False))
    chart.toolbar.active_tap = tap

    def report_selection(event: Any) -> None:
        # This event comes with each tap, even on the marker that is selected; the selection was updated just before.
        if event.final:
            with hold(chart.document):
                on_choose([int(k) for k in renderer.data_source.selected.indices])

    chart.on_event(SelectionGeometry, report_selection)


def _glyph(layer: MapLayer) -> Any:
    options = dict(layer.options)
    if layer.kind == "Labels":
        return _text(layer, options)
    if layer.kind == "Polygons":
        return Patch(x="x", y="y", **options)
    if layer.kind == "Path":
        style = {
            {"color": "line_color", "alpha": "line_alpha"}.get(name, name): value for name, value in options.items()
        }
        if not _own(layer):
            return Line(x="x", y="y", line_join="round", **style)
        return MultiLine(xs="xs", ys="ys", line_color=field("color"), line_width=field("line_width"), **style)
    style = {name: field(name) for name in layer.columns if name not in ("x", "y", "tip", "color", "angle")}
    if "color" in layer.columns:
        style |= {"fill_color": field("color"), "line_color": field("color")}
        options.pop("line_color", None)
    if "angle" in layer.columns:
        style |= {"angle": field("angle"), "angle_units": "deg"}
    return Scatter(x="x", y="y", **{**options, **style})


def _text(layer: MapLayer, options: Mapping[str, Any]) -> Text:
    return Text(
        x="x",
        y="y",
        text="text",
        text_align="center",
        text_color="#222222",
        # Names above the marker, counts of contained assets below.
        text_baseline="top" if layer.name == "counts" else "middle",
        y_offset=9 if layer.name == "counts" else -14,
        background_fill_color="#ffffff",
        background_fill_alpha=0.75,
        border_radius=3,
        padding=1,
        **options,
    )


def _own(layer: MapLayer) -> bool:
    """Whether lines have individual columns, such as colours."""
    return any(name not in ("xs", "ys") for name in layer.columns)


def _columns(layer: MapLayer) -> dict[str, Any]:
    """Return the columns of a layer's glyph; lines without individual columns become one line with breaks."""
    columns = layer.columns
    if layer.kind in ("Polygons", "Path") and not _own(layer):
        one = join_lines({"x": columns["xs"], "y": columns["ys"]})
        return {name: _plain(parts[0]) if parts else [] for name, parts in one.items()}
    return {name: _plain(values) for name, values in columns.items()}


def _plain(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return values.tolist() if values.dtype == object or values.size <= _FEW else values
    # As lists, since each binary array takes two messages; a decimetre is less than a pixel.
    return [np.round(one, 1).tolist() if isinstance(one, np.ndarray) else one for one in values]


def fill_map(chart: Any, layers: Sequence[MapLayer]) -> None:
    """Update the layers of a map, matched by name; only changed columns are sent."""
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
