"""Build many small spans of late cells beside each other, as if they were of one time: each by itself costs a millisecond."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twinlab.history.build.blocks import Base, Block
from twinlab.history.build.build import Best, Part, encoded, flags_of
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.build.report import Tally
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Frontier, Group
from twinlab.quality.cells import margins

__all__ = ["late_blocks"]

#: Cells (time x asset x signal) that are built at once.
_CELLS = 1_000_000

Integers = npt.NDArray[np.signedinteger]


def late_blocks(plans: Sequence[GroupPlan], source: LedgerClaims, base: Base, tally: Tally) -> list[Block] | None:
    """Build plans of late claims, each of one span: one block each; None if they have to be built one by one.

    That is so if claims of them have keys, are retractions or of several sources, or if a signal's tests depend on the time.
    """
    if source.cuts or any(signal.tests for plan in plans for signal in plan.spec.signals.values()):
        return None
    groups: dict[Group, list[GroupPlan]] = {}
    for plan in plans:
        groups.setdefault(plan.spec.group, []).append(plan)
    out: dict[int, Block] = {}
    for group in groups.values():
        parts = source.parts_of_windows([(plan.spec, plan.fresh[0]) for plan in group])
        if parts is None:
            return None
        for some in _of_like_length(group):
            mine = [group[number] for number in some]
            found = _beside(mine, [parts[number] for number in some], base, tally)
            out |= {id(plan): block for plan, block in zip(mine, found, strict=True)}
    return [out[id(plan)] for plan in plans]


def _of_like_length(plans: Sequence[GroupPlan]) -> Iterator[list[int]]:
    """Yield the numbers of plans that are built at once: beside each other all are as long as the longest."""
    like: dict[int, list[int]] = {}
    for number, plan in enumerate(plans):
        ((low, high),) = plan.fresh
        like.setdefault((high - low - 1).bit_length(), []).append(number)
    spec = plans[0].spec
    for long, numbers in like.items():
        at_once = max(1, _CELLS // (len(spec.signals) * len(spec.assets) << long))
        yield from (numbers[first : first + at_once] for first in range(0, len(numbers), at_once))


class _Place(NamedTuple):
    """Where a plan is among the others: its first column, and its first fresh cell."""

    columns: slice
    low: int
    high: int


def _beside(plans: Sequence[GroupPlan], parts: Sequence[Sequence[Part]], base: Base, tally: Tally) -> list[Block]:
    """Build plans of one group and of about the same length from the claims of each."""
    spec, places = _as_one(plans)
    length = max(one.high - one.low for one in places)
    best = Best.of((len(spec.signals), length, len(spec.assets)))
    for plan, one, claims in zip(plans, places, parts, strict=True):
        for part in claims:
            series, column = plan.spec.numbered(part.claims.series)
            tally.duplicates += best.add(part, series, column + np.int32(one.columns.start), one.low, spec)
    fresh = {name: encoded(best.value[number], spec, name, tally) for name, number in spec.numbers.items()}
    # Cells from the first fresh one on.
    frontier = _relative([plan.frontier for plan in plans], places)
    before, after = spec.margins[1], spec.margins[0]
    values: dict[str, Integers] = {}
    flags: dict[str, npt.NDArray[np.uint8]] = {}
    for name, signal in spec.signals.items():
        reach = margins(signal)
        first, stop = -before - reach[0], length + after + reach[1]
        ints = np.full((stop - first, len(spec.assets)), sentinel(fresh[name].dtype), dtype=fresh[name].dtype)
        for plan, one in zip(plans, places, strict=True):
            size = one.high - one.low
            ints[-first : size - first, one.columns] = fresh[name][:size, one.columns]
            for low, high in ((first, 0), (size, size + after + reach[1])):
                if low < high:
                    there = base.ints(plan.spec, name, (one.low + low, one.low + high))
                    ints[low - first : high - first, one.columns] = there
        flags[name] = flags_of(spec, name, ints, first, (-before, length + after), frontier)
        values[name] = ints[reach[0] : len(ints) - reach[1]]
    blocks = []
    for plan, one in zip(plans, places, strict=True):
        ((low, high),) = plan.write
        rows = slice(low - one.low + before, high - one.low + before)
        cells = {name: array[rows, one.columns] for name, array in values.items()}
        marks = {name: array[rows, one.columns] for name, array in flags.items()}
        blocks.append(Block(spec.group, low, cells, marks, plan.spec.first_asset))
        tally.cells += (high - low) * len(plan.spec.assets) * len(spec.signals)
    tally.blocks += len(blocks)
    return blocks


def _as_one(plans: Sequence[GroupPlan]) -> tuple[GroupSpec, list[_Place]]:
    """Return a group with the columns of all plans, and the place of each."""
    first = plans[0].spec
    assets = tuple(asset for plan in plans for asset in plan.spec.assets)
    limits = {name: np.concatenate([plan.spec.limits[name] for plan in plans], axis=1) for name in first.limits}
    ends = np.cumsum([len(plan.spec.assets) for plan in plans]).tolist()
    places = [
        _Place(slice(end - len(plan.spec.assets), end), *plan.fresh[0]) for end, plan in zip(ends, plans, strict=True)
    ]
    return replace(first, assets=assets, limits=limits, first_asset=0, whole=None), places


def _relative(frontiers: Sequence[Frontier], places: Sequence[_Place]) -> Frontier:
    """Return the frontier of all plans, counted from the first fresh cell of each."""
    known_from = np.concatenate(
        [each.known_from - one.low for each, one in zip(frontiers, places, strict=True)], axis=1
    )
    passed = np.concatenate([each.passed - one.low for each, one in zip(frontiers, places, strict=True)], axis=1)
    ages = [each.lifetimes - one.low for each, one in zip(frontiers, places, strict=True) if each.lifetimes is not None]
    return Frontier(known_from, passed, np.concatenate(ages, axis=1) if ages else None)
