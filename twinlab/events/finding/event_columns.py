"""Columns of event tables as arrays, as expressions name them: also durations and delays, and whether an event was cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.finding.cells import number_array, text_array
from twinlab.events.tables_as_of import called_off
from twinlab.model.expressions.contexts import EVENT_DURATIONS

if TYPE_CHECKING:
    from twinlab.model.asset_types import EventType

__all__ = ["column_numbers", "column_texts"]


def column_numbers(table: pd.DataFrame, name: str, spec: EventType | None = None) -> NDArray[np.float64]:
    """Return what an expression names as numbers, NaN where it isn't known.

    Times are seconds since 1970, durations seconds, booleans 0 and 1.

    Parameters
    ----------
    table : DataFrame
        Events.
    name : str
        A column; or ``duration``, ``start_delay``, ``end_delay`` and ``cancelled``, which are computed unless they are a property
        of the event type.
    spec : EventType, optional
        By default what the table has as a column isn't computed.

    >>> hours = pd.to_datetime(["2026-03-01 08:00", None])
    >>> column_numbers(pd.DataFrame({"start": hours[[0, 0]], "end": hours[[0, 1]]}), "duration").tolist()
    [0.0, nan]
    """
    stated = name in (table.columns if spec is None else spec.properties)
    if name in EVENT_DURATIONS and not stated:
        later, earlier = (table[one] for one in EVENT_DURATIONS[name])
        return _seconds(later - earlier)
    if name == "cancelled" and not stated:
        off = called_off(table)
        if spec is not None and spec.without_start == "cancelled":
            off |= table["start"].isna().to_numpy()
        return off.astype(float)
    column = table[name]
    return _seconds(column) if pd.api.types.is_timedelta64_dtype(column) else number_array(column)


def column_texts(table: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Return a column as texts, None where it isn't known."""
    return text_array(table[name])


def _seconds(durations: pd.Series) -> NDArray[np.float64]:
    found = durations.to_numpy(dtype="timedelta64[ns]")
    return np.where(np.isnat(found), np.nan, found.astype(np.int64) / 1e9)
