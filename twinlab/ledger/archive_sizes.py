"""What archiving would move: numbers of files and frames, and their bytes before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from twinlab.ledger.archive import archivable
from twinlab.ledger.archive_records import GROUP_ROWS, LEAST_BYTES, plain_columns, write_options
from twinlab.ledger.reader import Reader

if TYPE_CHECKING:
    from twinlab.ledger.format.segment import Place, SegmentFile

__all__ = ["Archivable", "ArchiveSizes"]

#: Row groups of each source that are encoded, at equal distances, to know what Parquet takes.
_SAMPLED = 8


@dataclass(frozen=True)
class Archivable:
    """What archiving would move."""

    segments: int = 0
    """Sealed files of observations."""
    rows: int = 0
    """Rows of tables."""
    freed: float = 0.0
    """Bytes that the ledger's folder has less."""
    archived: float = 0.0
    """Bytes that the archive has more; those of rows of tables are estimated from a sample."""

    def __str__(self) -> str:
        parts = [f"{self.segments:,} sealed segments"] if self.segments or not self.rows else []
        parts += [f"{self.rows:,} rows of tables"] if self.rows else []
        return f"{' and '.join(parts)} of the ledger, {self.freed / 1e6:,.1f} MB ({self.archived / 1e6:,.1f} MB in Parquet)"


class ArchiveSizes:
    """The parts of a ledger that may be archived.

    Parameters
    ----------
    folders : mapping
        The folder of each source.
    times : mapping
        Latest time, ns, of frames of records, by source and first ordinal; others aren't archived.
    """

    def __init__(self, folders: Mapping[str, Path], times: Mapping[str, Mapping[int, int]]) -> None:
        self._folders, self._times = folders, times

    def before(self, time_ns: int) -> Archivable:
        """Return what has only rows before an instant, ns."""
        segments = [one for folder in self._folders.values() for one in archivable(folder, before_ns=time_ns)]
        size = sum(one.parquet_bytes for one in segments)
        rows, freed, archived = 0, float(size), float(size)
        for source, known in self._records.items():
            times = self._times[source]
            old = [place for _, place in known if times[place.head.first] < time_ns]
            length = sum(place.head.payload_length for place in old)
            if length >= LEAST_BYTES:
                rows += sum(place.head.rows for place in old)
                freed += length
                archived += length * self._shares[source]
        return Archivable(len(segments), rows, freed, archived)

    def firsts_before(self, time_ns: int) -> dict[str, list[int]]:
        """Return the first ordinals of the frames of records with only rows before an instant, by source."""
        out = {}
        for source, known in self._records.items():
            old = [place for _, place in known if self._times[source][place.head.first] < time_ns]
            if sum(place.head.payload_length for place in old) >= LEAST_BYTES:
                out[source] = [place.head.first for place in old]
        return out

    @cached_property
    def _records(self) -> dict[str, list[tuple[SegmentFile, Place]]]:
        return {
            source: [
                (file, place)
                for file, place in Reader(self._folders[source]).stored_records()
                if place.head.first in times
            ]
            for source, times in self._times.items()
            if source in self._folders
        }

    @cached_property
    def _shares(self) -> dict[str, float]:
        """Bytes of Parquet for each byte of the frames, by source."""
        return {source: _share(known) for source, known in self._records.items()}


def _share(known: list[tuple[SegmentFile, Place]]) -> float:
    groups = list(_groups(known))
    before = after = 0
    for chosen in groups[:: max(1, -(-len(groups) // _SAMPLED))]:
        parts = [plain_columns(file.payload(place)) for file, place in chosen]
        table = pa.concat_tables([part for part in parts if part.schema.equals(parts[0].schema)])
        sink = pa.BufferOutputStream()
        try:
            pq.write_table(table, sink, row_group_size=max(1, len(table)), **write_options(table.schema))
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            continue  # such frames stay
        before += sum(
            place.head.payload_length
            for (_, place), part in zip(chosen, parts, strict=True)
            if part.schema.equals(parts[0].schema)
        )
        # Without the footer, which a file has once.
        group = pq.ParquetFile(pa.BufferReader(sink.getvalue())).metadata.row_group(0)
        after += sum(group.column(n).total_compressed_size for n in range(group.num_columns))
    return after / before if before else 1.0


def _groups(known: list[tuple[SegmentFile, Place]]) -> Iterator[list[tuple[SegmentFile, Place]]]:
    """Yield neighbouring frames, of about so many rows as a row group has."""
    group: list[tuple[SegmentFile, Place]] = []
    for one in known:
        group.append(one)
        if sum(place.head.rows for _, place in group) >= GROUP_ROWS:
            yield group
            group = []
    if group:
        yield group
