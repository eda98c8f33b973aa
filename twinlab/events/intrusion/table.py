"""Security events as an event table."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from twinlab.events.intrusion.joined import SecurityEvent
from twinlab.model.schema import EVENT_COLUMNS

__all__ = ["SECURITY_COLUMNS", "SECURITY_EVENT", "security_table"]

#: Name of the event type, which every twin has.
SECURITY_EVENT = "security_event"
#: Columns that follow those of every event table.
SECURITY_COLUMNS: dict[str, str] = {
    "rule": "str", "title": "str", "severity": "str", "subject": "str", "host": "str", "count": "int64", "text": "str", "evidence": "str",
}  # fmt: skip


def security_table(events: Iterable[SecurityEvent]) -> pd.DataFrame:
    """Return security events as an event table, in order of start.

    Returns
    -------
    DataFrame
        ``event_id, type, asset`` (of a false sensor)``, start, end``, no planned times, then `SECURITY_COLUMNS`: ``subject`` is the
        gateway, person, address or asset that it is about, ``evidence`` the lines that show it.

    >>> event = SecurityEvent("a1", "rate", "Far more rows", "medium", "truck-1", 0, 5, 2, "text")
    >>> security_table([event])[["rule", "subject", "count"]].values.tolist()
    [['rate', 'truck-1', 2]]
    """
    rows = [
        {
            "event_id": one.event_id, "type": SECURITY_EVENT,
            "asset": one.subject if one.rule == "false_sensor" else pd.NA,
            "start": pd.Timestamp(one.start), "end": pd.Timestamp(one.end), "planned_start": pd.NaT, "planned_end": pd.NaT,
            "rule": one.rule, "title": one.title, "severity": one.severity, "subject": one.subject, "host": one.host,
            "count": one.count, "text": one.text, "evidence": "\n".join(one.evidence),
        }
        for one in events
    ]  # fmt: skip
    columns = {**EVENT_COLUMNS, **SECURITY_COLUMNS}
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
