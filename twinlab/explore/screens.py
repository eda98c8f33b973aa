"""The chart as it stands on screens: made anew for other curves, refreshed in place for other data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import holoviews as hv
import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.layers import layers, y_extent
from twinlab.explore.plots import draw, refresh

if TYPE_CHECKING:
    from twinlab.explore.reading import Window
    from twinlab.explore.view import View

__all__ = ["Look", "Screens"]

HEIGHT = 380


@dataclass(frozen=True)
class Look:
    """How a view is drawn."""

    show_flags: bool = True
    # Failed samples stretch the value axis.
    full_range: bool = False
    # A span drawn behind the curves.
    marked: Window | None = None


class Screens:
    """One chart, shown wherever ``pane`` is (several cells of a notebook may show it).

    Parameters
    ----------
    on_zoom : callable
        Called with the window to which a reader has zoomed.
    """

    def __init__(self, *, on_zoom: Callable[[Window], None]) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width", min_height=HEIGHT)
        self._on_zoom = on_zoom
        # HoloViews' plots on screens, and the stream of their time axis, kept alive with them.
        self._plots: list[Any] = []
        self._range = hv.streams.RangeX()

    def say(self, text: str) -> None:
        """Show a sentence in place of a chart."""
        self._plots = []
        self.pane[:] = [pmui.Typography(text, variant="body1", margin=(40, 10))]

    def show(self, view: View, look: Look) -> None:
        """Make the chart anew: another signal or other assets need other curves."""
        self._plots = []
        plot = draw(
            view.traces,
            y_label=view.y_label,
            states=view.states,
            full_range=look.full_range,
            show_flags=look.show_flags,
            show_legend=False,
            slots=len(view.traces),
            height=HEIGHT,
            window=view.ask.window,
            mark=look.marked,
            hooks=[self._on_screen],
        )
        self._range = hv.streams.RangeX(source=plot)
        self._range.add_subscriber(self._zoomed)
        self.pane[:] = [pn.pane.HoloViews(plot, sizing_mode="stretch_width", height=HEIGHT, backend="bokeh")]

    def refresh(self, view: View, look: Look, *, move: bool) -> None:
        """Put a view's data into the plots on screens; ``move`` sets their time axis too."""
        extent = y_extent(view.traces, full_range=look.full_range)
        parts = layers(view.traces, extent=extent, show_flags=look.show_flags, slots=len(view.traces), mark=look.marked)
        window = view.ask.window if move else None
        for plot in self._plots:
            document = plot.document
            if document is not None and document.session_context is not None:
                # A served document may be changed only by who holds its lock: the next tick does.
                document.add_next_tick_callback(partial(refresh, plot, parts, extent=extent, window=window))
            else:
                refresh(plot, parts, extent=extent, window=window)

    def _on_screen(self, plot: Any, element: Any) -> None:  # noqa: ARG002  (HoloViews passes both)
        """Remember a plot that is put on a screen."""
        self._plots.append(plot)

    def _zoomed(self, x_range: tuple[Any, Any] | None = None) -> None:
        if x_range is not None:
            start, stop = (_instant(x) for x in x_range)
            self._on_zoom((start, stop))


def _instant(x: Any) -> np.datetime64:
    """A range's end as an instant: HoloViews gives datetimes, or milliseconds since 1970."""
    if isinstance(x, (int, float)):
        return np.datetime64(round(x * 1e6), "ns")
    return np.datetime64(x, "ns")
