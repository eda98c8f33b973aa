"""Texts of a heat map: caption, legend with counts, link, code and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup

from twinlab._html import html
from twinlab.explore.charts.legend import legend_list
from twinlab.explore.charts.palette import FLAG_WORDS
from twinlab.explore.charts.reading import Plan, Window, iso_text, shown_instant
from twinlab.explore.views.heatmap.reading import FLAGS, HeatRequest, whole_bins
from twinlab.explore.views.heatmap.rows import ORDERS
from twinlab.explore.views.heatmap.style import FLAG_COLORS, FLAG_LETTERS, HeatStyle, color_span, palette, shown_values
from twinlab.languages import local_number, mark, tr, trn
from twinlab.model.flags import FLAG_SEVERITY, Flag

if TYPE_CHECKING:
    from twinlab.explore.views.heatmap.rows import HeatRows

__all__ = ["SHARES", "caption", "format_heat", "heat_code", "heat_legend", "heat_settings", "heat_tables", "parse_heat"]

#: Label -> content of cells that show flags.
SHARES = {mark("worst flag"): "worst", mark("share that didn't pass"): "not_pass", mark("share missing"): "missing"}
_HATCH = Markup(
    '<svg aria-hidden="true" width="16" height="14"><rect x=".5" y=".5" width="15" height="13" fill="#B0B0B0" '
    'stroke="#6E6E6E"/><path d="M0 14 L14 0 M-4 8 L6 -2 M6 18 L20 4" stroke="#5E5E5E"/></svg>'
)
_ITEM = """\
<span role="listitem" style="display:inline-flex;align-items:center;gap:6px;white-space:nowrap\
{{ ";opacity:.7" if faint }}">{{ shape }}{{ text }}</span>"""
_SWATCH = """\
<svg aria-hidden="true" width="16" height="14"><rect x=".5" y=".5" width="15" height="13" fill="{{ color }}" \
stroke="#6E6E6E"/></svg>"""
_SCALE = """\
<span role="listitem">{{ title }}: \
<span style="display:inline-flex;align-items:center;gap:6px;white-space:nowrap">{{ low }} \
<span aria-hidden="true" style="display:inline-block;width:120px;height:12px;border:1px solid \
rgba(127,127,127,.6);background:linear-gradient(to right,{{ stops }})"></span> \
<span style="position:absolute;clip-path:inset(50%)">to</span> {{ high }}</span></span>"""


def format_heat(heat: str, shows: str, *, order: str, by: str) -> str:
    """Return the content of a heat map as text for a link.

    >>> format_heat("flags", "worst", order="worst", by="")
    'flags.worst.order-worst'
    """
    return ".".join([heat, shows, *([f"order-{order}"] if order != "id" else []), *([f"by-{by}"] if by else [])])


def parse_heat(text: str) -> dict[str, str | None]:
    """Parse the content of a heat map in a link: ``heat``, ``shows``, ``order`` and ``by``, None if missing.

    >>> parse_heat("values.max")["shows"]
    'max'
    """
    heat, *rest = text.split(".")
    out: dict[str, str | None] = {"heat": heat, "shows": None, "order": None, "by": None}
    for part in rest:
        key, dash, value = part.partition("-")
        if dash and key in ("order", "by"):
            out[key] = value
        else:
            out["shows"] = part
    return out


def caption(rows: HeatRows, window: Window) -> str:
    """Return the step, the span, the number of assets and how they were merged into rows."""
    start, stop = (shown_instant(t) for t in window)
    count = len(rows.cells.assets)
    many = trn("{count:,} asset", "{count:,} assets", count)
    return " · ".join(
        [
            rows.cells.plan.title,
            tr("{start} to {stop} UTC", start=start, stop=stop),
            many,
            *([rows.grouped] if rows.grouped else []),
        ]
    )


def heat_legend(rows: HeatRows, style: HeatStyle) -> Markup:
    """Return the legend: the colour scale, or each flag with its colour and letter; and the samples of each in view."""
    totals = rows.totals
    whole = max(sum(totals.values()), 1)
    items = [] if style.categories else [_scale(rows, style)]
    for flag in (Flag.PASS, *FLAG_SEVERITY[:3], Flag.NOT_EVALUATED):
        count = totals[flag]
        share = "" if not count else f" ({_percent(100 * count / whole)})"
        letter = f" {FLAG_LETTERS[flag]}" if flag in FLAG_LETTERS and style.categories else ""
        name = tr(FLAG_WORDS[flag])
        items.append(
            _item(
                _swatch(flag, style),
                tr("{name}{letter}: {count:,} samples{share}", name=name, letter=letter, count=count, share=share),
                faint=count == 0,
            )
        )
    if not style.categories:
        items.append(_item(_HATCH, tr("no value")))
    return legend_list(items)


def _scale(rows: HeatRows, style: HeatStyle) -> Markup:
    """Return the colour scale with its ends, above the map: on a phone a bar beside it would take the map's room."""
    colors = palette(style)
    stops = ",".join(colors[place] for place in np.linspace(0, len(colors) - 1, 9).astype(int))
    low, high = (
        local_number(f"{round(end, 2):.4g}").replace("-", "−") for end in color_span(shown_values(rows, style), style)
    )
    return html(_SCALE, title=style.title, low=low, high=high, stops=stops)


