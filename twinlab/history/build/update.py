"""Which cells new rows change, and which other cells depend on those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims
from twinlab.history.build.build import reach_of_change
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.build.kernels import mark_cells
from twinlab.history.build.late.planning import LATE_ASSETS
from twinlab.history.build.rows.source_view import SourceView
from twinlab.history.build.vacancy import Occupied
from twinlab.history.index.marks import Marks
from twinlab.history.index.reach import NEVER
from twinlab.history.index.source_index import hashes_of
from twinlab.history.layout.grid import Frontier
from twinlab.history.layout.spans import Span, clip, spans_of_marks, union

__all__ = [
    "Changed",
    "changed_cells",
    "frontier_of",
    "judged_anew",
    "late_claims",
    "plan_group",
]

Ints = npt.NDArray[np.int64]
#: Asset type -> asset -> (from, until) in ns since 1970; NEVER without a limit.
Lifetimes = Mapping[str, Mapping[str, tuple[int, int]]]
#: Spans at most this many cells apart are built as one, which costs less than another piece.
_GAP = 64
#: Maximum size of a bitmap of changed cells; over a longer span they are listed.
_BITMAP = 50_000_000
#: Claims that are held at once to find the cells that they change.
_HELD = 2_000_000
#: More late claims of a group than this are planned for all assets together.
_MAX_LATE = 50_000
#: Of the newest stored cells, those with claims of at most this share of all such tiles are planned as late ones.
_FEW_TILES = 1 / 8


@dataclass(frozen=True)
class Changed:
    """The cells of one group that got new claims."""

    # Of all assets.
    spans: list[Span]
    # Late cells: column -> spans of this column alone.
    late: dict[int, list[Span]] = field(default_factory=dict)
    # The spans of each band of assets, if there is more than one band and they are known.
    bands: list[list[Span]] | None = None

    @property
    def end(self) -> int:
        """The first cell after all of them, 0 if there are none."""
        return max((stop for spans in (self.spans, *self.late.values()) for _, stop in spans), default=0)


def frontier_of(spec: GroupSpec, marks: Iterable[Marks], lifetimes: Lifetimes | None = None) -> Frontier:
    """Return from where and up to where the series of a group are settled; of several sources the most advanced counts.

    ``lifetimes`` are those of the assets, by type.
    """
    shape = (len(spec.signals), len(spec.assets))
    known_from, passed = np.full(shape, NEVER), np.full(shape, -NEVER)
    axis = spec.axis
    for one in marks:
        signal, asset = spec.numbered(one.series)
        mine = np.flatnonzero((signal[: len(one.series)] >= 0) & (one.first < NEVER))
        at = (signal[mine], asset[mine])
        # A series occurs once in a source's index, so no element is assigned twice.
        known_from[at] = np.minimum(known_from[at], (one.first[mine] - axis.origin_ns) // axis.cadence_ns)
        passed[at] = np.maximum(passed[at], axis.cell(one.watermark) if one.watermark > -NEVER else -NEVER)
    ages = (lifetimes or {}).get(spec.group.asset_type)
    if ages is None:
        return Frontier(known_from, passed)
    alive = np.array([ages.get(asset, (-NEVER, NEVER)) for asset in spec.assets], dtype=np.int64).reshape(-1, 2).T
    limited = np.abs(alive) < NEVER
    alive[limited] = (alive[limited] - axis.origin_ns) // axis.cadence_ns
    return Frontier(known_from, passed, alive)


def _moved(old: Frontier, new: Frontier, after: int) -> list[Span]:
    """Return the cells whose flags change because a watermark or the first observation of a series changed."""
    start, stop = np.full(new.passed.shape, NEVER), np.full(new.passed.shape, -NEVER)
    risen = (new.passed > old.passed) & (new.known_from < NEVER)
    start[risen] = np.maximum(new.known_from, np.where(old.passed > -NEVER, old.passed - after, -NEVER))[risen]
    stop[risen] = new.passed[risen] + 1
    other = ((new.passed < old.passed) | (new.known_from != old.known_from)) & (old.passed > -NEVER)
    lowest, highest = np.minimum(new.known_from, old.known_from), np.maximum(new.passed, old.passed) + 1
    # The first observation of a series is earlier than before: only cells before the old one change.
    older = other & ~risen & (new.known_from < old.known_from) & (new.passed == old.passed)
    highest = np.where(older, np.minimum(highest, old.known_from), highest)
    start[other], stop[other] = np.minimum(start, lowest)[other], np.maximum(stop, highest)[other]
    pairs = np.unique(np.stack([start.ravel(), stop.ravel()], axis=1), axis=0)
    return union([(int(low), int(high)) for low, high in pairs if low < high], _other_lifetimes(old, new, after))


def _other_lifetimes(old: Frontier, new: Frontier, after: int) -> list[Span]:
    """Return the cells whose flags change because an asset's lifetime changed."""
    if old.lifetimes is None and new.lifetimes is None:
        return []
    always = np.array([[-NEVER], [NEVER]])
    was, now = (always if one.lifetimes is None else one.lifetimes for one in (old, new))
    low, high = np.minimum(was, now), np.maximum(was, now)
    begin, end = max(0, int(new.known_from.min(initial=NEVER))), int(new.passed.max(initial=-NEVER)) + 1
    pairs = {
        (max(int(a) - after, begin), min(int(b) + 1, end))
        for a, b in zip(low[low < high], high[low < high], strict=True)
    }
    return union([(a, b) for a, b in sorted(pairs) if a < b])


