"""The historian: brings history up to date with the ledger, under a lock, in commits that record their position."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab._locks import Lock
from twinlab._memory import release_memory
from twinlab.errors import CorruptionError
from twinlab.harmonise.claims import SharedInstants
from twinlab.harmonise.overflow import storage_remedy
from twinlab.history.build.build import BUILD_VERSION
from twinlab.history.build.catchup import Stored, Update, changed_sources, count_new_rows, plan_update
from twinlab.history.build.cuts import cut_ns_of
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.report import BuildReport
from twinlab.history.build.rows.frame_cache import FRAME_BYTES, PUBLISHED_BYTES
from twinlab.history.index.index_file import index_folder
from twinlab.history.store.publish import write_errors
from twinlab.history.write.codec_change import applied_codec, recode_history
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.housekeeping import CompactReport, compact_all, housekeep, usage_of_folders
from twinlab.history.write.limit_notes import limit_notes
from twinlab.history.write.rebuild import Rebuild, write_block
from twinlab.history.write.removal import (
    APPLIED,
    DECIDED,
    Removal,
    applied_removals,
    enforce,
    note_proof,
    notes_before_cut,
)
from twinlab.history.write.state import add_tally, note_state
from twinlab.history.write.tables.tabular import update_tables
from twinlab.history.write.waiting_rows import count_repeated, may_wait
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.history.write.transaction import Transaction
    from twinlab.ledger import Ledger

__all__ = ["Historian", "HistorianStatus", "Progress", "write_update"]

#: Called with (number done, total number, what is being done).
Progress = Callable[[int, int, str], None]
#: If there is no history yet and the ledger has more rows than this, it is built by partitions.
_BULK_ROWS = 4_000_000


@dataclass(frozen=True)
class HistorianStatus:
    """Position of a history, and how far the ledger is ahead."""

    position: dict[str, int]
    # Ledger rows that aren't in the history yet.
    behind: int
    snapshot: str | None


class Historian:
    """Builds the history of a twin from its ledger.

    Parameters
    ----------
    root : Path
        The twin's folder, with the history in ``history`` and the indexes in ``cache``.
    ledger : Ledger
    model : TwinModel
    mappings : dict of source to Mapping
        Sources without a mapping aren't built.
    """

    def __init__(
        self, root: str | Path, ledger: Ledger, model: TwinModel, mappings: Mapping[str, SourceMapping]
    ) -> None:
        self.root = Path(root)
        self.ledger = ledger
        self.model = model
        self.mappings = dict(mappings)
        self.sources = Sources(ledger, model, self.mappings, index_folder=index_folder(self.root))
        self._store: HistoryStore | None = None
        #: Called once the history is locked, before anything is written; it may refuse by raising an error.
        self.before_writing: Callable[[], None] = _nothing

    @property
    def folder(self) -> Path:
        """Folder of the history."""
        return self.root / "history"

    # -- public -------------------------------------------------------------------------------------------------------
    def catch_up(self, progress: Progress | None = None, *, gather: bool = False) -> BuildReport:
        """Bring history up to the durable position of the ledger; create or rebuild it if necessary.

        Only the cells that new rows change, and those whose flags depend on them, are computed. A history that doesn't
        open, or that was written by another build version, is rebuilt.

        Parameters
        ----------
        progress : callable, optional
            Called with (number done, total number, what is being done).
        gather : bool
            Leave a few rows to the tail if the last publication was recent: readers have them at once, and a later call
            publishes them with others. See `twinlab.history.write.waiting_rows`.

        Raises
        ------
        HistoryConflictError
            If another process is writing this history; names it.
        CorruptionError
            If the ledger is damaged.
        SourceError
            If the disk is full; what is published is unchanged.
        """
        began = time.perf_counter()
        report = BuildReport()
        with self._lock(), write_errors(self.folder):
            self.before_writing()
            self._activate()
            why = self._open()
            if why:
                self._rebuild(report, why, progress)
            else:
                self._catch_up(report, progress, gather=gather)
        report.seconds = time.perf_counter() - began
        return report

    def rebuild(
        self,
        progress: Progress | None = None,
        *,
        workers: int | None = None,
        client: Any = None,  # noqa: ANN401
    ) -> BuildReport:
        """Rebuild history from the ledger, by partitions; an interrupted rebuild is continued.

        Parameters
        ----------
        workers : int, optional
            Number of threads; the number of cores by default.
        client : distributed.Client, optional
            Build on this Dask cluster instead.
        """
        began = time.perf_counter()
        report = BuildReport()
        with self._lock(), write_errors(self.folder):
            self.before_writing()
            self._activate()
            self._rebuild(report, "", progress, workers=workers, client=client)
        report.seconds = time.perf_counter() - began
        return report

    def compact(self, progress: Progress | None = None) -> CompactReport:
        """Publish what waits, compact the history, seal the ledger's full segments and remove old states of the history.

        Old states stay for 24 h, because a reader may use one for up to 12 h.

        Raises
        ------
        HistoryConflictError
            If another process is writing this history; names it.
        CorruptionError
            If ledger or history are damaged.
        SourceError
            If the disk is full; what is published is unchanged.
        """
        report = CompactReport(before=usage_of_folders(self.root))
        report.rows_published = self.status().behind
        self.catch_up(progress)
        with self._lock(), write_errors(self.folder):
            store = HistoryStore.open(self.folder)
            with store.lock():
                compact_all(self.ledger, store, report)
        report.after = usage_of_folders(self.root)
        return report

    def apply_retention(
        self,
        decide: Callable[[dict[str, int]], tuple[Removal, Mapping[str, object]]],
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Remove older cells of gauges, or round them, as a decision says; return the proof that the journal has then.

        The decision is written to the journal first, then the history is published without these cells, then the proof is
        written to the journal. If the process is killed in between, nothing is removed, or the next publication writes the
        proof. The files of removed cells stay for 24 h, because a reader may use them.

        Parameters
        ----------
        decide : callable
            Called with the position of the published history, under its lock; returns the decision, and what else the
            journal says of it: who, why.
        progress : callable, optional
            Called with (number done, total number, what is being done) while new rows are published.

        Raises
        ------
        HistoryConflictError
            If another process is writing this history; names it.
        """
        self.catch_up(progress)
        with self._lock(), write_errors(self.folder):
            self.before_writing()
            store = HistoryStore.open(self.folder)
            meta: dict[str, Any] = dict(store.newest().meta)
            removal, about = decide({str(name): int(at) for name, at in meta["position"].items()})
            self.ledger.journal.append(DECIDED, {**removal.to_json(), **about})
            with store.lock():
                enforce(store, removal, meta["assets"])
            proof: dict[str, Any] = dict(store.newest().meta["retention_proof"])  # type: ignore[call-overload]
            self.ledger.journal.append(APPLIED, proof)
        self._store = None
        return proof

    def recode(self, codec: str, about: Mapping[str, object]) -> dict[str, Any] | None:
        """Encode the values of compacted cells with a codec; return the proof that the journal has then, None if all have it.

        ``about`` is what else the journal says. See `twinlab.history.write.codec_change`; errors as for `apply_retention`.
        """
        with self._lock(), write_errors(self.folder):
            self.before_writing()
            with HistoryStore.open(self.folder).lock() as store:
                proof = recode_history(store, self.ledger.journal, codec, about)
        self._store = None
        return proof

    def status(self) -> HistorianStatus:
        """Return the position of the history, and how far the ledger is ahead."""
        now = self.sources.position()
        try:
            view = HistoryStore.open(self.folder).view()
        except CorruptionError:
            return HistorianStatus({}, sum(now.values()), None)
        position = {str(name): int(at) for name, at in dict(view.meta.get("position", {})).items()}  # type: ignore[call-overload]
        behind = sum(max(0, at - position.get(name, 0)) for name, at in now.items() if name != "_twin")
        return HistorianStatus(position, behind, view.snapshot)

    # -- inside ------------------------------------------------------------------------------------------------------
    def _lock(self) -> Lock:
        return Lock(self.root / "history.lock", what=f"the history of {self.root}")

    def _activate(self) -> None:
        """Write model and mappings to the twin's journal if they differ from the active ones."""
        active = self.ledger.journal.active_hashes()
        if active.get(("model", "")) != self.sources.model_hash:
            text = self.model.model_dump_json(by_alias=True)
            self.ledger.journal.append("model", {"hash": self.sources.model_hash, "text": text})
        for name, mapping in self.mappings.items():
            found = self.sources.mapping_hashes[name]
            if active.get(("mapping", name)) != found:
                text = mapping.model_dump_json(by_alias=True)
                self.ledger.journal.append("mapping", {"source": name, "hash": found, "text": text})

    def _open(self) -> str:
        """Open or create the store; return the reason if it must be rebuilt, else an empty text."""
        if Rebuild.waiting(self.root, self.sources):
            return "an interrupted rebuild was continued"
        if not self.folder.exists():
            self._store = None
            rows = sum(at for name, at in self.sources.position().items() if name in self.mappings)
            if rows > _BULK_ROWS or applied_removals(self.ledger.journal):
                return " "
            codec = applied_codec(self.ledger.journal)
            self._store = HistoryStore.create(self.folder, origin_ns=self.model.origin_ns, codec=codec)
            return ""
        try:
            self._store = self._store or HistoryStore.open(self.folder)
            meta = self._store.newest().meta
        except CorruptionError as error:
            return f"history did not open and was rebuilt from the ledger ({error})"
        if meta and meta.get("build") != BUILD_VERSION:
            return f"history was built by version {meta.get('build')} and was rebuilt by version {BUILD_VERSION}"
        if meta and meta.get("model") != self.sources.model_hash:
            return "the model changed: history was rebuilt"
        return ""

    def _rebuild(
        self,
        report: BuildReport,
        why: str,
        progress: Progress | None,
        *,
        workers: int | None = None,
        client: Any = None,  # noqa: ANN401  (a distributed.Client)
    ) -> None:
        if why.strip():
            report.notes.append(why)
        self._store = None
        removals, codec = applied_removals(self.ledger.journal), applied_codec(self.ledger.journal)
        rebuild = Rebuild(self.root, self.sources, self.model, removals=removals, codec=codec)
        rebuild.run(report, progress=progress, workers=workers, client=client)
        self.sources.cache.shrink(FRAME_BYTES)
        self._finish(report)

    def _catch_up(self, report: BuildReport, progress: Progress | None, *, gather: bool) -> None:
        store = self._store
        if store is None:
            msg = "expected an open history; call catch_up"
            raise CorruptionError(msg)
        position, meta = self.sources.position(), store.newest().meta
        note_proof(self.ledger.journal, meta)
        changed = changed_sources(self.sources, meta, position) if cut_ns_of(meta) is not None else set()
        if changed:
            # Cells before the cut are those of its position only if all are built again.
            self._rebuild(report, f"the mapping of {', '.join(sorted(changed))} changed: history was rebuilt", progress)
            return
        counted = count_new_rows(self.sources, meta, position, report)
        report.notes += notes_before_cut(self.sources, cut_ns_of(meta), counted, position)
        if gather and may_wait(self.sources, meta, position, published_at=store.published_at()):
            count_repeated(self.sources, meta, counted, position, report)
            self._finish(report)
            return
        with store.lock():
            with store.transaction() as txn:
                update = plan_update(self.sources, txn.meta, position, counted=counted)
                if self._nothing_new(txn, update):
                    report.position = position
                    self._finish(report, update=None)
                    return
                write_update(txn, update, report, progress)
            # A writer that lives for months would otherwise keep what a bulk of rows needs.
            self.sources.cache.forget(PUBLISHED_BYTES)
            report.notes += housekeep(self.root, self.ledger, store)
        self._finish(report, update=update)

    def _nothing_new(self, txn: Transaction, update: Update) -> bool:
        return bool(txn.meta) and not update.changed and dict(txn.meta.get("position", {})) == update.new  # type: ignore[call-overload]

    def _finish(self, report: BuildReport, update: Update | None = None) -> None:
        if update is not None:
            report.position = update.new
            if update.changed:
                names = ", ".join(sorted(update.changed))
                report.notes.append(f"the mapping of {names} changed: the signals of these sources were rebuilt")
        if report.commits:
            columns = self.sources.columns({}, self.sources.marks(report.position).values())
            report.notes += limit_notes(self.sources, columns, report.position)
        waiting = {name: self.ledger.reader(name).position() for name in self.sources.unmapped()}
        report.notes += [
            f"source {name!r} has no mapping: its {rows:,} rows are in the ledger only; write mapping/{name}.yaml"
            for name, rows in waiting.items()
            if rows
        ]
        for name, tally in sorted(report.sources.items()):
            if tally.shared is not None:
                report.notes.append(f"{name}: {_shared_note(tally.shared)}")
        for name, count in sorted(report.lost.items()):
            kind, _, signal = name.partition(".")
            remedy = storage_remedy(self.model.asset_types[kind].signals[signal])
            report.notes.append(
                f"{count:,} cells of {name} are empty, because their values don't fit its storage: {remedy}"
            )
        if report.disagreements:
            report.notes.append(
                f"{report.disagreements} cells in which two sources of one signal differ by more than its resolution"
            )
        if report.commits or report.rebuilt:
            self.sources.save()


