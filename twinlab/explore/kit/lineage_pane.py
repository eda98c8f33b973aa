"""What is behind a value or an event, as a drawing and its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import DateFormatter

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import number_formatter, table_buttons
from twinlab.languages import date_pattern, local_number, tr

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["LineagePane", "can_explain"]

_ROWS = 10
_SHOWN = (
    "source",
    "file",
    "row",
    "time",
    "start",
    "end",
    "written",
    "written_unit",
    "value",
    "standing",
    "ingest_time",
)


def can_explain(twin: TwinReader) -> bool:
    """Return whether a twin can say which rows are behind a value; plain data and views of a twin's past can't."""
    return hasattr(twin, "why")


class LineagePane:
    """Drawing of the steps from the files to a value, and the rows of the ledger (``pane``); nothing until `explain` is called.

    Parameters
    ----------
    twin : TwinReader
    """

    def __init__(self, twin: TwinReader) -> None:
        self._twin: Any = twin
        self.rows = pd.DataFrame()
        self.pane = pn.Column(sizing_mode="stretch_width")

    def explain(self, *what: object) -> None:
        """Show what is behind something, named as for `twinlab.Twin.why`; a failure is shown as a sentence."""
        try:
            found = self._twin.why(*what)
        except READING_ERRORS as error:
            self.say(tr("What is behind it can't be read: {error}", error=error))
            return
        self.show(found)

    def show(self, found: Any) -> None:
        """Show what was found: a `twinlab.twin.lineage` ``Lineage``, as `twinlab.Twin.why` returns it."""
        self.rows = found.rows
        drawing = Html(
            f'<div style="overflow-x:auto" tabindex="0">{found.drawing()}</div>',
            sizing_mode="stretch_width",
            margin=(0, 10),
        )
        self._show(drawing, *([rows_table(found.rows)] if len(found.rows) else []))

    def say(self, text: str) -> None:
        """Show a sentence instead."""
        self.rows = pd.DataFrame()
        self._show(pmui.Typography(text, variant="body1", margin=(6, 10)))

    def close(self) -> None:
        """Show nothing."""
        self.rows = pd.DataFrame()
        self.pane[:] = []

    def _show(self, *parts: pn.viewable.Viewable) -> None:
        close = pmui.Button(label=tr("Close"), variant="outlined", size="small", margin=(4, 10))
        close.on_click(lambda _: self.close())
        title = pmui.Typography(tr("Where it comes from"), variant="h6", margin=(10, 10, 2, 10))
        self.pane[:] = [title, *parts, close]


def rows_table(rows: pd.DataFrame) -> pn.viewable.Viewable:
    """Return rows of the ledger as a table, with file and row first."""
    first = [name for name in _SHOWN if name in rows]
    return plain_table(rows[[*first, *(name for name in rows if name not in first)]])


def plain_table(
    table: pd.DataFrame,
    *,
    on_pick: Callable[[int], None] | None = None,
    titles: Mapping[str, str] | None = None,
    shares: Sequence[str] = (),
    page_size: int = _ROWS,
) -> pn.widgets.Tabulator:
    """Return a table to read, a page at a time.

    Parameters
    ----------
    table : DataFrame
    on_pick : callable, optional
        Called with the number of a row that is selected.
    titles : mapping, optional
        Column -> title; durations are hours.
    shares : sequence of str
        Columns that are shown in percent.
    page_size : int
    """
    shown = table.copy(deep=False)
    formatters: dict[str, Any] = {}
    for name in map(str, shown):
        kind = shown[name].dtype
        if pd.api.types.is_timedelta64_dtype(kind):
            # A number of hours, which can be sorted.
            shown[name] = shown[name].dt.total_seconds() / 3600
            formatters[name] = number_formatter("0,0.[00]")
        elif pd.api.types.is_datetime64_any_dtype(kind):
            formatters[name] = DateFormatter(
                format=date_pattern("%Y-%m-%d %H:%M:%S" if name == "time" and "written" in shown else "%Y-%m-%d %H:%M"),
                nan_format="–",
                null_format="–",
            )
        elif pd.api.types.is_bool_dtype(kind):
            shown[name] = [tr("yes") if one else tr("no") for one in shown[name]]
        elif name in shares:
            formatters[name] = number_formatter("0.[0] %")
        elif pd.api.types.is_float_dtype(kind):
            # Infinite bounds are no numbers in a browser.
            if np.isinf(shown[name]).any():
                shown[name] = [local_number(f"{one:,.4g}") for one in shown[name]]
            else:
                formatters[name] = number_formatter("0,0.[000]")
        elif pd.api.types.is_integer_dtype(kind):
            formatters[name] = number_formatter("0")
        else:
            shown[name] = ["" if one is None or pd.isna(one) else str(one) for one in shown[name]]
    grid = pn.widgets.Tabulator(
        shown,
        # Without buttons for pages where there is one.
        pagination="remote" if len(shown) > page_size else None,
        page_size=page_size,
        show_index=False,
        disabled=True,
        selectable=1 if on_pick is not None else False,
        layout="fit_data_fill",
        formatters=formatters,
        text_align={name: "right" for name, one in formatters.items() if not isinstance(one, DateFormatter)},
        titles={str(name): (titles or {}).get(str(name), tr(str(name).replace("_", " "))) for name in shown},
        stylesheets=[TABLE_SHEET],
        configuration=table_buttons(),
        sizing_mode="stretch_width",
        min_height=90,
        margin=(4, 10),
    )
    if on_pick is not None:
        grid.param.watch(lambda event: on_pick(int(event.new[-1])) if event.new else None, "selection")
    return grid
