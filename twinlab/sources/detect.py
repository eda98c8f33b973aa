"""Choose the format of a file, by content first and by suffix second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twinlab.errors import SchemaError
from twinlab.model.extensions.options import Options, checked_options, fault_text
from twinlab.sources.base import Source, file_path, file_stem
from twinlab.sources.file_format import TEXT_KINDS, FileFormat, FileHead
from twinlab.sources.reading import Reading, reading_of_mapping
from twinlab.sources.registry import FILE_FORMATS

__all__ = ["open_source"]


def open_source(
    path: str | Path,
    *,
    reading: Reading | Mapping[str, Any] | None = None,
    mapping: str | Path | None = None,
    name: str | None = None,
    signatures: bool = True,
) -> Source:
    """Return a source of the format of a file.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, fixed width or JSON lines (also gzipped, or alone in a zip archive), Excel, Parquet, SQLite, or a format
        that another package adds; see `twinlab.sources.registry`.
    reading : Reading or mapping, optional
        Options to read it; they take precedence over the mapping's ``reading`` section. ``format`` names the format.
    mapping : str or Path, optional
        Mapping file of the source.
    name : str, optional
        Name of the source; the file's stem by default.
    signatures : bool
        Whether formats of loggers and historians (TOA5, HOBOware, RDB ...) are recognised by their signature. False where
        a mapping names columns that another format reads; ``format`` may still name one.

    Raises
    ------
    SourceError
        If the file doesn't exist or can't be read.
    SchemaError
        If its kind can't be read as a table, or an option is wrong.
    """
    found = file_path(path)
    where = Path(mapping) if mapping is not None else None
    given = Reading.from_dict(reading) if isinstance(reading, Mapping) else reading
    options = reading_of_mapping(where).merged(given)
    stated = where is not None and where.is_file()
    chosen = _chosen(FileHead(found, options), signatures=signatures and not stated)
    own = _options(chosen, options)
    more = {"options": own} if type(own).model_fields else {}
    settled = replace(options, format=chosen.name)
    return chosen.open(path=found, name=name or file_stem(found), mapping=where, reading=settled, **more)


def _chosen(head: FileHead, *, signatures: bool) -> FileFormat:
    """Return the format of a file: by content, then by suffix, then by resemblance."""
    if head.reading.format is not None:
        return FILE_FORMATS.get(head.reading.format)
    added = list(FILE_FORMATS.usable())
    built_in = [FILE_FORMATS.get(name) for name in FILE_FORMATS.built_in()]
    built_in = [one for one in built_in if signatures or not one.signature]
    known = [one for one in added if one.recognises(head)]
    if len(known) > 1:
        names = " and ".join(repr(one.name) for one in known)
        msg = f"{head.path.name}: the formats {names} both recognise it; name one, as in `reading: {{format: {known[0].name}}}`"
        raise SchemaError(msg)
    known += [one for one in built_in if one.recognises(head)]
    if known:
        return known[0]
    text = head.kind in TEXT_KINDS
    for suffix in head.suffixes:
        for one in (*added, *built_in):
            if suffix in one.suffixes and (text or one.binary):
                return one
    if not text:
        msg = (
            f"{head.path.name}: a {head.kind} file contains no table; expected CSV, Excel, Parquet, JSON lines or SQLite: "
            "export it as one of these"
        )
        raise SchemaError(msg)
    return next(one for one in (*added, *built_in) if one.resembles(head))


def _options(chosen: FileFormat, reading: Reading) -> Options:
    try:
        return checked_options(
            chosen.options, reading.options, what=f"the file format {chosen.name!r}", place=("reading", "options")
        )
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault_text(fault)}" for fault in error.errors()]
        raise SchemaError("\n".join(faults)) from error
