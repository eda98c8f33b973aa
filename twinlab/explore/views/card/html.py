"""An asset card as HTML: it takes colours and fonts from the page around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup

from twinlab._html import html
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.sparkline import sparkline
from twinlab.explore.kit.arrivals.html import arrivals_html
from twinlab.explore.kit.exception_text import (
    SEVERITY_COLORS,
    SEVERITY_NAMES,
    SEVERITY_SYMBOLS,
    age_text,
    measure_text,
    near_text,
    records,
    time_text,
    value_and_limit,
)
from twinlab.explore.kit.live.ages import asset_line
from twinlab.languages import mark, tr
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from twinlab.explore.views.card.reading import CardData, Curve
    from twinlab.model.twinmodel import Signal, TwinModel

__all__ = ["STYLE", "card_html", "list_html", "place_html"]

#: A value is stale after this many cells of its signal, but not before the shortest time.
_STALE_CELLS, _SHORTEST = 15, pd.Timedelta(minutes=15)
_FLAGS = {Flag.SUSPECT: mark("▲ suspect"), Flag.FAIL: mark("✕ fail"), Flag.MISSING: "missing"}

STYLE = Markup("""<style>
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
</style>""")

_CARD = """\
{{ css }}<article class="card"><h2>{{ label }}</h2><p class="small">{{ kind }} · {{ as_of }}</p>\
{% if fresh %}<p class="small{{ '' if live else ' stale' }}">{{ fresh }}</p>{% endif %}\
{% for section in sections %}{{ section }}{% endfor %}</article>"""
_EXCEPTIONS = """\
{% for one in exceptions %}<div class="wrong" style="border-color:{{ one.color }}">\
<b>{{ one.symbol }} {{ one.severity }} · {{ one.title }}</b><p>{{ one.why }}</p>\
<p class="small">for {{ one.lasting }}, since {{ one.since }} · rule {{ one.rule }}</p></div>\
{% else %}<p style="margin-top:8px">✓ Nothing is wrong.</p>{% endfor %}"""
_PLACE = """\
<section><h3>{{ heading }}</h3>\
{% for kind, name, since in steps %}<p>in {{ kind }} <b>{{ name }}</b>\
{% if since %} <span class="small">since {{ since }} UTC</span>{% endif %}</p>{% endfor %}\
{% if near %}<p>{{ near }}</p>{% endif %}\
{% if position %}<p>{{ position }} <span class="small">· {{ age }}</span></p>{% endif %}</section>"""
_TABLE = """\
{% if rows %}<section><h3>{{ heading }}</h3><table aria-label="{{ heading }}">\
{% for row in rows %}{{ row }}{% endfor %}</table></section>{% endif %}"""
_VALUE = """\
<tr{% if stale %} class="stale"{% endif %}><th scope="row">{{ title }}\
{% if flag %} <span class="flag">{{ flag }}</span>{% endif %}<br><span class="small">{{ age }}</span>\
{% if limits %}<br><span class="small">{{ limits }}</span>{% endif %}</th>\
<td>{{ curve }}</td><td class="n">{{ value }}</td></tr>"""
_PROPERTY = '<tr><th scope="row">{{ title }}</th><td class="n">{{ value }}</td></tr>'
_EVENT = """\
<tr><th scope="row">{{ title }}<br><span class="small">{{ event_id }}</span></th>\
<td>{{ start }}<br><span class='small'>{{ end }}</span></td></tr>"""


def list_html(found: Markup) -> Markup:
    """Return a list in the style of a card, as wide as the page."""
    return html(
        '{{ style }}<article class="card" style="max-width:none">{{ found }}</article>', style=STYLE, found=found
    )


def card_html(card: CardData, model: TwinModel, labels: Mapping[str, Mapping[str, str]]) -> Markup:
    """Return the card of an asset.

    Parameters
    ----------
    card : CardData
    model : TwinModel
    labels : mapping of asset type to (asset -> name)
    """
    kind = model.asset_types[card.asset_type].title or readable_name(card.asset_type)
    as_of = tr("nothing has come yet") if card.at is None else tr("as of {at} UTC", at=time_text(card.at))
    sections = (
        _exceptions(card, model),
        Markup() if card.place is None else place_html(card.place, labels),
        arrivals_html(card.arrivals, model, at=card.at) or _no_arrivals(card),
        _values(card, model),
        _properties(card, model),
        _events(card, model),
    )
    fresh, live = ("", True) if card.fresh is None else (asset_line(card.fresh), card.fresh["state"] == "live")
    return html(_CARD, css=STYLE, label=card.label, kind=kind, as_of=as_of, fresh=fresh, live=live, sections=sections)


def _no_arrivals(card: CardData) -> Markup:
    if not card.no_arrivals:
        return Markup()
    return html('<section><h3>Predicted (UTC)</h3><p class="small">{{ why }}</p></section>', why=card.no_arrivals)


def _exceptions(card: CardData, model: TwinModel) -> Markup:
    if card.at is None:
        return Markup()
    exceptions = []
    for row in records(card.exceptions):
        value, limit = value_and_limit(row, model).values()
        exceptions.append(
            {
                "severity": tr(SEVERITY_NAMES.get(str(row["severity"]), "")),
                "color": SEVERITY_COLORS.get(str(row["severity"]), "currentColor"),
                "symbol": SEVERITY_SYMBOLS.get(str(row["severity"]), ""),
                "title": row["title"],
                "why": tr("{value}, limit {limit}", value=value, limit=limit) if value and limit else value,
                "lasting": age_text(pd.Timestamp(card.at) - pd.Timestamp(row["since"])),
                "since": time_text(row["since"]),
                "rule": row["rule"],
            }
        )
    return html(_EXCEPTIONS, exceptions=exceptions)


def place_html(place: object, labels: Mapping[str, Mapping[str, str]], *, heading: str = mark("Where")) -> Markup:
    """Return where an asset is: what contains it, its position and the age of the fix; empty if nothing is known."""
    steps = [
        (readable_name(kind), labels.get(kind, {}).get(asset, asset), "" if pd.isna(since) else time_text(since))
        for kind, asset, since in getattr(place, "steps", ())
    ]
    position, age, near = "", "", ""
    latitude, longitude = getattr(place, "latitude", None), getattr(place, "longitude", None)
    if latitude is not None and longitude is not None and not pd.isna(latitude) and not pd.isna(longitude):
        position, fix = f"{latitude:.5f}°, {longitude:.5f}°", getattr(place, "fix_time", None)
        fixed = fix is None or pd.isna(fix)
        old = getattr(place, "age", pd.NaT)
        age = tr("fixed place") if fixed else tr("fix {age} old ({fix} UTC)", age=age_text(old), fix=time_text(fix))
        near = "" if steps or fixed else near_text(getattr(place, "near", None), None, labels)
    if not steps and not position:
        return Markup()
    return html(_PLACE, heading=heading, steps=steps, near=near, position=position, age=age)


def _values(card: CardData, model: TwinModel) -> Markup:
    spec = model.asset_types[card.asset_type]
    if card.last is None or card.at is None:
        return Markup()
    stated = {card.asset: {name: value for name, value in card.properties.items() if not pd.isna(value)}}  # type: ignore[call-overload]
    rows = [
        _value_row(
            name,
            signal,
            card.last,
            card.curves.get(name),
            pd.Timestamp(card.at),
            limits=spec.limits(name, [card.asset], stated)[:, 0],
        )
        for name, signal in spec.signals.items()
        if name not in (spec.position or ())
    ]
    return html(_TABLE, heading=tr("Last values"), rows=rows)


def _value_row(
    name: str,
    signal: Signal,
    last: pd.Series,
    curve: Curve | None,
    at: pd.Timestamp,
    *,
    limits: NDArray[np.float64],
) -> Markup:
    title = signal.title or readable_name(name)
    when = last[f"{name}_time"]
    observed = not pd.isna(when)
    age = at - pd.Timestamp(when)
    stale = not observed or age > max(pd.Timedelta(_STALE_CELLS * signal.cadence_ns, "ns"), _SHORTEST)
    age_label = (
        tr("{part}{age} ago", part=tr("stale, ") if stale else "", age=age_text(age))
        if observed
        else tr("no observation lately")
    )
    drawn = Markup()
    if curve is not None:
        label, steps = tr("{title}, last 24 h", title=title), signal.kind == "state"
        drawn = sparkline(curve.values, low=curve.low, high=curve.high, label=label, steps=steps, limits=limits[2:])
    return html(
        _VALUE,
        title=title,
        flag=tr(_FLAGS.get(Flag(int(last[f"{name}_qc"])), "")) if observed else "",
        stale=stale,
        age=age_label,
        curve=drawn,
        limits=_limits_text(limits, signal.unit),
        value=_value_text(last[name], signal),
    )


def _limits_text(limits: NDArray[np.float64], unit: str) -> str:
    """Return the limits of one asset, of `AssetType.limits`, for people.

    >>> _limits_text(np.array([-np.inf, 60, 2, 8]), "degC")
    'expected 2 to 8 °C · sensor up to 60 °C'
    """
    parts = []
    for what, low, high in (("expected", *limits[2:]), ("sensor", *limits[:2])):
        if np.isfinite(low) and np.isfinite(high):
            parts.append(
                tr(
                    "{what} {low} to {high}",
                    what=what,
                    low=measure_text(float(low), ""),
                    high=measure_text(float(high), unit),
                )
            )
        elif np.isfinite(low):
            parts.append(tr("{what} from {low}", what=what, low=measure_text(float(low), unit)))
        elif np.isfinite(high):
            parts.append(tr("{what} up to {high}", what=what, high=measure_text(float(high), unit)))
    return " · ".join(parts)


def _value_text(value: object, signal: Signal) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return "–"
    if signal.kind == "state":
        return str((signal.states or {}).get(int(value), value))  # type: ignore[call-overload]
    return measure_text(float(value), signal.unit)  # type: ignore[arg-type]


def _properties(card: CardData, model: TwinModel) -> Markup:
    spec = model.asset_types[card.asset_type]
    rows = []
    for name, prop in spec.properties.items():
        value = card.properties.get(name)
        if value is None or pd.isna(value) or name in (spec.position or ()):  # type: ignore[call-overload]
            continue
        shown = time_text(value) if prop.dtype == "time" else measure_text(_python_value(value), prop.unit)
        rows.append(html(_PROPERTY, title=prop.title or readable_name(name), value=shown))
    return html(_TABLE, heading=tr("Properties"), rows=rows)


def _python_value(value: object) -> object:
    """Return a value of a table as a Python object; a truth value as *yes* or *no*."""
    plain = value.item() if hasattr(value, "item") else value
    return {True: "yes", False: "no"}[plain] if isinstance(plain, bool) else plain


def _events(card: CardData, model: TwinModel) -> Markup:
    rows = []
    for row in records(card.events):
        kind = str(row["event_type"])
        begun = not pd.isna(row["start"])
        end = tr("ended ") + time_text(row["end"]) if not pd.isna(row["end"]) else ("running" if begun else "planned")
        rows.append(
            html(
                _EVENT,
                title=model.event_types[kind].title or readable_name(kind),
                event_id=row["event_id"],
                start=time_text(row["start"] if begun else row["planned_start"]),
                end=end,
            )
        )
    return html(_TABLE, heading=tr("Recent events"), rows=rows)
