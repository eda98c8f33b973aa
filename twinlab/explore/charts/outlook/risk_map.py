"""Assets on a map by what is to be done about them: shape, size and colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bokeh.models import HoverTool
from bokeh.plotting import figure as bokeh_figure

from twinlab.explore.charts.basemap import base_map, extent_of, join_lines, prepare
from twinlab.explore.charts.outlines import mercator
from twinlab.languages import mark

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ACTION_STYLES", "ActionStyle", "risk_map"]


@dataclass(frozen=True)
class ActionStyle:
    """Style of an action: a sign, a colour *and* a marker."""

    sign: str
    color: str
    marker: str
    size: int


#: From the most urgent on; the sign is the marker's shape.
ACTION_STYLES: Mapping[str, ActionStyle] = {
    mark("act now"): ActionStyle("▲", "#D55E00", "triangle", 16),
    "plan": ActionStyle("■", "#E69F00", "square", 13),
    "watch": ActionStyle("◆", "#0072B2", "diamond", 14),
    "none": ActionStyle("●", "#7A7A7A", "circle", 6),
    mark("can't tell"): ActionStyle("✕", "#7A7A7A", "x", 9),
}


def risk_map(table: pd.DataFrame, *, height: int = 340) -> Any:
    """Return a map of risks as a figure of Bokeh.

    Parameters
    ----------
    table : DataFrame
        ``label, action, words, latitude, longitude`` (degrees); rows without a position are left out.
    height : int
        Pixels.
    """
    shown = table.dropna(subset=["latitude", "longitude"])
    view = extent_of(shown["latitude"].to_numpy(float), shown["longitude"].to_numpy(float))
    chart = bokeh_figure(
        height=height, sizing_mode="stretch_width", x_range=(view.left, view.right), y_range=(view.bottom, view.top),
        tools="pan,box_zoom,reset,save", active_drag=None, min_border=6, toolbar_location="right",
    )  # fmt: skip
    chart.outline_line_color = "rgba(127, 127, 127, 0.5)"
    chart.background_fill_alpha = chart.border_fill_alpha = 0
    prepare(chart, view)
    for name, columns in base_map(view).items():
        data = {key[0]: parts[0].tolist() if parts else [] for key, parts in join_lines(columns).items()}
        if name == "land":
            chart.patch(data["x"], data["y"], fill_color="#8896a3", fill_alpha=0.16, line_alpha=0.0)
        else:
            dash = "dashed" if name == "borders" else "solid"
            chart.line(data["x"], data["y"], line_color="#8896a3", line_alpha=0.7, line_width=0.8, line_dash=dash)
    # The most urgent are drawn last, on top.
    for action, style in reversed(list(ACTION_STYLES.items())):
        rows = shown[shown["action"] == action]
        if rows.empty:
            continue
        x, y = mercator(rows["latitude"].to_numpy(float), rows["longitude"].to_numpy(float))
        drawn = {"x": x, "y": y, "label": rows["label"].tolist(), "words": rows["words"].tolist()}
        marks = chart.scatter(
            "x",
            "y",
            source=drawn,
            marker=style.marker,
            size=style.size,
            color=style.color,
            fill_alpha=0.75,
            name=action,
        )
        chart.add_tools(HoverTool(renderers=[marks], tooltips="<b>@label</b>: @words", visible=False))
    return chart
