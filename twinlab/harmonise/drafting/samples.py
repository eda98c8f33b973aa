"""Samples of tables: the first rows, and the first rows of every tag; files of one series are one sample."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import as_texts, encode
from twinlab.harmonise.claims import Bools, Ints
from twinlab.sources.base import RowBatch, Source
from twinlab.sources.delimited import DelimitedSource
from twinlab.sources.loggers.base import LoggerSource
from twinlab.sources.loggers.line_protocol import LineProtocolSource

__all__ = [
    "FILE_NAME",
    "MAX_ROWS",
    "TAG",
    "VALUE",
    "Sample",
    "file_pattern",
    "joined",
    "list_files",
    "rows_of_each",
    "samples_of",
    "series_of",
]

#: Column that a joined sample has for the name of each row's file or sheet; no file has a column of this name.
FILE_NAME = "\u241ffile"
#: Maximal number of rows of one table, and of all tables or files, that a draft reads.
MAX_ROWS = 50_000
_ALL_ROWS = 400_000
_MIN_ROWS = 1_000
#: Bytes of a row that are reckoned with, so that no more is read of a file than the rows that are wanted, and at least.
_ROW_BYTES, _MIN_BLOCK = 128, 1 << 18
#: Maximal number of rows of one tag after the first rows of a long table.
_TAG_ROWS = 300
#: Names of the columns of a long table.
TAG = re.compile(
    r"tag(_?name)?|variable|parameter|signal|channel|point(_?name)?|metric|item|kanal|messgröße", re.IGNORECASE
)
VALUE = re.compile(r"value|wert|val|reading|measurement|result", re.IGNORECASE)
#: A date at the end of a file's name: "site_2019", "site-2019-05", "site_20190531", "site 2019 Q1".
_DATED = re.compile(
    r"(?P<stem>.*[^\d\s_.-])[\s_.-]*(?:19|20)\d\d(?:[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?[0-3]\d)?)?(?:[-_. ]?q[1-4])?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sample:
    """The first rows of one table, in the form of a ledger's frame."""

    record_type: str
    rows_: pa.RecordBatch
    units: dict[str, str]
    numbers: Ints
    kind: str = "records"
    # Column -> what the file's header says about it: its processing or description.
    notes: Mapping[str, str] = field(default_factory=dict)
    # Columns of facts that the header states about every row, such as the station.
    facts: tuple[str, ...] = ()
    # Column without a meaning of its own -> the reason.
    ignored: Mapping[str, str] = field(default_factory=dict)
    # Columns in which a logger marks the instants of its own events.
    events: tuple[str, ...] = ()
    # Columns that the format itself calls tags of the row's source.
    tags: tuple[str, ...] = ()
    # Folder and name of the file, as in a ledger's frame.
    path: str | None = None
    # Pattern of the tables of several files, where the sample is of more than one; else empty.
    pattern: str = ""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.rows_.num_rows)

    def batch(self) -> pa.RecordBatch:
        """Return the rows."""
        return self.rows_

    def ordinals(self) -> Ints:
        """Return the position of every row in the sample."""
        return np.arange(self.rows, dtype=np.int64)

    def row_numbers(self) -> Ints:
        """Return the row numbers in the file, as shown to people."""
        return self.numbers

    @property
    def layout(self) -> str:
        """Names and units of the columns; tables of one layout may be parts of one table."""
        return repr((self.rows_.schema.names, sorted(self.units.items())))

    def without(self, column: str) -> Sample:
        """Return the sample without a column."""
        return replace(self, rows_=self.rows_.drop_columns([column]))

    def where(self, mask: Bools) -> Sample:
        """Return some of the rows."""
        return replace(self, rows_=self.rows_.filter(pa.array(mask)), numbers=self.numbers[mask])


