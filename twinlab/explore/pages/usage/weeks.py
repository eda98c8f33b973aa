"""Counts of use as rows of weeks, and as HTML: a bar a week, a table of names and weeks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from twinlab._html import html
from twinlab.languages import date_text, local_number, mark, tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["PAGE_LABELS", "TASKS", "TIMES", "WEEKS", "bars_html", "recent_weeks", "table_html", "totals"]

#: So many weeks are shown.
WEEKS = 8
#: Page -> what it is called; those of other packages go by their names.
PAGE_LABELS = {
    "now": mark("Now"),
    "map": mark("Map"),
    "history": mark("History"),
    "events": mark("Events & KPIs"),
    "quality": mark("Quality"),
    "sources": mark("Sources"),
    "security": mark("Security"),
    "what_if": mark("What-if"),
    "outlook": mark("Outlook"),
    "control": mark("Control & audit"),
    "usage": mark("Use"),
}
#: Task -> what it is called.
TASKS = {
    "answer": mark("Question answered"),
    "excel": mark("Excel file"),
    "data": mark("Data file"),
    "report": mark("Report"),
    "picture": mark("Picture"),
    "other": mark("Other"),
}
#: Class of the time until an answer was there -> what it is called.
TIMES = {
    "1s": mark("in 1 s or less"),
    "3s": mark("in 3 s or less"),
    "10s": mark("in 10 s or less"),
    "longer": mark("later"),
}
_BARS = """\
<section aria-label="{{ title }}" style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:8px 0">\
<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:16px 0 4px">{{ title }}</h2>\
<div style="display:grid;grid-template-columns:max-content minmax(0,1fr) max-content;gap:4px 12px;align-items:center;max-width:720px">\
{% for row in rows %}<span>{{ row.week }}</span>\
<span style="display:block;height:16px;background:rgba(127,127,127,.15);border-radius:3px"><span style="display:block;height:16px;width:{{ row.width }}%;background:#0072B2;border-radius:3px"></span></span>\
<span style="text-align:right;font-variant-numeric:tabular-nums">{{ row.text }}</span>{% endfor %}</div></section>"""
_TABLE = """\
<section style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:8px 0">\
<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:16px 0 4px">{{ title }}</h2>\
{% if rows %}<div tabindex="0" role="region" aria-label="{{ title }}" style="overflow-x:auto"><table style="border-collapse:collapse;font-variant-numeric:tabular-nums">\
<thead><tr><th scope="col" style="text-align:left;padding:4px 16px 4px 0">{{ first }}</th>\
{% for week in weeks %}<th scope="col" style="text-align:right;padding:4px 12px;white-space:nowrap;font-weight:600">{{ week }}</th>{% endfor %}</tr></thead>\
<tbody>{% for name, cells in rows %}<tr style="border-top:1px solid rgba(127,127,127,.3)">\
<th scope="row" style="text-align:left;font-weight:400;padding:4px 16px 4px 0;white-space:nowrap">{{ name }}</th>\
{% for text in cells %}<td style="text-align:right;padding:4px 12px;white-space:nowrap">{{ text }}</td>{% endfor %}</tr>{% endfor %}</tbody></table></div>\
{% else %}<p style="margin:2px 0;opacity:.85">{{ nothing }}</p>{% endif %}</section>"""


def recent_weeks(now: pd.Timestamp) -> list[pd.Timestamp]:
    """Return the Mondays of the last eight weeks, the present one last.

    >>> [str(week.date()) for week in recent_weeks(pd.Timestamp("2026-03-05"))][-2:]
    ['2026-02-23', '2026-03-02']
    """
    monday = now.normalize() - pd.Timedelta(now.day_of_week, "D")
    return [monday - pd.Timedelta(7 * back, "D") for back in range(WEEKS - 1, -1, -1)]


def totals(table: pd.DataFrame, kind: str, weeks: list[pd.Timestamp]) -> list[int]:
    """Return the sum of the counts of a kind that are shown, for each week; those below five aren't in it."""
    mine = table[table["kind"] == kind].groupby("start")["count"].sum()
    return [int(mine.get(week, 0)) for week in weeks]


def bars_html(table: pd.DataFrame, weeks: list[pd.Timestamp]) -> Markup:
    """Return how often pages were opened, a bar a week."""
    numbers = totals(table, "page", weeks)
    most = max([*numbers, 1])
    rows = [
        {"week": date_text(week), "width": round(100 * number / most, 1), "text": local_number(f"{number:,}")}
        for week, number in zip(weeks, numbers, strict=True)
    ]
    return html(_BARS, title=tr("Pages opened, by week from Monday on"), rows=rows)


def table_html(
    table: pd.DataFrame, kind: str, names: Mapping[str, str], weeks: list[pd.Timestamp], *, title: str, first: str
) -> Markup:
    """Return counts of one kind as a table: a row a name, a column a week.

    Parameters
    ----------
    table : DataFrame
        As `CountedTwin.usage` returns it.
    kind : str
        "page", "task" or "answer".
    names : mapping of name to label
        In the order of the rows; other names follow as they are.
    weeks : list of Timestamp
    title, first : str
        Heading, and that of the first column.
    """
    mine = table[(table["kind"] == kind) & table["start"].isin(weeks)]
    shown = {
        (row.name, row.start): row.shown for row in mine[["name", "start", "shown"]].itertuples(index=False, name="Row")
    }
    there = list(dict.fromkeys(mine["name"]))
    order = [name for name in names if name in there] + [name for name in there if name not in names]
    rows = [
        (names.get(name, name), [local_number(str(shown.get((name, week), "–"))) for week in weeks]) for name in order
    ]
    return html(_TABLE, title=title, first=first, weeks=[date_text(week) for week in weeks], rows=rows, nothing=tr("Nothing in the last eight weeks."))  # fmt: skip
