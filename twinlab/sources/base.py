"""Result types and protocol of sources: batches of rows as written, and rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.errors import SourceError
from twinlab.model.registry import registry_of
from twinlab.sources.reading import Reading

__all__ = ["BATCH_ROWS", "FileSource", "Problem", "RowBatch", "Source", "problem_text", "unique_names"]

#: Rows of one batch, at most.
BATCH_ROWS = 65_536

#: Characters of a refused row that a Problem shows; the whole file is kept as a blob by the ledger.
_PROBLEM_TEXT = 2_000


@dataclass(frozen=True)
class Problem:
    """A row (or cell) that could not be read, with its text, so that nothing is dropped without a report."""

    row: int
    """1-based row in the file or sheet, as shown to people; the line on which the row begins."""
    column: str | None
    """Column, if the problem is in one cell."""
    text: str
    """Text of the row or cell (the first 2,000 characters)."""
    reason: str
    """Why it could not be read."""


@dataclass(frozen=True)
class RowBatch:
    """Some rows of one table, as written in the source; the mapping is applied later."""

    table: str
    """Record type: file stem, sheet name or SQL table."""
    rows: pa.RecordBatch
    """Columns of type string, int64, float64, bool or timestamp[us], with unique names."""
    row_numbers: npt.NDArray[np.int64]
    """1-based row of each row in the file or sheet, shape (rows,)."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Column -> unit as written in a units row (or in the attributes of a dataset)."""
    problems: tuple[Problem, ...] = ()
    """Rows that could not be read, found while reading this batch."""
    file: str | None = None
    """Name of the file, without its directory."""
    empty_rows: tuple[int, ...] = ()
    """Numbers of the rows without any value, which are left out."""
    retracts: npt.NDArray[np.bool_] | None = None
    """Rows that the source has deleted: each withdraws the earlier row of the same identity, shape (rows,). None: no row does."""


@runtime_checkable
class Source(Protocol):
    """Protocol of a source: it yields batches of rows, and only reads."""

    @property
    def name(self) -> str:
        """Name of the source in the twin."""

    @property
    def mapping(self) -> Path | None:
        """Mapping file of the source."""

    def files(self) -> tuple[Path, ...]:
        """Return the files that this source reads, which the ledger stores as blobs; empty for databases and frames."""

    def batches(self) -> Iterator[RowBatch]:
        """Yield the rows in their order in the source."""


@dataclass(frozen=True)
class FileSource:
    """Base class of sources that read one file."""

    path: Path
    """The file; opened for reading only."""
    name: str
    """Name of the source; by default the file's stem."""
    mapping: Path | None
    """Mapping file of the source, if given."""
    reading: Reading
    """Options to read the file; those that are None are detected."""

    @property
    def table(self) -> str:
        """Name of the file's table: the file's stem, because a source may have many files."""
        return file_stem(self.path)

    def files(self) -> tuple[Path, ...]:
        """Return the file that this source reads."""
        return (self.path,)

    def with_reading(self, reading: Reading) -> Self:
        """Return this source with the options of ``reading`` in place of its own."""
        return replace(self, reading=self.reading.merged(reading))


def problem_text(text: str) -> str:
    """Return ``text`` cut to the length that a Problem shows."""
    return text if len(text) <= _PROBLEM_TEXT else text[:_PROBLEM_TEXT] + "…"


def unique_names(names: list[str]) -> list[str]:
    """Return column names made unique ("x", "x__2") and filled where empty ("column_3")."""
    taken: set[str] = set()
    wanted = set(names)
    result = []
    for position, raw in enumerate(names, start=1):
        base = raw or f"column_{position}"
        name, count = base, 1
        while name in taken or (name != base and name in wanted):
            count += 1
            name = f"{base}__{count}"
        taken.add(name)
        result.append(name)
    return result


def file_path(path: str | Path) -> Path:
    """Return ``path`` as a Path to a file that exists, or raise SourceError."""
    found = Path(path)
    if found.is_dir():
        msg = f"{found} is a directory, a file was expected: name one of the files in it"
        raise SourceError(msg)
    if not found.exists():
        msg = f"{found} does not exist: expected a file to read; check the path (working directory {Path.cwd()})"
        raise SourceError(msg)
    return found


def file_stem(path: Path) -> str:
    """Return the file's name without its suffixes of format and compression: flights.csv.zip -> flights."""
    name = path.name
    for _ in range(2):
        suffix = Path(name).suffix
        if len(suffix) < len(name) and _is_known(suffix.lower()):
            name = name[: -len(suffix)]
    return name


def _is_known(suffix: str) -> bool:
    if not suffix or suffix in _KNOWN_SUFFIXES:
        return bool(suffix)
    return any(suffix in one.suffixes for one in registry_of("twinlab.sources").usable())


_KNOWN_SUFFIXES_TEXT = """
.csv .tsv .tab .txt .dat .prn .log .asc .xlsx .xlsm .parquet .pq .jsonl .ndjson .json .sqlite .sqlite3 .db .zip
.gz
"""
_KNOWN_SUFFIXES = frozenset(_KNOWN_SUFFIXES_TEXT.split())
