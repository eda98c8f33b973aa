"""An asset card as HTML: it takes colours and fonts from the page around it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.explore.charts.choices import words
from twinlab.explore.charts.sparkline import sparkline
from twinlab.explore.kit.exception_text import (
    SEVERITY_COLORS,
    SEVERITY_SYMBOLS,
    age_text,
    measure_text,
    near_words,
    records,
    time_text,
    value_and_limit,
)
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twinlab.explore.views.card.reading import CardData, Curve
    from twinlab.model.twinmodel import Signal, TwinModel

__all__ = ["card_html", "place_html"]

#: A value older than so many of its signal's cells is stale, but not before the shortest time.
_STALE_CELLS, _SHORTEST = 15, pd.Timedelta(minutes=15)
_FLAGS = {Flag.SUSPECT: "▲ suspect", Flag.FAIL: "✕ fail", Flag.MISSING: "missing"}

STYLE = """<style>
.card{font:14px/1.45 Roboto,system-ui,sans-serif;overflow-wrap:anywhere;max-width:720px}
.card h2{font:500 19px/1.25 Roboto,system-ui,sans-serif;margin:0}
.card h3{font:500 12px/1.3 Roboto,system-ui,sans-serif;letter-spacing:.04em;text-transform:uppercase;opacity:.8;
margin:16px 0 5px}
.card p{margin:2px 0}
.card table{border-collapse:collapse;width:100%}
.card td,.card th{text-align:left;padding:4px 8px 4px 0;vertical-align:middle;font-weight:400;
border-top:1px solid rgba(127,127,127,.22)}
.card tr:first-child>*{border-top:0}
.card th{opacity:.85}
.card .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;font-weight:500}
.card .stale{opacity:.62;font-style:italic}
.card .small{font-size:12.5px;opacity:.82}
.card .wrong{border-left:4px solid;padding:1px 0 1px 9px;margin:6px 0}
.card .wrong b{font-weight:500}
.card .spark{display:block;width:112px;height:28px;opacity:.85}
.card .flag{display:inline-block;border:1px solid currentColor;border-radius:4px;padding:0 4px;font-size:11.5px}
</style>"""


def card_html(card: CardData, model: TwinModel, labels: Mapping[str, Mapping[str, str]]) -> str:
    """Return the card of an asset.

    Parameters
    ----------
    card : CardData
    model : TwinModel
    labels : mapping of asset type to (asset -> name)
    """
    spec = model.asset_types[card.asset_type]
    kind = spec.title or words(card.asset_type)
    as_of = "nothing has come yet" if card.at is None else f"as of {time_text(card.at)} UTC"
    parts = [
        f'{STYLE}<article class="card"><h2>{escape(card.label)}</h2>',
        f'<p class="small">{escape(kind)} · {as_of}</p>',
        _wrong(card, model),
        _where(card, labels),
        _values(card, model),
        _properties(card, model),
        _events(card, model),
        "</article>",
    ]
    return "".join(parts)


def _wrong(card: CardData, model: TwinModel) -> str:
    if card.at is None:
        return ""
    if not len(card.exceptions):
        return '<p style="margin-top:8px">✓ Nothing is wrong.</p>'
    out = []
    for row in records(card.exceptions):
        severity = str(row["severity"])
        measure, limit = value_and_limit(row, model).values()
        why = f"{measure}, limit {limit}" if measure and limit else measure
        lasting = age_text(pd.Timestamp(card.at) - pd.Timestamp(row["since"]))
        out.append(
            f'<div class="wrong" style="border-color:{SEVERITY_COLORS.get(severity, "currentColor")}">'
            f"<b>{SEVERITY_SYMBOLS.get(severity, '')} {escape(severity)} · {escape(str(row['title']))}</b>"
            f"<p>{escape(why)}</p>"
            f'<p class="small">for {lasting}, since {time_text(row["since"])} · rule {escape(str(row["rule"]))}</p></div>'
        )
    return "".join(out)


def _where(card: CardData, labels: Mapping[str, Mapping[str, str]]) -> str:
    return "" if card.place is None else place_html(card.place, labels)


def place_html(place: object, labels: Mapping[str, Mapping[str, str]], *, heading: str = "Where") -> str:
    """Return where something is: what it's in, the position, how old the fix is; "" if nothing is known."""
    rows = []
    for kind, asset, since in list(getattr(place, "steps", ())):
        name = labels.get(kind, {}).get(asset, asset)
        began = "" if pd.isna(since) else f' <span class="small">since {time_text(since)} UTC</span>'
        rows.append(f"<p>in {escape(words(kind))} <b>{escape(name)}</b>{began}</p>")
    latitude, longitude = getattr(place, "latitude", None), getattr(place, "longitude", None)
    if latitude is not None and longitude is not None and not pd.isna(latitude) and not pd.isna(longitude):
        fix = getattr(place, "fix_time", None)
        age = "fixed place" if fix is None or pd.isna(fix) else f"fix {age_text(place.age)} old ({time_text(fix)} UTC)"  # type: ignore[attr-defined]
        near = near_words(getattr(place, "near", None), None, labels) if not rows and age != "fixed place" else ""
        if near:
            rows.append(f"<p>{escape(near)}</p>")
        rows.append(f'<p>{latitude:.5f}°, {longitude:.5f}° <span class="small">· {age}</span></p>')
    if not rows:
        return ""
    return f"<section><h3>{escape(heading)}</h3>{''.join(rows)}</section>"