def rows_of_each(files: int) -> int:
    """Return the number of rows to read of each table, so that many files take no longer than a few."""
    return max(_MIN_ROWS, min(MAX_ROWS, _ALL_ROWS // max(files, 1)))


def samples_of(source: Source, *, rows: int = MAX_ROWS) -> list[Sample]:
    """Return the first rows of every table of a source, in the order of the tables.

    A long table, which may be sorted by tag, is read to its end: the first rows of each further tag are added.
    """
    if isinstance(source, DelimitedSource):
        source = replace(source, block=min(source.block, max(_MIN_BLOCK, rows * _ROW_BYTES)))
    tables: dict[str, _Rows] = {}
    total = 0
    several = getattr(getattr(source, "reading", None), "format", None) in {"excel", "sqlite"}
    for batch in source.batches():
        table = tables.setdefault(batch.table, _Rows(rows))
        table.add(batch)
        total += batch.rows.num_rows
        if total >= (_ALL_ROWS if several else rows) and not any(one.long for one in tables.values()):
            break
    samples = [_joined(name, table.batches) for name, table in tables.items() if table.batches]
    if isinstance(source, LineProtocolSource):
        tags = source.tags()
        return [replace(sample, tags=tags.get(sample.record_type, ())) for sample in samples]
    if not isinstance(source, LoggerSource):
        return samples
    header = source.header()
    count = len(header.facts)
    return [
        replace(
            sample,
            notes={**header.notes, **dict.fromkeys(header.facts, "from the file's header")},
            facts=tuple(sample.rows_.schema.names[sample.rows_.num_columns - count :]),
            ignored=header.ignored,
            events=header.events,
        )
        for sample in samples
    ]


@dataclass
class _Rows:
    """The rows of one table that a draft looks at."""

    limit: int
    batches: list[RowBatch] = field(default_factory=list)
    count: int = 0
    # Column of tags of a long table.
    long: str | None = None
    # Tag -> number of rows seen.
    seen: dict[str, int] = field(default_factory=dict)

    def add(self, batch: RowBatch) -> None:
        """Add the rows of a batch that are within the limit, or the first of their tag."""
        if not batch.rows.num_rows:
            return
        if not self.batches:
            names = batch.rows.schema.names
            tags = [name for name in names if TAG.fullmatch(name.strip())]
            self.long = tags[0] if len(tags) == 1 and any(VALUE.fullmatch(name.strip()) for name in names) else None
        where = np.arange(batch.rows.num_rows) < self.limit - self.count
        if self.long is not None and self.long in batch.rows.schema.names:
            where |= self._first_of_tags(as_texts(batch.rows.column(self.long)))
        if not where.any():
            return
        self.count += int(where.sum())
        self.batches.append(
            replace(batch, rows=batch.rows.filter(pa.array(where)), row_numbers=batch.row_numbers[where])
        )

    def _first_of_tags(self, tags: pa.Array) -> Bools:
        codes, terms = encode(tags)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(-1, len(terms)))
        place = np.empty(len(codes), dtype=np.int64)
        place[order] = np.arange(len(codes)) - starts[codes[order] + 1]
        before = np.array([_TAG_ROWS, *(self.seen.get(term, 0) for term in terms)])
        for term, count in zip(terms, np.bincount(codes[codes >= 0], minlength=len(terms)).tolist(), strict=True):
            self.seen[term] = self.seen.get(term, 0) + count
        first: Bools = place + before[codes + 1] < _TAG_ROWS
        return first


def _joined(name: str, batches: list[RowBatch]) -> Sample:
    tables = [_untyped(part.rows) for part in batches]
    try:
        table = pa.concat_tables(tables, promote_options="permissive")
        numbers = np.concatenate([part.row_numbers for part in batches])
    except (
        pa.ArrowTypeError,
        pa.ArrowInvalid,
    ):  # a column changed its type between batches: only the first batch is used
        table, numbers = tables[0], batches[0].row_numbers
    for place, kind in enumerate(table.schema):
        if pa.types.is_null(kind.type):
            table = table.set_column(place, kind.name, table.column(place).cast(pa.string()))
    rows = table.combine_chunks().to_batches()[0]
    units = {column: unit for part in batches for column, unit in part.units.items()}
    return Sample(name, rows, units, np.asarray(numbers[: rows.num_rows], dtype=np.int64))


def _untyped(rows: pa.RecordBatch) -> pa.Table:
    """Return a batch with the type null for empty columns: their type may show in a later batch only."""
    arrays = [pa.nulls(len(array)) if array.null_count == len(array) else array for array in rows.columns]
    return pa.table(arrays, names=rows.schema.names)


def series_of(paths: Iterable[Path]) -> list[list[Path]]:
    """Return the files in groups: those whose names differ by a date only, such as ``site_2019.csv`` and ``site_2020.csv``.

    >>> [len(group) for group in series_of([Path("site_2019.csv"), Path("b.csv"), Path("site_2020.csv")])]
    [2, 1]
    """
    groups: dict[tuple[Path, str, str], list[Path]] = {}
    for path in paths:
        match = _DATED.fullmatch(path.stem)
        groups.setdefault((path.parent, match["stem"] if match else path.stem, path.suffix.lower()), []).append(path)
    return list(groups.values())


def file_pattern(paths: Sequence[Path], others: Iterable[Path]) -> tuple[str, list[str]]:
    """Return the name that the files of a series share, and their names for ``files``: a pattern if it fits no other file.

    >>> file_pattern([Path("site_2019.csv"), Path("site_2020.csv")], [])
    ('site', ['site_*.csv'])
    """
    match = _DATED.fullmatch(paths[0].stem)
    stem = match["stem"] if match else paths[0].stem
    after = paths[0].stem[len(stem) : len(stem) + 1]
    separator = after if not after.isdigit() and all(path.stem[len(stem) :].startswith(after) for path in paths) else ""
    pattern = f"{stem}{separator}*{paths[0].suffix}"
    whole = not any(fnmatch(path.name, pattern) for path in others) and not set("[]?*") & set(stem)
    return stem, [pattern] if whole else [path.name for path in paths]


def joined(name: str, samples: Sequence[Sample], *, names: Sequence[str] = ()) -> Sample | None:
    """Return the samples of a series of files as one, or None if their columns, types or units differ.

    ``names``, one for each sample, are added as the column `FILE_NAME`.
    """
    first = samples[0]
    if len({one.layout for one in samples}) > 1:
        return None
    try:
        table = pa.concat_tables([pa.Table.from_batches([one.rows_]) for one in samples], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None
    if names:
        counts = [one.rows for one in samples]
        texts = pa.array(np.repeat(np.array(names, dtype=object), counts), pa.string())
        table = table.append_column(FILE_NAME, texts)
    numbers = np.concatenate([one.numbers for one in samples])
    return replace(first, record_type=name, rows_=table.combine_chunks().to_batches()[0], numbers=numbers, pattern="*")


def list_files(files: Iterable[Path]) -> Iterator[Path]:
    """Yield files, and the files in directories and their directories, except hidden ones."""
    for path in files:
        if path.is_dir():
            inner = sorted(one for one in path.iterdir() if not one.name.startswith("."))
            yield from (one for one in inner if one.is_file())
            yield from list_files(one for one in inner if one.is_dir())
        else:
            yield path
