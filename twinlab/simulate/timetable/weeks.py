"""Hours of the week, UTC."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["HOURS", "hour_of_week"]

HOURS = 168


def hour_of_week(times: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the hour of the week of instants (UTC), 0 on Monday 00:00.

    >>> hour_of_week(np.array(["2026-03-23T01:30"], "M8[ns]")).tolist()
    [1]
    """
    hours = np.asarray(times, dtype="M8[h]").astype(np.int64)
    # 1970-01-01 was a Thursday.
    return (hours + 3 * 24) % HOURS
