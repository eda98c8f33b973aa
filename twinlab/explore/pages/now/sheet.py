"""The exceptions as the dispatcher's own workbook, and what comes back from it: shown first, written on confirmation."""

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
from twinlab.explore.pages.now.dispatch.sheet import SheetChanges, apply_changes, read_sheet, write_sheet

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["Outgoing", "SheetTrip", "difference_html", "sheet_table"]

#: Column of the page's table -> columns of the sheet.
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
#: The difference: a table of the cells that change, then the refused rows.
_DIFFERENCE = (
    "{% set cell %}style='padding:4px 14px 4px 0;text-align:left;vertical-align:top;"
    "border-top:1px solid rgba(127,127,127,.3)'{% endset %}"
    "<p style='margin:0 0 6px'><b style='font-weight:500'>{{ changes.author }}</b>: {{ changes.changes | length }} to write, "
    "{{ changes.refused | length }} refused, {{ changes.unchanged }} as they were</p>"
    "{% if lines %}<table aria-label='What the sheet changes' style='border-collapse:collapse'><tr>"
    "{% for name in ('row', 'exception', 'what', 'before', 'after') %}<th scope='col' {{ cell }}>{{ name }}</th>{% endfor %}</tr>"
    "{% for row, exception, what, before, after in lines %}"
    "<tr><td {{ cell }}>{{ row }}</td><td {{ cell }}>{{ exception }}</td><td {{ cell }}>{{ what }}</td>"
    "<td {{ cell }}>{{ before or '–' }}</td><td {{ cell }}><b style='font-weight:500'>{{ after or '–' }}</b></td></tr>"
    "{% endfor %}</table>{% endif %}"
    "{% if changes.refused %}<p style='margin:8px 0 0'>Refused, and why:</p><ul style='margin:2px 0'>"
    "{% for one in changes.refused %}<li>row {{ one.row }}: {{ one.reason }}</li>{% endfor %}</ul>{% endif %}"
)
_WRITTEN = (
    "<p>✓ {{ written }} written.</p>"
    "{% if refused %}<p>Refused:</p><ul>"
    "{% for one in refused %}<li>row {{ one.row }}: {{ one.reason }}</li>{% endfor %}</ul>{% endif %}"
)
_ALERT = '<div role="alert">{{ text }}</div>'


