"""A lineage as HTML: the drawing, its steps and the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab._html import html

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["lineage_html"]

#: Rows that are shown; the lineage has all.
_MOST_ROWS = 10
#: Columns that matter to those who write sources.
_LEFT_OUT = frozenset({"epoch", "sequence", "op", "key", "priority", "position"})
_HTML = (
    '<div class="tl-lineage" style="font:13px system-ui,sans-serif"><p style="margin:4px 0;font-weight:600">{{ subject }}</p>'
    '<div style="overflow-x:auto;max-width:100%">{{ drawing }}</div>'
    '{% if rows %}<div style="overflow-x:auto;max-width:100%"><table style="border-collapse:collapse;margin:8px 0">'
    '<caption style="text-align:left;padding:2px 0">{{ caption }}</caption><thead><tr>{% for name in columns %}'
    '<th scope="col" style="text-align:left;padding:2px 12px 2px 0">{{ name }}</th>{% endfor %}</tr></thead><tbody>'
    '{% for row in rows %}<tr>{% for cell in row %}<td style="text-align:left;padding:2px 12px 2px 0;white-space:nowrap">{{ cell }}</td>'
    "{% endfor %}</tr>{% endfor %}</tbody></table></div>{% endif %}</div>"
)


def lineage_html(subject: str, drawing: Markup, rows: pd.DataFrame) -> Markup:
    """Return the drawing of a lineage with the first of its rows as a table."""
    shown = rows[[name for name in rows if name not in _LEFT_OUT and rows[name].notna().any()]].head(_MOST_ROWS)
    count = f"{len(rows):,} row{'' if len(rows) == 1 else 's'} of the ledger"
    caption = count if len(rows) <= _MOST_ROWS else f"{count}; the first {_MOST_ROWS}, all in .rows"
    return html(
        _HTML,
        subject=subject,
        drawing=drawing,
        caption=caption,
        columns=[str(name).replace("_", " ") for name in shown],
        rows=[[_text(value) for value in row] for row in shown.itertuples(index=False)],
    )


def _text(value: object) -> str:
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124  (NaN)
        return ""
    if isinstance(value, pd.Timestamp):
        return str(value.floor("s"))
    return f"{value:.10g}" if isinstance(value, float) else str(value)
