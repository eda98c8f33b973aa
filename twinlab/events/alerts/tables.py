"""Alerts as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from twinlab.events.alerts.records import AlertRecord
from twinlab.model.rules import SEVERITIES

__all__ = ["ALERT_COLUMNS", "alerts_table"]

#: Columns of a table of alerts and their types.
ALERT_COLUMNS: dict[str, str] = {
    "id": "str", "alert": "str", "state": "str", "title": "str", "severity": "str", "asset_type": "str", "asset": "str",
    "event_type": "str", "event_id": "str", "since": "datetime64[ns]", "noted": "datetime64[ns]", "until": "datetime64[ns]",
    "value": "float64", "limit": "float64", "unit": "str", "text": "str", "acknowledged": "bool",
    "snoozed_until": "datetime64[ns]", "escalations": "int64", "moved": "int64", "withdrawn": "datetime64[ns]", "failed": "str",
    "key": "str",
}  # fmt: skip


def alerts_table(records: Iterable[AlertRecord], acknowledged: Collection[str] = frozenset()) -> pd.DataFrame:
    """Return alerts as a table: active ones first, by severity, then the newest first.

    Parameters
    ----------
    records : iterable of AlertRecord
    acknowledged : collection of str
        Ids and keys that somebody has acknowledged.

    Returns
    -------
    DataFrame
        ``id`` (the same whatever late data change), ``alert`` (its name), ``state`` (active, resolved or withdrawn), ``since``
        and ``until`` of the exception, ``noted`` (when the alert was raised), ``snoozed_until``, ``withdrawn``, ``failed`` (why
        the last message wasn't sent), and what the table of exceptions has.
    """
    rows = []
    for one in records:
        asset_type, asset, event_type, event_id = one.group
        times = {name: _time(getattr(one, name)) for name in ("since", "noted", "until", "snoozed_until", "withdrawn")}
        plain = {
            name: getattr(one, name)
            for name in (
                "id",
                "alert",
                "state",
                "title",
                "severity",
                "text",
                "unit",
                "escalations",
                "moved",
                "failed",
                "key",
            )
        }
        numbers = {name: np.nan if getattr(one, name) is None else getattr(one, name) for name in ("value", "limit")}
        said = {"acknowledged": one.id in acknowledged or one.key in acknowledged}
        about = {"asset_type": asset_type, "asset": asset, "event_type": event_type, "event_id": event_id}
        rows.append({**plain, **times, **numbers, **said, **about})
    table = pd.DataFrame(rows, columns=list(ALERT_COLUMNS)).astype(ALERT_COLUMNS)
    rank = table["severity"].map({name: -place for place, name in enumerate(SEVERITIES)}).to_numpy(dtype=float)
    order = np.lexsort((-table["noted"].to_numpy().astype(np.int64), rank, (table["state"] != "active").to_numpy()))
    return table.iloc[order].reset_index(drop=True)


def _time(at: int | None) -> np.datetime64:
    return np.datetime64("NaT", "ns") if at is None else np.datetime64(at, "ns")
