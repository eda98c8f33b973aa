"""A view of signals as one HoloViews object, without widgets, for screens and for print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import holoviews as hv

from twinlab.explore.charts.plots import draw
from twinlab.explore.views.signals.live_charts import HEIGHT, SMALL, ChartStyle, chart_extents

if TYPE_CHECKING:
    from twinlab.explore.views.signals.view import View

__all__ = ["signal_figure"]

#: Small multiples in a row in print.
_COLUMNS = 4


def signal_figure(
    view: View, style: ChartStyle, *, title: str, backend: Literal["bokeh", "matplotlib"]
) -> hv.Overlay | hv.Layout:
    """Return the charts of a view: one, a stack on one time axis, or small multiples."""
    small = view.request.layout == "multiples"
    if backend == "matplotlib":
        import holoviews.plotting.mpl  # noqa: F401, PLC0415  (Matplotlib is loaded for print only)
    charts = [
        draw(
            chart.traces,
            y_label=chart.y_label,
            states=chart.states,
            extent=extent,
            show_flags=style.show_flags,
            # In print, one legend below all charts.
            show_legend=place == len(view.charts) - 1 if backend == "matplotlib" else not small or place == 0,
            legend=view.traces,
            height=SMALL if small else HEIGHT if len(view.charts) == 1 else 250,
            window=view.request.window,
            mark=style.marked,
            brush=style.brush,
            small=small,
            x_label=small or place == len(view.charts) - 1,
            since=view.request.since,
            title=chart.title or (title if place == 0 else ""),
            backend=backend,
        )
        for place, (chart, extent) in enumerate(
            zip(view.charts, chart_extents(view, full_range=style.full_range), strict=True)
        )
    ]
    if len(charts) == 1:
        return charts[0]
    layout = hv.Layout(charts).cols(_COLUMNS if small else 1)
    if backend == "matplotlib":
        return layout.opts(
            sublabel_format="",
            vspace=0.45 if small else 0.25,
            hspace=0.3,
            fig_inches=3.4 if small else 6.7,
            backend="matplotlib",
        )
    return layout.opts(shared_axes=True, backend="bokeh")
