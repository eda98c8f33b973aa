"""The update of a stored state to a position of the ledger: plan it, and build its blocks.

The historian writes the blocks, a reader shows them instead of the stored cells; plan and build are the same for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.history.build.blocks import Base, Block, Empty
from twinlab.history.build.build import build_blocks
from twinlab.history.build.cuts import after_cut, cut_ns_of
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.build.late.building import late_blocks
from twinlab.history.build.late.planning import plan_late
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.report import BuildReport, Tally
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.build.update import (
    changed_cells,
    frontier_of,
    judged_anew,
    late_claims,
    plan_group,
)
from twinlab.history.build.vacancy import set_vacant, split_plan, vacant_blocks
from twinlab.history.index.marks import Marks
from twinlab.history.layout.spans import Span, clip
from twinlab.history.store.cells import CellReader

__all__ = ["Stored", "Update", "changed_sources", "count_new_rows", "front_of", "plan_update", "stored_ends"]

#: Cells before the end of a group's stored ones in which new claims are planned for all assets: the hot cells.
_FRONT = 1024


class Stored:
    """The cells of a view or transaction as a `Base`."""

    def __init__(self, reader: CellReader) -> None:
        self._reader = reader

    def ints(self, spec: GroupSpec, signal: str, span: Span) -> npt.NDArray[np.signedinteger]:
        """Return stored integers of all columns of ``spec``; the sentinel for cells that aren't stored."""
        out = Empty().ints(spec, signal, span)
        entry = self._reader.catalog.groups.get(spec.group)
        if entry is None or signal not in entry.signals or entry.extent is None:
            return out
        columns = np.arange(spec.first_asset, min(spec.first_asset + len(spec.assets), entry.n_assets))
        for low, high in clip([span], (max(0, entry.extent[0]), entry.extent[1])):
            found = self._reader.values(spec.group, signal, low, high, columns)
            out[low - span[0] : high - span[0], : found.shape[1]] = found
        return out


@dataclass
class Update:
    """All that changes between a stored state and a position vector."""

    sources: Sources
    old: dict[str, int]
    new: dict[str, int]
    columns: dict[str, list[str]]
    plans: list[GroupPlan]
    claims: LedgerClaims
    marks: dict[str, Marks]
    # Sources whose mapping context differs from the one that history was built with.
    changed: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def blocks(self, base: Base, plans: Iterable[GroupPlan] | None = None) -> Iterator[tuple[GroupSpec, Block]]:
        """Build the blocks of some plans, of all by default, in the order of `plans`.

        Write each where ``base`` reads it, or add it to a `Recent`, before requesting the next one.
        """
        for plan in self.plans if plans is None else plans:
            for block in build_blocks(
                plan.spec,
                source=self.claims,
                base=base,
                frontier=plan.frontier,
                fresh=plan.fresh,
                write=plan.write,
                tally=self.tally,
            ):
                yield plan.spec, block
            for block in vacant_blocks(plan):
                yield plan.spec, block

    def late_blocks(self, base: Base, plans: Sequence[GroupPlan]) -> list[list[Block]]:
        """Build plans of late claims, which don't depend on each other: the blocks of each."""
        if not plans:
            return []
        found = late_blocks(plans, self.claims, base, self.tally)
        if found is None:
            return [[block for _, block in self.blocks(base, [plan])] for plan in plans]
        return [[block] for block in found]

    def groups(self) -> list[GroupSpec]:
        """Return the groups that change, with all of their columns."""
        found = {plan.spec.group: plan.spec.whole or plan.spec for plan in self.plans}
        return list(found.values())

    def groups_of_sources(self) -> dict[str, list[str]]:
        """Return the groups with rows of each source."""
        numbers = {n: path for path, n in self.sources.group_numbers().items()}
        return {
            name: sorted(numbers[g] for g in view.index.fed if g in numbers)
            for name, view in self.sources.views.items()
        }


def _positions_before(
    sources: Sources, meta: Mapping[str, Any], position: Mapping[str, int]
) -> tuple[dict[str, int], set[str]]:
    """Return the positions from which rows are new, and the sources whose mapping context changed: all theirs are."""
    old: dict[str, int] = {name: int(at) for name, at in dict(meta.get("position", {})).items()}
    hashes = sources.context_hashes(position)
    # Stored under the name of an earlier version.
    known: dict[str, str] = dict(meta.get("meanings", {}))
    changed = {name for name, built_with in known.items() if hashes.get(name) != built_with}
    return {name: 0 if name in changed else min(old.get(name, 0), position[name]) for name in hashes}, changed


