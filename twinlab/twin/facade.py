"""`Twin`: one object that connects ledger, harmonise, history, events and explorers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import twinlab.explore.accessor  # noqa: F401  (adds ``.twin`` to what a twin returns)
from twinlab.errors import SchemaError
from twinlab.history import HistoryReader
from twinlab.twin.alerting.methods import AlertMethods
from twinlab.twin.alerting.store import AlertStore
from twinlab.twin.annotating.methods import AnnotationMethods
from twinlab.twin.annotating.store import AnnotationStore
from twinlab.twin.anomalies.methods import AnomalyMethods
from twinlab.twin.asking.methods import AskMethods
from twinlab.twin.backup.methods import BackupMethods
from twinlab.twin.calibrations.store import CalibrationStore
from twinlab.twin.checking.methods import CheckMethods
from twinlab.twin.commanding.methods import CommandMethods
from twinlab.twin.definitions import adopt_mapping
from twinlab.twin.export_methods import ExportMethods
from twinlab.twin.fidelity.methods import FidelityMethods
from twinlab.twin.finders.methods import FinderMethods
from twinlab.twin.finders.store import FinderStore
from twinlab.twin.generating.methods import GenerateMethods
from twinlab.twin.lineage.methods import LineageMethods
from twinlab.twin.live.methods import LiveMethods
from twinlab.twin.predict.methods import PredictMethods
from twinlab.twin.privacy.encrypting import ledger_encryption
from twinlab.twin.privacy.methods import PrivacyMethods
from twinlab.twin.progress import progress_bar
from twinlab.twin.proposals.methods import ProposalMethods
from twinlab.twin.questions import QuestionMethods, checklist
from twinlab.twin.report import IngestReport
from twinlab.twin.revisions.applied import AppliedDefinitions
from twinlab.twin.revisions.revision_log import RevisionLog
from twinlab.twin.scaling.methods import ScalingMethods
from twinlab.twin.security.methods import SecurityMethods
from twinlab.twin.sharing.methods import SharingMethods
from twinlab.twin.simulation.drafting import DraftMethods
from twinlab.twin.summary import SummaryParts, summary_html, summary_text
from twinlab.twin.usage.methods import UsageMethods

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from distributed import Client

    from twinlab.explore import Workspace
    from twinlab.history import BuildReport, CompactReport, Historian
    from twinlab.ledger import VerifyReport
    from twinlab.model.calibration import Calibration
    from twinlab.model.twinmodel import TwinModel
    from twinlab.sources import Source
    from twinlab.twin.retention.forecast import StorageForecast
    from twinlab.twin.writer import TwinWriter

__all__ = ["Twin"]


class Twin(
    CheckMethods,
    ExportMethods,
    AnnotationMethods,
    QuestionMethods,
    ProposalMethods,
    ScalingMethods,
    LineageMethods,
    AlertMethods,
    FinderMethods,
    DraftMethods,
    GenerateMethods,
    PredictMethods,
    AnomalyMethods,
    AskMethods,
    LiveMethods,
    SecurityMethods,
    FidelityMethods,
    PrivacyMethods,
    CommandMethods,
    BackupMethods,
    SharingMethods,
    UsageMethods,
):
    """A twin in a directory: its history, events, assets, notes and exports.

    Made by `twinlab.open`, `twinlab.create` or `twinlab.demo`. Reading needs no lock; who writes takes one, a `writer` while it is open.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.ledger = self._open_ledger()
        self.revision_log = RevisionLog(self.ledger.journal)
        self._definitions = AppliedDefinitions(self.folder, self.ledger, self.revision_log)
        self._annotation_store = AnnotationStore(self.ledger.journal)
        self._alert_store = AlertStore(self.ledger.journal)
        self._finder_store = FinderStore(self.folder, self.ledger.journal)
        self._calibration_store = CalibrationStore(self.folder, self.ledger.journal)
        self.reload()

    def reload(self) -> None:
        """Read the model and the mappings in the twin's folder again."""
        self._reader: HistoryReader | None = None
        self._historian: Historian | None = None
        self._model, self.mappings = self._definitions.read()
        self.ledger.encryption = ledger_encryption(self.folder, self._model, self.mappings)

    @property
    def model(self) -> TwinModel:
        """The model that the history was built with; `edits` says whether ``twin.yaml`` says something else."""
        return self._with_kpis(self.reader.model)

    @property
    def reader(self) -> HistoryReader:
        """The reader of the twin's history, with the newest rows of the ledger."""
        if self._reader is None:
            self._reader = HistoryReader(self.folder, self.ledger, self._model, self.mappings, rebuild=self._catch_up)
        return self._reader

    @property
    def open_code(self) -> str:
        """Python that opens this twin under the name ``twin``, for the code of explorers."""
        return f"import twinlab as tl\n\ntwin = tl.open({str(self.folder)!r})"

    def __repr__(self) -> str:
        # Without a price, the text is the same on every machine.
        priced = self._model.storage is not None and self._model.storage.prices is not None
        storage = self.forecast_storage() if priced else None
        return summary_text(self.model, self.reader, **self._summary_parts(storage))

    def _repr_html_(self) -> str:
        return str(summary_html(self.model, self.reader, **self._summary_parts(self.forecast_storage())))

    def _summary_parts(self, storage: StorageForecast | None) -> SummaryParts:
        noted, edits = self._calibration_summary()
        noted = [*self._synthetic_notes(), *noted]
        return {
            "questions": len(self.open_questions()), "notes": noted, "edits": [*self.edits(), *edits], "storage": storage,
        }  # fmt: skip

    # -- write --------------------------------------------------------------------------------------------------------
    def ingest(self, *sources: str | Path | Source, strict: bool = False) -> IngestReport:
        """Store files or sources in the ledger and update the history.

        Parameters
        ----------
        *sources : path or Source
            Files (read with the options of the mapping whose ``files`` match) or sources such as
            ``twinlab.sources.csv("fridges.csv", mapping="fridges.yaml")``.
        strict : bool
            Refuse while a question is open; see `questions`.

        Returns
        -------
        IngestReport
            Numbers of rows read, stored, known already, late, unknown and unparseable.

        Raises
        ------
        SourceError
            If a file isn't there or can't be read.
        SchemaError
            If ``strict`` and a question is open; nothing is taken in then.
        HistoryConflictError
            If another process writes to this twin.
        """
        # Reading a twin needs neither parsers of files nor what writes a history.
        from twinlab.twin.file_reports import build_notes, file_reports  # noqa: PLC0415
        from twinlab.twin.ingest import names_folders, resolve_source, store  # noqa: PLC0415

        began = time.perf_counter()
        resolved = [self._with_mapping(resolve_source(source, self.mappings)) for source in sources]
        asked = self.open_questions()
        if strict and asked:
            msg = "\n".join(
                [f"expected every question answered, {len(asked)} are open; nothing was taken in", *checklist(asked)]
            )
            raise SchemaError(msg)
        stored = [
            store(self.ledger, source, folders=names_folders(self.mappings.get(source.name))) for source in resolved
        ]
        with progress_bar("history", unit=" cells") as show:
            build = self._current_historian().catch_up(show, gather=True)
        self.update_events()
        self._update_anomalies()
        return IngestReport(
            file_reports(stored, build),
            seconds=time.perf_counter() - began,
            notes=build_notes(stored, build),
            questions=tuple(asked),
        )

    def writer(self, source: str | None = None, *, standby: bool = False) -> TwinWriter:
        r"""Open a writer for many small batches of one source, such as the rows of a live feed.

        It keeps the source locked, and files and caches open: append as often as rows arrive. `ingest` is for files.

        Parameters
        ----------
        source : str, optional
            May be left out if the twin has one mapping.
        standby : bool
            Wait for another process that writes to the source until it has ended; in an object store, or is silent for five seconds.

        Returns
        -------
        TwinWriter
            Its ``append`` takes a DataFrame or Arrow data and returns once the rows are durable; `history` has them then.

        Raises
        ------
        UnknownTermError
            If no mapping has this source.
        HistoryConflictError
            If another process writes to the source; names it.

        Examples
        --------
        >>> import tempfile, pandas as pd, twinlab as tl
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "gauge.csv").write_text("time,level (m)\n2026-03-01T00:00Z,2.1\n2026-03-01T00:01Z,2.2\n")
        >>> twin = tl.create(folder / "pilot", files=[folder / "gauge.csv"])
        >>> with twin.writer() as writer:
        ...     ack = writer.append(pd.DataFrame({"time": ["2026-03-01T00:02Z"], "level (m)": [2.4]}))
        >>> ack.rows, twin.history("gauge").level.values.tolist()
        (1, [[2.4]])
        """
        from twinlab.twin.writer import TwinWriter, source_to_write  # noqa: PLC0415  (reading a twin needs no writer)

        return TwinWriter(self.ledger, source_to_write(self.mappings, source), self._current_historian, standby=standby)

    def rebuild(self, *, client: Client | None = None) -> BuildReport:
        """Rebuild the history from the ledger with the model and the mappings in the twin's folder.

        It works by partition; a rebuild that was interrupted is continued.

        Parameters
        ----------
        client : distributed.Client, optional
            Build on this Dask cluster, whose workers see the twin's folder and read the ledger; this process writes. By default on as many
            threads as there are cores. A worker has the frames of the ledger and the cells of one window in memory.
        """
        self._definitions.remove_missing()
        self.reload()
        with progress_bar("rebuild", unit=" cells") as show:
            return self._current_historian().rebuild(show, client=client)

    # -- read -------------------------------------------------------------------------------------------------------
    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
        calibrated: bool | Calibration | Iterable[Calibration] = False,
        annotated: bool = False,
    ) -> xr.Dataset:
        """Return the history of one asset type as a lazy Dataset of Dask's arrays, dims ``time, asset``.

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
        calibrated : bool, Calibration, or several
            Add ``<signal>_calibrated`` of each gauge (with ``step`` ``<signal>_calibrated_mean``, ``_min``, ``_max``, ``_sum``):
            the values with the twin's calibrations, see `calibrate`, or with those given, to try them. Flags and counts are
            those of the signal.
        annotated : bool
            Add ``<signal>_annotation`` of each signal: 0 none, 1 comment, 2 accepted, 3 rejected, see `annotate`.

        Raises
        ------
        UnknownTermError
            If the model has no such asset type, signal or asset.
        """
        self._note_read(asset_type, fields=signals)
        data = self.reader.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        data = self._labelled(self._with_annotations(data, asset_type) if annotated else data)
        return data if calibrated is False else self._with_calibrated(data, asset_type, calibrated)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type: those that overlap ``[start, stop)`` and are of the ``assets`` (ids), if given.

        A finder of ``twin.yaml`` is a type, too: its events are found, and current. So is ``security_event``, see `security_events`.
        """
        self._note_read(event_type, part="event_types")
        if event_type in self.model.events:
            return self._found_events(event_type, start, stop, assets)
        if event_type == "security_event" and event_type not in self.model.event_types:
            return self._with_security.events(event_type, start=start, stop=stop, assets=assets)
        return self.reader.events(event_type, start=start, stop=stop, assets=assets)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type with their properties, indexed by asset id."""
        self._note_read(asset_type, signals=False)
        return self.reader.assets(asset_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type: ``source, target, valid_from, valid_until``."""
        self._note_links(relationship)
        return self.reader.relationships(relationship)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal are available, finest first."""
        return self.reader.steps(asset_type, signal)

    def observations(
        self,
        asset: str,
        signal: str,
        *,
        start: object = None,
        stop: object = None,
        all: bool = False,  # noqa: A002
    ) -> pd.DataFrame:
        """Return the source rows of a signal of one asset (``"airport/EWR"``), with the origin of each; each row once.

        With ``all``, also repetitions and the rows of withdrawn files, and the ``standing`` of every row: valid, repeated,
        superseded, retracted, retraction or withdrawn.
        """
        self._note_read(asset.partition("/")[0], fields=(signal,))
        return self.reader.observations(asset, signal, start=start, stop=stop, all=all)

    def explore(self, *, page: str = "history") -> Workspace:
        """Return the explorer of this twin: the same object in JupyterLab and in a served page.

        Parameters
        ----------
        page : str
            The page it opens on: "now", "map", "history", "events" or "quality", of those that the twin has.
        """
        from twinlab.explore import Workspace  # noqa: PLC0415  (Panel loads only when looked at)

        return Workspace(self, page=page)

    def verify(self) -> VerifyReport:
        """Read every byte of the ledger again and check it against its checksums."""
        with progress_bar("verify", unit="B") as show:
            return self.ledger.verify(progress=show)

    def compact(self) -> CompactReport:
        """Do all housekeeping at once, of which publications otherwise do a little at a time.

        Rows that wait are published, hot cells of the history compacted, full segments of the ledger sealed to Parquet, and states of the
        history that were replaced more than 24 h ago removed. Personal data older than ``privacy.retention`` can't be read any more.

        Raises
        ------
        HistoryConflictError
            If another process is writing this twin's history.
        """
        self.apply_privacy_retention()
        with progress_bar("compact", unit=" cells") as show:
            return self._current_historian().compact(show)

    def close(self) -> None:
        """Close open files."""
        self._reader = self._historian = None

    def _in_folder(self, folder: Path) -> Twin:
        return Twin(folder)

    def _catch_up(self) -> BuildReport:
        return self._current_historian().catch_up()

    def _current_historian(self) -> Historian:
        """Return the historian of the current model and mappings; it is kept, with what it has read."""
        from twinlab.history import Historian  # noqa: PLC0415  (reading a twin needs no writer)

        if self._definitions.outdated():
            self.reload()
        found = self._historian
        if found is None or found.model is not self._model or found.mappings != self.mappings:
            found = self._historian = Historian(self.folder, self.ledger, self._model, self.mappings)
            found.before_writing = self._definitions.check
        return found

    def _with_mapping(self, source: Source) -> Source:
        """Copy a source's mapping file into the twin's folder, if it has one."""
        if source.mapping is not None:
            mapping = adopt_mapping(self.folder, source.mapping, self._model)
            if self.mappings.get(mapping.source) != mapping:
                self.mappings = {**self.mappings, mapping.source: mapping}
                self._reader = None
                self.ledger.encryption = ledger_encryption(self.folder, self._model, self.mappings)
        return source
