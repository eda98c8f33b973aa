"""The chart of events as a HoloViews object, for pictures, reports and notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

from twinlab.explore.pages.events.stacks import HATCHES, ORDER, STATUS_COLORS, axis_title, bar_columns, height_of
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.pages.events.bins import Bins
    from twinlab.explore.pages.events.stacks import Columns

__all__ = ["event_bars"]

_HEIGHT = 240


def event_bars(
    bins: Bins | None, *, by_time: bool, title: str = "", backend: Literal["bokeh", "matplotlib"] = "bokeh"
) -> hv.Overlay:
    """Draw counts as stacked bars.

    Parameters
    ----------
    by_time : bool
        Whether the horizontal axis is time; otherwise it is the delay in minutes.

    Returns
    -------
    holoviews.Overlay
    """
    label = axis_title(by_time=by_time)
    x = hv.Dimension("time" if by_time else "delay", label=label)
    found = bar_columns(bins)
    # The legend has only statuses that occur.
    names = [name for name in ORDER if len(found[name]["count"])] or list(ORDER[:1])
    elements = [_element(name, found[name], x, by_time=by_time, backend=backend) for name in names]
    shared: dict[str, Any] = {
        "xlabel": label,
        "ylabel": tr("events"),
        "ylim": (0, height_of(bins)),
        "title": title,
        "backend": backend,
    }
    if backend == "matplotlib":
        return hv.Overlay(elements).opts(aspect=3, fig_size=200, show_legend=True, **shared)
    return hv.Overlay(elements).opts(
        responsive=True,
        height=_HEIGHT,
        show_legend=True,
        legend_position="right",
        default_tools=["xpan", "xwheel_zoom", "save"],
        hooks=[_style_plot],
        **shared,
    )


def _element(name: str, columns: Columns, x: hv.Dimension, *, by_time: bool, backend: str) -> hv.Element:
    names = ("left", "bottom", "right", "top", "count")
    data = [np.asarray(columns[one], dtype=float) for one in names]
    if by_time:
        data[0], data[2] = (part.astype("datetime64[ms]") for part in (data[0], data[2]))
    element = hv.Rectangles(tuple(data), [x, "y0", "x1", "y1"], ["count"], label=name)
    if backend == "matplotlib":
        return element.opts(facecolor=STATUS_COLORS[name], edgecolor="white", linewidth=0.3, backend="matplotlib")
    return element.opts(
        color=STATUS_COLORS[name],
        line_width=0.4,
        line_color="#ffffff",
        tools=["hover"],
        hover_tooltips=[(tr("status"), name), (tr("events"), "@count{0,0}")],
        hooks=[_hatch],
        backend="bokeh",
    )


def _style_plot(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    plot.state.output_backend = "canvas"
    plot.state.toolbar.logo = None
    plot.state.yaxis.formatter.update(use_scientific=False)


def _hatch(plot: Any, element: Any) -> None:
    """Hatch the bars of a status, for which HoloViews has no option."""
    glyph = plot.handles["glyph"]
    glyph.update(hatch_pattern=HATCHES[element.label], hatch_color="#ffffff", hatch_alpha=0.6, hatch_scale=8)
