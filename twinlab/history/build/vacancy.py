"""Vacant cells: long spans without claims, which aren't built. Their flags follow from where series begin and end alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims
from twinlab.history.build.blocks import Block
from twinlab.history.build.build import reach_of_change
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.spans import Span, clip, holes, spans_of_marks, union
from twinlab.model.flags import Flag

__all__ = ["BAND", "LONG", "Occupied", "set_vacant", "split_plan", "vacant_blocks"]

#: Shorter spans without claims are built: finding and stating them would cost more.
LONG = 1024
#: Neighbouring assets whose claims are looked at together: those of a stored tile.
BAND = 8
#: Largest bitmap of bands and spans of `LONG` cells with claims.
_BITMAP = 50_000_000
#: Plans are divided by assets only if that many cells fewer are built, and this share.
_WORTH, _SHARE = 1_000_000, 0.5
#: Neighbouring bands are built together if that is at most this much more than each by itself.
_MORE, _MOST_PARTS = 1.3, 512


class Occupied:
    """Which bands of assets have claims in which spans of `LONG` cells."""

    def __init__(self, spec: GroupSpec) -> None:
        self._spec = spec
        self._bands = -(-len(spec.assets) // BAND)
        self._found = np.empty(0, dtype=np.int64)
        self._known = True

    def add(self, claims: Sequence[Claims]) -> None:
        """Add the places of some claims."""
        axis = self._spec.axis
        if self._bands < 2 or not self._known:
            return
        low = min(axis.cell(int(c.event_time.min())) for c in claims) // LONG
        high = max(axis.cell(int(c.event_time.max())) for c in claims) // LONG + 1
        if (high - low) * self._bands > _BITMAP:
            self._known = False
            return
        marks = np.zeros((high - low) * self._bands, dtype=np.bool_)
        for c in claims:
            signal, asset = self._spec.numbered(c.series)
            band = np.where(signal >= 0, asset // BAND, -1)[c.code]
            at = (c.event_time - axis.origin_ns) // (axis.cadence_ns * LONG) - low
            marks[(at * self._bands + band)[band >= 0]] = True
        self._found = np.union1d(self._found, np.flatnonzero(marks) + low * self._bands)

    def spans(self) -> list[list[Span]] | None:
        """Return the spans of cells of each band, whole spans of `LONG` cells; None if they aren't known."""
        if self._bands < 2 or not self._known:
            return None
        place, band = np.divmod(self._found, self._bands)
        out = []
        for number in range(self._bands):
            mine = place[band == number]
            marks = np.zeros(int(mine.max(initial=-1)) + 1, dtype=np.bool_)
            marks[mine] = True
            out.append([(low * LONG, high * LONG) for low, high in spans_of_marks(marks, 0)])
        return out


def set_vacant(plan: GroupPlan, stored: int) -> GroupPlan:
    """Return a plan that doesn't build its long spans without claims from cell ``stored`` on, where nothing is stored yet."""
    spec = plan.spec
    first = stored + sum(spec.margins) if stored else 0
    busy = union(reach_of_change(spec, plan.fresh), [(0, first)])
    vacant = [(low, high) for span in plan.write for low, high in holes(clip(busy, span), span) if high - low >= LONG]
    if not vacant:
        return plan
    write = [piece for span in plan.write for piece in holes(clip(vacant, span), span)]
    return replace(plan, write=write, vacant=vacant)


def split_plan(plan: GroupPlan, occupied: list[list[Span]] | None, stored: int) -> list[GroupPlan]:
    """Return plans of fewer cells for parts of the assets, if these have claims at different times; else the plan."""
    spec = plan.spec
    begin = plan.covered[0][0]
    if occupied is None or stored > begin or spec.whole is not None:
        return [plan]
    cells = sum(high - low for low, high in plan.write)
    built = [reach_of_change(spec, clip(union(spans, gap=LONG), plan.ends)) for spans in occupied]
    needed = sum(_length(clip(spans, plan.ends)) for spans in built) * BAND
    width = len(spec.signals)
    if (cells * len(spec.assets) - needed) * width < _WORTH or needed > _SHARE * cells * len(spec.assets):
        return [plan]
    out = []
    for first, stop, spans in _parts(built):
        columns = (first * BAND, min(stop * BAND, len(spec.assets)))
        write = clip(spans, plan.ends)
        frontier = plan.frontier.part(*columns)
        part = replace(plan, spec=spec.part(*columns), fresh=write, write=write, vacant=[], frontier=frontier)
        vacant = [hole for span in plan.covered for hole in holes(clip(write, span), span)]
        # Whatever is short beside a vacant span is built with it: it has no claims either.
        out.append(replace(part, vacant=vacant))
    return out


def _length(spans: Iterable[Span]) -> int:
    return sum(high - low for low, high in spans)


def _parts(built: list[list[Span]]) -> list[tuple[int, int, list[Span]]]:
    """Return ``(first band, end, spans)`` of neighbouring bands with claims at about the same times."""
    more = _MORE
    while True:
        out: list[tuple[int, int, list[Span]]] = []
        for band, spans in enumerate(built):
            if out:
                first, _, before = out[-1]
                both, wide = union(before, spans, gap=LONG), band - first
                if _length(both) * (wide + 1) <= more * (_length(before) * wide + _length(spans)):
                    out[-1] = (first, band + 1, both)
                    continue
            out.append((band, band + 1, union(spans, gap=LONG)))
        if len(out) <= _MOST_PARTS:
            return out
        more *= 2


def vacant_blocks(plan: GroupPlan) -> Iterator[Block]:
    """Yield the vacant cells of a plan in blocks, throughout which each series has one flag; they take no memory."""
    spec, frontier = plan.spec, plan.frontier
    since, until = frontier.within_lifetimes(frontier.known_from, frontier.passed)
    edges = np.unique(np.concatenate([since.ravel(), until.ravel()]))
    for low, high in plan.vacant:
        inside = edges[(edges > low) & (edges < high)].tolist()
        for k0, k1 in zip([low, *inside], [*inside, high], strict=True):
            missing = (since <= k0) & (k0 < until)
            rows = np.where(missing, np.uint8(Flag.MISSING), np.uint8(Flag.NOT_EVALUATED))
            yield _block(spec, (k0, k1), dict(zip(spec.signals, rows, strict=True)))


def _block(spec: GroupSpec, span: Span, flags: Mapping[str, npt.NDArray[np.uint8]]) -> Block:
    shape = (span[1] - span[0], len(spec.assets))
    values = {}
    for name, signal in spec.signals.items():
        nothing = np.array(sentinel(signal.storage_dtype), dtype=signal.storage_dtype)
        values[name] = np.broadcast_to(nothing, shape)
    marks = {name: np.broadcast_to(row, shape) for name, row in flags.items()}
    return Block(spec.group, span[0], values, marks, spec.first_asset, vacant=True)
