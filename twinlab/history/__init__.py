"""REMEMBER: arrays (time, asset) in Zarr on Icechunk, built from the ledger; rollups, as-of, tables of events."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "BUILD_VERSION": "build",
        "BuildReport": "report",
        "Historian": "historian",
        "HistoryReader": "reader",
        "HistoryStore": "store",
    },
)
