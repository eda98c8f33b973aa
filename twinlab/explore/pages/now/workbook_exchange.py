"""Export of the exceptions as a workbook, and import of its notes: compared first, written on confirmation."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.panes import Html
from twinlab.explore.pages.now.dispatch.reading import SheetChanges, apply_changes, read_sheet
from twinlab.explore.pages.now.dispatch.writing import write_sheet
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["WorkbookContent", "WorkbookExchange", "difference_html", "sheet_table"]

#: Column of the page's table -> columns of the workbook.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "severity": ("severity",),
    "title": ("title",),
    "asset": ("asset", "asset_name"),
    "since": ("since",),
    "lasting": ("lasting",),
    "value": ("value", "unit"),
    "limit": ("limit",),
    "place": ("place",),
    "asset_type": ("asset_type",),
    "event": ("event_id",),
    "rule": ("rule",),
    "text": ("text",),
}
#: A table of the changed cells, then the refused rows.
_DIFFERENCE = (
    "<style>.tl-changes :is(th,td){padding:4px 14px 4px 0;text-align:left;vertical-align:top;"
    "border-top:1px solid rgba(127,127,127,.3)}</style>"
    "<p style='margin:0 0 6px'><b style='font-weight:500'>{{ changes.author }}</b>: {{ changes.changes | length }} to write, "
    "{{ changes.refused | length }} refused, {{ changes.unchanged }} as they were</p>"
    "{% if lines %}<table class='tl-changes' aria-label='Changes in the workbook' style='border-collapse:collapse'><tr>"
    "{% for name in ('row', 'exception', 'what', 'before', 'after') %}<th scope='col'>{{ name }}</th>{% endfor %}</tr>"
    "{% for row, exception, what, before, after in lines %}"
    "<tr><td>{{ row }}</td><td>{{ exception }}</td><td>{{ what }}</td>"
    "<td>{{ before or '–' }}</td><td><b style='font-weight:500'>{{ after or '–' }}</b></td></tr>"
    "{% endfor %}</table>{% endif %}"
    "{% if changes.refused %}<p style='margin:8px 0 0'>Refused rows:</p><ul style='margin:2px 0'>"
    "{% for one in changes.refused %}<li>row {{ one.row }}: {{ one.reason }}</li>{% endfor %}</ul>{% endif %}"
)
_WRITTEN = (
    "<p>✓ {{ written }} written.</p>"
    "{% if refused %}<p>Refused rows:</p><ul>"
    "{% for one in refused %}<li>row {{ one.row }}: {{ one.reason }}</li>{% endfor %}</ul>{% endif %}"
)
_ALERT = '<div role="alert">{{ text }}</div>'


def sheet_table(exceptions: pd.DataFrame, rows: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the exceptions in the order of the shown rows, and the columns of the workbook for a reader's columns.

    Parameters
    ----------
    exceptions : DataFrame
        As `twinlab.events.exceptions` returns them.
    rows : DataFrame
        As `twinlab.explore.pages.now.rows.exception_rows` returns them.
    columns : sequence of str
        The reader's columns.
    """
    by_key = exceptions.set_index("key", drop=False)
    table = by_key.loc[[key for key in rows.index if key in by_key.index]]
    texts = rows.loc[table.index]
    table = table.assign(asset_name=texts["asset"], lasting=texts["lasting"], place=texts["place"]).reset_index(
        drop=True
    )
    names = list(dict.fromkeys(name for column in columns for name in _COLUMNS.get(column, ())))
    if (table["asset_name"] == table["asset"]).all():
        # One column is enough for assets whose name is their id.
        names = [name for name in names if name != "asset_name"]
    return table, names


@dataclass(frozen=True)
class WorkbookContent:
    """Content of an exported workbook."""

    at: np.datetime64
    exceptions: pd.DataFrame
    rows: pd.DataFrame
    columns: Sequence[str]
    settings: Mapping[str, str]
    code: str


