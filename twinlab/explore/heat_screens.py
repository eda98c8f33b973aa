"""The heat map as it stands on screens: made anew for another shape, refreshed in place for another window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.heat_plot import HeatLook, bin_at, draw_heat, heat_height, refresh_heat
from twinlab.explore.zooms import hear_zooms

if TYPE_CHECKING:
    from twinlab.explore.heat_rows import HeatRows
    from twinlab.explore.reading import Window

__all__ = ["HeatScreens"]


class HeatScreens:
    """One heat map, shown wherever ``pane`` is.

    Parameters
    ----------
    on_zoom : callable
        Called with the window to which a reader has zoomed.
    on_pick : callable
        Called with (row, bin) of a cell that a reader clicked.
    """

    def __init__(self, *, on_zoom: Callable[[Window], None], on_pick: Callable[[int, int], None]) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width")
        self._on_zoom, self._on_pick = on_zoom, on_pick
        self._plots: list[Any] = []
        self._streams: list[Any] = []
        self._rows: HeatRows | None = None
        self._look: HeatLook | None = None
        self._shape: object = None

    def say(self, text: str) -> None:
        """Show a sentence in place of a heat map."""
        self._plots, self._rows, self._shape = [], None, None
        self.pane[:] = [pmui.Typography(text, variant="body1", margin=(40, 10))]

    def show(self, rows: HeatRows, look: HeatLook, *, window: Window, move: bool) -> None:
        """Show rows: in place where the plot can take them; ``move`` sets the time axis too."""
        shape = (len(rows.labels), look.heat, look.categories, look.title)
        self._rows, self._look = rows, look
        if shape != self._shape:
            self._shape = shape
            self._make(rows, look, window)
            return
        for plot in self._plots:
            document = plot.document
            change = partial(refresh_heat, plot, rows, look, window=window if move else None)
            if document is not None and document.session_context is not None:
                # A served document may be changed only by who holds its lock: the next tick does.
                document.add_next_tick_callback(change)
            else:
                change()

    def _make(self, rows: HeatRows, look: HeatLook, window: Window) -> None:
        self._plots = []
        plot = draw_heat(rows, look, window=window, hooks=[self._on_screen])
        image = next(iter(plot))
        self._streams = [hv.streams.Tap(source=image)]
        self._streams[0].add_subscriber(self._tapped)
        if not _is_served():
            # A notebook's messages reach streams only.
            self._streams.append(hv.streams.RangeX(source=image))
            self._streams[1].add_subscriber(self._zoomed)
        height = heat_height(len(rows.labels))
        self.pane[:] = [pn.pane.HoloViews(plot, sizing_mode="stretch_width", height=height, backend="bokeh")]

    def _on_screen(self, plot: Any, element: Any) -> None:  # noqa: ARG002  (HoloViews passes both)
        """Remember a plot that is put on a screen, and show there what was chosen since it was made."""
        self._plots.append(plot)
        if _is_served():
            # A stream waits on the server for the hand to rest, for up to 150 ms; the browser knows at once.
            hear_zooms(plot.state, self._zoomed)
        if self._rows is not None and self._look is not None:
            refresh_heat(plot, self._rows, self._look, window=None)

    def _zoomed(self, x_range: tuple[Any, Any] | None = None) -> None:
        if x_range is not None and None not in x_range:
            start, stop = (_instant(x) for x in x_range)
            self._on_zoom((start, stop))

    def _tapped(self, x: Any = None, y: Any = None) -> None:
        if x is None or y is None or self._rows is None:
            return
        found = bin_at(self._rows, _instant(x), float(y))
        if found is not None:
            self._on_pick(*found)


def _is_served() -> bool:
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


def _instant(x: Any) -> np.datetime64:
    """A place on the time axis as an instant: HoloViews gives datetimes, or milliseconds since 1970."""
    if isinstance(x, (int, float)):
        return np.datetime64(round(x * 1e6), "ns")
    return np.datetime64(x, "ns")
