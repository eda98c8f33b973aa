"""A picture of what differs between two states of a history: assets over time, coloured by the change of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Layout", "changes_chart"]

Layout = hv.Layout

#: Assets of one signal that are drawn: those with the most changed cells.
_ASSETS = 40
_WIDTH, _ROW, _FRAME = 760, 18, 90


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
        parts = [hv.Text(0.5, 0.5, "No cell changes.").opts(xaxis=None, yaxis=None, backend="bokeh")]
    return hv.Layout(parts).cols(1)


def _heat_map(cells: pd.DataFrame, name: str, unit: str) -> hv.HeatMap:
    by_asset = cells.groupby("asset")["cells"].sum().sort_values(ascending=False)
    shown = by_asset.index[:_ASSETS]
    part = cells[cells["asset"].isin(shown)].copy()
    part["period"] = part["period"].dt.strftime("%Y-%m-%d")
    part = part.sort_values(["asset", "period"], ascending=[False, True])
    left = len(by_asset) - len(shown)
    title = f"{name}: {int(cells['cells'].sum()):,} cells changed" + (f" ({left} more assets)" if left > 0 else "")
    largest = float(np.nanmax(part["mean_change"].abs().to_numpy(), initial=0.0)) or 1.0
    heat = hv.HeatMap(
        part,
        kdims=[hv.Dimension("period", label="period (UTC)"), "asset"],
        vdims=[
            hv.Dimension("mean_change", label="mean change", unit=unit),
            "cells",
            "flags_changed",
            "mean_before",
            "mean_after",
        ],
    )
    return heat.opts(
        cmap=["#0072B2", "#56B4E9", "#f2f2f2", "#E69F00", "#D55E00"],
        clim=(-largest, largest),
        clipping_colors={"NaN": "#8C8C8C"},
        colorbar=True,
        tools=["hover"],
        width=_WIDTH,
        height=_FRAME + _ROW * max(3, len(shown)),
        xrotation=60,
        title=title,
        backend="bokeh",
    )
