"""Fixed-width files: columns at the same character positions in every line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from twinlab.sources.base import file_path, file_stem
from twinlab.sources.delimited import DelimitedSource
from twinlab.sources.parsing.decoding import detect_encoding
from twinlab.sources.parsing.sniffing import detect_delimiter, text_lines
from twinlab.sources.parsing.spans import find_widths
from twinlab.sources.reading import reading_from

__all__ = ["fixed_width", "looks_fixed"]


def fixed_width(
    path: str | Path,
    *,
    widths: Iterable[int] | None = None,
    columns: Iterable[str] | None = None,
    mapping: str | Path | None = None,
    name: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    header_rows: Iterable[int] | None = None,
    units_row: int | None = None,
    skip_rows: int | None = None,
    footer_rows: int | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
) -> DelimitedSource:
    """Return a source that reads a fixed-width file; blanks around a cell are removed.

    Parameters
    ----------
    path, mapping, name, encoding, decimal, thousands, header_rows, units_row, skip_rows, footer_rows, missing, text_columns
        See `csv`.
    widths : iterable of int, optional
        Number of characters of each column from the left; the last column extends to the end of the line. By default
        columns start after positions that are blank in all lines.
    columns : iterable of str, optional
        Names of the columns, if the file has no header (or another).

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
        format="fixed_width",
        encoding=encoding,
        decimal=decimal,
        thousands=thousands,
        header_rows=header_rows,
        units_row=units_row,
        skip_rows=skip_rows,
        footer_rows=footer_rows,
        missing=missing,
        text_columns=text_columns,
        widths=widths,
        columns=columns,
    )
    return DelimitedSource(found, name or file_stem(found), where, reading)


def looks_fixed(head: bytes) -> bool:
    """Return whether the start of a file has columns at fixed positions, and no delimiter."""
    encoding, _ = detect_encoding(head, complete=False)
    lines = text_lines(head, encoding, complete=False)
    if len(lines) < 3:
        return False
    text = "\n".join(line for _, line in lines).encode()
    mark, _, share = detect_delimiter(text, '"', 0, final=True)
    return share < 0.8 and mark != " " and len(find_widths([line for _, line in lines])) > 1