class WorkbookExchange:
    """Buttons for export and import (``pieces``), and the differences that an import makes (``panel``).

    Parameters
    ----------
    twin : Twin
        A twin with notes.
    author : str
        Author of imported notes.
    content : callable
        Returns the `WorkbookContent` to export; None if there is nothing to export.
    on_written : callable
        Called when notes were written.
    """

    def __init__(
        self,
        twin: Any,
        *,
        author: str,
        content: Callable[[], WorkbookContent | None],
        on_written: Callable[[], None],
    ) -> None:
        self._twin, self._author, self._content, self._on_written = twin, author, content, on_written
        self.changes: SheetChanges | None = None
        name = f"{twin.model.twin}-dispatch.xlsx"
        self.download = pmui.FileDownload(
            callback=self.workbook, filename=name, label=tr("Excel for dispatch"), size="small", margin=4
        )
        # Set afterwards: as an argument, the widget warns of its own defaults.
        self.download.variant = "outlined"
        self.upload = pmui.FileInput(
            label=tr("Import notes"),
            accept=".xlsx",
            variant="outlined",
            size="small",
            margin=4,
            sx={"fontSize": "13px"},
        )
        self.upload.param.watch(self._uploaded, "value")
        self._text = Html("", sizing_mode="stretch_width", margin=(8, 14))
        self.write = pmui.Button(label=tr("Write"), variant="contained", size="small", margin=4)
        self.write.on_click(lambda _: self.confirm())
        discard = pmui.Button(label=tr("Discard"), variant="outlined", size="small", margin=4)
        discard.on_click(lambda _: self.discard())
        self.panel = pn.Column(
            self._text,
            pn.FlexBox(self.write, discard, margin=(0, 10, 8, 10)),
            visible=False,
            styles={"border": "1px solid rgba(127,127,127,.4)", "border-radius": "6px"},
            sizing_mode="stretch_width",
            margin=(4, 10),
        )
        self.pieces = [self.download, self.upload]

    def workbook(self) -> io.BytesIO:
        """Return the exported workbook."""
        out = io.BytesIO()
        exported = self._content()
        if exported is not None:
            table, columns = sheet_table(exported.exceptions, exported.rows, exported.columns)
            model = self._twin.model
            write_sheet(
                table,
                out,
                at=exported.at,
                title=model.title or model.twin,
                columns=columns,
                notes=self._twin.notes(),
                settings=exported.settings,
                code=exported.code,
            )
        out.seek(0)
        return out

    def _uploaded(self, event: Any) -> None:
        if event.new:
            self.compare(bytes(event.new))

    def compare(self, content: bytes) -> None:
        """Compare an imported workbook with the notes and show the differences; nothing is written yet."""
        exported = self._content()
        if exported is None:
            return
        try:
            self.changes = read_sheet(content, exported.exceptions, author=self._author, notes=self._twin.notes())
        except READING_ERRORS as error:
            self.changes = None
            self._show(html(_ALERT, text=error), count=0)
            return
        names = {
            str(key): f"{title} · {asset}"
            for key, title, asset in zip(
                exported.rows.index, exported.rows["title"], exported.rows["asset"], strict=True
            )
        }
        self._show(difference_html(self.changes, names), count=len(self.changes.changes))

    def confirm(self) -> None:
        """Write the changes of the imported workbook."""
        if self.changes is None:
            return
        try:
            refused = apply_changes(cast("Any", self._twin), self.changes)
        except READING_ERRORS as error:
            self._show(html(_ALERT, text=tr("The notes can't be saved: {error}", error=error)), count=0)
            return
        written = len(self.changes.changes) - len(refused)
        self.changes = None
        self._show(html(_WRITTEN, written=written, refused=refused), count=0)
        self._on_written()

    def discard(self) -> None:
        """Discard the imported workbook."""
        self.changes = None
        self.panel.visible = False

    def _show(self, message: Markup, *, count: int) -> None:
        self._text.object = html(
            '<div role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif;overflow-x:auto">{{ message }}</div>',
            message=message,
        )
        self.write.param.update(visible=count > 0, label=f"Write {count} {'change' if count == 1 else 'changes'}")
        self.panel.visible = True


def difference_html(changes: SheetChanges, names: Mapping[str, str]) -> Markup:
    """Return the differences as HTML: author, values before and after, and refused rows with the reason.

    Parameters
    ----------
    changes : SheetChanges
    names : mapping of str to str
        Key of an exception -> its title and asset.
    """
    lines = []
    for one in changes.changes:
        pairs = [("note", one.note_before, one.note)] if one.note != one.note_before else []
        if one.acknowledged != one.acknowledged_before:
            pairs.append(("acknowledged", _yes_or_no(yes=one.acknowledged_before), _yes_or_no(yes=one.acknowledged)))
        lines += [(one.row, names.get(one.key, one.key), *pair) for pair in pairs]
    return html(_DIFFERENCE, changes=changes, lines=lines)


def _yes_or_no(*, yes: bool) -> str:
    return "yes" if yes else "no"
