"""A reader of a twin that each thread and each process opens itself, at the same state."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twinlab.errors import SchemaError

__all__ = ["Handle", "Opening"]

#: Readers that a thread keeps open.
_MOST_OPEN = 2
_OPEN = threading.local()


@dataclass(frozen=True)
class Opening:
    """How another process opens a reader; small and hashable.

    Parameters
    ----------
    function : callable
        ``function(*arguments)`` returns the reader, at the state that this one has now.
    arguments : tuple
        Hashable.
    check : callable, optional
        ``check(*arguments)`` raises an error that says why this process can't open it; it reads little.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    check: Callable[..., None] | None = None


@dataclass(frozen=True)
class Handle:
    """How to get a reader: how it is opened, or the reader itself if it is in memory.

    Readers keep files and caches open that threads can't share, so that each thread opens its own, once.

    Parameters
    ----------
    opening : Opening, optional
    reader : TwinReader, optional
        A reader in memory, such as `twinlab.testing.FakeTwin`; it is sent as it is.

    Examples
    --------
    >>> from twinlab.testing import FakeTwin
    >>> handle = Handle.of(FakeTwin.example(days=2, trips=10))
    >>> handle.open().history("station").sizes["asset"]
    3
    """

    opening: Opening | None
    reader: Any = None

    @classmethod
    def of(cls, reader: Any) -> Handle:  # noqa: ANN401  (anything that reads like a twin)
        """Return a handle of a reader: of one with a method ``opening`` how it is opened."""
        opening = getattr(reader, "opening", None)
        return cls(None, reader) if opening is None else cls(opening())

    def check(self) -> None:
        """Raise an error if this process can't open the reader, or nobody else can."""
        if self.opening is None and hasattr(self.reader, "_source"):
            msg = (
                f"expected a twin, one as of some time or a revision for client=, got {type(self.reader).__name__}, which workers"
                " can't open by themselves; leave client= out"
            )
            raise SchemaError(msg)
        if self.opening is not None and self.opening.check is not None:
            self.opening.check(*self.opening.arguments)

    def open(self) -> Any:  # noqa: ANN401
        """Return the reader of this thread."""
        if self.opening is None:
            return self.reader
        found: dict[Opening, Any] = _OPEN.__dict__.setdefault("readers", {})
        if self.opening not in found:
            while len(found) >= _MOST_OPEN:
                found.pop(next(iter(found)))
            found[self.opening] = self.opening.function(*self.opening.arguments)
        return found[self.opening]