def sheet_table(exceptions: pd.DataFrame, rows: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the exceptions in the order of the shown rows, and the sheet's columns for a reader's columns.

    Parameters
    ----------
    exceptions : DataFrame
        As `twinlab.events.exceptions` returns them.
    rows : DataFrame
        As `twinlab.explore.pages.now.rows.exception_rows` returns them.
    columns : sequence of str
        The reader's columns.
    """
    standing = exceptions.set_index("key", drop=False)
    table = standing.loc[[key for key in rows.index if key in standing.index]]
    said = rows.loc[table.index]
    table = table.assign(asset_name=said["asset"], lasting=said["lasting"], place=said["place"]).reset_index(drop=True)
    names = list(dict.fromkeys(name for column in columns for name in _COLUMNS.get(column, ())))
    if (table["asset_name"] == table["asset"]).all():
        # Assets without names of their own stand once.
        names = [name for name in names if name != "asset_name"]
    return table, names


@dataclass(frozen=True)
class Outgoing:
    """What goes out in a sheet."""

    at: np.datetime64
    exceptions: pd.DataFrame
    rows: pd.DataFrame
    columns: Sequence[str]
    settings: Mapping[str, str]
    code: str


class SheetTrip:
    """Buttons to take the sheet and to bring it back (``pieces``), and the difference (``panel``).

    Parameters
    ----------
    twin : Twin
        Keeps notes.
    author : str
        Who brings a sheet back.
    ask : callable
        Returns what goes out: instant, exceptions, shown rows, the reader's columns, settings and code; None if nothing.
    on_written : callable
        Called when notes were written.
    """

    def __init__(
        self,
        twin: Any,
        *,
        author: str,
        ask: Callable[[], Outgoing | None],
        on_written: Callable[[], None],
    ) -> None:
        self._twin, self._author, self._ask, self._on_written = twin, author, ask, on_written
        self.changes: SheetChanges | None = None
        name = f"{twin.model.twin}-dispatch.xlsx"
        self.download = pmui.FileDownload(
            callback=self.workbook, filename=name, label="Excel for dispatch", size="small", margin=4
        )
        # Given at once, the widget warns of its own defaults.
        self.download.variant = "outlined"
        self.upload = pmui.FileInput(
            label="Bring a sheet back",
            accept=".xlsx",
            variant="outlined",
            size="small",
            margin=4,
            sx={"fontSize": "13px"},
        )
        self.upload.param.watch(self._uploaded, "value")
        self._text = Html("", sizing_mode="stretch_width", margin=(8, 14))
        self.write = pmui.Button(label="Write", variant="contained", size="small", margin=4)
        self.write.on_click(lambda _: self.confirm())
        leave = pmui.Button(label="Leave it", variant="outlined", size="small", margin=4)
        leave.on_click(lambda _: self.leave())
        self.panel = pn.Column(
            self._text,
            pn.FlexBox(self.write, leave, margin=(0, 10, 8, 10)),
            visible=False,
            styles={"border": "1px solid rgba(127,127,127,.4)", "border-radius": "6px"},
            sizing_mode="stretch_width",
            margin=(4, 10),
        )
        self.pieces = [self.download, self.upload]

    def workbook(self) -> io.BytesIO:
        """Return the sheet as a workbook."""
        out = io.BytesIO()
        going = self._ask()
        if going is not None:
            table, columns = sheet_table(going.exceptions, going.rows, going.columns)
            model = self._twin.model
            write_sheet(
                table,
                out,
                at=going.at,
                title=model.title or model.twin,
                columns=columns,
                notes=self._twin.notes(),
                settings=going.settings,
                code=going.code,
            )
        out.seek(0)
        return out

    def _uploaded(self, event: Any) -> None:
        if event.new:
            self.bring(bytes(event.new))

    def bring(self, content: bytes) -> None:
        """Show what a sheet would change; nothing is written yet."""
        going = self._ask()
        if going is None:
            return
        try:
            self.changes = read_sheet(content, going.exceptions, author=self._author, notes=self._twin.notes())
        except READING_ERRORS as error:
            self.changes = None
            self._say(html(_ALERT, text=error), count=0)
            return
        names = {
            str(key): f"{title} · {asset}"
            for key, title, asset in zip(going.rows.index, going.rows["title"], going.rows["asset"], strict=True)
        }
        self._say(difference_html(self.changes, names), count=len(self.changes.changes))

    def confirm(self) -> None:
        """Write what the sheet changes."""
        if self.changes is None:
            return
        try:
            refused = apply_changes(cast("Any", self._twin), self.changes)
        except READING_ERRORS as error:
            self._say(html(_ALERT, text=f"It can't be kept: {error}"), count=0)
            return
        written = len(self.changes.changes) - len(refused)
        self.changes = None
        self._say(html(_WRITTEN, written=written, refused=refused), count=0)
        self._on_written()

    def leave(self) -> None:
        """Put the difference away."""
        self.changes = None
        self.panel.visible = False

    def _say(self, told: Markup, *, count: int) -> None:
        self._text.object = html(
            '<div role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif;overflow-x:auto">{{ told }}</div>',
            told=told,
        )
        self.write.param.update(visible=count > 0, label=f"Write {count} {'change' if count == 1 else 'changes'}")
        self.panel.visible = True


def difference_html(changes: SheetChanges, names: Mapping[str, str]) -> Markup:
    """Return who changes what, before and after, and which rows are refused and why.

    Parameters
    ----------
    changes : SheetChanges
    names : mapping of key to what an exception is called
    """
    lines = []
    for one in changes.changes:
        pairs = [("note", one.note_before, one.note)] if one.note != one.note_before else []
        if one.acknowledged != one.acknowledged_before:
            pairs.append(("acknowledged", _word(yes=one.acknowledged_before), _word(yes=one.acknowledged)))
        lines += [(one.row, names.get(one.key, one.key), *pair) for pair in pairs]
    return html(_DIFFERENCE, changes=changes, lines=lines)


def _word(*, yes: bool) -> str:
    return "yes" if yes else "no"
