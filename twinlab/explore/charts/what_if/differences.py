"""Paired differences of KPIs between scenarios, each with its interval and its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import holoviews as hv
import holoviews.plotting.bokeh

from twinlab.explore.charts.palette import FONT_SIZES
from twinlab.explore.charts.scale import axis_label
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.simulate.experiments.comparison import Comparison

__all__ = ["VERDICT_STYLES", "difference_chart"]

#: Colour and marker of each verdict: never colour alone.
VERDICT_STYLES = {
    "better": ("#009E73", "triangle"),
    "worse": ("#D55E00", "inverted_triangle"),
    "higher": ("#0072B2", "triangle"),
    "lower": ("#0072B2", "inverted_triangle"),
    mark("no difference"): ("#767676", "square"),
    mark("can't tell"): ("#767676", "circle"),
}


def difference_chart(comparisons: Sequence[Comparison], *, height: int | None = None) -> hv.Overlay:
    """Draw the difference of one KPI between each scenario and the first, with its interval.

    Parameters
    ----------
    comparisons : sequence of Comparison
        Of one KPI: scenarios against one other.
    height : int, optional
        Pixels; by default as many as the scenarios need.

    Returns
    -------
    holoviews.Overlay
        A row for each scenario: a mark at the mean difference, whose shape and colour are the verdict, and a bar for the interval.
        The dashed line is no difference.
    """
    names = [one.b for one in reversed(comparisons)]
    first = comparisons[0]
    # A difference of two percentages is in points.
    label = axis_label(tr("difference to {a}", a=first.a), "points" if first.units == "%" else first.units)
    across, down = hv.Dimension("difference", label=label), hv.Dimension("scenario", values=names)
    parts: list[hv.Element] = [
        hv.VLine(0.0).opts(color="#767676", line_dash="dashed", line_width=1, default_tools=[], backend="bokeh")
    ]
    for one in comparisons:
        color, marker = VERDICT_STYLES[one.verdict]
        span = hv.Segments(([one.low], [one.b], [one.high], [one.b]), [across, down, "high", "scenario_end"])
        mark = hv.Scatter(
            ([one.difference], [one.b], [one.low], [one.high], [one.verdict]), across, [down, "low", "high", "verdict"]
        )
        tips = [
            ("scenario", "@scenario"), ("verdict", "@verdict"), ("difference", f"@difference{{0.000}} {one.units}"),
            (tr("{level:g} % interval", level=100 * one.level), "@low{0.000} to @high{0.000}"),
        ]  # fmt: skip
        parts += [
            span.opts(color=color, line_width=4, alpha=0.55, default_tools=[], backend="bokeh"),
            mark.opts(
                color=color,
                marker=marker,
                size=13,
                tools=["hover"],
                hover_tooltips=tips,
                default_tools=[],
                backend="bokeh",
            ),
        ]
    return hv.Overlay(parts).opts(
        xlim=_limits(comparisons),
        responsive=True,
        height=height or 90 + 42 * len(comparisons),
        show_legend=False,
        xlabel=label,
        ylabel="",
        fontsize=dict(FONT_SIZES),
        toolbar=None,
        backend="bokeh",
    )


def _limits(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """Return the span of the axis: all intervals, and no difference."""
    ends = [0.0, *(end for one in comparisons for end in (one.low, one.high) if math.isfinite(end))]
    room = 0.06 * (max(ends) - min(ends)) or 1.0
    return min(ends) - room, max(ends) + room