def changed_sources(sources: Sources, meta: Mapping[str, Any], position: Mapping[str, int]) -> set[str]:
    """Return the sources whose rows mean something else than in a state with the metadata ``meta``."""
    return _positions_before(sources, meta, position)[1]


def count_new_rows(
    sources: Sources, meta: Mapping[str, Any], position: dict[str, int], report: BuildReport
) -> dict[str, int]:
    """Index the rows up to ``position`` and add the counts of new ones to a report.

    Returns the positions from which rows were counted: earlier ones, which perhaps still wait for their publication, were
    counted by an earlier call.
    """
    before, _ = _positions_before(sources, meta, position)
    sources.prepare(position, upto=before)
    known = {name: max(before[name], sources.views[name].index.position) for name in before}
    sources.prepare(position, report=report)
    marks = sources.marks(known)
    for name, view in sources.views.items():
        if known[name]:
            late = late_claims(view, old=known[name], new=position[name], watermark=marks[name].watermark)
            for file_id, count in late.items():
                report.of(name).add_late(count, file_id=file_id)
    return known


def stored_ends(meta: Mapping[str, Any]) -> dict[str, int]:
    """Return the end of each group's stored cells in a state, by path."""
    return {str(path): int(end) for path, end in dict(meta.get("ends", {})).items()}


def front_of(meta: Mapping[str, Any], cells: int = _FRONT) -> dict[str, int]:
    """Return for each group the cell before which new claims are late: so many before the end of the stored ones."""
    return {path: end - cells for path, end in stored_ends(meta).items()}


def plan_update(
    sources: Sources,
    meta: Mapping[str, Any],
    position: dict[str, int],
    *,
    counted: Mapping[str, int] | None = None,
    front: int = _FRONT,
) -> Update:
    """Plan the update of a state with the metadata ``meta`` to a position vector.

    Repeated claims are counted from ``counted`` on; from the position of the state on by default. New claims of the last ``front``
    stored cells may be planned for all assets.
    """
    before, changed = _positions_before(sources, meta, position)
    sources.prepare(position, upto=before)
    sources.prepare(position)
    marks_old, marks_new = sources.marks(before), sources.marks(position)
    columns = sources.columns(dict(meta.get("assets", {})), marks_new.values())
    specs = [spec for spec in sources.groups(columns, position) if spec.assets]
    specs_before = {spec.group: spec for spec in sources.groups(columns, before)}
    claims = LedgerClaims(sources.views, position, dict(before if counted is None else counted))
    stored = stored_ends(meta)
    changes = changed_cells(
        sources.views, specs, old=before, new=position, late_before=front_of(meta, front), ends=stored
    )
    whole = _groups_to_redo(sources, meta, changed)
    plans = []
    alive, alive_before = sources.lifetimes(position), sources.lifetimes(before)
    for spec in specs:
        new = frontier_of(spec, marks_new.values(), alive)
        earlier = frontier_of(spec, marks_old.values(), alive_before)
        change = changes[spec.group.path]
        redo = spec.group.path in whole
        end = max(int(new.passed.max()) + 1, change.end, stored.get(spec.group.path, 0)) if redo else 0
        judged = judged_anew(specs_before[spec.group], spec, earlier)
        if changed and (spec.limits or sources.model.asset_types[spec.group.asset_type].lifetime is not None):
            # Which limits and lifetimes the earlier mapping stated isn't known.
            judged = [(0, int(earlier.passed.max()) + 1)]
        # The margins of other cells may need the values of late ones, so these are built first.
        plans += plan_late(spec, new, change.late) if not redo else []
        plan = plan_group(spec, old=earlier, new=new, changed=[*change.spans, (0, end)], judged=judged, limit=end)
        if plan is not None and redo:
            plans.append(plan)
        elif plan is not None:
            before_end = stored.get(spec.group.path, 0)
            plans += split_plan(set_vacant(plan, before_end), None if change.late else change.bands, before_end)
    # What is known since then doesn't change the cells before a cut.
    plans = after_cut(plans, cut_ns_of(meta))
    return Update(sources, before, position, columns, plans, claims, marks_new, changed)


def _groups_to_redo(sources: Sources, meta: Mapping[str, Any], changed: set[str]) -> set[str]:
    """Return the groups with rows of changed sources, under their old or their new mapping context."""
    numbers = {n: path for path, n in sources.group_numbers().items()}
    feeds = dict(meta.get("feeds", {}))
    out = {path for name in changed for path in feeds.get(name, ())}
    for name in changed & set(sources.views):
        out |= {numbers[g] for g in sources.views[name].index.fed if g in numbers}
    return out
