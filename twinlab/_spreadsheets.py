"""Tables for spreadsheet programs, CSV and Excel. All writers use this module: text never becomes a formula.

A spreadsheet program evaluates text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a return, so that a note in a table
could run a command. In Excel files such text is stored as text. CSV has no types: an apostrophe is put before such text,
which is what spreadsheet programs themselves use.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.errors import SchemaError, SourceError

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

__all__ = [
    "CELL_TEXT",
    "SHEET_ROWS",
    "csv_header",
    "csv_lines",
    "new_workbook",
    "sheet_names",
    "write_csv",
    "write_csv_tables",
    "write_workbook",
]

#: Row limit of an Excel sheet, including the header.
SHEET_ROWS = 1_048_576
#: Character limit of an Excel cell.
CELL_TEXT = 32_767
_MAX_WIDTH = 60
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
#: Rows of a CSV file that are made into text at once.
_CSV_ROWS = 2**16
#: Characters for which a text is quoted in CSV.
_SPECIAL = re.compile(r'[",\r\n]')
#: Text that a spreadsheet program evaluates; a plain number is none.
_FORMULA = r"^(?![-+]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?$)[=+\-@\t\r]"


def write_csv(table: pd.DataFrame, path: Path | IO[str]) -> None:
    """Write a table as CSV in UTF-8: ISO times in UTC, empty cells for missing values, text that isn't evaluated.

    Times of a column have as many decimals of a second as the most precise of them needs.

    Parameters
    ----------
    table : DataFrame
        Its index isn't written.
    path : Path or text file
        The file; it is overwritten.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "notes.csv"
    >>> write_csv(pd.DataFrame({"note": ["=1+1", "-5", "late"]}), path)
    >>> path.read_text().split()
    ['note', "'=1+1", '-5', 'late']
    """
    safe = table.rename(columns=lambda name: _safe(name) if isinstance(name, str) else name)
    # A bare return isn't quoted by default and would begin a new row.
    returns = any("\r" in str(name) for name in table.columns)
    for place, dtype in enumerate(table.dtypes):
        column = table.iloc[:, place]
        if dtype.kind == "M":
            safe.isetitem(place, _utc_texts(column).array)
        elif isinstance(dtype, (pd.StringDtype, pd.CategoricalDtype)) or dtype.kind == "O":
            # Each distinct text is checked once: a column of asset ids has few.
            texts = {value for value in column if isinstance(value, str)}
            returns = returns or any("\r" in text for text in texts)
            if any(_is_formula(text) for text in texts):
                safe.isetitem(place, [_safe(value) for value in column])
    quoting: Literal[0, 2] = 2 if returns else 0  # csv.QUOTE_NONNUMERIC, csv.QUOTE_MINIMAL
    safe.to_csv(path, index=False, quoting=quoting)


def _utc_texts(times: pd.Series) -> pd.Series:
    """Return times as ISO text in UTC; naive ones are UTC."""
    moments = (times.dt.tz_convert(None) if isinstance(times.dtype, pd.DatetimeTZDtype) else times).to_numpy()
    codes, distinct = pd.factorize(moments)
    unit = next(unit for unit in ("s", "ms", "us", "ns") if (distinct.astype(f"M8[{unit}]") == distinct).all())
    texts = pd.Index(_iso_texts(distinct, unit), dtype="str")
    return pd.Series(pd.Categorical.from_codes(codes, texts), index=times.index)


def _iso_texts(moments: npt.NDArray[np.datetime64], unit: str) -> list[str]:
    """Return instants in UTC as ISO text with the decimals of a unit."""
    found: list[str] = np.datetime_as_string(moments.astype(f"M8[{unit}]"), timezone="UTC").tolist()
    return found


def write_csv_tables(schema: pa.Schema, tables: Iterable[pa.Table], path: Path) -> None:
    """Write Arrow tables one after another as one CSV file, as `write_csv` writes one table; memory is that of one of them.

    Parameters
    ----------
    schema : Schema
        Names and types of the columns: times (ISO in UTC, as precise as their unit, nanoseconds in whole seconds),
        dictionaries of text, floats and integers.
    tables : iterable of Table
        Tables with this schema.
    path : Path
        The file; it is overwritten.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "cells.csv"
    >>> names = pa.array(["=1+1", "late"]).dictionary_encode()
    >>> table = pa.table({"name": names, "value": pa.array([1.0, None])})
    >>> write_csv_tables(table.schema, [table], path)
    >>> path.read_text().split()
    ['name,value', "'=1+1,1.0", 'late,']
    """
    with path.open("wb") as file:
        file.write(csv_header(schema))
        for table in tables:
            for lines in csv_lines(table):
                file.write(lines)


def csv_header(schema: pa.Schema) -> bytes:
    """Return the first line of a CSV file."""
    return (",".join(_csv_texts(schema.names)) + "\n").encode()


def csv_lines(table: pa.Table) -> Iterator[memoryview]:
    """Yield the rows of a table as lines of a CSV file, many at a time."""
    for batch in table.combine_chunks().to_batches(_CSV_ROWS):
        columns = [_csv_column(column) for column in batch.columns]
        if len(columns) == 1:
            # An empty line would be no row.
            columns = [pc.if_else(pc.equal(columns[0], ""), '""', columns[0])]
        columns[-1] = pc.binary_join_element_wise(columns[-1], "\n", "")
        lines = pc.binary_join_element_wise(*columns, ",")
        _, offsets, data = lines.buffers()
        ends = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
        yield memoryview(data)[ends[0] : ends[-1]]


def _csv_column(column: pa.Array) -> pa.Array:
    """Return values as text for a CSV file; a missing one is empty. Each distinct value is written once."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.string()).fill_null("")
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    kind = coded.dictionary.type
    if pa.types.is_timestamp(kind):
        unit = "s" if kind.unit == "ns" else kind.unit
        texts = _iso_texts(coded.dictionary.to_numpy(), unit)
    elif pa.types.is_floating(kind):
        texts = [repr(value) for value in coded.dictionary.to_pylist()]
    else:
        texts = _csv_texts(coded.dictionary.to_pylist())
    return pa.array(texts, pa.string()).take(coded.indices).fill_null("")