def _values(card: CardData, model: TwinModel) -> str:
    spec = model.asset_types[card.asset_type]
    if card.last is None or card.at is None:
        return ""
    rows = [
        _value_row(name, signal, card.last, card.curves.get(name), pd.Timestamp(card.at))
        for name, signal in spec.signals.items()
        if name not in (spec.position or ())
    ]
    if not rows:
        return ""
    return f'<section><h3>Last values</h3><table aria-label="Last values">{"".join(rows)}</table></section>'


def _value_row(name: str, signal: Signal, last: pd.Series, curve: Curve | None, at: pd.Timestamp) -> str:
    title = signal.title or words(name)
    value, when = last[name], last[f"{name}_time"]
    flag = _FLAGS.get(Flag(int(last[f"{name}_qc"])), "") if not pd.isna(when) else ""
    shown = _shown(value, signal)
    age = at - pd.Timestamp(when)
    stale = pd.isna(when) or age > max(pd.Timedelta(_STALE_CELLS * signal.cadence_ns, "ns"), _SHORTEST)
    told = "no observation lately" if pd.isna(when) else f"{age_text(age)} ago"
    if stale and not pd.isna(when):
        told = f"stale, {told}"
    mark = f' <span class="flag">{flag}</span>' if flag else ""
    drawn = (
        ""
        if curve is None
        else sparkline(
            curve.values,
            low=curve.low,
            high=curve.high,
            label=f"{escape(title)}, last 24 h",
            steps=signal.kind == "state",
        )
    )
    cls = ' class="stale"' if stale else ""
    return (
        f'<tr{cls}><th scope="row">{escape(title)}{mark}<br><span class="small">{told}</span></th>'
        f'<td>{drawn}</td><td class="n">{escape(shown)}</td></tr>'
    )


def _shown(value: object, signal: Signal) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "–"
    if signal.kind == "state":
        return str((signal.states or {}).get(int(value), value))  # type: ignore[call-overload]
    return measure_text(float(value), signal.unit)  # type: ignore[arg-type]


def _properties(card: CardData, model: TwinModel) -> str:
    specs = model.asset_types[card.asset_type].properties
    rows = []
    for name, spec in specs.items():
        value = card.properties.get(name)
        if value is None or pd.isna(value) or name in (model.asset_types[card.asset_type].position or ()):  # type: ignore[call-overload]
            continue
        shown = time_text(value) if spec.dtype == "time" else measure_text(_plain(value), spec.unit)
        rows.append(
            f'<tr><th scope="row">{escape(spec.title or words(name))}</th><td class="n">{escape(shown)}</td></tr>'
        )
    if not rows:
        return ""
    return f'<section><h3>Properties</h3><table aria-label="Properties">{"".join(rows)}</table></section>'


def _plain(value: object) -> object:
    """A value of a table as Python has it; yes and no in words."""
    plain = value.item() if hasattr(value, "item") else value
    return {True: "yes", False: "no"}[plain] if isinstance(plain, bool) else plain


def _events(card: CardData, model: TwinModel) -> str:
    if not len(card.events):
        return ""
    rows = []
    for row in records(card.events):
        kind = str(row["event_type"])
        title = model.event_types[kind].title or words(kind)
        begun = not pd.isna(row["start"])
        start = row["start"] if begun else row["planned_start"]
        told = "ended " + time_text(row["end"]) if not pd.isna(row["end"]) else ("running" if begun else "planned")
        rows.append(
            f'<tr><th scope="row">{escape(title)}<br><span class="small">{escape(str(row["event_id"]))}</span></th>'
            f"<td>{time_text(start)}<br><span class='small'>{told}</span></td></tr>"
        )
    return f'<section><h3>Recent events</h3><table aria-label="Recent events">{"".join(rows)}</table></section>'
