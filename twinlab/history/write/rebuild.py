"""Rebuild all history from the ledger, by partitions, in parallel; an interrupted rebuild is continued.

The new history is built in ``history.building``; the old one stays readable until the new one is complete.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab._cores import cores
from twinlab._files import replace_file
from twinlab._memory import release_memory
from twinlab.compute import pool_of
from twinlab.errors import CorruptionError
from twinlab.history.build.blocks import Block
from twinlab.history.build.build import BUILD_VERSION, piece_length
from twinlab.history.build.catchup import Update
from twinlab.history.build.cuts import Segment, segments
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.report import BuildReport
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.build.update import changed_cells, frontier_of
from twinlab.history.build.vacancy import set_vacant, split_plan, vacant_blocks
from twinlab.history.index.reach import NEVER
from twinlab.history.layout.grid import cold_layout
from twinlab.history.layout.spans import Span, pieces
from twinlab.history.store.codecs import CODEC
from twinlab.history.store.publish import sync_filesystem
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.remote import Builder, claims_handle
from twinlab.history.write.removal import Removal, enforce
from twinlab.history.write.state import add_tally, note_state
from twinlab.history.write.tables.tabular import update_tables
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.history.write.transaction import Transaction

__all__ = ["Rebuild", "write_block"]

_BUILDING = "history.building"
_OLD = "history.old"
_PLAN = "plan.json"
#: Cells (time x asset x signal) of one commit, which is what an interruption loses.
_COMMIT_CELLS = 70_000_000
#: Cells that are gathered before they are divided into tiles.
_PART_CELLS = 4_000_000
#: Of these, and of rollups, this much waits for the commit as it is, the rest encoded.
_DECODED_BYTES = 16 * 2**20
_FRAME_BYTES = 64 * 2**20
#: With so many cells for each row of the ledger, the rows are read once more to find out which cells have any.
_SPARSE = 8


class Rebuild:
    """One rebuild of a twin's history, resumable."""

    def __init__(
        self,
        root: Path,
        sources: Sources,
        model: TwinModel,
        *,
        removals: Sequence[Removal] = (),
        codec: str = CODEC,
    ) -> None:
        self.root = root
        self.sources = sources
        self.model = model
        # Decisions about retention that were applied to the history.
        self.removals = list(removals)
        # Of the values of compacted cells.
        self.codec = codec
        self.cuts = tuple(one.cut for one in self.removals)
        self.building = root / _BUILDING
        # Partitions are in order of time and read hardly any frame twice: the memory is better used for cells.
        sources.cache.shrink(_FRAME_BYTES)

    @staticmethod
    def waiting(root: Path, sources: Sources) -> bool:
        """Return whether a rebuild with this model and these mappings was interrupted; remove one with others."""
        plan = _read_plan(root / _BUILDING / _PLAN)
        if plan is None:
            return False
        if _fits(plan, sources):
            return True
        if (root / "history").exists():
            shutil.rmtree(root / _BUILDING)
        return False

    def run(
        self,
        report: BuildReport,
        *,
        progress: Callable[[int, int, str], None] | None = None,
        workers: int | None = None,
        client: Any = None,  # noqa: ANN401  (a distributed.Client)
    ) -> None:
        """Build all remaining partitions, then replace the old history by the new one."""
        position = self._plan()
        report.rebuilt, report.position = True, position
        if (self.building / "history").is_dir() or not (self.root / "history").exists():
            store = self._store()
            with self.sources.cache.stored_in(self.building):
                update = self._update(position, report)
                release_memory()
                work = _Work(self, store, update, report, progress)
                with store.lock():
                    work.run(workers=workers or cores(), client=client)
                    for removal in self.removals:
                        enforce(store, removal, update.columns, note=False)
            add_tally(report, update)
        self._swap()

    def _plan(self) -> dict[str, int]:
        """Return the position to build up to: that of the interrupted rebuild, or the current one of the ledger."""
        plan = _read_plan(self.building / _PLAN)
        if plan is not None and _fits(plan, self.sources):
            return {str(name): int(at) for name, at in plan["position"].items()}
        if self.building.exists():
            shutil.rmtree(self.building)
        position = self.sources.position()
        (self.building / "history").mkdir(parents=True)
        plan = {
            "build": BUILD_VERSION,
            "model": self.sources.model_hash,
            "mappings": self.sources.mapping_hashes,
            "position": position,
        }
        fresh = self.building / "plan.new"
        fresh.write_text(json.dumps(plan), encoding="utf-8")
        replace_file(fresh, self.building / _PLAN)
        return position

    def _store(self) -> HistoryStore:
        path = self.building / "history"
        try:
            store = HistoryStore.open(path)
            store.view()
        except CorruptionError:
            # Interrupted while it was created, or damaged: it is built again.
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            store = HistoryStore.create(path, origin_ns=self.model.origin_ns, codec=self.codec)
        return store

    def _update(self, position: dict[str, int], report: BuildReport) -> Update:
        self.sources.prepare(position, report=report)
        self.sources.save()
        marks, times = self.sources.marks(position), segments(self.cuts, position)
        # Assets of cells before a cut may have no row any more.
        every = [one for part in times for one in self.sources.marks(dict(part.position)).values()]
        columns = self.sources.columns({}, every)
        plans: list[GroupPlan] = []
        for number, segment in enumerate(times):
            plans += self._plans(columns, segment, number if self.cuts else None)
        nothing = dict.fromkeys(position, 0)
        claims = LedgerClaims(self.sources.views, position, cuts=self.cuts)
        return Update(self.sources, nothing, position, columns, plans, claims, marks)

    def _plans(self, columns: dict[str, list[str]], segment: Segment, number: int | None) -> list[GroupPlan]:
        """Return the plans of all groups for the cells of one segment of time."""
        position = dict(segment.position)
        marks, alive = self.sources.marks(position), self.sources.lifetimes(position)
        plans = []
        for spec in self.sources.groups(columns, position):
            frontier = frontier_of(spec, marks.values(), alive) if spec.assets else None
            if frontier is None or frontier.known_from.min() == NEVER:
                continue
            ends = (max(0, int(frontier.known_from.min())), int(frontier.passed.max()) + 1)
            window = segment.cells(spec, ends)
            if window is not None:
                plans.append(GroupPlan(spec, [window], [window], frontier, segment=number))
        return self._without_vacant(plans, position)

    def _without_vacant(self, plans: list[GroupPlan], position: dict[str, int]) -> list[GroupPlan]:
        """Return plans that build no long spans without claims, if the cells are many for the rows."""
        views = self.sources.views
        rows = sum(int((view.index["stop"] - view.index["first"]).sum()) for view in views.values())
        sparse = [plan for plan in plans if (plan.ends[1] - plan.ends[0]) * len(plan.spec.assets) > _SPARSE * rows]
        if not sparse:
            return plans
        nothing = dict.fromkeys(position, 0)
        specs = [plan.spec for plan in sparse]
        changes = changed_cells(views, specs, old=nothing, new=position, late_before={})
        out: list[GroupPlan] = []
        for plan in plans:
            change = changes.get(plan.spec.group.path)
            if change is None:
                out.append(plan)
            else:
                found = set_vacant(replace(plan, fresh=change.spans), 0)
                out += split_plan(found, change.bands, 0)
        return out

    def _swap(self) -> None:
        """Replace the old history by the new one, such that a crash after any step can be repaired."""
        new, place, old = self.building / "history", self.root / "history", self.root / _OLD
        if new.is_dir():
            shutil.rmtree(old, ignore_errors=True)
            if place.exists():
                replace_file(place, old)
            replace_file(new, place)
            sync_filesystem(self.root)
        (self.building / _PLAN).unlink(missing_ok=True)
        shutil.rmtree(self.building, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _read_plan(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _fits(plan: dict[str, Any], sources: Sources) -> bool:
    return (plan.get("build"), plan.get("model"), plan.get("mappings")) == (
        BUILD_VERSION,
        sources.model_hash,
        sources.mapping_hashes,
    )


@dataclass
class _Work:
    """Builds the partitions of one rebuild and writes them to the store."""

    rebuild: Rebuild
    store: HistoryStore
    update: Update
    report: BuildReport
    progress: Callable[[int, int, str], None] | None

    def run(self, *, workers: int, client: Any) -> None:  # noqa: ANN401
        """Build and commit all spans that aren't in the store yet, then the tables."""
        spans = [(number, span) for number, plan in enumerate(self.update.plans) for span in _spans(plan)]
        done = int(str(self.store.view().meta.get("spans_done", 0)))
        complete = bool(self.store.view().meta.get("position"))
        total = sum((span[1] - span[0]) * _width(self.update.plans[n].spec) for n, span in spans)
        at = sum((span[1] - span[0]) * _width(self.update.plans[n].spec) for n, span in spans[:done])
        handle = None if client is None else claims_handle(self.update)
        with pool_of(client, workers=workers, handle=handle) as pool:
            builder = Builder(pool, self.update, handle)
            for batch in _batches(spans, done, self.update.plans):
                with self.store.transaction() as txn:
                    txn.limit_decoded(_DECODED_BYTES)
                    for number in batch:
                        group, span = spans[number]
                        plan = self.update.plans[group]
                        self._write(txn, plan, span, builder)
                        at += (span[1] - span[0]) * _width(plan.spec)
                    txn.meta["spans_done"] = batch[-1] + 1
                    release_memory()
                    txn.commit(f"rebuild {plan.spec.group.path} {batch[-1] + 1} of {len(spans)}")
                self.report.commits += 1
                if self.progress is not None:
                    self.progress(at, total, plan.spec.group.path)
        if complete:
            return
        with self.store.transaction() as txn:
            for plan in self.update.plans:
                whole = plan.spec.whole or plan.spec
                txn.ensure_group(whole.group, whole.signals, len(whole.assets))
                for block in vacant_blocks(plan):
                    write_block(txn, block)
            update_tables(txn, self.update)
            note_state(txn.meta, self.update)
            if self.rebuild.cuts:
                txn.meta["retention"] = [one.to_meta() for one in self.rebuild.removals]
            txn.meta.pop("spans_done", None)
            txn.commit("rebuild complete")
        self.report.commits += 1

    def _write(self, txn: Transaction, plan: GroupPlan, span: Span, builder: Builder) -> None:
        spec = plan.spec
        whole = spec.whole or spec
        txn.ensure_group(whole.group, whole.signals, len(whole.assets))
        parts = list(pieces([span], longest=span[1], edges=_edges(spec, span)))
        made = builder.built(plan, pieces(parts, longest=piece_length(spec)))
        for part in parts:
            shape = (len(spec.assets), part[1] - part[0])
            # Stored blocks are contiguous by asset: gathered likewise, a part needs no further transposition.
            values = {name: np.empty(shape, dtype=signal.storage_dtype) for name, signal in spec.signals.items()}
            flags = {name: np.empty(shape, dtype=np.uint8) for name in spec.signals}
            at = part[0]
            while at < part[1]:
                blocks, tally = next(made)
                self.update.tally.add(tally)
                for block in blocks:
                    rows = slice(block.k0 - part[0], block.k1 - part[0])
                    for name in spec.signals:
                        values[name][:, rows] = block.values[name].T
                        flags[name][:, rows] = block.flags[name].T
                    at = block.k1
            cells = {n: v.T for n, v in values.items()}, {n: f.T for n, f in flags.items()}
            txn.write_cells(spec.group, part[0], *cells, first_asset=spec.first_asset, span_cells=span[1] - span[0])


def _edges(spec: GroupSpec, span: Span) -> list[int]:
    """Return where a span is divided to be written: at edges of tiles."""
    (_, first, _), *_ = spec.axis.split(*span)
    base, end = spec.axis.year_cells(spec.axis.year(first))
    tile = cold_layout(end - base, len(spec.assets)).tile[0]
    most = max(1, _PART_CELLS // (tile * _width(spec))) * tile
    return list(range(base + (first - base) // most * most + most, span[1], most))


def write_block(txn: Transaction, block: Block) -> None:
    """Write the cells of a block; of a vacant one, what is missing."""
    if block.vacant:
        span, flags = (block.k0, block.k1), {name: row[0] for name, row in block.flags.items()}
        txn.write_vacant(block.group, span, flags, first_asset=block.first_asset)
    else:
        txn.write_cells(block.group, block.k0, block.values, block.flags, first_asset=block.first_asset)


def _batches(spans: list[tuple[int, Span]], done: int, plans: list[GroupPlan]) -> Iterator[list[int]]:
    """Yield the numbers of spans that are committed together: those of one plan one by one, small parts of a group jointly."""
    batch: list[int] = []
    cells = 0
    for number in range(done, len(spans)):
        group, span = spans[number]
        spec = plans[group].spec
        if batch and (
            spec.whole is None or spec.group != plans[spans[batch[-1]][0]].spec.group or cells > _COMMIT_CELLS
        ):
            yield batch
            batch, cells = [], 0
        batch.append(number)
        cells += (span[1] - span[0]) * _width(spec)
    if batch:
        yield batch


def _width(spec: GroupSpec) -> int:
    return len(spec.assets) * len(spec.signals)


def _spans(plan: GroupPlan) -> Iterator[Span]:
    """Split a plan by year and at edges of cold blocks, into spans of one commit each."""
    spec = plan.spec
    for low, high in plan.write:
        for year, first, stop in spec.axis.split(low, high):
            base, end = spec.axis.year_cells(year)
            block = cold_layout(end - base, len(spec.assets)).block[0]
            most = max(1, _COMMIT_CELLS // (block * _width(spec))) * block
            edges = range(base + (first - base) // most * most, stop, most)
            yield from pieces([(first, stop)], longest=max(1, stop), edges=list(edges))
