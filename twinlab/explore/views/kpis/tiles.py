"""Tiles of KPIs: value, what it can be, how much of it is known, and the target, in words and shape. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.events.kpis.table import MET, kpi_table
from twinlab.explore.charts.scale import pretty_unit
from twinlab.explore.kit.live.settled import settled_until_text
from twinlab.languages import local_number, mark, tr
from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    import xarray as xr
    from markupsafe import Markup

__all__ = ["KpiTile", "error_tile_html", "number_text", "tile_html", "tile_of", "window_text"]

_SYMBOLS = {MET[0]: "✔", MET[1]: "✘", MET[2]: "?"}
_WORDS = {MET[0]: mark("met"), MET[1]: mark("missed"), MET[2]: mark("not known: can be either")}
# The part of the tile that is hatched is the part of the data that is missing. Colours suit both themes.
_SHEET = """<style>
.k{box-sizing:border-box;height:100%;min-height:168px;padding:9px 12px;border-radius:6px;border:1px solid rgba(127,127,127,.45);
position:relative;overflow:hidden;font:13px/1.35 Roboto,system-ui,sans-serif}
.k.on{border:2px solid #0072B2;padding:8px 11px}
.k .lack{position:absolute;top:0;bottom:0;right:0;background:repeating-linear-gradient(135deg,rgba(127,127,127,.30) 0 3px,
rgba(127,127,127,.08) 3px 9px);border-left:1px dashed rgba(127,127,127,.6)}
.k>*{position:relative}.k>.lack{position:absolute}
.k .name{font-weight:600;font-size:14px}.k .num{font-size:24px;font-weight:500;line-height:1.35}
.k .num small{font-size:14px;font-weight:400}
.k .range{height:16px;margin:3px 0 1px;position:relative}
.k .track{position:absolute;left:0;right:0;top:7px;height:2px;background:rgba(127,127,127,.45)}
.k .can{position:absolute;top:2px;height:12px;min-width:2px;box-sizing:border-box;background:rgba(0,114,178,.28);border:1px solid #3d93cf}
.k .is{position:absolute;top:0;height:16px;width:4px;margin-left:-2px;background:#1b86c8;border-radius:1px}
.k .aim{position:absolute;top:-1px;height:18px;border-left:2px dashed #D55E00}
.k .plain{opacity:.88}
</style>"""
_TILE = (
    _SHEET
    + """<div class="k{{ ' on' if chosen }}">
{% if lack %}<div class="lack" style="width:{{ lack }}%"></div>{% endif %}
<div class="name">{{ t.title }}</div>
<div class="num">{{ t.number }} <small>{{ t.unit }}</small></div>
{% if t.verdict %}<div>{{ symbol }} target {{ t.target }} {{ words }}</div>{% endif %}
{% if scale %}<div class="range" aria-hidden="true"><div class="track"></div>
<div class="can" style="left:{{ scale.low }}%;width:{{ scale.width }}%"></div>
{% if scale.target is not none %}<div class="aim" style="left:{{ scale.target }}%"></div>{% endif %}
{% if scale.value is not none %}<div class="is" style="left:{{ scale.value }}%"></div>{% endif %}</div>{% endif %}
<div class="plain">{{ t.bounds }}</div>
<div class="plain">{{ t.known }}</div>
<div class="plain">{{ t.window }}{{ ', ' + t.owner if t.owner }}</div>
{% if t.settled %}<div class="plain">{{ t.settled }}</div>{% endif %}</div>"""
)
_FAILED = _SHEET + '<div class="k"><div class="name">{{ title }}</div><div role="alert">{{ why }}</div></div>'


@dataclass(frozen=True)
class KpiTile:
    """One tile: the newest window that is settled, of a KPI."""

    title: str
    owner: str
    unit: str
    number: str
    # "93.6 to 100 %".
    bounds: str
    # How much of the data is known, as a share and in words.
    coverage: float
    known: str
    # One of `twinlab.events.kpis.table.MET`; "" without a target.
    verdict: str
    target: str
    window: str
    # Start of the window.
    time: np.datetime64
    # Value, low, high and target as shares of the drawn range; None for what isn't finite.
    places: tuple[float | None, float, float, float | None] | None
    # Up to when nothing more is expected; "" for a twin without live sources.
    settled: str = ""


def number_text(value: float) -> str:
    """Return a number with four significant digits; a share that isn't complete never reads as complete.

    >>> number_text(99.99996), number_text(100.0), number_text(3483.1), number_text(float("nan"))
    ('99.99', '100', '3,483', '–')
    """
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    if 99 < value < 100:
        return f"{np.floor(value * 100) / 100:g}"
    if abs(value) >= 1000:
        return local_number(f"{value:,.0f}")
    return local_number(f"{value:.4g}")


def window_text(start: np.datetime64, every: str) -> str:
    """Return a window as text.

    >>> window_text(np.datetime64("2026-04-04"), "1d"), window_text(np.datetime64("2026-04-04T06:00"), "1h")
    ('2026-04-04', '2026-04-04 06:00 to 07:00')
    """
    first, size = pd.Timestamp(start), pd.Timedelta(parse_duration(every), "ns")
    last = first + size
    if size < pd.Timedelta(days=1):
        return tr("{first:%Y-%m-%d %H:%M} to {last:%H:%M}", first=first, last=last)
    if size == pd.Timedelta(days=1):
        return f"{first:%Y-%m-%d}"
    return tr("{first:%Y-%m-%d} to {days:%Y-%m-%d}", first=first, days=last - pd.Timedelta(days=1))


def tile_of(data: xr.Dataset, *, live: bool = False) -> KpiTile | None:
    """Return the tile of a KPI without groups: its newest settled window, or the newest one if none is; None without windows.

    Parameters
    ----------
    data : Dataset
        As ``twin.kpi`` returns it, without ``by``.
    live : bool
        Whether the twin has live sources: the tile then says up to when nothing more is expected.
    """
    table = kpi_table(data)
    if not len(table):
        return None
    settled = table[table["settled"]]
    row = (settled if len(settled) else table).iloc[-1]
    unit = pretty_unit(str(data.attrs.get("units", "")))
    low, high, value, coverage = (float(row[name]) for name in ("low", "high", "value", "coverage"))
    verdict = row.get("target", "")
    return KpiTile(
        title=str(data.attrs.get("title", "")),
        owner=str(data.attrs.get("owner", "")),
        unit="" if np.isnan(value) else unit,
        number=number_text(value),
        bounds=_bounds_text(low, high, value, unit),
        coverage=coverage,
        known=_known_text(coverage),
        verdict="" if verdict is None or pd.isna(verdict) else str(verdict),
        target=str(data.attrs.get("target", "")).replace(">=", "≥").replace("<=", "≤"),
        window=window_text(row["time"].to_datetime64(), data.attrs["every"])
        + ("" if bool(row["settled"]) else tr(", not complete yet")),
        time=row["time"].to_datetime64(),
        places=_places(table, (value, low, high), data.attrs.get("target_value")),
        settled=settled_until_text(data["settled_until"].values[()]) if live else "",
    )


def _bounds_text(low: float, high: float, value: float, unit: str) -> str:
    if np.isnan(low):
        return tr("no value in this window")
    if low == high == value:
        return tr("exact")
    if np.isinf(low) and np.isinf(high):
        return tr("nothing limits it")
    if np.isinf(high):
        return tr("at least {low} {unit}", low=number_text(low), unit=unit)
    if np.isinf(low):
        return tr("at most {high} {unit}", high=number_text(high), unit=unit)
    return tr("{low} to {high} {unit}", low=number_text(low), high=number_text(high), unit=unit)


def _known_text(coverage: float) -> str:
    if np.isnan(coverage):
        return ""
    lack = 100 * (1 - coverage)
    if lack <= 0:
        return tr("all data known")
    return tr(
        "{part} % of the data is missing or suspect",
        part=tr("less than 1") if lack < 1 else local_number(f"{lack:.0f}"),
    )


def _places(
    table: pd.DataFrame, numbers: tuple[float, float, float], target: float | None
) -> tuple[float | None, float, float, float | None] | None:
    """Return value, low, high and target in percent of the range of all windows."""
    value, low, high = numbers
    if np.isnan(low):
        return None
    every = table[["value", "low", "high"]].to_numpy(dtype=float).ravel()
    finite = [*every[np.isfinite(every)], *([] if target is None else [float(target)])]
    if not finite:
        return None
    first, last = min(finite), max(finite)
    size = (last - first) or 1.0
    first, size = first - 0.04 * size, 1.08 * size

    def place(number: float) -> float:
        return round(100 * float(np.clip((number - first) / size, 0, 1)), 2)

    return (
        None if np.isnan(value) else place(value),
        place(low),
        place(high),
        None if target is None else place(float(target)),
    )


def tile_html(tile: KpiTile, *, chosen: bool) -> Markup:
    """Return a tile; the share of its width that is hatched is the share of the data that is missing or suspect."""
    scale = None
    if tile.places is not None:
        value, low, high, target = tile.places
        scale = {"value": value, "low": low, "width": round(high - low, 2), "target": target}
    return html(
        _TILE,
        t=tile,
        chosen=chosen,
        scale=scale,
        lack=0 if np.isnan(tile.coverage) else round(100 * (1 - tile.coverage), 1),
        symbol=_SYMBOLS.get(tile.verdict, ""),
        words=tr(_WORDS.get(tile.verdict, "")),
    )


def error_tile_html(title: str, why: str) -> Markup:
    """Return a tile that says why a KPI has no value."""
    return html(_FAILED, title=title, why=why)
