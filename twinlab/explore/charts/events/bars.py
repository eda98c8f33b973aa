"""What charts of bars share: rectangles with a hatch, options of both backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

from twinlab.explore.charts.palette import ASSET_STYLES, FONT_SIZES

__all__ = ["HATCHES", "TOOLS", "Backend", "bars", "empty_chart", "finish", "load", "tips"]

Backend = Literal["bokeh", "matplotlib"]
#: Bars and medians are looked at as a whole: there is nothing to zoom to.
TOOLS = ["save"]
#: Hatches for the colours of the palette, so that a group doesn't depend on its colour alone: Bokeh's and Matplotlib's.
HATCHES = (
    ("blank", ""),
    ("right_diagonal_line", "//"),
    ("dot", ".."),
    ("horizontal_line", "--"),
    ("cross", "++"),
    ("left_diagonal_line", "\\\\"),
)


def load(backend: Backend) -> None:
    """Load a backend of HoloViews, without which options for it are lost."""
    if backend == "matplotlib":
        import holoviews.plotting.mpl  # noqa: F401, PLC0415  (Matplotlib is loaded for print only)


def bars(
    columns: Mapping[str, Any],
    kdims: Sequence[hv.Dimension | str],
    *,
    label: str = "",
    place: int = 0,
    hover: Sequence[tuple[str, str]] = (),
    dated: Sequence[str] = (),
    backend: Backend = "bokeh",
) -> hv.Rectangles:
    """Return bars as rectangles.

    Parameters
    ----------
    columns : mapping
        ``left``, ``bottom``, ``right`` and ``top``, then what hovering shows.
    kdims : sequence
        Dimensions of the four.
    place : int
        Which colour and hatch of the palette.
    hover : sequence of (label, text)
        Bokeh's tooltips.
    dated : sequence of str
        Columns with instants in tooltips.
    """
    more = [name for name in columns if name not in {"left", "bottom", "right", "top"}]
    data = tuple(np.asarray(columns[name]) for name in ("left", "bottom", "right", "top", *more))
    element = hv.Rectangles(data, list(kdims), more, label=label)
    color, (hatch, printed) = ASSET_STYLES[place % len(ASSET_STYLES)].color, HATCHES[place % len(HATCHES)]
    if backend == "matplotlib":
        return element.opts(facecolor=color, edgecolor="white", linewidth=0.3, hatch=printed, backend=backend)
    return element.opts(
        color=color,
        line_width=0.5,
        line_color="#ffffff",
        line_alpha=0.4,
        default_tools=TOOLS,
        tools=["hover"],
        hover_tooltips=list(hover),
        hover_formatters={f"@{{{name}}}": "datetime" for name in dated},
        hooks=[partial(_hatch, hatch)],
        backend=backend,
    )


def tips(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """Return tooltips; counts with thousands separators, shares in percent.

    >>> tips(("events", "count"), ("share", "share"))
    [('events', '@{count}{0,0}'), ('share', '@{share}{0.0 %}')]
    """
    return [(label, f"@{{{name}}}" + _FORMATS.get(name, "")) for label, name in pairs]


_FORMATS = {
    **dict.fromkeys(("count", "not_over", "started", "active"), "{0,0}"),
    **dict.fromkeys(("share", "cumulative"), "{0.0 %}"),
    **dict.fromkeys(("time", "stop"), "{%F %H:%M}"),
}


def finish(
    elements: Sequence[hv.Element], *, height: int, backend: Backend, show_legend: bool, **shared: object
) -> hv.Overlay:
    """Return elements as one chart that fills the width."""
    overlay = hv.Overlay(list(elements))
    if backend == "matplotlib":
        return overlay.opts(
            aspect=3, fig_size=200, show_legend=show_legend, legend_position="right", backend=backend, **shared
        )
    return overlay.opts(
        responsive=True,
        height=height,
        show_legend=show_legend,
        legend_position="right",
        default_tools=TOOLS,
        # Charts beside each other have different scales.
        shared_axes=False,
        fontsize=dict(FONT_SIZES),
        hooks=[_style],
        backend=backend,
        **shared,
    )


def empty_chart(text: str, *, backend: Backend) -> hv.Overlay:
    """Return a chart that says why there is nothing to draw."""
    # A title has the colour of the theme.
    nothing = hv.Curve([]) if backend == "matplotlib" else hv.Curve([]).opts(default_tools=TOOLS, backend=backend)
    return finish([nothing], height=80, backend=backend, show_legend=False, xaxis=None, yaxis=None, title=text)


def _style(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    plot.state.output_backend = "canvas"
    plot.state.toolbar.logo = None
    for axis in (*plot.state.xaxis, *plot.state.yaxis):
        if hasattr(axis.formatter, "use_scientific"):
            axis.formatter.use_scientific = False


def _hatch(hatch: str, plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Hatch bars, for which HoloViews has no option."""
    plot.handles["glyph"].update(hatch_pattern=hatch, hatch_color="#ffffff", hatch_alpha=0.6, hatch_scale=8)
