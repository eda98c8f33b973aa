"""A writer for many small batches: it keeps the source's lock, its segment, the historian and their caches open."""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from twinlab.errors import HistoryConflictError, SchemaError, SourceError, TwinlabError, UnknownTermError
from twinlab.history import BuildReport, Historian
from twinlab.history.write.waiting_rows import publication_due
from twinlab.ledger import Ack, Ledger, Records
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.mapping import TableRule, rules_for
from twinlab.model.schema import OBSERVATIONS
from twinlab.model.terms import nearest
from twinlab.sources.columnar import plain_batch
from twinlab.sources.memory import frame_batches
from twinlab.twin.live.offsets import note_of, offsets_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TwinWriter", "source_to_write"]

#: Seconds for which `TwinWriter.close` waits for another process that is publishing.
_PATIENCE = 30.0


def source_to_write(mappings: Mapping[str, SourceMapping], source: str | None) -> SourceMapping:
    """Return the mapping of a source; ``source`` may be None if there is one mapping.

    Raises
    ------
    UnknownTermError
        If no mapping has this source.
    SchemaError
        If ``source`` is None and there is more than one mapping, or none.
    """
    if source is None:
        if len(mappings) != 1:
            which = f"one of {', '.join(sorted(mappings))}" if mappings else "a source: the twin has no mapping yet"
            msg = f"expected source=, {which}"
            raise SchemaError(msg)
        return next(iter(mappings.values()))
    if source not in mappings:
        msg = f"source {source!r} has no mapping{nearest(source, mappings)}; write mapping/{source}.yaml first"
        raise UnknownTermError(msg)
    return mappings[source]


