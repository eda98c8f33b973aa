"""Conditions of other assets that an asset was in: ``parcel in truck where truck.temperature > 8 degC``.

The condition of the trucks gives spans; they are joined with the spans in which a parcel was in a truck. What is on both sides of
"and", "or" and "not" is combined as spans, too: a condition is true in some, false in others, and unknown in the time between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.algebra.links import links_from
from twinlab.events.algebra.spans import ALWAYS, NEVER, NOT_A_TIME, Spans, gaps, merged, pieces
from twinlab.events.finding.cells import TwinCells
from twinlab.events.finding.properties import FAR, assets_fulfilling
from twinlab.events.finding.search import FURTHEST_NS, Searched, true_spans
from twinlab.events.lifetimes import lifetimes
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import descendants, has_relation, signals_of

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["RelatedSearch"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class RelatedSearch:
    """Search for spans in which a condition with relations is true.

    Parameters
    ----------
    twin : TwinReader
    asset_type : str
    condition : bound.Condition
    only : sequence of str, optional
        Only these assets; by default all.
    spans : callable, optional
        Searches cells, as `true_spans` does.
    """

    twin: TwinReader
    asset_type: str
    condition: bound.Condition
    only: Sequence[str] | None = None
    spans: Callable[..., Spans] = true_spans
    _found: dict[tuple[bound.Condition, int, int], Spans] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def assets(self) -> tuple[str, ...]:
        """The assets whose spans are searched; the key of a span is the number of its asset."""
        return tuple(self.only if self.only is not None else map(str, self.twin.assets(self.asset_type).index))

    @cached_property
    def extent_ns(self) -> tuple[int, int]:
        """The first start and the last end of all cells that the condition needs; ``(0, 0)`` without any.

        Of properties alone: from the twin's origin on, without an end.
        """
        leaves = _leaves(self.asset_type, self.condition)
        if not leaves:
            return self.twin.model.origin_ns, FAR
        spans = [TwinCells(self.twin, kind, one).extent_ns for kind, one in leaves]
        spans = [one for one in spans if one[0] < one[1]]
        return (min(one for one, _ in spans), max(one for _, one in spans)) if spans else (0, 0)

    def search(self, *, start_ns: int, stop_ns: int, gap_ns: int = 0) -> Searched:
        """Return the spans overlapping ``[start, stop)``; beginnings are searched up to 32 days before ``start``."""
        origin = min(self.twin.model.origin_ns, self.extent_ns[0])
        low = max(origin, start_ns - FURTHEST_NS)
        found = self._true(self.condition, low - _looks_back(self.condition), stop_ns)
        # Nothing is known of an asset after the end of its lifetime.
        ends = np.minimum(lifetimes(self.twin, self.asset_type, self.assets)[1], stop_ns)
        found = replace(found, start=np.maximum(found.start, low), end=np.minimum(found.end, ends[found.key]))
        union, _ = merged(found.take(found.start < found.end), gap_ns=gap_ns)
        since = np.full(len(self.assets), low if low > origin else NOT_A_TIME)
        return Searched(union.take(union.end > start_ns), since)

    def _true(self, node: bound.Condition, low: int, stop: int) -> Spans:
        """Return where a condition is true."""
        key = node, low, stop
        if key not in self._found:
            self._found[key] = self._computed(node, low, stop)
        return self._found[key]

    def _false(self, node: bound.Condition, low: int, stop: int) -> Spans:
        return self._true(_opposite(node), low, stop)

    def _computed(self, node: bound.Condition, low: int, stop: int) -> Spans:  # noqa: PLR0911  (one for each kind of node)
        if isinstance(node, bound.Related):
            return self._inside(node, low, stop, self._links(node, stop))
        if isinstance(node, bound.Not) and isinstance(node.part, bound.Related):
            return self._not_inside(node.part, low, stop)
        if not has_relation(node):
            return self._own(node, low, stop)
        if isinstance(node, bound.All):
            return reduce(_both, [self._true(part, low, stop) for part in _apart(node)])
        if isinstance(node, bound.Any):
            return _either([self._true(part, low, stop) for part in _apart(node)], len(self.assets))
        if isinstance(node, bound.ForAtLeast):
            part = self._true(node.part, low, stop)
            later = replace(part, start=part.start + node.duration_ns)
            return later.take(later.start < later.end)
        if isinstance(node, bound.WithinAfter):
            earlier = self._true(node.earlier, low, stop)
            recent = replace(earlier, end=np.minimum(earlier.end + node.duration_ns, stop))
            return _both(self._true(node.part, low, stop), merged(recent)[0])
        assert isinstance(node, bound.Not)
        if isinstance(node.part, (bound.ForAtLeast, bound.WithinAfter)):
            return self._not(node.part, low, stop)
        return self._true(_opposite(node.part), low, stop)

    def _not(self, node: bound.ForAtLeast | bound.WithinAfter, low: int, stop: int) -> Spans:
        """Return where a condition that looks back is false."""
        if isinstance(node, bound.ForAtLeast):
            part = self._false(node.part, low, stop)
            return merged(replace(part, end=np.minimum(part.end + node.duration_ns, stop)))[0]
        earlier = self._false(node.earlier, low, stop)
        long_ago = replace(earlier, start=earlier.start + node.duration_ns)
        return _either(
            [self._false(node.part, low, stop), long_ago.take(long_ago.start < long_ago.end)], len(self.assets)
        )

    def _own(self, node: bound.Condition, low: int, stop: int) -> Spans:
        """Return where a condition of the asset's own signals and properties is true."""
        if signals_of(node):
            cells = TwinCells(self.twin, self.asset_type, node, self.only)
            found = self.spans(cells, node, low_ns=low, stop_ns=stop, assets=np.arange(len(cells.assets)))
            number = pd.Index(list(self.assets)).get_indexer(pd.Index(list(cells.assets)))
            return Spans(number[found.key], found.start, found.end, len(self.assets))
        key = assets_fulfilling(self.twin, self.asset_type, node, self.assets)
        return Spans(key, np.full(len(key), low), np.full(len(key), stop), len(self.assets))

    def _other(self, node: bound.Related) -> RelatedSearch:
        return RelatedSearch(self.twin, node.asset_type, node.condition, spans=self.spans)

    def _links(self, node: bound.Related, stop: int) -> _Links:
        return _links_of(self.twin, node, self.assets, self._other(node).assets, stop)

    def _inside(self, node: bound.Related, low: int, stop: int, links: _Links) -> Spans:
        """Return where an asset is in another one whose condition is true."""
        return links.seen(self._other(node)._true(node.condition, low, stop), low, stop, len(self.assets))  # noqa: SLF001

    def _not_inside(self, node: bound.Related, low: int, stop: int) -> Spans:
        """Return where an asset isn't in another one, or all those that it is in don't fulfil the condition."""
        others = self._other(node)._false(node.condition, low, stop)  # noqa: SLF001
        maybe = self._links(node, stop).seen(gaps(merged(others)[0]), low, stop, len(self.assets))
        free = gaps(maybe)
        free = replace(free, start=np.maximum(free.start, low), end=np.minimum(free.end, stop))
        return free.take(free.start < free.end)


