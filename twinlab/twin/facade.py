"""`Twin`: one object that wires ledger, harmonise, history, events and explorers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import twinlab.explore.accessor  # noqa: F401  (what a twin returns then has ``.twin``)
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.annotations import Annotation, annotation
from twinlab.history import BUILD_VERSION, Historian, HistoryReader
from twinlab.ledger import Ledger
from twinlab.model.questions import Question, open_questions
from twinlab.model.terms import nearest
from twinlab.twin.definitions import adopt_mapping, read_definitions
from twinlab.twin.ingest import Kept, keep, resolve_source
from twinlab.twin.notes import NotesStore
from twinlab.twin.progress import progress_bar
from twinlab.twin.questions import checklist, question_table
from twinlab.twin.report import IngestReport, SourceReport, UnknownTerm
from twinlab.twin.summary import summary_html, summary_text

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from distributed import Client

    from twinlab.explore import Workspace
    from twinlab.history import BuildReport
    from twinlab.ledger import VerifyReport
    from twinlab.model.twinmodel import TwinModel
    from twinlab.sources import Source

__all__ = ["BUILD_VERSION", "Twin"]


class Twin:
    """A twin in a directory: its history, events and assets, and what can be done with them.

    Made by `twinlab.open`, `twinlab.create` or `twinlab.demo`. Reading needs no lock; `ingest` and `rebuild` take it for
    as long as they run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._model, self.mappings = read_definitions(self.folder)
        self.ledger = Ledger(self.folder / "ledger")
        self._reader: HistoryReader | None = None
        self._notes = NotesStore(self.ledger.journal)

    # -- what it is ------------------------------------------------------------------------------------------------
    @property
    def model(self) -> TwinModel:
        """The twin's words, as its ``twin.yaml`` says now."""
        return self._model

    @property
    def reader(self) -> HistoryReader:
        """The history as of now, tail included; made on first use and again after an ingest."""
        if self._reader is None:
            self._reader = HistoryReader(self.folder, self.ledger, self._model, self.mappings, rebuild=self._catch_up)
        return self._reader

    @property
    def open_code(self) -> str:
        """Python that opens this twin under the name ``twin``, for code that explorers copy."""
        return f"import twinlab as tl\n\ntwin = tl.open({str(self.folder)!r})"

    def __repr__(self) -> str:
        return summary_text(self.model, self.reader, questions=len(self.open_questions()))

    def _repr_html_(self) -> str:
        return str(summary_html(self.model, self.reader, questions=len(self.open_questions())))

    def questions(self) -> pd.DataFrame:
        """Return what nobody has stated yet: units, zones, and what a draft left open.

        Returns
        -------
        pandas.DataFrame
            A row a question: ``file`` (in the twin's folder), ``path`` in it, ``question``, ``evidence`` (what was found in
            the data) and ``choices`` (values that fit). Change the value in the file, and the question is answered.
        """
        return question_table(self.open_questions())

    def open_questions(self) -> list[Question]:
        """Return the questions as records; `questions` has them as a table."""
        return open_questions(self.model, self.mappings)

    # -- in --------------------------------------------------------------------------------------------------------
    def ingest(self, *sources: str | Path | Source, strict: bool = False) -> IngestReport:
        """Keep files or sources in the ledger and bring history up to date.

        Parameters
        ----------
        *sources : path or Source
            Files (read the way the mapping whose ``files`` match them says) or sources such as
            ``twinlab.sources.csv("fridges.csv", mapping="fridges.yaml")``.
        strict : bool
            Refuse while a question is open; see `questions`.

        Returns
        -------
        IngestReport
            Rows read, kept, known already, late, unknown, unparseable.

        Raises
        ------
        SourceError
            If a file isn't there or can't be read.
        SchemaError
            If ``strict`` and a question is open; nothing is taken in then.
        HistoryConflictError
            If another process writes to this twin.
        """
        began = time.perf_counter()
        resolved = [self._with_mapping(resolve_source(source, self.mappings)) for source in sources]
        asked = self.open_questions()
        if strict and asked:
            msg = "\n".join(
                [f"expected every question answered, {len(asked)} are open; nothing was taken in", *checklist(asked)]
            )
            raise SchemaError(msg)
        kept = [keep(self.ledger, source) for source in resolved]
        with progress_bar("history", unit=" cells") as show:
            build = self._historian().catch_up(show)
        self._reader = None
        return IngestReport(
            tuple(_part(one, build) for one in kept),
            seconds=time.perf_counter() - began,
            notes=tuple(build.notes),
            questions=tuple(asked),
        )

    def rebuild(self, *, client: Client | None = None) -> BuildReport:
        """Build history anew from the ledger with the model and the mappings as they stand on disk.

        It works by partition and goes on where a rebuild that was interrupted stopped.

        Parameters
        ----------
        client : distributed.Client, optional
            Build on this Dask cluster; by default on as many threads as there are cores.
        """
        self._model, self.mappings = read_definitions(self.folder)
        with progress_bar("rebuild", unit=" cells") as show:
            report = self._historian().rebuild(show, client=client)
        self._reader = None
        return report

    # -- out -------------------------------------------------------------------------------------------------------
    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type as a lazy Dataset, dims ``time, asset``.

        Parameters
        ----------
        asset_type : str
            A key of the model's ``asset_types``.
        signals, assets : sequence of str, optional
            All by default. Signals of several cadences at once need ``step``.
        start, stop : str, datetime, numpy.datetime64, optional
            Half-open span ``[start, stop)``; naive times are UTC.
        step : str, optional
            Return rollups at this step (``"1h"``): ``<signal>_mean``, ``_min``, ``_max``, ``_sum``, ``_count``.

        Raises
        ------
        UnknownTermError
            If the model has no such asset type, signal or asset.
        """
        return self.reader.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)

    def events(self, event_type: str, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return the events of one type, those that overlap ``[start, stop)`` if given."""
        return self.reader.events(event_type, start=start, stop=stop)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type with their properties, indexed by asset id."""
        return self.reader.assets(asset_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type: ``source, target, valid_from, valid_until``."""
        return self.reader.relationships(relationship)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal stand ready, finest first."""
        return self.reader.steps(asset_type, signal)

    def observations(self, asset: str, signal: str, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return the exact rows behind a signal of one asset (``"airport/EWR"``), with where each came from."""
        return self.reader.observations(asset, signal, start=start, stop=stop)

    def as_of(self, known: object, *, mapping: Literal["then", "current"] = "then") -> HistoryReader:
        """Return the twin as it was known at an ingest time, with the mapping of ``"then"`` or ``"current"``."""
        return self.reader.as_of(known, mapping=mapping)

    def explore(self, *, page: str = "history") -> Workspace:
        """Return the explorer of this twin: the same object in JupyterLab and in a served page.

        Parameters
        ----------
        page : str
            The page it opens on: "now", "map", "history", "events" or "quality", of those that the twin can fill.
        """
        from twinlab.explore import Workspace  # noqa: PLC0415  (Panel loads only when looked at)

        return Workspace(self, page=page)

    def export(
        self,
        what: str,
        target: str | Path,
        *,
        signals: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> Path:
        """Write an asset type's history or an event table to Zarr, Parquet, CSV or Excel, by the target's ending.

        Raises
        ------
        UnknownTermError
            If ``what`` is neither an asset type nor an event type of the model.
        SchemaError
            If the ending is none of those, or the table is too long for Excel.
        """
        from twinlab.twin.export import export_dataset, export_table  # noqa: PLC0415  (Excel writers load late)

        if what in self._model.asset_types:
            data = self.history(what, signals=signals, start=start, stop=stop, step=step)
            return export_dataset(data, Path(target))
        if what in self._model.event_types:
            return export_table(self.events(what, start=start, stop=stop), Path(target))
        known = [*self._model.asset_types, *self._model.event_types]
        msg = f"the twin has neither an asset type nor an event type {what!r}{nearest(what, known)}"
        raise UnknownTermError(msg)

    # -- notes -----------------------------------------------------------------------------------------------------
    def annotate(
        self, key: str, *, note: str | None = None, acknowledged: bool | None = None, author: str, time: object = None
    ) -> None:
        """Note something on an exception, or acknowledge it; durable when it returns.

        Parameters
        ----------
        key : str
            The exception's ``key``, as `twinlab.events.exceptions` gives it.
        note : str, optional
            The note from now on; "" clears it, None leaves it.
        acknowledged : bool, optional
            None leaves it.
        author : str
            Who says so.
        time : instant, optional
            When; now by default. Naive is UTC.

        Raises
        ------
        SchemaError
            If key or author are missing, or there is nothing to say.
        HistoryConflictError
            If another process kept the journal for too long.
        """
        self._notes.write([annotation(key, note=note, acknowledged=acknowledged, author=author, time=time)])

    def annotate_many(self, said: Sequence[Annotation]) -> None:
        """Keep several annotations under one sync, as `twinlab.events.annotation` makes them."""
        self._notes.write(said)

    def notes(self, *, history: bool = False) -> pd.DataFrame:
        """Return the notes on exceptions as they stand: ``key, note, acknowledged, author, time``.

        ``history`` gives every state that each was in, in the order of writing.
        """
        return self._notes.table(history=history)

    # -- care ------------------------------------------------------------------------------------------------------
    def verify(self) -> VerifyReport:
        """Read every byte of the ledger again and check it against its checksums."""
        with progress_bar("verify", unit="B") as show:
            return self.ledger.verify(progress=show)

    def close(self) -> None:
        """Let go of open files."""
        self._reader = None

    def _catch_up(self) -> BuildReport:
        return self._historian().catch_up()

    def _historian(self) -> Historian:
        return Historian(self.folder, self.ledger, self._model, self.mappings)

    def _with_mapping(self, source: Source) -> Source:
        """Take over the mapping file that a source brings along."""
        if source.mapping is not None:
            mapping = adopt_mapping(self.folder, source.mapping, self._model)
            self.mappings = {**self.mappings, mapping.source: mapping}
        return source


def _part(kept: Kept, build: BuildReport) -> SourceReport:
    tally = build.sources.get(kept.source)
    note = kept.note
    if tally is None:
        return SourceReport(
            kept.source, kept.name, rows_read=kept.rows_read, rows_kept=kept.rows_kept, duplicates=kept.duplicates,
            retracted=kept.retracted, unparseable=kept.unparseable, problems=kept.problems, note=note,
        )  # fmt: skip
    return SourceReport(
        kept.source,
        kept.name,
        rows_read=kept.rows_read,
        rows_kept=kept.rows_kept,
        duplicates=kept.duplicates + tally.duplicates,
        late=tally.late,
        retracted=kept.retracted,
        unparseable=kept.unparseable + tally.problem_count,
        problems=(kept.problems + tuple(tally.problems))[:100],
        unknown=tuple(UnknownTerm(term, one.rows, one.message) for term, one in tally.unknown.items()),
        values=tally.values,
        missing_values=tally.missing,
        events=tally.events,
        start=tally.start,
        stop=tally.stop,
        note=note,
    )
