"""Events of synthetic days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.simulate.synthetic.days import DaySources

__all__ = ["resampled_events"]

_TIMES = ("start", "end", "planned_start", "planned_end")
#: A property is a delay if it equals one in this share of the events.
_SURE = 0.95


def resampled_events(
    table: pd.DataFrame,
    first: np.datetime64,
    days: DaySources,
    *,
    begin: np.datetime64,
    numbers: Sequence[str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the events of synthetic days: those of their first day at the same time of day, with delays changed about.

    Delays at the start change places among the events of a day, so that a day with many stays one, while no event is copied whole; how
    long an event lasts stays its own. Properties that are delays are computed again.

    Parameters
    ----------
    table : DataFrame
        Events of the history, with columns of the event table.
    first : datetime64
        First day of the history.
    days : DaySources
    begin : datetime64
        First synthetic day.
    numbers : sequence of str
        Properties in minutes.
    rng : Generator

    Returns
    -------
    DataFrame
        As ``table``, with the day's number before each id.
    """
    anchor = table["planned_start"].fillna(table["start"]) if "planned_start" in table else table["start"]
    day = ((anchor.to_numpy().astype("M8[ns]") - first.astype("M8[ns]")) // np.timedelta64(1, "D")).astype(np.int64)
    delays = {name: edge for name in numbers if (edge := _delay_of(table, name)) is not None}
    rows_of = {int(one): np.flatnonzero((day == one) & anchor.notna().to_numpy()) for one in np.unique(days.first)}
    parts = []
    for place, source in enumerate(days.first.tolist()):
        part = table.iloc[rows_of[source]].copy()
        if part.empty:
            continue
        shift = (begin.astype("M8[D]") + place) - (first.astype("M8[D]") + source)
        for name in _TIMES:
            if name in part:
                part[name] = part[name] + pd.Timedelta(shift)
        _exchange(part, rng)
        for name, edge in delays.items():
            part[name] = _minutes(part, edge).where(part[name].notna())
        part["event_id"] = [f"{place}_{one}" for one in range(len(part))]
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else table.iloc[:0]


def _minutes(table: pd.DataFrame, edge: str) -> pd.Series:
    """Return minutes by which an edge came after its planned time."""
    return (table[edge] - table[f"planned_{edge}"]).dt.total_seconds() / 60


def _delay_of(table: pd.DataFrame, name: str) -> str | None:
    """Return the edge of which a property is the delay, if it is one."""
    for edge in ("start", "end"):
        if f"planned_{edge}" not in table:
            continue
        delay = _minutes(table, edge).to_numpy(dtype=np.float64)
        given = table[name].to_numpy(dtype=np.float64)
        both = np.isfinite(delay) & np.isfinite(given)
        if both.any() and np.mean(np.abs(delay[both] - given[both]) < 1) > _SURE:
            return edge
    return None


def _exchange(part: pd.DataFrame, rng: np.random.Generator) -> None:
    """Let the delays at the start change places among the events of a day that have one."""
    if "planned_start" not in part:
        return
    known = np.flatnonzero((part["start"].notna() & part["planned_start"].notna()).to_numpy())
    if len(known) < 2:
        return
    columns = {name: part[name].to_numpy().astype("M8[ns]").copy() for name in ("start", "end", "planned_start")}
    delay = (columns["start"] - columns["planned_start"])[known]
    lasting = (columns["end"] - columns["start"])[known]
    columns["start"][known] = columns["planned_start"][known] + delay[_derangement(len(known), rng)]
    # What has no end still has none: NaT stays NaT.
    columns["end"][known] = columns["start"][known] + lasting
    part["start"], part["end"] = columns["start"], columns["end"]


def _derangement(size: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return an order in which nothing stays in its place."""
    order = rng.permutation(size)
    found = np.empty(size, dtype=np.int64)
    found[order] = np.roll(order, 1)
    return found
