"""Messages that can't be read as rows, as files of a source, each message once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from twinlab.errors import SourceError
from twinlab.ledger.encryption.encryption import Encryption
from twinlab.sources.live import Unreadable
from twinlab.twin.live.unreadable.files import read_file, write_file

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FOLDER", "MessageFiles"]

#: Folder below that of the historian's files.
FOLDER = "unreadable"
#: Bytes of the files of one source, at most: whoever can send messages must not fill the disk.
_MOST_BYTES = 1 << 30
_SCHEMA = pa.schema([
    ("place", pa.string()), ("time", pa.timestamp("ns")), ("reason", pa.string()), ("key", pa.binary()), ("headers", pa.string()),
    ("content", pa.large_binary()),
])  # fmt: skip


class MessageFiles:
    """The unreadable messages of one source.

    Parameters
    ----------
    folder : Path
        Of the source.
    encryption : Encryption or None
        Of the twin's ledger.
    """

    def __init__(self, folder: Path, encryption: Encryption | None) -> None:
        self._folder, self._encryption = folder, encryption

    def add(self, messages: Sequence[Unreadable]) -> None:
        """Store messages, durably. One that comes again after a kill is stored again, and shown once.

        Raises
        ------
        SourceError
            If the disk is full or fails, or the files of the source have 1 GiB.
        """
        if not messages:
            return
        if sum(path.stat().st_size for path in self._paths()) > _MOST_BYTES:
            last = messages[-1]
            msg = (
                f"{self._folder}: messages that can't be read have more than 1 GiB, the last is {last.place} ({last.reason}); correct "
                "the source or its format, then remove the files"
            )
            raise SourceError(msg)
        columns = [
            [one.place for one in messages],
            [one.time_ns for one in messages],
            [one.reason for one in messages],
            [one.key for one in messages],
            [one.headers for one in messages],
            [one.content for one in messages],
        ]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, _SCHEMA) as writer:
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))
        try:
            write_file(self._folder, sink.getvalue().to_pybytes(), self._encryption)
        except OSError as error:
            msg = f"{self._folder}: messages that can't be read aren't stored ({error}); check the disk"
            raise SourceError(msg) from error

    def table(self) -> pd.DataFrame:
        """Return the messages in the order in which they came: ``place, time`` (of the source, UTC)``, reason, key, headers, content``."""
        parts = [pa.ipc.open_file(read_file(path, self._encryption)).read_all() for path in self._paths()]
        found: pd.DataFrame = pa.concat_tables([_SCHEMA.empty_table(), *parts]).to_pandas()
        return found.drop_duplicates("place", ignore_index=True)

    def _paths(self) -> Iterator[Path]:
        yield from sorted(self._folder.glob("*.arrow*"))
