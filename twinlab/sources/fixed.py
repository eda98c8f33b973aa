"""Fixed-width files: columns at the same character places in every line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from twinlab.sources.base import file_path, file_stem
from twinlab.sources.delimited import DelimitedSource
from twinlab.sources.reading import reading_from
from twinlab.sources.base import RowBatch

__all__ = ["FixedWidthSource", "fixed_width"]


class FixedWidthSource(DelimitedSource):
    """placeholder"""

    def batches(self) -> Iterator[RowBatch]:
        raise NotImplementedError


def fixed_width(path: str | Path, *, mapping: str | Path | None = None, name: str | None = None, encoding: str | None = None, widths: Iterable[int] | None = None, columns: Iterable[str] | None = None, decimal: str | None = None, thousands: str | None = None, header_rows: Iterable[int] | None = None, units_row: int | None = None, skip_rows: int | None = None, footer_rows: int | None = None, missing: Iterable[str] = (), text_columns: Iterable[str] = ()) -> FixedWidthSource:
    found = file_path(path)
    where = Path(mapping) if mapping is not None else None
    reading = reading_from(where, encoding=encoding, widths=widths, columns=columns, decimal=decimal, thousands=thousands, header_rows=header_rows, units_row=units_row, skip_rows=skip_rows, footer_rows=footer_rows, missing=missing, text_columns=text_columns)
    return FixedWidthSource(found, name or file_stem(found), where, reading)


def looks_fixed(head: bytes) -> bool:
    return False
