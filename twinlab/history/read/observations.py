"""The rows behind a signal, with their origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.harmonise.claims import Claims, Series
from twinlab.history.build.ledger_claims import SourceView
from twinlab.history.build.mapping_context import Sources
from twinlab.history.index.reach import NEVER
from twinlab.history.read.standing import standing_of
from twinlab.ledger.blobs import reading_name
from twinlab.model.twinmodel import Signal

if TYPE_CHECKING:
    import pyarrow as pa

    from twinlab.ledger import Ledger
    from twinlab.ledger.format.frames import Frame

__all__ = ["observations"]

_COLUMNS = (
    "time", "value", "source", "tag", "written", "written_unit", "ingest_time", "epoch", "sequence", "op", "key", "priority",
    "file", "row", "position",
)  # fmt: skip


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
        sequence, op`` (observe or retract), ``key, priority, file, row, position`` (ordinal in the ledger). Sorted by
        time, then by ingest time.
    """
    low = -NEVER if span[0] is None else span[0]
    high = NEVER if span[1] is None else span[1]
    wanted = Series(*series)
    parts: list[pd.DataFrame] = []
    names: dict[str, dict[str, str]] = {}
    for name in sorted(set(position) & set(sources.views)):
        view = sources.views[name]
        if wanted not in view.index.series:
            continue
        group = view.index.group_of.get((wanted.asset_type, wanted.signal))
        near = view.index.covering(group, low, high, position[name], withdrawn=everything)
        names[name] = {file_id: file for file, file_id in ledger.blobs.names(name).items()}
        hint = None if span[0] is None or span[1] is None else (low, high)
        ended = view.withdrawn_before(position[name])
        for frame, found in view.harmonised(near, stop=position[name], time=hint, withdrawn=everything):
            c = found.claims
            codes = [n for n, one in enumerate(c.series) if one == wanted]
            mine = np.isin(c.code, codes) & (c.event_time >= low) & (c.event_time < high)
            if mine.any():
                rows = _rows(view, frame, c.select(mine), names[name])
                parts.append(rows.assign(withdrawn=frame.first < ended.get(frame.file_id or "", 0)))
        at = view.index.late_within(low, high, position[name], withdrawn=everything)
        at = view.outside(at[view.index.late["code"][at] == view.index.series[wanted]], view.rows_of(near))
        for frame, late in view.frames_of(at, stop=position[name]):
            rows = _rows(view, frame, late, names[name])
            parts.append(rows.assign(withdrawn=frame.first < ended.get(frame.file_id or "", 0)))
    columns = [*_COLUMNS, "standing"] if everything else list(_COLUMNS)
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype="float64" if name == "value" else "str") for name in columns})
    out = pd.concat(parts, ignore_index=True).sort_values(["time", "ingest_time", "position"], ignore_index=True)
    out["standing"] = standing_of(out)
    if not everything:
        out = out[out["standing"] != "repeated"].reset_index(drop=True)
    out.attrs["units"] = signal.unit
    return out[columns]


def _rows(view: SourceView, frame: Frame, claims: Claims, files: Mapping[str, str]) -> pd.DataFrame:
    ordinals = frame.ordinals()
    at = np.searchsorted(ordinals, claims.ordinal)
    if frame.kind == "observations" and (np.diff(ordinals) < 0).any():
        # A sealed frame is sorted by tag and time.
        order = np.argsort(ordinals, kind="stable")
        at = order[np.searchsorted(ordinals, claims.ordinal, sorter=order)]
    tags = [claims.tags[code] for code in claims.tag]
    batch = frame.batch()
    written, units = _written(frame, batch, at, tags)
    numbers = frame.row_numbers() if frame.kind == "records" else None
    file = _column(batch, "origin_file", at) if frame.kind == "observations" else [frame.file_id] * len(at)
    rows = _column(batch, "origin_row", at) if numbers is None else numbers[at].tolist()
    return pd.DataFrame(
        {
            "time": claims.event_time.astype("datetime64[ns]"),
            "value": claims.value,
            "source": view.name,
            "tag": tags,
            "written": written,
            "written_unit": units,
            "ingest_time": frame.ingest_times()[at].astype("datetime64[ns]"),
            "epoch": claims.epoch,
            "sequence": claims.sequence,
            "op": np.where(claims.op == 0, "observe", "retract"),
            "key": [None] * len(at) if claims.key is None else list(claims.key),
            "priority": claims.priority,
            "file": [
                None if one is None else files.get(str(one)) or reading_name(str(one)) or str(one) for one in file
            ],
            "row": pd.array([None if one is None else int(str(one)) for one in rows], dtype="Int64"),
            "position": claims.ordinal,
        }
    )


def _written(
    frame: Frame, batch: pa.RecordBatch, at: npt.NDArray[np.int64], tags: Sequence[str]
) -> tuple[list[str | None], list[str | None]]:
    """Return each value and its unit as the source wrote them."""
    if frame.kind == "observations":
        texts, values = _column(batch, "text", at), _column(batch, "value", at)
        written = [str(text) if text is not None else _text(value) for text, value in zip(texts, values, strict=True)]
        return written, [None if unit is None else str(unit) for unit in _column(batch, "unit", at)]
    columns = [_column_of(tag, batch.schema.names) for tag in tags]
    cells = {name: batch.column(name) for name in set(columns) if name is not None}
    written = [
        None if name is None else _text(cells[name][int(i)].as_py()) for name, i in zip(columns, at, strict=True)
    ]
    return written, [None if name is None else frame.units.get(name) for name in columns]


def _column_of(tag: str, names: Sequence[str]) -> str | None:
    """Return the column that a record's tag names: ``temp`` or, with its asset, ``temp@EWR``."""
    if tag in names:
        return tag
    return next((name for name in sorted(names, key=len, reverse=True) if tag.startswith(name + "@")), None)


def _column(batch: pa.RecordBatch, name: str, at: npt.NDArray[np.int64]) -> list[object]:
    if name not in batch.schema.names:
        return [None] * len(at)
    found: list[object] = batch.column(name).take(at).to_pylist()
    return found


def _text(value: object) -> str | None:
    return None if value is None else repr(value) if isinstance(value, float) else str(value)
