"""IN: files, databases and frames, row by row as they were written. Repairs nothing, drops nothing.

In: a path, a connection or a frame. Out: `RowBatch` after `RowBatch`, and a `Problem` for each row that can't be
read.
Read in order: `base` (the protocol), `reading` (options), `file_format`, `registry`, `detect` and `formats` (which
format fits a file), then one module a format: `delimited`, `fixed`, `workbook`, `jsonlines`, `columnar`, `database`,
`memory`, and `loggers` (exports recognised by a signature); `opening`; `parsing` has what several formats need.
Never: a row lost, a number changed in its last digit, a file written or moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.sources.base import FileSource, Problem, RowBatch, Source
    from twinlab.sources.columnar import parquet
    from twinlab.sources.database import sql
    from twinlab.sources.delimited import csv, tsv
    from twinlab.sources.detect import open_source
    from twinlab.sources.file_format import FileFormat, FileHead
    from twinlab.sources.fixed import fixed_width
    from twinlab.sources.jsonlines import json_lines
    from twinlab.sources.memory import dataset, frame
    from twinlab.sources.parsing.sniffing import sniff
    from twinlab.sources.reading import Reading
    from twinlab.sources.workbook import excel

__all__ = [
    "FileFormat",
    "FileHead",
    "FileSource",
    "Problem",
    "Reading",
    "RowBatch",
    "Source",
    "csv",
    "dataset",
    "excel",
    "fixed_width",
    "frame",
    "json_lines",
    "open_source",
    "parquet",
    "sniff",
    "sql",
    "tsv",
]

# No submodule may have the name of a public function: importing it would put the module in the function's place.
__getattr__, __dir__ = attach(
    __name__,
    {
        "FileFormat": "file_format",
        "FileHead": "file_format",
        "FileSource": "base",
        "Problem": "base",
        "Reading": "reading",
        "RowBatch": "base",
        "Source": "base",
        "csv": "delimited",
        "dataset": "memory",
        "excel": "workbook",
        "fixed_width": "fixed",
        "frame": "memory",
        "json_lines": "jsonlines",
        "open_source": "detect",
        "parquet": "columnar",
        "sniff": "parsing.sniffing",
        "sql": "database",
        "tsv": "delimited",
    },
)
