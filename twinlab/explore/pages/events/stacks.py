"""Counts of events as stacked bars: rectangles, colours, hatches and legend. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from twinlab._html import html
from twinlab.events import STATUSES
from twinlab.explore.charts.palette import ASSET_STYLES
from twinlab.languages import local_number, mark, tr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.pages.events.bins import Bins

__all__ = ["HATCHES", "ORDER", "STATUS_COLORS", "axis_title", "bar_columns", "bin_edges", "chart_legend", "height_of"]

STATUS_COLORS: Mapping[str, str] = {
    "planned": ASSET_STYLES[4].color,
    "cancelled": ASSET_STYLES[5].color,
    mark("not started"): ASSET_STYLES[1].color,
    "running": ASSET_STYLES[2].color,
    "done": ASSET_STYLES[0].color,
    mark("no end"): ASSET_STYLES[3].color,
}
#: Hatches, so that a status doesn't depend on its colour alone.
HATCHES: Mapping[str, str] = {
    "planned": "dot",
    "cancelled": "cross",
    mark("not started"): "right_diagonal_line",
    "running": "horizontal_line",
    "done": "blank",
    mark("no end"): "left_diagonal_line",
}
#: Order of the statuses in a stack, from the axis upwards.
ORDER = ("done", "running", "planned", mark("not started"), mark("no end"), "cancelled")
assert set(ORDER) == set(STATUSES)
#: Hatches as SVG for the legend, in a square of 12 pixels.
_STROKES: Mapping[str, str] = {
    "dot": Markup('<circle cx="6" cy="6" r="2.5" fill="#fff"/>'),
    "cross": Markup('<path d="M0 6H12M6 0V12" stroke="#fff" stroke-width="1.5"/>'),
    "right_diagonal_line": Markup('<path d="M0 12L12 0" stroke="#fff" stroke-width="1.5"/>'),
    "left_diagonal_line": Markup('<path d="M0 0L12 12" stroke="#fff" stroke-width="1.5"/>'),
    "horizontal_line": Markup('<path d="M0 4H12M0 8H12" stroke="#fff" stroke-width="1.5"/>'),
    "blank": "",
}
Span = tuple[float, float]
Columns = dict[str, Any]


def axis_title(*, by_time: bool) -> str:
    """Return the title of the horizontal axis."""
    return tr("time (UTC)") if by_time else tr("delay of the end (min)")


def bar_columns(bins: Bins | None) -> dict[str, Columns]:
    """Return the stacked bars of each status as columns of rectangles; bins without events have none."""
    if bins is None:
        none = np.empty(0)
        return {status: _rectangles(none, none, none, none) for status in ORDER}
    edges = bin_edges(bins)
    base = np.zeros(len(edges) - 1)
    out = {}
    for status in ORDER:
        top = base + bins.counts[status]
        some = bins.counts[status] > 0
        out[status] = _rectangles(edges[:-1][some], base[some], edges[1:][some], top[some])
        base = top
    return out


def _rectangles(left: Any, bottom: Any, right: Any, top: Any) -> Columns:
    return {"left": left, "bottom": bottom, "right": right, "top": top, "count": top - bottom}


def bin_edges(bins: Bins) -> NDArray[np.float64]:
    """Return the edges in units of the axis: milliseconds since 1970, or minutes."""
    edges = bins.edges
    return edges.astype("datetime64[us]").astype("int64") / 1e3 if edges.dtype.kind == "M" else edges.astype(float)


def height_of(bins: Bins | None) -> float:
    """Return the upper limit of the vertical axis."""
    if bins is None or not bins.total:
        return 1.0
    return 1.06 * float(np.sum(list(bins.counts.values()), axis=0).max())


_LEGEND = (
    '<div role="list" aria-label="Legend"'
    ' style="font:13px/1.5 Roboto,system-ui,sans-serif;display:flex;flex-wrap:wrap;gap:2px 16px">'
    "{% for status, color, strokes, count in shown %}"
    '<span role="listitem" style="white-space:nowrap"><svg aria-hidden="true" width="12" height="12">'
    '<rect width="12" height="12" fill="{{ color }}"/>{{ strokes }}</svg> {{ status }}: {{ count }}</span>'
    "{% endfor %}"
    '{% for note in notes %}<span role="listitem">{{ note }}</span>{% endfor %}</div>'
)


def chart_legend(bins: Bins | None) -> str:
    """Return the legend as HTML: statuses with colours and counts, and the events outside the chart."""
    if bins is None:
        return ""
    shown = [
        (
            tr(status),
            STATUS_COLORS[status],
            _STROKES[HATCHES[status]],
            local_number(f"{int(bins.counts[status].sum()):,}"),
        )
        for status in ORDER
        if bins.counts[status].any()
    ]
    notes = []
    if bins.beyond:
        notes.append(tr("{beyond:,} beyond the ends are counted in the outermost bars", beyond=bins.beyond))
    if bins.without:
        what = "time" if bins.edges.dtype.kind == "M" else "delay"
        notes.append(tr("{without:,} without a {what} aren't drawn", without=bins.without, what=what))
    return html(_LEGEND, shown=shown, notes=notes)
