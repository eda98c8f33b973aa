"""From a source to the ledger: store the file, append its rows, withdraw the rows of its previous reading."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import pyarrow as pa
from tqdm.auto import tqdm

from twinlab.errors import SchemaError, SourceError
from twinlab.ledger import Ledger
from twinlab.ledger.blobs import reading_id
from twinlab.model.mapping import Mapping
from twinlab.model.privacy.detector import SAMPLE, suspects
from twinlab.model.terms import nearest
from twinlab.sources import Problem, RowBatch, Source, open_source
from twinlab.twin.progress import DELAY
from twinlab.twin.readings import previous_reading, standing_rows, unfinished_readings
from twinlab.twin.report import EMPTY_SHOWN, PROBLEMS_KEPT

#: Files with several tables one behind the other, all of which are looked at.
_SEVERAL_TABLES = frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".db", ".sqlite", ".sqlite3"})

__all__ = ["StoredSource", "need_file", "resolve_source", "store"]


@dataclass
class StoredSource:
    """Result of storing one source in the ledger."""

    source: str
    name: str
    # Id of the file's reading in the ledger; of a source without a file, the hash of its content.
    file_id: str = ""
    rows_read: int = 0
    rows_kept: int = 0
    duplicates: int = 0
    retracted: int = 0
    unparseable: int = 0
    problems: tuple[Problem, ...] = ()
    empty_rows: int = 0
    # Numbers of the first empty rows.
    empty: tuple[int, ...] = ()
    # Column -> what it seems to have about people, in a twin that states no purposes.
    personal: dict[str, str] = field(default_factory=dict)
    note: str = ""


def need_file(path: Path) -> Path:
    """Return the path of a file that exists.

    Raises
    ------
    SourceError
        If it doesn't; the message shows the file with the nearest name in the same folder.
    """
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        msg = f"expected a file or a database at {path}, but there is none{nearest(path.name, siblings)}"
        raise SourceError(msg)
    return path


def resolve_source(given: str | Path | Source, mappings: Dictionary[str, Mapping]) -> Source:
    """Return a source for a path, with the options of the mapping whose ``files`` match.

    Raises
    ------
    SourceError
        If the file doesn't exist.
    """
    if not isinstance(given, (str, Path)):
        return given
    path = need_file(Path(given))
    for mapping in mappings.values():
        if any(fnmatch(path.name, pattern) for pattern in mapping.files):
            return open_source(path, reading=mapping.reading, name=mapping.source, signatures=False)
    return open_source(path)


def names_folders(mapping: Mapping | None) -> bool:
    """Return whether a mapping takes assets from the names of folders, where files of one name may be several files."""
    tables = mapping.tables if mapping is not None else []
    rules = [asset for table in tables for asset in (table.asset, *(event.asset for event in table.events))]
    return any(asset is not None and asset.name_of == "folder" for asset in rules)


def store(ledger: Ledger, source: Source, *, folders: bool = False) -> StoredSource:
    """Append the rows of a source to the ledger, durably.

    A file is stored as a blob first. The same file again changes nothing; other content under the same name withdraws the
    rows of the previous reading after its own rows are stored. The same content under another name is another file, with
    rows of its own. With ``folders``, the name of the file's folder is part of its name.

    Raises
    ------
    SourceError
        If the file can't be read, or changed while it was.
    """
    files = source.files()
    if not files:
        return _store_content(ledger, source)
    path = files[0]
    place = f"{path.resolve().parent.name}/{path.name}"
    name = place if folders else path.name
    stored = StoredSource(source.name, name)
    stamp = _stamp(path)
    content = ledger.blobs.put(path, personal=_has_personal_columns(ledger, source, path))
    stored.file_id = reading_id(content, name)
    previous = previous_reading(ledger, source.name, name=name, place=place)
    if previous is not None and content == previous.content:
        stored.file_id, stored.rows_read, stored.duplicates = previous.file_id, previous.rows, previous.rows
        stored.note = "the same file as before: nothing changed"
        return stored
    for unfinished in unfinished_readings(ledger, source.name, content, name=name):
        _withdraw(ledger, source.name, unfinished)
    _append(ledger, source, stored, file_id=stored.file_id, path=place)
    if _stamp(path) != stamp:
        _withdraw(ledger, source.name, stored.file_id)
        msg = f"{path.name} changed while it was read: none of its rows was stored. Ingest it again when it is complete"
        raise SourceError(msg)
    alike = [other for other, its in ledger.blobs.names(source.name).items() if its == content and other != name]
    if previous is not None:
        stored.retracted = previous.rows
        _withdraw(ledger, source.name, previous.file_id)
        stored.note = f"replaces its earlier reading ({stored.retracted:,} rows withdrawn, still in the ledger)"
    elif alike:
        stored.note = f"the same content as {alike[0]}, whose rows stay"
    ledger.blobs.read_as(source.name, name, content)
    return stored


def _has_personal_columns(ledger: Ledger, source: Source, path: Path) -> bool:
    """Return whether a file has personal columns, before anything of it is stored; only twins that state purposes look.

    Raises
    ------
    SchemaError
        If one isn't declared.
    """
    encryption = ledger.encryption
    if encryption is None:
        return False
    seen: dict[tuple[str, tuple[str, ...]], bool] = {}
    for batch in source.batches():
        key = (batch.table, tuple(batch.rows.schema.names))
        if key in seen and path.suffix.casefold() not in _SEVERAL_TABLES:
            break
        if key not in seen:
            try:
                seen[key] = bool(encryption.rules(source.name, batch.table, batch.rows))
            except SchemaError as error:
                msg = f"{path.name}: {error}"
                raise SchemaError(msg) from error
    return any(seen.values())


def _store_content(ledger: Ledger, source: Source) -> StoredSource:
    """Append the rows of a source without a file (a frame, a query); the same content again changes nothing.

    Other content is added: a frame is a delivery, not a new version of the previous one.
    """
    stored = StoredSource(source.name, source.name)
    content, first = _content_id(source)
    stored.file_id = content
    if rows := standing_rows(ledger, source.name, content):
        if content in ledger.blobs.readings(source.name, source.name):
            stored.rows_read = stored.duplicates = rows
            stored.note = "the same rows as before: nothing changed"
            return stored
        _withdraw(ledger, source.name, content)
    _append(ledger, source, stored, file_id=content, batches=first)
    ledger.blobs.read_as(source.name, source.name, content)
    return stored


def _content_id(source: Source) -> tuple[str, list[RowBatch] | None]:
    """Return the hash of a source's rows, and its batches if there is one only: it needn't be read again then."""
    digest = hashlib.sha256()
    kept: list[RowBatch] | None = []
    for batch in source.batches():
        kept = [batch] if kept == [] else None
        digest.update(batch.table.encode())
        with pa.ipc.new_stream(_Hashing(digest), batch.rows.schema) as stream:
            stream.write_batch(batch.rows)
    return digest.hexdigest(), kept


class _Hashing(io.RawIOBase):
    """A file that only hashes what is written to it."""

    def __init__(self, digest: hashlib._Hash) -> None:
        super().__init__()
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._digest.update(view)
        return view.nbytes


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        msg = f"{path} can't be read: {error.strerror}. Check the path and its permissions"
        raise SourceError(msg) from error
    return status.st_mtime_ns, status.st_size


def _withdraw(ledger: Ledger, source: str, file_id: str) -> None:
    with ledger.writer(source) as writer:
        writer.retract_file(file_id)


def _append(
    ledger: Ledger,
    source: Source,
    stored: StoredSource,
    *,
    file_id: str | None,
    path: str | None = None,
    batches: list[RowBatch] | None = None,
) -> None:
    problems: list[Problem] = []
    empty: list[int] = []
    tables: set[str] = set()
    with ledger.writer(source.name) as writer, tqdm(desc=stored.name, unit=" rows", delay=DELAY, leave=False) as bar:
        for batch in source.batches() if batches is None else batches:
            ack = writer.append_records(
                batch.table,
                batch.rows,
                row_numbers=batch.row_numbers,
                file_id=file_id,
                units=dict(batch.units),
                path=path,
            )
            if ledger.encryption is None and batch.table not in tables:
                tables.add(batch.table)
                stored.personal |= _seemingly_personal(batch.rows)
            stored.rows_kept += ack.rows
            stored.unparseable += len(batch.problems)
            problems += batch.problems[: PROBLEMS_KEPT - len(problems)]
            stored.empty_rows += len(batch.empty_rows)
            empty += batch.empty_rows[: EMPTY_SHOWN - len(empty)]
            stored.rows_read += batch.rows.num_rows + len(batch.problems)
            bar.update(ack.rows)
    stored.problems, stored.empty = tuple(problems), tuple(empty)


def _seemingly_personal(rows: pa.RecordBatch) -> dict[str, str]:
    """Return the columns that look personal, and what they seem to have."""
    sample = rows.slice(0, SAMPLE)
    found = suspects({name: sample.column(place).to_pylist() for place, name in enumerate(rows.schema.names)})
    return {one.column: one.what for one in found}