def _percent(value: float) -> str:
    """Return a share as text; one near 0 or 100 is never rounded to it."""
    if 0 < value < 0.01:
        return "<0.01 %"
    if 99.99 < value < 100:
        return ">99.99 %"
    return f"{value:.3g} %" if value < 99 else f"{value:.4g} %"


def _swatch(flag: Flag, style: HeatStyle) -> Markup:
    if not style.categories:
        return Markup()
    return _HATCH if flag == Flag.MISSING else html(_SWATCH, color=FLAG_COLORS[flag])


def _item(shape: Markup, text: str, *, faint: bool = False) -> Markup:
    return html(_ITEM, shape=shape, text=text, faint=faint)


def heat_code(request: HeatRequest, plan: Plan, *, opening: str) -> str:
    """Return Python that reads the shown data in a fresh kernel as ``data``."""
    start, stop = whole_bins(request.window, np.timedelta64(plan.cell_ns * plan.factor, "ns"))
    lines = ["import twinlab.explore as explore"] if plan.factor > 1 else []
    lines += [opening, "", "data = twin.history(", f"    {request.asset_type!r},", f"    signals=[{request.signal!r}],"]
    if request.assets is not None:
        lines.append(f"    assets={list(request.assets)!r},")
    lines += [f"    start={iso_text(start)!r},  # UTC", f"    stop={iso_text(stop)!r},"]
    if plan.step is not None:
        lines.append(f"    step={plan.step!r},")
    lines.append(").compute()")
    if plan.factor > 1:
        lines.append(f"data = explore.coarsen(data, {request.signal!r}, factor={plan.factor}, cell_ns={plan.cell_ns})")
    return "\n".join(lines) + "\n"


def heat_tables(rows: HeatRows, style: HeatStyle) -> dict[str, pd.DataFrame]:
    """Return the drawn values (one line per bin, one column per row), and the samples of each flag by row."""
    index = pd.Index(rows.cells.time, name="time (UTC)")
    if style.categories:
        names = {int(f): f.name.lower().replace("_", " ") for f in FLAGS} | {0: ""}
        drawn = pd.DataFrame(rows.worst.T).replace(names) if rows.worst.size else pd.DataFrame()
    else:
        drawn = pd.DataFrame(shown_values(rows, style).T.astype("float64"))
    drawn = drawn.set_axis(list(rows.labels), axis=1).set_axis(index, axis=0).reset_index()
    flags = pd.DataFrame(
        rows.counts.sum(axis=2).T,
        index=pd.Index(rows.labels, name="asset"),
        columns=[f.name.lower().replace("_", " ") for f in FLAGS],
    )
    return {style.title: drawn, tr("samples by flag"): flags.reset_index()}


def heat_settings(rows: HeatRows, shown: Window, *, order: str, find: str) -> dict[str, str]:
    """Return how the rows were read and sorted: label -> value."""
    out = {
        "from (UTC)": str(shown[0])[:19],
        "to (UTC)": str(shown[1])[:19],
        tr("read from"): rows.cells.plan.title,
        "order": next(tr(label) for label, value in ORDERS.items() if value == order),
    }
    out |= {"rows": rows.grouped} if rows.grouped else {}
    return out | ({tr("only assets with"): find} if find else {})
