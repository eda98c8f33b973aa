"""The first rows of a file, as written and as a mapping harmonises them. No widgets; nothing is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from twinlab.errors import SourceError
from twinlab.harmonise import Context, Harmonised, harmonise
from twinlab.harmonise.cells import Rows
from twinlab.harmonise.claims import NAT
from twinlab.languages import tr
from twinlab.model.mapping import Mapping
from twinlab.model.schema import TEXT_SUFFIX
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel
from twinlab.sources import RowBatch, open_source

__all__ = ["FoundRows", "PreviewRow", "PreviewTable", "Sample", "SampleTable", "Value", "preview", "read_sample"]

Properties = Dictionary[str, Dictionary[str, Dictionary[str, object]]]
_SINGLE = frozenset(["csv", "tsv", "fixed_width", "parquet", "json_lines"])
#: Batches of a workbook or database that are read to find its tables.
_MOST_BATCHES = 50
#: Rows from which distinct values are shown as samples.
_SAMPLE_ROWS = 2_000


@dataclass(frozen=True)
class SampleTable:
    """The first rows of one table as the source reads them, with the interface of a ledger frame."""

    record_type: str
    rows_: pa.RecordBatch = field(repr=False)
    numbers: npt.NDArray[np.int64] = field(repr=False)
    units: Dictionary[str, str]
    path: str | None = None
    """Folder and name of the file, which may name the asset."""
    kind: str = "records"

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.rows_.num_rows)

    @property
    def columns(self) -> list[str]:
        """Names of the columns as the mapping knows them."""
        return [name for name in self.rows_.schema.names if not name.endswith(TEXT_SUFFIX)]

    def batch(self) -> pa.RecordBatch:
        """Return the rows."""
        return self.rows_

    def ordinals(self) -> npt.NDArray[np.int64]:
        """Return the position of every row."""
        return np.arange(self.rows, dtype=np.int64)

    def row_numbers(self) -> npt.NDArray[np.int64]:
        """Return the row in the file of every row, counted from 1."""
        return self.numbers

    def head(self, rows: int) -> SampleTable:
        """Return the first rows."""
        return SampleTable(self.record_type, self.rows_.slice(0, rows), self.numbers[:rows], self.units, self.path)

    def distinct(self, column: str, *, count: int) -> list[str]:
        """Return the first distinct texts of a column."""
        if column not in self.columns:
            return []
        texts = Rows(self).texts(column)
        return list(islice((text for text in texts.unique().to_pylist() if text is not None), count))

    def pairs(self, one: str, other: str) -> list[tuple[str, str]]:
        """Return the pairs of texts of two columns, of the rows that have both."""
        if one not in self.columns or other not in self.columns:
            return []
        rows = Rows(self)
        both = zip(rows.texts(one).to_pylist(), rows.texts(other).to_pylist(), strict=True)
        return [(left, right) for left, right in both if left is not None and right is not None]


@dataclass(frozen=True)
class Sample:
    """The first rows of every table of a file."""

    file: str
    tables: Dictionary[str, SampleTable]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Value:
    """One harmonised value."""

    term: str
    """Column or tag it comes from."""
    asset: str
    """``type/id``."""
    signal: str
    time: str
    """Event time in UTC, ISO 8601."""
    value: float | str
    """Number in ``unit``; the name of a state."""
    unit: str
    shown: str
    """The value rounded to the signal's resolution, as in the history."""


@dataclass(frozen=True)
class PreviewRow:
    """One row of the file."""

    number: int
    """Row in the file, counted from 1."""
    written: tuple[str, ...]
    """Cells as written, in the order of the columns; "" where empty."""
    values: tuple[Value, ...]


@dataclass(frozen=True)
class FoundRows:
    """Events, assets or relationships in the rows."""

    what: str
    """Such as ``event flight``."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PreviewTable:
    """The first rows of one table: as written, and harmonised."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[PreviewRow, ...]
    found: tuple[FoundRows, ...] = ()
    problems: tuple[str, ...] = ()
    """One sentence for each cell that couldn't be read."""
    unknown: tuple[str, ...] = ()
    """One sentence for each term that the mapping or the model doesn't know."""
    missing: int = 0
    """Cells that are empty or contain a missing-value code."""

    @property
    def values(self) -> tuple[Value, ...]:
        """All harmonised values in the order of the rows."""
        return tuple(value for row in self.rows for value in row.values)


def read_sample(file: str | Path, reading: Dictionary[str, Any] | None = None, *, rows: int = _SAMPLE_ROWS) -> Sample:
    """Read the first rows of every table of a file.

    Parameters
    ----------
    file : path
        Opened for reading only.
    reading : mapping, optional
        The ``reading:`` section of a mapping.
    rows : int
        Rows of each table.

    Raises
    ------
    SourceError
        If the file doesn't exist or can't be read.
    SchemaError
        If it has no table, or ``reading`` is wrong.
    """
    source = open_source(file, reading=dict(reading or {}))
    single = getattr(getattr(source, "reading", None), "format", None) in _SINGLE
    tables: dict[str, SampleTable] = {}
    problems: list[str] = []
    place = f"{Path(file).resolve().parent.name}/{Path(file).name}"
    batches: Iterator[RowBatch] = iter(source.batches())
    for batch in islice(batches, 1 if single else _MOST_BATCHES):
        problems += [tr("row {row}: {reason}", row=one.row, reason=one.reason) for one in batch.problems]
        if batch.table not in tables:
            units = dict(batch.units)
            tables[batch.table] = SampleTable(
                batch.table, batch.rows.slice(0, rows), batch.row_numbers[:rows], units, place
            )
    close = getattr(batches, "close", None)
    if close is not None:
        close()
    return Sample(Path(file).name, tables, tuple(problems[:20]))