def judged_anew(earlier: GroupSpec, spec: GroupSpec, frontier: Frontier) -> list[Span]:
    """Return the cells whose flags change because limits of assets changed; ``frontier`` is that of the stored cells."""
    out = []
    for name, now in spec.limits.items():
        number = spec.numbers[name]
        other = (now != earlier.limits[name]).any(axis=0) & (frontier.passed[number] > -NEVER)
        if other.any():
            start = int(frontier.known_from[number][other].min())
            # A value that fails by one of the limits counts as absent for the tests of its neighbours.
            out += reach_of_change(spec, [(start, int(frontier.passed[number][other].max()) + 1)])
    return union(out)


def plan_group(
    spec: GroupSpec,
    *,
    old: Frontier,
    new: Frontier,
    changed: Sequence[Span],
    judged: Sequence[Span] = (),
    limit: int = 0,
) -> GroupPlan | None:
    """Return what to build after cells in ``changed`` got new claims; None if there is nothing to build.

    The cells in ``judged`` are flagged anew. ``limit`` is the end of the stored cells, for groups that are rebuilt.
    """
    end = max(int(new.passed.max(initial=-NEVER)) + 1, int(old.passed.max(initial=-NEVER)) + 1, limit)
    # No cell before the first observation of all series is built, even if margins extend to it.
    begin = max(0, min(int(new.known_from.min(initial=NEVER)), int(old.known_from.min(initial=NEVER)), end))
    fresh = clip(union(changed, gap=_GAP), (begin, end))
    moved = _moved(old, new, spec.margins[1])
    write = clip(union(reach_of_change(spec, fresh), moved, judged, gap=_GAP), (begin, end))
    if not write:
        return None
    return GroupPlan(spec, fresh, write, new)


