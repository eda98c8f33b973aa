"""What new rows change: which cells are computed anew, and how far their change reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims
from twinlab.history.build.build import Frontier, GroupSpec, reach_of_change
from twinlab.history.build.index import NEVER, Marks, hashes_of
from twinlab.history.build.kernels import mark_cells
from twinlab.history.build.ledger_claims import SourceView
from twinlab.history.layout.dirty_spans import Span, clip, spans_of_marks, union

__all__ = ["GroupPlan", "changed_cells", "frontier_of", "late_claims", "plan_group"]

Ints = npt.NDArray[np.int64]
#: Spans so close are built as one: a piece costs more than the cells between them.
_GAP = 64
#: Beyond so many cells from first to last, changed cells are listed and not marked in a bitmap.
_BITMAP = 50_000_000


@dataclass(frozen=True)
class GroupPlan:
    """The cells of one group to compute from claims, and those to flag and write."""

    spec: GroupSpec
    fresh: list[Span]
    write: list[Span]
    frontier: Frontier

    @property
    def cells(self) -> int:
        """Values to write."""
        return sum(high - low for low, high in self.write) * len(self.spec.assets) * len(self.spec.signals)


def frontier_of(spec: GroupSpec, marks: Iterable[Marks]) -> Frontier:
    """Return from where and up to where the series of a group are settled: the furthest source that feeds them counts."""
    shape = (len(spec.signals), len(spec.assets))
    known_from, passed = np.full(shape, NEVER), np.full(shape, -NEVER)
    axis = spec.axis
    for one in marks:
        signal, asset = spec.numbered(one.series)
        mine = np.flatnonzero((signal[: len(one.series)] >= 0) & (one.first < NEVER))
        at = (signal[mine], asset[mine])
        # A series stands once in a source's index, so no place is named twice.
        known_from[at] = np.minimum(known_from[at], (one.first[mine] - axis.origin_ns) // axis.cadence_ns)
        passed[at] = np.maximum(passed[at], axis.cell(one.watermark) if one.watermark > -NEVER else -NEVER)
    return Frontier(known_from, passed)


def _moved(old: Frontier, new: Frontier, after: int) -> list[Span]:
    """Return the cells whose flags change because a watermark or a series' beginning moved."""
    start, stop = np.full(new.passed.shape, NEVER), np.full(new.passed.shape, -NEVER)
    risen = (new.passed > old.passed) & (new.known_from < NEVER)
    start[risen] = np.maximum(new.known_from, np.where(old.passed > -NEVER, old.passed - after, -NEVER))[risen]
    stop[risen] = new.passed[risen] + 1
    other = ((new.passed < old.passed) | (new.known_from != old.known_from)) & (old.passed > -NEVER)
    lowest, highest = np.minimum(new.known_from, old.known_from), np.maximum(new.passed, old.passed) + 1
    # A series that turns out to be older: what lies before its old beginning.
    older = other & ~risen & (new.known_from < old.known_from) & (new.passed == old.passed)
    highest = np.where(older, np.minimum(highest, old.known_from), highest)
    start[other], stop[other] = np.minimum(start, lowest)[other], np.maximum(stop, highest)[other]
    pairs = np.unique(np.stack([start.ravel(), stop.ravel()], axis=1), axis=0)
    return union([(int(low), int(high)) for low, high in pairs if low < high])


def plan_group(
    spec: GroupSpec, *, old: Frontier, new: Frontier, changed: Sequence[Span], limit: int = 0
) -> GroupPlan | None:
    """Return what to build after the cells in ``changed`` got new claims; None if nothing.

    ``limit`` is the end of what is stored, for groups that are built anew.
    """
    end = max(int(new.passed.max(initial=-NEVER)) + 1, int(old.passed.max(initial=-NEVER)) + 1, limit)
    # Before the first observation of all there is nothing to say, also where margins reach further back.
    begin = max(0, min(int(new.known_from.min(initial=NEVER)), int(old.known_from.min(initial=NEVER)), end))
    fresh = clip(union(changed, gap=_GAP), (begin, end))
    write = clip(union(reach_of_change(spec, fresh), _moved(old, new, spec.margins[1]), gap=_GAP), (begin, end))
    if not write:
        return None
    return GroupPlan(spec, fresh, write, new)


