"""A quality report as HTML, for notebooks; readable on light and on dark backgrounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twinlab._html import html

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["report_html"]

# Colours are the text's own, mixed with transparency, so that they follow the theme of the notebook.
_CSS = (
    ".tl-check{font:13px system-ui,sans-serif;max-width:1200px}"
    ".tl-check .t{overflow-x:auto}"
    # Fixed widths: long names wrap in their column, and evidence and fix get what is left.
    ".tl-check table{font-size:13px;border-collapse:collapse;margin:6px 0 8px;width:100%;min-width:740px;table-layout:fixed}"
    ".tl-check th,.tl-check td{padding:4px 12px 4px 0;text-align:left!important;vertical-align:top;border:0;"
    "white-space:normal;overflow-wrap:anywhere}"
    ".tl-check tbody tr{border-top:1px solid rgba(128,128,128,.35);background:none!important}"
    # A fix has the whole width: a line of YAML is long.
    ".tl-check tbody tr.f{border-top:0}.tl-check tr.f td{padding-top:0}"
    ".tl-check .k{font-weight:600}.tl-check .n{white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".tl-check .q{opacity:.7}"
    ".tl-check .n.q{font-weight:400}.tl-check .bar{display:inline-block;width:44px;height:5px;background:rgba(128,128,128,.3);vertical-align:middle}"
    ".tl-check .bar span{display:block;height:5px;background:#D55E00}"
    ".tl-check code{display:block;margin-top:3px;padding:2px 6px;white-space:pre-wrap;color:inherit;"
    "background:rgba(128,128,128,.16);font-size:12px}"
    # On a phone a finding is a block: its columns are below each other.
    "@media (max-width:600px){.tl-check table{min-width:0}.tl-check thead,.tl-check tr.f td:first-child{display:none}"
    ".tl-check table,.tl-check tbody,.tl-check tr,.tl-check td{display:block}.tl-check td{padding:1px 0}"
    ".tl-check tr{padding:6px 0}.tl-check td .q{display:inline;margin-left:.5em}}"
)
_REPORT = (
    f"<style>{_CSS}</style>"
    """\
<div class=tl-check><div style='font-size:15px'><b>{{ twin }}</b>: {{ head }}</div>\
{% if kinds %}<div class=q>{{ kinds }}</div>{% endif %}\
{% if rows %}<div class=t><table><colgroup><col style='width:3.2em'><col style='width:8.4em'>\
<col style='width:8.4em'><col style='width:8.4em'><col style='width:12.6em'><col></colgroup><thead><tr><th>row</th><th>what, how sure</th>\
<th>source, tag</th><th>asset, signal</th><th>when (UTC)</th><th>evidence</th></tr></thead><tbody>\
{% for one in rows %}<tr><td class=n>{{ one.row }}</td><td class=k>{{ one.kind }}\
<div class='n q'>{{ one.share }} <span class=bar><span style='width:{{ one.width }}px'></span></span></div></td>\
<td>{{ one.source }}{% if one.tag %}<div class=q>{{ one.tag }}</div>{% endif %}</td>\
<td>{{ one.asset }}{% if one.signal %}<div class=q>{{ one.signal }}</div>{% endif %}</td>\
<td>{% for line in one.when %}<div class=n>{{ line }}</div>{% endfor %}</td>\
<td>{{ one.evidence }}{% if one.touches %}<div class=q>touches {{ one.touches }}</div>{% endif %}</td></tr>\
{% if one.fix %}<tr class=f><td></td><td colspan=5><code>{{ one.fix }}</code></td></tr>{% endif %}{% endfor %}</tbody></table></div>{% endif %}\
{% for text in notes %}{% if text %}<div class=q>{{ text }}</div>{% endif %}{% endfor %}</div>"""
)


def report_html(twin: str, head: str, kinds: str, rows: Sequence[Mapping[str, object]], notes: Sequence[str]) -> Markup:
    """Return a report as HTML; all texts are escaped."""
    return html(_REPORT, twin=twin, head=head, kinds=kinds, rows=list(rows), notes=list(notes))
