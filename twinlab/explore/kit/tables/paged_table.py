"""Tables: one style sheet for all, and a table that sends one page at a time, fast at hundreds of thousands of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource
from panel.io.resources import CDN_DIST, CSS_URLS
from panel.models.tabulator import THEME_PATH

from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.tables.table_filters import filter_mask, from_headers
from twinlab.explore.kit.tables.table_order import sort_rows

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TABLE_SHEET", "EventGrid", "table_style_sheets"]

#: One line a row, plain rows with a line between them (in a notebook Tabulator greys every other row), and a row under
#: the pointer that is legible on both themes.
TABLE_SHEET = """
.tabulator-row .tabulator-cell { font-size: 14px; padding: 5px 8px !important; }
.tabulator-row, .tabulator-row .tabulator-cell { min-height: 31px !important; }
.tabulator-row.tabulator-row-even:not(.tabulator-selected) { background-color: transparent !important; }
.tabulator-row { border-bottom: 1px solid rgba(127, 127, 127, 0.25) !important; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-content { padding: 6px 8px !important; }
.tabulator .tabulator-header .tabulator-col .tabulator-col-title { font-size: 14px; }
.tabulator-row.tabulator-selectable:hover:not(.tabulator-selected),
.tabulator-row.tabulator-selectable:hover:not(.tabulator-selected) .tabulator-cell {
  background-color: rgba(127, 127, 127, 0.14) !important; color: inherit !important;
}
"""

#: Empties the inputs in the headers when the server has removed the filters, which Panel's table doesn't. It does so at once:
#: callbacks run after a whole message, and by then Tabulator, whose rows are others, has sent its old filters back.
_EMPTY_HEADERS = """
const empty = () => {
  const table = cb_obj.filters.length ? null : cb_context.index.find_one(cb_obj)?.tabulator
  if (table?.getHeaderFilters().length) table.clearHeaderFilter()
}
if (!cb_obj.empties_headers) {
  cb_obj.empties_headers = true
  cb_obj.on_change(cb_obj.properties.filters, empty)
}
empty()
"""


def table_style_sheets() -> Html:
    """Return an empty pane with the style sheets that all tables share, to be on a page from its beginning.

    In the browser, panel-material-ui adds a sheet to each new table, which sends the table's list of sheets back. Sheets that
    came in the same message as the table are sent whole, and Bokeh warns of a "reference already known". Those that were on
    the page before are sent as references.
    """
    # The theme of tables in the Material design.
    sheets = [CSS_URLS["font-awesome"], f"{CDN_DIST}bundled/datatabulator/{THEME_PATH}tabulator_materialize.min.css"]
    return Html("", width=0, height=0, margin=0, stylesheets=sheets)


class EventGrid(pn.widgets.Tabulator):
    """Tabulator with remote pages that caches the filtered and sorted order of rows.

    Panel's own widget filters, sorts, styles and copies the whole table whenever the page or the selection changes:
    seconds at 300,000 rows, in which no other reader is served. Here the positions of the filtered rows are computed
    once, and a page is a slice of them.
    """

    # Positions of the filtered rows, in the table's order and sorted, and the state for which they were computed.
    _filtered: NDArray[np.intp]
    _order: NDArray[np.intp]
    _computed_for: tuple[object, str, str] | None = None

    def __init__(self, value: pd.DataFrame, **params: Any) -> None:
        super().__init__(value, **params)
        self.jscallback(filters=_EMPTY_HEADERS)

    def clear_filters(self) -> None:
        """Remove the filters in the headers, here and in the browser, and show the first page."""
        self.param.update(filters=[], page=1)

    @property
    def filtered(self) -> NDArray[np.intp]:
        """Positions of the rows that pass the filters in the headers, in the table's own order."""
        self._update_order()
        return self._filtered

    @property
    def current_view(self) -> pd.DataFrame:
        """The filtered rows, sorted."""
        self._update_order()
        return self.value.iloc[self._order]

    def shown_position(self, row: int) -> int:
        """Return the position of a table row among the filtered, sorted rows; -1 if it is filtered out."""
        self._update_order()
        found = np.flatnonzero(self._order == row)
        return int(found[0]) if len(found) else -1

    def _update_order(self) -> None:
        state = (self.value, repr(self.filters), repr(self.sorters))
        before = self._computed_for
        if before is not None and before[0] is state[0] and before[1:] == state[1:]:
            return
        if before is None or before[0] is not state[0] or before[1] != state[1]:
            filters = from_headers(self.filters)
            self._filtered = np.flatnonzero(filter_mask(self.value, filters)) if filters else np.arange(len(self.value))
        self._order = sort_rows(self.value, self._filtered, self.sorters)
        self._computed_for = state

    def _page(self) -> NDArray[np.intp]:
        """Positions of the rows on the shown page."""
        self._update_order()
        size = self.page_size or self.initial_page_size
        return self._order[(self.page - 1) * size : self.page * size]

    def _process_events(self, events: dict[str, Any]) -> None:
        # A new filter starts on the first page.
        super()._process_events({"page": 1, **events} if "filters" in events else events)

    # -- overrides of what Panel does on the whole table --------------------------------------------------------------

    def _get_data(self) -> tuple[Any, dict[str, Any]]:
        rows = self.value.iloc[self._page()]
        data = ColumnDataSource.from_df(rows)
        # Panel uses only the length of the first.
        return self._order, {str(name): self._process_column(values, name, rows) for name, values in data.items()}

    def _validate(self, *events: Any) -> None:
        # Skips what Tabulator adds: a style of the whole table, which isn't used here.
        super(pn.widgets.Tabulator, self)._validate(*events)

    def _update_index_mapping(self) -> None:
        size = self.page_size or self.initial_page_size
        first = (self.page - 1) * size
        self._index_mapping = {first + k: self.value.index[place] for k, place in enumerate(self._page())}

    def _update_selected(self, *events: Any, indices: list[int] | None = None) -> None:  # noqa: ARG002
        selected = set(self.selection)
        here = [k for k, place in enumerate(self._page()) if int(place) in selected]
        super(pn.widgets.Tabulator, self)._update_selected(*events, indices=here)

    def _map_indexes(self, indexes: list[int], existing: list[int] | None = None, add: bool = True) -> list[int]:  # noqa: FBT001, FBT002  (Panel's signature)
        page = self._page()
        rows = [int(page[k]) for k in indexes if k < len(page)]
        selected = list(existing or [])
        return list(dict.fromkeys([*selected, *rows])) if add else [row for row in selected if row not in rows]
