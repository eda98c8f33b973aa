"""The index of a source: which rows of its ledger concern which cells, so that a build reads only the frames it needs.

It is derived from ledger, mapping and model and may be deleted at any time: missing parts are computed again. For any
position of the source it also gives the watermark and the time of each series' first observation, without the rows of
withdrawn files. Adding and asking cost the same after ten thousand frames as after ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims, Series
from twinlab.harmonise.shared_instants import Clashes
from twinlab.history.index.columns import Column, Order, Table
from twinlab.history.index.late_rows import LATE_CLAIMS, LateRows
from twinlab.history.index.marks import FirstTimes, Marks
from twinlab.history.index.overlaps import Overlaps
from twinlab.history.index.reach import NEVER, Reach, late_in, summarise
from twinlab.model.flags import Flag

__all__ = ["LATEST_AHEAD", "NEVER", "Carry", "Marks", "SourceIndex", "hashes_of"]

#: A row may be this far ahead of its ingest time (its clock is fast); later rows aren't built.
LATEST_AHEAD = 86_400 * 10**9

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int64]
#: Last time of each clock within a repeated hour, see `twinlab.harmonise.claims.Context`.
Carry = dict[tuple[str, ...], tuple[int, int]]
#: Columns of the row ranges: rows ``[first, stop)`` that are read together, which are a frame, small frames that follow one
#: another, or the observations of a sealed segment.
RANGES = {
    "first": "i8",
    "stop": "i8",
    # Number of the reading of the file that the rows come from; -1 for rows without a file.
    "reading": "i4",
    # Event times, ns: of all claims, late ones included; NEVER and -NEVER for none.
    "earliest": "i8",
    "latest": "i8",
    # Whether some claim has a key, and whether some is a retraction.
    "keyed": "?",
    "retracts": "?",
}
#: Columns of row ranges with claims of one group that aren't late: their least and greatest event times.
REACH = {"number": "i4", "low": "i8", "high": "i8"}
KEYS = {"hash": "u8", "number": "i4"}
ENDED = {"ordinal": "i8", "reading": "i4"}
#: Positions whose marks are remembered.
_REMEMBERED = 8


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
    ranges: Table = field(default_factory=lambda: Table(RANGES))
    # Number of a group -> row ranges with claims of it that aren't late.
    reach: dict[int, Table] = field(default_factory=dict)
    late: LateRows = field(default_factory=LateRows)
    series: dict[Series, int] = field(default_factory=dict)
    firsts: FirstTimes = field(default_factory=FirstTimes)
    # Hashes of keys, and the row ranges that they occur in.
    keys: Table = field(default_factory=lambda: Table(KEYS))
    # Table (event type, asset type, relationship) -> row ranges with rows of it.
    tables: dict[str, Column] = field(default_factory=dict)
    # First row of a row range -> state of the clocks before it (for `ambiguous: order`).
    carries: dict[int, Carry] = field(default_factory=dict)
    readings: list[str] = field(default_factory=list)
    # (asset type, signal) with a claim that is flagged itself: suspect or fail.
    flagged: set[tuple[str, str]] = field(default_factory=set)
    # Claims that differ from others of the same instant in another row range of their file.
    clashes: Clashes = field(default_factory=Clashes)
    # State of the clocks after the last row range, as in `carries`.
    carry: Carry = field(default_factory=dict)
    overlaps: Overlaps = field(default_factory=Overlaps)
    # Ordinals of retractions of files, ascending, and the numbers of the readings that they end.
    ended: Table = field(default_factory=lambda: Table(ENDED))
    # Numbers of the groups with claims.
    fed: set[int] = field(default_factory=set)
    least: npt.NDArray[np.int16] = field(default_factory=lambda: np.empty(0, dtype=np.int16))
    greatest: npt.NDArray[np.int16] = field(default_factory=lambda: np.empty(0, dtype=np.int16))
    _group: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    # Latest event time of all rows that aren't withdrawn.
    _watermark: int = -NEVER
    _remembered: dict[int, Marks] = field(default_factory=dict)
    _current: dict[str, int] = field(default_factory=dict)
    _luts: dict[int, tuple[object, npt.NDArray[np.int32]]] = field(default_factory=dict)
    # The series as a tuple; callers cache by its identity.
    _names: tuple[Series, ...] = ()
    _sets: dict[int, tuple[object, list[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare the order of the keys, which is computed when it is needed."""
        self._by_key = Order(self.keys.columns["hash"])
        self._groups = 2 + max(self.group_of.values(), default=-1)

    def __len__(self) -> int:
        """Return the number of row ranges."""
        return len(self.ranges)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Return a column of the row ranges, such as ``first``; not to be changed."""
        return self.ranges[name]

    # -- adding ----------------------------------------------------------------------------------------------------
    def add(
        self,
        claims: Sequence[Claims],
        *,
        first: int,
        stop: int,
        file_id: str | None,
        tables: Iterable[str] = (),
        carry: Carry | None = None,
    ) -> int:
        """Add the claims of the rows ``[first, stop)`` that are within the twin's span; return the number of the row range."""
        number = len(self)
        reading = self._reading(file_id)
        whole = Reach.of_none(self._groups)
        latest, retracts = -NEVER, False
        hashes = []
        parts = [(part, self._lut(part.series)) for part in claims if len(part)]
        if reading >= 0:
            unkeyed = [(part, lut) for part, lut in parts if part.key is None]
            self.overlaps.add(reading, unkeyed, self.names(), lambda: self._span_of(reading))
        for part, lut in parts:
            times_so_far = self.firsts.of(reading, self["reading"], len(self.series))
            changed = np.zeros(len(times_so_far), dtype=np.bool_)
            found = summarise(
                part.code, part.event_time, part.op, part.priority, lut, self._group, times_so_far, changed, *whole,
                self.least, self.greatest,
            )  # fmt: skip
            latest, retracts = max(latest, int(found[0])), retracts or bool(found[1])
            self.firsts.lower(number, np.flatnonzero(changed), times_so_far)
            if part.key is not None:
                hashes.append(hashes_of(part))
            if part.flag is not None:
                codes = np.unique(part.code[part.flag >= Flag.SUSPECT]).tolist()
                self.flagged |= {(part.series[code].asset_type, part.series[code].signal) for code in codes}
        keys = np.unique(np.concatenate(hashes)) if hashes else np.empty(0, dtype=np.uint64)
        self.keys.extend(keys, np.full(len(keys), number))
        if carry:
            self.carries[first] = dict(carry)
        for table in tables:
            self.tables.setdefault(table, Column("i4")).append(number)
        # A claim with a key may belong to claims at any other time, so that it is looked for in its frame.
        near = whole if len(keys) else self._without_late(number, parts, whole)
        for g in np.flatnonzero(near.low <= near.high).tolist():
            self.reach.setdefault(g, Table(REACH)).add(number, near.low[g], near.high[g])
        self.fed.update(np.flatnonzero(whole.claims).tolist())
        self._watermark = max(self._watermark, latest)
        self.ranges.add(first, stop, reading, whole.low.min(), latest, len(keys) > 0, retracts)
        self.position = max(self.position, stop)
        return number

    def _without_late(self, number: int, parts: list[tuple[Claims, npt.NDArray[np.int32]]], whole: Reach) -> Reach:
        """Keep late claims apart; return the reach of the others."""
        found = late_in(parts, self._group, whole)
        if found is None or len(self.late) + sum(int(np.count_nonzero(mask)) for mask in found[1]) > LATE_CLAIMS:
            return whole
        for (part, lut), mask in zip(parts, found[1], strict=True):
            if mask.any():
                self.late.add(part.select(mask), lut[part.code[mask]], number=number)
        return found[0]

    def end_reading(self, file_id: str, ordinal: int) -> int | None:
        """Withdraw a file's rows before ``ordinal``; return the number of its reading, None if there is none."""
        reading = self._current.pop(file_id, None)
        self.position = max(self.position, ordinal + 1)
        if reading is not None:
            self.ended.add(ordinal, reading)
            self._resume(reading)
        return reading

    # -- asking ----------------------------------------------------------------------------------------------------
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

    def names(self) -> tuple[Series, ...]:
        """Return the series in the order of their numbers; the same object until there is a new one."""
        if len(self._names) != len(self.series):
            self._names = tuple(self.series)
        return self._names

    def withdrawn(self, position: int) -> Numbers:
        """Return the readings that are withdrawn at a position."""
        found: Numbers = self.ended["reading"][: int(self.ended["ordinal"].searchsorted(position))]
        return found

    def valid(self, numbers: Numbers, position: int, *, withdrawn: bool = False) -> Numbers:
        """Return those row ranges that begin before ``position``, without those of withdrawn files unless ``withdrawn``."""
        kept: Numbers = numbers[self["first"][numbers] < position]
        gone = self.withdrawn(position)
        if withdrawn or not len(gone):
            return kept
        over = np.zeros(len(self.readings) + 1, dtype=np.bool_)
        over[gone] = True
        # The last element is for rows without a file, whose reading is -1.
        alive: Numbers = kept[~over[self["reading"][kept]]]
        return alive

    def marks(self, position: int) -> Marks:
        """Return watermark and first observations at a position, which must be between two row ranges."""
        known = self._remembered.get(position)
        if known is None:
            count = len(self.series)
            if position >= self.position:
                return Marks(self._watermark, self.names(), self.firsts.newest(count))
            valid = self._valid_at(position)
            watermark = int(self["latest"].max(initial=-NEVER, where=valid))
            known = Marks(watermark, self.names(), self.firsts.at(valid, count))
            self._remember(position, known)
        return known

    def remember(self) -> None:
        """Keep the marks of the current position, which cost more to compute once rows are added."""
        if self.position not in self._remembered:
            self._remember(self.position, self.marks(self.position))

    def _remember(self, position: int, marks: Marks) -> None:
        while len(self._remembered) >= _REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))
        self._remembered[position] = marks

    def overlapping(self, start: int, stop: int) -> Numbers:
        """Return the numbers of the row ranges with rows of [start, stop), whether withdrawn or not."""
        return np.flatnonzero((self["stop"] > start) & (self["first"] < stop))

    def covering(self, group: int | None, low: int, high: int, position: int, *, withdrawn: bool = False) -> Numbers:
        """Return the numbers of valid row ranges before ``position`` with claims of a group in [low, high) ns.

        Late claims don't count, see `late`. Row ranges of withdrawn files are included only if ``withdrawn``.
        """
        found = self.reach.get(-1 if group is None else group)
        if found is None:
            return np.empty(0, dtype=np.int64)
        greatest = found["high"]
        count = len(greatest)
        inside = (found["low"][:count] < high) & (greatest >= low)
        return self.valid(found["number"][:count][inside].astype(np.int64), position, withdrawn=withdrawn)

    def late_within(self, low: int, high: int, position: int, *, withdrawn: bool = False) -> Numbers:
        """Return the places in `late` of valid claims before ``position`` with an event time in [low, high) ns."""
        at = self.late.within(low, high)
        at = at[self.late["ordinal"][at] < position]
        numbers = self.late["number"][at].astype(np.int64)
        return at[np.isin(numbers, self.valid(np.unique(numbers), position, withdrawn=withdrawn))]

    def spans_in_time(self, numbers: Numbers) -> dict[int, list[tuple[int, int]]]:
        """Return the event times of row ranges by group, late claims included: spans [low, high], ns."""
        out: dict[int, list[tuple[int, int]]] = {}
        for group, found in self.reach.items():
            mine = np.isin(found["number"], numbers)
            if mine.any():
                out[group] = list(zip(found["low"][mine].tolist(), found["high"][mine].tolist(), strict=True))
        late = np.flatnonzero(np.isin(self.late["number"], numbers))
        groups, times = self._group[self.late["code"][late]].tolist(), self.late["event_time"][late].tolist()
        for group, time in zip(groups, times, strict=True):
            out.setdefault(group, []).append((time, time))
        return out

    def _span_of(self, reading: int) -> tuple[Ints, Ints]:
        """Return the least and greatest event time of each series' group in a reading."""
        low, high = np.full(len(self.series), NEVER), np.full(len(self.series), -NEVER)
        for group, spans in self.spans_in_time(np.flatnonzero(self["reading"] == reading)).items():
            mine = self._group == group
            low[mine], high[mine] = min(a for a, _ in spans), max(b for _, b in spans)
        return low, high

    def of_table(self, table: str) -> Numbers:
        """Return the numbers of the row ranges with rows of a table, whether withdrawn or not."""
        found = self.tables.get(table)
        return np.empty(0, dtype=np.int64) if found is None else found.values.astype(np.int64)

    def naming(self, table: str, position: int) -> Numbers:
        """Return the numbers of valid row ranges before ``position`` with rows of a table."""
        return self.valid(self.of_table(table), position)

    def sharing(self, hashes: npt.NDArray[np.uint64], position: int) -> Numbers:
        """Return the numbers of valid row ranges before ``position`` with one of these keys."""
        found = self.keys["number"][self._by_key.equal_to(hashes)]
        return self.valid(np.unique(found).astype(np.int64), position)

    def within_one(self, position: int) -> bool:
        """Whether a position is within a row range."""
        return position < self.position and bool(((self["first"] < position) & (self["stop"] > position)).any())

    def until(self, position: int) -> SourceIndex:
        """Return a copy with the complete row ranges before ``position``; continue from the copy's own position."""
        after = np.flatnonzero(self["stop"] > position)
        count = int(after[0]) if len(after) else len(self)
        out = SourceIndex(self.group_of)
        out.ranges, out.late, out.carries = self.ranges.cut(count), self.late.before(count), self.carries
        out.position = int(out["stop"][-1]) if count else 0
        out.reach = {group: found.before(count) for group, found in self.reach.items()}
        out.firsts, out.keys = FirstTimes(self.firsts.table.before(count)), self.keys.before(count)
        out.tables = {name: column.cut(int(column.values.searchsorted(count))) for name, column in self.tables.items()}
        out.ended = self.ended.cut(int(self.ended["ordinal"].searchsorted(out.position)))
        out.flagged, out.fed, out.clashes = set(self.flagged), set(self.fed), self.clashes.before(out.position)
        out.carry = dict(self.carry if count == len(self) else self.carries.get(int(self["first"][count]), {}))
        out.readings = list(self.readings)
        out.restore(list(self.series), self.least.copy(), self.greatest.copy())
        return out

    def restore(self, series: Sequence[Series], least: npt.NDArray[np.int16], greatest: npt.NDArray[np.int16]) -> None:
        """Set the series of a copy or of an index that is loaded from a file; all other parts must be set before."""
        self._lut(tuple(series))
        self._luts.clear()
        self.least, self.greatest = least, greatest
        self._by_key = Order(self.keys.columns["hash"])
        over = set(self.ended["reading"].tolist())
        self.readings = self.readings[: 1 + int(self["reading"].max(initial=-1))]
        self._current = {file: n for n, file in enumerate(self.readings) if n not in over}
        self._resume(None)

    # -- inside ----------------------------------------------------------------------------------------------------
    def _valid_at(self, position: int) -> npt.NDArray[np.bool_]:
        valid = np.zeros(len(self), dtype=np.bool_)
        valid[self.valid(np.arange(len(self)), position)] = True
        return valid

    def _resume(self, reading: int | None) -> None:
        """Compute the newest marks again, without the rows of a reading that has ended."""
        valid = self._valid_at(self.position)
        self._watermark = int(self["latest"].max(initial=-NEVER, where=valid))
        self.firsts.end(reading, valid, len(self.series))

    def _reading(self, file_id: str | None) -> int:
        if file_id is None:
            return -1
        if file_id not in self._current:
            self._current[file_id] = len(self.readings)
            self.readings.append(file_id)
        return self._current[file_id]

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
