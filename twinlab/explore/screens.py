"""The charts as they stand on screens: made anew for another number of curves, refreshed in place for other data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import panel as pn
from bokeh.models import BoxSelectTool

from twinlab.explore.html import Html
from twinlab.explore.layers import layers, y_extent
from twinlab.explore.plots import draw, refresh

if TYPE_CHECKING:
    from twinlab.explore.layers import Layer
    from twinlab.explore.reading import Window
    from twinlab.explore.view import Chart, View

__all__ = ["Look", "Screens", "chart_extents"]

#: Height of one chart alone, and of each in a stack of two, three, four.
HEIGHT = 380
_STACKED = (HEIGHT, 250, 200, 180)
SMALL = 170
_GRID = {
    "display": "grid",
    "grid-template-columns": "repeat(auto-fill, minmax(min(100%, 250px), 1fr))",
    "gap": "4px 8px",
}
#: Left edges of stacked charts stand below one another.
_LEFT, _LEFT_SMALL = 70, 44


@dataclass(frozen=True)
class Look:
    """How a view is drawn."""

    show_flags: bool = True
    # Failed samples stretch the value axis.
    full_range: bool = False
    # Spans drawn behind the curves: an event, and what the reader selected.
    marked: Window | None = None
    brush: Window | None = None
    # Dragging selects a span instead of zooming to it.
    selecting: bool = False


@dataclass(frozen=True)
class _Part:
    """What one chart on a screen is refreshed with."""

    layers: Sequence[Layer]
    extent: tuple[float, float]
    chart: Chart


def chart_extents(view: View, *, full_range: bool) -> list[tuple[float, float]]:
    """Return the value range of each chart: small multiples share one, so that they can be compared."""
    own = [y_extent(chart.traces, full_range=full_range) for chart in view.charts]
    if view.ask.layout == "multiples" and own:
        own = [y_extent(view.traces, full_range=full_range)] * len(own)
    return own


def slots_of(chart: Chart, *, small: bool) -> int:
    """Return the room for curves of a chart: rounded up, so that one more is drawn without making the chart anew."""
    count = len(chart.traces)
    return count if small else next((n for n in (2, 4, 8, 16) if n >= count), count)


class Screens:
    """Charts, shown wherever ``pane`` is (several cells of a notebook may show it).

    Parameters
    ----------
    on_zoom, on_brush : callable
        Called with the ends to which a reader has zoomed, or which they have selected, in the axis' own numbers.
    """

    def __init__(
        self, *, on_zoom: Callable[[tuple[Any, Any]], None], on_brush: Callable[[tuple[Any, Any]], None]
    ) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width", min_height=HEIGHT)
        self._on_zoom, self._on_brush = on_zoom, on_brush
        # HoloViews' plots on screens, a list a chart; and streams of their axes, kept alive with them.
        self._plots: list[list[Any]] = []
        self._streams: list[Any] = []
        self._shape: tuple[object, ...] | None = None

    def say(self, title: str, detail: str = "", *, waiting: bool = False) -> None:
        """Show a sentence in place of charts."""
        self._plots, self._streams, self._shape = [], [], None
        self.pane.param.update(objects=[Html(_sentence(title, detail, waiting=waiting), sizing_mode="stretch_width")])

    def show(self, view: View, look: Look, *, move: bool = True) -> None:
        """Draw a view: in place if the charts on screens can take it; ``move`` sets their time axis then too."""
        shape = _shape(view, look)
        if shape == self._shape and self._plots:
            self._refresh(view, look, move=move)
        else:
            self._shape = shape
            self._rebuild(view, look)

    def _parts(self, view: View, look: Look) -> list[_Part]:
        extents = chart_extents(view, full_range=look.full_range)
        small = view.ask.layout == "multiples"
        return [
            _Part(
                layers(
                    chart.traces,
                    extent=extent,
                    show_flags=look.show_flags,
                    slots=slots_of(chart, small=small),
                    mark=look.marked,
                    brush=look.brush,
                    since=view.ask.since,
                ),
                extent,
                chart,
            )
            for chart, extent in zip(view.charts, extents, strict=True)
        ]

    def _rebuild(self, view: View, look: Look) -> None:
        extents = chart_extents(view, full_range=look.full_range)
        small = view.ask.layout == "multiples"
        self._plots = [[] for _ in view.charts]
        self._streams = []
        height = SMALL if small else _STACKED[min(len(view.charts), len(_STACKED)) - 1]
        panes = []
        for place, (chart, extent) in enumerate(zip(view.charts, extents, strict=True)):
            plot = draw(
                chart.traces,
                y_label=chart.y_label if not small else "",
                states=chart.states,
                extent=extent,
                show_flags=look.show_flags,
                show_legend=False,
                slots=slots_of(chart, small=small),
                height=height,
                window=view.ask.window,
                mark=look.marked,
                brush=look.brush,
                since=view.ask.since,
                title=chart.title,
                x_label=not small and place == len(view.charts) - 1,
                hooks=[partial(self._on_screen, place, look.selecting, small)],
            )
            self._follow(plot)
            panes.append(
                pn.pane.HoloViews(
                    plot, sizing_mode="stretch_width", height=height, backend="bokeh", linked_axes=False, margin=(0, 2)
                )
            )
        self.pane.param.update(
            objects=[pn.Column(*panes, styles=_GRID, sizing_mode="stretch_width")] if small else panes
        )

    def _follow(self, plot: hv.Overlay) -> None:
        """Hear of zooms and selections."""
        ranged, bounded = hv.streams.RangeX(source=plot), hv.streams.BoundsX(source=plot)
        ranged.add_subscriber(self._zoomed)
        bounded.add_subscriber(self._brushed)
        self._streams += [ranged, bounded]

    def _refresh(self, view: View, look: Look, *, move: bool) -> None:
        window = view.ask.window if move else None
        small = view.ask.layout == "multiples"
        for plots, part in zip(self._plots, self._parts(view, look), strict=True):
            for plot in plots:
                put = partial(
                    refresh,
                    plot,
                    part.layers,
                    extent=part.extent,
                    window=window,
                    y_label=None if small else part.chart.y_label,
                    states=part.chart.states,
                    title=part.chart.title,
                    since=view.ask.since,
                )
                document = plot.document
                if document is not None and document.session_context is not None:
                    # A served document may be changed only by who holds its lock: the next tick does.
                    document.add_next_tick_callback(put)
                else:
                    put()

    def _on_screen(self, place: int, selecting: bool, small: bool, plot: Any, element: Any) -> None:  # noqa: ARG002, FBT001
        """Remember a plot that is put on a screen, and let its time axis be the first chart's."""
        figure = plot.state
        if place and self._plots[0]:
            first = next((p for p in self._plots[0] if p.document is plot.document), self._plots[0][-1])
            figure.x_range = plot.handles["x_range"] = first.handles["x_range"]
        self._plots[place].append(plot)
        figure.min_border_left = _LEFT_SMALL if small else _LEFT
        if small:
            figure.toolbar_location = None
        if selecting:
            tool = BoxSelectTool(dimensions="width", renderers=[], persistent=False)
            figure.add_tools(tool)
            figure.toolbar.active_drag = tool

    def _zoomed(self, x_range: tuple[Any, Any] | None = None) -> None:
        if x_range is not None:
            self._on_zoom(x_range)

    def _brushed(self, boundsx: tuple[Any, Any] | None = None) -> None:
        if boundsx is not None:
            self._on_brush(boundsx)


