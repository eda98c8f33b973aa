"""Plans for late claims: few cells of few assets each."""

from __future__ import annotations

from collections.abc import Mapping

from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.index.reach import NEVER
from twinlab.history.layout.grid import Frontier
from twinlab.history.layout.spans import Span, clip

__all__ = ["LATE_ASSETS", "plan_late"]

#: Late cells of neighbouring assets that share a stored tile are planned together.
LATE_ASSETS = 8
#: Plans of so many cells in time are in order of assets, since they share row groups of the ledger and tiles of rollups.
_LATE_CELLS = 4096


def plan_late(spec: GroupSpec, frontier: Frontier, late: Mapping[int, list[Span]]) -> list[GroupPlan]:
    """Return what to build after late claims of few assets each, by column: plans that don't depend on each other.

    A late row changes the cells around it of one asset; built for all assets, it would cost a thousand times as much.
    """
    begin, end = max(0, int(frontier.known_from.min(initial=NEVER))), int(frontier.passed.max(initial=-NEVER)) + 1
    # Flags depend on values within the margins; beyond twice these, those of one span don't depend on the values of another.
    before, after = spec.margins
    apart = 2 * (before + after) + 1
    tiles: dict[int, list[tuple[int, int, int]]] = {}
    for column, spans in late.items():
        found = tiles.setdefault(column // LATE_ASSETS, [])
        found += [(low, high, column % LATE_ASSETS) for low, high in clip(spans, (begin, end))]
    plans = []
    for tile, found in tiles.items():
        columns = (tile * LATE_ASSETS, min((tile + 1) * LATE_ASSETS, len(spec.assets)))
        part, edge = spec.part(*columns), frontier.part(*columns)
        for (low, high), changed in _together(sorted(found), apart):
            write = max(begin, low - after), min(end, high + before)
            plans.append(GroupPlan(part, [(low, high)], [write], edge, late=changed))
    return sorted(plans, key=lambda plan: (plan.fresh[0][0] // _LATE_CELLS, plan.spec.first_asset, plan.fresh[0][0]))


def _together(found: list[tuple[int, int, int]], apart: int) -> list[tuple[Span, tuple[int, ...]]]:
    """Return spans that are further apart than ``apart``, each with its columns; ``found`` are sorted (first, end, column)."""
    out: list[tuple[Span, tuple[int, ...]]] = []
    for low, high, column in found:
        if out and low - out[-1][0][1] <= apart:
            (first, stop), columns = out[-1]
            out[-1] = (first, max(stop, high)), tuple(sorted({*columns, column}))
        else:
            out.append(((low, high), (column,)))
    return out
