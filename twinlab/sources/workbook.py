"""Excel workbooks: one table per sheet; dates by the workbook's epoch; formulas by the values that Excel saved."""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, Self

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook

from twinlab.errors import SchemaError
from twinlab.sources.base import (
    FileSource,
    Problem,
    RowBatch,
    file_path,
    file_stem,
    problem_text,
    unique_names,
)
from twinlab.sources.opening import kind_of, unreadable
from twinlab.sources.parsing.layout import Layout, Row, find_layout, is_footer
from twinlab.sources.parsing.number_formats import detect_numerals
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.sniffing import Sniffed, given_layout
from twinlab.sources.parsing.values import ValueColumns, value_text
from twinlab.sources.reading import Reading, reading_from

__all__ = ["ExcelSource", "excel"]

#: Maximal number of rows of a batch: Python objects are large.
_ROWS = 16_384
_SAMPLE_ROWS = 300
_FOOTER_ROWS = 5
#: Reason of the problem for a formula without a saved value.
_NO_VALUE = "a formula without a saved value: open the workbook in Excel, save it, and read it again"

# openpyxl raises the second line for parts of a workbook that lack others, such as a chart sheet without a drawing, and for
# damaged parts. SyntaxError is the base of the parsers' errors, that of the standard library and that of lxml.
_READ_ERRORS = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, InvalidFileException, SyntaxError,
    AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RuntimeError,
)  # fmt: skip

#: Number and values of a row of a sheet.
SheetRow = tuple[int, list[Any]]


def excel(
    path: str | Path,
    *,
    mapping: str | Path | None = None,
    name: str | None = None,
    sheet: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    header_rows: Iterable[int] | None = None,
    units_row: int | None = None,
    skip_rows: int | None = None,
    footer_rows: int | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
) -> ExcelSource:
    """Return a source that reads an Excel workbook (.xlsx, .xlsm); each sheet is a table.

    Cells that Excel shows as dates become timestamps (by the 1900 or 1904 epoch of the workbook); a serial number
    that isn't formatted as a date stays a number. Errors such as ``#N/A`` stay text. Hidden rows are read. A formula
    has the value that Excel saved; without a saved value it is a Problem.

    Parameters
    ----------
    path, mapping, name
        See `csv`.
    sheet : str, optional
        Read only this sheet.
    decimal, thousands
        Format of numbers in text cells.
    header_rows, units_row, skip_rows, footer_rows, missing, text_columns
        See `Reading`; they apply to every sheet that is read.

    Raises
    ------
    SourceError
        If the file doesn't exist; while reading also if it is damaged.
    SchemaError
        While reading, if it is no such workbook, or has no such sheet.
    """
    found = file_path(path)
    where = Path(mapping) if mapping is not None else None
    reading = reading_from(
        where,
        sheet=sheet,
        decimal=decimal,
        thousands=thousands,
        header_rows=header_rows,
        units_row=units_row,
        skip_rows=skip_rows,
        footer_rows=footer_rows,
        missing=missing,
        text_columns=text_columns,
    )
    return ExcelSource(found, name or file_stem(found), where, reading)


class ExcelSource(FileSource):
    """An Excel workbook."""

    def sheets(self) -> dict[str, Sniffed]:
        """Return the detected layout of each sheet that isn't empty, and the evidence."""
        with _Book(self.path) as book:
            return {sheet: found for sheet in book.tables(self.reading) if (found := self._sniff(book, sheet))}

    def batches(self) -> Iterator[RowBatch]:
        """Yield the rows of all sheets (or of the selected one)."""
        empty = True
        with _Book(self.path) as book:
            for sheet in book.tables(self.reading):
                found = self._sniff(book, sheet)
                if found is not None:
                    empty = False
                    yield from _Sheet(self, sheet, found).batches(book.rows(sheet))
        if empty:
            msg = f"{self.path.name}: no sheet has a row; expected at least a header: check the workbook"
            raise SchemaError(msg)

    def _sniff(self, book: _Book, sheet: str) -> Sniffed | None:
        head = list(islice(book.rows(sheet, values_alone=True), _SAMPLE_ROWS))
        skip = self.reading.skip_rows or 0
        rows = [(number, values) for number, values in head if number > skip and any(map(_filled, values))]
        if not rows:
            return None
        texts = [value for _, values in rows for value in values if isinstance(value, str)]
        evidence: list[str] = []
        numerals = Numerals(self.reading.decimal or ".", self.reading.thousands or "")
        if self.reading.decimal is None:
            numerals, evidence = detect_numerals(texts)
        width = max(_width(values) for _, values in rows)
        grid: list[Row] = [
            (number, [_shown(value, numerals) for value in values[:width]] + [""] * (width - len(values)))
            for number, values in rows
        ]
        layout = given_layout(self.reading, grid, find_layout(grid, numerals), self.path)
        options = self.reading.merged(Reading(format="excel", sheet=sheet, header_rows=layout.header_rows))
        epoch = f"dates count from {book.epoch_year}"
        return Sniffed(options, layout, numerals, (*layout.evidence, *evidence, epoch))


