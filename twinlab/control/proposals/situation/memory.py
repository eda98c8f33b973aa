"""What was learnt from the past, which stays the same while new rows come."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["Memory"]

_T = TypeVar("_T")
#: Entries that are kept: types of rooms and events, of this hour and the last.
_MOST = 8


class Memory:
    """Results by key; the oldest are left out.

    >>> memory = Memory()
    >>> memory.get("answer", lambda: 42), memory.get("answer", lambda: 43)
    (42, 42)
    """

    def __init__(self) -> None:
        self._found: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what was made for a key; make it if it wasn't."""
        if key not in self._found:
            self._found[key] = make()
            while len(self._found) > _MOST:
                del self._found[next(iter(self._found))]
        return cast("_T", self._found[key])
