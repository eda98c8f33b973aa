"""A heat map as a HoloViews object, for screens without widgets and for print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import holoviews as hv
import holoviews.plotting.bokeh

from twinlab.explore.charts.print_figures import date_axis
from twinlab.explore.views.heatmap.figure import dress_heat, fill_heat
from twinlab.explore.views.heatmap.style import (
    TOOLS,
    HeatStyle,
    clipping_colors,
    color_span,
    frame,
    heat_height,
    letters,
    palette,
    row_ticks,
    shown_values,
)
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.views.heatmap.rows import HeatRows

__all__ = ["draw_heat", "refresh_heat"]


def draw_heat(
    rows: HeatRows,
    style: HeatStyle,
    *,
    backend: Literal["bokeh", "matplotlib"] = "bokeh",
    window: Window | None = None,
    hooks: Sequence[Callable[[Any, Any], None]] = (),
) -> hv.Overlay:
    """Draw rows as an image with letters and the frame of the selected cell; the first row on top.

    Returns
    -------
    holoviews.Overlay
    """
    values = shown_values(rows, style)
    low, high = color_span(values, style)
    count = len(rows.labels)
    x, y = hv.Dimension("time", label=tr("time (UTC)")), hv.Dimension("row", label="row")
    z = hv.Dimension("value", label=style.title)
    # Explicit bounds, since HoloViews can't infer them from a single row or bin.
    left = rows.cells.time[0]
    bounds = (left, 0, left + values.shape[1] * rows.cells.width, count)
    image = hv.Image(values[::-1], kdims=[x, y], vdims=[z], bounds=bounds, rtol=1.0)
    marks, framed = letters(rows, style), frame(rows, style)
    texts = hv.Labels((marks["time"], marks["row"], marks["text"]), [x, y], "text")
    picked = hv.Rectangles(
        list(zip(framed["left"], framed["bottom"], framed["right"], framed["top"], strict=True)), [x, y, "x1", "y1"]
    )
    colors: dict[str, Any] = {"cmap": palette(style), "clim": (low, high), "clipping_colors": clipping_colors(style)}
    common: dict[str, Any] = {"xlabel": tr("time (UTC)"), "ylabel": "", "yticks": row_ticks(rows), "invert_yaxis": True}
    if backend == "matplotlib":
        return _for_print(image, texts, style, colors | common, height=heat_height(count))
    tools = {"default_tools": list(TOOLS), "backend": "bokeh"}
    overlay = hv.Overlay(
        [
            image.opts(colorbar=not style.categories, **colors, **tools),
            texts.opts(text_font_size="9pt", text_color="#000000", **tools),
            picked.opts(fill_alpha=0, line_color="#D81B60", line_width=3, **tools),
        ]
    )
    limits: dict[str, Any] = {} if window is None else {"xlim": window}
    return overlay.opts(
        responsive=True,
        height=heat_height(count),
        title=style.title,
        ylim=(0, max(count, 1)),
        active_tools=["xbox_zoom"],
        show_legend=False,
        fontsize={"labels": "10pt", "xticks": "9.5pt", "yticks": "9pt"},
        hooks=[_ground, lambda plot, _: refresh_heat(plot, rows, style, window=window), *hooks],
        backend="bokeh",
        **common,
        **limits,
    )


def _for_print(
    image: hv.Image, texts: hv.Labels, style: HeatStyle, options: dict[str, Any], *, height: int
) -> hv.Overlay:
    clipping = {name: "none" if name == "NaN" else color for name, color in options["clipping_colors"].items()}
    keys = ("cmap", "clim")
    drawn = image.opts(
        colorbar=not style.categories,
        clabel=style.title,
        clipping_colors=clipping,
        backend="matplotlib",
        **{key: options[key] for key in keys},
    )
    rest = {key: value for key, value in options.items() if key not in (*keys, "clipping_colors")}

    def ground(plot: Any, element: Any) -> None:  # noqa: ARG001
        date_axis(plot.handles["axis"])
        plot.handles["axis"].patch.set(hatch="////", edgecolor="#5E5E5E", linewidth=0, facecolor="#BDBDBD")

    return hv.Overlay([drawn, texts.opts(size=7, backend="matplotlib")]).opts(
        fig_inches=(7.2, max(1.8, height / 90)), aspect=None, hooks=[ground], backend="matplotlib", **rest
    )


def _ground(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    dress_heat(plot.state)


def refresh_heat(plot: Any, rows: HeatRows, style: HeatStyle, *, window: Window | None) -> None:
    """Update HoloViews' Bokeh plot of a heat map in place; see `fill_heat`."""
    fill_heat(plot.state, rows, style, window=window)
    plot.state.title.text = style.title
    plot.push()
