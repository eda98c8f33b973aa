"""Export of exceptions as a workbook with editable notes and acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from twinlab._spreadsheets import new_workbook
from twinlab.errors import SchemaError
from twinlab.explore.pages.now.dispatch.fingerprint import (
    ACKNOWLEDGED,
    FINGERPRINT,
    KEY,
    NOTE,
    SHEET,
    cleaned,
    fingerprint,
    with_notes,
)
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

__all__ = ["column_header", "write_sheet"]

#: Exported columns by default.
COLUMNS = ("severity", "title", "asset", "event_id", "text", "since", "raised", "value", "limit", "unit")
_HEADERS = {"title": "What", "event_id": "Event", "text": "Details"}
_COLORS = {"high": ("#D55E00", "#FFFFFF"), "medium": ("#E69F00", "#000000"), "low": ("#F0E442", "#000000")}
_TIME = "yyyy-mm-dd hh:mm"
_MAX_WIDTH, _NOTE_WIDTH = 60, 40


def write_sheet(
    table: pd.DataFrame,
    path: str | PathLike[str] | BinaryIO,
    *,
    at: object,
    title: str,
    columns: Sequence[str] | None = None,
    notes: pd.DataFrame | None = None,
    settings: Mapping[str, str] | None = None,
    code: str = "",
) -> None:
    """Write exceptions to a workbook in which notes and acknowledgements can be edited.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.events.exceptions` returns it, in the order of the rows.
    path : path or binary file
    at : instant
        Time of the exceptions, UTC.
    title : str
        The twin's title.
    columns : sequence of str, optional
        Exported columns of the table, in this order.
    notes : DataFrame, optional
        As ``twin.notes()`` returns them.
    settings : mapping of label to value, optional
        Settings on the sheet *About*.
    code : str
        Python that gives the table, on the sheet *About*.

    Raises
    ------
    SchemaError
        If the table lacks a column or its keys.
    """
    shown = list(columns) if columns is not None else [name for name in COLUMNS if name in table]
    for name in (*shown, "key"):
        if name not in table:
            msg = f"the table of exceptions has no column {name!r}{nearest(name, map(str, table.columns))}"
            raise SchemaError(msg)
    full = with_notes(table, notes)
    with new_workbook(path) as book:
        book.set_properties({"title": f"{title}: exceptions", "created": pd.Timestamp(at).to_pydatetime()})  # type: ignore[arg-type]
        _exceptions(book, full, [name for name in shown if name not in ("note", "acknowledged", "key")])
        _print_setup(book.get_worksheet_by_name(SHEET), f"{title}: exceptions as of {_text(pd.Timestamp(at))} UTC")  # type: ignore[arg-type]
        about = {"Twin": title, "As of (UTC)": _text(pd.Timestamp(at)), "Exceptions": str(len(table))}  # type: ignore[arg-type]
        _about(book, {**about, **(settings or {})}, code)


def _exceptions(book: Workbook, table: pd.DataFrame, shown: Sequence[str]) -> None:
    sheet = book.add_worksheet(SHEET)
    head = book.add_format({"bold": True, "bg_color": "#22313F", "font_color": "#FFFFFF", "valign": "top"})
    editable = book.add_format({"bold": True, "bg_color": "#005A9C", "font_color": "#FFFFFF", "valign": "top"})
    headers = [column_header(name, table[name]) for name in shown]
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]  # columns are named by text
    for place, (name, header) in enumerate(zip(shown, headers, strict=True)):
        sheet.write_string(0, place, header, head)
        _column(book, sheet, place, name, table[name])
        sheet.set_column(place, place, _width(header, table[name]))
    place = len(shown)
    wrapped = book.add_format(
        {"text_wrap": True, "valign": "top", "bg_color": "#EAF3FB", "border": 1, "border_color": "#C5D9EA"}
    )
    hidden = book.add_format({"font_color": "#808080"})
    for extra, header in enumerate((NOTE, ACKNOWLEDGED, KEY, FINGERPRINT)):
        sheet.write_string(0, place + extra, header, editable if extra < 2 else head)
    for number, row in enumerate(rows, start=1):
        note, acknowledged = cleaned(str(row["note"])), bool(row["acknowledged"])
        sheet.write_string(number, place, note, wrapped)
        sheet.write_string(number, place + 1, "yes" if acknowledged else "no", wrapped)
        sheet.write_string(number, place + 2, str(row["key"]), hidden)
        sheet.write_string(number, place + 3, fingerprint(row, note=note, acknowledged=acknowledged), hidden)
    sheet.set_column(place, place, _NOTE_WIDTH)
    sheet.set_column(place + 1, place + 1, 16)
    sheet.set_column(place + 2, place + 3, 24, None, {"hidden": True})
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(rows)), place + 3)
    if rows:
        message = {"input_title": "Acknowledged", "input_message": "yes or no", "error_message": "Type yes or no."}
        sheet.data_validation(
            1, place + 1, len(rows), place + 1, {"validate": "list", "source": ["yes", "no"], **message}
        )


def _print_setup(sheet: Worksheet, heading: str) -> None:
    """Print a sheet on A4 in landscape, as wide as the page, with its first row, a heading and page numbers on each page."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.75, bottom=0.6)
    # Lines between the rows, for who reads and writes on paper.
    sheet.hide_gridlines(0)
    # An ampersand begins a code; 255 characters are the most that Excel reads.
    sheet.set_header(f"&L{heading[:100].replace('&', '&&')}")
    sheet.set_footer("&LPrinted &D &T&RPage &P of &N")


def _column(book: Workbook, sheet: Worksheet, place: int, name: str, values: pd.Series[Any]) -> None:
    top: Format = book.add_format({"valign": "top"})
    number_format = book.add_format({"valign": "top", "align": "right", "indent": 1})
    when = book.add_format({"num_format": _TIME, "valign": "top", "align": "left"})
    severity_formats = {
        severity: book.add_format({"bg_color": fill, "font_color": ink, "bold": True, "valign": "top"})
        for severity, (fill, ink) in _COLORS.items()
    }
    for number, value in enumerate(values.tolist(), start=1):
        if not isinstance(value, str) and pd.isna(value):
            sheet.write_blank(number, place, None, top)
        elif isinstance(value, pd.Timestamp):
            sheet.write_datetime(number, place, value.floor("s").to_pydatetime(), when)
        elif isinstance(value, (bool, str)) or not isinstance(value, (int, float)):
            text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
            sheet.write_string(
                number, place, cleaned(text), severity_formats.get(text, top) if name == "severity" else top
            )
        else:
            sheet.write_number(number, place, round(float(value), 6), number_format)


def column_header(name: str, values: pd.Series) -> str:
    """Return the header of an exported column; times say that they are UTC."""
    title = _HEADERS.get(name, name.replace("_", " ").capitalize())
    return f"{title} (UTC)" if pd.api.types.is_datetime64_any_dtype(values) else title


def _width(header: str, values: pd.Series) -> int:
    if pd.api.types.is_datetime64_any_dtype(values):
        return 18
    longest = max((len(_text(value)) for value in values), default=0)
    return min(_MAX_WIDTH, max(len(header) + 4, longest + 2))


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, pd.Timestamp) else str(value)


def _about(book: Workbook, facts: Mapping[str, str], code: str) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    mono = book.add_format({"font_name": "Courier New", "font_size": 9})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    how = (
        f"Type in the columns {NOTE} and {ACKNOWLEDGED} (yes or no) of the sheet {SHEET}, then read the workbook back. Rows may be "
        "sorted and filtered, columns added and moved. Don't change the hidden columns, which identify the rows."
    )
    number = 0
    for label, value in {**facts, "How to use it": how}.items():
        sheet.write_string(number, 0, label, bold)
        sheet.write_string(number, 1, cleaned(str(value)), wrapped)
        number += 1
    if code:
        sheet.write_string(number + 1, 0, "Python", bold)
        for more, line in enumerate(code.splitlines()):
            sheet.write_string(number + 1 + more, 1, line, mono)
