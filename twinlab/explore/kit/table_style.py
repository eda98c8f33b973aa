"""How all tables look: a row a line, as much of the table as fits."""

from __future__ import annotations

__all__ = ["TABLE_SHEET"]

#: Rows are plain, told apart by a line: in a notebook Tabulator greys every other one. The row under the pointer stays
#: legible on both themes.
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
