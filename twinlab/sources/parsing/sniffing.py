"""Detect the syntax of a text file: encoding, delimiter, header, units, decimal comma, with the evidence for each."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from twinlab.errors import SchemaError
from twinlab.sources.base import file_path
from twinlab.sources.opening import kind_of, open_bytes, read_some
from twinlab.sources.parsing.decoding import check_encoding, detect_encoding, is_binary, utf8_text
from twinlab.sources.parsing.layout import Layout, Row, find_layout, join_header, repeatable
from twinlab.sources.parsing.number_formats import detect_numerals
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.records import Cut, cut, spaced, split_cells
from twinlab.sources.parsing.spans import evenly_spaced, find_widths, is_ruler, slice_line
from twinlab.sources.reading import Reading

__all__ = ["Sniffed", "sniff"]

#: Number of bytes that are read; more if the first lines are longer.
SAMPLE = 1 << 18
_LONGEST = 1 << 26
#: Number of bytes in which the encoding is checked.
_ENCODING_SAMPLE = 1 << 23
_ROWS = 500
# In order of preference at equal evidence: a comma is often part of a number, a tab never.
_DELIMITERS = ("\t", ";", "|", ",")

_NOT_TEXT = {
    "excel": "an Excel workbook: use sources.excel",
    "parquet": "a Parquet file: use sources.parquet",
    "sqlite": "an SQLite database: use sources.sql",
    "xls": "an old Excel (.xls) or password-protected workbook: save it as .xlsx without a password",
}


@dataclass(frozen=True)
class Sniffed:
    """Detected syntax of a file, with the evidence."""

    reading: Reading
    """All options, detected or given."""
    layout: Layout
    numerals: Numerals
    evidence: tuple[str, ...]
    """One sentence per finding, for people."""
    warnings: tuple[str, ...] = ()
    """Findings that contradict declared options."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns as written."""
        return self.layout.names


def sniff(path: str | Path, *, reading: Reading | None = None) -> Sniffed:
    """Detect the syntax of a text file.

    Parameters
    ----------
    path : str or Path
        A text file, plain, gzipped or alone in a zip archive.
    reading : Reading, optional
        Options that are already known; they aren't detected.

    Returns
    -------
    Sniffed
        The options and the evidence for them.

    Raises
    ------
    SourceError
        If the file can't be read.
    SchemaError
        If it is empty or no table of text.
    """
    found = file_path(path)
    given = reading or Reading()
    refuse_other_kinds(found)
    with open_bytes(found) as stream:
        sample = read_some(stream, SAMPLE, found)
        return _sniff_stream(stream, sample, given, found)


def refuse_other_kinds(path: Path) -> None:
    """Raise SchemaError if the file isn't text by its first bytes."""
    kind = kind_of(path)
    if kind == "empty":
        msg = f"{path.name}: the file is empty; expected at least a header row: export it again"
        raise SchemaError(msg)
    if kind not in {"text", "gzip", "zip"}:
        msg = f"{path.name}, row 1: not a table of text, but {_NOT_TEXT.get(kind, 'a ' + kind + ' file: export it as CSV')}"
        raise SchemaError(msg)


def _sniff_stream(stream: IO[bytes], sample: bytes, given: Reading, path: Path) -> Sniffed:
    if not sample:
        msg = f"{path.name}: the file is empty; expected at least a header row: export it again"
        raise SchemaError(msg)
    more = read_some(stream, _ENCODING_SAMPLE - SAMPLE, path) if len(sample) == SAMPLE else b""
    complete = len(sample) + len(more) < _ENCODING_SAMPLE
    encoding, evidence = detect_encoding(sample + more, complete=complete)
    warnings: list[str] = []
    if given.encoding:
        warning = check_encoding(given.encoding, sample + more, complete=complete, file=path.name)
        warnings += [warning] if warning else []
        encoding, evidence = given.encoding, f"encoding {given.encoding}: declared"
    if is_binary(sample, encoding):
        msg = f"{path.name}, row 1: not a table of text, its bytes are binary; expected rows of cells: export it as CSV"
        raise SchemaError(msg)
    text = utf8_text(sample, encoding, complete=not more)
    if more and text.count(b"\n") + text.count(b"\r") < 2:
        text = utf8_text(sample + more, encoding, complete=complete)
        more = b"" if complete else more
    found = replace(given, encoding=encoding)
    return _sniff_text(text, found, evidence, tuple(warnings), final=not more, path=path)


