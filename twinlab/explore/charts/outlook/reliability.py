"""Predicted probabilities against what happened, and coverage of intervals by lead time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np

from twinlab.explore.charts.palette import FONT_SIZES
from twinlab.languages import local_number, tr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["coverage_chart", "reliability_chart", "share_interval"]

_BLUE, _GREY = "#0072B2", "#7A7A7A"
_TOOLS = ["reset", "save"]


def share_interval(share: np.ndarray, cases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Wilson interval [1]_ of shares, 90 %.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.

    >>> low, high = share_interval(np.array([0.5]), np.array([10]))
    >>> round(float(low[0]), 2), round(float(high[0]), 2)
    (0.27, 0.73)
    """
    z = 1.645
    middle = (share + z**2 / (2 * cases)) / (1 + z**2 / cases)
    half = z * np.sqrt(share * (1 - share) / cases + z**2 / (4 * cases**2)) / (1 + z**2 / cases)
    return middle - half, middle + half


def reliability_chart(table: pd.DataFrame, *, height: int = 340) -> hv.Overlay:
    """Draw how often it happened against the predicted probability, with the number of cases of each bin.

    Parameters
    ----------
    table : DataFrame
        ``cases, predicted, observed``, as of `twinlab.predict.reliability_table`.
    height : int
        Pixels.

    Returns
    -------
    holoviews.Overlay
        Points with 90 % intervals; on the dashed line what was predicted is what happened.
    """
    x, y, cases = (table[name].to_numpy(float) for name in ("predicted", "observed", "cases"))
    low, high = share_interval(y, cases)
    across = hv.Dimension("predicted", label=tr("predicted probability"), range=(-0.02, 1.02))
    up = hv.Dimension("observed", label=tr("share that happened"), range=(-0.02, 1.16))
    ideal = hv.Curve([(0, 0), (1, 1)], across, up, label=tr("as predicted"))
    bars = hv.ErrorBars((x, y, y - low, high - y), across, [up, "below", "above"])
    points = hv.Scatter((x, y, cases), across, [up, "cases"], label="bins")
    labels = hv.Labels(
        (x, np.maximum(high, y) + 0.045, [local_number(f"{int(one):,}") for one in cases]), [across, up], "text"
    )
    return hv.Overlay([
        ideal.opts(color=_GREY, line_dash="dashed", default_tools=_TOOLS, backend="bokeh"),
        bars.opts(color=_BLUE, line_color=_BLUE, upper_head=None, lower_head=None, default_tools=_TOOLS, backend="bokeh"),
        points.opts(color=_BLUE, size=9, marker="circle", tools=["hover"], default_tools=_TOOLS, backend="bokeh"),
        labels.opts(text_font_size="9pt", text_color=_GREY, default_tools=_TOOLS, backend="bokeh"),
    ]).opts(
        responsive=True, height=height, show_legend=False, fontsize=dict(FONT_SIZES), toolbar="above", backend="bokeh"
    )  # fmt: skip


def coverage_chart(hours: np.ndarray, coverage: np.ndarray, *, promised: float, height: int = 260) -> hv.Overlay:
    """Draw the share of outcomes within their intervals by lead time, and the promised share.

    Parameters
    ----------
    hours : array
        Lead times.
    coverage : array
        Shares, 0 to 1.
    promised : float
    height : int
        Pixels.
    """
    across, up = (
        hv.Dimension("hours", label=tr("lead time (h)")),
        hv.Dimension("coverage", label=tr("within the interval"), range=(0, 1.05)),
    )
    line = hv.Curve((hours, coverage), across, up)
    points = hv.Scatter((hours, coverage), across, up)
    wanted = hv.HLine(promised).opts(color=_GREY, line_dash="dashed", line_width=1.4, backend="bokeh")
    return hv.Overlay([
        wanted,
        line.opts(color=_BLUE, default_tools=_TOOLS, backend="bokeh"),
        points.opts(color=_BLUE, size=7, tools=["hover"], default_tools=_TOOLS, backend="bokeh"),
    ]).opts(
        responsive=True, height=height, show_legend=False, fontsize=dict(FONT_SIZES), toolbar="above", backend="bokeh"
    )  # fmt: skip
