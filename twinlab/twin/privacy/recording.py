"""The record of what is done with personal data: a line of JSON for each read, release and erasure, on the disk before it happens."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from twinlab._files import open_binary
from twinlab.errors import SourceError

__all__ = ["PrivacyRecord"]


class PrivacyRecord:
    """Appends entries to ``audit/privacy.jsonl`` of a twin.

    Parameters
    ----------
    folder : Path
        The twin's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = Path(folder) / "audit" / "privacy.jsonl"
        self._guard = threading.Lock()

    def append(self, entry: Mapping[str, object]) -> None:
        """Append an entry with the time; durable when this returns.

        Raises
        ------
        SourceError
            If it can't be written: what was to be recorded mustn't happen then.
        """
        line = (
            json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry}, ensure_ascii=False)
            + "\n"
        )
        try:
            with self._guard:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                descriptor = open_binary(self._path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
                try:
                    os.write(descriptor, line.encode())
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        except OSError as error:
            msg = f"{self._path} can't be written: {error.strerror}; nothing was read. Free the disk, then retry"
            raise SourceError(msg) from error

    def entries(self) -> Iterator[dict[str, object]]:
        """Yield the entries, in order."""
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                yield json.loads(line)
