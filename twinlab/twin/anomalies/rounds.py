"""New rows of a watched asset type scored from the last stored state on; after late rows, from the state before them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab._files import write_atomically
from twinlab._locks import Lock
from twinlab.events.kpis.settled import settled_watermark
from twinlab.history.changes.changed_windows import changed_since, state_of
from twinlab.history.changes.window_cells import extent_ns
from twinlab.history.read.direct import computed
from twinlab.model.basics import parse_duration
from twinlab.predict.anomaly.streaming import StreamState, advance, start_stream
from twinlab.predict.anomaly.tracking import event_rows
from twinlab.predict.anomaly.values import values_of
from twinlab.predict.models.files import read_model, write_model
from twinlab.twin.anomalies.learning import base_signals, with_flags

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.history import HistoryReader
    from twinlab.predict.anomaly.fitted import FittedAnomalies
    from twinlab.twin.anomalies.journal import Watch

__all__ = ["Round", "WatchFolder"]

#: Values that are read at once, and that one round scores at most.
_BLOCK, _MOST = 2_000_000, 20_000_000
#: Flags of a cell may depend on its neighbours: so many cells before the settled ones aren't taken as settled.
_NEIGHBOURS = 2
_HOUR, _DAY = 3600 * 10**9, 86_400 * 10**9
#: States are kept for each hour of two days and each day of sixty; rows may settle at most a day late.
_HOURS, _DAYS, _LATEST = 48, 60, _DAY
_PATIENCE = 60.0


@dataclass(frozen=True)
class Round:
    """The events of a watch after a round."""

    frontier: int
    """Rows before this time are settled and scored, ns UTC."""
    until: int
    """Rows before this time are scored: those from the frontier on may change."""
    behind: bool
    """Whether more rows are there; the next round scores them."""
    events: list[dict[str, Any]]
    """Rows of events, times as ns; ``settled`` whether it ended before the frontier."""
    history: dict[str, Any]
    """State of the twin's history."""
    limits: list[list[Any]]
    error: str = ""
    """Why the last round failed, if it did."""


