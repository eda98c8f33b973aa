"""Charts as Bokeh figures, updated in place.

Exported plots are HoloViews objects (`twinlab.explore.charts.plots`). Charts of a page use the same layers without
HoloViews: that takes a tenth of the time, which matters for two dozen small charts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
from bokeh.events import SelectionGeometry
from bokeh.models import (
    BasicTicker,
    BoxSelectTool,
    ColumnDataSource,
    CustomJS,
    FixedTicker,
    HoverTool,
    Line,
    NoOverlap,
    Patch,
    Quad,
    Range1d,
    Scatter,
    Text,
)
from bokeh.plotting import figure as bokeh_figure
from panel.io import hold, push
from panel.io.state import set_curdoc

from twinlab.explore.charts.layers import hours_since
from twinlab.explore.charts.styles import FORMATTERS, bokeh_glyph, hover_tips
from twinlab.languages import tr

if TYPE_CHECKING:
    from bokeh.document import Document
    from bokeh.model import Model
    from numpy.typing import NDArray
    from pyviz_comms import Comm  # type: ignore[import-untyped]

    from twinlab.explore.charts.layers import Layer
    from twinlab.explore.charts.reading import Window

__all__ = [
    "WHEEL_END_MS",
    "FigurePane",
    "Frame",
    "axis_ends",
    "make_figure",
    "on_range_change",
    "one_message",
    "refresh",
    "style_figure",
    "update_screen",
]

#: A zoom is reported once the range hasn't changed for this many milliseconds.
_SETTLED_MS = 40
#: Bokeh ends a wheel zoom after this many milliseconds without a further step; its own default is 500.
WHEEL_END_MS = 60
_REPORT_RANGE = """
clearTimeout(zoomed.timer)
zoomed.timer = setTimeout(() => { zoomed.tags = [cb_obj.x0, cb_obj.x1] }, settled)
"""
_GRID_COLOR = "rgba(127, 127, 127, 0.3)"


@dataclass(frozen=True)
class Frame:
    """Axes, title and size of a chart."""

    y_label: str
    extent: tuple[float, float]
    window: Window
    states: Mapping[int, str] | None = None
    title: str = ""
    height: int = 360
    # Origin of the time axis, counted in hours; None: the axis shows UTC.
    since: np.datetime64 | None = None
    small: bool = False
    x_label: bool = True
    # With a comparison period; tooltips show both times.
    compared: bool = False
    # Dragging selects a span instead of zooming.
    selecting: bool = False


def on_range_change(chart: Any, on_zoom: Callable[[tuple[float, float]], None]) -> None:
    """Report the zoomed range of a chart after the user stops zooming: the ends of its time axis, in its own numbers."""
    zoomed = Range1d(name="zoomed")
    zoomed.on_change("tags", lambda _attr, _old, new: on_zoom((new[0], new[1])))
    chart.js_on_event("rangesupdate", CustomJS(args={"zoomed": zoomed, "settled": _SETTLED_MS}, code=_REPORT_RANGE))
    chart.lod_timeout = WHEEL_END_MS


def axis_ends(window: Window, since: np.datetime64 | None) -> tuple[float, float]:
    """Return the ends of a time axis in its own numbers: milliseconds since 1970, or hours since ``since``."""
    if since is not None:
        start, stop = (float(hours_since(t, since)) for t in window)
    else:
        start, stop = (float(t.astype("datetime64[us]").astype("int64")) / 1e3 for t in window)
    return start, stop


def make_figure(
    parts: Sequence[Layer],
    frame: Frame,
    *,
    x_range: Range1d | None = None,
    on_zoom: Callable[[tuple[float, float]], None] | None = None,
    on_brush: Callable[[tuple[float, float]], None] | None = None,
) -> Any:
    """Return a chart as a Bokeh figure.

    Parameters
    ----------
    x_range : Range1d, optional
        Time axis of another chart, to be shared.
    on_zoom, on_brush : callable, optional
        Called after a zoom or a selection with its ends, in numbers of the axis.
    """
    start, stop = axis_ends(frame.window, frame.since)
    chart = bokeh_figure(
        height=frame.height,
        sizing_mode="stretch_width",
        x_axis_type="linear" if frame.since is not None else "datetime",
        x_range=x_range or Range1d(start, stop),
        y_range=Range1d(*frame.extent),
        tools="xpan,xwheel_zoom,xbox_zoom,save" if not frame.small else "xpan,xbox_zoom",
        active_drag="xbox_zoom",
        title=frame.title or None,
        output_backend="canvas",
        toolbar_location=None if frame.small else "right",
    )
    _style_frame(chart, frame)
    hovered: dict[tuple[str, ...], tuple[Layer, list[Any]]] = {}
    for part in parts:
        renderer = chart.add_glyph(ColumnDataSource(data=part.source()), _glyph(part))
        renderer.name = part.name or part.label
        if part.tips is not None:
            hovered.setdefault((part.kind, *((part.label,) if part.kind == "Scatter" else ())), (part, []))[1].append(
                renderer
            )
    for part, renderers in hovered.values():
        tips = hover_tips(part, compared=frame.compared, counted=frame.since is not None)
        # Without a button in the toolbar for each tool.
        chart.add_tools(HoverTool(tooltips=tips, formatters=FORMATTERS, renderers=renderers, visible=False))
    _add_callbacks(chart, frame, on_zoom, on_brush)
    return chart


def style_figure(chart: Any, *, small: bool = False) -> None:
    """Set lines, fonts and margins of a figure, with a transparent background."""
    chart.min_border_left = 46 if small else 72
    # Half of the last tick's label.
    chart.min_border_right = 26 if small else 30
    chart.toolbar.logo = None
    chart.background_fill_alpha = chart.border_fill_alpha = 0
    chart.outline_line_color = _GRID_COLOR
    chart.grid.grid_line_color = _GRID_COLOR
    for axis in chart.xaxis:
        # Overlapping labels are left out on narrow screens.
        axis.major_label_policy = NoOverlap(min_distance=8)
    for axis in (*chart.xaxis, *chart.yaxis):
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = "13px"
        axis.major_label_text_font_size = "11px" if small else "12px"
        axis.minor_tick_line_color = None
        axis.axis_line_color = axis.major_tick_line_color = "rgba(127, 127, 127, 0.6)"


def _style_frame(chart: Any, frame: Frame) -> None:
    style_figure(chart, small=frame.small)
    if frame.title:
        chart.title.text_font_size = "13px"
    chart.yaxis.axis_label = frame.y_label or None
    _name_states(chart.yaxis[0], frame.states or {})
    if frame.small:
        chart.xaxis.ticker.desired_num_ticks = 5
        chart.yaxis.ticker.desired_num_ticks = 4 if not frame.states else None
    if frame.x_label:
        chart.xaxis.axis_label = tr("hours since start") if frame.since is not None else tr("time (UTC)")
    if frame.since is None:
        # The year only below the first tick: repeated, the labels of months would overlap on a phone.
        chart.xaxis.formatter.months = "%b"
        chart.xaxis.formatter.context.months = "%Y"


def _glyph(layer: Layer) -> Any:
    style, glyph = layer.style, bokeh_glyph(layer)
    if layer.kind == "Curve":
        return Line(x="time", y="value", **glyph)
    if layer.kind == "Area":
        return Patch(x="x", y="y", line_alpha=0, **glyph)
    if layer.kind == "Rectangles":
        lines = {"line_width": style["width"], "line_color": style["line"], "line_alpha": 1 if style["width"] else 0}
        return Quad(left="left", right="right", bottom="bottom", top="top", **lines, **glyph)
    if layer.kind == "Labels":
        return Text(
            x="time", y="at", text="text", text_color=style["color"], text_font_size="13px", text_baseline="middle"
        )
    if "marker" not in style:
        return Scatter(x="time", y="value", size=style["size"], **glyph)
    fill = 0.0 if style["marker"] == "x" else style["alpha"]
    color = style["color"]
    return Scatter(
        x="time",
        y="at",
        size=style["size"],
        marker=style["marker"],
        line_color=color,
        fill_color=color,
        line_width=2,
        fill_alpha=fill,
    )


def _add_callbacks(
    chart: Any,
    frame: Frame,
    on_zoom: Callable[[tuple[float, float]], None] | None,
    on_brush: Callable[[tuple[float, float]], None] | None,
) -> None:
    """Report zooms and selected spans."""
    if on_zoom is not None:
        on_range_change(chart, on_zoom)
    if frame.selecting and on_brush is not None:
        chart.on_event(SelectionGeometry, lambda event: _report_box(event, on_brush))
        tool = BoxSelectTool(dimensions="width", renderers=[], persistent=False)
        chart.add_tools(tool)
        chart.toolbar.active_drag = tool


def _report_box(event: Any, on_brush: Callable[[tuple[float, float]], None]) -> None:
    box = event.geometry
    if event.final and box.get("type") == "rect":
        on_brush((box["x0"], box["x1"]))


def refresh(chart: Any, parts: Sequence[Layer], frame: Frame, *, move: bool) -> None:
    """Update the data of a chart in place.

    Parameters
    ----------
    chart : figure that `make_figure` made
    parts : sequence of Layer
        The same number of layers, of the same kinds.
    move : bool
        Also set the time axis.
    """
    for renderer, part in zip(chart.renderers, parts, strict=True):
        renderer.glyph.update(**bokeh_glyph(part))
        renderer.name = part.name or part.label
        _fill(renderer.data_source, part.source())
    chart.y_range.update(start=frame.extent[0], end=frame.extent[1])
    chart.yaxis[0].axis_label = frame.y_label or None
    _name_states(chart.yaxis[0], frame.states or {})
    if frame.title:
        chart.title.text = frame.title
    if move:
        start, stop = axis_ends(frame.window, frame.since)
        chart.x_range.update(start=start, end=stop)


def _fill(source: ColumnDataSource, columns: Mapping[str, NDArray[np.generic]]) -> None:
    """Update the columns of a source; unchanged ones aren't sent."""
    present = source.data
    sizes = {len(values) for values in (*present.values(), *columns.values())}
    if present.keys() != columns.keys() or len(sizes) > 1:
        source.data = dict(columns)
        return
    changed = {name: values for name, values in columns.items() if not _same(present[name], values)}
    if changed:
        present.update(changed)


