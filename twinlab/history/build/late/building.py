"""Build many small spans of late cells beside each other, as if they were of one time: each by itself costs a millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twinlab.history.build.blocks import Base, Block
from twinlab.history.build.build import Best, encoded, flags_of
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


def late_blocks(plans: Sequence[GroupPlan], source: LedgerClaims, base: Base, tally: Tally) -> dict[int, Block] | None:
    """Build plans of late claims, each of one span; None if they have to be built one by one.

    That is so if claims of them have keys, are retractions or of several sources, or if a signal's tests depend on the time.

    Returns
    -------
    dict of int to Block
        By place in ``plans``.
    """
    groups: dict[tuple[Group, int], list[int]] = {}
    for place, plan in enumerate(plans):
        ((low, high),) = plan.fresh
        # Beside each other all are as long as the longest.
        groups.setdefault((plan.spec.group, (high - low - 1).bit_length()), []).append(place)
    out: dict[int, Block] = {}
    for (_, long), places in groups.items():
        spec = plans[places[0]].spec
        at_once = max(1, _CELLS // (len(spec.signals) * len(spec.assets) << long))
        for first in range(0, len(places), at_once):
            some = places[first : first + at_once]
            if source.cuts or any(signal.tests for signal in spec.signals.values()):
                return None
            found = _beside([plans[place] for place in some], source, base, tally)
            if found is None:
                return None
            out |= dict(zip(some, found, strict=True))
    return out


class _Place(NamedTuple):
    """Where a plan is among the others: its first column, and its first fresh cell."""

    columns: slice
    low: int
    high: int


def _beside(plans: Sequence[GroupPlan], source: LedgerClaims, base: Base, tally: Tally) -> list[Block] | None:
    """Build plans of one group and of about the same length."""
    spec, places = _as_one(plans)
    length = max(one.high - one.low for one in places)
    parts = source.parts_of_windows([(plan.spec, (one.low, one.high)) for plan, one in zip(plans, places, strict=True)])
    if parts is None:
        return None
    best = Best.of((len(spec.signals), length, len(spec.assets)))
    for place, part in parts:
        series, column = plans[place].spec.numbered(part.claims.series)
        tally.duplicates += best.add(
            part, series, column + np.int32(places[place].columns.start), places[place].low, spec
        )
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
