"""The preview and the messages of the mapping form as HTML, in JupyterLab's own colours, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from twinlab.apps.mapping_form.preview import Found, PreviewRow, PreviewTable

__all__ = ["STYLE", "cell", "heading", "message", "messages", "preview_html"]

#: Loaded once by the form; every colour is JupyterLab's, with one for other notebooks.
STYLE = """<style>
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
.tl-form .tl-unset {border: 2px solid #b35900;}
.tl-form .tl-grid {border-bottom: 1px solid var(--jp-border-color2, #ccc); padding-bottom: 6px;}
.tl-form .tl-grid > * {min-width: 0;}
.tl-form .tl-grid > .tl-note {grid-column: 1 / -1;}
.tl-form .tl-grid .widget-html-content, .tl-form .tl-grid .jupyter-widget-html-content {min-width: 0; width: 100%; overflow: hidden;}
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
</style>"""


def cell(text: str, *, kind: str = "", title: str | None = None) -> str:
    """Return a text that is cut with an ellipsis where it doesn't fit, and whole in its tooltip."""
    return f'<span class="tl-cell {kind}" title="{escape(title or text)}">{escape(text)}</span>'


def heading(text: str, *, note: str = "") -> str:
    """Return a heading with a muted remark."""
    return f'<p class="tl-h">{escape(text)} <span class="tl-muted" style="font-weight: 400">{escape(note)}</span></p>'


def message(text: str, *, kind: str, role: str = "status") -> str:
    """Return a message of kind "error", "warn" or "ok"; its first word says which, colour alone does not."""
    sign = {"error": "✖ ", "warn": "⚠ ", "ok": "✔ "}[kind]
    return f'<div class="tl-msg tl-{kind}" role="{role}">{sign}{escape(text, quote=False)}</div>'


def messages(title: str, lines: Sequence[str], *, kind: str, most: int = 12) -> str:
    """Return a list of messages under a title; "" without any."""
    if not lines:
        return ""
    more = f"<li>… and {len(lines) - most:,} more</li>" if len(lines) > most else ""
    items = "".join(f"<li>{escape(line, quote=False)}</li>" for line in lines[:most])
    sign = {"error": "✖", "warn": "⚠", "ok": "✔"}[kind]
    return f'<div class="tl-msg tl-{kind}" style="white-space: normal">{sign} {escape(title, quote=False)}<ul>{items}{more}</ul></div>'


def preview_html(table: PreviewTable, *, stale: bool = False) -> str:
    """Return the rows as written beside the harmonised ones, then events and problems.

    Parameters
    ----------
    table : PreviewTable
        What to show.
    stale : bool
        Grey it: it belongs to the last mapping without faults.
    """
    names, cells = _right(table.rows)
    count = len(table.rows)
    group = (
        f'<tr><th></th><th colspan="{len(table.columns)}">as written, the first {count} rows of {escape(table.table)}</th>'
        f'<th class="first" colspan="{len(names)}">harmonised</th></tr>'
    )
    heads = '<th class="n">row</th>' + _cells(table.columns, "th")
    heads += _cells(names, "th", first=True, numeric=[name.endswith("]") for name in names])
    body = "".join(
        f'<tr><td class="n tl-muted">{row.number}</td>{_cells(row.written, "td")}{_cells(right, "td", first=True, numeric=_number_like(right))}</tr>'
        for row, right in zip(table.rows, cells, strict=True)
    )
    shown = f"<table><thead>{group}<tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    parts = [
        f'<div class="tl-preview{" tl-stale" if stale else ""}" tabindex="0">{shown}</div>',
        *map(_found, table.found),
    ]
    parts.append(messages("Not in the mapping or the model; these rows stay in the ledger", table.unknown, kind="warn"))
    parts.append(messages("Could not be read", table.problems, kind="warn"))
    if table.missing:
        parts.append(f'<p class="tl-muted">{table.missing:,} cells are empty or hold a missing-value code.</p>')
    return "".join(parts)


def _right(rows: Sequence[PreviewRow]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the harmonised side: a row each has one value, or a column a signal."""
    if not any(row.values for row in rows):
        return ["no signal is mapped yet"], [[""] for _ in rows]
    if all(len(row.values) <= 1 for row in rows):
        return ["event time (UTC)", "asset", "signal", "value"], _one_a_row(rows)
    terms: dict[tuple[str, str], str] = {}
    shared = all(len({one.asset for one in row.values}) <= 1 for row in rows)
    for row in rows:
        for one in row.values:
            where = "" if shared else f"{one.asset} · "
            key = (one.term, one.signal if shared else f"{one.asset} {one.signal}")
            terms.setdefault(key, f"{where}{one.signal}" + (f" [{one.unit}]" if one.unit else ""))
    made = []
    for row in rows:
        found: dict[tuple[str, str], list[str]] = {}
        for one in row.values:
            key = (one.term, one.signal if shared else f"{one.asset} {one.signal}")
            found.setdefault(key, []).append(one.shown)
        first = row.values[0] if row.values else None
        lead = [first.time if first else "", *([first.asset if first else ""] if shared else [])]
        made.append([*lead, *("; ".join(found.get(key, [])) for key in terms)])
    return ["event time (UTC)", *(["asset"] if shared else []), *terms.values()], made


def _one_a_row(rows: Sequence[PreviewRow]) -> list[list[str]]:
    return [
        [one.time, one.asset, one.signal, f"{one.shown} {one.unit}".strip()] if one else ["", "", "", ""]
        for row in rows
        for one in [row.values[0] if row.values else None]
    ]


def _number_like(texts: Sequence[str]) -> list[bool]:
    return [text.replace(".", "", 1).lstrip("-").isdigit() for text in texts]


def _cells(texts: Iterable[str], tag: str, *, first: bool = False, numeric: Sequence[bool] = ()) -> str:
    made = []
    for place, text in enumerate(texts):
        kinds = ["first"] * (first and place == 0) + ["n"] * (place < len(numeric) and numeric[place])
        kind = f' class="{" ".join(kinds)}"' if kinds else ""
        made.append(f'<{tag}{kind} title="{escape(text)}">{escape(text)}</{tag}>')
    return "".join(made)


def _found(found: Found) -> str:
    heads = _cells(found.columns, "th")
    body = "".join(f"<tr>{_cells(row, 'td')}</tr>" for row in found.rows)
    title = f'<tr><th colspan="{max(1, len(found.columns))}">as {escape(found.what)}, times in UTC</th></tr>'
    table = f"<table><thead>{title}<tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="tl-preview" style="margin-top: 6px" tabindex="0">{table}</div>'
