"""The rows of a source that arrived last, as it wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twinlab.ledger import Ledger

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["recent_rows"]


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
