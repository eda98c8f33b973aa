"""The window's way through time: the newest samples that it follows, and the windows that a reader has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twinlab.events import position_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinlab.explore.charts.reading import Window
    from twinlab.explore.kit.session import Shared

__all__ = ["Trail", "Watch", "moved"]

WEEK = np.timedelta64(7, "D").astype("timedelta64[ns]")


class Trail:
    """Windows that a reader has seen, to step back and forward through."""

    def __init__(self) -> None:
        self._past: list[Window | None] = []
        self._future: list[Window | None] = []

    def leave(self, window: Window | None) -> None:
        """Remember the window that was just left for a new one."""
        self._past.append(window)
        del self._past[:-50]
        self._future.clear()

    def back(self, now: Window | None) -> Window | None:
        """Return the window before this one; this one if it's the first."""
        if not self._past:
            return now
        self._future.append(now)
        return self._past.pop()

    def forward(self, now: Window | None) -> Window | None:
        """Return the window that was left by stepping back; this one if there is none."""
        if not self._future:
            return now
        self._past.append(now)
        return self._future.pop()


def moved(window: Window, by: np.timedelta64) -> Window:
    """Return a window moved in time.

    >>> str(moved((np.datetime64("2026-01-01", "ns"), np.datetime64("2026-01-02", "ns")), WEEK)[0])[:10]
    '2026-01-08'
    """
    return window[0] + by, window[1] + by


class Watch:
    """Whether a twin has news: asked every few seconds, so it must cost little.

    A twin that tells its position is read only when that has moved; of others, the newest time is looked at once a
    minute, for all readers together.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._seen: object = None

    def news(self, read: Callable[[], np.datetime64 | None]) -> np.datetime64 | None:
        """Return the newest time if it may have moved since the last call, else None."""
        position = position_of(self._shared.twin)
        seen: object = self._shared.latest() if position is None else position
        if seen == self._seen:
            return None
        self._seen = seen
        return read()
