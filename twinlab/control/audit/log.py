"""The log of a twin: rows that are durable when `append` returns, in one order for all processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from twinlab._locks import Lock
from twinlab.control.audit.chain import MOST_ROWS_AT_ONCE
from twinlab.control.audit.head_signer import HeadSigner
from twinlab.control.audit.rows import AuditEntry, AuditRow, checked_entry
from twinlab.control.audit.second_place import SecondPlace
from twinlab.control.audit.segment_writer import SegmentWriter
from twinlab.control.audit.segments import SEGMENT_BYTES
from twinlab.errors import ControlError, HistoryConflictError
from twinlab.model.alerts.channel import Channel

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from twinlab.control.audit.heads import TreeHead

__all__ = ["AuditLog"]


class _Waiting:
    """An entry that is to be written, and the result."""

    def __init__(self, entry: AuditEntry) -> None:
        self.entry = entry
        self.row: AuditRow | None = None
        self.error: BaseException | None = None


class AuditLog:
    """Appends to the audit of a twin. Threads and processes may use it at once.

    Parameters
    ----------
    folder : Path or str
        Folder of the log; made if it isn't there.
    signer : securesystemslib.signer.Signer, optional
        Key of the device "audit", with which tree heads are signed. Without one, rows are appended that another process signs.
    places : sequence of Channel
        Second places of the heads, such as ``Channel(file={"path": "/mnt/other/heads.jsonl"})``.
    rows : int
        A head is signed after so many rows, 1 to 128,
    seconds : float
        and after so many seconds if there is a new row.
    grace : float
        Seconds for which heads may wait for a second place; then nothing is appended until it takes them.
    wait : float
        Seconds to wait for another process that appends.
    segment_bytes : int
        Size from which on a new file begins.

    Raises
    ------
    ControlError
        If the log isn't intact or can't be read or written.

    Examples
    --------
    >>> import tempfile
    >>> with AuditLog(tempfile.mkdtemp()) as log:
    ...     row = log.append({"kind": "login", "who": ["ann"], "what": {"how": "password"}})
    >>> row.n, row.who
    (1, ('ann',))
    """

    def __init__(
        self, folder: Path | str, *, signer: Signer | None = None, places: Sequence[Channel] = (), rows: int = 100,
        seconds: float = 10.0, grace: float = 3600.0, wait: float = 10.0, segment_bytes: int = SEGMENT_BYTES,
    ) -> None:  # fmt: skip
        self._folder = Path(folder)
        self._wait = wait
        self._rows, self._seconds, self._grace = rows, seconds, grace
        self._queue, self._committing = threading.Lock(), threading.Lock()
        self._entries: list[_Waiting] = []
        self._heads: HeadSigner | None = None
        self._undelivered: list[tuple[TreeHead, bytes]] = []
        self._writer = SegmentWriter(self._folder, self._take, segment_bytes=segment_bytes)
        with self._committing, self._locked():
            # First it is compared with the heads: a log that was cut gets no row that says otherwise.
            if signer is not None:
                self._heads = HeadSigner(self._folder, signer)
            self._writer.refresh()
        self._places = (
            [] if self._heads is None else [SecondPlace(one, self._folder, self._heads.path.stem) for one in places]
        )
        if self._heads is not None and self._places:
            self._undelivered = self._heads.envelopes(min(place.next for place in self._places))
        self._wake, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._sign_on, name="audit heads", daemon=True)
        if self._heads is not None:
            self._thread.start()

    def append(self, entry: AuditEntry | Mapping[str, Any]) -> AuditRow:
        """Write a row; it is on the disk when this returns. Entries of several threads are synced together.

        Parameters
        ----------
        entry : AuditEntry or mapping
            Kind, who and what; see `twinlab.control.audit.KINDS`.

        Raises
        ------
        ControlError
            If the row can't be written, or heads wait for a second place for too long: what was to be recorded mustn't be done.
        SchemaError
            If the entry has a field that such a row may not have.
        """
        return self._append(checked_entry(entry))

    def flush(self) -> None:
        """Sign a head of all rows now, and deliver it.

        Raises
        ------
        ControlError
            If the head can't be written. A second place that doesn't take it gets it later.
        """
        if self._heads is None:
            return
        with self._committing, self._locked():
            self._writer.refresh()
            try:
                self._undelivered += self._heads.sign(self._writer.log)
            except OSError as error:
                msg = f"{self._heads.path} can't be written: {error.strerror or error}"
                raise ControlError(msg) from error
        self._deliver()

    def close(self) -> None:
        """Sign the last rows and end."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._wake.set()
        if self._heads is not None:
            self._thread.join()
        try:
            self.flush()
        finally:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, entry: AuditEntry) -> AuditRow:
        if self._closed.is_set():
            msg = f"the audit in {self._folder} is closed; open it again"
            raise ControlError(msg)
        self._check_places()
        mine = _Waiting(entry)
        with self._queue:
            self._entries.append(mine)
        with self._committing:
            # Whoever comes first writes the entries of all who wait.
            while mine.row is None and mine.error is None:
                with self._queue:
                    batch, self._entries = self._entries[:MOST_ROWS_AT_ONCE], self._entries[MOST_ROWS_AT_ONCE:]
                self._write(batch)
        if mine.row is None:
            raise ControlError(str(mine.error) or type(mine.error).__name__) from mine.error
        return mine.row

    def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            with self._locked():
                rows = self._writer.append([one.entry for one in batch])
        except BaseException as error:
            # Whatever it was: who waits for these entries mustn't wait for ever.
            for one in batch:
                one.error = error
            if not isinstance(error, ControlError):
                raise
            return
        for one, row in zip(batch, rows, strict=True):
            one.row = row
        if self._heads is not None and self._heads.unsigned >= self._rows:
            self._wake.set()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with Lock(self._folder / "lock", what=f"the audit in {self._folder}", wait=self._wait, named=False):
                yield
        except (OSError, HistoryConflictError) as error:
            msg = f"the audit in {self._folder} can't be written, so that no command is sent: {error}"
            raise ControlError(msg) from error

    def _take(self, n: int, leaf: bytes) -> None:
        if self._heads is not None:
            self._heads.take(n, leaf)

    def _sign_on(self) -> None:
        while not self._closed.is_set():
            self._wake.wait(self._seconds)
            self._wake.clear()
            if self._heads is not None and not self._closed.is_set() and (self._heads.unsigned or self._undelivered):
                # Whoever appends next gets the same error.
                with suppress(ControlError):
                    self.flush()

    def _deliver(self) -> None:
        """Send heads to each second place, and record when one begins or ends to refuse them."""
        for place in self._places:
            waited = place.waits_since is not None
            taken = place.deliver(self._undelivered)
            if taken == waited and not self._closed.is_set():
                what = {"outcome": "taken" if taken else "waiting", "place": place.name, "reason": place.reason[:500]}
                self._append(AuditEntry("heads", (), what))
        first = min((place.next for place in self._places), default=0)
        self._undelivered = [pair for pair in self._undelivered if self._places and pair[0].number >= first]

    def _check_places(self) -> None:
        for place in self._places:
            since = place.waits_since
            if since is not None and time.monotonic() - since > self._grace:
                msg = (
                    f"the audit in {self._folder}: {place.name} hasn't taken signed heads for {self._grace:g} s "
                    f"({place.reason}), so that no command is sent; repair that place, or remove it"
                )
                raise ControlError(msg)
