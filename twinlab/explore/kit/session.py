"""What a view reads through: `Shared` for all readers of a twin, `Session` for one reader."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Hashable, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from twinlab.events import CachedReader
from twinlab.explore.charts.choices import Choices, asset_labels
from twinlab.explore.charts.reading import latest_time
from twinlab.explore.kit.cache import ReadCache
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.kit.tables.event_tables import EventTables

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from twinlab.model.reader import TwinReader

__all__ = ["Session", "Shared"]

_T = TypeVar("_T")


class Shared:
    """Caches of one twin for all its readers: event tables, labels, newest time, and whatever views add."""

    def __init__(self, twin: TwinReader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.twin = twin
        self._clock = clock
        self.tables = EventTables(twin, clock=clock)
        self._cache = ReadCache(twin, clock=clock, live=has_live_sources(twin))

    @cached_property
    def choices(self) -> Choices:
        """Asset types, signals and assets that can be drawn."""
        return Choices(self.twin)

    @cached_property
    def reader(self) -> CachedReader:
        """The twin, with tables that are cached until its position changes."""
        return CachedReader(self.twin)

    def latest(self) -> np.datetime64 | None:
        """Return the time of the newest sample, or of the newest event of a twin without samples; None without either."""
        return self.cached("latest", lambda: latest_time(self.reader))

    def labels(self, asset_type: str) -> dict[str, str]:
        """Return asset -> display name, of all assets of a type."""
        return self.cached(("labels", asset_type), lambda: asset_labels(self.twin, asset_type))

    def relationships(self, name: str) -> pd.DataFrame:
        """Return the relationships of one type."""
        return self.reader.relationships(name)

    def cached(self, key: Hashable, read: Callable[[], _T]) -> _T:
        """Return the cached value of a key; ``read`` is called if there is none, or the twin may have new data."""
        return self._cache.get(key, read)

    def forget(self) -> None:
        """Drop what was read, after a change that must be seen at once, such as a promoted revision."""
        self._cache.forget()
        self.tables = EventTables(self.twin, clock=self._clock)
        for name in ("choices", "reader"):
            self.__dict__.pop(name, None)

    def kept(self, key: Hashable, read: Callable[[], _T]) -> _T:
        """Call `cached`, the present name of this method."""
        warnings.warn("Shared.kept is now called Shared.cached", DeprecationWarning, stacklevel=2)
        return self.cached(key, read)


@dataclass(frozen=True)
class Session:
    """One reader of a twin: user name and settings."""

    #: User name; "" without a login.
    user: str = ""
    #: Stored for this user: columns of a table, dismissed hints, ... Values are JSON.
    settings: MutableMapping[str, object] = field(default_factory=dict)
