"""The claims of the ledger that a window of cells depends on, found by time or key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims, Series
from twinlab.history.build.build import Part
from twinlab.history.build.cuts import Cut, Segment, segment_cuts, segments
from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.build.rows.source_view import SourceView
from twinlab.history.index.source_index import hashes_of
from twinlab.history.layout.spans import Span
from twinlab.model.mapping import Mapping

__all__ = ["LedgerClaims"]

#: For a part of a group, frames that are stored with so many rows are cut to its rows; smaller ones are harmonised once
#: and kept.
_CUT_ROWS = 20_000


def judged_signals(mapping: Mapping) -> frozenset[str]:
    """Return the names of the signals of whose values a source states its own status."""
    return frozenset(
        rule.signal
        for table in mapping.tables
        for rules in (*table.columns.values(), *table.tags.values())
        for rule in rules
        if rule.status is not None or table.status is not None
    )


@dataclass
class LedgerClaims:
    """The claims of all sources up to a position vector, as a `ClaimSource`."""

    views: Dictionary[str, SourceView]
    position: Dictionary[str, int]
    # Ordinals from which claims are newer than the last build.
    new_from: Dictionary[str, int] = field(default_factory=dict)
    # Cells before a cut have the claims of its position.
    cuts: Sequence[Cut] = ()
    _fed: dict[tuple[str, str], bool] | None = None

    def of_segment(self, number: int) -> LedgerClaims:
        """Return the claims of the position of one segment of time; cells of earlier ones have those of theirs."""
        position = segments(self.cuts, self.position)[number].position
        return replace(self, position=position, cuts=segment_cuts(self.cuts)[:number], _fed=self._fed)

    def numbers(self) -> dict[str, int]:
        """Return the number of each source, in the order of names."""
        return {name: number for number, name in enumerate(sorted(self.views))}

    def _reach(self, spec: GroupSpec, window: Span) -> tuple[int, int]:
        return spec.axis.time(window[0]), spec.axis.time(window[1])

    def _covering(
        self, view: SourceView, spec: GroupSpec, window: Span, position: Dictionary[str, int]
    ) -> npt.NDArray[np.int64]:
        low, high = self._reach(spec, window)
        name = next(iter(spec.signals))
        group = view.index.group_of.get((spec.group.asset_type, name))
        return view.index.covering(group, low, high, position[view.name])

    def _late(
        self,
        view: SourceView,
        spec: GroupSpec,
        window: Span,
        position: Dictionary[str, int],
        read: Sequence[Span] = (),
    ) -> npt.NDArray[np.int64]:
        """Return the places of late claims in the window, without those among the rows in ``read``."""
        return view.outside(view.index.late_within(*self._reach(spec, window), position[view.name]), read)

    def _segments(self, spec: GroupSpec, window: Span) -> Iterator[tuple[Segment, Span]]:
        """Yield the segments of time with one position each, with their cells in the window."""
        for one in segments(self.cuts, self.position):
            cells = one.cells(spec, window)
            if cells is not None:
                yield one, cells

    def parts(self, spec: GroupSpec, window: Span) -> Iterator[Part]:
        """Yield the claims of the frames that overlap the window, and all other claims that share a key with one of them."""
        for one, cells in self._segments(spec, window):
            for part in self._parts(spec, cells, one.position):
                yield part if not self.cuts else _in_segment(part, one)

    def _parts(self, spec: GroupSpec, window: Span, position: Dictionary[str, int]) -> Iterator[Part]:
        low, high = self._reach(spec, window)
        # A claim of another series never has the identity of one of these: its tag is another.
        some = _few(spec.series, spec)
        for name, number in self.numbers().items():
            view, stop = self.views[name], position[name]
            new_from = self.new_from.get(name, 0)
            if some is not None and not any(one in view.index.series for one in some):
                continue  # none of its rows is of these assets
            near = self._covering(view, spec, window, position)
            hashes = [np.empty(0, dtype=np.uint64)]
            for _, found in view.harmonised(near, stop=stop, time=(low, high), series=some, cut_from=_CUT_ROWS):
                if found.claims.key is not None:
                    inside = (found.claims.event_time >= low) & (found.claims.event_time < high)
                    hashes.append(hashes_of(found.claims.select(inside)))
                if len(found.claims):
                    yield Part(number, found.claims, new_from)
            # Late claims of the frames above were among their rows.
            late = self._late(view, spec, window, position, view.rows_of(near))
            if len(late):
                yield Part(number, view.late_claims(late, stop=stop), new_from)
            keys = np.unique(np.concatenate(hashes))
            if len(keys):
                yield from (Part(number, claims, new_from) for claims in self._partners(view, keys, near, stop))

    def parts_of_windows(self, windows: Sequence[tuple[GroupSpec, Span]]) -> list[list[Part]] | None:
        """Return the claims of each of many windows of one group; a frame of several is read once.

        Returns None if not all signals are `simple` in all of them.
        """
        if self.cuts or set(windows[0][0].signals) != self._of_one_source(windows[0][0]):
            return None
        times = np.array([self._reach(spec, window) for spec, window in windows])
        out: list[list[Part]] = [[] for _ in windows]
        for name, number in self.numbers().items():
            view, stop, new_from = self.views[name], self.position[name], self.new_from.get(name, 0)
            index = view.index
            covering = [self._covering(view, spec, window, self.position) for spec, window in windows]
            windows_of: dict[int, list[int]] = {}
            for place, numbers in enumerate(covering):
                for one in numbers.tolist():
                    windows_of.setdefault(one, []).append(place)
            every = np.array(sorted(windows_of), dtype=np.int64)
            if index["keyed"][every].any() or index["retracts"][every].any():
                return None
            for one in every.tolist():
                near = windows_of[one]
                reach = int(times[near, 0].min()), int(times[near, 1].max())
                some = frozenset[Series]().union(*(windows[place][0].series for place in near))
                few = _few(some, windows[0][0])
                for _, found in view.harmonised([one], stop=stop, time=reach, series=few, cut_from=_CUT_ROWS):
                    for place in near:
                        out[place].append(Part(number, found.claims, new_from))
            late = index.late_within(int(times[:, 0].min()), int(times[:, 1].max()), stop)
            at = index.late["event_time"][late]
            low, high = np.searchsorted(at, times[:, 0]).tolist(), np.searchsorted(at, times[:, 1]).tolist()
            # Late claims of the frames above were among their rows.
            kept = {
                place: view.outside(late[low[place] : high[place]], view.rows_of(numbers))
                for place, numbers in enumerate(covering)
                if low[place] < high[place]
            }
            claims = view.late_claims(np.concatenate([late[:0], *kept.values()]), stop=stop)
            if claims.op.any():
                return None
            ends = np.cumsum([len(places) for places in kept.values()]).tolist()
            for (place, places), end in zip(kept.items(), ends, strict=True):
                if len(places):
                    mine = claims.select(np.arange(end - len(places), end))
                    out[place].append(Part(number, mine, new_from))
        return out

    @staticmethod
    def _partners(
        view: SourceView, keys: npt.NDArray[np.uint64], known: npt.NDArray[np.int64], stop: int
    ) -> Iterator[Claims]:
        # All claims of the frames in `known` were yielded already.
        others = np.setdiff1d(view.index.sharing(keys, stop), known)
        spans = view.rows_of(known)
        for frame, found in view.harmonised(others, stop=stop):
            if any(low <= frame.first < high for low, high in spans) or found.claims.key is None:
                continue
            yield found.claims.select(_with_key(found.claims, keys))

    def simple(self, spec: GroupSpec, window: Span) -> frozenset[str]:
        """Return the signals of the rule ``last`` with one source and one priority, if no claim has a key or is a retraction."""
        for one, cells in self._segments(spec, window):
            for view in self.views.values():
                index, near = view.index, self._covering(view, spec, cells, one.position)
                late = self._late(view, spec, cells, one.position)
                if index["keyed"][near].any() or index["retracts"][near].any() or index.late["op"][late].any():
                    return frozenset()
        return self._of_one_source(spec)

    def _of_one_source(self, spec: GroupSpec) -> frozenset[str]:
        """Return the signals of the rule ``last`` with one source and one priority, none of whose claims has a flag of its own."""
        fed, judged = self._single(), self.judged(spec)
        kind = spec.group.asset_type
        return frozenset(
            name
            for name, s in spec.signals.items()
            if s.combine == "last" and fed.get((kind, name), True) and name not in judged
        )

    def judged(self, spec: GroupSpec) -> frozenset[str]:
        """Return the signals some of whose claims have a flag: a source's own status, or of values that contradict each other."""
        names = {name for view in self.views.values() for name in judged_signals(view.mapping)}
        kind = spec.group.asset_type
        for view in self.views.values():
            names |= {name for name in spec.signals if (kind, name) in view.index.flagged}
        return frozenset(names & spec.signals.keys())

    def _single(self) -> dict[tuple[str, str], bool]:
        """Return for each signal whether it has a single source and priority."""
        if self._fed is None:
            seen: dict[tuple[str, str], set[tuple[str, int]]] = {}
            for view in self.views.values():
                index = view.index
                for one, n in index.series.items():
                    if index.least[n] <= index.greatest[n]:
                        pair = {(view.name, int(index.least[n])), (view.name, int(index.greatest[n]))}
                        seen.setdefault((one.asset_type, one.signal), set()).update(pair)
            self._fed = {signal: len(found) == 1 for signal, found in seen.items()}
        return self._fed


def _few(series: frozenset[Series], spec: GroupSpec) -> frozenset[Series] | None:
    """Return series if frames should be cut to their rows: not if they are many of all of the group."""
    return series if spec.whole is not None and 4 * len(series) <= len(spec.whole.series) else None


def _in_segment(part: Part, segment: Segment) -> Part:
    """Leave out the claims of other times, which are of another position; those with a key may be of any time."""
    claims = part.claims
    if claims.key is not None:
        return part
    inside = np.ones(len(claims), dtype=np.bool_)
    if segment.low is not None:
        inside &= claims.event_time >= segment.low
    if segment.high is not None:
        inside &= claims.event_time < segment.high
    return part if inside.all() else Part(part.source, claims.select(inside), part.new_from)


def _with_key(claims: Claims, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    from pandas.util import hash_array  # noqa: PLC0415

    assert claims.key is not None
    keyed = np.array([key is not None for key in claims.key])
    texts = np.array(["" if key is None else str(key) for key in claims.key], dtype=object)
    return keyed & np.isin(hash_array(texts, categorize=False), hashes)
