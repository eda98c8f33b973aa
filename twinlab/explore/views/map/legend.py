"""Summary and legend of a map: counts by asset type, assets without a position, meaning of shapes and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from twinlab._html import html
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.legend import legend_list
from twinlab.explore.charts.palette import ASSET_STYLES
from twinlab.explore.charts.reading import shown_instant
from twinlab.explore.charts.scale import axis_label, compact_number
from twinlab.explore.kit.exception_text import age_text
from twinlab.explore.views.map.colors import GREY, RAMP, SEVERITY_COLORS, ColorScale, kind_color
from twinlab.explore.views.map.layers import kind_marker
from twinlab.explore.views.map.reading import EXCEPTIONS, stale_after
from twinlab.languages import local_number, tr

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Shared
    from twinlab.explore.views.map.reading import MapSnapshot
    from twinlab.explore.views.map.track import Track
    from twinlab.model.twinmodel import TwinModel

__all__ = ["map_legend", "marker_svg", "routes_legend", "summary"]

_ITEM = """\
<span role="listitem" style="display:inline-flex;align-items:center;gap:6px">{{ shape }}{{ text }}</span>"""
_SUMMARY = """\
<div role="status" style="font:13px/1.5 Roboto,system-ui,sans-serif">\
<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:0">{{ instant }} UTC</h2>\
{{ counts | join(" · ") or "nothing to show" }}\
{% for kind, count, names, more in unlocated %}\
<details><summary>{{ kind }}: {{ count }} without a position</summary>{{ names | join(", ") }}\
{% if more %} and {{ more }} more{% endif %}</details>{% endfor %}</div>"""
_SCALE = """\
<span role="listitem" style="display:inline-flex;align-items:center;gap:6px">{{ title }} {{ low }}\
<svg aria-hidden="true" width="{{ 14 * colors | length }}" height="14">\
{% for color in colors %}<rect x="{{ 14 * loop.index0 }}" y="1" width="14" height="12" fill="{{ color }}"/>{% endfor %}\
</svg>{{ high }}</span>"""
_MARKER = """\
<svg aria-hidden="true" width="14" height="14" fill="{{ fill }}" stroke="{{ color }}" \
stroke-width="{{ width }}">{{ shape }}</svg>"""
_DOT = """\
<svg aria-hidden="true" width="14" height="14">\
<circle cx="7" cy="7" r="{{ size / 2 }}" fill="{{ color }}"/></svg>"""
_LINE = """\
<svg aria-hidden="true" width="26" height="14"><line x1="0" y1="7" x2="26" y2="7" stroke="{{ color }}" \
stroke-width="2.6" stroke-dasharray="{{ dash }}"/></svg>"""
_SHAPES = {
    "circle": Markup('<circle cx="7" cy="7" r="5"/>'),
    "square": Markup('<rect x="2" y="2" width="10" height="10"/>'),
    "triangle": Markup('<path d="M7 1.5 L13 12 L1 12 Z"/>'),
    "inverted_triangle": Markup('<path d="M7 12.5 L13 2 L1 2 Z"/>'),
    "diamond": Markup('<path d="M7 0.5 L12 7 L7 13.5 L2 7 Z"/>'),
    "hex": Markup('<path d="M4 2 L10 2 L13 7 L10 12 L4 12 L1 7 Z"/>'),
    "star": Markup('<path d="M7 0.5 L8.7 5 L13.5 5.2 L9.7 8.2 L11 13 L7 10.2 L3 13 L4.3 8.2 L0.5 5.2 L5.3 5 Z"/>'),
    "plus": Markup('<path d="M5 1 H9 V5 H13 V9 H9 V13 H5 V9 H1 V5 H5 Z"/>'),
}
#: How many assets without a position are named, of each type.
_NAMED = 12


def marker_svg(marker: str, color: str, *, hollow: bool = False) -> Markup:
    """Return a marker as SVG, 14 pixels wide.

    >>> marker_svg("square", "#0072B2").count("<rect")
    1
    """
    shape = _SHAPES.get(marker, _SHAPES["circle"])
    return html(_MARKER, fill="none" if hollow else color, color=color, width=1.8 if hollow else 0.5, shape=shape)


