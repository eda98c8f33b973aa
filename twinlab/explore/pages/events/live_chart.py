"""The chart of events on a page: one Bokeh figure, updated in place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
from bokeh.events import SelectionGeometry
from bokeh.models import BoxAnnotation, BoxSelectTool, ColumnDataSource, HoverTool, Range1d
from bokeh.plotting import figure as bokeh_figure
from bokeh.transform import factor_cmap, factor_hatch

from twinlab.explore.charts.figures import FigurePane, style_figure
from twinlab.explore.pages.events.stacks import (
    HATCHES,
    ORDER,
    STATUS_COLORS,
    Span,
    axis_title,
    bar_columns,
    bin_edges,
    height_of,
)
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.pages.events.bins import Bins

__all__ = ["EventChart"]

HEIGHT = 240


class EventChart:
    """The chart; ``pane`` is its place in a layout.

    Parameters
    ----------
    on_box : callable
        Called with the span of a box that a reader draws: milliseconds since 1970, or minutes.
    """

    def __init__(self, *, on_box: Callable[[Span], None]) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width", min_height=HEIGHT)
        self._on_box = on_box
        self._shown: FigurePane | None = None
        # Current content, for a figure that is made later.
        self._bins: Bins | None = None
        self._marked: Span | None = None
        self._by_time = True

    def show(self, bins: Bins | None, *, by_time: bool, marked: Span | None, empty: bool = False) -> None:
        """Draw counts, in place if the axis is the same.

        Parameters
        ----------
        bins : Bins or None
            None if no event has a time or a delay.
        by_time : bool
            Whether the horizontal axis is time; otherwise it is the delay in minutes.
        marked : (float, float) or None
            Span of the selected event, in units of the axis.
        empty : bool
            Whether no event matches the filters.
        """
        same = self._shown is not None and by_time == self._by_time
        self._bins, self._marked, self._by_time = bins, marked, by_time
        if bins is None:
            self._shown = None
            needed = "time" if by_time else "delay"
            text = tr("Nothing to count.") if empty else tr("No event has a {needed}.", needed=needed)
            message = pmui.Typography(text, variant="body1", margin=(20, 10))
            self.pane.param.update(objects=[message], min_height=0)
        elif same and self._shown is not None:
            self._shown.change(partial(_fill, bins=bins, marked=marked))
        else:
            self._shown = FigurePane(lambda _: self._make(), height=HEIGHT)
            self.pane.param.update(objects=[self._shown], min_height=HEIGHT)

    def mark(self, span: Span | None) -> None:
        """Mark a span, without changing bars or zoom."""
        self._marked = span
        if self._shown is not None:
            self._shown.change(partial(_mark, span=span))

    def figures(self) -> list[Any]:
        """Return the figures that are shown."""
        return [] if self._shown is None else list(self._shown.figures().values())

    def _make(self) -> Any:
        assert self._bins is not None
        chart = _figure(by_time=self._by_time)
        _fill(chart, bins=self._bins, marked=self._marked)
        chart.on_event(SelectionGeometry, self._box_drawn)
        return chart

    def _box_drawn(self, event: Any) -> None:
        box = event.geometry
        if event.final and box.get("type") == "rect" and box["x1"] > box["x0"]:
            self._on_box((float(box["x0"]), float(box["x1"])))


def _figure(*, by_time: bool) -> Any:
    """Return a chart without bars."""
    chart = bokeh_figure(
        height=HEIGHT,
        sizing_mode="stretch_width",
        x_axis_type="datetime" if by_time else "linear",
        x_range=Range1d(0, 1),
        y_range=Range1d(0, 1),
        tools="xpan,xwheel_zoom,save",
        output_backend="canvas",
        toolbar_location="right",
    )
    style_figure(chart)
    chart.xaxis.axis_label = axis_title(by_time=by_time)
    chart.yaxis.axis_label = tr("events")
    chart.yaxis.formatter.update(use_scientific=False)
    if by_time:
        # The year is shown once, below the first tick.
        chart.xaxis.formatter.months = "%b"
        chart.xaxis.formatter.context.months = "%Y"
    # Drawn below the bars.
    chart.add_layout(
        BoxAnnotation(visible=False, fill_color="#56B4E9", fill_alpha=0.35, line_color="#D55E00", line_width=2)
    )
    bars = chart.quad(
        left="left",
        right="right",
        bottom="bottom",
        top="top",
        source=ColumnDataSource(data=_columns(None)),
        fill_color=factor_cmap("status", [STATUS_COLORS[one] for one in ORDER], ORDER),
        hatch_pattern=factor_hatch("status", [HATCHES[one] for one in ORDER], ORDER),
        hatch_color="#ffffff",
        hatch_alpha=0.6,
        hatch_scale=8,
        line_color="#ffffff",
        line_width=0.4,
    )
    tips = [("status", "@status"), ("events", "@count{0,0}"), ("from", "@left"), ("to", "@right")]
    when = {"@left": "datetime", "@right": "datetime"} if by_time else {}
    written = [
        (tr(label), text + ("{%F %H:%M}" if by_time else "{0,0} min") * (label in ("from", "to")))
        for label, text in tips
    ]
    chart.add_tools(HoverTool(renderers=[bars], tooltips=written, formatters=when, visible=False))
    box = BoxSelectTool(dimensions="width", renderers=[], persistent=False)
    chart.add_tools(box)
    chart.toolbar.active_drag = box
    return chart


def _columns(bins: Bins | None) -> dict[str, Any]:
    """Return the bars of all statuses as columns of one table."""
    parts = bar_columns(bins)
    names = ("left", "bottom", "right", "top", "count")
    columns: dict[str, Any] = {name: np.concatenate([part[name] for part in parts.values()]) for name in names}
    columns["status"] = [status for status, part in parts.items() for _ in part["count"]]
    return columns


def _fill(chart: Any, *, bins: Bins, marked: Span | None) -> None:
    """Write counts into a chart."""
    chart.renderers[0].data_source.data = _columns(bins)
    edges = bin_edges(bins)
    chart.y_range.update(start=0, end=height_of(bins))
    chart.x_range.update(start=float(edges[0]), end=float(edges[-1]))
    _mark(chart, span=marked)


def _mark(chart: Any, *, span: Span | None) -> None:
    mark = next(one for one in chart.center if isinstance(one, BoxAnnotation))
    if span is not None:
        mark.update(left=span[0], right=span[1])
    mark.visible = span is not None
