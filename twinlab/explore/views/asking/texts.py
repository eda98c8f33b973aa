"""HTML of the panel: a plan before it runs, an answer with what it rests on, a reason why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.ask.languages import load_language
from twinlab.ask.plans.plan import instant_text
from twinlab.ask.plans.words import plan_words
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.ask import Answer, Explanation, Plan
    from twinlab.model.twinmodel import TwinModel

__all__ = ["answer_html", "busy_html", "failed_html", "findings_html", "plan_html", "table_html"]

_ROWS = 25
_FONT = "font:14px/1.5 Roboto,system-ui,sans-serif;overflow-wrap:anywhere"
_PLAN = """\
<section style="{{ font }}" aria-label="Plan"><h2 style="font:600 17px/1.35 Roboto,system-ui,sans-serif;margin:4px 44px 6px 0">{{ question }}</h2>
<p style="margin:0 0 4px;opacity:.85">{{ lead }}</p>
<dl style="display:grid;grid-template-columns:auto 1fr;gap:2px 12px;margin:0;padding:8px 12px;border-left:4px solid #56B4E9;background:rgba(86,180,233,.12)">
{% for label, text in parts %}<dt style="opacity:.8">{{ label }}</dt><dd style="margin:0;font-weight:500">{{ text }}</dd>{% endfor %}</dl>
{% if notes %}<ul style="margin:6px 0 0;padding-left:20px">{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>{% endif %}</section>"""
_ANSWER = """\
<section style="{{ font }}" aria-label="Answer"><p role="status" style="font:600 16px/1.45 Roboto,system-ui,sans-serif;margin:6px 0">{{ sentence }}</p>
{% if notes %}<ul style="margin:4px 0;padding-left:20px">{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>{% endif %}
{% if rests %}<p style="margin:4px 0;opacity:.85">{{ rests }}</p>{% endif %}</section>"""
_REFUSED = """\
<section style="{{ font }}" aria-label="Answer">{% if question %}<h2 style="font:600 17px/1.35 Roboto,system-ui,sans-serif;margin:4px 44px 6px 0">{{ question }}</h2>{% endif %}
<p role="status" style="margin:6px 0;padding:8px 12px;border-left:4px solid #E69F00;background:rgba(230,159,0,.14)">\
<b aria-hidden="true">? </b>{{ sentence }}</p>{% if nearest %}<p style="margin:8px 0 0">{{ nearest }}</p>{% endif %}</section>"""
_FAILED = """\
<div role="alert" style="{{ font }};margin:6px 0;padding:8px 12px;border-left:4px solid #D55E00;background:rgba(213,94,0,.14)">\
<b>That didn't work.</b> {{ why }}</div>"""
_FINDINGS = """\
<section style="{{ font }}" aria-label="Findings"><h2 style="font:600 17px/1.35 Roboto,system-ui,sans-serif;margin:4px 44px 6px 0">Findings</h2>
<p role="status" style="margin:0 0 4px;opacity:.85">{{ span }}</p><p style="margin:0 0 6px;opacity:.85">Press a sentence to see what its numbers are read from.</p>
{% if plain %}<ul style="margin:6px 0;padding-left:20px">{% for text in plain %}<li>{{ text }}</li>{% endfor %}</ul>{% endif %}</section>"""
_TABLE = """\
<div tabindex="0" role="region" aria-label="Table of the answer" style="{{ font }};overflow-wrap:normal;overflow:auto;max-height:340px;border:1px solid rgba(127,127,127,.35);border-radius:6px">
<table style="border-collapse:collapse;width:100%;font-size:13px"><thead><tr>{% for name in names %}<th scope="col" style="text-align:left;padding:5px 9px;\
border-bottom:1px solid rgba(127,127,127,.5);white-space:nowrap">{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr>{% for cell, right in row %}<td style="padding:4px 9px;white-space:nowrap;max-width:22em;overflow:hidden;text-overflow:ellipsis;{% if right %}text-align:right{% endif %}">{{ cell }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table></div>{% if more %}<p style="{{ font }};margin:4px 0;opacity:.85">{{ more }}</p>{% endif %}"""


def plan_html(plan: Plan, model: TwinModel, *, ran: bool) -> Markup:
    """Return a plan in plain words, with what was assumed; ``ran`` says whether its answer is below."""
    lead = load_language(plan.language).sentence("plan_after" if ran else "plan_before")
    parts = plan_words(plan, model)
    return html(_PLAN, font=_FONT, question=plan.question, lead=lead, parts=parts, notes=[] if ran else plan.notes)


def answer_html(answer: Answer) -> Markup:
    """Return the sentence of an answer, its notes, and what it rests on; or why there is none."""
    words = load_language(answer.language)
    if not answer.answered:
        nearest = words.sentence("nearest") if answer.suggestions else ""
        question = answer.question if answer.plan is None else ""
        return html(_REFUSED, font=_FONT, question=question, sentence=answer.sentence, nearest=nearest)
    evidence, rests = answer.evidence, []
    if evidence is not None:
        rests.append(words.sentence("evidence_rows", count=f"{evidence.rows:,}"))
        if evidence.coverage is not None:
            rests.append(words.sentence("evidence_coverage", percent=f"{100 * evidence.coverage:.3g}"))
        if evidence.data_until is not None and not pd.isna(evidence.data_until):
            rests.append(words.sentence("evidence_until", time=instant_text(pd.Timestamp(evidence.data_until))))
    text = "; ".join(rests)
    text = f"{text[:1].upper()}{text[1:]}." if text else ""
    return html(_ANSWER, font=_FONT, sentence=answer.sentence, notes=answer.notes, rests=text)


def findings_html(found: Explanation) -> Markup:
    """Return the heading of findings, the span that they are about, and the sentences that no number is behind."""
    start, stop = (instant_text(pd.Timestamp(one)) for one in (found.span.start, found.span.stop))
    span = load_language(found.language).sentence("span", start=start, stop=stop)
    plain = [one.sentence for one in found if one.plan is None and one.why is None]
    return html(_FINDINGS, font=_FONT, span=span, plain=plain)


def busy_html(text: str) -> Markup:
    """Return what is being done."""
    return html('<p role="status" style="{{ font }};margin:6px 0">{{ text }}</p>', font=_FONT, text=text)


def failed_html(why: str) -> Markup:
    """Return why something couldn't be done."""
    return html(_FAILED, font=_FONT, why=why)


def table_html(table: pd.DataFrame) -> Markup | str:
    """Return the first rows of a table; empty for a table of one number, which the sentence says.

    >>> table_html(pd.DataFrame({"value": [3.0]}))
    ''
    >>> "&lt;b&gt;" in table_html(pd.DataFrame({"asset": ["<b>", "R2"]}))
    True
    """
    if table.empty or (len(table) == 1 and len(table.columns) <= 2):
        return ""
    shown = table.head(_ROWS)
    numeric = {name: pd.api.types.is_numeric_dtype(shown[name]) for name in shown}
    rows = [
        [
            (_cell(value, share=name == "coverage"), numeric[name])
            for name, value in zip(shown.columns, row, strict=True)
        ]
        for row in shown.itertuples(index=False, name=None)
    ]
    more = (
        tr("{shown:,} of {count:,} rows are shown.", shown=len(shown), count=len(table))
        if len(table) > len(shown)
        else ""
    )
    names = [str(name).replace("_", " ") for name in shown]
    return html(_TABLE, font=_FONT, names=names, rows=rows, more=more)


def _cell(value: Any, *, share: bool = False) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    if isinstance(value, pd.Timestamp):
        return instant_text(value)
    if isinstance(value, pd.Timedelta):
        return f"{value.total_seconds() / 3600:,.2f} h"
    if isinstance(value, float | np.floating):
        if share:
            return f"{100 * value:.3g} %"
        number = float(value)
        return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    return str(value)
