"""REMEMBER: arrays (time, asset) in Zarr on Icechunk, built from the ledger; rollups, as-of, tables of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.history.build import BUILD_VERSION
    from twinlab.history.historian import Historian
    from twinlab.history.reader import HistoryReader
    from twinlab.history.report import BuildReport
    from twinlab.history.store import HistoryStore

__all__ = ["BUILD_VERSION", "BuildReport", "Historian", "HistoryReader", "HistoryStore"]

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