def _same(before: Any, values: NDArray[np.generic]) -> bool:
    return before.dtype == values.dtype and np.array_equal(before, values, equal_nan=values.dtype.kind == "f")


def _name_states(axis: Any, states: Mapping[int, str]) -> None:
    """Label a value axis with states, or with numbers if there are none."""
    if states:
        ticks = [float(code) for code in states]
        if not isinstance(axis.ticker, FixedTicker) or axis.ticker.ticks != ticks:
            axis.ticker = FixedTicker(ticks=ticks)
        axis.major_label_overrides = {float(code): name for code, name in states.items()}
    elif isinstance(axis.ticker, FixedTicker):
        axis.ticker = BasicTicker()
        axis.major_label_overrides = {}


class FigurePane(pn.pane.Bokeh):
    """A Bokeh figure that is built for each document, so that several cells of a notebook can show it.

    Parameters
    ----------
    make : callable
        Returns the figure for a document, given its reference.
    """

    # Never selected by ``pn.panel`` for an object.
    priority = 0

    def __init__(self, make: Callable[[str], Any], *, height: int) -> None:
        self._make = make
        super().__init__(None, sizing_mode="stretch_width", height=height, margin=(0, 2))

    def _get_model(
        self, doc: Document, root: Model | None = None, parent: Model | None = None, comm: Comm | None = None
    ) -> Model:
        if root is None:
            shown: Model = self.get_root(doc, comm)
            return shown
        ref = root.ref["id"]
        model: Model = self._make(ref)
        if comm:
            self._wrap_bokeh_callbacks(root, model, doc, comm)
        self._models[ref] = (model, parent)
        self._design.apply_bokeh_theme_to_model(model, self.theme)
        return model

    def figures(self) -> dict[str, Any]:
        """Return the figures by the reference of their document."""
        return {ref: model for ref, (model, _) in self._models.items()}

    def change(self, act: Callable[[Any], None]) -> None:
        """Change the figure in each document, in one message."""
        for ref, chart in self.figures().items():
            update_screen(ref, chart.document, partial(act, chart))