@dataclass(frozen=True)
class _Links:
    """Spans in which an asset (number `source`) was in another one, which is their key."""

    source: Integers
    spans: Spans

    def seen(self, others: Spans, low: int, stop: int, keys: int) -> Spans:
        """Return spans of the other assets as the assets see them that were inside."""
        row, start, end = pieces(self.spans, others)
        start, end = np.maximum(start, low), np.minimum(end, stop)
        found = Spans(self.source[row], start, end, keys)
        return merged(found.take(start < end))[0]


def _links_of(twin: TwinReader, node: bound.Related, assets: Sequence[str], others: Sequence[str], stop: int) -> _Links:
    """Return when which asset was in which other one; without an end until the next link of the same asset."""
    if node.link is None:
        table = twin.relationships(node.via)
    else:
        table = links_from(twin.events(node.via, stop=np.datetime64(stop, "ns")), node.link)
    source, target = (
        np.asarray(pd.Index(list(ids)).get_indexer(pd.Index(table[name].astype(object))), dtype=np.int64)
        for name, ids in (("source", assets), ("target", others))
    )
    start, end = (_times(table[name]) for name in ("valid_from", "valid_until"))
    start = np.where(start == NOT_A_TIME, ALWAYS, start)
    order = np.lexsort((start, source))
    source, target, start, end = source[order], target[order], start[order], end[order]
    # The start of the next link of the same asset that begins later.
    new = np.ones(len(source), dtype=bool)
    new[1:] = (source[1:] != source[:-1]) | (start[1:] != start[:-1])
    number = np.cumsum(new) - 1
    starts, owners = start[new], source[new]
    following = np.full(len(starts), NEVER, dtype=np.int64)
    same = owners[1:] == owners[:-1]
    following[:-1][same] = starts[1:][same]
    end = np.where(end == NOT_A_TIME, following[number], end)
    keep = (source >= 0) & (target >= 0) & (start < end)
    return _Links(source[keep], Spans(target[keep], start[keep], end[keep], len(others)))


def _times(column: pd.Series) -> Integers:
    return pd.to_datetime(column).to_numpy(dtype="datetime64[ns]").astype(np.int64)


def _leaves(asset_type: str, node: bound.Condition) -> list[tuple[str, bound.Condition]]:
    """Return the conditions with signals, each with its asset type."""
    found = [(asset_type, node)] if signals_of(node) else []
    for one in descendants(node):
        if isinstance(one, bound.Related):
            found += _leaves(one.asset_type, one.condition)
    return found


def _looks_back(node: bound.Condition) -> int:
    """Return the durations in a condition, added up: for so long before an instant spans may matter."""
    own = sum(one.duration_ns for one in descendants(node) if isinstance(one, (bound.ForAtLeast, bound.WithinAfter)))
    return own + sum(_looks_back(one.condition) for one in descendants(node) if isinstance(one, bound.Related))


def _opposite(node: bound.Condition) -> bound.Condition:
    """Return the condition that is true where this one is false."""
    if isinstance(node, bound.Not):
        return node.part
    if isinstance(node, bound.All) and has_relation(node):
        return bound.Any(tuple(_opposite(part) for part in node.parts))
    if isinstance(node, bound.Any) and has_relation(node):
        return bound.All(tuple(_opposite(part) for part in node.parts))
    return bound.Not(node)


def _apart(node: bound.All | bound.Any) -> list[bound.Condition]:
    """Return the parts of a condition; those without a relation together, since they are evaluated on the same cells."""
    own = tuple(part for part in node.parts if not has_relation(part))
    others = [part for part in node.parts if has_relation(part)]
    return others if not own else [own[0] if len(own) == 1 else type(node)(own), *others]


def _both(spans: Spans, others: Spans) -> Spans:
    row, start, end = pieces(spans, others)
    return Spans(spans.key[row], start, end, spans.keys)


def _either(parts: Sequence[Spans], keys: int) -> Spans:
    key, start, end = (np.concatenate([getattr(one, name) for one in parts]) for name in ("key", "start", "end"))
    return merged(Spans(key, start, end, keys))[0]
