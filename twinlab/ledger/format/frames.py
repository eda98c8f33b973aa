"""Frames as readers get them: rows are decoded on demand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.ledger.format import records
from twinlab.ledger.format.dictionaries import Tables
from twinlab.ledger.format.frame import KINDS, OBSERVATIONS_KIND, RECORDS_KIND, unpack_ids
from twinlab.ledger.format.observations import decode, rows_of_tags, take
from twinlab.ledger.format.segment import Place, SegmentFile

__all__ = ["Chosen", "Decode", "Frame", "Rows", "open_frame"]

Ints = npt.NDArray[np.int64]
#: Returns the columns of a frame of records from its payload.
Decode: TypeAlias = Callable[[bytes], pa.RecordBatch]


class Rows(Protocol):
    """Source of a frame's rows: a frame of an open segment, or a row group of a sealed one."""

    def batch(self, columns: Collection[str] | None) -> pa.RecordBatch:
        """Decode the named columns (None: all)."""

    def ordinals(self) -> Ints:
        """Return the ordinal of each row."""

    def ingest_times(self) -> Ints:
        """Return the ingest time of each row, ns UTC."""

    def tags(self) -> tuple[str, ...]:
        """Return the tags that occur."""

    def of_tags(self, wanted: Callable[[str], bool]) -> Chosen | None:
        """Return the rows of some tags alone; None if there are none."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some rows of a frame of observations, decoded."""

    rows: pa.RecordBatch
    at: Ints
    arrived: Ints

    def batch(self, columns: Collection[str] | None) -> pa.RecordBatch:
        """Return the named columns (None: all)."""
        names = self.rows.schema.names
        return self.rows if columns is None else self.rows.select([name for name in names if name in columns])

    def ordinals(self) -> Ints:
        """Return the ordinal of each row."""
        return self.at

    def ingest_times(self) -> Ints:
        """Return the ingest time of each row, ns UTC."""
        return self.arrived

    def tags(self) -> tuple[str, ...]:
        """Return the tags that occur."""
        return tuple(self.rows.column("tag").unique().to_pylist())

    def of_tags(self, wanted: Callable[[str], bool]) -> Chosen | None:
        """Return the rows of some tags alone; None if there are none."""
        tags = [tag for tag in self.tags() if wanted(tag)]
        mask = pc.is_in(self.rows.column("tag").dictionary_decode(), pa.array(tags, pa.string()))
        kept = mask.to_numpy(zero_copy_only=False)
        return Chosen(self.rows.filter(mask), self.at[kept], self.arrived[kept]) if kept.any() else None


