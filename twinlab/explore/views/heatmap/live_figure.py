"""The heat map in a browser: updated in place, and rebuilt only for another height."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn

from twinlab.explore.charts.figures import FigurePane
from twinlab.explore.views.heatmap.figure import fill_heat, make_heat
from twinlab.explore.views.heatmap.rows import bin_at
from twinlab.explore.views.heatmap.style import HeatStyle, heat_height

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.views.heatmap.rows import HeatRows

__all__ = ["LiveHeatMap"]


class LiveHeatMap:
    """A heat map, shown wherever ``pane`` is.

    Parameters
    ----------
    on_zoom : callable
        Called after a zoom with the window.
    on_pick : callable
        Called after a click with (row, bin) of the cell.
    """

    def __init__(self, *, on_zoom: Callable[[Window], None], on_pick: Callable[[int, int], None]) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width")
        self._on_zoom, self._on_pick = on_zoom, on_pick
        self._chart: FigurePane | None = None
        self._shown: tuple[HeatRows, HeatStyle, Window] | None = None

    def show_placeholder(self, content: pn.viewable.Viewable) -> None:
        """Show other content instead of the heat map."""
        self._chart, self._shown = None, None
        self.pane[:] = [content]

    def show(self, rows: HeatRows, style: HeatStyle, *, window: Window, move: bool) -> None:
        """Show rows, in place if the height stays the same; ``move`` sets the time axis too."""
        height = heat_height(len(rows.labels))
        self._shown = rows, style, window
        if self._chart is None or self._chart.height != height:
            self._chart = FigurePane(self._make, height=height)
            self.pane[:] = [self._chart]
            return
        self._chart.change(partial(fill_heat, rows=rows, style=style, window=window if move else None))

    def charts(self) -> list[Any]:
        """Return the figures in all documents."""
        return [] if self._chart is None else list(self._chart.figures().values())

    def _make(self, ref: str) -> Any:  # noqa: ARG002  (all documents show the same)
        """Make the figure of a document."""
        assert self._shown is not None
        rows, style, window = self._shown
        return make_heat(rows, style, window=window, on_zoom=self._zoomed, on_tap=self._tapped)

    def _zoomed(self, ends: tuple[float, float]) -> None:
        start, stop = (_instant(x) for x in ends)
        self._on_zoom((start, stop))

    def _tapped(self, x: float | None, y: float | None) -> None:
        if x is None or y is None or self._shown is None:
            return
        found = bin_at(self._shown[0], _instant(x), float(y))
        if found is not None:
            self._on_pick(*found)


def _instant(x: float) -> np.datetime64:
    """Return milliseconds since 1970 as an instant."""
    return np.datetime64(round(x * 1e6), "ns")
