"""FIND: event tables, the present state, where things are, and exceptions from rules, as plain DataFrames."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "KeptReader": "kept",
        "STATUSES": "tables",
        "delays": "tables",
        "events_at": "tables_as_of",
        "overlapping": "tables",
        "positions": "places",
        "present": "latest_values",
        "select": "tables",
        "status": "tables",
    },
)
