"""CSV and TSV files, streamed: bounded memory, correct row numbers, every row read or reported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from twinlab.errors import SchemaError
from twinlab.sources.base import (
    BATCH_ROWS,
    FileSource,
    Problem,
    RowBatch,
    file_path,
    file_stem,
    problem_text,
    unique_names,
)
from twinlab.sources.opening import open_bytes
from twinlab.sources.parsing.columns import Kind, TextColumns
from twinlab.sources.parsing.decoding import MARK, utf8_blocks
from twinlab.sources.parsing.fast import read_numbers
from twinlab.sources.parsing.layout import equal_rows, is_footer
from twinlab.sources.parsing.numerals import number_test
from twinlab.sources.parsing.records import Cut, cut, spaced, split_cells
from twinlab.sources.parsing.sniffing import Sniffed, sniff
from twinlab.sources.parsing.spans import crossing, slice_columns, slice_line
from twinlab.sources.reading import Reading, reading_from

__all__ = ["DelimitedSource", "csv", "tsv"]

#: Bytes read at a time.
BLOCK = 1 << 22
#: A longer row is an error: the file is no table.
_LONGEST_ROW = 1 << 26
#: Number of last rows that may be a footer.
_FOOTER_ROWS = 5
_MARK = MARK.encode()


@dataclass(frozen=True)
class DelimitedSource(FileSource):
    """A file with cells between delimiters."""

    block: int = BLOCK
    """Bytes read at a time. Fewer give smaller batches, for a caller who needs only the first rows."""

    def sniff(self) -> Sniffed:
        """Return the detected options of the file, and the evidence."""
        return sniff(self.path, reading=self.reading)

    def batches(self) -> Iterator[RowBatch]:
        """Yield the rows in batches of at most 65,536."""
        sniffed = self.sniff()
        reader = _Reader(self, sniffed)
        empty = True
        reserve = max(_FOOTER_ROWS, self.reading.footer_rows or 0)
        for found in _cuts(self.path, sniffed, reserve, self.block):
            for batch in reader.batches(found):
                empty = False
                yield batch
        if empty:
            yield reader.nothing()


def csv(
    path: str | Path,
    *,
    mapping: str | Path | None = None,
    name: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    quote: str | None = None,
    header_rows: Iterable[int] | None = None,
    units_row: int | None = None,
    skip_rows: int | None = None,
    footer_rows: int | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
) -> DelimitedSource:
    """Return a source that reads a CSV file; options that aren't given are detected when it is read.

    Parameters
    ----------
    path : str or Path
        The file, plain, gzipped or alone in a zip archive; opened for reading only.
    mapping : str or Path, optional
        Mapping file of the source; its ``reading`` section is used, options given here take precedence.
    name : str, optional
        Name of the source; the file's stem by default. The table is always named by the file's stem.
    encoding, delimiter, decimal, thousands, quote, header_rows, units_row, skip_rows, footer_rows, missing, text_columns
        See `Reading`.

    Raises
    ------
    SourceError
        If the file doesn't exist; while reading also if it is damaged.
    SchemaError
        If an option is wrong; while reading also if the file is no table.
    """
    found = file_path(path)
    where = Path(mapping) if mapping is not None else None
    reading = reading_from(
        where,
        encoding=encoding,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        quote=quote,
        header_rows=header_rows,
        units_row=units_row,
        skip_rows=skip_rows,
        footer_rows=footer_rows,
        missing=missing,
        text_columns=text_columns,
    )
    return DelimitedSource(found, name or file_stem(found), where, reading)


def tsv(
    path: str | Path,
    *,
    mapping: str | Path | None = None,
    name: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    quote: str | None = None,
    header_rows: Iterable[int] | None = None,
    units_row: int | None = None,
    skip_rows: int | None = None,
    footer_rows: int | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
) -> DelimitedSource:
    """Return a source that reads a tab-separated file; see `csv`."""
    return csv(
        path,
        mapping=mapping,
        name=name,
        encoding=encoding,
        delimiter="\t",
        decimal=decimal,
        thousands=thousands,
        quote=quote,
        header_rows=header_rows,
        units_row=units_row,
        skip_rows=skip_rows,
        footer_rows=footer_rows,
        missing=missing,
        text_columns=text_columns,
    )


def _cuts(path: Path, sniffed: Sniffed, reserve: int, size: int) -> Iterator[tuple[Cut, bool]]:
    """Yield parts of the file's records, and whether a part is the last; the last ``reserve`` records are in the last part."""
    reading = sniffed.reading
    delimiter, quote = _delimiter(reading), reading.quote or ""
    line, rest = 1, b""
    with open_bytes(path) as stream:
        blocks = utf8_blocks(stream, reading.encoding or "utf-8", size=size, path=path)
        block = next(blocks, b"")
        for following in blocks:
            rest = spaced(rest + block, delimiter)
            block = following  # reads one block ahead, so that a small file is one part
            found = cut(rest, delimiter=delimiter, quote=quote, line=line, final=False)
            if len(found.starts) <= reserve:
                _check_row_length(rest, found, path, line)
                continue
            found.shorten(len(found.starts) - reserve)
            rest, line = rest[found.used :], found.next_line
            yield found, False
    yield cut(spaced(rest + block, delimiter), delimiter=delimiter, quote=quote, line=line, final=True), True


