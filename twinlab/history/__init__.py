"""REMEMBER: arrays (time, asset) in Zarr on Icechunk, built from the ledger; rollups, as-of, tables of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.history.build.build import BUILD_VERSION
    from twinlab.history.build.report import BuildReport
    from twinlab.history.read.reader import HistoryReader
    from twinlab.history.store.store import HistoryStore
    from twinlab.history.write.historian import Historian

__all__ = ["BUILD_VERSION", "BuildReport", "Historian", "HistoryReader", "HistoryStore"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "BUILD_VERSION": "build.build",
        "BuildReport": "build.report",
        "Historian": "write.historian",
        "HistoryReader": "read.reader",
        "HistoryStore": "store.store",
    },
)