@dataclass(frozen=True, slots=True)
class Frame:
    """Stored rows of one source.

    Rows of an open segment are in order of arrival. Rows of a sealed segment are sorted by tag and time; `ordinals`
    gives each row's number in the order of arrival in either case.
    """

    kind: str
    """``"observations"``, ``"records"`` or ``"retract_file"``."""
    first: int
    """Least ordinal of the rows."""
    rows: int
    """Number of rows (a retraction has one ordinal and no batch)."""
    ingest_time: int
    """ns UTC; in sealed frames the latest of the rows."""
    index: int
    """Frame number within the source; all frames of a sealed segment's observations have the segment's first."""
    record_type: str | None
    """Record type, for records."""
    file_id: str | None
    """Id of the file that the records came from, or that is retracted: its SHA-256, or that with a colon and its name."""
    units: Mapping[str, str]
    """Units of the records' columns, as spelt in the file's units row."""
    time_range: tuple[int, int] | None
    """Least and greatest ``source_time`` (observations), ns on the source's clock."""
    row_range: tuple[int, int] | None
    """Least and greatest row number in the file (records)."""
    _source: Rows = field(repr=False)
    path: str | None = None
    """Folder and name of the file that the records came from, such as ``north/log.csv``; None if it wasn't stored."""
    group_rows: int = 0
    """Number of rows that are stored, and read, together with these: of the whole frame, or of the sealed row group."""
    _ramp: bool = field(default=False, repr=False)
    """Whether the row numbers are all numbers of ``row_range``, in order."""

    @property
    def last(self) -> int:
        """Greatest ordinal of the rows."""
        return int(self.ordinals()[-1]) if self.kind != "observations" else int(self.ordinals().max())

    @property
    def source(self) -> Rows:
        """What the rows are read from."""
        return self._source

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags that occur (observations), in no particular order."""
        return self._source.tags()

    def of_tags(self, wanted: Callable[[str], bool]) -> Frame | None:
        """Return an observation frame cut to the rows of some tags, which are decoded alone; None if there are none."""
        chosen = self._source.of_tags(wanted)
        if chosen is None:
            return None
        return replace(self, first=int(chosen.at.min()), rows=len(chosen.at), _source=chosen)

    def batch(self, *, columns: Collection[str] | None = None) -> pa.RecordBatch:
        """Decode all columns or only the named ones, in the order of the schema.

        Observations have the columns of ``model.schema.OBSERVATIONS`` (absent ones as nulls), records those that were
        appended, a retraction none.

        Raises
        ------
        CorruptionError
            If the stored bytes differ from what was written.
        """
        found = self._source.batch(columns)
        return records.without_dictionaries(self._own(found, columns)) if self.kind == "records" else found

    def encoded_batch(self) -> pa.RecordBatch:
        """Return all columns as `batch`, but columns of texts that repeat as dictionaries, as they are stored."""
        found = self._source.batch(None)
        return self._own(found, None) if self.kind == "records" else found

    @staticmethod
    def _own(found: pa.RecordBatch, columns: Collection[str] | None) -> pa.RecordBatch:
        hidden = (records.ROW, records.KEY, records.RETRACTS)
        return found.select([n for n in found.schema.names if n not in hidden and (columns is None or n in columns)])

    def ordinals(self) -> Ints:
        """Return the ordinal of each row, shape (rows,)."""
        return self._source.ordinals()

    def ingest_times(self) -> Ints:
        """Return the ingest time of each row, ns UTC, shape (rows,)."""
        return self._source.ingest_times()

    def row_numbers(self) -> Ints | None:
        """Return the row numbers in the file, shape (rows,); None if records were appended without them."""
        if self.row_range is None:
            return None
        if self._ramp:
            return np.arange(self.row_range[0], self.row_range[1] + 1, dtype=np.int64)
        numbers: Ints = self._source.batch(None).column(records.ROW).to_numpy()
        return numbers

    def keys(self) -> pa.Array | None:
        """Return the keys of the records; None if they were appended without keys."""
        if self.kind != "records":
            return None
        found = self._source.batch(None)
        if records.KEY not in found.schema.names:
            return None
        keys = found.column(records.KEY)
        return keys.dictionary_decode() if pa.types.is_dictionary(keys.type) else keys

    def retracts(self) -> npt.NDArray[np.bool_] | None:
        """Return which records withdraw an earlier one, shape (rows,); None if none does."""
        if self.kind != "records":
            return None
        found = self._source.batch(None)
        if records.RETRACTS not in found.schema.names:
            return None
        retracts: npt.NDArray[np.bool_] = found.column(records.RETRACTS).to_numpy(zero_copy_only=False)
        return retracts


class _OpenRows:
    """Rows of one frame in a segment file."""

    __slots__ = ("_decode", "_decoded", "_file", "_place", "_tables", "_window")

    def __init__(
        self, file: SegmentFile, place: Place, tables: Tables, window: tuple[int, int], decode: Decode
    ) -> None:
        self._file, self._place, self._tables, self._window, self._decode = file, place, tables, window, decode
        # The records: their columns, row numbers and keys are asked for one after another.
        self._decoded: pa.RecordBatch | None = None

    def whole(self) -> tuple[int, int]:
        return 0, self._place.head.rows

    def batch(self, columns: Collection[str] | None) -> pa.RecordBatch:
        head = self._place.head
        low, high = self._window
        if KINDS[head.kind] == "retract_file":
            return pa.RecordBatch.from_arrays([], names=[])
        if head.kind == RECORDS_KIND:
            if self._decoded is None:
                self._decoded = self._decode(self._file.payload(self._place))
            return self._decoded.slice(low, high - low)
        payload = self._file.payload(self._place)
        return decode(payload, head.rows, self._tables, columns).slice(low, high - low)

    def ordinals(self) -> Ints:
        low, high = self._window
        return np.arange(self._place.head.first + low, self._place.head.first + high, dtype=np.int64)

    def ingest_times(self) -> Ints:
        low, high = self._window
        return np.full(high - low, self._place.head.ingest_time, dtype=np.int64)

    def tags(self) -> tuple[str, ...]:
        return tuple(self._tables.text("tag", i) or "" for i in unpack_ids(self._place.head.tags).tolist())

    def of_tags(self, wanted: Callable[[str], bool]) -> Chosen | None:
        head = self._place.head
        numbers = [n for n in unpack_ids(head.tags).tolist() if wanted(self._tables.text("tag", n) or "")]
        if not numbers:
            return None
        payload = self._file.payload(self._place)
        at = rows_of_tags(payload, head.rows, self._tables, numbers)
        low, high = self._window
        at = at[(at >= low) & (at < high)]
        if not len(at):
            return None
        arrived = np.full(len(at), head.ingest_time, dtype=np.int64)
        return Chosen(take(payload, head.rows, self._tables, at), head.first + at, arrived)


def open_frame(
    file: SegmentFile, place: Place, tables: Tables, *, start: int, stop: int, decode: Decode = records.decode
) -> Frame:
    """Build the frame at ``place``, cut to the ordinals [start, stop), which must overlap it; ``decode`` reads records."""
    head = place.head
    low, high = max(0, start - head.first), min(head.rows, stop - head.first)
    source = _OpenRows(file, place, tables, (low, high), decode)
    extra = head.extra
    units = extra.get("units", {})
    return Frame(
        kind=KINDS[head.kind],
        first=head.first + low,
        rows=high - low,
        ingest_time=head.ingest_time,
        index=head.index,
        record_type=tables.text("name", head.record_type),
        file_id=tables.text("name", head.file_id),
        units=units if isinstance(units, dict) else {},
        time_range=(head.time_low, head.time_high) if head.kind == OBSERVATIONS_KIND else None,
        row_range=_row_range(extra, source, low, high),
        _source=source,
        path=str(extra["path"]) if "path" in extra else None,
        group_rows=head.rows,
        _ramp="rows_from" in extra,
    )


def _row_range(extra: Mapping[str, object], source: _OpenRows, low: int, high: int) -> tuple[int, int] | None:
    start, span = extra.get("rows_from"), extra.get("row_range")
    if isinstance(start, int):
        return start + low, start + high - 1
    if not isinstance(span, list):
        return None
    if (low, high) == source.whole():
        return span[0], span[1]
    numbers = source.batch(None).column(records.ROW).to_numpy()
    return int(numbers.min()), int(numbers.max())