def _sniff_text(
    text: bytes, given: Reading, encoding: str, warnings: tuple[str, ...], *, final: bool, path: Path
) -> Sniffed:
    if given.format == "fixed_width" or given.widths is not None:
        return _sniff_fixed(text, given, encoding, warnings, final=final, path=path)
    evidence = [encoding]
    quote = '"' if given.quote is None else given.quote
    delimiter = given.delimiter
    if delimiter is None:
        delimiter, why, _ = detect_delimiter(text, quote, given.skip_rows or 0, final=final)
        evidence.append(why)
    rows = sample_rows(text, delimiter, quote, given.skip_rows or 0, final=final)
    if not rows and text.strip():
        msg = f"{path.name}, row 1: no row splits into cells at {delimiter!r}; is a quote not closed? Give delimiter or quote"
        raise SchemaError(msg)
    if not rows:
        raise _no_rows(path)
    kind = given.format or ("tsv" if delimiter == "\t" else "csv")
    options = replace(given, format=kind, delimiter=delimiter, quote=quote)
    return _with_layout(options, rows, tuple(evidence), warnings, path)


def _sniff_fixed(
    text: bytes, given: Reading, encoding: str, warnings: tuple[str, ...], *, final: bool, path: Path
) -> Sniffed:
    lines = [item for item in text_lines(text, "utf-8", complete=final) if item[0] > (given.skip_rows or 0)]
    if not lines:
        raise _no_rows(path)
    widths = given.widths or find_widths([line for _, line in lines])
    rulers = {number for number, line in lines if is_ruler(line)}
    rows = _sliced([item for item in lines if item[0] not in rulers], widths, titles=given.widths is None)
    evidence = (encoding, f"{len(widths)} columns at fixed places, of {', '.join(map(str, widths))} characters")
    options = replace(given, format="fixed_width", delimiter=None, quote="", widths=widths)
    found = _with_layout(options, rows, evidence, warnings, path)
    first = found.layout.first_row
    while first in rulers:
        first += 1
    return replace(found, layout=replace(found.layout, first_row=first))


def _sliced(lines: list[tuple[int, str]], widths: tuple[int, ...], *, titles: bool) -> list[Row]:
    """Return the cells of lines; a line at the top that extends across columns (a title) is one cell."""
    starts = list(itertools.accumulate(widths[:-1]))
    rows: list[Row] = []
    for number, line in lines:
        titles = titles and any(line[at - 1 : at].strip() for at in starts)
        rows.append((number, [line.strip()] + [""] * len(starts) if titles else slice_line(line, widths)))
    return rows


def _with_layout(
    options: Reading, rows: list[Row], evidence: tuple[str, ...], warnings: tuple[str, ...], path: Path
) -> Sniffed:
    numerals, why_numbers = _numerals(options, rows)
    layout = given_layout(options, rows, find_layout(rows, numerals), path)
    reading = replace(
        options,
        decimal=numerals.decimal,
        thousands=numerals.thousands,
        header_rows=layout.header_rows,
        units_row=layout.units_row,
        skip_rows=layout.first_row - 1 if not layout.header_rows else layout.header_rows[0] - 1,
    )
    return Sniffed(reading, layout, numerals, (*evidence, *layout.evidence, *why_numbers), warnings)


def text_lines(sample: bytes, encoding: str, *, complete: bool) -> list[tuple[int, str]]:
    """Return the lines at the start of a file that aren't blank, with numbers; an incomplete last line is left out."""
    lines = utf8_text(sample, encoding, complete=complete).decode("utf-8").splitlines()
    if not complete and len(lines) > 1:
        lines = lines[:-1]
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()][:_ROWS]


def _no_rows(path: Path) -> SchemaError:
    return SchemaError(f"{path.name}: contains no rows; expected at least a header row: export it again")


