"""The audit rows of what is done with personal data: on the disk before it happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.control.audit import AuditLog, AuditRow

__all__ = ["AUDIT", "PrivacyAudit", "is_recorded", "recorded"]

#: Folder of the audit, in a twin's folder.
AUDIT = "audit"
_GUARD = threading.Lock()
#: Whether what is read now is recorded already, by a reader for a purpose, a release or an erasure.
_RECORDED: ContextVar[bool] = ContextVar("recorded", default=False)


@contextmanager
def recorded() -> Iterator[None]:
    """Read without further rows: the caller has written one."""
    token = _RECORDED.set(True)
    try:
        yield
    finally:
        _RECORDED.reset(token)


def is_recorded() -> bool:
    """Return whether the caller has written a row."""
    return _RECORDED.get()


class PrivacyAudit:
    """The audit of a twin, for reads, releases and erasures.

    It has no key to sign tree heads with: the process that serves or runs the twin signs those of its rows.

    Parameters
    ----------
    folder : Path
        The twin's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder).resolve() / AUDIT

    def append(self, entry: Mapping[str, object]) -> None:
        """Append a row; durable when this returns.

        Raises
        ------
        ControlError
            If it can't be written: what was to be recorded mustn't happen then.
        """
        with _GUARD:
            log = _log(self._folder)
        log.append(entry)

    def rows(self, *kinds: str) -> Iterator[AuditRow]:
        """Yield the rows of some kinds, in order."""
        from twinlab.control.audit.search import RowFilter, find_rows  # noqa: PLC0415

        if self._folder.is_dir():
            yield from find_rows(self._folder, RowFilter(kinds=kinds))


@lru_cache(maxsize=8)
def _log(folder: Path) -> AuditLog:
    from twinlab.control.audit import AuditLog as Log  # noqa: PLC0415  (most twins record nothing)

    return Log(folder)
