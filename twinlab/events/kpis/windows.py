"""The windows of a KPI: whole ones, aligned to midnight UTC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError

__all__ = ["Windows", "window_at", "windows"]

_DAY = 86400 * 10**9


@dataclass(frozen=True)
class Windows:
    """Windows of one width, one after the other."""

    #: Start of each window and, as the last, the end of the last one; nanoseconds since 1970, UTC.
    edges: NDArray[np.int64]
    width_ns: int

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def starts(self) -> NDArray[np.datetime64]:
        """The start of each window."""
        return self.edges[:-1].astype("datetime64[ns]")

    def of(self, times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the window of each instant, -1 outside all of them."""
        place = (times_ns - self.edges[0]) // self.width_ns
        return np.where((place >= 0) & (place < len(self)), place, -1)


def windows(start_ns: int, stop_ns: int, width_ns: int, *, every: str) -> Windows:
    """Return the windows that overlap ``[start, stop)``.

    Windows of less than a day begin at multiples of their width since midnight UTC; those of several days begin at the start's
    midnight.

    Raises
    ------
    SchemaError
        If the width neither divides a day nor is a number of whole days, or there is no window or more than a million.

    >>> windows(5 * 3600 * 10**9, 7 * 3600 * 10**9, 4 * 3600 * 10**9, every="4h").starts.astype("datetime64[h]").tolist()
    [datetime.datetime(1970, 1, 1, 4, 0)]
    """
    if _DAY % width_ns and width_ns % _DAY:
        msg = f"expected a step that divides a day or is whole days, such as '1h', '1d' or '7d', got {every!r}"
        raise SchemaError(msg)
    if not start_ns < stop_ns:
        shown = [str(np.datetime64(one, "ns").astype("datetime64[s]")) for one in (start_ns, stop_ns)]
        msg = f"expected start before stop, got {shown[0]} and {shown[1]}; swap them or widen the window"
        raise SchemaError(msg)
    unit = min(width_ns, _DAY)
    first = start_ns // unit * unit
    count = -((first - stop_ns) // width_ns)
    if count > 10**6:
        msg = f"expected at most 1,000,000 windows, got {count:,}; give a larger step than {every!r} or a shorter span"
        raise SchemaError(msg)
    return Windows(first + width_ns * np.arange(count + 1, dtype=np.int64), width_ns)


def window_at(at_ns: int, width_ns: int, *, every: str) -> Windows:
    """Return the window that an instant is in; of several days, where any day may be the first, the one that begins on its day.

    >>> window_at(30 * 3600 * 10**9, 4 * 3600 * 10**9, every="4h").starts.astype("datetime64[h]").tolist()
    [datetime.datetime(1970, 1, 2, 4, 0)]
    """
    low = at_ns // width_ns * width_ns if width_ns < _DAY else at_ns
    return windows(low, low + 1, width_ns, every=every)
