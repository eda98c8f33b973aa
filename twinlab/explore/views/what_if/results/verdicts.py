"""Verdicts for people: a sentence for a comparison, and a table of all KPIs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.explore.charts.scale import pretty_unit
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from twinlab.simulate.experiments.comparison import Comparison

__all__ = ["number", "scores_html", "sentence", "summary_html", "verdict_html"]

_STYLE = """\
<style>
.tl-verdicts{overflow-x:auto}
.tl-verdicts table{border-collapse:collapse;font:14px/1.35 Roboto,system-ui,sans-serif;width:100%;max-width:1000px}
.tl-verdicts th{text-align:right;font-weight:600;padding:5px 8px;white-space:nowrap}
.tl-verdicts td{text-align:right;padding:5px 8px;border-top:1px solid rgba(127,127,127,.3);font-variant-numeric:tabular-nums}
.tl-verdicts th:first-child,.tl-verdicts td:first-child{text-align:left;min-width:10em}
.tl-verdicts small{opacity:.8;white-space:nowrap}
.tl-verdicts .worse{color:#D55E00}.tl-verdicts .better{color:#009E73}
@media (max-width:600px){.tl-verdicts th,.tl-verdicts td{padding:5px 4px;font-size:13px}}
</style>"""
_TABLE = """\
{{ style }}<div class="tl-verdicts" tabindex="0"><table>
<tr><th>KPI</th><th>{{ base }}</th><th>{{ other }}</th><th>difference</th><th>verdict</th></tr>
{% for one in rows %}<tr><td>{{ one.title }}</td><td>{{ one.before }}</td><td>{{ one.after }}</td>\
<td>{{ one.difference }}<br><small>{{ one.interval }}</small></td>\
<td class="{{ one.verdict }}">{{ one.mark }} {{ one.verdict }}</td></tr>
{% endfor %}</table></div>"""
_SUMMARY = """\
{{ style }}<div class="tl-verdicts" tabindex="0"><table>
<tr><th>KPI</th><th>mean</th><th>nine of ten futures</th></tr>
{% for title, mean, spread in rows %}<tr><td>{{ title }}</td><td>{{ mean }}</td><td>{{ spread }}</td></tr>
{% endfor %}</table></div>"""
_SCORES = """\
{{ style }}<div class="tl-verdicts" tabindex="0"><table>
<tr><th>quantity</th><th>values</th><th>inside</th><th>reality</th><th>simulation<br>− reality</th></tr>
{% for title, many, inside, real, error in rows %}<tr><td>{{ title }}</td><td>{{ many }}</td><td>{{ inside }}</td>\
<td>{{ real }}</td><td>{{ error }}</td></tr>
{% endfor %}</table></div>"""
#: A mark beside each verdict: never colour alone.
_MARKS = {
    "better": "▲",
    "worse": "▼",
    "higher": "↑",
    "lower": "↓",
    mark("no difference"): "≈",
    "equal": "＝",
    "can't tell": "?",
}


def number(value: float, units: str = "", *, signed: bool = False) -> str:
    """Write a number with three digits, but all before the point, and its unit after a space at which no line breaks.

    >>> number(-27.0412, signed=True), number(2853.2), number(0.01234)
    ('−27.0', '2,853', '0.0123')
    """
    if math.isnan(value):
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    text = "0" if value == 0 else text
    shown = pretty_unit(units)
    return text.replace("-", "−") + (f"\N{NO-BREAK SPACE}{shown}" if shown else "")


def sentence(found: Comparison) -> str:
    """Return a comparison as a sentence, its verdict in bold (Markdown).

    Parameters
    ----------
    found : Comparison
        ``b`` against ``a``.
    """
    # A difference of two percentages is in points.
    units = "points" if found.units == "%" else found.units
    head = {
        "can't tell": tr("can't tell whether {b} differs from {a}", b=found.b, a=found.a),
        "no difference": tr("{b} and {a} don't differ", b=found.b, a=found.a),
    }.get(found.verdict, tr("{b} is {verdict} than {a}", b=found.b, verdict=found.verdict, a=found.a))
    spread = tr("{low} to {high}", low=number(found.low, signed=True), high=number(found.high, units, signed=True))
    what = tr(
        "{kpi}: {mean_a} in {a}, {mean_b} in {b}",
        kpi=found.kpi,
        mean_a=number(found.mean_a, found.units),
        a=found.a,
        mean_b=number(found.mean_b, found.units),
        b=found.b,
    )
    text = tr(
        "**{head}**  \n{what}; difference {difference} ({level:g} % interval {spread}).",
        head=head,
        what=what,
        difference=number(found.difference, units, signed=True),
        level=100 * found.level,
        spread=spread,
    )
    how = (
        tr("{replications:,} futures of each, with the same chance in both.", replications=found.replications)
        if found.paired
        else tr("{replications:,} futures of each.", replications=found.replications)
    )
    return f"{text} {how} {_needed(found)}".rstrip()


def _needed(found: Comparison) -> str:
    if found.verdict != "can't tell":
        return ""
    if found.low == found.high == 0:
        return tr("Both are equal in every future.")
    if found.more_replications is None:
        return tr("A million more futures would hardly separate them.")
    return tr(
        "About {more_replications:,} more futures of each would separate them.",
        more_replications=found.more_replications,
    )


def verdict_html(found: Sequence[Comparison]) -> Markup:
    """Return a table with a row for each KPI: both means, the difference with its interval, the verdict.

    Parameters
    ----------
    found : sequence of Comparison
        Of one scenario against one other, at least one.
    """
    rows = [
        {
            "title": one.kpi,
            "before": number(one.mean_a, one.units),
            "after": number(one.mean_b, one.units),
            "difference": number(one.difference, "points" if one.units == "%" else one.units, signed=True),
            "interval": tr("{low} to {high}", low=number(one.low, signed=True), high=number(one.high, signed=True)),
            "verdict": verdict,
            "mark": _MARKS[verdict],
        }
        for one in found
        for verdict in ["equal" if one.low == one.high == 0 else one.verdict]
    ]
    return html(_TABLE, style=html(_STYLE), base=found[0].a, other=found[0].b, rows=rows)


def summary_html(table: pd.DataFrame) -> Markup:
    """Return the KPIs of one scenario as a table.

    Parameters
    ----------
    table : DataFrame
        Columns ``KPI, mean, 5 %, 95 %``.
    """
    rows = [
        (title, number(mean), tr("{low} to {high}", low=number(low), high=number(high)))
        for title, mean, low, high in table[["KPI", "mean", "5 %", "95 %"]].itertuples(index=False)
    ]
    return html(_SUMMARY, style=html(_STYLE), rows=rows)


def scores_html(table: pd.DataFrame) -> Markup:
    """Return the scores of a model as a table.

    Parameters
    ----------
    table : DataFrame
        Columns ``quantity, unit, values, inside (%), reality, simulation minus reality``.
    """
    rows = [
        (
            title,
            many,
            f"{inside:.0f} %",
            number(real, unit),
            number(error, "points" if unit == "%" else unit, signed=True),
        )
        for title, unit, many, inside, real, error in table.itertuples(index=False)
    ]
    return html(_SCORES, style=html(_STYLE), rows=rows)
