"""FIND: event tables as plain DataFrames: overlap, filters, delays, status."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {"STATUSES": "tables", "delays": "tables", "overlapping": "tables", "select": "tables", "status": "tables"},
)
