"""Report of views as one self-contained HTML file, which opens without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from twinlab._files import write_atomically
from twinlab._html import html
from twinlab.errors import SchemaError
from twinlab.explore.files.exportable import check_suffix
from twinlab.languages import current_language, date_text, local_number, mark, tr

if TYPE_CHECKING:
    from twinlab.explore.files.exportable import Exportable

__all__ = ["report_html", "write_report"]

#: Row limit of a table in a report; Parquet and Excel have no such limit.
TABLE_ROWS = 500

_CSS = Markup("""
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
""")
#: The browser would ask a server for the icon if it weren't given as empty data.
_PAGE = """\
<!DOCTYPE html>
<html lang="{{ language }}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">\
<title>{{ title }}</title><link rel="icon" href="data:,"><style>{{ css }}</style>{{ script }}</head>\
<body><header><h1>{{ title }}</h1>\
<dl>{% for label, text in about %}<dt>{{ label }}</dt><dd>{{ text }}</dd>{% endfor %}</dl></header>\
<main>{% if findings %}<section aria-label="Findings"><h2>Findings</h2><ul>{% for sentence, code in findings %}<li>{{ sentence }}\
{% if code %}<details><summary>Python that gives these numbers</summary><pre>{{ code }}</pre></details>{% endif %}</li>{% endfor %}</ul></section>{% endif %}\
{% for section in sections %}{{ section }}{% endfor %}</main></body></html>
"""
_SECTION = """\
<section><h2>{{ label }}</h2>\
<dl>{% for name, text in settings %}<dt>{{ name }}</dt><dd>{{ text }}</dd>{% endfor %}</dl>\
{% if plot %}<div class="plot">{{ plot }}</div>{% elif not tables %}\
<p class="sub">Nothing was shown when this was written.</p>{% endif %}\
{% for name, table in tables %}<h3>{{ name }}</h3>{{ table }}{% endfor %}\
{% if code %}<details><summary>Python that reads the same</summary><pre>{{ code }}</pre></details>{% endif %}\
</section>"""
_TABLE = """\
<div class="wide" tabindex="0"><table><thead><tr>\
{% for name, number in columns %}<th scope="col"{% if number %} class="number"{% endif %}>{{ name }}</th>{% endfor %}\
</tr></thead><tbody>{% for row in rows %}<tr>\
{% for text in row %}<td{% if columns[loop.index0][1] %} class="number"{% endif %}>{{ text }}</td>{% endfor %}\
</tr>{% endfor %}</tbody></table></div>\
{% if cut %}<p class="sub">The first {{ limit }} of {{ total }} rows; export the view to Excel or Parquet for all.</p>\
{% endif %}"""


def write_report(views: Exportable | Sequence[Exportable], path: Path) -> Path:
    """Write one or several views of one twin to one HTML file.

    Raises
    ------
    SchemaError
        If the suffix isn't ``.html``, or no view is given.
    """
    check_suffix(path, (".html", ".htm"), "a report")
    given = list(views) if isinstance(views, Sequence) else [views]
    if not given:
        msg = "expected at least one view to report, got none"
        raise SchemaError(msg)
    text = report_html(given)
    return write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))


def report_html(views: Sequence[Exportable]) -> Markup:
    """Return views as one HTML page that loads nothing from a network."""
    # Options are accepted only for a loaded backend.
    import holoviews.plotting.bokeh  # noqa: F401, PLC0415

    from twinlab.explore.files.excel import about_rows  # noqa: PLC0415

    first = views[0]
    title = first.twin.model.title or first.twin.model.twin
    about = [(tr(label), text) for label, text in about_rows(first)[:3]]
    plots = [view.figure(backend="bokeh") for view in views]
    script, divs = _plots([plot for plot in plots if plot is not None])
    elements = iter(divs)
    sections = [
        _section(view, next(elements) if plot is not None else Markup())
        for view, plot in zip(views, plots, strict=True)
    ]
    return html(
        _PAGE,
        language=current_language(),
        title=title,
        css=_CSS,
        script=script,
        about=about,
        findings=first.findings() if hasattr(first, "findings") else [],
        sections=sections,
    )


def _section(view: Exportable, plot: Markup) -> Markup:
    return html(
        _SECTION,
        label=tr(view.label or mark("View")),
        settings=[(tr(name), tr(text)) for name, text in view.settings().items()],
        plot=plot,
        tables=[(tr(name), table_html(table)) for name, table in view.tables().items()],
        code=view.code(),
    )


def table_html(table: pd.DataFrame, *, limit: int = TABLE_ROWS) -> Markup:
    """Return a table as HTML, cut after ``limit`` rows with a note.

    >>> table_html(pd.DataFrame({"speed (m/s)": [1.5]})).count("<td")
    1
    """
    flat = table.reset_index() if table.index.name is not None else table
    numbers = [pd.api.types.is_numeric_dtype(flat[c]) and not pd.api.types.is_bool_dtype(flat[c]) for c in flat.columns]
    cells = [[cell_text(value) for value in flat[column].iloc[:limit]] for column in flat.columns]
    return html(
        _TABLE,
        columns=list(zip((tr(str(name)) for name in flat.columns), numbers, strict=True)),
        rows=list(zip(*cells, strict=True)),
        cut=len(flat) > limit,
        limit=local_number(f"{limit:,}"),
        total=local_number(f"{len(flat):,}"),
    )


def cell_text(value: Any) -> str:
    """Return the text of a table cell; "" for a missing value.

    >>> cell_text(1234.5678), cell_text(np.float64("nan")), cell_text(pd.Timestamp("2026-03-01 12:00"))
    ('1,234.568', '', '2026-03-01 12:00')
    """
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, pd.Timestamp):
        return date_text(value, "%Y-%m-%d %H:%M:%S" if value.second else "%Y-%m-%d %H:%M")
    if isinstance(value, (bool, np.bool_)):
        return tr("yes") if value else tr("no")
    if isinstance(value, (float, np.floating)):
        return local_number(f"{value:,.3f}".rstrip("0").rstrip("."))
    return str(value)


def _plots(plots: Sequence[Any]) -> tuple[Markup, list[Markup]]:
    """Return the scripts that draw plots, and the element of each plot; nothing is loaded from a network."""
    if not plots:
        return Markup(), []
    import holoviews as hv  # noqa: PLC0415
    from bokeh.embed import components  # noqa: PLC0415
    from bokeh.resources import Resources  # noqa: PLC0415

    renderer = hv.renderer("bokeh")
    models = [renderer.get_plot(plot).state for plot in plots]
    script, divs = components(models, wrap_script=True, wrap_plot_info=True)
    # The source text, not Bokeh's tags: Panel adds scripts to those that only its server has.
    library = Resources(mode="inline", components=["bokeh"], minified=True).js_raw
    scripts = "".join(f"<script>{text}</script>" for text in library) + script
    # Bokeh escapes the texts of a plot in its own JSON.
    return Markup(scripts), [Markup(div) for div in divs]  # noqa: S704