def _shape(view: View, look: Look) -> tuple[object, ...]:
    """What charts on screens can't change in place."""
    small = view.ask.layout == "multiples"
    compared = any(trace.own is not None for trace in view.traces)
    rooms = tuple(slots_of(chart, small=small) for chart in view.charts)
    return (small, view.ask.since is None, compared, look.selecting, rooms)


def instant(x: Any, since: np.datetime64 | None = None) -> np.datetime64:
    """Return an end of a time axis as an instant: HoloViews gives datetimes, milliseconds since 1970, or our hours."""
    if since is not None:
        return since + np.timedelta64(round(float(x) * 3600e9), "ns")
    if isinstance(x, (int, float)):
        return np.datetime64(round(x * 1e6), "ns")
    return np.datetime64(x, "ns")


def _sentence(title: str, detail: str, *, waiting: bool) -> str:
    """A sentence in a frame as large as a chart; quiet grey bars where something is awaited."""
    bars = "".join(
        f'<div style="height:10px;width:{w}%;border-radius:5px;background:currentColor;opacity:.12"></div>'
        for w in (38, 54, 46)
    )
    return (
        f'<div role="status" style="box-sizing:border-box;min-height:{HEIGHT - 20}px;display:flex;flex-direction:column;'
        "align-items:center;justify-content:center;gap:10px;text-align:center;padding:24px;border-radius:8px;"
        'border:1px dashed rgba(127,127,127,.5);font-family:Roboto,system-ui,sans-serif">'
        f'<div style="font-size:17px;font-weight:600">{escape(title)}</div>'
        f'<div style="font-size:14px;opacity:.85;max-width:46em">{escape(detail)}</div>{bars if waiting else ""}</div>'
    )