def _csv_texts(values: Sequence[str]) -> list[str]:
    """Return texts as cells of a CSV file: none is evaluated, special characters are quoted."""
    safe = (str(_safe(value)) for value in values)
    return ['"{}"'.format(text.replace('"', '""')) if _SPECIAL.search(text) else text for text in safe]


def _is_formula(text: str) -> bool:
    return re.match(_FORMULA, text) is not None


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _is_formula(value) else value


@contextmanager
def new_workbook(path: str | os.PathLike[str] | IO[bytes]) -> Iterator[Workbook]:
    """Open a new Excel file in which text stays text; it is written at the end of the ``with`` block.

    Raises
    ------
    SourceError
        If the package xlsxwriter isn't installed.
    """
    try:
        import xlsxwriter  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = 'writing Excel needs xlsxwriter: pip install "twinlab-kit[excel]"'
        raise SourceError(msg) from error
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(path if hasattr(path, "write") else str(path), options) as book:
        yield book


def write_workbook(path: Path, tables: Mapping[str, pd.DataFrame], *, about: Sequence[tuple[str, str]] = ()) -> None:
    """Write tables to an Excel file, one sheet each, and a sheet *about*.

    Times become Excel dates (UTC), missing values empty cells; text stays text.

    Parameters
    ----------
    path : Path
        The file; it is overwritten.
    tables : mapping of title to DataFrame
        A named index is written too.
    about : sequence of (label, text)
        Rows of the sheet *about*; without them there is none.

    Raises
    ------
    SchemaError
        If a table has more rows than a sheet.
    SourceError
        If the package xlsxwriter isn't installed.
    """
    for title, table in tables.items():
        if len(table) >= SHEET_ROWS:
            msg = (
                f"{title}: an Excel sheet has at most {SHEET_ROWS - 1:,} rows, the table has {len(table):,}; "
                "narrow what is asked for, or export Parquet"
            )
            raise SchemaError(msg)
    with new_workbook(path) as book:
        for name, (title, table) in zip(sheet_names(tables), tables.items(), strict=True):
            _table_sheet(book, name, title, table)
        if about:
            _about_sheet(book, about)


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


def _about_sheet(book: Workbook, rows: Sequence[tuple[str, str]]) -> None:
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
