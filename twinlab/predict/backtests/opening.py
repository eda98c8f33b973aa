"""A twin that is opened in each thread or process that reads it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["TwinHandle"]

_OPEN = threading.local()


@dataclass(frozen=True)
class TwinHandle:
    """How to get a twin: a class and a folder, or the reader itself.

    Readers keep files and caches open that threads can't share; another process opens the folder again.

    Parameters
    ----------
    kind : type, optional
        Class with the folder as only argument.
    folder : str
    reader : TwinReader, optional
        A reader in memory.
    """

    kind: type[Any] | None
    folder: str
    reader: TwinReader | None

    @classmethod
    def of(cls, twin: TwinReader) -> TwinHandle:
        """Return a handle of a twin."""
        folder = getattr(twin, "folder", None)
        return cls(None, "", twin) if folder is None else cls(type(twin), str(folder), None)

    def open(self) -> TwinReader:
        """Return the twin of this thread."""
        if self.kind is None:
            assert self.reader is not None
            return self.reader
        found = _OPEN.__dict__.setdefault("twins", {})
        if self.folder not in found:
            found.clear()
            found[self.folder] = self.kind(self.folder)
        twin: TwinReader = found[self.folder]
        return twin
