"""The index of a source: which rows of its ledger concern which cells, so that a build reads only the frames it needs.

It is derived from ledger, mapping and model and may be deleted at any time: missing parts are computed again. For any
position of the source it also gives the watermark and the time of each series' first observation, without the rows of
withdrawn files.
"""

# ruff: noqa: PLR0917  (numba takes arrays by position)

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numba import njit

from twinlab.harmonise.claims import Claims, Series
from twinlab.harmonise.shared_instants import Clashes
from twinlab.model.flags import Flag

__all__ = ["LATEST_AHEAD", "NEVER", "Marks", "RowRange", "SourceIndex", "hashes_of"]

#: A row may be this far ahead of its ingest time (its clock is fast); later rows aren't built.
LATEST_AHEAD = 86_400 * 10**9
NEVER = 2**62

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowRange:
    """Rows ``[first, stop)`` of one source that are read together: a frame, or the observations of a sealed segment."""

    first: int
    stop: int
    ingest_time: int
    # Number of the reading of the file that the rows come from; -1 for rows without a file.
    reading: int
    # The latest event time (ns), -NEVER for none.
    latest: int
    # Whether some claim has a key, and whether some is a retraction.
    keyed: bool
    retracts: bool
    # Number of the group -> least and greatest event time.
    reach: dict[int, tuple[int, int]]
    # Tables (event types, asset types, relationships) with rows in this range.
    tables: frozenset[str]


@dataclass(frozen=True)
class Marks:
    """Watermark and first observations of a source at a position."""

    # ns; -NEVER without any claim.
    watermark: int
    series: tuple[Series, ...]
    # Event time of each series' first observation, ns; NEVER if it has none.
    first: Ints

    def observed(self) -> Iterator[Series]:
        """Yield the series that have observations."""
        return (self.series[n] for n in np.flatnonzero(self.first < NEVER).tolist())


@njit(cache=True, nogil=True)
def _extend(code: npt.NDArray[np.int32], time: Ints, lut: npt.NDArray[np.int32], low: Ints, high: Ints) -> None:
    """Extend the time range of each series."""
    for i in range(code.size):
        s, t = lut[code[i]], time[i]
        low[s], high[s] = min(low[s], t), max(high[s], t)


@njit(cache=True, nogil=True)
def _summarise(
    code: npt.NDArray[np.int32],
    time: Ints,
    op: npt.NDArray[np.int8],
    priority: npt.NDArray[np.int16],
    lut: npt.NDArray[np.int32],
    group: npt.NDArray[np.int32],
    first: Ints,
    changed: npt.NDArray[np.bool_],
    low: Ints,
    high: Ints,
    least: npt.NDArray[np.int16],
    greatest: npt.NDArray[np.int16],
) -> tuple[int, bool]:
    """Update the time range of each group, and first time and priorities of each series."""
    retracts = False
    latest = -(2**62)
    for i in range(code.size):
        s = lut[code[i]]
        t = time[i]
        latest = max(latest, t)
        g = group[s]
        low[g] = min(low[g], t)
        high[g] = max(high[g], t)
        p = priority[i]
        least[s] = min(least[s], p)
        greatest[s] = max(greatest[s], p)
        if op[i] != 0:
            retracts = True
        elif t < first[s]:
            first[s] = t
            changed[s] = True
    return latest, retracts


def hashes_of(claims: Claims) -> npt.NDArray[np.uint64]:
    """Return the sorted hashes of the claims' keys."""
    from pandas.util import hash_array  # noqa: PLC0415  (few sources have keys)

    if claims.key is None:
        return np.empty(0, dtype=np.uint64)
    keys = np.array([str(key) for key in claims.key if key is not None], dtype=object)
    return np.unique(hash_array(keys, categorize=False)) if len(keys) else np.empty(0, dtype=np.uint64)


