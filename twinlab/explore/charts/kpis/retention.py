"""The chart of a retention plan: bytes against error, a point for each way of keeping less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv
import holoviews.plotting.bokeh

from twinlab.languages import tr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ParetoPlot", "pareto_chart"]

ParetoPlot = hv.Overlay

#: Okabe-Ito colours and shapes of what happens to older cells, so that nothing depends on colour alone.
_STYLES = {"rollups": ("#0072B2", "circle"), "rounded": ("#E69F00", "square"), "all": ("#009E73", "diamond")}


def pareto_chart(table: pd.DataFrame, *, codecs: pd.DataFrame | None = None, chosen: int | None = None) -> hv.Overlay:
    """Return a chart of megabytes against the error of daily shares, percentage points.

    Parameters
    ----------
    table : DataFrame
        As ``RetentionPlan.table``.
    codecs : DataFrame, optional
        As ``RetentionPlan.codecs``; those without ways in the table are drawn without error.
    chosen : int, optional
        Row that gets a ring.
    """
    ways = table.assign(
        MB=(table["bytes"]) / 1e6,
        error=table["share_error"],
        kind=["all" if not rate else older for rate, older in zip(table["full_rate"], table["older"], strict=True)],
        row=table.index,
    )
    shown = [
        "row",
        "full_rate",
        "older",
        "resolution",
        "ledger",
        "codec",
        "kpi",
        "kpi_error",
        "kpi_unit",
        "missed",
        "false",
        "cost",
    ]
    axes = (
        hv.Dimension("MB", label=tr("After applying (MB)")),
        hv.Dimension("error", label=tr("Error of daily shares (points)")),
    )
    front = ways[ways["pareto"]].sort_values("MB")
    layers: list[hv.Element] = [
        hv.Curve(front, axes[0], axes[1], label=tr("no other is better")).opts(color="#999999", padding=0.08)
    ]
    for kind, (color, marker) in _STYLES.items():
        some = ways[ways["kind"] == kind]
        if len(some):
            points = hv.Scatter(some, axes[0], [axes[1], *shown], label={"all": tr("all stays")}.get(kind, kind))
            layers.append(points.opts(color=color, marker=marker, size=9, tools=["hover"], padding=0.08))
    other = None if codecs is None else codecs[~codecs["codec"].isin(table["codec"])]
    if other is not None and len(other):
        data = other.assign(MB=other["bytes"] / 1e6, error=0.0)
        codec = hv.Scatter(data, axes[0], [axes[1], "codec", "decode_ns", "cost"], label=tr("other codec"))
        layers.append(codec.opts(color="#CC79A7", marker="triangle", size=9, tools=["hover"], padding=0.08))
    if chosen is not None:
        ring = hv.Scatter(ways.loc[[chosen]], axes[0], [axes[1]], label="chosen")
        layers.append(ring.opts(marker="circle", size=18, fill_alpha=0, line_color="#D55E00", line_width=2))
    return hv.Overlay(layers).opts(legend_position="right", padding=0.08, width=720, height=360)