def _delimiter(reading: Reading) -> str:
    """Return the delimiter; for fixed width, a character that isn't in any line."""
    return "\x1f" if reading.widths is not None else reading.delimiter or ","


def _check_row_length(rest: bytes, found: Cut, path: Path, line: int) -> None:
    if len(rest) - found.used > _LONGEST_ROW:
        msg = f"{path.name}, row {line}: longer than 64 MiB; expected rows of cells: is this a table of text?"
        raise SchemaError(msg)


class _Reader:
    """Converts records to batches; the types of the columns are the same in all batches."""

    def __init__(self, source: DelimitedSource, sniffed: Sniffed) -> None:
        self.source = source
        self.layout = sniffed.layout
        self.reading = sniffed.reading
        self.names = unique_names([*self.layout.names, *[""] * (self.layout.width - len(self.layout.names))])
        self.width = len(self.names)
        kinds: dict[str, Kind] = dict.fromkeys(self.layout.numbers, "whole")
        self.columns = TextColumns(sniffed.numerals, frozenset(self.reading.text_columns), kinds)
        self.units = {name: unit for name, unit in zip(self.names, self.layout.units, strict=False) if unit}
        # A repeated header is found by its texts, which columns of numbers don't have.
        is_number = number_test(sniffed.numerals)
        self.worded = not any(is_number(text) for cells, _ in self.layout.heads for text in cells)
        self.empty: list[int] = []
        self.waiting = [Problem(1, None, sniffed.reading.encoding or "", text) for text in sniffed.warnings]

    def nothing(self) -> RowBatch:
        """Return a batch without rows, for a table without data."""
        rows = pa.RecordBatch.from_arrays([pa.nulls(0, pa.string())] * self.width, names=self.names)
        return self._batch(rows, np.zeros(0, dtype=np.int64), self._take_waiting())

    def batches(self, stretch: tuple[Cut, bool]) -> Iterator[RowBatch]:
        """Yield the batches of one part of the records."""
        found, final = stretch
        self.waiting += found.problems
        keep = self._keep(found, final=final)
        data = self._text_of(found, keep)
        lines = found.lines[keep]
        if not len(lines):
            if final and self.waiting:
                yield self.nothing()
            return
        data, lines = self._without_crossing(data, lines)
        numbers = self._numbers(data, len(lines))
        cells, lines = self._without_repeats(numbers or self._cells(data, len(lines)), lines)
        for start in range(0, len(lines), BATCH_ROWS):
            part = [column.slice(start, BATCH_ROWS) for column in cells]
            names, arrays = (self.names, part) if numbers else self.columns.convert(self.names, part)
            rows = pa.RecordBatch.from_arrays(arrays, names=names)
            yield self._batch(rows, lines[start : start + BATCH_ROWS], self._take_waiting())

    def _batch(self, rows: pa.RecordBatch, lines: npt.NDArray[np.int64], problems: tuple[Problem, ...]) -> RowBatch:
        return RowBatch(self.source.table, rows, lines, self.units, problems, self.source.path.name, self._take_empty())

    def _take_empty(self) -> tuple[int, ...]:
        taken, self.empty = tuple(sorted(self.empty)), []
        return taken

    def _take_waiting(self) -> tuple[Problem, ...]:
        taken, self.waiting = tuple(self.waiting), []
        return taken

    def _keep(self, found: Cut, *, final: bool) -> npt.NDArray[np.bool_]:
        """Return a mask of the records that are rows of the table; others are reported unless they are blank."""
        blank = found.ends == found.starts
        below = found.lines >= self.layout.first_row
        keep = ~blank & below
        self.empty += found.lines[blank & below].tolist()
        fits = (found.cells == self.width) | (self.reading.widths is not None)
        if not found.data.isascii() and _MARK in found.data:
            for index in np.flatnonzero(keep):
                if _MARK in found.data[found.starts[index] : found.ends[index]]:
                    self._refuse(found, int(index), f"bytes that are not {self.reading.encoding}")
                    keep[index] = False
        footers = self._footers(found, np.flatnonzero(keep)) if final else set()
        for index in np.flatnonzero(keep & ~fits):
            if int(index) not in footers:
                text = found.text(int(index))
                if text.strip():
                    self._refuse(found, int(index), f"{found.cells[index]} cells where {self.width} were expected")
        keep &= fits
        for place in sorted(footers):
            self._refuse(found, place, "a footer, no row of the table")
            keep[place] = False
        return np.asarray(keep, dtype=np.bool_)

    def _footers(self, found: Cut, rows: npt.NDArray[np.int64]) -> set[int]:
        wanted = self.source.reading.footer_rows
        if wanted is not None:
            return {int(index) for index in rows[len(rows) - min(wanted, len(rows)) :]}
        footers = set()
        for place in rows[::-1][:_FOOTER_ROWS].tolist():
            text = found.text(place)
            if self.reading.widths is not None:
                cells = slice_line(text, self.reading.widths)
                cells = [text] if is_footer([text], 0) else cells
            else:
                cells = split_cells(text, delimiter=_delimiter(self.reading), quote=self.reading.quote or "")
            if is_footer(cells, self.width):
                footers.add(place)
        return footers

    def _refuse(self, found: Cut, index: int, reason: str) -> None:
        text = found.text(index).replace(MARK, "")
        self.waiting.append(Problem(int(found.lines[index]), None, problem_text(text), reason))

    def _text_of(self, found: Cut, keep: npt.NDArray[np.bool_]) -> bytes:
        """Return the text of the selected records only."""
        if not len(keep):
            return b""
        if keep.all():
            return found.data if found.origins is not None else found.data[: found.used]
        edges = np.flatnonzero(np.diff(np.concatenate(([False], keep, [False])).astype(np.int8)))
        return b"\n".join(
            [found.data[found.starts[first] : found.ends[stop - 1]] for first, stop in edges.reshape(-1, 2)] + [b""]
        )

    def _numbers(self, data: bytes, size: int) -> list[pa.Array] | None:
        """Return the columns of ``size`` records with their types, if they can be read so without a difference."""
        if self.reading.widths is not None or not self.columns.kinds or not self.worded:
            return None
        columns = read_numbers(
            data,
            self.names,
            {
                name: "text" if name in self.columns.text_columns else self.columns.kinds.get(name)
                for name in self.names
            },
            delimiter=_delimiter(self.reading),
            quote=self.reading.quote or "",
            numerals=self.columns.numerals,
            missing=self.reading.missing,
        )
        return columns if columns is not None and len(columns[0]) == size else None

    def _cells(self, data: bytes, size: int) -> list[pa.Array]:
        """Return the columns of ``size`` records as string arrays, empty cells null."""
        if self.reading.widths is not None:
            return self._slices(data)
        quote = self.reading.quote or ""
        table = pacsv.read_csv(
            pa.py_buffer(data),
            read_options=pacsv.ReadOptions(use_threads=False, block_size=len(data) + 64, column_names=self.names),
            parse_options=pacsv.ParseOptions(
                delimiter=_delimiter(self.reading),
                quote_char=quote or False,
                newlines_in_values=bool(quote),
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in self.names},
                null_values=["", *self.reading.missing],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        if table.num_rows != size:
            msg = f"{self.source.path.name}: {table.num_rows} rows read, expected {size}: report this file as a bug of twinlab"
            raise SchemaError(msg)
        return [column.combine_chunks() for column in table.columns]

    def _without_crossing(self, data: bytes, numbers: npt.NDArray[np.int64]) -> tuple[bytes, npt.NDArray[np.int64]]:
        """Report lines of a fixed-width file that don't fit the detected columns."""
        if self.reading.widths is None or self.source.reading.widths is not None:
            return data, numbers
        lines = _lines(data)
        bad = crossing(lines, self.reading.widths)
        for index in np.flatnonzero(bad):
            reason = "writes across the columns: give widths if the columns are elsewhere"
            self.waiting.append(Problem(int(numbers[index]), None, problem_text(lines[index]), reason))
        return "\n".join([line for line, out in zip(lines, bad, strict=True) if not out]).encode(), numbers[~bad]

    def _slices(self, data: bytes) -> list[pa.Array]:
        columns = slice_columns(_lines(data), self.reading.widths or (1,))
        if not self.reading.missing:
            return columns
        missing, null = pa.array(self.reading.missing, pa.string()), pa.scalar(None, pa.string())
        return [pc.if_else(pc.is_in(column, missing), null, column) for column in columns]

    def _without_repeats(
        self, cells: list[pa.Array], lines: npt.NDArray[np.int64]
    ) -> tuple[list[pa.Array], npt.NDArray[np.int64]]:
        """Report rows that repeat the header or the units, and leave out rows without values."""
        drop = np.ones(len(lines), dtype=bool)
        for column in cells:
            drop &= column.is_null().to_numpy(zero_copy_only=False)
            if not drop.any():
                break
        self.empty += lines[drop].tolist()
        for wanted, reason in self.layout.heads:
            same = equal_rows(cells, wanted)
            for index in np.flatnonzero(same):
                text = _delimiter(self.reading).join(wanted)
                self.waiting.append(Problem(int(lines[index]), None, problem_text(text), reason))
            drop |= same
        if not drop.any():
            return cells, lines
        mask = pa.array(~drop)
        return [column.filter(mask) for column in cells], lines[~drop]


def _lines(data: bytes) -> list[str]:
    return [line for line in re.split(r"\r\n|\n|\r", data.decode("utf-8")) if line]
