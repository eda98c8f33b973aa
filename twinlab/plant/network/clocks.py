"""Times of the plant: seconds since 1970 in UTC inside, Central European local time in files of people and loggers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["DAY", "HOUR", "ZONE", "Floats", "Ints", "from_local", "local_days", "offset_text", "to_local"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: The zone of all hubs.
ZONE = "Europe/Berlin"
HOUR, DAY = 3600, 86_400


def to_local(seconds: Ints) -> Ints:
    """Return the local time of instants, as seconds since 1970 on the local clock.

    >>> to_local(np.array([1774746000])).tolist()  # 2026-03-29T01:00Z, the instant of the change
    [1774753200]
    """
    # The offset never changes within a quarter of an hour, so it is looked up once per quarter.
    quarter, place = np.unique(seconds // 900, return_inverse=True)
    zone = pd.DatetimeIndex((quarter * 900).astype("M8[s]")).tz_localize("UTC").tz_convert(ZONE)
    offset = zone.tz_localize(None).to_numpy().astype("M8[s]").astype(np.int64) - quarter * 900
    return np.asarray(seconds + offset[place.reshape(np.shape(seconds))], dtype=np.int64)


def from_local(wall: Ints) -> Ints:
    """Return the instants of local times; a repeated hour is read as the first, a missing one is shifted forward.

    >>> int(from_local(np.array([1774753200]))[0])
    1774746000
    """
    index = pd.DatetimeIndex(wall.astype("M8[s]"))
    zone = index.tz_localize(ZONE, ambiguous=np.ones(len(index), dtype=bool), nonexistent="shift_forward")
    return zone.tz_convert("UTC").tz_localize(None).to_numpy().astype("M8[s]").astype(np.int64)


def local_days(begin: int, count: int) -> Ints:
    """Return the local midnights of ``count`` days, from the day that begins at ``begin``.

    >>> np.diff(local_days(0, 3)).tolist()
    [86400, 86400]
    """
    return begin // DAY * DAY + DAY * np.arange(count, dtype=np.int64)


def offset_text(seconds: Ints) -> list[str]:
    """Return the instants as ISO 8601 with the offset of the zone.

    >>> offset_text(np.array([1774746000]))
    ['2026-03-29T03:00:00+02:00']
    """
    wall = to_local(seconds)
    signs = {3600: "+01:00", 7200: "+02:00"}
    texts = wall.astype("M8[s]").astype(str).tolist()
    return [text + signs[gap] for text, gap in zip(texts, (wall - seconds).tolist(), strict=True)]