def summary(shot: MapSnapshot, model: TwinModel, shared: Shared) -> Markup:
    """Return a heading with the instant, the number of assets of each type, and the assets without a position."""
    table = shot.table
    counts = []
    for kind in shot.request.asset_types:
        mine = table["asset_type"] == kind
        stale = int((mine & table["stale"]).sum())
        counts.append(
            f"{_title(model, kind)}: {int(mine.sum()):,}" + (tr(" ({stale:,} stale)", stale=stale) if stale else "")
        )
    for kind in shot.request.contained:
        inside = sum(one.get(kind, 0) for one in table["inside"])
        counts.append(tr("{model}: {inside:,} inside these", model=_title(model, kind), inside=inside))
    unlocated = [_unlocated(kind, assets, model, shared) for kind, assets in shot.unlocated.items()]
    return html(_SUMMARY, instant=shown_instant(shot.request.at), counts=counts, unlocated=unlocated)


def _unlocated(kind: str, assets: tuple[str, ...], model: TwinModel, shared: Shared) -> tuple[str, str, list[str], str]:
    """Return the title of a kind, how many of its assets have no position, some names, and how many more."""
    labels = shared.labels(kind)
    names = [labels.get(asset, asset) for asset in assets[:_NAMED]]
    return (
        _title(model, kind),
        local_number(f"{len(assets):,}"),
        names,
        local_number(f"{len(assets) - _NAMED:,}") if len(assets) > _NAMED else "",
    )


def map_legend(shot: MapSnapshot, model: TwinModel, scale: ColorScale | None, *, track: Track | None = None) -> Markup:
    """Return the meaning of shapes, sizes and colours."""
    items: list[Markup] = []
    by_kind = shot.request.color == ""
    for kind in shot.request.asset_types:
        color = kind_color(model, kind) if by_kind else GREY
        items.append(_item(marker_svg(kind_marker(model, kind)[0], color), _title(model, kind)))
        limit = stale_after(model, kind)
        if limit is not None:
            hollow = marker_svg(kind_marker(model, kind)[0], GREY, hollow=True)
            items.append(
                _item(
                    hollow,
                    tr(
                        "{model}, fix older than {limit}",
                        model=_title(model, kind),
                        limit=age_text(pd.Timedelta(limit)),
                    ),
                )
            )
    if shot.request.color == EXCEPTIONS:
        items += [
            _item(_dot(SEVERITY_COLORS[name], size), tr("{name} exception", name=name) if name else tr("no exception"))
            for name, size in (("high", 14), ("medium", 11), ("low", 9), ("", 8))
        ]
    elif scale is not None and shot.request.color_signal is not None:
        items += _scale(shot, model, scale)
    if track is not None:
        items.append(_item(_line("#D55E00", ""), tr("track, {hours} h", hours=track.hours)))
        if track.stops:
            items.append(_item(_line("#CC79A7", "5 3"), "planned"))
    return legend_list(items)


def routes_legend() -> Markup:
    """Return the meaning of the lines on a map of events."""
    from twinlab.explore.views.map.routes import DELAY_STEPS, UNKNOWN  # noqa: PLC0415  (which draws with this map's layers)

    steps = [(color, text) for _, color, text in DELAY_STEPS]
    items = [_item(_line(color, ""), tr(text)) for color, text in (*steps, UNKNOWN)]
    note = tr("median delay of the end; a line is as thick as it has events; tap one to see its events")
    return legend_list([*items, _item(Markup(), note)])


def _scale(shot: MapSnapshot, model: TwinModel, scale: ColorScale) -> list[Markup]:
    """Return the colours of a signal: a dot for each state, or a bar from the lowest value to the highest."""
    assert shot.request.color_signal is not None
    kind, signal = shot.request.color_signal
    spec = model.asset_types[kind].signals[signal]
    title = axis_label(spec.title or readable_name(signal), "" if spec.states else spec.unit)
    if scale.states:
        items = [
            _item(_dot(ASSET_STYLES[place % len(ASSET_STYLES)].color, 10), f"{title}: {name}")
            for place, (_, name) in enumerate(scale.states)
        ]
    else:
        ends = {"low": compact_number(scale.low), "high": compact_number(scale.high)}
        items = [html(_SCALE, title=title, colors=RAMP, **ends)]
    return [*items, _item(_dot(GREY, 10), tr("no value"))]


def _item(shape: Markup, text: str) -> Markup:
    return html(_ITEM, shape=shape, text=text)


def _dot(color: str, size: int) -> Markup:
    return html(_DOT, color=color, size=size)


def _line(color: str, dash: str) -> Markup:
    return html(_LINE, color=color, dash=dash)


def _title(model: TwinModel, kind: str) -> str:
    return model.asset_types[kind].title or readable_name(kind)
