"""What stands around a map: how many assets are where, who has no position, and what shapes and colours mean."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from twinlab.explore.charts.choices import words
from twinlab.explore.charts.palette import ASSET_STYLES
from twinlab.explore.charts.reading import instant_text
from twinlab.explore.charts.scale import axis_label, compact_number
from twinlab.explore.views.map.colors import GREY, RAMP, SEVERITY_COLORS, ColorScale, kind_color
from twinlab.explore.views.map.layers import kind_marker
from twinlab.explore.views.map.reading import EXCEPTIONS, stale_after
from twinlab.explore.views.map.tooltips import age_text

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Shared
    from twinlab.explore.views.map.reading import MapSnapshot
    from twinlab.explore.views.map.track import Track
    from twinlab.model.twinmodel import TwinModel

__all__ = ["map_legend", "marker_svg", "routes_legend", "summary"]

_FONT = "font:13px/1.5 Roboto,system-ui,sans-serif"
_FLEX = f"display:flex;flex-wrap:wrap;gap:4px 18px;{_FONT};align-items:center"
_ITEM = "display:inline-flex;align-items:center;gap:6px"
_SHAPES = {
    "circle": '<circle cx="7" cy="7" r="5"/>',
    "square": '<rect x="2" y="2" width="10" height="10"/>',
    "triangle": '<path d="M7 1.5 L13 12 L1 12 Z"/>',
    "inverted_triangle": '<path d="M7 12.5 L13 2 L1 2 Z"/>',
    "diamond": '<path d="M7 0.5 L12 7 L7 13.5 L2 7 Z"/>',
    "hex": '<path d="M4 2 L10 2 L13 7 L10 12 L4 12 L1 7 Z"/>',
    "star": '<path d="M7 0.5 L8.7 5 L13.5 5.2 L9.7 8.2 L11 13 L7 10.2 L3 13 L4.3 8.2 L0.5 5.2 L5.3 5 Z"/>',
    "plus": '<path d="M5 1 H9 V5 H13 V9 H9 V13 H5 V9 H1 V5 H5 Z"/>',
}
#: Names of assets without a position that are written out, of each kind.
_NAMED = 12


def marker_svg(marker: str, color: str, *, hollow: bool = False) -> str:
    """Return a marker as SVG, 14 pixels wide."""
    fill = "none" if hollow else color
    return (
        f'<svg aria-hidden="true" width="14" height="14" fill="{fill}" stroke="{color}" '
        f'stroke-width="{1.8 if hollow else 0.5}">{_SHAPES.get(marker, _SHAPES["circle"])}</svg>'
    )


def summary(shot: MapSnapshot, model: TwinModel, shared: Shared) -> str:
    """Return a heading with the instant, counts by kind, and who has no position."""
    table = shot.table
    counts = []
    for kind in shot.ask.asset_types:
        mine = table["asset_type"] == kind
        stale = int((mine & table["stale"]).sum())
        counts.append(f"{escape(_title(model, kind))}: {int(mine.sum()):,}" + (f" ({stale:,} stale)" if stale else ""))
    for kind in shot.ask.carried:
        inside = sum(one.get(kind, 0) for one in table["inside"])
        counts.append(f"{escape(_title(model, kind))}: {inside:,} inside these")
    lost = "".join(_lost(kind, assets, model, shared) for kind, assets in shot.lost.items())
    return (
        f'<div role="status" style="{_FONT}"><h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:0">'
        f"{instant_text(shot.ask.at)} UTC</h2>{' · '.join(counts) or 'nothing to show'}{lost}</div>"
    )


def _lost(kind: str, assets: tuple[str, ...], model: TwinModel, shared: Shared) -> str:
    labels = shared.labels(kind)
    names = ", ".join(escape(labels.get(asset, asset)) for asset in assets[:_NAMED])
    more = f" and {len(assets) - _NAMED:,} more" if len(assets) > _NAMED else ""
    return (
        f"<details><summary>{escape(_title(model, kind))}: {len(assets):,} without a position</summary>"
        f"{names}{more}</details>"
    )


def map_legend(shot: MapSnapshot, model: TwinModel, scale: ColorScale | None, *, track: Track | None = None) -> str:
    """Return what shapes, sizes and colours mean."""
    items = []
    by_kind = shot.ask.color == ""
    for kind in shot.ask.asset_types:
        color = kind_color(model, kind) if by_kind else GREY
        items.append(_item(marker_svg(kind_marker(model, kind)[0], color), _title(model, kind)))
        limit = stale_after(model, kind)
        if limit is not None:
            hollow = marker_svg(kind_marker(model, kind)[0], GREY, hollow=True)
            items.append(_item(hollow, f"{_title(model, kind)}, fix older than {age_text(limit)}"))
    if shot.ask.color == EXCEPTIONS:
        items += [
            _item(_dot(SEVERITY_COLORS[name], size), f"{name} exception" if name else "no exception")
            for name, size in (("high", 14), ("medium", 11), ("low", 9), ("", 8))
        ]
    elif scale is not None and shot.ask.color_signal is not None:
        items.append(_ramp(shot, model, scale))
    if track is not None:
        items.append(_item(_line("#D55E00", ""), f"track, {track.hours} h"))
        if track.stops:
            items.append(_item(_line("#CC79A7", "5 3"), "planned"))
    return f'<div role="list" aria-label="Legend" style="{_FLEX}">{"".join(items)}</div>'


def routes_legend() -> str:
    """Return what the lines on a map of events mean."""
    from twinlab.explore.views.map.routes import DELAY_STEPS, UNKNOWN  # noqa: PLC0415  (which draws with this map's layers)

    steps = [(color, text) for _, color, text in DELAY_STEPS]
    items = [_item(_line(color, ""), text) for color, text in (*steps, UNKNOWN)]
    items.append(_item("", "median delay of the end; a line is as thick as it has events; tap one to see its events"))
    return f'<div role="list" aria-label="Legend" style="{_FLEX}">{"".join(items)}</div>'


def _ramp(shot: MapSnapshot, model: TwinModel, scale: ColorScale) -> str:
    assert shot.ask.color_signal is not None
    kind, signal = shot.ask.color_signal
    spec = model.asset_types[kind].signals[signal]
    title = axis_label(spec.title or words(signal), "" if spec.states else spec.unit)
    if scale.states:
        dots = "".join(
            _item(_dot(ASSET_STYLES[place % len(ASSET_STYLES)].color, 10), f"{title}: {name}")
            for place, (_, name) in enumerate(scale.states)
        )
        return dots + _item(_dot(GREY, 10), "no value")
    steps = "".join(f'<rect x="{14 * k}" y="1" width="14" height="12" fill="{c}"/>' for k, c in enumerate(RAMP))
    bar = f'<svg aria-hidden="true" width="{14 * len(RAMP)}" height="14">{steps}</svg>'
    low, high = compact_number(scale.low), compact_number(scale.high)
    return f'<span role="listitem" style="{_ITEM}">{escape(title)} {low}{bar}{high}</span>{_item(_dot(GREY, 10), "no value")}'


def _item(shape: str, text: str) -> str:
    return f'<span role="listitem" style="{_ITEM}">{shape}{escape(text)}</span>'


def _dot(color: str, size: int) -> str:
    return f'<svg aria-hidden="true" width="14" height="14"><circle cx="7" cy="7" r="{size / 2}" fill="{color}"/></svg>'


def _line(color: str, dash: str) -> str:
    return (
        f'<svg aria-hidden="true" width="26" height="14"><line x1="0" y1="7" x2="26" y2="7" stroke="{color}" '
        f'stroke-width="2.6" stroke-dasharray="{dash}"/></svg>'
    )


def _title(model: TwinModel, kind: str) -> str:
    return model.asset_types[kind].title or words(kind)
