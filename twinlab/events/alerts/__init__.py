"""Alerts: which exceptions somebody is notified of, what became of each, and who is to be notified now.

In: alerts of ``twin.yaml``, exceptions, what was noted of alerts before. Out: changes to note, messages to send, tables.
Read in order: `records` (an alert, its changes), `causes` (rules and KPIs), `updating` (exceptions to changes), `due` (messages to send), `tables`, `replay`.
Never: a message sent or a change stored here; two alerts for one exception.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "ALERT_COLUMNS": "tables",
        "AlertChange": "records",
        "AlertRecord": "records",
        "alerts_table": "tables",
        "changes": "updating",
        "due": "due",
        "folded": "records",
        "replayed": "replay",
    },
)