def _cells_of(claims: Sequence[tuple[SourceView, Claims]], spec: GroupSpec, group: int) -> list[Span]:
    axis = spec.axis
    low = min(int(c.event_time.min()) for _, c in claims)
    high = max(int(c.event_time.max()) for _, c in claims)
    k0, k1 = axis.cell(low), axis.cell(high) + 1
    if k1 - k0 > _BITMAP:
        spans: list[Span] = []
        for view, c in claims:
            mine = view.index.groups_of(c.series)[c.code] == group
            cells = np.unique(axis.cell(c.event_time[mine]))
            spans += [(int(k), int(k) + 1) for k in cells]
        return union(spans, gap=_GAP)
    marks = np.zeros(k1 - k0, dtype=np.bool_)
    for view, c in claims:
        mark_cells(
            c.code, c.event_time, view.index.groups_of(c.series), group, axis.origin_ns, axis.cadence_ns, k0, marks
        )
    return union(spans_of_marks(marks, k0), gap=_GAP)


def changed_cells(
    views: Mapping[str, SourceView],
    specs: Sequence[GroupSpec],
    *,
    old: Mapping[str, int],
    new: Mapping[str, int],
) -> dict[str, list[Span]]:
    """Return the cells of each group (by path) about which the rows between two position vectors say something.

    That is the cells of new claims, the cells of older claims that share a key with a new one, and all cells of the
    rows of withdrawn files.
    """
    claims: dict[int, list[tuple[SourceView, Claims]]] = {}
    spans: dict[int, list[Span]] = {}
    by_number = {_number(view, spec): spec for view in views.values() for spec in specs if spec.signals}
    for name, view in views.items():
        index, start, stop = view.index, old.get(name, 0), new[name]
        fresh = [n for n, s in enumerate(index.stretches) if start <= s.stop - 1 and s.first < stop and s.stop > start]
        hashes = [np.empty(0, dtype=np.uint64)]
        for _, found in view.harmonised(fresh, stop=stop):
            c = found.claims
            if len(c) and int(c.ordinal.min()) < start:
                c = c.select(c.ordinal >= start)
            if not len(c):
                continue
            hashes.append(hashes_of(c))
            for group in index.group_set(c.series):
                claims.setdefault(group, []).append((view, c))
        keys = np.unique(np.concatenate(hashes))
        elder = [n for n in index.sharing(keys, stop) if index.stretches[n].first < start] if len(keys) else []
        ended = {reading for ordinal, reading in index.ended if start <= ordinal < stop}
        elder += [n for n, s in enumerate(index.stretches) if s.reading in ended and s.first < start]
        for n in elder:
            for group, (low, high) in index.stretches[n].reach.items():
                if group in by_number:
                    axis = by_number[group].axis
                    spans.setdefault(group, []).append((axis.cell(low), axis.cell(high) + 1))
    out = {}
    for group, spec in by_number.items():
        found_spans = _cells_of(claims[group], spec, group) if group in claims else []
        out[spec.group.path] = union(found_spans, spans.get(group, []))
    return out


def _number(view: SourceView, spec: GroupSpec) -> int:
    return view.index.group_of[spec.group.asset_type, next(iter(spec.signals))]


def late_claims(view: SourceView, *, old: int, new: int, watermark: int) -> int:
    """Return how many claims between two positions lie before the watermark that stood at the first."""
    if watermark == -NEVER:
        return 0
    index = view.index
    numbers = [
        n
        for n, s in enumerate(index.stretches)
        if s.stop > old and s.first < new and any(low < watermark for low, _ in s.reach.values())
    ]
    return sum(
        int(np.count_nonzero((f.claims.event_time < watermark) & (f.claims.ordinal >= old)))
        for _, f in view.harmonised(numbers, stop=new)
    )
