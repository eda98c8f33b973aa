"""The chart of events: counts by time or by delay, stacked by status; a box on it narrows the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab.events import STATUSES
from twinlab.explore.event_bins import Bins
from twinlab.explore.palette import ASSET_STYLES

__all__ = ["STATUS_COLORS", "EventChart", "chart_legend", "event_bars"]

HEIGHT = 240
STATUS_COLORS: Mapping[str, str] = {
    "planned": ASSET_STYLES[4].color,
    "cancelled": ASSET_STYLES[5].color,
    "not started": ASSET_STYLES[1].color,
    "running": ASSET_STYLES[2].color,
    "done": ASSET_STYLES[0].color,
    "no end": ASSET_STYLES[3].color,
}
#: Hatches, so that no status is told by its colour alone.
_HATCHES: Mapping[str, str] = {
    "planned": "dot",
    "cancelled": "cross",
    "not started": "right_diagonal_line",
    "running": "horizontal_line",
    "done": "blank",
    "no end": "left_diagonal_line",
}
#: From the bottom: what is done stands on the axis.
_ORDER = ("done", "running", "planned", "not started", "no end", "cancelled")
assert set(_ORDER) == set(STATUSES)
Span = tuple[float, float]
Columns = dict[str, Any]


def bar_columns(bins: Bins | None) -> dict[str, Columns]:
    """Return the columns of each status' bars, stacked; none has bars where there is nothing."""
    if bins is None:
        return {status: _rectangles(np.empty(0), np.empty(0), np.empty(0), np.empty(0)) for status in _ORDER}
    edges = _numbers(bins.edges)
    base = np.zeros(len(edges) - 1)
    out = {}
    for status in _ORDER:
        top = base + bins.counts[status]
        some = bins.counts[status] > 0
        out[status] = _rectangles(edges[:-1][some], base[some], edges[1:][some], top[some])
        base = top
    return out


def _rectangles(left: Any, bottom: Any, right: Any, top: Any) -> Columns:
    return {"left": left, "bottom": bottom, "right": right, "top": top, "count": top - bottom}


def _numbers(edges: np.ndarray) -> np.ndarray:
    """Times as milliseconds since 1970, the axis' own numbers."""
    return edges.astype("datetime64[us]").astype("int64") / 1e3 if edges.dtype.kind == "M" else edges.astype(float)


def mark_columns(span: Span | None, top: float) -> Columns:
    """Return the columns of a span drawn behind the bars."""
    low, high = ([], []) if span is None else ([span[0]], [span[1]])
    height = [top] * len(low)
    return {"left": low, "bottom": [0.0] * len(low), "right": high, "top": height, "count": height}


def event_bars(
    bins: Bins | None,
    *,
    by_time: bool,
    title: str = "",
    marked: Span | None = None,
    backend: Literal["bokeh", "matplotlib"] = "bokeh",
) -> hv.Overlay:
    """Draw counts as stacked bars.

    Parameters
    ----------
    by_time : bool
        The horizontal axis is time; else delay in minutes.
    marked : (float, float), optional
        A span drawn behind the bars: milliseconds since 1970, or minutes.
    """
    label = "time (UTC)" if by_time else "delay of the end (min)"
    x = hv.Dimension("time" if by_time else "delay", label=label)
    top = height_of(bins)
    parts = [("marked", mark_columns(marked, top)), *bar_columns(bins).items()]
    kept = [_element(name, columns, x, by_time=by_time, backend=backend) for name, columns in parts]
    shared: dict[str, Any] = {"xlabel": label, "ylabel": "events", "ylim": (0, top), "title": title, "backend": backend}
    if backend == "matplotlib":
        return hv.Overlay(kept).opts(aspect=3, fig_size=200, show_legend=True, **shared)
    return hv.Overlay(kept).opts(
        responsive=True,
        height=HEIGHT,
        show_legend=False,
        default_tools=["xpan", "xwheel_zoom", "save"],
        active_tools=["xbox_select"],
        hooks=[_plain],
        **shared,
    )


def height_of(bins: Bins | None) -> float:
    """Return the height of the chart."""
    if bins is None or not bins.total:
        return 1.0
    return 1.06 * float(np.sum(list(bins.counts.values()), axis=0).max())


def _element(name: str, columns: Columns, x: hv.Dimension, *, by_time: bool, backend: str) -> hv.Element:
    names = ("left", "bottom", "right", "top", "count")
    data = [np.asarray(columns[one], dtype=float) for one in names]
    if by_time:
        data[0], data[2] = (part.astype("datetime64[ms]") for part in (data[0], data[2]))
    element = hv.Rectangles(tuple(data), [x, "y0", "x1", "y1"], ["count"], label=name)
    if backend == "matplotlib":
        color = "#cccccc" if name == "marked" else STATUS_COLORS[name]
        return element.opts(facecolor=color, edgecolor="white", linewidth=0.3, backend="matplotlib")
    if name == "marked":
        return element.opts(color="#56B4E9", fill_alpha=0.25, line_color="#0072B2", backend="bokeh")
    return element.opts(
        color=STATUS_COLORS[name],
        line_width=0.4,
        line_color="#ffffff",
        tools=["hover", "xbox_select"],
        hover_tooltips=[("status", name), ("events", "@count{0,0}")],
        backend="bokeh",
    )


