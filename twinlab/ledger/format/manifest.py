"""The list of sealed segments: one JSON file per source with a checksum, replaced atomically."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twinlab.ledger.format.disk import atomic_write, corrupt, unwrap_json, wrap_json

__all__ = [
    "MANIFEST",
    "ArchivedRecords",
    "Ranges",
    "SealedSegment",
    "manifest_bytes",
    "read_manifest",
    "write_manifest",
]

MANIFEST = "manifest.json"


Ranges = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class ArchivedRecords:
    """A Parquet file in an archive with rows of tables, which were frames of a sealed segment."""

    name: str
    archive: str
    """Its folder; a relative one is relative to the source's folder."""
    rows: int
    bytes: int
    sha256: str
    ranges: Ranges
    """As those of a `SealedSegment`."""

    def path(self, folder: Path) -> Path:
        """Return where the file is, of the source in a folder."""
        return folder / self.archive / self.name


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """A sealed segment: observations in Parquet, all other frames unchanged."""

    segment: int
    first: int
    """Ordinal of its first row."""
    rows: int
    frames: int
    """Frame number of its first frame."""
    kept_name: str
    """File of the frames that aren't observations: dictionaries, records, retractions."""
    kept_bytes: int
    kept_sha256: str
    parquet_name: str | None
    """File of the observations; None if there are none."""
    parquet_bytes: int
    parquet_sha256: str
    ranges: Ranges
    """First byte, end and CRC-32C of each row group and, last, of the footer; together they cover the file."""
    archive: str = ""
    """Folder of the Parquet file if it was archived; a relative one is relative to the source's folder."""
    records: tuple[ArchivedRecords, ...] = ()
    """Files of the rows of tables that were archived, in the order in which they were; of these frames only the heads are kept."""

    def parquet_path(self, folder: Path) -> Path:
        """Return where the Parquet file is, of the source in a folder."""
        return folder / self.archive / (self.parquet_name or "")


def read_manifest(folder: Path) -> dict[int, SealedSegment]:
    """Return the sealed segments of a source by number.

    Raises
    ------
    CorruptionError
        If the manifest is damaged.
    """
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    body = unwrap_json(data, path)
    entries = body.get("sealed")
    if not isinstance(entries, list):
        raise corrupt(path, 0, "the list of sealed segments is missing")
    return {e.segment: e for e in map(_entry, entries)}


def _entry(fields: dict[str, Any]) -> SealedSegment:
    records = tuple(ArchivedRecords(**_ranged(one)) for one in fields.get("records", ()))
    return SealedSegment(**{**_ranged(fields), "records": records})


def _ranged(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "ranges": tuple(tuple(r) for r in fields["ranges"])}


def write_manifest(folder: Path, sealed: Mapping[int, SealedSegment]) -> None:
    """Replace the manifest, durably."""
    atomic_write(folder / MANIFEST, manifest_bytes(sealed))


def manifest_bytes(sealed: Mapping[int, SealedSegment]) -> bytes:
    """Return the manifest of sealed segments."""
    entries = [asdict(sealed[n]) for n in sorted(sealed)]
    for entry in entries:
        for key in ("archive", "records"):
            if not entry[key]:
                del entry[key]  # as earlier versions wrote it
    return wrap_json({"version": 1, "sealed": entries})
