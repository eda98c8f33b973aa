"""Security events as exceptions that raise an alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.intrusion.table import SECURITY_EVENT
from twinlab.events.rules.exception_table import concat, exception_rows
from twinlab.model.alerts.alert import ANY_INTRUSION, Alert
from twinlab.model.rules import Severity

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["security_exceptions"]


@dataclass(frozen=True)
class _Described:
    on: str
    title: str | None
    severity: Severity


def security_exceptions(twin: TwinReader, alert: Alert, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the security events of an alert that overlap ``[start, stop)``; columns as `twinlab.events.episodes` returns them.

    An event is over once nothing more was found for the time within which findings are one event.
    """
    merge = np.timedelta64(twin.model.security.merge_ns, "ns")
    start, stop = np.datetime64(start_ns, "ns"), np.datetime64(stop_ns, "ns")
    found = twin.events(SECURITY_EVENT, start=start - merge, stop=stop)
    if alert.security != ANY_INTRUSION:
        found = found[found["rule"] == alert.security]
    parts = []
    for severity, group in found.groupby("severity", sort=False):
        ends = group["end"].to_numpy(dtype="datetime64[ns]") + merge
        columns = {
            "event_id": group["event_id"].to_numpy(dtype=object),
            "since": group["start"].to_numpy(dtype="datetime64[ns]"),
            "until": np.where(ends < stop, ends, np.datetime64("NaT", "ns")),
            "text": [f"{title}: {text}" for title, text in zip(group["title"], group["text"], strict=True)],
        }
        level: Severity = alert.severity or ("low" if severity == "low" else "high" if severity == "high" else "medium")
        described = _Described(SECURITY_EVENT, alert.title or "Security event", level)
        parts.append(exception_rows(columns, name=str(alert.security), rule=described))
    return concat(parts)
