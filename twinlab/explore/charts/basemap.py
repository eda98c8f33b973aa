"""Base map: outlines for an extent, a scale bar in km, and equal scales of both axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.models import CustomJS, Label, ScaleBar
from bokeh.models.annotations.dimensional import ImperialLength

from twinlab.explore.charts.outlines import CREDIT, Box, cut_outlines, level_of, mercator, to_degrees
from twinlab.languages import tr

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EUROPE", "GROUND", "base_map", "extent_of", "join_lines", "needs_other_outlines", "prepare", "show_box"]

#: Extent of a map without positions.
EUROPE = Box(
    *(float(v) for v in np.concatenate(mercator(np.array([36.0, 60.0]), np.array([-12.0, 30.0])))[[0, 2, 1, 3]])
)
#: Names of the layers, bottom first.
GROUND = ("land", "borders", "coast")
#: Smallest half width of a map, metres.
_MIN_HALF_WIDTH = 40_000.0
# Margin for the labels at the edge, as a share of the size.
_MARGIN = 0.13
#: How far beyond the extent outlines are drawn, in sizes of the extent, for panning.
_BEYOND = 0.6
#: Largest aspect ratios of a frame: width to height, and height to width.
_MAX_WIDE, _MAX_HIGH = 7.0, 1.6

# Adapts the ranges to the frame, so that both axes have the same scale. ``tags`` are the requested box and how often it
# was set; a zoom by the user survives a resize of the window.
_SQUARE = """
const w = plot.inner_width, h = plot.inner_height;
if (!(w > 0 && h > 0) || plot.tags.length < 5) return;
const [left, bottom, right, top, turn] = plot.tags;
const x = plot.x_range, y = plot.y_range;
const state = plot.__map ?? (plot.__map = {turn: null});
let scale, cx, cy;
const moved = state.turn === turn && (Math.abs(x.start - state.x0) + Math.abs(x.end - state.x1) > 1e-6 * (state.x1 - state.x0));
if (state.turn !== turn || !moved) {
    scale = Math.max((right - left) / w, (top - bottom) / h);
    cx = (left + right) / 2; cy = (bottom + top) / 2;
} else {
    scale = (x.end - x.start) / state.w;
    cx = (x.start + x.end) / 2; cy = (y.start + y.end) / 2;
}
x.setv({start: cx - scale * w / 2, end: cx + scale * w / 2});
y.setv({start: cy - scale * h / 2, end: cy + scale * h / 2});
if (!moved) { state.x0 = x.start; state.x1 = x.end; }
state.turn = turn; state.w = w;
"""


def extent_of(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> Box:
    """Return the extent of all positions with a margin; a default extent if there are none.

    >>> box = extent_of(np.array([48.0]), np.array([11.0]))
    >>> round(box.width), round(box.height)
    (80000, 80000)
    """
    known = np.isfinite(latitude) & np.isfinite(longitude)
    if not known.any():
        return EUROPE
    x, y = mercator(latitude[known], longitude[known])
    box = Box(float(x.min()), float(y.min()), float(x.max()), float(y.max())).expanded(_MARGIN)
    dx, dy = (max(0.0, _MIN_HALF_WIDTH - size / 2) for size in (box.width, box.height))
    return Box(box.left - dx, box.bottom - dy, box.right + dx, box.top + dy)


def base_map(view: Box) -> dict[str, dict[str, list[NDArray[np.float32]]]]:
    """Return the columns ``xs, ys`` of each layer of `GROUND` around an extent."""
    cut = cut_outlines(_drawn(view), level=level_of(view))
    lines = {"land": cut.land, "borders": cut.borders, "coast": cut.coast}
    return {
        name: {"xs": [line[:, 0] for line in lines[name]], "ys": [line[:, 1] for line in lines[name]]}
        for name in GROUND
    }


def join_lines(columns: dict[str, list[NDArray[np.float32]]]) -> dict[str, list[NDArray[np.float32]]]:
    """Join lines into one line with NaN between them, which needs far fewer arrays in Bokeh.

    >>> both = {"xs": [np.float32([0, 1]), np.float32([5])], "ys": [np.float32([2, 3]), np.float32([6])]}
    >>> join_lines(both)["xs"][0].tolist()
    [0.0, 1.0, nan, 5.0]
    """
    gap = np.full(1, np.nan, "float32")
    return {
        name: [np.concatenate([piece for part in parts for piece in (part, gap)])[:-1]] if parts else []
        for name, parts in columns.items()
    }


def needs_other_outlines(drawn: Box | None, view: Box) -> bool:
    """Whether another extent needs other outlines than those drawn for ``drawn``.

    >>> near, far = Box(0, 0, 1e5, 1e5), Box(0, 0, 1e6, 1e6)
    >>> needs_other_outlines(near, near), needs_other_outlines(near, far)
    (False, True)
    """
    return drawn is None or level_of(drawn) != level_of(view) or not _drawn(drawn).contains(view)


def _drawn(view: Box) -> Box:
    """Return the extent to draw, large enough for a frame of any shape."""
    width, height = max(view.width, _MAX_WIDE * view.height), max(view.height, _MAX_HIGH * view.width)
    dx, dy = (width - view.width) / 2, (height - view.height) / 2
    beyond = view.expanded(_BEYOND)
    return Box(
        min(view.left - dx, beyond.left),
        min(view.bottom - dy, beyond.bottom),
        max(view.right + dx, beyond.right),
        max(view.top + dy, beyond.top),
    )


def show_box(figure: Any, view: Box) -> None:
    """Zoom a Bokeh figure to a box, whatever the shape of its frame."""
    turn = figure.tags[4] + 1 if len(figure.tags) == 5 else 0
    figure.tags = [view.left, view.bottom, view.right, view.top, turn]


def prepare(figure: Any, view: Box) -> None:
    """Make a Bokeh figure a map: equal scales, no axes, a scale bar in km, and the attribution."""
    show_box(figure, view)
    square = CustomJS(args={"plot": figure}, code=_SQUARE)
    for change in ("inner_width", "inner_height", "tags"):
        figure.js_on_change(change, square)
    figure.output_backend = "canvas"
    figure.toolbar.logo = None
    figure.xaxis.visible = figure.yaxis.visible = False
    figure.xgrid.visible = figure.ygrid.visible = False
    latitude, _ = to_degrees(0.0, (view.bottom + view.top) / 2)
    figure.add_layout(_scale_bar(figure, latitude))
    figure.add_layout(
        Label(
            x=4,
            y=4,
            x_units="screen",
            y_units="screen",
            text=tr("Outlines: {credit}", credit=CREDIT),
            text_font_size="11px",
            text_color="#333333",
            background_fill_color="#ffffff",
            background_fill_alpha=0.8,
            padding=2,
        )
    )


def _scale_bar(figure: Any, latitude: float) -> ScaleBar:
    """Return a bar in km; the projection stretches lengths by 1 / cos(latitude), taken at the middle of the first extent."""
    # BokehJS supports a custom basis only for this class; its miles are replaced.
    shrink = float(np.cos(np.radians(latitude)))
    lengths = ImperialLength(
        basis={"projected": (shrink, "projected"), "m": (1.0, "m"), "km": (1000.0, "km")},
        ticks=[
            1,
            1.5,
            2,
            3,
            4,
            5,
            7.5,
            10,
            15,
            20,
            30,
            40,
            50,
            75,
            100,
            150,
            200,
            300,
            400,
            500,
            750,
            1000,
            2000,
            5000,
        ],
    )
    return ScaleBar(
        range=figure.x_range,
        unit="projected",
        dimensional=lengths,
        location="bottom_right",
        bar_length=0.14,
        bar_line_width=2,
        background_fill_color="#ffffff",
        background_fill_alpha=0.8,
        border_line_color=None,
        label_text_color="#333333",
        bar_line_color="#333333",
        padding=6,
    )
