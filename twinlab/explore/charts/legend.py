"""The legend and the words above a chart, as HTML that wraps on a phone and follows the page's theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from twinlab.explore.charts.palette import FLAG_STYLES, asset_style
from twinlab.explore.charts.traces import Trace, count_flags
from twinlab.model.flags import Flag

__all__ = ["legend_html", "title_html"]

_STYLE = "display:flex;flex-wrap:wrap;gap:4px 18px;font:13px/1.5 Roboto,system-ui,sans-serif;align-items:center"
_ITEM = "display:inline-flex;align-items:center;gap:6px;white-space:nowrap"
_SHAPES = {
    "triangle": '<path d="M7 2 L13 12 L1 12 Z" fill="{color}"/>',
    "x": '<path d="M2 2 L12 12 M12 2 L2 12" stroke="{color}" stroke-width="2.4" fill="none"/>',
    None: '<rect x="0" y="1" width="14" height="12" fill="{color}" fill-opacity=".45"/>',
}


def legend_html(traces: Sequence[Trace], *, show_flags: bool = True, event: bool = False, brush: bool = False) -> str:
    """Return the legend of a chart: its curves, and how many samples of each flag are in view."""
    # Small multiples repeat their curves; the legend doesn't.
    items = list(dict.fromkeys(_curve_item(trace) for trace in traces))
    if any(trace.band and not trace.faint for trace in traces):
        items.append(
            _item(
                '<rect x="0" y="3" width="26" height="8" fill="currentColor" fill-opacity=".25"/>',
                26,
                "smallest to largest",
            )
        )
    if show_flags:
        counts = count_flags([trace for trace in traces if trace.period == 0])
        for flag, style in FLAG_STYLES.items():
            words = _flag_words(flag, counts[flag])
            items.append(_item(_SHAPES[style.marker].format(color=style.color), 14, words, faint=counts[flag] == 0))
    if event:
        frame = '<rect x="1" y="1" width="12" height="12" fill="#56B4E9" fill-opacity=".4" stroke="#0072B2"/>'
        items.append(_item(frame, 14, "chosen event"))
    if brush:
        frame = '<rect x="1" y="1" width="12" height="12" fill="#009E73" fill-opacity=".3" stroke="#009E73"/>'
        items.append(_item(frame, 14, "selected span"))
    return f'<div role="list" aria-label="Legend" style="{_STYLE}">{"".join(items)}</div>'


def title_html(title: str, detail: str) -> str:
    """Return a heading with a line of detail."""
    return (
        f'<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:0">{escape(title)}</h2>'
        f'<div style="font:13px/1.4 Roboto,system-ui,sans-serif;opacity:.85">{escape(detail)}</div>'
    )


def _flag_words(flag: Flag, count: int) -> str:
    if flag == Flag.MISSING:
        return f"missing: {count:,} stretch{'' if count == 1 else 'es'}"
    return f"{flag.name.lower()}: {count:,} sample{'' if count == 1 else 's'}"


def _curve_item(trace: Trace) -> str:
    style = asset_style(trace.place, faint=trace.faint)
    line = (
        f'<line x1="0" y1="7" x2="26" y2="7" stroke="{style.color}" stroke-width="{1.6 * style.width:.1f}" stroke-opacity="{style.alpha}" '
        f'stroke-dasharray="{style.dash_array}"/>'
    )
    return _item(line, 26, trace.label)


def _item(shape: str, width: int, text: str, *, faint: bool = False) -> str:
    opacity = ";opacity:.7" if faint else ""
    return (
        f'<span role="listitem" style="{_ITEM}{opacity}"><svg aria-hidden="true" width="{width}" height="14">{shape}</svg>'
        f"{escape(text)}</span>"
    )