def _first_of_many(claims: Sequence[tuple[SourceView, Claims]], spec: GroupSpec, cut: int, end: int) -> int:
    """Return the cell from which claims are planned for all assets: before it, from ``cut`` on, they are of few."""
    limit = max(1, int(-(-len(spec.assets) // LATE_ASSETS) * _FEW_TILES))
    # Spans of the two kinds don't meet, so that no cell is built, and no repeated claim counted, twice.
    last = end - _GAP
    if last <= cut:
        return cut
    low, high = spec.axis.time(cut), spec.axis.time(last)
    found = []
    for _, c in claims:
        signal, asset = spec.numbered(c.series)
        mine = (c.event_time >= low) & (c.event_time < high) & (signal[c.code] >= 0)
        cells = (c.event_time[mine] - spec.axis.origin_ns) // spec.axis.cadence_ns
        found.append(np.stack([asset[c.code[mine]].astype(np.int64) // LATE_ASSETS, cells]))
    tiles, cells = np.concatenate(found, axis=1)
    # The first cell of each tile, in order of time.
    order = np.lexsort((cells, tiles))
    firsts = np.sort(cells[order][np.unique(tiles[order], return_index=True)[1]])
    return last if len(firsts) <= limit else max(cut, int(firsts[limit]) - _GAP)


def _late_cells(
    claims: Sequence[tuple[SourceView, Claims]], spec: GroupSpec, cut: int
) -> tuple[list[tuple[SourceView, Claims]], dict[int, list[Span]]]:
    """Split off the claims of cells before ``cut``; return the other claims, and the late cells by column."""
    edge = spec.axis.time(cut)
    late = [(view, c, c.event_time < edge) for view, c in claims]
    count = sum(int(np.count_nonzero(mask)) for _, _, mask in late)
    if not 0 < count <= _MAX_LATE or len(spec.assets) <= LATE_ASSETS:
        return list(claims), {}
    cells, columns = [], []
    for _, c, mask in late:
        signal, asset = spec.numbered(c.series)
        mine = mask & (signal[c.code] >= 0)
        cells.append((c.event_time[mine] - spec.axis.origin_ns) // spec.axis.cadence_ns)
        columns.append(asset[c.code[mine]])
    pairs = np.unique(np.stack([np.concatenate(columns).astype(np.int64), np.concatenate(cells)]), axis=1)
    columns_of, firsts = np.unique(pairs[0], return_index=True)
    out = {}
    for column, mine in zip(columns_of.tolist(), np.split(pairs[1], firsts)[1:], strict=True):
        out[column] = union([(k, k + 1) for k in mine.tolist()], gap=_GAP)
    return [(view, c.select(~mask)) for view, c, mask in late if not mask.all()], out


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
    late_before: Mapping[str, int],
    ends: Mapping[str, int] | None = None,
) -> dict[str, Changed]:
    """Return the cells of each group (by path) that the rows between two position vectors change.

    These are the cells of new claims, the cells of older claims that share a key with a new one, and the cells of
    withdrawn files. Cells of new claims before ``late_before``, by group, are late; so are those from there up to the stored
    ``ends``, by group, as long as they are of few assets.
    """
    claims: dict[int, list[tuple[SourceView, Claims]]] = {}
    held = 0
    spans: dict[int, list[Span]] = {}
    by_number = {_number(view, spec): spec for view in views.values() for spec in specs if spec.signals}
    found_cells = {
        group: _Cells(spec, late_before.get(spec.group.path, 0), (ends or {}).get(spec.group.path, 0))
        for group, spec in by_number.items()
    }
    for name, view in views.items():
        index, start, stop = view.index, old.get(name, 0), new[name]
        fresh = index.overlapping(start, stop)
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
            held += len(c)
            if held > _HELD:
                _settle(claims, found_cells)
                held = 0
        keys = np.unique(np.concatenate(hashes))
        elder = [index.sharing(keys, stop)] if len(keys) else []
        ended = np.setdiff1d(index.withdrawn(stop), index.withdrawn(start))
        if len(ended):
            elder.append(np.flatnonzero(np.isin(index["reading"], ended)))
        for numbers in elder:
            before = numbers[index["first"][numbers] < start]
            for group, times in index.spans_in_time(before).items():
                if group in by_number:
                    axis = by_number[group].axis
                    cells = ((axis.cell(low), axis.cell(high) + 1) for low, high in times)
                    spans.setdefault(group, []).extend(cells)
    _settle(claims, found_cells)
    return {
        spec.group.path: Changed(
            union(found_cells[group].spans, spans.get(group, [])),
            found_cells[group].late,
            None if spans.get(group) else found_cells[group].occupied.spans(),
        )
        for group, spec in by_number.items()
    }


@dataclass
class _Cells:
    """The cells of one group that new claims change, as far as the claims were read."""

    spec: GroupSpec
    # Claims before this cell are late, and those of few assets up to this end of the stored cells.
    before: int
    end: int
    spans: list[Span] = field(default_factory=list)
    late: dict[int, list[Span]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.occupied = Occupied(self.spec)

    def add(self, claims: Sequence[tuple[SourceView, Claims]], group: int) -> None:
        """Add the cells of some claims of the group with this number."""
        mine, late = _late_cells(claims, self.spec, _first_of_many(claims, self.spec, self.before, self.end))
        if mine:
            self.spans = union(self.spans, _cells_of(mine, self.spec, group), gap=_GAP)
            if not self.before:
                self.occupied.add([c for _, c in mine])
        for column, cells in late.items():
            self.late[column] = union(self.late.get(column, []), cells, gap=_GAP)


def _settle(claims: dict[int, list[tuple[SourceView, Claims]]], cells: Mapping[int, _Cells]) -> None:
    """Add the cells of claims, and forget the claims: those of a large file need more memory than there is."""
    for group, mine in claims.items():
        if group in cells:
            cells[group].add(mine, group)
    claims.clear()


def _number(view: SourceView, spec: GroupSpec) -> int:
    return view.index.group_of[spec.group.asset_type, next(iter(spec.signals))]


def late_claims(view: SourceView, *, old: int, new: int, watermark: int) -> Counter[str]:
    """Return the numbers of claims between two positions that are before the watermark of the first, by file id."""
    found: Counter[str] = Counter()
    if watermark == -NEVER:
        return found
    numbers = view.index.overlapping(old, new)
    numbers = numbers[view.index["earliest"][numbers] < watermark]
    for frame, one in view.harmonised(numbers, stop=new):
        late = (one.claims.event_time < watermark) & (one.claims.ordinal >= old)
        found[frame.file_id or ""] += int(np.count_nonzero(late))
    return found
