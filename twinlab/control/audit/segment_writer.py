"""The end of a log, at which rows are appended: found when it is opened, and again when another process has appended."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from twinlab._files import open_binary, sync_folder
from twinlab.control.audit.chain import BrokenChainError, Chain, TornBytes, take_rows, torn_entry
from twinlab.control.audit.rows import AuditEntry, AuditRow, read_row, write_row
from twinlab.control.audit.segments import SEGMENT_BYTES, first_entry, list_segments, segment_path, start_of
from twinlab.errors import ControlError, TwinlabError

__all__ = ["SegmentWriter"]


class SegmentWriter:
    """Appends to the last segment. Whoever calls has the lock of the log.

    Parameters
    ----------
    folder : Path
        Folder of the log.
    taken : callable
        ``taken(n, leaf)`` is called with number and hash of each row that is read or written.
    segment_bytes : int
        Size from which on a new segment begins.
    """

    def __init__(
        self, folder: Path, taken: Callable[[int, bytes], None], *, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self._folder = folder
        self._taken = taken
        self._segment_bytes = segment_bytes
        self._file = -1
        self._path: Path | None = None
        # Up to here the file is read; its last row may lack its line end.
        self._offset, self._lead = 0, b""
        self._headed = False
        self._failed = ""
        self.chain = Chain()
        self.log = ""

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._path = -1, None

    def refresh(self) -> None:
        """Read what other processes have appended, and state bytes that one of them didn't finish.

        Raises
        ------
        ControlError
            If the log isn't intact, or can't be read or written.
        """
        if self._failed:
            raise ControlError(self._failed)
        try:
            opened = self._path is None and self._open_last()
            while self._path is not None:
                self._read_on()
                later = segment_path(self._folder, self.chain.count)
                if later == self._path or not later.exists():
                    break
                self._enter(later)
            if opened and (last := list_segments(self._folder)[-1]).path != self._path:
                raise BrokenChainError(
                    self.chain.count, f"expected a segment that begins with it before {last.path.name}"
                )
        except OSError as error:
            self.close()
            raise self._unwritable(error) from error
        except TwinlabError as error:
            self.close()
            msg = f"the audit in {self._folder} isn't intact, so that no command is sent: {error}; run: twinlab audit verify"
            raise ControlError(msg) from error

    def append(self, entries: Sequence[AuditEntry]) -> list[AuditRow]:
        """Write rows; they are on the disk when this returns.

        Raises
        ------
        ControlError
            If they can't be written: the disk is full, say. A part of them may be in the log.
        """
        self.refresh()
        try:
            if self._path is None or self._offset >= self._segment_bytes:
                self._enter(segment_path(self._folder, self.chain.count))
            if not self._headed:
                self.log = self.log or uuid.uuid4().hex
                entries = [first_entry(self.chain, self.log), *entries]
                rows = self._write(entries)[1:]
                sync_folder(self._folder / "rows")
                self._headed = True
                return rows
            return self._write(entries)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ControlError:
        return ControlError(
            f"the audit in {self._folder} can't be written ({error.strerror or error}), so that no command is sent; "
            "free some space or make the folder writable, then try again"
        )

    def _open_last(self) -> bool:
        """Begin at the last segment that can be read by itself; return whether there is one."""
        segments = list_segments(self._folder)
        self.chain, self.log = Chain(), ""
        for segment in reversed(segments):
            begun = start_of(segment)
            if begun is not None or segment.first == 0:
                self.chain, self.log = begun or (self.chain, self.log)
                self._enter(segment.path)
                return True
        if segments:
            raise BrokenChainError(0, f"expected the segment that begins with it, got {segments[0].path.name}")
        return False

    def _enter(self, path: Path) -> None:
        self.close()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open_binary(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self._path, self._offset, self._lead, self._headed = path, 0, b"", False

    def _read_on(self) -> None:
        assert self._path is not None
        state = os.fstat(self._file)
        if not os.path.samestat(state, self._path.stat()):
            raise BrokenChainError(
                self.chain.count, f"{self._path.name} was replaced by another file while it was open"
            )
        if state.st_size < self._offset:
            raise BrokenChainError(self.chain.count - 1, f"expected it in {self._path.name}, which was cut")
        if state.st_size == self._offset:
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        torn = None
        for found in take_rows(self.chain, data, self._offset):
            if isinstance(found, TornBytes):
                torn = None if found.noted else found
                continue
            self._taken(self.chain.count - 1, found.leaf)
            if found.fields["kind"] == "segment":
                self._headed, self.log = True, found.fields["what"]["log"]
        begin, self._offset = self._offset, self._offset + len(data)
        self._lead = b"" if data.endswith(b"\n") else b"\n"
        if torn is not None:
            if list_segments(self._folder)[-1].path != self._path:
                raise BrokenChainError(
                    self.chain.count, f"expected a row of JSON in {self._path.name}, got other bytes"
                )
            # The line end that follows the torn bytes may be there already: it is one of them then.
            self._lead = b"\n"
            self._write([torn_entry(data[torn.offset - begin :], torn)])

    def _write(self, entries: Sequence[AuditEntry]) -> list[AuditRow]:
        """Write rows and make them durable; only then they count.

        Raises
        ------
        OSError
            If that fails. What of them was written is read by the next `refresh`.
        """
        draft = self.chain.copy()
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        lines, leaves = [], []
        for entry in entries:
            lines.append(write_row(draft.count, draft.last, at, entry))
            leaves.append(draft.take(lines[-1]))
        data = memoryview(self._lead + b"\n".join(lines) + b"\n")
        written = 0
        while written < len(data):
            written += os.write(self._file, data[written:])
        try:
            os.fsync(self._file)
        except OSError as error:
            # Nobody knows what is on the disk now, and another fsync could succeed without writing it.
            self._failed = (
                f"the audit in {self._folder} couldn't be synced ({error.strerror or error}), so that no command is sent; "
                "repair the disk, then start this process again"
            )
            raise
        first = self.chain.count
        self.chain, self._offset, self._lead = draft, self._offset + len(data), b""
        for place, leaf in enumerate(leaves):
            self._taken(first + place, leaf)
        return [read_row(line) for line in lines]
