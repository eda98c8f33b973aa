"""Parquet files of the ledger, whose row groups are compared with checksums before they are used."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from twinlab._files import open_binary
from twinlab.ledger.format.disk import corrupt, crc32c, read_at

__all__ = ["ORDINAL", "ParquetParts", "missing_file"]

#: Column of the Parquet file of observations with each row's number in the order of arrival.
ORDINAL = "ordinal"


class _Place(Protocol):
    """Where a file is, which may change while it is read."""

    def __call__(self) -> Path:
        """Return the file's path."""


class ParquetParts:
    """A Parquet file of known bytes and checksums."""

    def __init__(self, place: _Place, folder: Path, size: int, ranges: tuple[tuple[int, int, int], ...]) -> None:
        self._place, self._folder, self._size, self._ranges = place, folder, size, ranges
        self._metadata: pq.FileMetaData | None = None

    def metadata(self) -> pq.FileMetaData:
        """Return the footer, verified."""
        if self._metadata is None:
            path, (start, stop, _) = self._place(), self._ranges[-1]
            if not path.exists():
                raise corrupt(path, 0, missing_file(path, self._folder))
            if path.stat().st_size != stop or stop != self._size:
                raise corrupt(path, start, f"expected {stop} bytes, found {path.stat().st_size}")
            self._check(len(self._ranges) - 1)
            with pq.ParquetFile(path) as file:
                self._metadata = file.metadata
        return self._metadata

    def _check(self, number: int) -> None:
        path, (start, stop, crc) = self._place(), self._ranges[number]
        try:
            descriptor = open_binary(path, os.O_RDONLY)
        except FileNotFoundError as error:
            raise corrupt(path, 0, missing_file(path, self._folder)) from error
        try:
            data = read_at(descriptor, stop - start, start)
        finally:
            os.close(descriptor)
        if len(data) != stop - start or crc32c(data) != crc:
            raise corrupt(path, start, "a part of a sealed file doesn't match its checksum")

    def read_group(self, number: int, columns: Collection[str] | None = None, *, without: str = "") -> pa.Table:
        """Verify and read one row group: the named columns (None: all but ``without``)."""
        metadata = self.metadata()
        self._check(number)
        with pq.ParquetFile(self._place(), metadata=metadata, memory_map=True) as file:
            names = file.schema_arrow.names
            wanted = [n for n in names if (n != without if columns is None else n in columns)]
            # Callers decode frames in parallel; another thread pool would only add waiting.
            return file.read_row_group(number, columns=wanted, use_threads=False)


def missing_file(path: Path, folder: Path) -> str:
    """Return what is wrong and to be done if a file isn't there; ``folder`` is that of its source."""
    if path.parent == folder:
        return "a sealed file is missing"
    return f"an archived file is missing; make the archive {path.parent} available, or restore it from a backup, and repeat this"
