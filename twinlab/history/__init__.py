"""REMEMBER: arrays (time, asset) in Zarr on Icechunk, built from the ledger; rollups, as-of, tables of events.

In: the ledger of a twin, its model and mappings. Out: lazy xarray Datasets, DataFrames, plain Zarr.
Read in order: `layout` (where a cell is), `store` (bytes), `index` (which rows concern it), `build` (claims to cells, pure),
then `write` (the one writer) and `read` (any number of readers), which don't import each other;
`calibrated`, `lineage` and `revisions` need both.
Never: a value without a row in the ledger, a history published by half, a result that depends on the order of arrival.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.history.build.build import BUILD_VERSION
    from twinlab.history.build.report import BuildReport
    from twinlab.history.read.reader import HistoryReader
    from twinlab.history.write.historian import Historian
    from twinlab.history.write.history_store import HistoryStore
    from twinlab.history.write.housekeeping import CompactReport
    from twinlab.history.write.maintenance import verify_states

__all__ = [
    "BUILD_VERSION",
    "BuildReport",
    "CompactReport",
    "Historian",
    "HistoryReader",
    "HistoryStore",
    "verify_states",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "BUILD_VERSION": "build.build",
        "BuildReport": "build.report",
        "CompactReport": "write.housekeeping",
        "Historian": "write.historian",
        "HistoryReader": "read.reader",
        "HistoryStore": "write.history_store",
        "verify_states": "write.maintenance",
    },
)