def _filled(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _width(values: list[Any]) -> int:
    return max((index for index, value in enumerate(values, start=1) if _filled(value)), default=0)


def _shown(value: object, numerals: Numerals) -> str:
    """Return a cell as text for the detection of the layout: numbers in the format of text cells."""
    if value is None:
        return ""
    text = value_text(value)
    return text.replace(".", numerals.decimal) if isinstance(value, float) else text


@dataclass(frozen=True)
class _Formula:
    """A formula without a saved value."""

    text: str


class _Book:
    """A workbook opened for reading, row by row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kind = kind_of(path)
        if kind != "excel":
            hint = "an old .xls or password-protected workbook: save it as .xlsx without one" if kind == "xls" else kind
            msg = (
                f"{path.name}: not an Excel workbook (.xlsx) but {hint}; expected sheets: use open_source or export it"
            )
            raise SchemaError(msg)
        self.stream = path.open("rb")
        self.values = self._load(data_only=True)
        self.formulas: Workbook | None = None
        self.epoch_year = self.values.epoch.year + (self.values.epoch.year < 1900)

    def _load(self, *, data_only: bool) -> Workbook:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about styles and extensions, which don't affect values
                return openpyxl.load_workbook(self.stream, read_only=True, data_only=data_only, keep_links=False)
        except _READ_ERRORS as error:
            self.stream.close()
            raise unreadable(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.values.close()
        if self.formulas is not None:
            self.formulas.close()
        self.stream.close()

    def tables(self, reading: Reading) -> list[str]:
        """Return the names of the sheets to read."""
        names = [sheet.title for sheet in self.values.worksheets]
        if reading.sheet is None:
            return names
        if reading.sheet not in names:
            msg = f"{self.path.name}: no sheet {reading.sheet!r}; its sheets are {', '.join(map(repr, names))}: correct sheet"
            raise SchemaError(msg)
        return [reading.sheet]

    def rows(self, sheet: str, *, values_alone: bool = False) -> Iterator[SheetRow]:
        """Yield a sheet's rows with their numbers; formulas without a saved value are _Formula."""
        values = self._rows(self.values, sheet)
        if values_alone or not self._has_formulas(sheet):
            yield from values
            return
        if self.formulas is None:
            self.formulas = self._load(data_only=False)
        for (number, row), (_, written) in zip(values, self._rows(self.formulas, sheet), strict=False):
            yield number, [_value(value, text) for value, text in zip_longest(row, written)]

    def _rows(self, book: Workbook, sheet: str) -> Iterator[SheetRow]:
        page: Any = book[sheet]
        page.reset_dimensions()  # the size stated in the file may be wrong, which would cut off rows
        rows = page.iter_rows(values_only=True)
        number = 0
        while True:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    part = list(islice(rows, 1000))
            except _READ_ERRORS as error:
                raise unreadable(self.path, error) from error
            if not part:
                return
            for row in part:
                number += 1
                yield number, list(row)

    def _has_formulas(self, sheet: str) -> bool:
        page: Any = self.values[sheet]
        try:
            with page._get_source() as stream:  # noqa: SLF001 - the sheet's XML; openpyxl has no public way to it
                tail = b""
                while block := stream.read(1 << 20):
                    if b"<f>" in tail + block or b"<f " in tail + block or b"<f/" in tail + block:
                        return True
                    tail = block[-4:]
        except _READ_ERRORS as error:
            raise unreadable(self.path, error) from error
        return False


def _value(value: object, written: object) -> object:
    if value is None and written is not None:
        text = getattr(written, "text", written)
        if isinstance(text, str) and text.startswith("="):
            return _Formula(text)
    return value


class _Sheet:
    """Converts the rows of one sheet to batches."""

    def __init__(self, source: ExcelSource, table: str, found: Sniffed) -> None:
        self.source = source
        self.table = table
        self.layout: Layout = found.layout
        width = self.layout.width
        self.names = unique_names([*self.layout.names, *[""] * (width - len(self.layout.names))])
        reading = source.reading
        self.columns = ValueColumns(found.numerals, frozenset(reading.text_columns), frozenset(reading.missing))
        self.units = {name: unit for name, unit in zip(self.names, self.layout.units, strict=False) if unit}
        self.heads = {cells: reason for cells, reason in self.layout.heads if any(cells)}
        self.problems: list[Problem] = []
        # Numbers of the empty rows above a row with a value; a sheet may have any number of them below its last one.
        self.empty: list[int] = []

    def batches(self, rows: Iterator[SheetRow]) -> Iterator[RowBatch]:
        """Yield the sheet's data rows; the last few are checked for footers."""
        hold = max(_FOOTER_ROWS, self.source.reading.footer_rows or 0)
        kept: list[SheetRow] = []
        yielded = False
        for row in self._table_rows(rows):
            kept.append(row)
            if len(kept) >= _ROWS + hold:
                yield self._batch(kept[:_ROWS])
                yielded, kept = True, kept[_ROWS:]
        kept = self._without_footers(kept)
        if kept or self.problems or not yielded:
            yield self._batch(kept)

    def _table_rows(self, rows: Iterator[SheetRow]) -> Iterator[SheetRow]:
        blank: list[int] = []
        for number, values in rows:
            if number < self.layout.first_row:
                continue
            if not any(map(_filled, values)):
                blank.append(number)
                continue
            self.empty += blank
            blank = []
            again = self._again(values)
            if again is not None:
                self._refuse(number, values, again)
            elif _width(values) > len(self.names):
                self._refuse(number, values, f"{_width(values)} cells where {len(self.names)} were expected")
            else:
                row = self._checked(number, values)
                if any(map(_filled, row)):
                    yield number, row

    def _again(self, values: list[Any]) -> str | None:
        """Return which row of header or units this row repeats; None if it repeats none."""
        if not all(isinstance(value, str) for value in values if value is not None):
            return None
        width = len(self.names)
        return self.heads.get(tuple(([value.strip() if value else "" for value in values] + [""] * width)[:width]))

    def _checked(self, number: int, values: list[Any]) -> list[Any]:
        row = values[: len(self.names)] + [None] * (len(self.names) - len(values))
        for index, value in enumerate(row):
            if isinstance(value, _Formula):
                where = f"{get_column_letter(index + 1)}{number}"
                self.problems.append(
                    Problem(number, self.names[index], problem_text(value.text), f"{where}: {_NO_VALUE}")
                )
                row[index] = None
        return row

    def _refuse(self, number: int, values: list[Any], reason: str) -> None:
        text = "\t".join("" if value is None else value_text(value) for value in values)
        self.problems.append(Problem(number, None, problem_text(text), reason))

    def _without_footers(self, rows: list[SheetRow]) -> list[SheetRow]:
        wanted = self.source.reading.footer_rows
        if wanted is not None:
            first = max(0, len(rows) - wanted)
            bad = set(range(first, len(rows)))
        else:
            last = range(max(0, len(rows) - _FOOTER_ROWS), len(rows))
            bad = {index for index in last if self._is_footer(rows[index][1])}
        for index in sorted(bad):
            self._refuse(*rows[index], "a footer, no row of the table")
        return [row for index, row in enumerate(rows) if index not in bad]

    def _is_footer(self, values: list[Any]) -> bool:
        cells = ["" if value is None else value_text(value) for value in values]
        alone = sum(map(_filled, values)) == 1 and bool(cells[0].strip())
        return isinstance(values[0], str) and is_footer(
            cells[:1] if alone and len(cells) > 1 else cells, len(self.names)
        )

    def _batch(self, rows: list[SheetRow]) -> RowBatch:
        values = {name: [row[index] for _, row in rows] for index, name in enumerate(self.names)}
        names, arrays = self.columns.convert(values)
        schema = pa.schema([pa.field(name, array.type) for name, array in zip(names, arrays, strict=True)])
        numbers = np.array([number for number, _ in rows], dtype=np.int64)
        problems, self.problems = tuple(self.problems), []
        empty, self.empty = tuple(self.empty), []
        batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
        return RowBatch(self.table, batch, numbers, self.units, problems, self.source.path.name, empty)
