"""Risks in words, and as HTML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from twinlab._html import html
from twinlab.explore.charts.outlook.risk_map import ACTION_STYLES
from twinlab.languages import tr

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

__all__ = ["card_html", "life_words", "others_html", "percent_text", "span_words"]

_CARD = """\
<style>
.tl-risk{font:14px/1.45 Roboto,system-ui,sans-serif;border-left:4px solid {{ color }};padding:2px 0 2px 12px;overflow-wrap:anywhere}
.tl-risk h3{font:600 16px/1.3 Roboto,system-ui,sans-serif;margin:0 0 2px}
.tl-risk p{margin:1px 0}.tl-risk ul{margin:2px 0 2px 18px;padding:0}
</style>
<div class="tl-risk"><h3><span aria-hidden="true">{{ sign }}</span> {{ action }}: {{ label }}</h3>
{% for line in lines %}<p>{{ line }}</p>{% endfor %}
{% if drivers %}<ul>{% for one in drivers %}<li>{{ one }}</li>{% endfor %}</ul>{% endif %}
{% if nearest %}<p>Nearest past case: {{ nearest }}</p>{% endif %}</div>"""
_OTHERS = """\
<style>.tl-rest{overflow-x:auto;font:14px/1.4 Roboto,system-ui,sans-serif}.tl-rest summary{cursor:pointer;padding:6px 0}
.tl-rest table{border-collapse:collapse}.tl-rest td,.tl-rest th{padding:3px 14px 3px 0;text-align:left;border-top:1px solid rgba(127,127,127,.3)}
</style><details class="tl-rest"><summary>{{ title }}</summary><table><tr><th>asset</th><th>{{ head }}</th></tr>
{% for label, text in rows %}<tr><td>{{ label }}</td><td>{{ text }}</td></tr>{% endfor %}</table></details>"""


def percent_text(share: float) -> str:
    """Return a probability as text.

    >>> percent_text(0.618), percent_text(0.0012), percent_text(0.9999)
    ('62 %', 'below 1 %', 'above 99 %')
    """
    if share < 0.01:
        return tr("below 1 %")
    return tr("above 99 %") if share > 0.99 else f"{100 * share:.0f} %"


def life_words(low: float, expected: float, high: float) -> str:
    """Return a remaining life with its interval, in days.

    >>> life_words(0.03, 5.92, float("inf"))
    'about 5.9 days (90 %: 0.7 hours to longer than any known case)'
    """
    return tr(
        "{part}{expected} (90 %: {low} to {high})",
        part=tr("about ") if math.isfinite(expected) else "",
        expected=_days(expected),
        low=_days(low),
        high=_days(high),
    )


def span_words(span: str) -> str:
    """Return a span of days in words.

    >>> span_words("7d"), span_words("1d")
    ('7 days', '1 day')
    """
    days = span.removesuffix("d")
    return f"{days} day{'s' * (days != '1')}"


def _days(value: float) -> str:
    if not math.isfinite(value):
        return tr("longer than any known case")
    return tr("{value:.1f} hours", value=24 * value) if value < 1 else tr("{value:.1f} days", value=value)


def card_html(row: Any, *, label: str, within: str, soon: str) -> Markup:
    """Return what to do about an asset, and why.

    Parameters
    ----------
    row : named tuple
        Of a maintenance list.
    label : str
    within, soon : str
        Spans of the list.
    """
    style = ACTION_STYLES[row.action]
    lines = [row.cant_tell[:1].upper() + row.cant_tell[1:]] if row.cant_tell else []
    if not row.cant_tell:
        lines += [
            tr(
                "Failure within {within}: {probability}; within {soon}: {probability_soon}.",
                within=span_words(within),
                probability=percent_text(row.probability),
                soon=span_words(soon),
                probability_soon=percent_text(row.probability_soon),
            ),
            tr("Remaining life: {life_low}.", life_low=life_words(row.life_low, row.life_expected, row.life_high)),
        ]
        if not row.cost_note:
            lines.append(
                tr(
                    "Acting costs {cost_of_acting:,.0f}; waiting is expected to cost {cost_of_waiting:,.0f}.",
                    cost_of_acting=row.cost_of_acting,
                    cost_of_waiting=row.cost_of_waiting,
                )
            )
    drivers = [one for one in row.drivers.split("; ") if one]
    return html(
        _CARD, sign=style.sign, color=style.color, action=row.action.capitalize(), label=label, lines=lines,
        drivers=drivers, nearest=row.nearest_case,
    )  # fmt: skip


def others_html(table: pd.DataFrame, labels: dict[str, str], *, title: str, head: str, column: str) -> Markup:
    """Return further assets as a table that opens on a click; probabilities as text."""
    rows = [
        (labels.get(str(asset), str(asset)), percent_text(value) if isinstance(value, float) else value)
        for asset, value in zip(table["asset"], table[column], strict=True)
    ]
    return html(_OTHERS, title=title, head=head, rows=rows)
