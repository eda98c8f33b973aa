"""The bytes that a twin uses, by what they are for, and the span of time that they are for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twinlab._files import disk_usage
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.store.view import View

__all__ = ["StorageUse", "storage_use"]


@dataclass(frozen=True)
class StorageUse:
    """Bytes by what they are for."""

    ledger: int
    """Rows as they arrived."""
    files: int
    """Copies of the files that rows came from."""
    cells: int
    """Values and flags at the signals' own cadence."""
    rollups: int
    tables: int
    """Assets, relationships and events."""
    other: int
    """Metadata of the history and its earlier states, which don't grow with time."""
    days: float
    """Span of time of the cells, from the first to the last, in days; 0 without cells."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.ledger + self.files + self.cells + self.rollups + self.tables + self.other


def storage_use(root: Path, view: View | None) -> StorageUse:
    """Return what the twin in a folder uses, whose published history is ``view``; None if it has none yet."""
    groups = set() if view is None else {f"{group.path}/" for group in view.groups()}
    cells = rollups = tables = 0
    for path, size in (view.bytes() if view is not None else {}).items():
        array = path.lstrip("/")
        if not any(array.startswith(group) for group in groups):
            tables += size
        elif "/rollup/" in array:
            rollups += size
        else:
            cells += size
    files = disk_usage(root / "ledger" / "blobs")[1]
    history = disk_usage(root / "history")[1]
    return StorageUse(
        ledger=disk_usage(root / "ledger")[1] - files,
        files=files,
        cells=cells,
        rollups=rollups,
        tables=tables,
        other=max(0, history - cells - rollups - tables),
        days=0.0 if view is None else _days(view),
    )


def _days(view: View) -> float:
    spans = [
        (view.catalog.entry(group).axis.time(low), view.catalog.entry(group).axis.time(high))
        for group in view.groups()
        for low, high in [view.extent(group)]
        if low < high
    ]
    return (max(high for _, high in spans) - min(low for low, _ in spans)) / DAY_NS if spans else 0.0