def _plain(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    plot.state.output_backend = "canvas"
    plot.state.toolbar.logo = None
    plot.state.yaxis.formatter.update(use_scientific=False)
    for renderer in plot.state.renderers:
        renderer.nonselection_glyph = None
        renderer.selection_glyph = None
    # HoloViews knows no hatches.
    for name, subplot in zip(("marked", *_ORDER), plot.subplots.values(), strict=True):
        if name != "marked":
            subplot.handles["glyph"].update(
                hatch_pattern=_HATCHES[name], hatch_color="#ffffff", hatch_alpha=0.6, hatch_scale=8
            )


def chart_legend(bins: Bins | None) -> str:
    """Return the statuses that are there, with their colours and counts, and what isn't in the chart."""
    if bins is None:
        return ""
    style = "font:13px/1.5 Roboto,system-ui,sans-serif;display:flex;flex-wrap:wrap;gap:2px 16px"
    items = [
        f'<span role="listitem"><svg aria-hidden="true" width="12" height="12"><rect width="12" height="12" '
        f'fill="{STATUS_COLORS[status]}"/></svg> {status}: {int(bins.counts[status].sum()):,}</span>'
        for status in _ORDER
        if bins.counts[status].any()
    ]
    if bins.beyond:
        items.append(f'<span role="listitem">{bins.beyond:,} beyond the ends are counted in the outermost bars</span>')
    if bins.without:
        what = "time" if bins.edges.dtype.kind == "M" else "delay"
        items.append(f'<span role="listitem">{bins.without:,} without a {what} aren\'t drawn</span>')
    return f'<div role="list" aria-label="Legend" style="{style}">{"".join(items)}</div>'


class EventChart:
    """The chart on screens, refreshed in place.

    Parameters
    ----------
    on_box : callable
        Called with the span of a reader's box: milliseconds since 1970, or minutes.
    """

    def __init__(self, *, on_box: Callable[[Span], None]) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width", min_height=HEIGHT)
        self._on_box = on_box
        self._plots: list[Any] = []
        self._by_time: bool | None = None
        self._stream: Any = None

    def show(self, bins: Bins | None, *, by_time: bool, marked: Span | None) -> None:
        """Draw counts: in place where the axis is the same."""
        if bins is None:
            self._by_time = None
            text = "No event has a time." if by_time else "No event has a delay."
            self.pane[:] = [pmui.Typography(text, variant="body1", margin=(20, 10))]
        elif self._by_time == by_time:
            self._refresh(bins, marked)
        else:
            self._make(bins, by_time=by_time, marked=marked)

    def _make(self, bins: Bins, *, by_time: bool, marked: Span | None) -> None:
        self._plots, self._by_time = [], by_time
        plot = event_bars(bins, by_time=by_time, marked=marked)
        plot = plot.opts(hooks=[_plain, self._on_screen], backend="bokeh", clone=True)
        self._stream = hv.streams.BoundsX(source=list(plot.values())[1])
        self._stream.add_subscriber(self._boxed)
        self.pane[:] = [pn.pane.HoloViews(plot, sizing_mode="stretch_width", height=HEIGHT, backend="bokeh")]

    def _refresh(self, bins: Bins, marked: Span | None) -> None:
        top = height_of(bins)
        sources = [mark_columns(marked, top), *bar_columns(bins).values()]
        edges = _numbers(bins.edges)
        change = partial(_fill, sources=sources, top=top, x=(float(edges[0]), float(edges[-1])))
        for plot in self._plots:
            document = plot.document
            if document is not None and document.session_context is not None:
                document.add_next_tick_callback(partial(change, plot))
            else:
                change(plot)

    def _on_screen(self, plot: Any, element: Any) -> None:  # noqa: ARG002  (HoloViews passes both)
        if plot not in self._plots:
            self._plots.append(plot)

    def _boxed(self, boundsx: tuple[Any, Any] | None = None) -> None:
        if boundsx is not None:
            low, high = (_number(x) for x in boundsx)
            if high > low:
                self._on_box((low, high))


def _number(x: Any) -> float:
    if isinstance(x, (int, float)):
        return float(x)
    return float(np.datetime64(x, "us").astype("int64")) / 1e3


def _fill(plot: Any, *, sources: list[Columns], top: float, x: Span) -> None:
    for subplot, columns in zip(plot.subplots.values(), sources, strict=True):
        subplot.handles["source"].data = dict(columns)
    plot.handles["y_range"].update(start=0, end=top)
    plot.handles["x_range"].update(start=x[0], end=x[1])
    plot.push()
