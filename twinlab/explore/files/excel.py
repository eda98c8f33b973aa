"""Export of a view's tables to Excel, with settings and code on an *about* sheet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import twinlab
from twinlab.errors import SchemaError, SourceError
from twinlab.explore.files.atomic_write import check_suffix, write_atomically

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from twinlab.explore.files.exportable import Exportable

__all__ = ["about_rows", "sheet_names", "write_excel"]

#: Row limit of an Excel sheet, including the header.
SHEET_ROWS = 1_048_576
#: Character limit of an Excel cell.
CELL_TEXT = 32_767
_MAX_WIDTH = 60
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")


def write_excel(view: Exportable, path: Path) -> Path:
    """Write the tables of a view, one sheet each, and an *about* sheet.

    Times become Excel dates (UTC, as the titles say); text stays text, even if it looks like a formula.

    Raises
    ------
    SchemaError
        If the suffix isn't ``.xlsx``, nothing is shown, or a table has more rows than a sheet.
    SourceError
        If the package xlsxwriter isn't installed.
    """
    check_suffix(path, (".xlsx",), "an Excel file")
    tables = {name: table for name, table in view.tables().items() if len(table.columns)}
    if not tables:
        msg = "nothing is shown, so there is nothing to write; choose something first"
        raise SchemaError(msg)
    for name, table in tables.items():
        if len(table) >= SHEET_ROWS:
            msg = (
                f"{name}: an Excel sheet has at most {SHEET_ROWS - 1:,} rows, the table has {len(table):,}; "
                "narrow what is shown, or export Parquet"
            )
            raise SchemaError(msg)
    try:
        import xlsxwriter  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = 'writing Excel needs xlsxwriter: pip install "twinlab-kit[excel]"'
        raise SourceError(msg) from error

    def write(draft: Path) -> None:
        options = {
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
            "constant_memory": False,
        }
        with xlsxwriter.Workbook(draft, options) as book:
            for name, (title, table) in zip(sheet_names(tables), tables.items(), strict=True):
                _table_sheet(book, name, title, table)
            _about_sheet(book, about_rows(view))

    return write_atomically(path, write)


def sheet_names(titles: Iterable[str]) -> list[str]:
    """Return valid, unique sheet names: at most 31 characters, no special ones, and not *about*.

    >>> sheet_names(["a/b", "A b", ""])
    ['a b', 'A b 2', 'data']
    """
    taken = {"about", "history"}  # Excel reserves the latter.
    out = []
    for title in titles:
        plain = _FORBIDDEN.sub(" ", title).strip().strip("'") or "data"
        name, number = plain[:31], 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain[: 30 - len(str(number))]} {number}"
        taken.add(name.casefold())
        out.append(name)
    return out


def about_rows(view: Exportable) -> list[tuple[str, str]]:
    """Return the rows of the *about* sheet: twin, newest data, settings, link and code."""
    model = view.twin.model
    latest = view.shared.latest()
    rows = [
        ("twin", model.title or model.twin),
        ("data up to", "no data" if latest is None else f"{pd.Timestamp(latest):%Y-%m-%d %H:%M:%S} UTC"),
        ("written", f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, twinlab {twinlab.__version__}"),
        *view.settings().items(),
        ("link", view.url()),
    ]
    return [*rows, *((("code" if not number else ""), line) for number, line in enumerate(view.code().splitlines()))]


def _about_sheet(book: Workbook, rows: list[tuple[str, str]]) -> None:
    sheet = book.add_worksheet("about")
    bold = book.add_format({"bold": True, "valign": "top"})
    plain = book.add_format({"text_wrap": False})
    code = book.add_format({"font_name": "Consolas"})
    in_code = False
    for row, (label, text) in enumerate(rows):
        in_code = in_code or label == "code"
        sheet.write_string(row, 0, label, bold)
        sheet.write_string(row, 1, text[:CELL_TEXT], code if in_code else plain)
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 100)


def _table_sheet(book: Workbook, name: str, title: str, table: pd.DataFrame) -> None:
    sheet = book.add_worksheet(name)
    sheet.set_header(f"&L{title.replace('&', '&&')}&RPage &P of &N")
    head = book.add_format(
        {"bold": True, "bg_color": "#005A8C", "font_color": "#FFFFFF", "text_wrap": True, "valign": "top"}
    )
    formats: Mapping[str, Any] = {
        "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "whole": book.add_format({"num_format": "0"}),
    }
    flat = table.reset_index() if table.index.name is not None else table
    for number, column in enumerate(flat.columns):
        sheet.write_string(0, number, str(column), head)
        width = _write_column(sheet, number, flat[column], formats)
        sheet.set_column(number, number, min(_MAX_WIDTH, max(width, len(str(column)), 6) + 2))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(flat), len(flat.columns) - 1)


def _write_column(sheet: Worksheet, number: int, column: pd.Series[Any], formats: Mapping[str, Any]) -> int:
    """Write one column under its title, missing values as empty cells; return the width of the widest text."""
    rows = np.flatnonzero(column.notna().to_numpy()) + 1
    values = column[column.notna()]
    if pd.api.types.is_datetime64_any_dtype(column):
        stamps = values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values
        for row, stamp in zip(rows.tolist(), stamps.dt.floor("ms").dt.to_pydatetime(), strict=True):
            sheet.write_datetime(row, number, stamp, formats["time"])
        return 19
    if pd.api.types.is_bool_dtype(column):
        for row, value in zip(rows.tolist(), values, strict=True):
            sheet.write_boolean(row, number, bool(value))
        return 6
    if pd.api.types.is_numeric_dtype(column):
        style = formats["whole"] if pd.api.types.is_integer_dtype(column) else None
        for row, value in zip(rows.tolist(), values.tolist(), strict=True):
            if np.isfinite(value):
                sheet.write_number(row, number, value, style)
            else:
                sheet.write_string(row, number, str(value))
        return 10
    texts = [str(value)[:CELL_TEXT] for value in values]
    for row, text in zip(rows.tolist(), texts, strict=True):
        sheet.write_string(row, number, text)
    return max(map(len, texts), default=0)
