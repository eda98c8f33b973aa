"""A reader that caches a twin's tables until the twin has new data."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from twinlab.model.reader import DelegatingReader

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.reader import TwinReader

__all__ = ["CachedReader", "cached_reader", "position_of"]

_T = TypeVar("_T")
_FRESH_SECONDS = 60.0
#: A page reads many tables at once; the twin's position, which is read from files, is checked at most this often.
_CHECK_SECONDS = 1.0


class CachedReader(DelegatingReader):
    """A `TwinReader` that caches events, assets and relationships, and what was computed from them.

    The cache is emptied within a second after the twin's position changes, or every minute if the twin has no position.
    History isn't cached. All other attributes are the twin's. The tables are shared: treat them as read-only.

    Parameters
    ----------
    twin : TwinReader
    clock : callable, optional
        Seconds, rising.
    """

    def __init__(self, twin: TwinReader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._twin = twin
        self._clock = clock
        self._cache: dict[Hashable, Any] = {}
        self._seen: object = None
        self._checked = float("-inf")
        # One reading at a time; the next caller finds it cached. Reentrant, since cached results may be computed from others.
        self._lock = threading.RLock()

    @property
    def _source(self) -> TwinReader:
        return self._twin

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type."""
        if start is not None or stop is not None or assets is not None:
            return self._twin.events(event_type, start=start, stop=stop, assets=assets)
        return self.cached(("events", event_type), lambda: self._twin.events(event_type))

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type."""
        return self.cached(("assets", asset_type), lambda: self._twin.assets(asset_type))

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type."""
        return self.cached(("relationships", relationship), lambda: self._twin.relationships(relationship))

    def cached(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return the cached result of a key; made now if there is none, or the twin has new data."""
        with self._lock:
            if self._clock() - self._checked >= _CHECK_SECONDS:
                now = self._position()
                self._checked = self._clock()
                if now != self._seen:
                    self._cache.clear()
                    self._seen = now
            if key not in self._cache:
                self._cache[key] = make()
            return cast("_T", self._cache[key])

    def _position(self) -> object:
        position = position_of(self._twin)
        return self._clock() // _FRESH_SECONDS if position is None else position

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (all other attributes of the twin)
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._twin, name)


def cached_reader(twin: TwinReader) -> CachedReader:
    """Return a twin that reads each of its tables once: itself if it does so already."""
    return twin if isinstance(twin, CachedReader) else CachedReader(twin)


def cached(twin: TwinReader, key: Hashable, make: Callable[[], _T]) -> _T:
    """Return the result that a `CachedReader` caches under a key; for any other twin it is made anew."""
    return twin.cached(key, make) if isinstance(twin, CachedReader) else make()


def position_of(twin: TwinReader) -> object:
    """Return a value that changes with new data and with other definitions, such as a promoted mapping; None if it isn't known."""
    reader = getattr(twin, "reader", twin)
    position = getattr(reader, "position", None)
    # A promotion leaves the position as it is.
    return (
        (position(), getattr(reader, "model", None), getattr(reader, "mappings", None)) if callable(position) else None
    )
