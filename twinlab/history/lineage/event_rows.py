"""The rows of the ledger that state an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.history.build.event_tables import HIDDEN, rows_of
from twinlab.history.read.observations import file_names
from twinlab.ledger.blobs import reading_name

if TYPE_CHECKING:
    from twinlab.history.read.reader import HistoryReader

__all__ = ["event_rows"]


def event_rows(reader: HistoryReader, event_type: str, event_id: str) -> pd.DataFrame:
    """Return the rows that state an event, the one that counts last.

    Parameters
    ----------
    reader : HistoryReader
    event_type, event_id : str

    Returns
    -------
    DataFrame
        ``standing`` (valid, superseded), ``source, file, row, ingest_time, position`` (ordinal in the ledger), and the columns
        of the event as the row states them. Empty if no row states it.
    """
    pin = reader.pinned()
    pin.sources.prepare(pin.position)
    views = [view for name, view in sorted(pin.sources.views.items()) if name in pin.position]
    stated = rows_of(views, "event", event_type, stop=pin.position)
    if stated is None:
        return pd.DataFrame()
    stated = stated.filter(pc.equal(stated["event_id"], event_id))
    order = [("_ingest", "ascending"), ("_source", "ascending"), ("_ordinal", "ascending")]
    stated = stated.take(pc.sort_indices(stated, sort_keys=order))
    origins = [_origin(reader, str(source), int(at)) for source, at in zip(*_columns(stated), strict=True)]
    found = pd.DataFrame(
        {
            "standing": ["superseded"] * (len(stated) - 1) + ["valid"] * min(1, len(stated)),
            "source": stated["_source"].to_pylist(),
            "file": [file for file, _ in origins],
            "row": pd.array([row for _, row in origins], dtype="Int64"),
            "ingest_time": stated["_ingest"].to_numpy().astype("datetime64[ns]"),
            "position": stated["_ordinal"].to_numpy(),
        }
    )
    columns: pd.DataFrame = stated.drop_columns(list(HIDDEN)).to_pandas()
    return pd.concat([found, columns], axis=1)


def _columns(stated: pa.Table) -> tuple[list[Any], list[Any]]:
    return stated["_source"].to_pylist(), stated["_ordinal"].to_pylist()


def _origin(reader: HistoryReader, source: str, ordinal: int) -> tuple[str | None, int | None]:
    """Return the file of a record and its row there; None where it has none."""
    for frame in reader.ledger.reader(source).frames(start=ordinal, stop=ordinal + 1):
        file = frame.file_id
        numbers = frame.row_numbers()
        row = None if numbers is None else int(numbers[np.flatnonzero(frame.ordinals() == ordinal)[0]])
        return None if file is None else file_names(reader.ledger, source).get(file) or reading_name(file) or file, row
    return None, None
