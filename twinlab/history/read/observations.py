"""The rows behind a signal, with their origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.harmonise.claims import Claims, Series
from twinlab.harmonise.tables.statuses import status_column
from twinlab.history.build.mapping_context import Sources
from twinlab.history.index.reach import NEVER
from twinlab.history.read.standing import standing_of
from twinlab.ledger.blobs import reading_name
from twinlab.model.twinmodel import Signal

if TYPE_CHECKING:
    from twinlab.history.build.rows.source_view import SourceView
    from twinlab.ledger import Ledger
    from twinlab.ledger.format.frames import Frame
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["file_names", "observations"]

_COLUMNS = (
    "time", "value", "source", "tag", "written", "written_unit", "ingest_time", "epoch", "sequence", "op", "key", "priority",
    "file", "row", "position",
)  # fmt: skip

#: No row number.
_NO_ROW = int(np.iinfo(np.int64).min)


def observations(
    sources: Sources,
    position: Mapping[str, int],
    series: tuple[str, str, str],
    signal: Signal,
    *,
    span: tuple[int | None, int | None],
    ledger: Ledger,
    everything: bool = False,
) -> pd.DataFrame:
    """Return the rows of a series, each once: superseded ones included, repetitions and withdrawn files left out.

    Parameters
    ----------
    series : (asset type, asset, signal)
    span : (int, int)
        Event times [start, stop), ns UTC; None is unbounded.
    everything : bool
        Return every claim, with its ``standing``: valid, repeated, superseded, retracted, retraction or withdrawn.

    Returns
    -------
    DataFrame
        ``time`` (event time, UTC), ``value`` (in the signal's unit, not rounded to its resolution), and the row's
        origin: ``source, tag, written, written_unit`` (as the source wrote them), ``ingest_time``, ``epoch,
        sequence, op`` (observe or retract), ``key, priority, file, row, position`` (ordinal in the ledger); ``status`` (the
        source's own, as written) if a row has one. Sorted by time, then by ingest time.
    """
    low = -NEVER if span[0] is None else span[0]
    high = NEVER if span[1] is None else span[1]
    wanted = Series(*series)
    found = _Found(ledger, sources.model)
    for name in sorted(set(position) & set(sources.views)):
        view = sources.views[name]
        if wanted not in view.index.series:
            continue
        group = view.index.group_of.get((wanted.asset_type, wanted.signal))
        near = view.index.covering(group, low, high, position[name], withdrawn=everything)
        hint = None if span[0] is None or span[1] is None else (low, high)
        ended = view.withdrawn_before(position[name])
        frames = view.harmonised(near, stop=position[name], time=hint, withdrawn=everything, series=(wanted,))
        for frame, harmonised in frames:
            c = harmonised.claims
            codes = [n for n, one in enumerate(c.series) if one == wanted]
            mine = np.isin(c.code, codes) & (c.event_time >= low) & (c.event_time < high)
            if mine.any():
                found.add(view, frame, c.select(mine), ended)
        at = view.index.late_within(low, high, position[name], withdrawn=everything)
        at = view.outside(at[view.index.late["code"][at] == view.index.series[wanted]], view.rows_of(near))
        for frame, late in view.frames_of(at, stop=position[name]):
            found.add(view, frame, late, ended)
    columns = [*_COLUMNS, *(["status"] if found.has_status else []), *(["standing"] if everything else [])]
    out = found.table()
    if out is None:
        return pd.DataFrame({name: pd.Series(dtype="float64" if name == "value" else "str") for name in columns})
    out["standing"] = standing_of(out)
    if not everything and (out["standing"] == "repeated").any():
        out = out[out["standing"] != "repeated"].reset_index(drop=True)
    out.attrs["units"] = signal.unit
    return out[columns]


class _Found:
    """The rows of some claims; they become a table at the end, since a table a frame costs more than its rows."""

    def __init__(self, ledger: Ledger, model: TwinModel) -> None:
        self._ledger, self._model = ledger, model
        self.has_status = False
        self._files: dict[str, dict[str, str]] = {}
        self._numbers: dict[str, list[npt.NDArray[Any]]] = {}
        self._texts: dict[str, list[pa.Array]] = {}

    def add(self, view: SourceView, frame: Frame, claims: Claims, ended: Mapping[str, int]) -> None:
        """Add the rows of some claims of one frame; files end, withdrawn, at the ordinals ``ended``."""
        source = view.name
        ordinals = frame.ordinals()
        at = np.searchsorted(ordinals, claims.ordinal)
        if frame.kind == "observations" and (np.diff(ordinals) < 0).any():
            # A sealed frame is sorted by tag and time.
            order = np.argsort(ordinals, kind="stable")
            at = order[np.searchsorted(ordinals, claims.ordinal, sorter=order)]
        batch, count = frame.batch(), len(at)
        tag, place = np.unique(claims.tag, return_inverse=True)
        tags = [claims.tags[code] for code in tag.tolist()]
        written, units = _written(frame, batch, at, (tags, place))
        withdrawn = frame.first < ended.get(frame.file_id or "", 0)
        numbers = {
            "time": claims.event_time.astype("datetime64[ns]"), "value": claims.value,
            "ingest_time": frame.ingest_times()[at].astype("datetime64[ns]"), "epoch": claims.epoch,
            "sequence": claims.sequence, "retracts": claims.op != 0, "priority": claims.priority,
            "row": _row_numbers(frame, batch, at), "position": claims.ordinal, "withdrawn": np.full(count, withdrawn),
        }  # fmt: skip
        keys = [None] * count if claims.key is None else [None if key is None else str(key) for key in claims.key]
        texts = {
            "source": _repeated([source], np.zeros(count, np.int64)), "tag": _repeated(tags, place), "written": written,
            "written_unit": units, "key": pa.array(keys, pa.string()), "file": self._file(source, frame, batch, at),
            "status": self._status(view.mapping, frame, batch, at, (tags, place)),
        }  # fmt: skip
        self.has_status |= texts["status"].null_count < count
        for name, column in numbers.items():
            self._numbers.setdefault(name, []).append(column)
        for name, text in texts.items():
            self._texts.setdefault(name, []).append(text)

    def table(self) -> pd.DataFrame | None:
        """Return all rows, sorted by time, then by ingest time; None if there are none."""
        if not self._numbers:
            return None
        numbers = {name: np.concatenate(parts) for name, parts in self._numbers.items()}
        order = np.lexsort((numbers["position"], numbers["ingest_time"], numbers["time"]))
        columns: dict[str, Any] = {name: column[order] for name, column in numbers.items()}
        columns["op"] = (
            pa.array(["observe", "retract"]).take(pa.array(columns.pop("retracts").astype(np.int8))).to_pandas()
        )
        columns["row"] = pd.array(np.where(columns["row"] == _NO_ROW, 0, columns["row"]), dtype="Int64")
        columns["row"][numbers["row"][order] == _NO_ROW] = pd.NA
        for name, parts in self._texts.items():
            column = pa.chunked_array(parts)
            empty = column.null_count == len(column)
            columns[name] = np.full(len(order), None) if empty else column.take(pa.array(order)).to_pandas()
        return pd.DataFrame({name: columns[name] for name in (*_COLUMNS, "status", "withdrawn")})

    def _status(
        self,
        mapping: SourceMapping,
        frame: Frame,
        batch: pa.RecordBatch,
        at: npt.NDArray[np.int64],
        tags: tuple[list[str], npt.NDArray[np.int64]],
    ) -> pa.Array:
        """Return the source's own status of each row's value, as written."""
        if frame.kind == "observations":
            return _texts(_column(batch, "status", at, pa.int32()))
        names = [
            status_column(mapping, self._model, frame.record_type or "", tag.rpartition("@")[0] or tag)
            for tag in tags[0]
        ]
        return _written_in(batch, at, names, tags[1])

    def _file(self, source: str, frame: Frame, batch: pa.RecordBatch, at: npt.NDArray[np.int64]) -> pa.Array:
        """Return the name of the file of each row."""
        if frame.kind == "observations":
            ids = _column(batch, "origin_file", at).dictionary_encode()
        else:
            ids = pa.array([frame.file_id] * len(at), pa.string()).dictionary_encode()
        if source not in self._files:
            self._files[source] = file_names(self._ledger, source)
        known = self._files[source]
        names = [known.get(one) or reading_name(one) or one for one in ids.dictionary.to_pylist()]
        return pa.array(names, pa.string()).take(ids.indices)


def file_names(ledger: Ledger, source: str) -> dict[str, str]:
    """Return the name of each file of a source, by its id."""
    return {file_id: file for file, file_id in ledger.blobs.names(source).items()}


def _row_numbers(frame: Frame, batch: pa.RecordBatch, at: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the number of each row in its file, `_NO_ROW` where there is none."""
    numbers = frame.row_numbers() if frame.kind == "records" else None
    if numbers is not None:
        return numbers[at]
    found: npt.NDArray[np.int64] = _column(batch, "origin_row", at, pa.int64()).fill_null(_NO_ROW).to_numpy()
    return found


def _written(
    frame: Frame, batch: pa.RecordBatch, at: npt.NDArray[np.int64], tags: tuple[list[str], npt.NDArray[np.int64]]
) -> tuple[pa.Array, pa.Array]:
    """Return each value and its unit as the source wrote them; ``tags`` are the distinct ones, and which one each row has."""
    if frame.kind == "observations":
        values = _texts(_column(batch, "value", at, pa.float64()))
        return pc.coalesce(_column(batch, "text", at), values), _column(batch, "unit", at)
    columns = [_column_of(tag, batch.schema.names) for tag in tags[0]]
    units = _repeated([None if name is None else frame.units.get(name) for name in columns], tags[1])
    return _written_in(batch, at, columns, tags[1]), units


def _written_in(
    batch: pa.RecordBatch, at: npt.NDArray[np.int64], columns: Sequence[str | None], place: npt.NDArray[np.int64]
) -> pa.Array:
    """Return the text of the column that each row's tag has: ``columns`` of the tags, and which tag each row has."""
    if len(set(columns)) == 1:
        return _texts(_column(batch, columns[0] or "", at))
    out = np.full(len(at), None, dtype=object)
    for number, name in enumerate(columns):
        rows = np.flatnonzero(place == number)
        out[rows] = _texts(_column(batch, name or "", at[rows])).to_numpy(zero_copy_only=False)
    return pa.array(out, pa.string())


def _repeated(texts: Sequence[str | None], place: npt.NDArray[np.int64]) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(place))


def _texts(column: pa.Array) -> pa.Array:
    """Return values as text; each distinct value is written once."""
    if pa.types.is_string(column.type):
        return column
    coded = column.dictionary_encode()
    return pa.array([_text(value) for value in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _column_of(tag: str, names: Sequence[str]) -> str | None:
    """Return the column that a record's tag names: ``temp`` or, with its asset, ``temp@EWR``."""
    if tag in names:
        return tag
    return next((name for name in sorted(names, key=len, reverse=True) if tag.startswith(name + "@")), None)


def _column(batch: pa.RecordBatch, name: str, at: npt.NDArray[np.int64], kind: pa.DataType | None = None) -> pa.Array:
    """Return some rows of a column, without a dictionary; nulls of ``kind`` (text by default) if it is absent."""
    if name not in batch.schema.names:
        return pa.nulls(len(at), kind or pa.string())
    found = batch.column(name).take(pa.array(at))
    return found.dictionary_decode() if pa.types.is_dictionary(found.type) else found


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
