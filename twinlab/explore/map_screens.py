"""The map as it stands on screens: made once, then refreshed in place, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.basemap import GROUND, ground, joined, needs_other_ground, prepare, show_box
from twinlab.explore.map_layers import MAP_TOOLS, MapLayer, ground_layers, overlay
from twinlab.explore.outlines import Box

__all__ = ["HEIGHT", "MapScreens", "pixel_size"]

HEIGHT = 520
_CORNERS = np.array([0, 1, 1], "float32")
_TOKEN = {name: {"xs": [_CORNERS], "ys": [_CORNERS]} for name in GROUND}
#: About as many pixels a map is wide.
_USUAL_WIDTH = 900


class MapScreens:
    """One map, shown wherever ``pane`` is.

    Parameters
    ----------
    on_choose : callable
        Called with the rows of the layer ``pick`` that a reader tapped or boxed.
    pick : str
        Name of the layer that can be chosen from.
    """

    def __init__(self, *, on_choose: Callable[[list[int]], None], pick: str = "assets", height: int = HEIGHT) -> None:
        self.pane = pn.Column(sizing_mode="stretch_width", min_height=height)
        self._on_choose = on_choose
        self._pick = pick
        self._height = height
        self._plots: list[Any] = []
        self._streams: list[Any] = []
        self._parts: Sequence[MapLayer] = ()
        self._drawn: Box | None = None
        # What was asked to be shown, and what a reader sees by dragging and zooming.
        self._view: Box | None = None
        self._seen: Box | None = None

    @property
    def standing(self) -> bool:
        """Whether a map is shown that can be refreshed."""
        return bool(len(self.pane)) and self._view is not None

    @property
    def metres_a_pixel(self) -> float:
        """How coarse the map is, about: a map is some 900 pixels wide."""
        return 0.0 if self._seen is None else pixel_size(self._seen, height=self._height)

    def say(self, *content: object) -> None:
        """Show a sentence, or whatever is given, in place of a map."""
        self._plots, self._streams, self._view = [], [], None
        self.pane[:] = [
            pmui.Typography(one, variant="body1", margin=(20, 10)) if isinstance(one, str) else one for one in content
        ]

    def show(self, parts: Sequence[MapLayer], view: Box) -> None:
        """Make the map anew."""
        self._plots = []
        self._view = self._drawn = self._seen = view
        # HoloViews takes seconds to look through hundreds of lines: it gets a token of each layer, Bokeh all of it.
        self._parts = parts
        plot = overlay([*ground_layers(_TOKEN), *map(_token, parts)]).opts(
            responsive=True,
            height=self._height,
            xlim=(view.left, view.right),
            ylim=(view.bottom, view.top),
            xaxis=None,
            yaxis=None,
            show_legend=False,
            default_tools=list(MAP_TOOLS),
            active_tools=["pan", "wheel_zoom", "tap"],
            hooks=[self._on_screen],
            backend="bokeh",
        )
        place = len(GROUND) + next(k for k, part in enumerate(parts) if part.name == self._pick)
        chosen = hv.streams.Selection1D(source=list(plot.values())[place])
        chosen.add_subscriber(self._chosen)
        seen = hv.streams.RangeXY(source=plot)
        seen.add_subscriber(self._moved)
        self._streams = [chosen, seen]
        self.pane[:] = [pn.pane.HoloViews(plot, sizing_mode="stretch_width", height=self._height, backend="bokeh")]

    def refresh(self, parts: Sequence[MapLayer], *, only: Sequence[str] | None = None) -> None:
        """Put new columns into the layers on screens; of ``only`` some of them."""
        self._parts = parts
        sources = {
            len(GROUND) + place: part.columns for place, part in enumerate(parts) if only is None or part.name in only
        }
        self._write(sources)

    def go_to(self, view: Box) -> None:
        """Let the map show a box."""
        if needs_other_ground(self._drawn, view):
            self._draw_ground(view)
        self._view = self._seen = view
        for plot in self._plots:
            _safely(plot, partial(show_box, plot.state, view))

    def _write(self, sources: dict[int, Any]) -> None:
        for plot in self._plots:
            _safely(plot, partial(_fill, plot, sources))

    def _draw_ground(self, view: Box) -> None:
        self._drawn = view
        self._write(dict(enumerate(_ground(view))))

    def _on_screen(self, plot: Any, element: Any) -> None:  # noqa: ARG002  (HoloViews passes both)
        if plot in self._plots or self._view is None:
            return
        self._plots.append(plot)
        prepare(plot.state, self._view)
        if self._drawn is not None:
            columns_of = [*_ground(self._drawn), *(part.columns for part in self._parts)]
            for subplot, columns in zip(plot.subplots.values(), columns_of, strict=True):
                subplot.handles["source"].data = _source(subplot, columns)
        for renderer in plot.state.renderers:
            # Chosen or not, a marker keeps its look: the halo tells.
            renderer.nonselection_glyph = None
            renderer.selection_glyph = None
        for place, subplot in enumerate(plot.subplots.values()):
            glyph = subplot.handles.get("glyph")
            if type(glyph).__name__ == "Text":
                # Names stand above their marker, what it carries below.
                last = place == len(plot.subplots) - 1
                glyph.update(
                    y_offset=16 if last else -14,
                    background_fill_color="#ffffff",
                    background_fill_alpha=0.75,
                    border_radius=3,
                    padding=1,
                )

    def _chosen(self, index: list[int] | None = None) -> None:
        self._on_choose([int(k) for k in index or []])

    def _moved(self, x_range: tuple[Any, Any] | None = None, y_range: tuple[Any, Any] | None = None) -> None:
        if x_range is None or y_range is None or not np.isfinite([*x_range, *y_range]).all():
            return
        seen = Box(float(x_range[0]), float(y_range[0]), float(x_range[1]), float(y_range[1]))
        if not (seen.width > 0 and seen.height > 0):
            return
        self._seen = seen
        if needs_other_ground(self._drawn, seen):
            self._draw_ground(seen)


def _token(part: MapLayer) -> MapLayer:
    """The layer with its first line only, if it's one of lines."""
    if part.kind not in ("Path", "Polygons"):
        return part
    return replace(part, columns={name: values[:1] for name, values in part.columns.items()})


