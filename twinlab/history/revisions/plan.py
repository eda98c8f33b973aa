"""Plan a revision: which cells of the published history differ under other mappings or another model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twinlab.errors import SchemaError
from twinlab.history.build.catchup import Update
from twinlab.history.build.cuts import cut_ns_of
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.build.update import frontier_of, judged_anew, plan_group
from twinlab.history.index.reach import NEVER
from twinlab.history.layout.grid import Frontier
from twinlab.history.layout.spans import Span, clip, union
from twinlab.history.revisions.claim_changes import TILE_ASSETS, ChangedColumns, changed_claims
from twinlab.model.signal import Signal
from twinlab.model.twinmodel import TwinModel

__all__ = ["RevisionPlan", "plan_revision", "redefined_signals"]

#: What people read about a signal; none of it changes a cell.
_TEXTS = {"title", "definition", "owner", "sensitivity", "purposes", "role"}
#: Neighbouring tiles are built together if that adds at most this share of cells.
_SPARE = 0.25


@dataclass
class RevisionPlan:
    """What a revision changes in the history it is based on."""

    update: Update
    # Group path -> signals that are stored anew, or not at all, because their definition changed.
    dropped: dict[str, set[str]] = field(default_factory=dict)
    # Tables with rows of a changed source, such as ``event:flight``.
    tables: set[str] = field(default_factory=set)


@dataclass
class _Columns:
    """A run of columns of a group that are built together."""

    first: int
    stop: int
    signals: set[str]
    spans: list[Span]

    def cost(self) -> int:
        return sum(high - low for low, high in self.spans) * (self.stop - self.first) * max(1, len(self.signals))

    def joined(self, other: _Columns) -> _Columns:
        return _Columns(self.first, other.stop, self.signals | other.signals, union(self.spans, other.spans))


def redefined_signals(old: TwinModel, new: TwinModel) -> dict[tuple[str, str], tuple[Signal | None, Signal | None]]:
    """Return the signals whose cells or flags depend on something else now: (asset type, signal) -> (old, new) definition."""
    before, after = (
        {(kind, name): signal for kind, spec in model.asset_types.items() for name, signal in spec.signals.items()}
        for model in (old, new)
    )
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if _dumped(before.get(key)) != _dumped(after.get(key))
    }


def _dumped(signal: Signal | None) -> object:
    return None if signal is None else signal.model_dump(mode="json", exclude=_TEXTS)


def plan_revision(old: Sources, new: Sources, meta: Mapping[str, Any]) -> RevisionPlan:
    """Plan what differs between a state of the history and the same rows under other definitions.

    Parameters
    ----------
    old : Sources
        With the definitions that the state was built with.
    new : Sources
        With the other ones.
    meta : mapping
        Metadata of the state.
    """
    position = {name: int(at) for name, at in dict(meta["position"]).items()}
    old.prepare(position)
    new.prepare(position)
    for one in (old, new):
        one.save()
    marks = new.marks(position)
    columns = new.columns(dict(meta.get("assets", {})), marks.values())
    specs = [spec for spec in new.groups(columns, position) if spec.assets]
    changed = _changed_sources(old, new, position)
    update = Update(
        new, position, position, columns, [], LedgerClaims(new.views, position, dict(position)), marks, changed
    )
    plan = RevisionPlan(update, tables=_tables(old, new, changed))
    redefined = redefined_signals(old.model, new.model)
    found = {spec.group.path: ChangedColumns() for spec in specs}
    for name in sorted(changed & set(old.views) & set(new.views)):
        touched = changed_claims(old.views[name], new.views[name], specs, stop=position[name])
        for path, some in touched.items():
            for tile in some.spans:
                found[path].add(tile, some.signals[tile], some.spans[tile])
    for (kind, name), (before, _) in redefined.items():
        if before is not None:
            plan.dropped.setdefault(f"{kind}/{before.cadence}", set()).add(name)
    _plan_groups(update, old, specs, found, {key for key, (_, after) in redefined.items() if after is not None})
    _refuse_before_cut(plan, cut_ns_of(meta))
    return plan


def _refuse_before_cut(plan: RevisionPlan, cut_ns: int | None) -> None:
    """Refuse a revision of cells some of which were removed, since their rollups could only be computed from all of them."""
    if cut_ns is None:
        return
    cells: Counter[str] = Counter()
    for one in plan.update.plans:
        spec = one.spec
        before = clip(one.covered, (-NEVER, spec.axis.cell_ceil(cut_ns)))
        cells[spec.group.asset_type] += sum(b - a for a, b in before) * len(spec.assets) * len(spec.signals)
    found = [f"{count:,} cells of {kind}" for kind, count in sorted(cells.items()) if count]
    if found:
        at = str(np.datetime64(cut_ns, "ns").astype("datetime64[s]"))
        msg = (
            f"expected definitions that change nothing before {at} UTC, where retention removed or rounded cells, got "
            f"{', '.join(found)} that would change there; let the change begin at {at}Z or later (in a mapping with `valid_from:`), or "
            "write the file and rebuild: `twinlab rebuild` reads all rows of the ledger again"
        )
        raise SchemaError(msg)


def _changed_sources(old: Sources, new: Sources, position: Mapping[str, int]) -> set[str]:
    """Return the sources whose rows may mean something else."""
    before, after = old.context_hashes(position), new.context_hashes(position)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _tables(old: Sources, new: Sources, changed: set[str]) -> set[str]:
    views = [view for one in (old, new) for name, view in one.views.items() if name in changed]
    return {table for view in views for table in view.index.tables}


def _plan_groups(
    update: Update,
    old: Sources,
    specs: Sequence[GroupSpec],
    found: Mapping[str, ChangedColumns],
    redefined: set[tuple[str, str]],
) -> None:
    position, new = update.new, update.sources
    alive, alive_before = new.lifetimes(position), old.lifetimes(position)
    marks_before = old.marks(position)
    earlier = {spec.group: spec for spec in old.groups(update.columns, position)}
    for spec in specs:
        now = frontier_of(spec, update.marks.values(), alive)
        before = frontier_of(spec, marks_before.values(), alive_before)
        end = max(int(now.passed.max(initial=0)), int(before.passed.max(initial=0))) + 1
        mine = [name for name in spec.signals if (spec.group.asset_type, name) in redefined]
        for run in _runs(_tiles(spec, earlier.get(spec.group), before, now, found[spec.group.path])):
            update.plans += _plan(spec, earlier.get(spec.group), before, now, run)
        if mine:
            rows = [spec.numbers[name] for name in mine]
            settled = _rows(now, rows)
            nothing = Frontier(np.full_like(settled.known_from, NEVER), np.full_like(settled.passed, -NEVER))
            whole = plan_group(spec.of_signals(mine), old=nothing, new=settled, changed=[(0, end)], limit=end)
            update.plans += [whole] if whole is not None else []


def _tiles(
    spec: GroupSpec, earlier: GroupSpec | None, before: Frontier, now: Frontier, changed: ChangedColumns
) -> list[_Columns]:
    """Return the tiles of columns with other claims, other settled spans or other limits."""
    names = list(spec.signals)
    moved = (before.passed != now.passed) | (before.known_from != now.known_from)
    if before.lifetimes is not None and now.lifetimes is not None:
        moved |= (before.lifetimes != now.lifetimes).any(axis=0)
    elif before.lifetimes is not now.lifetimes:
        moved |= True
    for name, limits in spec.limits.items():
        known = None if earlier is None else earlier.limits.get(name)
        if known is not None and known.shape == limits.shape:
            moved[spec.numbers[name]] |= (known != limits).any(axis=0)
    out = []
    for tile in range(-(-len(spec.assets) // TILE_ASSETS)):
        first, stop = tile * TILE_ASSETS, min((tile + 1) * TILE_ASSETS, len(spec.assets))
        signals = {names[n] for n in np.flatnonzero(moved[:, first:stop].any(axis=1))} | changed.signals.get(
            tile, set()
        )
        if signals:
            out.append(_Columns(first, stop, signals, changed.spans.get(tile, [])))
    return out


def _runs(tiles: Sequence[_Columns]) -> list[_Columns]:
    """Join neighbouring tiles with nearly the same cells, which are built faster together."""
    out: list[_Columns] = []
    for tile in tiles:
        if out and out[-1].stop == tile.first:
            joined = out[-1].joined(tile)
            if joined.cost() <= (1 + _SPARE) * (out[-1].cost() + tile.cost()):
                out[-1] = joined
                continue
        out.append(tile)
    return out


def _rows(frontier: Frontier, rows: Sequence[int]) -> Frontier:
    return Frontier(frontier.known_from[rows], frontier.passed[rows], frontier.lifetimes)


def _plan(
    spec: GroupSpec, earlier: GroupSpec | None, before: Frontier, now: Frontier, run: _Columns
) -> list[GroupPlan]:
    names = [name for name in spec.signals if name in run.signals]
    rows = [spec.numbers[name] for name in names]
    part = spec.of_signals(names).part(run.first, run.stop)
    was, is_now = (_rows(one, rows).part(run.first, run.stop) for one in (before, now))
    judged: list[Span] = []
    if earlier is not None and all(name in earlier.signals for name in names):
        judged = judged_anew(earlier.of_signals(names).part(run.first, run.stop), part, was)
    end = max((high for _, high in run.spans), default=0)
    plan = plan_group(part, old=was, new=is_now, changed=run.spans, judged=judged, limit=end)
    return [] if plan is None else [plan]
