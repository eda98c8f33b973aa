"""Counts of events by status in bins of time or of delay. Pure, and vectorized for hundreds of thousands of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events import STATUSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Bins", "count_by_delay", "count_by_time", "event_times"]

#: Possible widths of a bin.
_WIDTHS = tuple(
    np.timedelta64(60 * minutes, "s").astype("timedelta64[ns]")
    for minutes in (1, 5, 15, 60, 180, 360, 1_440, 10_080, 40_320)
)
_MAX_BINS = 120


@dataclass(frozen=True)
class Bins:
    """Counts of events in bins."""

    # Edges of the bins, shape (bins + 1,): datetime64[ns], or minutes.
    edges: NDArray[np.generic]
    # Status -> counts, shape (bins,).
    counts: dict[str, NDArray[np.int64]]
    # Number of events without a time or a delay, in no bin.
    without: int
    # Number of delays outside the edges, counted in the outermost bins.
    beyond: int = 0

    @property
    def total(self) -> int:
        """Number of events in all bins."""
        return int(sum(int(part.sum()) for part in self.counts.values()))


def event_times(table: pd.DataFrame) -> NDArray[np.datetime64]:
    """Return one time for each event: the first known of start, planned start, end and planned end."""
    out = table["start"].to_numpy(dtype="datetime64[ns]").copy()
    for name in ("planned_start", "end", "planned_end"):
        missing = np.isnat(out)
        if not missing.any():
            break
        out[missing] = table[name].to_numpy(dtype="datetime64[ns]")[missing]
    return out


def count_by_time(table: pd.DataFrame) -> Bins | None:
    """Count events by time in at most about 120 bins of a round width; None if no event has a time.

    >>> times = pd.to_datetime(["2013-01-01 00:10", "2013-01-01 00:50", "2013-01-01 02:30"])
    >>> table = pd.DataFrame({"status": "done", "start": times, "planned_start": times, "end": times, "planned_end": times})
    >>> int(count_by_time(table).counts["done"].sum())
    3
    """
    times = event_times(table)
    known = ~np.isnat(times)
    if not known.any():
        return None
    low, high = times[known].min(), times[known].max()
    width = next((one for one in _WIDTHS if (high - low) / one <= _MAX_BINS), _WIDTHS[-1])
    size = int(width.astype("int64"))
    first = int(low.astype("int64")) // size
    count = int(high.astype("int64")) // size - first + 1
    place = times[known].astype("int64") // size - first
    edges = ((np.arange(count + 1) + first) * size).astype("datetime64[ns]")
    return Bins(edges, _by_status(table, known, place, count), int((~known).sum()))


def count_by_delay(table: pd.DataFrame, *, column: str = "end_delay") -> Bins | None:
    """Count events by delay in minutes; extreme delays are counted in the outermost bins. None without delays.

    Parameters
    ----------
    column : {"start_delay", "end_delay"}

    >>> bins = count_by_delay(pd.DataFrame({"status": "done", "end_delay": [1.0, 2.0, 30.0]}))
    >>> bins.total
    3
    """
    delay = table[column].to_numpy(dtype=float)
    known = np.isfinite(delay)
    if not known.any():
        return None
    values = delay[known]
    low, high = np.quantile(values, [0.005, 0.99])
    width = next((one for one in (1, 2, 5, 10, 15, 30, 60, 120, 240, 720, 1440) if (high - low) / one <= 60), 10_080)
    first, last = int(np.floor(low / width)), int(np.floor(high / width))
    count = last - first + 1
    raw = np.floor(values / width).astype("int64") - first
    place = np.clip(raw, 0, count - 1)
    edges = (np.arange(count + 1) + first) * float(width)
    return Bins(edges, _by_status(table, known, place, count), int((~known).sum()), int((raw != place).sum()))


def _by_status(
    table: pd.DataFrame, known: NDArray[np.bool_], place: NDArray[np.int64], count: int
) -> dict[str, NDArray[np.int64]]:
    status = pd.Categorical(table["status"], categories=list(STATUSES))
    codes = np.asarray(status.codes)[known].astype("int64")
    valid = codes >= 0
    grid = np.bincount(codes[valid] * count + place[valid], minlength=len(STATUSES) * count)
    return {name: grid[k * count : (k + 1) * count] for k, name in enumerate(STATUSES)}
