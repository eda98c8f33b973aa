"""A picture of what differs between two states of a history: assets over time, coloured by the change of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

from twinlab.explore.charts.palette import FONT_SIZES
from twinlab.languages import tr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Layout", "changes_chart"]

Layout = hv.Layout

#: Assets of one signal that are drawn: those with the most changed cells.
_ASSETS = 40
#: Pixels of a row of an asset, and of all that is around the rows.
_ROW, _FRAME = 18, 90


def changes_chart(cells: pd.DataFrame) -> hv.Layout:
    """Draw where cells changed, one heat map a signal: a row an asset, a column a period.

    Colours are the mean change of the period's cells that have a value before and after, blue for lower and orange for higher;
    hovering shows the numbers. Periods in which only flags changed are grey.

    Parameters
    ----------
    cells : DataFrame
        As `twinlab.twin.revisions.diff.RevisionDiff.cells`.

    Returns
    -------
    holoviews.Layout
        One column; a text if nothing changed.
    """
    parts = [
        _heat_map(part, f"{kind}.{signal}", str(unit))
        for (kind, signal, unit), part in cells.groupby(["asset_type", "signal", "unit"], sort=True)
    ]
    if not parts:
        parts = [hv.Text(0.5, 0.5, tr("No cell changes.")).opts(xaxis=None, yaxis=None, backend="bokeh")]
    return hv.Layout(parts).cols(1)


def _heat_map(cells: pd.DataFrame, name: str, unit: str) -> hv.Rectangles:
    by_asset = cells.groupby("asset")["cells"].sum().sort_values(ascending=False)
    shown = sorted(by_asset.index[:_ASSETS], reverse=True)
    part = cells[cells["asset"].isin(shown)]
    row = part["asset"].map({asset: place for place, asset in enumerate(shown)}).to_numpy(dtype=float)
    left = part["period"].to_numpy()
    steps = np.diff(np.unique(cells["period"].to_numpy()))
    right = left + (steps.min() if len(steps) else np.timedelta64(1, "D"))
    more = len(by_asset) - len(shown)
    title = tr("{name}: mean change, {cells:,} cells changed", name=name, cells=int(cells["cells"].sum())) + (
        tr(" ({more} more assets aren't drawn)", more=more) if more > 0 else ""
    )
    largest = float(np.nanmax(part["mean_change"].abs().to_numpy(), initial=0.0)) or 1.0
    values = ("mean_change", "cells", "flags_changed", "mean_before", "mean_after", "asset", "period")
    rectangles = hv.Rectangles(
        (left, row - 0.45, right, row + 0.45, *(part[value].to_numpy() for value in values)),
        kdims=[hv.Dimension("left", label="period (UTC)"), "bottom", "right", "top"],
        vdims=[hv.Dimension("mean_change", label="mean change", unit=unit), *values[1:]],
    )
    return rectangles.opts(
        color="mean_change",
        cmap=_diverging(),
        clim=(-largest, largest),
        clipping_colors={"NaN": "#8C8C8C"},
        line_width=0,
        colorbar=True,
        clabel=unit,
        tools=["hover"],
        hover_tooltips=[
            ("asset", "@asset"), ("period", "@period{%F}"), ("cells changed", "@cells{0,0}"), ("flags changed", "@flags_changed{0,0}"),
            ("mean before", f"@mean_before{{0.000}} {unit}"), ("mean after", f"@mean_after{{0.000}} {unit}"),
        ],
        hooks=[_dated_hover],
        yticks=[(float(place), asset) for place, asset in enumerate(shown)],
        ylim=(-0.6, len(shown) - 0.4),
        ylabel="",
        xlabel="time (UTC)",
        responsive=True,
        height=_FRAME + _ROW * max(4, len(shown)),
        title=title,
        fontsize=dict(FONT_SIZES),
        toolbar="above",
        backend="bokeh",
    )  # fmt: skip


def _dated_hover(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Let the hover text show a period as a day."""
    plot.state.toolbar.logo = None
    for tool in plot.state.toolbar.tools:
        if hasattr(tool, "formatters"):
            tool.formatters = {"@period": "datetime"}


def _diverging() -> list[str]:
    """Return colours from blue (lower) over light grey to orange (higher)."""
    stops = [np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) for color in ("#0072B2", "#EEEEEE", "#D55E00")]
    mixed = [
        stops[half] + (stops[half + 1] - stops[half]) * share for half in (0, 1) for share in np.linspace(0, 1, 32)
    ]
    return ["#" + "".join(f"{round(part):02x}" for part in color) for color in mixed]
