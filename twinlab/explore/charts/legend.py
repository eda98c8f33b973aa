"""Legend and heading of a chart, as HTML that wraps on a phone and takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from twinlab._html import html
from twinlab.explore.charts.palette import FLAG_STYLES, FLAG_WORDS, asset_style
from twinlab.explore.charts.traces import Trace, count_flags
from twinlab.languages import tr, trn
from twinlab.model.flags import Flag

__all__ = ["legend_html", "legend_list", "title_html"]

_LEGEND = """\
<div role="list" aria-label="Legend" style="display:flex;flex-wrap:wrap;gap:4px 18px;\
font:13px/1.5 Roboto,system-ui,sans-serif;align-items:center">{% for item in items %}{{ item }}{% endfor %}</div>"""
_ITEM = """\
<span role="listitem" style="display:inline-flex;align-items:center;gap:6px;white-space:nowrap\
{{ ";opacity:.7" if faint }}"><svg aria-hidden="true" width="{{ width }}" height="14">{{ shape }}</svg>{{ text }}</span>"""
_TITLE = """\
<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:0">{{ title }}</h2>\
<div style="font:13px/1.4 Roboto,system-ui,sans-serif;opacity:.85">{{ detail }}</div>"""
_LINE = """\
<line x1="0" y1="7" x2="26" y2="7" stroke="{{ style.color }}" stroke-width="{{ width }}" \
stroke-opacity="{{ style.alpha }}" stroke-dasharray="{{ style.dash_array }}"/>"""
#: Template of the shape of each marker.
_SHAPES = {
    "triangle": '<path d="M7 2 L13 12 L1 12 Z" fill="{{ color }}"/>',
    "x": '<path d="M2 2 L12 12 M12 2 L2 12" stroke="{{ color }}" stroke-width="2.4" fill="none"/>',
    None: '<rect x="0" y="1" width="14" height="12" fill="{{ color }}" fill-opacity=".45"/>',
}
_BAND = Markup('<rect x="0" y="3" width="26" height="8" fill="currentColor" fill-opacity=".25"/>')
_EVENT = Markup('<rect x="1" y="1" width="12" height="12" fill="#56B4E9" fill-opacity=".4" stroke="#0072B2"/>')
_SELECTED = Markup('<rect x="1" y="1" width="12" height="12" fill="#009E73" fill-opacity=".3" stroke="#009E73"/>')


def legend_html(
    traces: Sequence[Trace], *, show_flags: bool = True, event: bool = False, brush: bool = False
) -> Markup:
    """Return the legend of a chart: its curves, and how many samples of each flag are in view."""
    # Small multiples repeat their curves; the legend doesn't.
    items = list(dict.fromkeys(_curve_item(trace) for trace in traces))
    if any(trace.band and not trace.faint for trace in traces):
        items.append(_item(_BAND, 26, tr("smallest to largest")))
    if show_flags:
        counts = count_flags([trace for trace in traces if trace.period == 0])
        for flag, style in FLAG_STYLES.items():
            shape = html(_SHAPES[style.marker], color=style.color)
            items.append(_item(shape, 14, _flag_text(flag, counts[flag]), faint=counts[flag] == 0))
    if event:
        items.append(_item(_EVENT, 14, tr("chosen event")))
    if brush:
        items.append(_item(_SELECTED, 14, tr("selected span")))
    return legend_list(items)


def legend_list(items: Sequence[Markup]) -> Markup:
    """Return items as a legend that wraps.

    >>> legend_list([Markup('<span role="listitem">mean</span>')]).count("listitem")
    1
    """
    return html(_LEGEND, items=items)


def title_html(title: str, detail: str) -> Markup:
    """Return a heading with a line of detail.

    >>> "a &lt;b&gt;" in title_html("a <b>", "")
    True
    """
    return html(_TITLE, title=title, detail=detail)


def _flag_text(flag: Flag, count: int) -> str:
    if flag == Flag.MISSING:
        return trn("missing: {count:,} stretch", "missing: {count:,} stretches", count)
    return trn("{name}: {count:,} sample", "{name}: {count:,} samples", count, name=tr(FLAG_WORDS[flag]))


def _curve_item(trace: Trace) -> Markup:
    style = asset_style(trace.place, faint=trace.faint)
    return _item(html(_LINE, style=style, width=f"{1.6 * style.width:.1f}"), 26, trace.label)


def _item(shape: Markup, width: int, text: str, *, faint: bool = False) -> Markup:
    return html(_ITEM, shape=shape, width=width, text=text, faint=faint)
