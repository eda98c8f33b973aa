"""What all readers of one served twin share, so that a second reader costs little."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from twinlab.explore.reading import latest_time
from twinlab.explore.table import EventTables

if TYPE_CHECKING:
    import numpy as np

    from twinlab.model.reader import TwinReader

__all__ = ["Shared"]

_FRESH_SECONDS = 60.0


class Shared:
    """Event tables and the newest time of a twin, each kept for a minute."""

    def __init__(self, twin: TwinReader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.twin = twin
        self.tables = EventTables(twin, clock=clock)
        self._clock = clock
        self._latest: tuple[float, np.datetime64 | None] | None = None

    def latest(self) -> np.datetime64 | None:
        """Return the time of the newest sample, None if there is none."""
        if self._latest is None or self._clock() - self._latest[0] >= _FRESH_SECONDS:
            self._latest = (self._clock(), latest_time(self.twin))
        return self._latest[1]
