"""A heat map as a Bokeh figure for a screen: made in a tenth of the time that HoloViews takes, and refreshed in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.events import Tap
from bokeh.models import ColumnDataSource, Image, LinearColorMapper, Quad, Range1d, Text
from bokeh.plotting import figure as bokeh_figure

from twinlab.explore.charts.figures import dress, on_range_change
from twinlab.explore.views.heatmap.plot import TOOLS, dress_heat, fill_heat, heat_height

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.views.heatmap.plot import HeatLook
    from twinlab.explore.views.heatmap.rows import HeatRows

__all__ = ["make_heat"]


def make_heat(
    rows: HeatRows,
    look: HeatLook,
    *,
    window: Window,
    on_zoom: Callable[[tuple[float, float]], None],
    on_tap: Callable[[float, float], None],
) -> Any:
    """Return a heat map as a Bokeh figure.

    Parameters
    ----------
    on_zoom : callable
        Called with the ends of the time axis, in milliseconds since 1970, to which a reader has zoomed.
    on_tap : callable
        Called with the place on both axes that a reader tapped.
    """
    chart = bokeh_figure(
        height=heat_height(len(rows.labels)),
        sizing_mode="stretch_width",
        x_axis_type="datetime",
        x_range=Range1d(0, 1),
        y_range=Range1d(1, 0),
        tools=",".join(TOOLS),
        active_drag="xbox_zoom",
        toolbar_location="right",
    )
    dress(chart)
    dress_heat(chart)
    chart.min_border_left = 10
    chart.xaxis.axis_label = "time (UTC)"
    mapper = LinearColorMapper(palette=["#000000"], nan_color="rgba(0, 0, 0, 0)")
    blank = {"x": [0.0], "y": [0], "dw": [1.0], "dh": [1], "image": [np.full((1, 1), np.nan, "float32")]}
    chart.add_glyph(
        ColumnDataSource(data=blank), Image(image="image", x="x", y="y", dw="dw", dh="dh", color_mapper=mapper)
    )
    words = {"text_font_size": "9pt", "text_color": "#000000", "text_align": "center", "text_baseline": "middle"}
    letters = ColumnDataSource(data={"time": [], "row": [], "text": []})
    chart.add_glyph(letters, Text(x="time", y="row", text="text", **words))
    frame = ColumnDataSource(data={"left": [], "bottom": [], "right": [], "top": []})
    edges = {name: name for name in frame.data}
    chart.add_glyph(frame, Quad(**edges, fill_alpha=0, line_color="#D81B60", line_width=3))
    fill_heat(chart, rows, look, window=window)
    on_range_change(chart, on_zoom)
    chart.on_event(Tap, lambda event: on_tap(event.x, event.y))
    return chart