class TwinWriter:
    """Appends batches of one source to a twin; made by `Twin.writer` and used in a ``with`` block.

    Each batch is durable when `append` returns, and readers in this and in other processes have its rows at once. The
    history is published from time to time, and always when the block ends. Threads may share a writer.
    """

    def __init__(
        self, ledger: Ledger, mapping: SourceMapping, historian: Callable[[], Historian], *, standby: bool = False
    ) -> None:
        self._mapping, self._historian = mapping, historian
        self._rules: dict[tuple[str | None, tuple[str, ...]], str | None] = {}
        self._waiting = self._batches = 0
        self._published_at = time.monotonic()
        self._warned = ""
        self._lock = threading.Lock()
        self._writer = ledger.writer(mapping.source, wait=math.inf if standby else 0.0)
        self._reader, self._known = ledger.reader(mapping.source), dict[str, Any]()
        self._noted_until = 0
        self._open = True

    def __repr__(self) -> str:
        state = f"open, position {self.position:,}" if self._open else "closed"
        return f"<TwinWriter of {self.source!r}: {state}>"

    @property
    def source(self) -> str:
        """Name of the source."""
        return self._mapping.source

    @property
    def position(self) -> int:
        """Number of durable rows of the source."""
        return self._writer.position

    @property
    def offsets(self) -> Mapping[str, Any]:
        """Where a producer resumes after a restart: stream -> offset of its last durable rows, of those given to `append`."""
        end = self._reader.position()
        self._known |= offsets_of(self._reader, start=self._noted_until)
        self._noted_until = end
        return dict(self._known)

    def append(
        self,
        data: pd.DataFrame | pa.RecordBatch | pa.Table,
        *,
        table: str | None = None,
        offsets: Mapping[str, Any] | None = None,
    ) -> Ack:
        """Append rows. They are durable when this returns.

        Parameters
        ----------
        data : DataFrame, RecordBatch or Table
            Observations, with columns of ``twinlab.model.schema.OBSERVATIONS`` (``tag`` and ``source_time``, any others),
            or rows of a table of the mapping, with the source's own columns.
        table : str, optional
            Name of the table that the rows are of. It may be left out if the mapping has one table and no ``stream``; with a
            ``stream``, rows without ``table`` are observations.
        offsets : mapping, optional
            The producer's own numbers of these rows by stream, such as ``{"line": 4711}``, which JSON can represent. They become durable
            with the rows or not at all: a producer that resumes after `offsets` when it has crashed sends no row twice and leaves none out.

        Returns
        -------
        Ack
            ``rows``, and the source's ``position`` after them.

        Raises
        ------
        SchemaError
            If a column is missing, unknown (observations) or of another type; nothing was written.
        UnknownTermError
            If the mapping has no such table.
        SourceError
            If the writer is closed, or the disk is full or fails; nothing was written.
        """
        columns = _column_names(data)
        table = self._table(table, columns)
        parts = _observations(data) if table is None else _records(data, table)
        with self._lock:
            self._check_open()
            acks = self._writer.append_many(parts, note=note_of(offsets or {}))
            done = Ack(self.position, max((a.ingest_time for a in acks), default=0), *_totals(acks))
            self._waiting += done.rows
            self._batches += 1
            self._publish_if_due()
        return done

    def publish(self) -> BuildReport:
        """Publish all rows now, and return the report of the build.

        Raises
        ------
        HistoryConflictError
            If another process is publishing; the rows are durable, and readers have them.
        """
        with self._lock:
            self._check_open()
            return self._publish()

    def close(self) -> None:
        """Publish what isn't published, and release the source. Closing again does nothing.

        Raises
        ------
        HistoryConflictError
            If another process has been publishing for half a minute; the rows are durable, and readers have them.
        """
        with self._lock:
            if not self._open:
                return
            self._open = False
            self._writer.close()
            until = time.monotonic() + _PATIENCE
            while self._waiting:
                try:
                    self._publish()
                except HistoryConflictError:
                    if time.monotonic() >= until:
                        raise
                    time.sleep(0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close()
        except TwinlabError as other:
            error.add_note(f"the rows appended before are durable, but weren't published: {other}")

    # -- inside ----------------------------------------------------------------------------------------------------
    def _check_open(self) -> None:
        if not self._open:
            msg = (
                f"the writer of source {self.source!r} is closed; open another with twin.writer(source={self.source!r})"
            )
            raise SourceError(msg)

    def _publish(self) -> BuildReport:
        report = self._historian().catch_up()
        self._waiting, self._batches, self._published_at = 0, 0, time.monotonic()
        return report

    def _publish_if_due(self) -> None:
        """Publish if many rows or old ones wait. The rows are durable in any case, so that a failure is a warning only."""
        since = time.monotonic() - self._published_at
        if not publication_due(self._waiting, self._batches, seconds=since, bulk=True):
            return
        try:
            self._publish()
        except HistoryConflictError:
            # Another process is publishing, these rows perhaps included: the next append tries again.
            return
        except TwinlabError as error:
            self._published_at = time.monotonic()
            if str(error) != self._warned:
                self._warned = str(error)
                warnings.warn(f"rows are stored, but not published yet: {error}", RuntimeWarning, stacklevel=3)

    def _table(self, table: str | None, columns: tuple[str, ...]) -> str | None:
        """Return the name of the table that rows are of, None for observations, after checking their columns."""
        key = (table, columns)
        if key not in self._rules:
            self._rules[key] = self._checked_table(table, columns)
        return self._rules[key]

    def _checked_table(self, table: str | None, columns: tuple[str, ...]) -> str | None:
        names = [rule.table for rule in self._mapping.tables]
        if table is None:
            if self._mapping.stream is not None:
                return None
            if len(names) != 1:
                which = f"one of {', '.join(names)}" if names else "but the mapping has neither `tables` nor `stream`"
                msg = f"source {self.source!r}: expected table=, {which}"
                raise SchemaError(msg)
            # A pattern such as "*" fits any name: the source's own is as good as any.
            table = self.source if "*" in names[0] or "?" in names[0] else names[0]
        rules = [self._mapping.tables[place] for place in rules_for(names, table)]
        if not rules:
            msg = f"source {self.source!r}: the mapping has no table {table!r}{nearest(table, names)}"
            raise UnknownTermError(msg)
        for rule in rules:
            for what, column in _needed(rule):
                if column not in columns:
                    msg = (
                        f"source {self.source!r}, table {table!r}: expected a column {column!r} ({what} of the mapping), "
                        f"got {', '.join(columns) or 'none'}"
                    )
                    raise SchemaError(msg)
        return table


def _needed(rule: TableRule) -> list[tuple[str, str]]:
    """Return the columns without which no row of a table has a meaning, each with the key that names it."""
    time_column = rule.time.column if rule.time is not None else None
    asset_column = rule.asset.column if rule.asset is not None else None
    named = [("time", time_column), ("asset", asset_column), ("tag", rule.tag), ("value", rule.value)]
    return [(key, column) for key, column in named if column is not None]


def _column_names(data: object) -> tuple[str, ...]:
    if isinstance(data, (pa.RecordBatch, pa.Table)):
        return tuple(data.schema.names)
    frame: Any = data
    if hasattr(data, "itertuples") and hasattr(data, "columns"):
        index = [str(name) for name in frame.index.names if name is not None]
        return (*index, *map(str, frame.columns))
    msg = f"expected a pandas DataFrame or a pyarrow RecordBatch or Table, got {type(data).__name__}; convert it first"
    raise SchemaError(msg)


def _batches(data: pa.RecordBatch | pa.Table) -> list[pa.RecordBatch]:
    if isinstance(data, pa.RecordBatch):
        return [data]
    return data.unify_dictionaries().combine_chunks().to_batches() if data.num_rows else []


def _observations(data: Any) -> list[pa.RecordBatch | Records]:  # noqa: ANN401  (of either kind)
    """Return observations as batches; times of any unit become nanoseconds, and those with a zone UTC."""
    if isinstance(data, (pa.RecordBatch, pa.Table)):
        return [*_batches(data)]
    whole = data.reset_index() if any(name is not None for name in data.index.names) else data
    for name in map(str, whole.columns):
        if name not in OBSERVATIONS.names:
            msg = f"column {name!r}: expected columns of observations{nearest(name, OBSERVATIONS.names)}; rename or drop it"
            raise SchemaError(msg)
    arrays = []
    for name in whole.columns:
        try:
            arrays.append(pa.Array.from_pandas(whole[name]))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            want = OBSERVATIONS.field(str(name)).type
            msg = f"column {str(name)!r}: expected {want}, got {whole[name].dtype} ({error}); convert it first"
            raise SchemaError(msg) from error
    whole_arrays = [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays]
    return [pa.RecordBatch.from_arrays(whole_arrays, names=[str(name) for name in whole.columns])]


def _records(data: Any, table: str) -> list[pa.RecordBatch | Records]:  # noqa: ANN401  (of either kind)
    if isinstance(data, (pa.RecordBatch, pa.Table)):
        found = [plain_batch(batch) for batch in _batches(data)]
    else:
        found = [(batch.rows, dict(batch.units)) for batch in frame_batches([data], table, {})]
    return [Records(table, rows, units=units) for rows, units in found if rows.num_rows]


def _totals(acks: list[Ack]) -> tuple[int, int]:
    return sum(ack.rows for ack in acks), sum(ack.bytes for ack in acks)
