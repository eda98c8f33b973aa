"""The ledger of a twin: a directory with one folder a source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

from twinlab._files import file_name
from twinlab.errors import SchemaError
from twinlab.ledger.blobs import Blobs
from twinlab.ledger.journal import JOURNAL, Journal
from twinlab.ledger.reader import Reader
from twinlab.ledger.seal import seal_source
from twinlab.ledger.verify import VerifyReport, verify_ledger
from twinlab.ledger.writer import SEGMENT_BYTES, SEGMENT_ROWS, Writer

__all__ = ["Ledger"]

_BLOBS = "blobs"
#: Characters of a source's name that its folder's name may have, too.
_SAFE = " ()+,=@[]{}"


class Ledger:
    """What arrived, as it arrived: append-only, checksummed, durable.

    Parameters
    ----------
    path : Path or str
        A directory, ``<twin>/ledger``; made when first written to.

    Examples
    --------
    >>> import tempfile, pyarrow as pa
    >>> ledger = Ledger(tempfile.mkdtemp())
    >>> with ledger.writer("fridges") as w:
    ...     ack = w.append_observations(pa.RecordBatch.from_pydict({"tag": ["t1"], "source_time": [0], "value": [4.5]}))
    >>> ledger.reader("fridges").position()
    1
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.journal = Journal(self._folder(JOURNAL))
        self.blobs = Blobs(self.path / _BLOBS, self.journal)
        self._readers: dict[str, Reader] = {}

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r})"

    def _folder(self, source: str) -> Path:
        if not source or source.startswith("."):
            msg = (
                f"source {source!r}: expected a name that isn't empty and doesn't start with a dot. Rename the source."
            )
            raise SchemaError(msg)
        if source == _BLOBS:
            return self.path / "%62lobs"
        older = self.path / quote(source, safe=_SAFE)
        path = self.path / file_name(source, safe=_SAFE)
        # Earlier versions didn't escape names that only Windows refuses.
        return older if older != path and older.is_dir() else path

    def sources(self) -> list[str]:
        """Names of the sources that have a folder here, sorted; ``_twin`` among them if it exists."""
        if not self.path.is_dir():
            return []
        return sorted(unquote(p.name) for p in self.path.iterdir() if p.is_dir() and p.name != _BLOBS)

    def writer(
        self,
        source: str,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        segment_rows: int = SEGMENT_ROWS,
        wait: float = 0.0,
    ) -> Writer:
        """Open the one writer of a source (see `Writer`); close it, or use it in a ``with``.

        Raises
        ------
        HistoryConflictError
            If somebody else is writing to the source: names process and start.
        CorruptionError
            If what was acknowledged is damaged.
        """
        return Writer(self._folder(source), source, segment_bytes=segment_bytes, segment_rows=segment_rows, wait=wait)

    def reader(self, source: str) -> Reader:
        """Return the reader of a source; it may not exist yet, then it has no rows."""
        return self._readers.setdefault(source, Reader(self._folder(source)))

    def seal(self, source: str) -> list[str]:
        """Turn the full segments of a source into Parquet; return the new files' names. The writer may go on.

        Raises
        ------
        HistoryConflictError
            If another process is sealing the source.
        CorruptionError
            If a segment is damaged; it is left as it is.
        """
        return seal_source(self._folder(source), source)

    def verify(self, *, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
        """Read everything again and compare it with its checksums.

        Parameters
        ----------
        progress : callable, optional
            Called with (bytes checked, bytes in all) now and then.
        """
        folders = {s: self._folder(s) for s in self.sources()}
        return verify_ledger(folders, self.blobs, progress=progress)
