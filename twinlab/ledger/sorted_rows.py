"""The observations of a segment in the order of a sealed one, in parts: a segment of four million rows would take 750 MiB at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.ledger.format.disk import crc32c
from twinlab.ledger.format.frame import OBSERVATIONS_KIND
from twinlab.ledger.format.index import Index
from twinlab.ledger.format.observations import decode, stored_columns
from twinlab.ledger.format.parquet import ORDINAL
from twinlab.ledger.format.segment import Place, SegmentFile
from twinlab.model.schema import OBSERVATIONS

__all__ = ["SortedRows", "bits_of", "digest_of"]

#: Row groups whose rows are decoded together: all frames are decoded once for each part.
_PART_GROUPS = 4
#: Frames whose rows are gathered before they are joined: thousands of small tables would take many times the memory of their rows.
_GATHERED = 256
Ints = npt.NDArray[np.int64]


class SortedRows:
    """The observations of a segment by tag, time and order of arrival.

    Parameters
    ----------
    file : SegmentFile
    index : Index
        All heads of the segment.

    Raises
    ------
    CorruptionError
        If a frame is damaged.
    """

    def __init__(self, file: SegmentFile, index: Index) -> None:
        self._file, self._index = file, index
        self._places = [place for place in index.places if place.head.kind == OBSERVATIONS_KIND]
        counts = [place.head.rows for place in self._places]
        # The first row of each frame among the observations.
        self._edges = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        codes, times = np.empty(sum(counts), dtype=np.int32), np.empty(sum(counts), dtype=np.int64)
        names: set[str] = set()
        for place, low, high in zip(self._places, self._edges[:-1].tolist(), self._edges[1:].tolist(), strict=True):
            names |= stored_columns(file.payload(place))
            batch = self._decoded(place, ("tag", "source_time"))
            codes[low:high] = batch.column("tag").indices.to_numpy()
            times[low:high] = batch.column("source_time").to_numpy()
        self.names = tuple(name for name in OBSERVATIONS.names if name in names)
        """Columns with some value."""
        texts = index.tables.texts("tag")
        rank = np.empty(len(texts), dtype=np.int32)
        rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts), dtype=np.int32)
        # Rows are in order of arrival and lexsort is stable, so the ordinal is the last key.
        self._order: Ints = np.lexsort((times, rank[codes]))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._order)

    @property
    def schema(self) -> pa.Schema:
        """The columns of the groups: those with some value, and the ordinals."""
        fields = [OBSERVATIONS.field(name) for name in self.names]
        return pa.schema([*fields, pa.field(ORDINAL, pa.int64())])

    def groups(self, rows: int) -> Iterator[pa.Table]:
        """Yield the rows in order, so many at a time; the last group may have fewer."""
        for low in range(0, len(self), rows * _PART_GROUPS):
            wanted = self._order[low : low + rows * _PART_GROUPS]
            by_arrival = np.argsort(wanted)
            part = self._rows(wanted[by_arrival])
            places = np.empty_like(by_arrival)
            places[by_arrival] = np.arange(len(places))
            for first in range(0, len(places), rows):
                yield part.take(pa.array(places[first : first + rows]))

    def _rows(self, wanted: Ints) -> pa.Table:
        """Return some of the rows, given by ascending numbers, in order of arrival."""
        parts: list[pa.Table] = []
        joined: list[pa.Table] = []
        edges = wanted.searchsorted(self._edges)
        for place, base, low, high in zip(
            self._places, self._edges[:-1].tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True
        ):
            if low == high:
                continue
            if len(parts) == _GATHERED:
                joined.append(_joined(parts))
                parts.clear()
            at = wanted[low:high] - base
            batch = self._decoded(place, self.names)
            batch = batch if len(at) == batch.num_rows else batch.take(pa.array(at))
            ordinals = pa.array(place.head.first + at)
            parts.append(pa.Table.from_batches([batch]).append_column(self.schema.field(ORDINAL), ordinals))
        return _joined([*joined, *parts])

    def _decoded(self, place: Place, names: tuple[str, ...]) -> pa.RecordBatch:
        return decode(self._file.payload(place), place.head.rows, self._index.tables, names)


def _joined(parts: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def bits_of(table: pa.Table) -> pa.Table:
    """Replace floats by their bits and dictionaries by their texts, so that NaN equals NaN and -0.0 differs from 0.0."""
    columns = {}
    for name in table.schema.names:
        column = table.column(name).combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        elif pa.types.is_floating(column.type):
            columns[name + "?"] = column.is_valid()
            whole = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[column.type.bit_width]
            column = column.fill_null(0.0).view(whole)
        columns[name] = column
    return pa.table(columns)


def digest_of(table: pa.Table) -> list[int]:
    """Return checksums of observations, equal for equal bits of all values, in whatever way they are encoded."""
    found = [table.num_rows]
    bits = bits_of(table)
    for name in bits.schema.names:
        column = bits.column(name).combine_chunks()
        found.append(crc32c(column.is_valid().to_numpy(zero_copy_only=False).tobytes()) if column.null_count else 0)
        if pa.types.is_string(column.type):
            filled = column.fill_null("")
            found.append(crc32c(pc.binary_length(filled).to_numpy().tobytes()))
            _, offsets, text = filled.buffers()
            edges = np.frombuffer(offsets, dtype=np.int32)[filled.offset : filled.offset + len(filled) + 1]
            found.append(
                0 if text is None else crc32c(text.slice(int(edges[0]), int(edges[-1] - edges[0])).to_pybytes())
            )
        else:
            filled = column if not column.null_count else column.fill_null(0)
            found.append(crc32c(filled.to_numpy(zero_copy_only=False).tobytes()))
    return found