class WatchFolder:
    """The stored state of a watch: what was learnt, states after some rows, and events.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fitted: FittedAnomalies | None = None
        self._read: tuple[object, Round | None] = (None, None)
        # The newest state and its frontier, of the events file that `_read` is of; not always on the disk.
        self._newest: tuple[int, StreamState] | None = None
        self._written = 0.0

    @property
    def fitted(self) -> FittedAnomalies:
        """What was learnt."""
        if self._fitted is None:
            found: FittedAnomalies = read_model(self.path / "fitted.model")
            self._fitted = found
        return self._fitted

    def events(self) -> Round | None:
        """Return the events as they are stored; None before the first round."""
        seen = self._seen()
        if self._read[0] != seen:
            self._read, self._newest = (seen, self._from_file()), None
        return self._read[1]

    def update(self, reader: HistoryReader, watch: Watch, *, write_after: float = 0.0) -> Round:
        """Score what is new; return the events.

        Parameters
        ----------
        reader : HistoryReader
        watch : Watch
        write_after : float
            Seconds since the last write before which states aren't written unless events changed.
        """
        with Lock(self.path / "lock", what=f"anomalies of {watch.asset_type!r}", wait=_PATIENCE):
            before = self.events()
            limits: list[list[Any]] = [[since, limit] for since, limit in watch.limits]
            if before is not None and not before.behind and before.limits == limits and not before.error:
                now = dict(reader.position())
                if now == dict(before.history.get("position", {})):
                    return before
            after = self._scored(reader, watch, before, limits)
            changed = before is None or replace(before, frontier=0, until=0, history={}) != replace(
                after, frontier=0, until=0, history={}
            )
            if changed or time.monotonic() - self._written >= write_after:
                self._write(after)
            else:
                self._read = (self._read[0], after)
            return after

    def failed(self, error: str) -> None:
        """Store why a round failed, beside the events of the last one that didn't."""
        before = self.events()
        if before is None or before.error != error:
            empty = Round(0, 0, behind=True, events=[], history={}, limits=[])
            self._write_events(replace(before or empty, error=error))

    # -- inside ----------------------------------------------------------------------------------------------------
    def _scored(self, reader: HistoryReader, watch: Watch, before: Round | None, limits: list[list[Any]]) -> Round:
        fitted, history = self.fitted, state_of(reader)
        low = watch.start if before is None else self._unchanged_until(reader, watch, before, limits)
        at, state = self._state_before(low, watch)
        step = _step_ns(fitted, reader)
        settled, end = self._spans(reader, fitted, at, step)
        most = max(1, _MOST // (len(fitted.model.assets) * len(fitted.model.signals))) * step
        target = max(at, min(settled, at + most))
        kept = [] if before is None else [one for one in before.events if one["settled"] and one["end"] < at]
        few = (end - at) // step * len(fitted.model.assets) * len(fitted.model.signals) <= _BLOCK
        data = _cells(reader, fitted, at, end) if few and end > at else None
        ended, state = self._advance(reader, watch, state, (at, target), data)
        for one in ended:
            one["settled"] = True
        self._newest = target, state
        later: list[dict[str, Any]] = []
        active = self._rows(list(state.tracking.active), watch)
        behind = target < settled
        if end > target and not behind:
            later, last = self._advance(reader, watch, state, (target, end), data)
            active = self._rows(list(last.tracking.active), watch)
        for one in (*later, *active):
            one["settled"] = False
        events = sorted([*kept, *ended, *later, *active], key=lambda one: (one["start"], one["asset"]))
        return Round(target, target if behind else max(end, target), behind, events, history, limits)

    def _unchanged_until(self, reader: HistoryReader, watch: Watch, before: Round, limits: list[list[Any]]) -> int:
        """Return the time before which neither cells nor limits have changed since a round, at most its frontier."""
        if before.limits and before.limits[0] != limits[0]:
            return watch.start
        differing = [one[0] for one in (*before.limits, *limits) if one not in before.limits or one not in limits]
        changes = changed_since(reader, before.history) if before.history else None
        if changes is None:
            return watch.start
        own = changes.get(watch.asset_type)
        starts: list[int] = [] if own is None else own.start.tolist()
        low: int = min([before.frontier, *differing, *starts])
        return max(watch.start, low)

    def _state_before(self, low: int, watch: Watch) -> tuple[int, StreamState]:
        """Return the newest state that no row from a time on has changed, and its frontier."""
        if self._newest is not None and self._newest[0] <= low:
            return self._newest
        for at, path in reversed(self._stored()):
            if at <= low:
                # A state that can't be read is made again from an earlier one.
                with suppress(Exception):
                    found: StreamState = read_model(path)
                    return at, found
        return watch.start, start_stream(self.fitted.model, self.fitted.hysteresis)

    def _spans(self, reader: HistoryReader, fitted: FittedAnomalies, at: int, step: int) -> tuple[int, int]:
        """Return until when rows are settled, and until when there are any; both on the grid."""
        end = _extent_end(reader, fitted)
        if end is None:
            return at, at
        marks = [settled_watermark(reader, fitted.asset_type, one) for one in base_signals(fitted)]
        settled = end if None in marks else min(mark for mark in marks if mark is not None)
        settled = max(settled, end - _LATEST)
        settled -= (settled - end) % step + _NEIGHBOURS * step
        if fitted.step is not None:
            # A rollup that isn't complete differs from all others.
            end = min(end, end if None in marks else settled + (_NEIGHBOURS + 1) * step)
        return min(settled, end), end

    def _advance(
        self,
        reader: HistoryReader,
        watch: Watch,
        state: StreamState,
        span: tuple[int, int],
        known: xr.Dataset | None,
    ) -> tuple[list[dict[str, Any]], StreamState]:
        """Score the rows of a span, of ``known`` or read in blocks; return the events that ended in it, and the state after it."""
        fitted = self.fitted
        model, found = fitted.model.with_limit(1.0), []
        width = max(1, _BLOCK // (len(model.assets) * len(model.signals))) * _step_ns(fitted, reader)
        for low in range(span[0], span[1], width):
            high = min(low + width, span[1])
            data = _cells(reader, fitted, low, high) if known is None else _between(known, low, high)
            values = values_of(data, model.signals, assets=model.assets, units=model.units)
            times = data["time"].values.astype("M8[ns]").astype(np.int64)
            ended, state = advance(model, values, times, state, fitted.hysteresis, limits=watch.limits)
            found += ended
        return self._rows(found, watch), state

    def _rows(self, events: list[Any], watch: Watch) -> list[dict[str, Any]]:
        model = self.fitted.model
        rows = event_rows(events, model.assets, model.signals)
        return [row | {"limit": _limit_at(watch.limits, row["start"])} for row in rows]

    def _write(self, after: Round) -> None:
        """Write the state, then the events that are of it; states of which there are newer ones nearby are removed."""
        assert self._newest is not None
        at, state = self._newest
        write_model(self._state_path(at), state)
        self._write_events(after)
        self._written = time.monotonic()
        newest = {at}
        for width, count in ((_HOUR, _HOURS), (_DAY, _DAYS)):
            firsts: dict[int, int] = {}
            for one, _ in self._stored():
                firsts.setdefault(one // width, one)
            newest |= {one for place, one in firsts.items() if place > at // width - count}
        for one, path in self._stored():
            if one not in newest:
                path.unlink(missing_ok=True)

    def _write_events(self, found: Round) -> None:
        text = json.dumps(vars(found), allow_nan=False)
        write_atomically(self.path / "events.json", lambda draft: draft.write_text(text, encoding="utf-8"))
        self._read = self._seen(), found

    def _from_file(self) -> Round | None:
        try:
            return Round(**json.loads((self.path / "events.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            # Made again from the history.
            return None

    def _seen(self) -> object:
        try:
            about = (self.path / "events.json").stat()
        except FileNotFoundError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino

    def _state_path(self, at: int) -> Path:
        return self.path / "states" / f"{at}.model"

    def _stored(self) -> list[tuple[int, Path]]:
        """Return the stored states with their frontiers, in order of time."""
        return sorted((int(path.stem), path) for path in (self.path / "states").glob("[0-9]*.model"))


def _step_ns(fitted: FittedAnomalies, reader: HistoryReader) -> int:
    if fitted.step is not None:
        return parse_duration(fitted.step)
    cadence: int = reader.model.asset_types[fitted.asset_type].signals[fitted.model.signals[0]].cadence_ns
    return cadence


def _extent_end(reader: HistoryReader, fitted: FittedAnomalies) -> int | None:
    """Return the end of the last cell, or rollup; None if there is none."""
    if fitted.step is None:
        cadence = reader.model.asset_types[fitted.asset_type].signals[fitted.model.signals[0]].cadence
        first, end = extent_ns(reader, fitted.asset_type, cadence)
        return end if first < end else None
    times = reader.history(fitted.asset_type, signals=base_signals(fitted), step=fitted.step)["time"].values
    return int(times[-1].astype("M8[ns]").astype(np.int64)) + parse_duration(fitted.step) if len(times) else None


def _cells(reader: HistoryReader, fitted: FittedAnomalies, low: int, high: int) -> xr.Dataset:
    data = reader.history(
        fitted.asset_type, signals=base_signals(fitted), assets=list(fitted.model.assets), start=np.datetime64(low, "ns"),
        stop=np.datetime64(high, "ns"), step=fitted.step,
    )  # fmt: skip
    return computed(data[with_flags(data, fitted.model.signals)])


def _between(data: xr.Dataset, low: int, high: int) -> xr.Dataset:
    times = data["time"].values.astype("M8[ns]").astype(np.int64)
    return data.isel(time=slice(*np.searchsorted(times, [low, high]).tolist()))


def _limit_at(limits: Sequence[tuple[int, float]], when: int) -> float:
    return [limit for since, limit in limits if since <= when or since == limits[0][0]][-1]
