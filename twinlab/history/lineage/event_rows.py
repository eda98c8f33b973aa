"""The rows of the ledger that state events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.history.build.event_tables import HIDDEN, RETRACTS, rows_of
from twinlab.history.read.observations import file_names
from twinlab.ledger.blobs import reading_name

if TYPE_CHECKING:
    from twinlab.history.read.reader import HistoryReader

__all__ = ["event_rows"]

_ORDER = [("_ingest", "ascending"), ("_source", "ascending"), ("_ordinal", "ascending")]


def event_rows(reader: HistoryReader, event_type: str, event_ids: Sequence[str]) -> pd.DataFrame:
    """Return the rows that state some events, in the order in which they were ingested.

    Parameters
    ----------
    reader : HistoryReader
    event_type : str
    event_ids : sequence of str

    Returns
    -------
    DataFrame
        ``standing`` (valid: the event is as this row states it; superseded; retraction: the source has deleted the event), ``source, file, row, ingest_time, position``
        (ordinal in the ledger), and the columns of the event as the row states them. Empty if no row states one of the events.
    """
    pin = reader.pinned()
    pin.sources.prepare(pin.position)
    views = [view for name, view in sorted(pin.sources.views.items()) if name in pin.position]
    stated = rows_of(views, "event", event_type, stop=pin.position)
    if stated is None:
        return pd.DataFrame()
    stated = stated.filter(pc.is_in(stated["event_id"], pa.array(list(event_ids), pa.string())))
    stated = stated.take(pc.sort_indices(stated, sort_keys=_ORDER))
    columns: pd.DataFrame = stated.drop_columns([name for name in HIDDEN if name in stated.column_names]).to_pandas()
    standing = np.where(columns["event_id"].duplicated(keep="last"), "superseded", "valid")
    if RETRACTS in stated.column_names:
        standing = np.where(stated[RETRACTS].fill_null(pa.scalar(value=False)).to_numpy(), "retraction", standing)
    source = stated["_source"].to_numpy(zero_copy_only=False)
    position = stated["_ordinal"].to_numpy()
    found = pd.DataFrame(
        {
            "standing": standing,
            "source": source,
            "file": pd.Series(None, index=columns.index, dtype="str"),
            "row": pd.array([pd.NA] * len(columns), dtype="Int64"),
            "ingest_time": stated["_ingest"].to_numpy().astype("datetime64[ns]"),
            "position": position,
        }
    )
    for name in dict.fromkeys(source.tolist()):
        mine = np.flatnonzero(source == name)
        files, rows = _origins(reader, name, position[mine])
        found.loc[mine, "file"] = files
        found.loc[mine, "row"] = pd.array(rows, dtype="Int64")
    return pd.concat([found, columns], axis=1)


def _origins(reader: HistoryReader, source: str, ordinals: np.ndarray) -> tuple[list[str | None], list[int | None]]:
    """Return the file of each record of a source and its row there; None where it has none."""
    names = file_names(reader.ledger, source)
    files: list[str | None] = [None] * len(ordinals)
    rows: list[int | None] = [None] * len(ordinals)
    if not len(ordinals):
        return files, rows
    for frame in reader.ledger.reader(source).frames(start=int(ordinals.min()), stop=int(ordinals.max()) + 1):
        known = frame.ordinals()
        at = np.minimum(np.searchsorted(known, ordinals), len(known) - 1)
        mine = np.flatnonzero(known[at] == ordinals) if frame.kind == "records" else np.empty(0, np.int64)
        numbers = frame.row_numbers() if mine.size else None
        file = (
            None if frame.file_id is None else names.get(frame.file_id) or reading_name(frame.file_id) or frame.file_id
        )
        for place in mine.tolist():
            files[place] = file
            rows[place] = None if numbers is None else int(numbers[at[place]])
    return files, rows
