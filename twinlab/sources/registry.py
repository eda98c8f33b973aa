"""The registry of file formats: those of `twinlab.sources.formats`, and those that other packages add.

A package adds one with an entry point of the group ``twinlab.sources`` that names a `FileFormat`. `open_source`, the
commands ``twinlab create`` and ``twinlab ingest``, and the drafting of mappings then read such files.
"""

from __future__ import annotations

from twinlab.model.registry import Registry
from twinlab.sources.file_format import FileFormat

__all__ = ["FILE_FORMATS"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, FileFormat):
        return f"expected a twinlab.sources.FileFormat, got a {type(found).__name__}"
    if any(not suffix.startswith(".") or suffix != suffix.lower() for suffix in found.suffixes):
        return f"expected suffixes in lower case that begin with a dot, got {found.suffixes}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the format is"


#: File formats by name; of two that recognise a file, the one that is listed first is chosen.
FILE_FORMATS: Registry[FileFormat] = Registry(
    "twinlab.sources",
    kind="file format",
    built_in={
        "excel": "twinlab.sources.formats:EXCEL",
        "parquet": "twinlab.sources.formats:PARQUET",
        "sqlite": "twinlab.sources.formats:SQLITE",
        "toa5": "twinlab.sources.loggers.toa5:TOA5",
        "hobo": "twinlab.sources.loggers.hobo:HOBO",
        "rdb": "twinlab.sources.loggers.rdb:RDB",
        "weatherlink": "twinlab.sources.loggers.weatherlink:WEATHERLINK",
        "pi": "twinlab.sources.loggers.pi:PI",
        "line_protocol": "twinlab.sources.loggers.line_protocol:LINE_PROTOCOL",
        "json_lines": "twinlab.sources.formats:JSON_LINES",
        "fixed_width": "twinlab.sources.formats:FIXED_WIDTH",
        "tsv": "twinlab.sources.formats:TSV",
        "csv": "twinlab.sources.formats:CSV",
    },
    check=_fault,
)