def preview(
    mapping: Mapping,
    model: TwinModel,
    file: str | Path | Sample,
    *,
    table: str | None = None,
    rows: int = 20,
    properties: Properties | None = None,
) -> PreviewTable:
    """Return the first rows of a file's table as written and as a mapping harmonises them.

    Parameters
    ----------
    mapping : Mapping
        The mapping.
    model : TwinModel
        The twin's model.
    file : path or Sample
        The file, or its sample from `read_sample`, which is quicker for repeated calls.
    table : str, optional
        Table of a workbook or database; by default the first one.
    rows : int
        Rows in the preview.
    properties : mapping, optional
        Properties of assets from other sources: asset type -> id -> property -> value (zones of airports).

    Raises
    ------
    SourceError
        If the file can't be read, or has no such table.
    UnknownTermError
        If the mapping uses a name that the model doesn't have; `twinlab.model.check_mapping` reports all of them.
    """
    sample = file if isinstance(file, Sample) else read_sample(file, mapping.reading)
    name = table or next(iter(sample.tables), None)
    if name is None or name not in sample.tables:
        msg = tr(
            "{file} has no table{part}",
            file=sample.file,
            part=f" {name!r}" + nearest(name, sample.tables) if name else tr(" with rows"),
        )
        raise SourceError(msg)
    head = sample.tables[name].head(rows)
    done = harmonise(head, mapping, Context(model, properties or {}))
    values: list[list[Value]] = [[] for _ in range(head.rows)]
    for row, value in _values(done, model):
        values[row].append(value)
    cells = Rows(head)
    written = [cells.texts(column).to_pylist() for column in head.columns]
    return PreviewTable(
        table=name,
        columns=tuple(head.columns),
        rows=tuple(
            PreviewRow(int(head.numbers[row]), tuple(column[row] or "" for column in written), tuple(values[row]))
            for row in range(head.rows)
        ),
        found=tuple(_found(done)),
        problems=(*sample.problems, *(_sentence(done, place) for place in range(len(done.problems)))),
        unknown=tuple(
            tr("{term} ({rows:,} rows): {message_value}", term=term, rows=one.rows, message_value=one.message)
            for term, one in done.unknown.items()
        ),
        missing=done.missing,
    )


def _sentence(done: Harmonised, place: int) -> str:
    one = done.problems[place]
    where = tr("row {row}", row=one.row) + (f", {one.column}" if one.column else "")
    return f"{where}: {one.reason}" + (
        tr(" (written: {text!r})", text=one.text) if one.text and repr(one.text) not in one.reason else ""
    )


def _values(done: Harmonised, model: TwinModel) -> Iterator[tuple[int, Value]]:
    claims = done.claims
    for place in range(len(claims)):
        series = claims.series[claims.code[place]]
        signal = model.asset_types[series.asset_type].signals[series.signal]
        number = float(claims.value[place])
        state = (signal.states or {}).get(round(number)) if signal.kind == "state" else None
        yield (
            int(claims.ordinal[place]),
            Value(
                term=claims.tags[claims.tag[place]].rpartition("@")[0] or claims.tags[claims.tag[place]],
                asset=f"{series.asset_type}/{series.asset}",
                signal=series.signal,
                time=_instant(int(claims.event_time[place])),
                value=number if state is None else state,
                unit="" if signal.kind == "state" or signal.unit == "1" else signal.unit,
                shown=_rounded(number, signal.resolution) if state is None else state,
            ),
        )


def _rounded(number: float, resolution: float | None) -> str:
    """Return a number with as many decimals as its resolution has.

    >>> _rounded(3.94444, 0.01)
    '3.94'
    """
    if not resolution:
        return f"{number:.10g}"
    # The largest power of ten that resolves the step: 0.05 and 0.01 have two decimals.
    decimals = max(0, -math.floor(math.log10(resolution) + 1e-9))
    return f"{round(number / resolution) * resolution:.{decimals}f}"


def _instant(nanoseconds: int) -> str:
    """Return an instant without trailing zeros, with a blank instead of "T".

    >>> _instant(1_500_000_000)
    '1970-01-01 00:00:01.5'
    """
    if nanoseconds == NAT:
        return ""
    text = str(np.datetime64(nanoseconds, "ns")).replace("T", " ")
    return text.rstrip("0").rstrip(".") if not text.endswith("000000000") else text[:19]


def _found(done: Harmonised) -> Iterator[FoundRows]:
    named: Sequence[tuple[str, pa.Table]] = (
        *((tr("event {type}", type=one.type), one.table) for one in done.events),
        *((tr("asset {asset_type}", asset_type=one.asset_type), one.table) for one in done.assets),
        *((tr("relationship {type}", type=one.type), one.table) for one in done.relationships),
    )
    for what, table in named:
        filled = [name for name in table.column_names if table.column(name).null_count < table.num_rows]
        columns = [_texts(table.column(name)) for name in filled if name != "type"]
        names = tuple(name for name in filled if name != "type")
        yield FoundRows(what, names, tuple(zip(*columns, strict=True)))


def _texts(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_timestamp(column.type):
        stamps = column.cast(pa.timestamp("ns")).cast(pa.int64()).to_pylist()
        return ["" if stamp is None else _instant(stamp) for stamp in stamps]
    return [
        "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
        for value in column.to_pylist()
    ]
