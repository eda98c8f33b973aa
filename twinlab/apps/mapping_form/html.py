"""The preview and the messages of the mapping form as HTML, in JupyterLab's own colours, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.apps.mapping_form.preview import FoundRows, PreviewRow, PreviewTable
from twinlab.languages import tr
from twinlab.model.units.spelling import UNKNOWN

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = [
    "STYLE",
    "cell",
    "heading",
    "help_text",
    "message",
    "messages",
    "muted",
    "preview_html",
    "question_html",
    "state",
    "title",
]

#: Part of the form's title; every colour is JupyterLab's, with a default for other notebooks.
STYLE = html("""<style>
.tl-form {font-family: var(--jp-ui-font-family, sans-serif); color: var(--jp-ui-font-color1, #222);}
.tl-form .widget-html-content, .tl-form .jupyter-widget-html-content {line-height: 1.35; font-size: 13px;}
.tl-form .tl-h {font-weight: 600; margin: 0;}
.tl-form .tl-title {font-size: 16px; font-weight: 600;}
.tl-form .tl-muted, .tl-preview .tl-muted {color: var(--jp-ui-font-color2, #555);}
.tl-form .tl-cell {overflow: hidden; text-overflow: ellipsis; white-space: nowrap; display: block;}
.tl-form .tl-msg {padding: 4px 10px; border-left: 4px solid; margin: 2px 0; white-space: pre-wrap; overflow-wrap: anywhere;}
.tl-form .tl-error {border-color: #b3261e; background: color-mix(in srgb, #b3261e 9%, transparent);}
.tl-form .tl-warn {border-color: #b35900; background: color-mix(in srgb, #b35900 12%, transparent);}
.tl-form .tl-ok {border-color: #00754f; background: color-mix(in srgb, #00754f 10%, transparent);}
.tl-form .tl-box {border: 1px solid var(--jp-border-color2, #ccc); border-radius: 4px; padding: 8px 10px;}
.tl-form .tl-question {border-left: 4px solid #b35900; padding: 2px 0 4px 10px; margin: 4px 0;}
.tl-form .tl-question button, .tl-form .tl-question input {max-width: 100%;}
.tl-form .tl-question code {font-size: 12px; overflow-wrap: anywhere;}
.tl-form .tl-unset {border: 2px solid #b35900;}
.tl-form .tl-grid {border-bottom: 1px solid var(--jp-border-color2, #ccc); padding-bottom: 6px;}
.tl-form .tl-grid > * {min-width: 0;}
.tl-form .tl-grid > .tl-note {grid-column: 1 / -1;}
.tl-form .tl-grid .widget-html-content, .tl-form .tl-grid .jupyter-widget-html-content {min-width: 0; width: 100%; overflow: hidden;}
.tl-form .tl-keys > * {min-width: 0;}
.tl-form .tl-key {font-family: var(--jp-code-font-family, monospace); font-size: 12px;}
.tl-form .tl-keylist .tl-key-help .widget-html-content {white-space: normal; font-size: 12px; line-height: 1.3; padding: 2px 0;}
.tl-form .tl-more {grid-column: 1 / -1; border-left: 4px solid var(--jp-border-color2, #ccc); padding: 0 0 4px 10px;}
.tl-form {container-type: inline-size;}
.tl-form .tl-keylist select, .tl-form .tl-keylist input {max-width: 100%;}
@container (max-width: 760px) {
  .tl-form .tl-grid {grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)) !important;}
  .tl-form .tl-grid > .tl-head, .tl-form .tl-grid > [style*="hidden"] {display: none;}
  .tl-form .tl-grid > .tl-wide {grid-column: 1 / -1;}
  .tl-form .tl-grid > .tl-name {font-weight: 600; border-top: 1px solid var(--jp-border-color2, #ccc); margin-top: 4px;}
  .tl-form .tl-keys {grid-template-columns: 1fr 34px !important;}
  .tl-form .tl-keys > .tl-key-name, .tl-form .tl-keys > .tl-key-help {grid-column: 1 / -1;}
}
.tl-form .tl-yaml textarea {font-family: var(--jp-code-font-family, monospace); font-size: 13px; line-height: 1.4;}
.tl-preview {overflow: auto; max-height: 580px; border: 1px solid var(--jp-border-color2, #ccc);}
.tl-preview table {border-collapse: collapse; font-size: 13px; margin: 0; width: max-content; min-width: 100%;}
.tl-preview th, .tl-preview td {padding: 2px 9px; text-align: left; white-space: nowrap; max-width: 260px;
  overflow: hidden; text-overflow: ellipsis; border-bottom: 1px solid var(--jp-border-color3, #e5e5e5);}
.tl-preview th {font-weight: 600; background: var(--jp-layout-color2, #f2f2f2);}
.tl-preview td.n, .tl-preview th.n {text-align: right; font-variant-numeric: tabular-nums;}
.tl-preview .first {border-left: 2px solid var(--jp-border-color1, #999);}
.tl-preview.tl-stale {opacity: 0.55;}
.tl-form ul {margin: 2px 0; padding-left: 20px;}
</style>""")


_SIGNS = {"error": "✖", "warn": "⚠", "ok": "✔"}
_CELL = '<span class="tl-cell {{ kind }}" title="{{ title }}">{{ text }}</span>'
_HELP = """\
<span class="tl-muted">{% for code, piece in pieces %}\
{% if code %}<code>{{ piece }}</code>{% else %}{{ piece }}{% endif %}{% endfor %}</span>"""
_HEADING = '<p class="tl-h">{{ text }} <span class="tl-muted" style="font-weight: 400">{{ note }}</span></p>'
_MESSAGE = '<div class="tl-msg tl-{{ kind }}" role="{{ role }}">{{ sign }} {{ text }}</div>'
_QUESTION = """\
<span class="tl-h">{{ ask }}</span>{% if evidence %} {{ evidence }}{% endif %}<br>\
<span class="tl-muted">{% for file, path in places %}{% if not loop.first %}, {% endif %}{{ file }}: <code>{{ path }}</code>{% endfor %}</span>"""
_MESSAGES = """\
<div class="tl-msg tl-{{ kind }}" style="white-space: normal">{{ sign }} {{ title }}\
<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}{% if more %}<li>… and {{ more }} more</li>{% endif %}</ul></div>"""
_CELLS = """\
{% for text, kinds in cells %}\
<{{ tag }}{% if kinds %} class="{{ kinds }}"{% endif %} title="{{ text }}">{{ text }}</{{ tag }}>\
{% endfor %}"""
_PREVIEW = """\
<div class="tl-preview{% if stale %} tl-stale{% endif %}" tabindex="0"><table><thead>\
<tr><th></th><th colspan="{{ columns }}">as written, the first {{ rows | length }} rows of {{ table }}</th>\
<th class="first" colspan="{{ harmonised }}">harmonised</th></tr>\
<tr><th class="n">row</th>{{ heads }}</tr></thead><tbody>\
{% for number, cells in rows %}<tr><td class="n tl-muted">{{ number }}</td>{{ cells }}</tr>{% endfor %}\
</tbody></table></div>\
{{ found }}{{ unknown }}{{ problems }}\
{% if missing %}<p class="tl-muted">{{ missing }} cells are empty or contain a missing-value code.</p>{% endif %}"""
_FOUND = """\
{% for what, columns, heads, rows in found %}\
<div class="tl-preview" style="margin-top: 6px" tabindex="0"><table><thead>\
<tr><th colspan="{{ columns }}">as {{ what }}, times in UTC</th></tr><tr>{{ heads }}</tr></thead>\
<tbody>{% for row in rows %}<tr>{{ row }}</tr>{% endfor %}</tbody></table></div>\
{% endfor %}"""


def title(source: str) -> Markup:
    """Return the form's title with its style sheet."""
    return html('{{ style }}<span class="tl-title">Mapping of {{ source }}</span>', style=STYLE, source=source)


def muted(text: str) -> Markup:
    """Return a muted remark."""
    return html('<p class="tl-muted">{{ text }}</p>', text=text)


def state(text: str, *, unsaved: bool) -> Markup:
    """Return the remark beside the buttons that says whether there is anything to save."""
    kind = "" if unsaved else "tl-muted"
    return html('<span class="{{ kind }}" role="status">{{ text }}</span>', kind=kind, text=text)


def cell(text: str, *, kind: str = "", title: str | None = None) -> Markup:
    """Return a text that is cut with an ellipsis where it doesn't fit, and whole in its tooltip."""
    return html(_CELL, kind=kind, title=title or text, text=text)


def help_text(text: str) -> Markup:
    """Return a key's meaning; the markers of code in it become code."""
    pieces = [(place % 2 == 1, piece) for place, piece in enumerate(text.replace("``", "`").split("`"))]
    return html(_HELP, pieces=pieces)


def heading(text: str, *, note: str = "") -> Markup:
    """Return a heading with a muted remark."""
    return html(_HEADING, text=text, note=note)


def message(text: str, *, kind: str, role: str = "status") -> Markup:
    """Return a message of kind "error", "warn" or "ok"; its sign says which, too, not its colour alone."""
    return html(_MESSAGE, kind=kind, role=role, sign=_SIGNS[kind], text=text)


def question_html(ask: str, *, evidence: str, places: Sequence[tuple[str, str]]) -> Markup:
    """Return an open question with its evidence, and file and path of each place of its answer."""
    return html(_QUESTION, ask=ask, evidence=evidence, places=places)


def messages(title: str, lines: Sequence[str], *, kind: str, most: int = 12) -> Markup:
    """Return a list of messages under a title; "" without any."""
    if not lines:
        return html("")
    more = f"{len(lines) - most:,}" if len(lines) > most else ""
    return html(_MESSAGES, kind=kind, sign=_SIGNS[kind], title=title, lines=lines[:most], more=more)


def preview_html(table: PreviewTable, *, stale: bool = False) -> Markup:
    """Return the rows as written beside the harmonised ones, then events and problems.

    Parameters
    ----------
    table : PreviewTable
        What to show.
    stale : bool
        Grey it: it belongs to the last mapping without errors.
    """
    names, cells = _right(table.rows)
    heads = _cells(table.columns, "th") + _cells(
        names, "th", first=True, numeric=[name.endswith("]") for name in names]
    )
    rows = [
        (row.number, _cells(row.written, "td") + _cells(right, "td", first=True, numeric=_number_like(right)))
        for row, right in zip(table.rows, cells, strict=True)
    ]
    return html(
        _PREVIEW, stale=stale, table=table.table, columns=len(table.columns), harmonised=len(names), heads=heads,
        rows=rows, found=_found(table.found), missing=f"{table.missing:,}" if table.missing else "",
        unknown=messages(
            tr("Not in the mapping or the model; these rows stay in the ledger"), table.unknown, kind="warn"
        ),
        problems=messages(tr("Could not be read"), table.problems, kind="warn"),
    )  # fmt: skip


def _right(rows: Sequence[PreviewRow]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the harmonised side: a row each has one value, or a column a signal."""
    if not any(row.values for row in rows):
        return [tr("no signal is mapped yet")], [[""] for _ in rows]
    if all(len(row.values) <= 1 for row in rows):
        return [tr("event time (UTC)"), "asset", "signal", "value"], _one_a_row(rows)
    terms: dict[tuple[str, str], str] = {}
    shared = all(len({one.asset for one in row.values}) <= 1 for row in rows)
    for row in rows:
        for one in row.values:
            where = "" if shared else f"{one.asset} · "
            key = (one.term, one.signal if shared else f"{one.asset} {one.signal}")
            terms.setdefault(key, f"{where}{one.signal}" + (f" [{_unit(one.unit)}]" if one.unit else ""))
    made = []
    for row in rows:
        found: dict[tuple[str, str], list[str]] = {}
        for one in row.values:
            key = (one.term, one.signal if shared else f"{one.asset} {one.signal}")
            found.setdefault(key, []).append(one.shown)
        first = row.values[0] if row.values else None
        lead = [first.time if first else "", *([first.asset if first else ""] if shared else [])]
        made.append([*lead, *("; ".join(found.get(key, [])) for key in terms)])
    return [tr("event time (UTC)"), *(["asset"] if shared else []), *terms.values()], made


def _one_a_row(rows: Sequence[PreviewRow]) -> list[list[str]]:
    return [
        [one.time, one.asset, one.signal, f"{one.shown} {_unit(one.unit)}".strip()] if one else ["", "", "", ""]
        for row in rows
        for one in [row.values[0] if row.values else None]
    ]


def _unit(unit: str) -> str:
    return tr("unit unknown") if unit == UNKNOWN else unit


def _number_like(texts: Sequence[str]) -> list[bool]:
    return [text.replace(".", "", 1).lstrip("-").isdigit() for text in texts]


def _cells(texts: Iterable[str], tag: str, *, first: bool = False, numeric: Sequence[bool] = ()) -> Markup:
    cells = []
    for place, text in enumerate(texts):
        kinds = ["first"] * (first and place == 0) + ["n"] * (place < len(numeric) and numeric[place])
        cells.append((text, " ".join(kinds)))
    return html(_CELLS, cells=cells, tag=tag)


def _found(found: Iterable[FoundRows]) -> Markup:
    tables = [
        (one.what, max(1, len(one.columns)), _cells(one.columns, "th"), [_cells(row, "td") for row in one.rows])
        for one in found
    ]
    return html(_FOUND, found=tables)
