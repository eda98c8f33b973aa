"""Event tables as they were known at an instant."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.reading import instant_ns

__all__ = ["called_off", "events_at"]


def events_at(table: pd.DataFrame, at: object) -> pd.DataFrame:
    """Return an event table without what happened after an instant.

    Actual times after ``at`` become NaT; planned times don't change, since plans are made before. Nor do other columns:
    when they became known isn't recorded.

    Parameters
    ----------
    table : DataFrame
        With ``start`` and ``end``, naive UTC.
    at : instant
        Naive is UTC.

    Raises
    ------
    SchemaError
        If a time column is missing or ``at`` is no instant.

    >>> times = pd.to_datetime(["2013-01-01", "2013-01-03"])
    >>> events_at(pd.DataFrame({"start": times, "end": times}), "2013-01-02")["end"].notna().tolist()
    [True, False]
    """
    lacking = [name for name in ("start", "end") if name not in table]
    if lacking:
        msg = f"an event table needs the columns start and end; it has {', '.join(map(str, table.columns))}"
        raise SchemaError(msg)
    when = pd.Timestamp(np.datetime64(instant_ns(at), "ns"))
    return table.assign(**{name: table[name].where(table[name] <= when) for name in ("start", "end")})


def called_off(table: pd.DataFrame) -> np.ndarray:
    """Return which events were cancelled: those whose column ``cancelled`` is true or whose ``status`` is "cancelled".

    >>> called_off(pd.DataFrame({"status": ["done", "Cancelled", None]})).tolist()
    [False, True, False]
    """
    off = np.zeros(len(table), dtype=bool)
    if "cancelled" in table:
        off |= table["cancelled"].eq(other=True).fillna(value=False).to_numpy(dtype=bool)
    if "status" in table and not pd.api.types.is_numeric_dtype(table["status"]):
        statuses = table["status"].astype("str").str.casefold().isin(("cancelled", "canceled"))
        off |= statuses.fillna(value=False).to_numpy(dtype=bool)
    return off
