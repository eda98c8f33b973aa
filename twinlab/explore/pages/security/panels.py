"""Parts of the Security page: a table with a heading that is updated in place, and an event with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import panel as pn

from twinlab._html import html
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["TablePanel", "event_html"]

_HEADING = (
    '<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:16px 0 0">{{ title }}</h2>'
    '<p style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:2px 0 0;opacity:.85">{{ text }}</p>'
)
_EVENT = (
    '<section aria-label="Evidence" style="border-left:4px solid {{ color }};padding:2px 0 2px 14px;margin:6px 0;'
    'font:14px/1.5 Roboto,system-ui,sans-serif;overflow-wrap:anywhere">'
    '<h3 style="font:600 16px/1.3 Roboto,system-ui,sans-serif;margin:0">{{ title }}: {{ subject }}</h3>'
    '<p style="margin:4px 0">{{ text }}</p><p style="margin:4px 0;opacity:.85">{{ facts }}</p>'
    '{% if lines %}<ul style="margin:4px 0;padding-left:18px;font:13px/1.5 ui-monospace,monospace">'
    "{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}</section>"
)
_COLORS = {"high": "#D55E00", "medium": "#E69F00", "low": "#56B4E9"}
_ROWS = 12


class TablePanel:
    """A table with a heading; a sentence if it is empty.

    Parameters
    ----------
    title : str
    nothing : str
        Sentence that is shown in place of an empty table.
    chosen : callable, optional
        Called with the label of the chosen row, "" for none. Without it rows can't be chosen.
    """

    def __init__(self, title: str, nothing: str, *, chosen: Callable[[str], None] | None = None) -> None:
        self.rows = pd.DataFrame()
        self._title, self._nothing, self._chosen = title, nothing, chosen
        self._heading = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._grid: pn.widgets.Tabulator | None = None
        self._quiet = False
        self.pane = pn.Column(self._heading, sizing_mode="stretch_width")

    def show(self, rows: pd.DataFrame, text: str, *, selected: str = "") -> None:
        """Show rows, and choose the one with a label; nothing is sent if all equals what is shown."""
        heading = html(_HEADING, title=self._title, text=self._nothing if rows.empty else text)
        if self._heading.object != heading:
            self._heading.object = heading
        if rows.empty:
            self._grid = None
            if len(self.pane) > 1:
                self.pane[:] = [self._heading]
        elif self._grid is None or (len(rows) > _ROWS) != (self._grid.pagination is not None):
            self._grid = _grid(rows, selectable=self._chosen is not None)
            self._grid.param.watch(self._select, "selection")
            self.pane[:] = [self._heading, self._grid]
        elif not rows.reset_index(drop=True).equals(self.rows.reset_index(drop=True)):
            self._quiet = True
            self._grid.value = rows.reset_index(drop=True)
            self._quiet = False
        self.rows = rows
        self.select(selected)

    def select(self, label: str) -> None:
        """Choose the row with a label; none if there is none."""
        if self._grid is None or self._chosen is None:
            return
        place = [list(self.rows.index).index(label)] if label in self.rows.index else []
        if self._grid.selection != place:
            self._quiet = True
            self._grid.selection = place
            self._quiet = False

    def _select(self, event: Any) -> None:
        if self._quiet or self._chosen is None:
            return
        self._chosen(str(self.rows.index[event.new[-1]]) if event.new else "")


def _grid(rows: pd.DataFrame, *, selectable: bool) -> pn.widgets.Tabulator:
    return pn.widgets.Tabulator(
        rows.reset_index(drop=True), show_index=False, disabled=True, selectable=1 if selectable else False, pagination="local" if len(rows) > _ROWS else None, configuration=table_buttons(),
        page_size=_ROWS, layout="fit_data_fill", sizing_mode="stretch_width", stylesheets=[TABLE_SHEET], margin=(4, 10),
    )  # fmt: skip


def event_html(event: dict[str, Any]) -> Markup:
    """Return an event with its evidence.

    >>> "&lt;b&gt;" in event_html({"title": "T", "subject": "<b>", "text": "", "severity": "low", "start": 0, "end": 0, "count": 1,
    ...     "host": "", "evidence": "", "rule": "rate"})
    True
    """
    start, end = (f"{pd.Timestamp(event[name]):%Y-%m-%d %H:%M:%S}" for name in ("start", "end"))
    when = tr("at {start} UTC", start=start) if start == end else tr("{start} to {end} UTC", start=start, end=end)
    host = tr(", from {host}", host=event["host"]) if event["host"] else ""
    facts = tr(
        "{severity} severity, {count:,} times, {when}{host}; rule {rule}",
        severity=event["severity"],
        count=event["count"],
        when=when,
        host=host,
        rule=event["rule"],
    )
    lines = [line for line in str(event["evidence"]).split("\n") if line and line != event["text"]]
    return html(
        _EVENT, color=_COLORS[event["severity"]], title=event["title"], subject=event["subject"], text=event["text"], facts=facts,
        lines=lines,
    )  # fmt: skip
