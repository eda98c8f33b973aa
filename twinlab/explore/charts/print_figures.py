"""Finishing of Matplotlib axes for print: dashes, dates and a legend below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twinlab.explore.charts.palette import FLAG_STYLES, asset_style
from twinlab.explore.charts.styles import MARKERS, matplotlib_dash

if TYPE_CHECKING:
    from twinlab.explore.charts.layers import Layer
    from twinlab.explore.charts.traces import Trace

__all__ = ["date_axis", "finish_axes"]


def finish_axes(
    plot: Any,
    element: Any,  # noqa: ARG001  (HoloViews passes both)
    *,
    parts: Sequence[Layer],
    legend: Sequence[Trace],
    dated: bool,
) -> None:
    """Set dashes, dates and legend of a printed chart; a hook for HoloViews.

    Parameters
    ----------
    parts : sequence of Layer
        The drawn layers, in order.
    legend : sequence of Trace
        The curves in the legend.
    dated : bool
        Whether the time axis shows dates.
    """
    axes = plot.handles["axis"]
    for subplot, part in zip(plot.subplots.values(), parts, strict=False):
        if part.kind == "Curve":
            subplot.handles["artist"].set_linestyle(matplotlib_dash(part))
        elif part.kind in ("Area", "Rectangles"):
            # HoloViews' own colours override an option.
            subplot.handles["artist"].set(facecolor=part.style["color"], alpha=part.style["alpha"], edgecolor="none")
    axes.grid(visible=True, color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    if dated:
        date_axis(axes)
    if legend:
        _legend(axes, parts, legend)


def date_axis(axes: Any) -> None:
    """Set concise, automatically spaced dates on a time axis."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415  (Matplotlib is loaded for print only)

    locator = AutoDateLocator(minticks=3, maxticks=6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.tick_params(axis="x", rotation=0)
    axes.xaxis.get_offset_text().set_fontsize(7)


def _legend(axes: Any, parts: Sequence[Layer], legend: Sequence[Trace]) -> None:
    from matplotlib.lines import Line2D  # noqa: PLC0415

    lines = {}
    for trace in legend:
        style = asset_style(trace.place, faint=trace.faint)
        lines[trace.label] = Line2D(
            [],
            [],
            linestyle=matplotlib_dash(style.dash),
            label=trace.label,
            color=style.color,
            alpha=style.alpha,
            linewidth=0.75 * style.width,
        )
    for flag in FLAG_STYLES.values():
        if flag.marker is not None and any(part.label == flag.label for part in parts):
            lines[flag.label] = Line2D(
                [], [], linestyle="none", label=flag.label, color=flag.color, marker=MARKERS[flag.marker]
            )
    axes.legend(
        handles=list(lines.values()),
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        # Below the ticks and the label of the axis, in font sizes.
        borderaxespad=6.0,
        ncol=2,
        frameon=False,
        fontsize=7,
        handlelength=3.2,
    )
