"""The cell that a reader picks in a heat map: which asset it means, and where it lies in other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.explore.views.heatmap.rows import HeatRows

__all__ = ["picked_place", "row_of", "worst_member"]


def worst_member(rows: HeatRows, row: int, column: int) -> str:
    """Return the asset of a row that a click means: of several, the one with the most judged samples in the bin."""
    members = rows.members[row]
    places = [rows.cells.assets.index(asset) for asset in members]
    judged = rows.cells.counts[2:, places, column].sum(axis=0)
    return members[int(np.argmax(judged))]


def row_of(rows: HeatRows, asset: str) -> int | None:
    """Return the row in which an asset is drawn, None where it isn't."""
    return next((i for i, members in enumerate(rows.members) if asset in members), None)


def picked_place(rows: HeatRows | None, picked: tuple[str, Window] | None) -> tuple[int, int] | None:
    """Return (row, bin) of the cell that was picked as (asset, span), None where it isn't drawn."""
    if picked is None or rows is None or not rows.cells.time.size:
        return None
    asset, (start, _) = picked
    row = row_of(rows, asset)
    column = int((start - rows.cells.time[0]) // rows.cells.width)
    return (row, column) if row is not None and 0 <= column < len(rows.cells.time) else None
