"""One source under one mapping: its frames are harmonised once, cached, and read again where a build needs them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims, Context, Harmonised, Series
from twinlab.harmonise.frames import harmonise, series_of_tags
from twinlab.harmonise.shared_instants import FrameClaims, compare_frames
from twinlab.harmonise.times.clocks import largest_shift
from twinlab.history.build.report import SourceTally
from twinlab.history.build.rows.frame_cache import FrameCache
from twinlab.history.index.marks import Marks
from twinlab.history.index.source_index import LATEST_AHEAD, Carry, SourceIndex
from twinlab.history.layout.spans import Span, union
from twinlab.ledger.format.joined import in_one_block
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.ledger.format.frames import Frame
    from twinlab.ledger.reader import Reader

__all__ = ["Properties", "SourceView"]

#: Asset type -> asset -> property -> value.
Properties = Dictionary[str, Dictionary[str, Dictionary[str, object]]]
#: Rows of a file whose instants are compared at once.
_COMPARED_ROWS = 4_000_000
#: Maximum difference between a local clock and UTC, and some margin.
_ZONE_REACH = 26 * 3600 * 10**9


@dataclass
class SourceView:
    """One source under one mapping: its harmonised frames and its index."""

    name: str
    reader: Reader
    mapping: Mapping
    model: TwinModel
    properties: Properties
    index: SourceIndex
    cache: FrameCache
    # Hash of all that the claims depend on; part of the keys of the cache.
    context_hash: str = ""
    # The tags of each series, in the segments with these numbers: so many of each are known.
    _tags: dict[Series, set[str]] = field(default_factory=dict, repr=False)
    _known_tags: dict[int, int] = field(default_factory=dict, repr=False)

    def extend(self, position: int, tally: SourceTally | None = None) -> list[int]:
        """Index the rows up to ``position``; return the numbers of the new row ranges."""
        new: list[int] = []
        pending: list[Frame] = []
        if position > self.index.position:
            self.index.remember()
        for frame in self.reader.frames(start=self.index.position, stop=position, join=True):
            if pending and not self._with_those(frame, pending[0]):
                new += self._add(pending, tally)
                pending = []
            pending.append(frame)
        if pending:
            new += self._add(pending, tally)
        for reading in list(self.index.overlaps.found):
            self._compare(reading, tally)
        self.index.position = max(self.index.position, position)
        return new

    def _with_those(self, frame: Frame, head: Frame) -> bool:
        """Whether a frame belongs to the row range that begins with ``head``."""
        if frame.kind == "observations":
            # A sealed segment's observations come as several frames whose ordinals interleave.
            return frame.index == head.index
        # A range for each of many small frames would take more memory than their rows. A clock whose repeated hour is resolved by the
        # order of rows is known at the start of a range only.
        records = frame.kind == head.kind == "records" and frame.file_id is head.file_id is None
        return records and not self._in_order and in_one_block(frame, head)

    @cached_property
    def _in_order(self) -> bool:
        """Whether some table has ``ambiguous: order``."""
        rules = (rule for table in self.mapping.tables for rule in table.time_rules())
        return any(rule.ambiguous == "order" for rule in rules)

    def marks(self, position: int) -> Marks:
        """Return watermark and first observations at any position that is indexed."""
        index = self.index
        if index.within_one(position):
            part = replace(self, index=index.until(position))
            part.extend(position)
            return part.index.marks(position)
        return index.marks(position)

    def _add(self, frames: list[Frame], tally: SourceTally | None) -> list[int]:
        head = frames[0]
        if head.kind == "retract_file":
            self.index.end_reading(head.file_id or "", head.first)
            return []
        carry = dict(self.index.carry)
        found = []
        for frame in frames:
            done, whole = self._harmonised(frame, self.index.carry)
            found.append(done)
            if tally is not None:
                tally.add_frame(whole, rows=frame.rows, kept=len(done.claims), file_id=frame.file_id)
        tables = {f"{kind}:{name}" for one in found for kind, name in _named(one)}
        number = self.index.add(
            [one.claims for one in found],
            first=min(frame.first for frame in frames),
            stop=max(frame.last for frame in frames) + 1,
            file_id=head.file_id,
            tables=tables,
            carry=carry,
        )
        low, high = int(self.index["earliest"][number]), int(self.index["latest"][number])
        if tally is not None and low <= high:
            tally.widen_span(low, high, file_id=head.file_id)
        return [number]

    def rows_of(self, numbers: Iterable[int]) -> list[Span]:
        """Return the rows of some row ranges, as spans of ordinals."""
        at = np.fromiter(numbers, dtype=np.int64)
        return union(zip(self.index["first"][at].tolist(), self.index["stop"][at].tolist(), strict=True))

    def outside(self, late: npt.NDArray[np.int64], rows: Sequence[Span]) -> npt.NDArray[np.int64]:
        """Return those places of late claims whose rows aren't in any of some disjoint, ascending spans of ordinals."""
        if not len(late) or not rows:
            return late
        edges = np.array(rows, dtype=np.int64)
        ordinals = self.index.late["ordinal"][late]
        place = edges[:, 0].searchsorted(ordinals, side="right") - 1
        kept: npt.NDArray[np.int64] = late[(place < 0) | (ordinals >= edges[place, 1])]
        return kept

    def late_claims(self, late: npt.NDArray[np.int64], *, stop: int) -> Claims:
        """Return the late claims at some places, with the flags known at the position ``stop``."""
        claims = self.index.late.claims(late, self.index.names())
        if not len(late) or not len(self.index.clashes):
            return claims
        return self.index.clashes.flagged(claims, (int(claims.ordinal.min()), int(claims.ordinal.max())), stop=stop)

    def frames_of(self, late: npt.NDArray[np.int64], *, stop: int) -> Iterator[tuple[Frame, Claims]]:
        """Yield the frames with some late claims, cut to the rows of these, and the claims of each."""
        index = self.index
        every = self.late_claims(late, stop=stop)
        numbers = index.late["number"][late]
        for number in np.unique(numbers).tolist():
            mine = every.select(numbers == number)
            tags = {mine.tags[code] for code in np.unique(mine.tag).tolist()}
            reach = self._clock_reach()
            hint = (int(mine.event_time.min()) - reach, int(mine.event_time.max()) + 1 + reach)
            # Cut to the claims' rows, since the others needn't be sorted or copied.
            first, last = int(mine.ordinal.min()), int(mine.ordinal.max()) + 1
            for frame in self.reader.frames(start=first, stop=min(last, stop), tags=tags, time=hint):
                inside = (mine.ordinal >= frame.first) & (mine.ordinal <= frame.last)
                inside[inside] = np.isin(mine.ordinal[inside], frame.ordinals())
                if inside.any():
                    yield frame, mine.select(inside)

    def _compare(self, reading: int, tally: SourceTally | None) -> None:
        """Compare the values of one instant in different row ranges of a file."""
        index = self.index
        assets, low, high = index.overlaps.found.pop(reading)
        mine = np.flatnonzero(index["reading"] == reading)
        rows, end = int((index["stop"] - index["first"])[mine].sum()), int(index["stop"][mine].max())
        # In pieces of time, so that memory doesn't grow with the file.
        edges = np.linspace(low, high, 2 + rows // _COMPARED_ROWS).astype(np.int64)
        edges[0], edges[-1] = low, high
        for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            parts, frames = [], []
            for frame, found in self.harmonised(mine, stop=end, time=(start, stop)):
                c = found.claims
                wanted = np.array([(one.asset_type, one.asset) in assets for one in c.series], dtype=np.bool_)
                if c.key is None and wanted.any():
                    parts.append(c.select(wanted[c.code] & (c.event_time >= start) & (c.event_time < stop)))
                    frames.append(np.full(len(parts[-1]), frame.first))
            if not any(map(len, parts)):
                continue
            given = FrameClaims(Claims.concat(parts), np.concatenate(frames))
            clashes, shared = compare_frames(given, self.model)
            index.clashes = index.clashes.joined(clashes)
            index.flagged |= {
                (one.asset_type, one.signal) for one in (clashes.series[n] for n in np.unique(clashes.code).tolist())
            }
            if tally is not None and shared is not None:
                tally.add_shared(shared, file_id=index.readings[reading])

    def harmonised(
        self,
        numbers: Iterable[int],
        *,
        stop: int,
        time: Span | None = None,
        withdrawn: bool = False,
        series: Collection[Series] | None = None,
        cut_from: int = 0,
    ) -> Iterator[tuple[Frame, Harmonised]]:
        """Yield the frames of some row ranges with their claims, for rows before ``stop`` and within the twin's span.

        Frames without observations in the time span ``time`` (ns UTC) are skipped, and those of withdrawn files unless
        ``withdrawn``. With ``series``, frames of observations without a tag that has a rule for one of them are skipped,
        and those that are stored with at least ``cut_from`` rows are cut to the rows of such tags. Claims outside
        ``time`` may be left out.
        """
        spans = self.rows_of(numbers)
        tags = self._tags_of(series, spans) if series is not None and spans else None
        ended = {} if withdrawn else self.withdrawn_before(stop)
        reach = self._clock_reach()
        hint = None if time is None else (time[0] - reach, time[1] + reach)
        for first, last in spans:
            for frame in self.reader.frames(start=first, stop=min(last, stop), tags=tags, time=hint, join=True):
                if frame.kind == "retract_file" or frame.first < ended.get(frame.file_id or "", 0):
                    continue
                if tags is not None and frame.kind == "observations" and frame.group_rows >= cut_from:
                    cut = frame.of_tags(tags.__contains__)
                    if cut is not None:
                        # A stream's rows are translated one by one: without the others, they have the same claims.
                        done = harmonise(cut, self.mapping, Context(self.model, self.properties, {}))
                        yield cut, self._within(cut, done)
                    continue
                found = self._harmonised(frame, dict(self.index.carries.get(frame.first, {})), time)[0]
                if len(self.index.clashes) and frame.kind == "records" and len(found.claims):
                    claims = self.index.clashes.flagged(found.claims, (frame.first, frame.last), stop=stop)
                    found = found if claims is found.claims else replace(found, claims=claims)
                yield frame, found

    def _clock_reach(self) -> int:
        """Return how far the times in headers of frames, which are those of the source, may be from the times of claims."""
        stream = self.mapping.stream
        return _ZONE_REACH + (largest_shift(stream.clocks) if stream is not None else 0)

    def _tags_of(self, series: Collection[Series], rows: Sequence[Span]) -> frozenset[str]:
        """Return the tags with a rule for one of some series, of segments with some rows."""
        if self.mapping.stream is None:
            return frozenset()
        means = series_of_tags(self.mapping, self.model)
        for number, tags in self.reader.tags(start=rows[0][0], stop=rows[-1][1]):
            for tag in tags[self._known_tags.get(number, 0) :]:
                for one in means(tag):
                    self._tags.setdefault(one, set()).add(tag)
            self._known_tags[number] = len(tags)
        return frozenset().union(*(self._tags.get(one, ()) for one in series))

    def withdrawn_before(self, stop: int) -> dict[str, int]:
        """Return the files that are withdrawn at a position, each with the ordinal before which its rows don't count."""
        gone = self.index.withdrawn(stop)
        ordinals = self.index.ended["ordinal"][: len(gone)]
        return {self.index.readings[n]: at for n, at in zip(gone.tolist(), ordinals.tolist(), strict=True)}

    def _harmonised(self, frame: Frame, carry: Carry, time: Span | None = None) -> tuple[Harmonised, Harmonised]:
        """Return the claims of a frame within the twin's span (and perhaps ``time``), and all of its claims."""
        # After sealing, a frame of the same first ordinal has other rows.
        key = (self.name, self.context_hash, frame.first, frame.rows, frame.index, frame.time_range)
        kept = self.cache.get(key, time)
        if kept is not None:
            return kept, kept
        whole = harmonise(frame, self.mapping, Context(self.model, self.properties, carry))
        done = self._within(frame, whole)
        self.cache.put(key, done, store=frame.kind == "records")
        return done, whole

    def _within(self, frame: Frame, whole: Harmonised) -> Harmonised:
        claims = whole.claims
        if not len(claims):
            return whole
        times = claims.event_time
        low, high = int(times.min()), int(times.max())
        limit: npt.NDArray[np.int64] | int = int(frame.ingest_time) + LATEST_AHEAD
        if frame.kind == "observations" and high > int(frame.ingest_times().min()) + LATEST_AHEAD:
            ordinals, ingest = frame.ordinals(), frame.ingest_times()
            order = np.argsort(ordinals)
            limit = ingest[order][np.searchsorted(ordinals[order], claims.ordinal)] + LATEST_AHEAD
        elif high <= limit and low >= self.model.origin_ns:
            return whole
        return replace(whole, claims=claims.select((times >= self.model.origin_ns) & (times <= limit)))


def _named(found: Harmonised) -> Iterator[tuple[str, str]]:
    for event in found.events:
        yield "event", event.type
    for asset in found.assets:
        yield "asset", asset.asset_type
    for link in found.relationships:
        yield "relationship", link.type
