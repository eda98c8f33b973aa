"""Views as one HTML file that needs nothing else: it opens from disk with the network off."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.explore.files.whole_file import need_ending, write_whole

if TYPE_CHECKING:
    from twinlab.explore.files.exportable import Exportable

__all__ = ["report_html", "write_report"]

#: Rows of a table that a report holds; the rest is for Parquet and Excel.
TABLE_ROWS = 500

_CSS = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --page: #fff; --band: #f4f6f8; --blue: #005a8c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #a6b0bb; --line: #3d444d; --page: #14181d; --band: #1f252c; --blue: #56b4e9; }
}
@media print { :root { --ink: #000; --soft: #333; --line: #bbb; --page: #fff; --band: #f4f6f8; --blue: #005a8c; } details { display: none; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px clamp(12px, 4vw, 48px); max-width: 1400px; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 26px; margin: 0; color: var(--blue); }
h2 { font-size: 20px; margin: 32px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 16px; margin: 20px 0 6px; }
.sub { color: var(--soft); margin: 2px 0 0; }
.plot { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: 8px; overflow: hidden; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; font-size: 13.5px; width: 100%; font-variant-numeric: tabular-nums; }
th { background: var(--band); text-align: left; position: sticky; top: 0; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
td.number, th.number { text-align: right; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 8px 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre { background: var(--band); padding: 12px; border-radius: 6px; overflow-x: auto; font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
summary { cursor: pointer; color: var(--blue); margin-top: 12px; }
"""


def write_report(views: Exportable | Sequence[Exportable], path: Path) -> Path:
    """Write one view, or several of one twin below each other, to one HTML file.

    Raises
    ------
    SchemaError
        If the ending isn't ``.html``, or no view is given.
    """
    need_ending(path, (".html", ".htm"), "a report")
    given = list(views) if isinstance(views, Sequence) else [views]
    if not given:
        msg = "expected at least one view to report, got none"
        raise SchemaError(msg)
    text = report_html(given)
    return write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def report_html(views: Sequence[Exportable]) -> str:
    """Return views as the text of one HTML page without any address outside it."""
    # Options can be given for a backend only once it's loaded.
    import holoviews.plotting.bokeh  # noqa: F401, PLC0415

    from twinlab.explore.files.excel import about_rows  # noqa: PLC0415

    first = views[0]
    title = first.twin.model.title or first.twin.model.twin
    about = [(label, text) for label, text in about_rows(first)[:3]]
    plots = [view.figure(backend="bokeh") for view in views]
    script, divs = _plots([plot for plot in plots if plot is not None])
    placed = iter(divs)
    sections = [
        _section(view, next(placed) if plot is not None else "") for view, plot in zip(views, plots, strict=True)
    ]
    head = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in about)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # An empty icon: a browser would ask the server for one otherwise.
        f'<title>{escape(title)}</title><link rel="icon" href="data:,"><style>{_CSS}</style>{script}</head>'
        f"<body><header><h1>{escape(title)}</h1><dl>{head}</dl></header><main>{''.join(sections)}</main></body></html>\n"
    )


def _section(view: Exportable, plot: str) -> str:
    chosen = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in view.settings().items())
    tables = "".join(f"<h3>{escape(name)}</h3>{table_html(table)}" for name, table in view.tables().items())
    code = view.code()
    shown = f'<div class="plot">{plot}</div>' if plot else ""
    how = f"<details><summary>Python that reads the same</summary><pre>{escape(code)}</pre></details>" if code else ""
    empty = "" if plot or tables else '<p class="sub">Nothing was shown when this was written.</p>'
    return f"<section><h2>{escape(view.label or 'View')}</h2><dl>{chosen}</dl>{shown}{empty}{tables}{how}</section>"


def table_html(table: pd.DataFrame, *, limit: int = TABLE_ROWS) -> str:
    """Return a table as HTML of its own; cut after ``limit`` rows, saying so.

    >>> table_html(pd.DataFrame({"speed (m/s)": [1.5]})).count("<td")
    1
    """
    flat = table.reset_index() if table.index.name is not None else table
    numbers = [pd.api.types.is_numeric_dtype(flat[c]) and not pd.api.types.is_bool_dtype(flat[c]) for c in flat.columns]
    marks = [' class="number"' if number else "" for number in numbers]
    head = "".join(f'<th scope="col"{mark}>{escape(str(c))}</th>' for mark, c in zip(marks, flat.columns, strict=True))
    cells = [[cell_text(value) for value in flat[column].iloc[:limit]] for column in flat.columns]
    body = "".join(
        "<tr>" + "".join(f"<td{mark}>{escape(text)}</td>" for mark, text in zip(marks, row, strict=True)) + "</tr>"
        for row in zip(*cells, strict=True)
    )
    note = (
        f'<p class="sub">The first {limit:,} of {len(flat):,} rows; export the view to Excel or Parquet for all.</p>'
        if len(flat) > limit
        else ""
    )
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}'
    )


def cell_text(value: Any) -> str:
    """Return a table's value as people read it; nothing for what is missing.

    >>> cell_text(1234.5678), cell_text(np.float64("nan")), cell_text(pd.Timestamp("2026-03-01 12:00"))
    ('1,234.568', '', '2026-03-01 12:00')
    """
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M")
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return str(value)


def _plots(plots: Sequence[Any]) -> tuple[str, list[str]]:
    """The scripts that draw plots, and a place for each; nothing is loaded from elsewhere."""
    if not plots:
        return "", []
    import holoviews as hv  # noqa: PLC0415
    from bokeh.embed import components  # noqa: PLC0415
    from bokeh.resources import Resources  # noqa: PLC0415

    renderer = hv.renderer("bokeh")
    models = [renderer.get_plot(plot).state for plot in plots]
    script, divs = components(models, wrap_script=True, wrap_plot_info=True)
    # Not as tags made by Bokeh: Panel adds scripts to those that only its server has.
    library = Resources(mode="inline", components=["bokeh"], minified=True).js_raw
    return "".join(f"<script>{text}</script>" for text in library) + script, list(divs)
