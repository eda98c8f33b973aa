"""The built-in file formats: how each is recognised. Readers are imported when a file is opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twinlab.sources.base import Source
from twinlab.sources.file_format import TEXT_KINDS, FileFormat, FileHead
from twinlab.sources.reading import Reading

__all__ = ["CSV", "EXCEL", "FIXED_WIDTH", "JSON_LINES", "PARQUET", "SQLITE", "TSV"]


def _excel(path: Path, name: str, mapping: Path | None, reading: Reading) -> Source:
    from twinlab.sources.workbook import ExcelSource  # noqa: PLC0415  (loads openpyxl)

    return ExcelSource(path, name, mapping, reading)


def _parquet(path: Path, name: str, mapping: Path | None, reading: Reading) -> Source:
    from twinlab.sources.columnar import ParquetSource  # noqa: PLC0415

    return ParquetSource(path, name, mapping, reading)


def _sqlite(path: Path, name: str, mapping: Path | None, reading: Reading) -> Source:
    from twinlab.sources.database import sql  # noqa: PLC0415  (loads SQLAlchemy)

    return replace(sql(path, name=name, mapping=mapping), reading=reading)


def _json_lines(path: Path, name: str, mapping: Path | None, reading: Reading) -> Source:
    from twinlab.sources.jsonlines import JsonLinesSource  # noqa: PLC0415

    return JsonLinesSource(path, name, mapping, reading)


def _delimited(path: Path, name: str, mapping: Path | None, reading: Reading) -> Source:
    from twinlab.sources.delimited import DelimitedSource  # noqa: PLC0415

    return DelimitedSource(path, name, mapping, reading)


def _tabs(path: Path, name: str, mapping: Path | None, reading: Reading) -> Source:
    tabs = replace(reading, delimiter="\t") if reading.delimiter is None else reading
    return _delimited(path, name, mapping, tabs)


def _any(head: FileHead) -> bool:
    # Any text may be CSV: a file of one column has no delimiter.
    del head
    return True


def _is_json(head: FileHead) -> bool:
    start = head.first_bytes.lstrip(b"\xef\xbb\xbf \t\r\n")[:2]
    return head.reading.delimiter is None and start in {b'{"', b"[{"}


def _has_widths(head: FileHead) -> bool:
    return head.reading.widths is not None and head.kind in TEXT_KINDS


def _is_fixed(head: FileHead) -> bool:
    if head.reading.delimiter is not None or head.kind == "empty":
        return False
    from twinlab.sources.fixed import looks_fixed  # noqa: PLC0415

    return looks_fixed(head.first_bytes)


EXCEL = FileFormat("excel", _excel, recognises=lambda head: head.kind == "excel")
PARQUET = FileFormat("parquet", _parquet, recognises=lambda head: head.kind == "parquet")
SQLITE = FileFormat("sqlite", _sqlite, recognises=lambda head: head.kind == "sqlite")
JSON_LINES = FileFormat("json_lines", _json_lines, (".jsonl", ".ndjson", ".json"), resembles=_is_json)
FIXED_WIDTH = FileFormat("fixed_width", _delimited, (".prn",), recognises=_has_widths, resembles=_is_fixed)
TSV = FileFormat("tsv", _tabs, (".tsv", ".tab"))
CSV = FileFormat("csv", _delimited, (".csv",), resembles=_any)
