"""The rows of a source that arrived last, as it wrote them: for people, and for sources that read rows again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from twinlab.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["recent_rows", "stored_rows"]


#: Rows that are read back from the end of a ledger, at most, and at once.
_MOST, _AT_ONCE = 500_000, 20_000


def stored_rows(ledger: Ledger, source: str, table: str, since_ns: int | None) -> Iterator[pa.RecordBatch]:
    """Yield rows of a table that a source has stored, in the order of their arrival.

    Parameters
    ----------
    since_ns : int, optional
        Rows that arrived then or later, ns UTC; the newest 500,000 of the source at most.
    """
    reader = ledger.reader(source)
    stop = reader.position()
    start = stop
    while start > max(0, stop - _MOST):
        start = max(0, start - _AT_ONCE)
        first = next(iter(reader.frames(start=start, stop=start + 1)), None)
        if since_ns is not None and (first is None or first.ingest_time < since_ns):
            break
    for frame in reader.frames(start=start, stop=stop):
        if frame.kind == "records" and frame.record_type == table:
            yield frame.batch()


def recent_rows(ledger: Ledger, source: str, *, rows: int = 20) -> pd.DataFrame:
    """Return the rows of a source that arrived last, newest first.

    Parameters
    ----------
    ledger : Ledger
    source : str
    rows : int
        Number of rows at most.

    Returns
    -------
    DataFrame
        ``arrived`` (UTC), ``table`` (empty for observations) and the source's own columns; columns without a value are left out.
        ``op`` is there if the source has deleted rows: those are "retract".
        A source's own ``arrived`` and ``table`` are called ``arrived (source)`` and ``table (source)``.
    """
    import pandas as pd  # noqa: PLC0415  (the historian needs none)

    reader = ledger.reader(source)
    stop = reader.position()
    pieces = []
    for frame in reader.frames(start=max(0, stop - rows), stop=stop):
        if frame.kind == "retract_file":
            continue
        piece = frame.batch().to_pandas()
        if "source_time" in piece and frame.kind == "observations":
            piece["source_time"] = pd.to_datetime(piece["source_time"])
        head = pd.DataFrame(
            {"arrived": frame.ingest_times().astype("datetime64[ns]"), "table": frame.record_type or ""},
            index=piece.index,
        )
        if (retracts := frame.retracts()) is not None:
            head["op"] = np.where(retracts, "retract", "observe")
        piece = piece.rename(columns={name: f"{name} (source)" for name in head})
        order = pd.Series(frame.ordinals(), index=piece.index, name="_order")
        pieces.append(pd.concat([head, piece.drop(columns="ingest_time", errors="ignore"), order], axis=1))
    if not pieces:
        return pd.DataFrame({"arrived": pd.Series(dtype="datetime64[ns]"), "table": pd.Series(dtype="str")})
    both = pd.concat(pieces).sort_values("_order", ascending=False).drop(columns="_order").reset_index(drop=True)
    table: pd.DataFrame = both[[c for c in both if c in ("arrived", "table") or both[c].notna().any()]]
    return table
