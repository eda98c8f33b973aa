"""Choose the right reader for a file, by what is in it first and by its suffix second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from twinlab.errors import SchemaError
from twinlab.sources.base import Source, file_path, file_stem
from twinlab.sources.opening import kind_of, open_bytes, read_some
from twinlab.sources.reading import Reading, reading_of_mapping

__all__ = ["open_source"]

_BY_SUFFIX = {
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json_lines",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".prn": "fixed_width",
}
_BY_KIND = {"excel": "excel", "parquet": "parquet", "sqlite": "sqlite"}


def open_source(
    path: str | Path,
    *,
    reading: Reading | Mapping[str, Any] | None = None,
    mapping: str | Path | None = None,
    name: str | None = None,
) -> Source:
    """Return the source that fits a file.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, fixed width or JSON lines (also gzipped, or alone in a zip archive), Excel, Parquet or SQLite.
    reading : Reading or mapping, optional
        How to read it; wins over the mapping's ``reading`` section. ``format`` names the reader.
    mapping : str or Path, optional
        File that says what the columns mean.
    name : str, optional
        Name of the source; the file's stem by default.

    Raises
    ------
    SourceError
        If the file doesn't exist or can't be read.
    SchemaError
        If it is of a kind that can't be read as a table, or an option is wrong.
    """
    found = file_path(path)
    where = Path(mapping) if mapping is not None else None
    given = Reading.from_dict(reading) if isinstance(reading, Mapping) else reading
    options = reading_of_mapping(where).merged(given)
    chosen = options.format or _format(found, options)
    return _build(chosen, found, name or file_stem(found), where, replace(options, format=chosen))


def _build(chosen: str, path: Path, name: str, mapping: Path | None, options: Reading) -> Source:
    # Imported here, so that opening a CSV file loads neither openpyxl nor SQLAlchemy.
    if chosen == "excel":
        from twinlab.sources.workbook import ExcelSource  # noqa: PLC0415

        return ExcelSource(path, name, mapping, options)
    if chosen == "parquet":
        from twinlab.sources.columnar import ParquetSource  # noqa: PLC0415

        return ParquetSource(path, name, mapping, options)
    if chosen == "json_lines":
        from twinlab.sources.jsonlines import JsonLinesSource  # noqa: PLC0415

        return JsonLinesSource(path, name, mapping, options)
    if chosen == "sqlite":
        from twinlab.sources.database import sql  # noqa: PLC0415

        return replace(sql(path, name=name, mapping=mapping), reading=options)
    from twinlab.sources.delimited import DelimitedSource  # noqa: PLC0415

    tab = chosen == "tsv" and options.delimiter is None
    return DelimitedSource(path, name, mapping, replace(options, delimiter="\t") if tab else options)


def _format(path: Path, options: Reading) -> str:
    kind = kind_of(path)
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind not in {"text", "gzip", "zip", "empty"}:
        msg = (
            f"{path.name}: a {kind} file holds no table; expected CSV, Excel, Parquet, JSON lines or SQLite: export it"
        )
        raise SchemaError(msg)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    by_suffix = next((_BY_SUFFIX[suffix] for suffix in reversed(suffixes) if suffix in _BY_SUFFIX), None)
    if options.widths is not None:
        return "fixed_width"
    if by_suffix:
        return by_suffix
    if ".csv" in suffixes or options.delimiter is not None or kind == "empty":
        return "csv"
    with open_bytes(path) as stream:
        head = read_some(stream, 1 << 16, path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:2] in {b'{"', b"[{"}:
        return "json_lines"
    from twinlab.sources.fixed import looks_fixed  # noqa: PLC0415

    return "fixed_width" if looks_fixed(head) else "csv"