def pixel_size(view: Box, *, height: int = HEIGHT) -> float:
    """Return how many metres of the projection a pixel of a map is that shows a box.

    >>> pixel_size(Box(0, 0, 9000, 520))
    10.0
    """
    return max(view.width / _USUAL_WIDTH, view.height / height)


def _ground(view: Box) -> list[Any]:
    """The columns of the ground's layers: lines joined, areas apart, as an area can't have breaks."""
    return [columns if name == "land" else joined(columns) for name, columns in ground(view).items()]


def _source(subplot: Any, columns: Any) -> dict[str, Any]:
    """The columns as a layer's glyph wants them."""
    data = dict(columns)
    if type(subplot.handles["glyph"]).__name__ == "MultiPolygons":
        # All areas are one thing of many parts without holes: a list of things, of parts, of rings.
        return {name: [[[part] for part in parts]] if len(parts) else [] for name, parts in data.items()}
    if "color" in data and "line_color" in subplot.handles["source"].data:
        # HoloViews keeps a column of its own for the edge.
        data["line_color"] = data["color"]
    return data


def _fill(plot: Any, sources: dict[int, Any]) -> None:
    subplots = list(plot.subplots.values())
    for place, columns in sources.items():
        subplots[place].handles["source"].data = _source(subplots[place], columns)
    plot.push()


def _safely(plot: Any, change: Callable[[], None]) -> None:
    """Change a plot; a served document may be changed only by who holds its lock: the next tick does."""
    document = plot.document
    if document is not None and document.session_context is not None:
        document.add_next_tick_callback(change)
    else:
        change()
