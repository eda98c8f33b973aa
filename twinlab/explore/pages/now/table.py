"""The exceptions table: columns chosen by the reader, editable notes, rows that keep their places during updates."""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping, Sequence
from typing import Any, cast

import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import DateFormatter

from twinlab._html import html
from twinlab.explore.kit.exception_text import SEVERITY_COLORS, SEVERITY_SYMBOLS
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.explore.pages.now.rows import COLUMNS, EXTRA, UpdatedRows, chosen_columns, default_columns, update_rows
from twinlab.languages import date_pattern, tr, tr_values

__all__ = ["ExceptionTable"]

_SETTING = "now_columns"
_PAGE = 15
_WIDTHS = {"severity": 88, "title": 150, "asset": 190, "note": 170, "text": 260, "alert": 240}
#: Symbol of a severity -> colour of the line beside it.
_COLORS = {SEVERITY_SYMBOLS[name]: color for name, color in SEVERITY_COLORS.items()}
_SHEET = """
.tabulator-row .tabulator-cell[tabulator-field=note] { cursor: text; }
.tabulator-row .tabulator-cell { padding-left: 5px !important; padding-right: 5px !important; }
.tabulator-responsive-collapse { padding: 2px 10px 8px 46px !important; border: 0 !important; }
.tabulator-responsive-collapse table { display: flex; flex-wrap: wrap; gap: 0 14px; font-size: 13px !important; }
.tabulator-responsive-collapse tr:has(td:last-child div div:empty) { display: none; }
.tabulator-responsive-collapse td { padding: 0 5px 0 0 !important; font-size: 13px; }
.tabulator-responsive-collapse td strong { font-weight: 400; opacity: 0.8; }
"""