def write_update(txn: Transaction, update: Update, report: BuildReport, progress: Progress | None) -> None:
    """Build the plans of an update, write their cells and the tables within a transaction, and commit it."""
    total = sum(plan.cells for plan in update.plans)
    for spec in update.groups():
        txn.ensure_group(spec.group, spec.signals, len(spec.assets))
    for spec, block in update.blocks(Stored(txn.reader)):
        write_block(txn, block)
        if progress is not None:
            progress(update.tally.cells, total, spec.group.path)
    moved = sum(txn.compact_old(spec.group) for spec in update.groups())
    update_tables(txn, update)
    note_state(txn.meta, update)
    txn.commit(f"catch up {sum(update.new.values()) - sum(update.old.values())} rows")
    if moved:
        release_memory()
    report.commits += 1
    add_tally(report, update)


def _nothing() -> None:
    """Refuse nothing."""


def _shared_note(shared: SharedInstants) -> str:
    many = f" of {len(shared.assets):,} assets" if len(shared.assets) > 1 else ""
    suspect = f"; {shared.differing:,} differ and are suspect" if shared.differing else "; they are equal"
    return (
        f"{shared.rows:,} rows{many} share asset and time with another row of their file, of which only the last counts"
        f"{suspect} (first: {shared.example}). If the rows are events, or of different assets, say so in the mapping"
    )