def update_screen(ref: str, document: Document | None, act: Callable[[], None]) -> None:
    """Change the models of a document, in one message.

    Parameters
    ----------
    ref : str
        Reference of the document.
    document : Document or None
        None before it is shown.
    act : callable
        Changes models of the document.
    """

    def put() -> None:
        with hold(document):
            act()

    def put_later() -> None:
        # The next tick has the context in which it was asked for, perhaps another page's.
        with set_curdoc(document):
            put()

    served = document is not None and document.session_context is not None
    if document is not None and served and not pn.state._unblocked(document):  # noqa: SLF001  (Panel asks the same before each change of its own)
        # A served document may be changed only with its lock, which the next tick has.
        document.add_next_tick_callback(put_later)
        return
    put()
    if served:
        return
    # The connection to a notebook is stored only there.
    shown = pn.state._views.get(ref)  # noqa: SLF001
    if shown is not None and shown[3] is not None:
        push(document, shown[3])


@contextmanager
def one_message() -> Iterator[None]:
    """Send all changes within the context as one message at its end, if a page is served.

    Otherwise each changed property is a separate message, whose overhead exceeds its content.
    """
    document = pn.state.curdoc
    if document is None or document.session_context is None or not pn.state._unblocked(document):  # noqa: SLF001
        yield
        return
    with hold(document):
        yield