@dataclass
class SourceIndex:
    """The index of one source under one mapping and model.

    Parameters
    ----------
    group_of : dict
        (asset type, signal) -> number of the signal's group.
    """

    group_of: dict[tuple[str, str], int]
    position: int = 0
    ranges: list[RowRange] = field(default_factory=list)
    series: dict[Series, int] = field(default_factory=dict)
    # (row range, series numbers, first times) where the first time of a series decreased, per reading of a file.
    firsts: list[tuple[int, npt.NDArray[np.int32], Ints]] = field(default_factory=list)
    # Number of a row range -> hashes of its keys.
    keys: dict[int, npt.NDArray[np.uint64]] = field(default_factory=dict)
    # First row of a row range -> state of the clocks before it (for `ambiguous: order`).
    carries: dict[int, dict[tuple[str, ...], tuple[int, int]]] = field(default_factory=dict)
    readings: list[str] = field(default_factory=list)
    # (asset type, signal) with a claim that is flagged itself: suspect or fail.
    flagged: set[tuple[str, str]] = field(default_factory=set)
    # Claims that differ from others of the same instant in another row range of their file.
    clashes: Clashes = field(default_factory=Clashes)
    # State of the clocks after the last row range, as in `carries`.
    carry: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict)
    # Reading -> assets and span (ns) in which several of its row ranges have observations, and that weren't compared yet.
    overlaps: dict[int, tuple[set[tuple[str, str]], int, int]] = field(default_factory=dict)
    # (ordinal of the retraction, number of the reading that it ends).
    ended: list[tuple[int, int]] = field(default_factory=list)
    least: npt.NDArray[np.int16] = field(default_factory=lambda: np.empty(0, dtype=np.int16))
    greatest: npt.NDArray[np.int16] = field(default_factory=lambda: np.empty(0, dtype=np.int16))
    _group: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    _first: dict[int, Ints] = field(default_factory=dict)
    _current: dict[str, int] = field(default_factory=dict)
    _luts: dict[int, tuple[object, npt.NDArray[np.int32]]] = field(default_factory=dict)
    # The series as a tuple; callers cache by its identity.
    _names: tuple[Series, ...] = ()
    _sets: dict[int, tuple[object, list[int]]] = field(default_factory=dict)
    # Reading of the last row range, with the time range of each of its series.
    _reached: tuple[int, Ints, Ints] | None = None
    _arrays: tuple[int, Ints, dict[int, tuple[Ints, Ints, Ints]]] | None = None

    def add(
        self,
        claims: Sequence[Claims],
        *,
        first: int,
        stop: int,
        ingest_time: int,
        file_id: str | None,
        tables: Iterable[str] = (),
        carry: dict[tuple[str, ...], tuple[int, int]] | None = None,
    ) -> RowRange:
        """Add the claims of the rows ``[first, stop)`` that are within the twin's span."""
        number = len(self.ranges)
        reading = self._reading(file_id)
        if reading >= 0:
            self._find_overlaps(reading, [part for part in claims if len(part) and part.key is None])
        groups = 1 + max(self.group_of.values(), default=-1)
        low, high = np.full(groups + 1, NEVER), np.full(groups + 1, -NEVER)
        latest, retracts = -NEVER, False
        hashes = []
        for part in claims:
            if not len(part):
                continue
            lut = self._lut(part.series)
            times_so_far = self._first_times(reading)
            changed = np.zeros(len(times_so_far), dtype=np.bool_)
            found = _summarise(
                part.code, part.event_time, part.op, part.priority, lut, self._group, times_so_far, changed, low, high,
                self.least, self.greatest,
            )  # fmt: skip
            latest, retracts = max(latest, int(found[0])), retracts or bool(found[1])
            which = np.flatnonzero(changed).astype(np.int32)
            if len(which):
                self.firsts.append((number, which, times_so_far[which].copy()))
            if part.key is not None:
                hashes.append(hashes_of(part))
            if part.flag is not None:
                codes = np.unique(part.code[part.flag >= Flag.SUSPECT]).tolist()
                self.flagged |= {(part.series[code].asset_type, part.series[code].signal) for code in codes}
        keys = np.unique(np.concatenate(hashes)) if hashes else np.empty(0, dtype=np.uint64)
        if len(keys):
            self.keys[number] = keys
        if carry:
            self.carries[first] = dict(carry)
        reach = {g: (int(low[g]), int(high[g])) for g in range(groups) if low[g] <= high[g]}
        done = RowRange(first, stop, ingest_time, reading, latest, bool(len(keys)), retracts, reach, frozenset(tables))
        self.ranges.append(done)
        self.position = max(self.position, stop)
        return done

    def _find_overlaps(self, reading: int, claims: Sequence[Claims]) -> None:
        """Add to `overlaps` the assets whose time range in new claims overlaps that of the reading's earlier row ranges."""
        luts = [self._lut(part.series) for part in claims]
        low, high = np.full(len(self.series), NEVER), np.full(len(self.series), -NEVER)
        for part, lut in zip(claims, luts, strict=True):
            _extend(part.code, part.event_time, lut, low, high)
        before_low, before_high = self._reach_of(reading)
        at = np.flatnonzero((low <= before_high) & (high >= before_low))
        if len(at):
            names = tuple(self.series)
            assets, start, stop = self.overlaps.setdefault(reading, (set(), NEVER, -NEVER))
            assets |= {(names[n].asset_type, names[n].asset) for n in at.tolist()}
            start = min(start, int(np.maximum(low, before_low)[at].min()))
            stop = max(stop, int(np.minimum(high, before_high)[at].max()) + 1)
            self.overlaps[reading] = (assets, start, stop)
        self._reached = (reading, np.minimum(low, before_low), np.maximum(high, before_high))

    def _reach_of(self, reading: int) -> tuple[Ints, Ints]:
        """Return the time range of each series in a reading; that of its group, if another row range came in between."""
        low, high = np.full(len(self.series), NEVER), np.full(len(self.series), -NEVER)
        if self._reached is not None and self._reached[0] == reading:
            low[: len(self._reached[1])], high[: len(self._reached[2])] = self._reached[1:]
        elif reading < len(self.readings) - 1 or self._reached is None:
            for rows in self.ranges:
                for group, (first, last) in rows.reach.items() if rows.reading == reading else ():
                    mine = self._group == group
                    low[mine], high[mine] = np.minimum(low[mine], first), np.maximum(high[mine], last)
        return low, high

    def groups_of(self, series: tuple[Series, ...]) -> npt.NDArray[np.int32]:
        """Return the number of the group of each series."""
        return self._group[self._lut(series)]

    def group_set(self, series: tuple[Series, ...]) -> list[int]:
        """Return the numbers of the groups of all series."""
        known = self._sets.get(id(series))
        if known is None or known[0] is not series:
            if len(self._sets) > 256:
                self._sets.clear()
            known = self._sets[id(series)] = (series, np.unique(self.groups_of(series)).tolist())
        return known[1]

    def end_reading(self, file_id: str, ordinal: int) -> int | None:
        """Withdraw a file's rows before ``ordinal``; return the number of its reading, None if there is none."""
        reading = self._current.pop(file_id, None)
        self.position = max(self.position, ordinal + 1)
        if reading is not None:
            self.ended.append((ordinal, reading))
            self._first.pop(reading, None)
        return reading

    def withdrawn(self, position: int) -> frozenset[int]:
        """Return the readings that are withdrawn at a position."""
        return frozenset(reading for ordinal, reading in self.ended if ordinal < position)

    def marks(self, position: int) -> Marks:
        """Return watermark and first observations at a position, which must be between two row ranges."""
        gone = self.withdrawn(position)
        alive = [s.first < position and s.reading not in gone for s in self.ranges]
        watermark = max((s.latest for s, ok in zip(self.ranges, alive, strict=True) if ok), default=-NEVER)
        first = np.full(len(self.series), NEVER)
        for number, which, times in self.firsts:
            if alive[number]:
                first[which] = np.minimum(first[which], times)
        if len(self._names) != len(self.series):
            self._names = tuple(self.series)
        return Marks(watermark, self._names, first)

    def covering(self, group: int | None, low: int, high: int, position: int, *, withdrawn: bool = False) -> list[int]:
        """Return the numbers of valid row ranges before ``position`` with claims of a group in [low, high) ns.

        Those of withdrawn files are included only if ``withdrawn``.
        """
        if self._arrays is None or self._arrays[0] != len(self.ranges):
            self._arrays = (len(self.ranges), *self._columns())
        _, _, by_group = self._arrays
        if group not in by_group:
            return []
        gone = frozenset() if withdrawn else self.withdrawn(position)
        number, least, greatest = by_group[group]
        found = number[(least < high) & (greatest >= low)].tolist()
        return [n for n in found if self.ranges[n].first < position and self.ranges[n].reading not in gone]

    def naming(self, table: str, position: int) -> list[int]:
        """Return the numbers of valid row ranges before ``position`` with rows of a table."""
        gone = self.withdrawn(position)
        return [
            n for n, s in enumerate(self.ranges) if s.first < position and s.reading not in gone and table in s.tables
        ]

    def sharing(self, hashes: npt.NDArray[np.uint64], position: int) -> list[int]:
        """Return the numbers of valid row ranges before ``position`` with one of these keys."""
        gone = self.withdrawn(position)
        return [
            n
            for n, keys in self.keys.items()
            if self.ranges[n].first < position
            and self.ranges[n].reading not in gone
            and np.isin(hashes, keys, assume_unique=True).any()
        ]

    def until(self, position: int) -> SourceIndex:
        """Return a copy with the complete row ranges before ``position``; continue from the copy's own position."""
        whole = [s for s in self.ranges if s.stop <= position]
        count = (
            len(whole)
            if whole == self.ranges[: len(whole)]
            else next(n for n, s in enumerate(self.ranges) if s.stop > position)
        )
        out = SourceIndex(self.group_of)
        out.ranges, out.series = self.ranges[:count], dict(self.series)
        out.position = out.ranges[-1].stop if count else 0
        out.firsts = [entry for entry in self.firsts if entry[0] < count]
        out.keys = {n: keys for n, keys in self.keys.items() if n < count}
        out.carries, out.flagged = self.carries, set(self.flagged)
        out.clashes = self.clashes.before(out.position)
        out.carry = dict(self.carry if count == len(self.ranges) else self.carries.get(self.ranges[count].first, {}))
        out.readings = list(self.readings)
        out.ended = [(ordinal, reading) for ordinal, reading in self.ended if ordinal < out.position]
        out.least, out.greatest, out._group = self.least.copy(), self.greatest.copy(), self._group
        out._resume()
        return out

    def restore(self, series: Sequence[Series], least: npt.NDArray[np.int16], greatest: npt.NDArray[np.int16]) -> None:
        """Set the series of an index that is loaded from a file; all other parts must be set before."""
        self._lut(tuple(series))
        self._luts.clear()
        self.least, self.greatest = least, greatest
        self._resume()

    # -- inside ----------------------------------------------------------------------------------------------------
    def _reading(self, file_id: str | None) -> int:
        if file_id is None:
            return -1
        if file_id not in self._current:
            self._current[file_id] = len(self.readings)
            self.readings.append(file_id)
        return self._current[file_id]

    def _first_times(self, reading: int) -> Ints:
        """Return the first times of a reading, with an element for each series."""
        found = self._first.get(reading)
        if found is None or len(found) < len(self.series):
            grown = np.full(len(self.series), NEVER)
            if found is not None:
                grown[: len(found)] = found
            self._first[reading] = found = grown
        return found

    def _lut(self, series: tuple[Series, ...]) -> npt.NDArray[np.int32]:
        known = self._luts.get(id(series))
        if known is not None and known[0] is series:
            return known[1]
        lut = np.array([self.series.setdefault(one, len(self.series)) for one in series], dtype=np.int32)
        grown = len(self.series) - len(self._group)
        if grown:
            ungrouped = 1 + max(self.group_of.values(), default=-1)
            names = list(self.series)[len(self._group) :]
            groups = [self.group_of.get((one.asset_type, one.signal), ungrouped) for one in names]
            self._group = np.concatenate([self._group, np.array(groups, dtype=np.int32)])
            self.least = np.concatenate([self.least, np.full(grown, np.iinfo(np.int16).max, dtype=np.int16)])
            self.greatest = np.concatenate([self.greatest, np.full(grown, np.iinfo(np.int16).min, dtype=np.int16)])
        if len(self._luts) > 256:
            self._luts.clear()
        self._luts[id(series)] = (series, lut)
        return lut

    def _columns(self) -> tuple[Ints, dict[int, tuple[Ints, Ints, Ints]]]:
        lists: dict[int, list[tuple[int, int, int]]] = {}
        for n, rows_read in enumerate(self.ranges):
            for group, (low, high) in rows_read.reach.items():
                lists.setdefault(group, []).append((n, low, high))
        firsts = np.array([s.first for s in self.ranges], dtype=np.int64)
        return firsts, {g: tuple(np.array(rows, dtype=np.int64).T.copy()) for g, rows in lists.items()}

    def _resume(self) -> None:
        """Compute the state that is needed to add more rows."""
        over = {reading for _, reading in self.ended}
        self.readings = self.readings[: 1 + max((s.reading for s in self.ranges), default=-1)]
        self._current = {file: n for n, file in enumerate(self.readings) if n not in over}
        self._first = {}
        for number, which, times in self.firsts:
            reading = self.ranges[number].reading
            if reading not in over:
                times_so_far = self._first_times(reading)
                times_so_far[which] = np.minimum(times_so_far[which], times)