class ExceptionTable:
    """The exceptions as a table; ``pane`` is its place in a layout.

    Parameters
    ----------
    settings : mutable mapping
        Settings of the reader; the columns and their order are stored under ``now_columns``.
    on_pick : callable
        Called with the key of a clicked row.
    on_note : callable
        Called with key and text when a note was edited.
    on_tick : callable
        Called with the keys of the ticked rows.
    extra : collection of str
        Columns of `EXTRA` that the twin has.
    """

    def __init__(
        self,
        *,
        settings: MutableMapping[str, object],
        on_pick: Callable[[str], None],
        on_note: Callable[[str, str], None],
        on_tick: Callable[[list[str]], None],
        extra: Collection[str] = (),
    ) -> None:
        self._settings, self._on_pick, self._on_note, self._on_tick = settings, on_pick, on_note, on_tick
        stored = settings.get(_SETTING)
        self._columns = default_columns(extra) if stored is None else chosen_columns(stored)
        self._columns = [name for name in self._columns if name in extra or name not in EXTRA]
        self._grid: pn.widgets.Tabulator | None = None
        self._rows: pd.DataFrame | None = None
        # Rows of the current state, shown by the next update.
        self._fresh: pd.DataFrame | None = None
        self._news = Html("", align="center", margin=(4, 10))
        self._update = pmui.Button(label=tr("Update"), size="small", variant="contained", margin=(4, 10))
        self._update.on_click(lambda _: self.update())
        self._bar = pn.FlexBox(self._news, self._update, align_items="center", visible=False)
        # Message and grid both stay in the layout, one of them hidden: replacing them, Panel searches all models.
        self._message = Html("", sizing_mode="stretch_width", margin=(16, 10), visible=False)
        self._body = pn.Column(self._message, sizing_mode="stretch_width", min_height=120)
        self.pane = pn.Column(self._bar, self._body, sizing_mode="stretch_width")

    # -- what is shown ------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> pd.DataFrame | None:
        """The shown rows with all columns; None before the first."""
        return self._rows

    @property
    def columns(self) -> list[str]:
        """The reader's columns in their order."""
        return list(self._columns)

    @property
    def news(self) -> str:
        """Counts of new and ended exceptions since the last update."""
        return "" if self._rows is None or self._fresh is None else update_rows(self._rows, self._fresh).news

    @property
    def selected(self) -> list[str]:
        """Keys of the ticked rows."""
        if self._grid is None or self._rows is None:
            return []
        return [str(self._grid.value.index[place]) for place in self._grid.selection if place < len(self._grid.value)]

    def show_message(self, message: str) -> None:
        """Show a message in place of the table."""
        if self._grid is not None:
            self._grid.param.update(selection=[], visible=False)
        self._rows, self._fresh = None, None
        self._bar.visible = False
        self._message.param.update(object=message, visible=True)

    def show(self, rows: pd.DataFrame) -> None:
        """Show new rows in their own order."""
        self._rows, self._fresh = rows, rows
        self._bar.visible = self._message.visible = False
        if self._grid is None or list(self._grid.value.columns) != self._shown_columns():
            self._rebuild()
        else:
            self._grid.param.update(value=self._shown(), selection=[], page=1, visible=True)

    def refresh(self, fresh: pd.DataFrame) -> None:
        """Take over the current state: shown rows keep their places, new and ended exceptions are counted in a bar."""
        if self._rows is None or self._grid is None:
            self.show(fresh)
            return
        self._fresh = fresh
        updated = update_rows(self._rows, fresh)
        self._rows = updated.rows
        self._write(updated)
        self._show_news(updated)

    def update(self) -> None:
        """Show the current state; ticked rows stay ticked."""
        if self._fresh is None:
            return
        ticked = self.selected
        self.show(self._fresh)
        if self._grid is not None:
            self._grid.selection = [k for k, key in enumerate(self._grid.value.index) if key in set(ticked)]

    def set_columns(self, names: Sequence[str]) -> None:
        """Show these columns in this order, and store the choice."""
        self._columns = chosen_columns(list(names))
        self._settings[_SETTING] = list(self._columns)
        if self._rows is not None:
            ticked = self.selected
            self._rebuild()
            if self._grid is not None:
                self._grid.selection = [k for k, key in enumerate(self._grid.value.index) if key in set(ticked)]

    # -- the grid -----------------------------------------------------------------------------------------------------

    def _shown_columns(self) -> list[str]:
        return [*self._columns, "ended", "stale"]

    def _shown(self) -> pd.DataFrame:
        assert self._rows is not None
        return self._rows[self._shown_columns()].copy()

    def _write(self, updated: UpdatedRows) -> None:
        """Write new values into the rows of the grid; selection, page and scroll position stay."""
        assert self._grid is not None
        fresh = updated.rows.loc[self._grid.value.index, self._shown_columns()]
        if fresh.equals(self._grid.value):
            return
        for name in fresh:
            self._grid.value[name] = fresh[name]
        # The same DataFrame: a new one would clear the selection.
        self._grid.param.trigger("value")

    def _show_news(self, updated: UpdatedRows) -> None:
        text = html(
            '<span role="status" style="font:14px Roboto,system-ui,sans-serif">{{ news }}</span>', news=updated.news
        )
        self._news.object = text if updated.news else ""
        self._bar.visible = bool(updated.news)

    def _rebuild(self) -> None:
        rows = self._shown()
        grid = pn.widgets.Tabulator(
            rows,
            pagination="remote",
            page_size=_PAGE,
            show_index=False,
            hidden_columns=["key", "ended", "stale"],
            selectable="checkbox",
            layout="fit_data_fill",
            titles=tr_values(COLUMNS),
            formatters={"since": DateFormatter(format=date_pattern("%Y-%m-%d %H:%M"), nan_format="–", null_format="–")},
            editors={name: {"type": "input"} if name == "note" else None for name in rows},
            # Text that doesn't sort by its value.
            sortable={name: name not in ("lasting", "value", "limit") for name in rows},
            widths={name: width for name, width in _WIDTHS.items() if name in rows},
            # A narrow screen folds columns under their row, the last ones first.
            configuration={"responsiveLayout": "collapse", **table_buttons()},
            stylesheets=[TABLE_SHEET, _SHEET],
            sizing_mode="stretch_width",
            min_height=120,
            margin=(4, 10),
        )
        cast("Any", grid.style).apply(_styled, axis=None)
        grid.on_click(self._picked)
        grid.on_edit(self._edited)
        grid.param.watch(lambda _: self._on_tick(self.selected), "selection")
        self._grid = grid
        self._body[:] = [self._message, grid]

    def _picked(self, event: Any) -> None:
        if self._grid is not None and event.column != "note":
            self._on_pick(str(self._grid.value.index[event.row]))

    def _edited(self, event: Any) -> None:
        if self._grid is not None and event.column == "note" and self._rows is not None:
            key = str(self._grid.value.index[event.row])
            self._on_note(key, str(event.value or ""))


def _styled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return CSS for each cell: a coloured line for the severity, dimmed text for ended rows and those of assets that aren't live."""
    out = pd.DataFrame("", index=rows.index, columns=rows.columns)
    if "severity" in rows:
        out["severity"] = [
            f"border-left: 4px solid {_COLORS.get(str(severity)[:1], 'transparent')}; font-weight: 500"
            for severity in rows["severity"]
        ]
    if "stale" in rows:
        out.loc[rows["stale"].to_numpy(dtype=bool), :] += "; opacity: 0.66; font-style: italic"
    if "ended" in rows:
        out.loc[rows["ended"].to_numpy(dtype=bool), :] = "opacity: 0.55; font-style: italic"
    return out
