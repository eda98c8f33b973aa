"""Build a revision on its branch, and bring it up to the position of the published history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from twinlab.compute import pool_of
from twinlab.errors import SchemaError
from twinlab.history.build.build import piece_length
from twinlab.history.build.catchup import count_new_rows, plan_update
from twinlab.history.build.event_tables import newest, rows_of
from twinlab.history.build.group_spec import GroupPlan
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.report import BuildReport
from twinlab.history.build.table_updates import table_at
from twinlab.history.build.vacancy import vacant_blocks
from twinlab.history.layout.grid import Group
from twinlab.history.layout.spans import pieces
from twinlab.history.revisions.branch import RevisionBranch
from twinlab.history.revisions.plan import RevisionPlan, plan_revision
from twinlab.history.store.event_parts import EventParts, ordered
from twinlab.history.store.view import open_view
from twinlab.history.write.historian import Progress, write_update
from twinlab.history.write.rebuild import write_block
from twinlab.history.write.remote import Builder, claims_handle
from twinlab.history.write.state import add_tally, note_state
from twinlab.history.write.tables.event_updates import EventWriter

if TYPE_CHECKING:
    import pyarrow as pa
    from distributed import Client

    from twinlab.history.write.transaction import Transaction

__all__ = ["build_revision", "built_with", "can_catch_up", "catch_up", "is_current"]

#: Cells of one commit.
_COMMIT_CELLS = 70_000_000


def is_current(branch: RevisionBranch, new: Sources) -> bool:
    """Whether a branch was built with these definitions, up to the position of the published history."""
    if not branch.exists:
        return False
    same_position = branch.view().meta.get("position") == _main_meta(branch).get("position")
    return same_position and can_catch_up(branch, new)


def can_catch_up(branch: RevisionBranch, new: Sources) -> bool:
    """Whether a branch was built with these definitions and has the cells that retention left in the published history."""
    if not branch.exists:
        return False
    meta = branch.view().meta
    return built_with(meta, new) and meta.get("retention") == _main_meta(branch).get("retention")


def _main_meta(branch: RevisionBranch) -> dict[str, Any]:
    return dict(open_view(branch.path, branch.main()).meta)


def built_with(meta: dict[str, Any], new: Sources) -> bool:
    """Whether a state with this metadata was built with these definitions, to the end."""
    built: dict[str, str] = dict(meta.get("mappings", {}))
    return (
        "building" not in meta
        and meta.get("model") == new.model_hash
        and all(new.mapping_hashes.get(name) == found for name, found in built.items())
    )


def build_revision(
    branch: RevisionBranch,
    old: Sources,
    new: Sources,
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    client: Client | None = None,
) -> tuple[RevisionPlan, BuildReport]:
    """Build the cells and tables that differ under other definitions, on a branch that starts at the published history.

    The branch must be locked. If this is interrupted, the published history is unchanged and a further call builds the
    branch again.

    Parameters
    ----------
    branch : RevisionBranch
    old, new : Sources
        With the definitions of the published history, and with the other ones.
    progress : callable, optional
        Called with (cells done, total, what is being done).
    workers : int, optional
        Number of threads; the number of cores by default.
    client : distributed.Client, optional
        Build on this Dask cluster; its workers read the ledger, this process writes.

    Raises
    ------
    SchemaError
        If cells would change before a cut of retention; then there is no branch.
    """
    branch.create()
    base = branch.view()
    try:
        plan = plan_revision(old, new, base.meta)
    except SchemaError:
        branch.delete()
        raise
    report = BuildReport(position=plan.update.new)
    update = plan.update
    total, done = sum(one.cells for one in update.plans), 0
    with branch.transaction() as txn:
        txn.meta["building"] = True
        for path, names in plan.dropped.items():
            for name in names:
                txn.drop_signal(Group.at(path), name)
        for spec in update.groups():
            txn.ensure_group(spec.group, spec.signals, len(spec.assets))
        txn.commit("revision started")
    handle = None if client is None else claims_handle(update)
    with pool_of(client, workers=workers, handle=handle) as pool:
        builder = Builder(pool, update, handle, base)
        for batch in _batches(update.plans):
            with branch.transaction() as txn:
                for one in batch:
                    for blocks, tally in builder.built(one, pieces(one.write, longest=piece_length(one.spec))):
                        update.tally.add(tally)
                        for block in blocks:
                            write_block(txn, block)
                        done += tally.cells
                        if progress is not None:
                            progress(done, total, one.spec.group.path)
                    for block in vacant_blocks(one):
                        write_block(txn, block)
                txn.commit(f"revision {done} of {total} cells")
            report.commits += 1
    with branch.transaction() as txn:
        _write_tables(txn, plan)
        note_state(txn.meta, update)
        txn.meta.pop("building", None)
        txn.commit("revision complete")
    report.commits += 1
    add_tally(report, update)
    return plan, report


def catch_up(branch: RevisionBranch, new: Sources, *, progress: Progress | None = None) -> BuildReport:
    """Bring a branch up to the position of the published history; it must be locked."""
    position = {str(name): int(at) for name, at in dict(_main_meta(branch)["position"]).items()}
    report = BuildReport(position=position)
    counted = count_new_rows(new, dict(branch.view().meta), position, report)
    with branch.transaction() as txn:
        write_update(txn, plan_update(new, txn.meta, position, counted=counted), report, progress)
    return report


def _batches(plans: Sequence[GroupPlan]) -> Iterator[list[GroupPlan]]:
    batch: list[GroupPlan] = []
    cells = 0
    for plan in plans:
        if batch and cells + plan.cells > _COMMIT_CELLS:
            yield batch
            batch, cells = [], 0
        batch.append(plan)
        cells += plan.cells
    if batch:
        yield batch


def _write_tables(txn: Transaction, plan: RevisionPlan) -> None:
    """Write the tables whose rows differ; a table with the same rows isn't touched."""
    update, sources = plan.update, plan.update.sources
    for path in sorted(plan.tables):
        kind, _, name = path.partition(":")
        if kind == "event":
            spec = sources.model.event_types.get(name)
            if spec is not None:
                rows = rows_of(sources.views.values(), "event", name, stop=update.new)
                writer = EventWriter(txn, name, {**({"asset": spec.asset} if spec.asset else {}), **spec.links})
                if _other_events(writer.parts, rows):
                    writer.replace(rows)
            continue
        stored = f"{kind}s/{name}"
        table = table_at(sources, kind, name, update.new)
        before = txn.table(stored) if stored in txn.tables(stored) else None
        if table is None:
            txn.drop_table(stored)
        elif before is None or not before.equals(table):
            txn.write_table(stored, table)


def _other_events(parts: EventParts, rows: pa.Table | None) -> bool:
    """Whether the stored events aren't the valid ones of some rows."""
    table, stored = None if rows is None else ordered(newest(rows, "event")), parts.events()
    if table is None or stored is None:
        return table is not stored
    return not stored.equals(table)
