"""Events from scores as they come: each batch changes a state, so that batches of any length give the same events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.values import Floats

__all__ = ["Hysteresis", "HysteresisState", "TrackedEvent", "TrackingState", "track"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HysteresisState:
    """One element per asset: whether an event is active, and the rows in a row that would change it."""

    active: npt.NDArray[np.bool_]
    rows: Integers

    @classmethod
    def start(cls, assets: int) -> HysteresisState:
        """Return the state in which nothing is active."""
        return cls(np.zeros(assets, dtype=bool), np.zeros(assets, dtype=np.int64))


@dataclass(frozen=True)
class Hysteresis:
    """When an event begins and ends."""

    begin: int = 3
    """Rows in a row with an index of at least 1 after which it begins."""
    end: int = 12
    """Rows in a row with an index below ``release`` after which it ends."""
    release: float = 0.8

    def __post_init__(self) -> None:
        """Raise `SchemaError` for parameters that aren't valid."""
        if self.begin < 1 or self.end < 1 or not 0 < self.release <= 1:
            msg = f"Hysteresis: expected begin and end of at least 1 row and a release in (0, 1], got {self}"
            raise SchemaError(msg)

    def active(
        self, index: Floats, state: HysteresisState | None = None
    ) -> tuple[npt.NDArray[np.bool_], HysteresisState]:
        """Return in which rows an event is active, [time, asset], and the state after them.

        A row without an index changes nothing.
        """
        now = HysteresisState.start(index.shape[1]) if state is None else state
        active, rows = now.active.copy(), now.rows.copy()
        found = np.empty(index.shape, dtype=bool)
        for place, row in enumerate(index):
            changes = np.where(active, row < self.release, row >= 1)
            rows = np.where(np.isnan(row), rows, np.where(changes, rows + 1, 0))
            change = rows >= np.where(active, self.end, self.begin)
            active, rows = active ^ change, np.where(change, 0, rows)
            found[place] = active
        return found, HysteresisState(active, rows)


@dataclass(frozen=True)
class TrackedEvent:
    """An event of one asset, with what its later rows are added to."""

    place: int
    """Of the asset."""
    start: int
    """Time of the row with which it began, ns."""
    peak: float = -np.inf
    """The largest index."""
    peak_time: int = 0
    sustained: float = 0.0
    """The largest index that as many rows in a row had as begin an event: with a limit above it there is no event."""
    shares: tuple[float, ...] = ()
    """Sums of the contributions, by signal."""
    rows: int = 0
    """That were summed."""
    end: int | None = None
    """Time of the row in which it ended; None while it is active."""

    def signals(self, names: tuple[str, ...]) -> str:
        """Return the signals with at least a tenth of the contributions, most first."""
        if not self.rows:
            return ""
        mean = np.array(self.shares) / self.rows
        return ", ".join(f"{names[place]} {mean[place]:.0%}" for place in np.argsort(-mean) if mean[place] >= 0.1)


@dataclass(frozen=True)
class TrackingState:
    """After some rows: what hysteresis counts, the newest indexes of each asset, and the events that are active."""

    hysteresis: HysteresisState
    recent: Floats
    """[row, asset]: as many known ones as begin an event, oldest first."""
    active: tuple[TrackedEvent, ...] = ()

    @classmethod
    def start(cls, assets: int, rule: Hysteresis) -> TrackingState:
        """Return the state before the first row."""
        return cls(HysteresisState.start(assets), np.full((rule.begin, assets), -np.inf))


def track(
    index: Floats, contribution: Floats, times: Integers, rule: Hysteresis, state: TrackingState
) -> tuple[list[TrackedEvent], TrackingState]:
    """Return the events that ended in rows, and the state after them.

    Parameters
    ----------
    index : array, [time, asset]
    contribution : array, [time, asset, signal]
        NaN where the index is below 1.
    times : int64 array
        Of the rows, ns.
    rule : Hysteresis
    state : TrackingState
        After the rows before these.
    """
    found, hysteresis = rule.active(index, state.hysteresis)
    before = {one.place: one for one in state.active}
    ended: list[TrackedEvent] = []
    active: list[TrackedEvent] = []
    for place in np.union1d(np.flatnonzero(found.any(axis=0)), list(before)).astype(int).tolist():
        own = np.concatenate([state.recent[:, place], index[:, place]])
        sustained = _sustained(own, rule.begin)[rule.begin :]
        event = before.get(place)
        if event is not None and not found[0, place]:
            ended.append(replace(event, end=int(times[0])))
            event = None
        for first, last in runs(found[:, place]):
            event = event or TrackedEvent(place, int(times[first]), shares=(0.0,) * contribution.shape[2])
            rows = slice(first, last)
            event = _with_rows(event, index[rows, place], sustained[rows], contribution[rows, place], times[rows])
            if last < len(times):
                ended.append(replace(event, end=int(times[last])))
                event = None
        if event is not None:
            active.append(event)
    return ended, TrackingState(hysteresis, _newest(state.recent, index), tuple(active))


def runs(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield ``first, last + 1`` of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _with_rows(event: TrackedEvent, index: Floats, sustained: Floats, shares: Floats, times: Integers) -> TrackedEvent:
    known = np.where(np.isnan(index), -np.inf, index)
    top = int(np.argmax(known))
    if known[top] > event.peak:
        event = replace(event, peak=float(known[top]), peak_time=int(times[top]))
    of_signals = shares[np.isfinite(shares).all(axis=1)]
    # One row after the other, so that batches make no difference.
    sums = np.add.accumulate(np.vstack([event.shares, of_signals]))[-1]
    return replace(
        event, sustained=max(event.sustained, float(sustained.max())), shares=tuple(sums.tolist()),
        rows=event.rows + len(of_signals),
    )  # fmt: skip


def _sustained(own: Floats, rows: int) -> Floats:
    """Return of each row the least of the last so many known ones, its own included; that of the row before where it is NaN."""
    known = np.flatnonzero(~np.isnan(own))
    lowest = np.lib.stride_tricks.sliding_window_view(own[known], rows).min(axis=1)
    found = np.full(len(own), -np.inf)
    found[known[rows - 1 :]] = lowest
    last = np.maximum.accumulate(np.where(np.isnan(own), 0, np.arange(len(own))))
    return found[last]


def _newest(recent: Floats, index: Floats) -> Floats:
    """Return the newest known indexes of each asset, as many as before."""
    count = len(recent)
    if len(index) >= count and not np.isnan(index[-count:]).any():
        return index[-count:].copy()
    for row in index:
        recent = np.where(np.isnan(row), recent, np.concatenate([recent[1:], row[None]]))
    return recent


def event_rows(events: list[TrackedEvent], assets: tuple[str, ...], signals: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return events as rows of a table, by start and asset; times as int64 ns, ``end`` None while active."""
    rows = [
        {
            "asset": assets[one.place], "start": one.start, "end": one.end, "peak": one.peak, "peak_time": one.peak_time,
            "sustained": one.sustained, "signals": one.signals(signals),
        }
        for one in events
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["start"], row["asset"]))
