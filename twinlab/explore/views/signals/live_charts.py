"""The charts in a browser: updated in place for other data, and rebuilt only for more curves or another layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from twinlab.explore.charts.figures import FigurePane, Frame, make_figure, refresh, update_screen
from twinlab.explore.charts.layers import layers, y_extent
from twinlab.explore.kit.panes import empty_pane

if TYPE_CHECKING:
    from twinlab.explore.charts.layers import Layer
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.views.signals.view import Chart, View

__all__ = ["ChartStyle", "LiveCharts", "chart_extents"]

#: Height of one chart alone, and of each in a stack of two, three, four.
HEIGHT = 380
_STACKED = (HEIGHT, 250, 200, 180)
SMALL = 170
#: Small charts in a row, at most.
_MAX_COLUMNS = 4


@dataclass(frozen=True)
class ChartStyle:
    """Display options of the charts."""

    show_flags: bool = True
    # Include failed samples in the value range.
    full_range: bool = False
    # Spans drawn behind the curves: an event, and the selected span.
    marked: Window | None = None
    brush: Window | None = None
    # Dragging selects a span instead of zooming to it.
    selecting: bool = False


def chart_extents(view: View, *, full_range: bool) -> list[tuple[float, float]]:
    """Return the value range of each chart; small multiples share one."""
    own = [y_extent(chart.traces, full_range=full_range) for chart in view.charts]
    if view.request.layout == "multiples" and own:
        own = [y_extent(view.traces, full_range=full_range)] * len(own)
    return own


def curve_capacity(chart: Chart, *, small: bool) -> int:
    """Return the capacity of a chart in curves, rounded up so that another curve needs no rebuild."""
    count = len(chart.traces)
    return count if small else next((n for n in (2, 4, 8, 16) if n >= count), count)


class LiveCharts:
    """Charts, shown wherever ``pane`` is (several cells of a notebook may show it).

    Parameters
    ----------
    on_zoom, on_brush : callable
        Called after a zoom or a selection with its ends, in numbers of the axis.
    """

    def __init__(
        self, *, on_zoom: Callable[[tuple[Any, Any]], None], on_brush: Callable[[tuple[Any, Any]], None]
    ) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width", min_height=HEIGHT)
        self._on_zoom, self._on_brush = on_zoom, on_brush
        self._panes: list[FigurePane] = []
        # Present content of each chart, for documents that are opened later.
        self._drawn: list[tuple[list[Layer], Frame]] = []
        self._shape: tuple[object, ...] | None = None
        # Capacity of each chart in curves.
        self._capacities: list[int] = []

    def show_message(self, title: str, detail: str = "") -> None:
        """Show a message instead of the charts."""
        self._panes, self._drawn, self._shape = [], [], None
        self.pane.param.update(objects=[empty_pane(title, detail, height=HEIGHT - 20)], min_height=HEIGHT)

    def show(self, view: View, style: ChartStyle, *, move: bool = True) -> None:
        """Draw a view, in place if the present charts have the capacity; ``move`` then sets the time axis too."""
        shape = _shape(view, style)
        if shape == self._shape and self._panes and self._fits(view):
            self._refresh(view, style, move=move)
        else:
            self._shape = shape
            small = view.request.layout == "multiples"
            self._capacities = [curve_capacity(chart, small=small) for chart in view.charts]
            self._rebuild(view, style)

    def _fits(self, view: View) -> bool:
        """Whether the present charts have the capacity for a view."""
        counts = [len(chart.traces) for chart in view.charts]
        if view.request.layout == "multiples":
            return counts == self._capacities
        return len(counts) == len(self._capacities) and all(
            n <= most for n, most in zip(counts, self._capacities, strict=True)
        )

    def _charts(self, view: View, style: ChartStyle) -> list[tuple[list[Layer], Frame]]:
        """Return the layers and the frame of each chart."""
        small = view.request.layout == "multiples"
        compared = any(trace.own is not None for trace in view.traces)
        height = SMALL if small else _STACKED[min(len(view.charts), len(_STACKED)) - 1]
        out = []
        extents = chart_extents(view, full_range=style.full_range)
        for place, (chart, extent) in enumerate(zip(view.charts, extents, strict=True)):
            parts = layers(
                chart.traces,
                extent=extent,
                show_flags=style.show_flags,
                slots=self._capacities[place],
                mark=style.marked,
                brush=style.brush,
                since=view.request.since,
                small=small,
            )
            frame = Frame(
                y_label=chart.unit if small else chart.y_label,
                extent=extent,
                window=view.request.window,
                states=chart.states,
                title=chart.title,
                height=height,
                since=view.request.since,
                small=small,
                x_label=not small and place == len(view.charts) - 1,
                compared=compared,
                selecting=style.selecting,
            )
            out.append((parts, frame))
        return out

    def _rebuild(self, view: View, style: ChartStyle) -> None:
        self._drawn = self._charts(view, style)
        self._panes = [
            FigurePane(partial(self._make, place), height=f.height) for place, (_, f) in enumerate(self._drawn)
        ]
        if view.request.layout == "multiples":
            grid = pn.Column(*self._panes, styles=_grid(len(self._panes)), sizing_mode="stretch_width")
            self.pane.param.update(objects=[grid], min_height=SMALL)
        else:
            self.pane.param.update(objects=list(self._panes), min_height=HEIGHT)

    def _make(self, place: int, ref: str) -> Any:
        """Make a chart for a document, on the time axis of its first chart."""
        parts, frame = self._drawn[place]
        first = self._panes[0].figures().get(ref) if place else None
        return make_figure(
            parts,
            frame,
            x_range=None if first is None else first.x_range,
            on_zoom=self._on_zoom,
            on_brush=self._on_brush,
        )

    def _refresh(self, view: View, style: ChartStyle, *, move: bool) -> None:
        self._drawn = self._charts(view, style)
        documents: dict[str, list[tuple[Any, list[Layer], Frame]]] = {}
        for pane, (parts, frame) in zip(self._panes, self._drawn, strict=True):
            for ref, chart in pane.figures().items():
                documents.setdefault(ref, []).append((chart, parts, frame))
        for ref, charts in documents.items():
            update_screen(ref, charts[0][0].document, partial(_put, charts, move=move))


def _grid(count: int) -> dict[str, str]:
    """Return the style of a grid of small charts: up to four in a row, one on a phone."""
    widest = f"calc({100 / min(count, _MAX_COLUMNS):.4g}% - 8px)"
    return {
        "display": "grid",
        "grid-template-columns": f"repeat(auto-fit, minmax(min(100%, max(250px, {widest})), 1fr))",
        "gap": "4px 8px",
    }


def _put(charts: list[tuple[Any, list[Layer], Frame]], *, move: bool) -> None:
    for chart, parts, frame in charts:
        refresh(chart, parts, frame, move=move)


def _shape(view: View, style: ChartStyle) -> tuple[object, ...]:
    """Return the properties that need a rebuild when they change, besides the capacities."""
    small = view.request.layout == "multiples"
    compared = any(trace.own is not None for trace in view.traces)
    return (small, view.request.since is None, compared, style.selecting)


def instant(x: Any, since: np.datetime64 | None = None) -> np.datetime64:
    """Return a number of the time axis as an instant: milliseconds since 1970, or hours since ``since``."""
    if since is not None:
        return since + np.timedelta64(round(float(x) * 3600e9), "ns")
    return np.datetime64(round(float(x) * 1e6), "ns")
