"""The map in a browser: built once for each document, then updated in place, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import panel as pn
from panel.io import hold

from twinlab.explore.charts.basemap import base_map, needs_other_outlines, show_box
from twinlab.explore.charts.figures import FigurePane
from twinlab.explore.charts.outlines import Box
from twinlab.explore.views.map.figure import fill_map, make_map
from twinlab.explore.views.map.layers import MapLayer, base_map_layers

__all__ = ["HEIGHT", "LiveMap", "pixel_size"]

HEIGHT = 520
#: Assumed width of a map, pixels, until a browser reports it.
_DEFAULT_WIDTH = 900
#: Smallest relative change of scale that updates the labels.
_RESCALE_FACTOR = 1.2


class LiveMap:
    """A map, shown wherever ``pane`` is.

    Parameters
    ----------
    on_choose : callable
        Called after a tap or a box selection with rows of the layer ``pick``.
    on_scale : callable, optional
        Called when the scale differs from that of the labels.
    pick : str
        Name of the selectable layer.
    """

    def __init__(
        self,
        *,
        on_choose: Callable[[list[int]], None],
        on_scale: Callable[[], None] | None = None,
        pick: str = "assets",
        height: int = HEIGHT,
    ) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width", min_height=height)
        self._map = FigurePane(self._make, height=height)
        self._on_choose = on_choose
        self._on_scale = on_scale
        self._pick = pick
        self._height = height
        # Present content of the map, for documents that are opened later.
        self._base_map: Sequence[MapLayer] = ()
        self._parts: Sequence[MapLayer] = ()
        self._drawn: Box | None = None
        # The requested extent, and the visible one after panning and zooming.
        self._view: Box | None = None
        self._seen: Box | None = None
        self._width = float(_DEFAULT_WIDTH)
        # Scale of the labels.
        self._scale = 0.0

    @property
    def is_shown(self) -> bool:
        """Whether a map is shown that can be updated."""
        return self._view is not None

    @property
    def metres_a_pixel(self) -> float:
        """Scale of the visible map, metres of the projection per pixel; 0 if there is none."""
        return 0.0 if self._seen is None else self.scale_for(self._seen)

    def scale_for(self, view: Box) -> float:
        """Return the scale of a map that shows a box, metres of the projection per pixel."""
        return pixel_size(view, width=self._width, height=self._height)

    def figures(self) -> list[Any]:
        """Return the Bokeh figures of all documents."""
        return list(self._map.figures().values())

    def show_placeholder(self, *content: pn.viewable.Viewable) -> None:
        """Show other content instead of the map."""
        self._view = self._seen = None
        self.pane[:] = list(content)

    def show(self, parts: Sequence[MapLayer], view: Box) -> None:
        """Show layers and an extent, in place if the map exists already."""
        self._parts = parts
        self._view = self._seen = view
        self._scale = self.metres_a_pixel
        if needs_other_outlines(self._drawn, view):
            self._draw_base_map(view)
        self._map.change(self._fill_all)
        if list(self.pane) != [self._map]:
            self.pane[:] = [self._map]

    def refresh(self, parts: Sequence[MapLayer]) -> None:
        """Update the layers."""
        self._parts = parts
        self._scale = self.metres_a_pixel
        self._map.change(lambda chart: fill_map(chart, parts))

    def go_to(self, view: Box) -> None:
        """Zoom to a box."""
        self._view = self._seen = view
        if needs_other_outlines(self._drawn, view):
            self._draw_base_map(view)
        with hold():
            self._map.change(self._fill_all)
            self._rescale()

    def _fill_all(self, chart: Any) -> None:
        if self._view is not None:
            fill_map(chart, [*self._base_map, *self._parts])
            show_box(chart, self._view)

    def _draw_base_map(self, view: Box) -> None:
        self._drawn = view
        self._base_map = base_map_layers(base_map(view))

    def _make(self, ref: str) -> Any:  # noqa: ARG002  (maps share no ranges)
        assert self._view is not None
        return make_map(
            [*self._base_map, *self._parts],
            self._view,
            height=self._height,
            pick=self._pick,
            on_choose=self._on_choose,
            on_move=self._moved,
        )

    def _moved(self, ends: tuple[float, float, float, float], width: float) -> None:
        seen = Box(*ends)
        if not (np.isfinite([*ends, width]).all() and seen.width > 0 and seen.height > 0 and width > 0):
            return
        self._seen, self._width = seen, width
        with hold():
            self._follow(seen)

    def _follow(self, seen: Box) -> None:
        """Update base map and labels for the visible extent."""
        if needs_other_outlines(self._drawn, seen):
            self._draw_base_map(seen)
            drawn = self._base_map
            self._map.change(lambda chart: fill_map(chart, drawn))
        self._rescale()

    def _rescale(self) -> None:
        if (
            self._on_scale is not None
            and not 1 / _RESCALE_FACTOR < self.metres_a_pixel / (self._scale or 1.0) < _RESCALE_FACTOR
        ):
            self._on_scale()


def pixel_size(view: Box, *, width: float = _DEFAULT_WIDTH, height: float = HEIGHT) -> float:
    """Return the scale of a map that shows a box, metres of the projection per pixel.

    >>> pixel_size(Box(0, 0, 9000, 520))
    10.0
    """
    return max(view.width / width, view.height / height)
