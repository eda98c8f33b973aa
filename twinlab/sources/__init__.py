"""IN: files, databases and frames, row by row as they were written. Repairs nothing, drops nothing."""

from __future__ import annotations

from twinlab._lazy import attach

__all__ = [
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
        "sniff": "sniffing",
        "sql": "database",
        "tsv": "delimited",
    },
)
