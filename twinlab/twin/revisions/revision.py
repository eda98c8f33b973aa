"""A revision: the twin under other definitions, beside the published history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.reading import instant_ns
from twinlab.history import HistoryReader
from twinlab.history.revisions.branch import RevisionBranch
from twinlab.history.revisions.promote import locked_history
from twinlab.history.revisions.revise import build_revision, can_catch_up, catch_up, is_current
from twinlab.history.store.view import open_view
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.reader import DelegatingReader
from twinlab.twin.asking.methods import AskMethods
from twinlab.twin.finders.views import events_on_view
from twinlab.twin.progress import progress_bar
from twinlab.twin.revisions.base import RevisedTwin
from twinlab.twin.revisions.diff import RevisionDiff, compare
from twinlab.twin.revisions.promotion import complete_promotion, definitions_with, sources_of
from twinlab.twin.revisions.revision_log import RevisionRecord

if TYPE_CHECKING:
    from distributed import Client

    from twinlab.compute.handles import Opening
    from twinlab.history import BuildReport
    from twinlab.history.build.mapping_context import Sources
    from twinlab.history.write.historian import Progress
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Revision"]


class Revision(AskMethods, DelegatingReader):
    """A twin's history under other mappings or another model, on a branch; made by `Twin.remap` and `Twin.remodel`.

    It reads like a twin: `history`, `events`, `assets`, `observations`. Nothing of it is seen by others until it is promoted.
    """

    def __init__(self, twin: RevisedTwin, name: str) -> None:
        self._twin = twin
        self.id = name
        self._reader: HistoryReader | None = None
        #: What the last build of this object did; None if it was built before.
        self.report: BuildReport | None = None

    # -- what it is
    @property
    def record(self) -> RevisionRecord:
        """What the twin's journal says about this revision."""
        found = self._twin.revision_log.record(self.id)
        if found is None:
            msg = f"expected a revision of this twin, got {self.id!r}; twin.revisions() lists them"
            raise SchemaError(msg)
        return found

    @property
    def state(self) -> str:
        """``open``, ``promoting``, ``promoted`` or ``discarded``."""
        return self.record.state

    @property
    def title(self) -> str:
        """What it changes, in words."""
        return f"another version of {self.record.changes}"

    def __repr__(self) -> str:
        record = self.record
        by = f" by {record.author}" if record.author else ""
        why = f": {record.reason}" if record.reason else ""
        return f"<Revision {self.id} ({record.state}){by}{why}> {self.title}"

    # -- reading
    @property
    def reader(self) -> HistoryReader:
        """Reader of the revision's history, with the newest rows of the ledger under its definitions."""
        self._require("open")
        if self._reader is None:
            self.build()
            branch = self._branch()
            definitions = self._definitions()
            self._reader = HistoryReader(self._twin.folder, self._twin.ledger, *definitions, branch=branch.branch)
        return self._reader

    @property
    def _source(self) -> HistoryReader:
        return self.reader

    def opening(self) -> Opening:
        """Return how the workers of a Dask cluster read this revision, at the state that it has now."""
        from twinlab.twin.sharing.opening import revision_opening  # noqa: PLC0415  (few work on a cluster)

        return revision_opening(self._twin.opening(), self.reader)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type, as `twinlab.Twin.events`; those of a finder are found anew in the revision's history."""
        if event_type in self.model.events:
            return events_on_view(self, event_type, start=start, stop=stop, assets=assets)
        return super().events(event_type, start=start, stop=stop, assets=assets)

    def observations(self, asset: str, signal: str, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return the rows behind a signal of an asset under the revision's definitions; see `Twin.observations`."""
        return self.reader.observations(asset, signal, start=start, stop=stop)

    # -- deciding
    def diff(self, *, start: object = None, stop: object = None) -> RevisionDiff:
        """Compare the revision with the published history, at the same rows of the ledger.

        Parameters
        ----------
        start, stop : instant, optional
            Compare only ``[start, stop)``; naive is UTC.

        Returns
        -------
        RevisionDiff
            Changed cells, flags, events, exceptions and KPIs.

        Raises
        ------
        SchemaError
            If the revision was promoted or discarded.
        """
        return self._compared(start, stop, kpis=True)

    def _compared(self, start: object = None, stop: object = None, *, kpis: bool) -> RevisionDiff:
        self._require("open")
        self.build()
        branch = self._branch()
        span = tuple(None if at is None else instant_ns(at) for at in (start, stop))
        views = open_view(branch.path, branch.main()), branch.view()
        return compare(self.id, self.title, views, (self._twin.reader, self.reader), span=(span[0], span[1]), kpis=kpis)

    def promote(self, *, author: str = "", reason: str = "") -> None:
        """Make the revision the published history, and its definitions those in the twin's folder.

        It is brought up to the position of the published history first. Readers that use an older state keep it. If this is
        interrupted, the next write completes it. Annotations of exceptions and events follow those that it moves.

        Parameters
        ----------
        author, reason : str
            Who promotes it, and why; for the twin's journal.

        Raises
        ------
        SchemaError
            If it was promoted or discarded already.
        HistoryConflictError
            If another process is writing the history; nothing has changed then.
        """
        self._require("open")
        twin, log = self._twin, self._twin.revision_log
        self.build()  # the long part, while others may still write
        with locked_history(twin.folder, wait=30.0):
            self._require("open")
            self.build()
            now = self._published()
            before = tuple(
                one for one in twin.applied_definitions(*now) if one.key in {d.key for d in self.record.definitions}
            )
            moved = twin.moved_annotations(lambda: self._compared(kpis=False), author=author, cause=self.id)
            log.promote(self.record, before, carried=moved, author=author, reason=reason)
            complete_promotion(twin.folder, twin.ledger, log, self.record, model=now[0], mappings=now[1])
        self._reader = None
        twin.reload()

    def discard(self, *, author: str = "", reason: str = "") -> None:
        """Delete the revision; its definitions stay in the twin's journal.

        Raises
        ------
        SchemaError
            If it was promoted or discarded already.
        """
        self._require("open")
        self._twin.revision_log.discard(self.record, author=author, reason=reason)
        branch = self._branch()
        with branch.lock():
            branch.delete()
        self._reader = None

    def build(self, progress: Progress | None = None, *, client: Client | None = None) -> None:
        """Build the branch if it isn't there or the published definitions changed, and catch up with the published rows."""
        twin, branch = self._twin, self._branch()
        new = sources_of(twin.folder, twin.ledger, *self._definitions())
        if is_current(branch, new):
            return
        with branch.lock(), progress_bar(f"revision {self.id}", unit=" cells") as bar:
            show = progress or bar
            if is_current(branch, new):
                return
            if can_catch_up(branch, new):
                catch_up(branch, new, progress=show)
                return
            old: Sources = sources_of(twin.folder, twin.ledger, *self._published())
            _, self.report = build_revision(branch, old, new, progress=show, client=client)

    # -- inside
    def _require(self, state: str) -> None:
        found = self.state
        if found != state:
            msg = f"expected an {state} revision, but {self.id!r} was {found}; make another with twin.remap or twin.remodel"
            raise SchemaError(msg)

    def _branch(self) -> RevisionBranch:
        return RevisionBranch(self._twin.folder / "history", self.id)

    def _published(self) -> tuple[TwinModel, dict[str, SourceMapping]]:
        """Return the definitions of the published history."""
        reader = self._twin.reader
        return reader.model, dict(reader.mappings)

    def _definitions(self) -> tuple[TwinModel, dict[str, SourceMapping]]:
        return definitions_with(*self._published(), self.record.definitions)