def _numerals(given: Reading, rows: list[Row]) -> tuple[Numerals, list[str]]:
    if given.decimal is not None:
        return Numerals(given.decimal, given.thousands or ""), []
    if given.thousands:
        return Numerals("," if given.thousands == "." else ".", given.thousands), []
    numerals, evidence = detect_numerals([cell for _, cells in rows for cell in cells])
    return (numerals, evidence) if given.thousands is None else (Numerals(numerals.decimal), evidence)


def sample_rows(text: bytes, delimiter: str, quote: str, skip: int, *, final: bool) -> list[Row]:
    """Return the first rows that aren't blank, each with its 1-based number."""
    found = cut(spaced(text, delimiter), delimiter=delimiter, quote=quote, line=1, final=final)
    rows = []
    for index in range(min(len(found.starts), _ROWS + skip)):
        if int(found.lines[index]) <= skip:
            continue
        cells = split_cells(found.text(index), delimiter=delimiter, quote=quote)
        if any(cell.strip() for cell in cells):
            rows.append((int(found.lines[index]), cells))
    return rows


def detect_delimiter(text: bytes, quote: str, skip: int, *, final: bool) -> tuple[str, str, float]:
    """Return the delimiter that gives most rows the same number (two or more) of cells, the evidence, and their share."""
    first = text[:64].split(b"\n")[0].strip()
    if first.lower().startswith(b"sep=") and len(first) == 5:
        mark = first[4:].decode()
        return mark, f"delimiter {mark!r}: the first line says so", 1.0
    best, share, shown = ",", 0.0, "one column: no delimiter splits the rows alike"
    for mark in _DELIMITERS:
        if mark.encode() not in text:
            continue
        found = cut(text, delimiter=mark, quote=quote, line=1, final=final)
        cells = _cells_below(found, skip)
        width, count = Counter(cells).most_common(1)[0] if cells else (1, 0)
        if width < 2:
            wide = Counter(cell for cell in cells if cell > 1)
            width, count = wide.most_common(1)[0] if wide else (1, 0)
        now = count / max(1, len(cells))
        if width > 1 and now > share + 1e-9:
            best, share = mark, now
            shown = f"delimiter {mark!r}: {count} of {len(cells)} rows have {width} cells"
    if share < 0.5:
        lines = [line for number, line in text_lines(text, "utf-8", complete=final) if number > skip]
        if evenly_spaced(lines):
            return " ", f"delimiter ' ': all {len(lines)} rows have {len(lines[-1].split())} words", 1.0
    return best, shown, share


def _cells_below(found: Cut, skip: int) -> list[int]:
    keep = (found.ends > found.starts) & (found.lines > skip)
    return [int(cells) for cells in found.cells[keep][:_ROWS]]


def given_layout(given: Reading, rows: list[Row], found: Layout, path: Path) -> Layout:
    """Return the layout with declared options of header and units in place of detected ones."""
    header, units_row, names, units = found.header_rows, found.units_row, found.names, found.units
    by_number = dict(rows)
    if given.header_rows is not None:
        header = given.header_rows
        absent = [number for number in header if number not in by_number]
        if absent:
            msg = f"{path.name}, row {absent[0]}: no header there (the row is blank or missing): correct header_rows"
            raise SchemaError(msg)
        names = join_header([by_number[number] for number in header], found.width) if header else ("",) * found.width
        if not header or units_row <= header[-1]:
            units_row, units = 0, ()
    if given.units_row is not None:
        units_row = given.units_row
        units = tuple(cell.strip().strip("[]()") for cell in by_number.get(units_row, []))
    if given.columns is not None:
        names = given.columns
        if len(names) > found.width:
            msg = f"{path.name}: columns names {len(names)} columns, its rows have {found.width} cells: correct columns"
            raise SchemaError(msg)
    width = found.width if header == found.header_rows else max(found.width, len(names))
    last = max([units_row, *header, given.skip_rows or 0])
    first = last + 1 if last or given.header_rows is not None else found.first_row
    heads = found.heads
    if header != found.header_rows or units_row != found.units_row:
        written = [by_number[number] for number in header if number in by_number]
        heads = repeatable(written, by_number.get(units_row), width)
    return replace(
        found,
        header_rows=header,
        units_row=units_row,
        names=names,
        units=units,
        first_row=first,
        width=width,
        heads=heads,
    )
