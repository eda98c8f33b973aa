"""Rows of a heat map: sorted, grouped by a property, and merged where there are more than fit; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from twinlab.explore.views.heatmap.reading import FLAGS, HeatCells, asset_groups
from twinlab.languages import mark, tr
from twinlab.model.flags import FLAG_SEVERITY, Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.charts.reading import Window

__all__ = [
    "ORDERS",
    "SHARE_FLAGS",
    "HeatRows",
    "bin_at",
    "bin_span",
    "drawn_span",
    "heat_rows",
    "picked_place",
    "worst_flags",
    "worst_member",
]

#: Row limit: a screen has hardly more pixels.
MAX_ROWS = 400
Order = Literal["id", "value", "worst"]
#: Label -> order of the rows.
ORDERS: dict[str, Order] = {mark("by name"): "id", mark("largest value first"): "value", mark("worst first"): "worst"}
_BAD_FLAGS = (Flag.SUSPECT, Flag.FAIL, Flag.MISSING)
#: Share that cells can show -> flags that count.
SHARE_FLAGS: dict[str, tuple[Flag, ...]] = {"not_pass": _BAD_FLAGS, "missing": (Flag.MISSING,)}


@dataclass(frozen=True)
class HeatRows:
    """The drawn rows from top to bottom, bins from left to right."""

    cells: HeatCells
    # Name of each row, and the assets in it.
    labels: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    # Per row and bin.
    value: NDArray[np.float64]
    # Largest share of samples with one of the requested flags among the assets of a row, percent, per row and bin.
    share: NDArray[np.float64] | None
    # Per flag, row and bin.
    counts: NDArray[np.int32]
    # How rows were merged, as text; "" if each is one asset.
    grouped: str = ""

    @cached_property
    def worst(self) -> NDArray[np.uint8]:
        """Worst flag of each row and bin; 0 without samples."""
        return worst_flags(self.counts)

    @property
    def totals(self) -> dict[Flag, int]:
        """Number of samples in view, by flag."""
        return {flag: int(n) for flag, n in zip(FLAGS, self.counts.sum(axis=(1, 2)), strict=True)}


def worst_flags(counts: NDArray[np.signedinteger[Any]]) -> NDArray[np.uint8]:
    """Return the worst flag of each cell from counts whose first axis is `FLAGS`; 0 without samples.

    >>> worst_flags(np.array([[5, 0], [0, 0], [1, 0], [0, 0], [0, 2]])).tolist()
    [3, 9]
    """
    out = np.zeros(counts.shape[1:], "uint8")
    for flag in reversed(FLAG_SEVERITY):
        out[counts[FLAGS.index(flag)] > 0] = flag
    return out


def heat_rows(
    cells: HeatCells,
    *,
    labels: Mapping[str, str] | None = None,
    order: Order = "id",
    groups: Mapping[str, str] | None = None,
    share: Sequence[Flag] = (),
    max_rows: int = MAX_ROWS,
) -> HeatRows:
    """Return the rows of a heat map.

    Parameters
    ----------
    labels : mapping, optional
        Asset -> display name.
    order : {"id", "value", "worst"}
        Order as read; mean value, descending; numbers of failed, missing and suspect samples, descending.
    groups : mapping, optional
        Asset -> group; the assets of a group are merged into one row.
    share : sequence of Flag
        Flags whose share of samples is computed.
    max_rows : int
        Beyond this number neighbouring assets are merged into one row, with the mean of their values (weighted by
        samples; minimum or maximum where cells show that), their worst flag and their largest share.
    """
    names = labels or {}
    if groups is not None:
        keys, place = asset_groups([groups.get(a, "") for a in cells.assets])
        titles = [f"{key or 'none'} ({int((place == i).sum())})" for i, key in enumerate(keys)]
        rows = _merged(cells, place, titles, share)
        shown = _ordered(rows, order)
        note = tr("one row for each group: {cells}", cells=_how(cells))
        return _limited(shown, max_rows, note=note)
    rows = _merged(cells, np.arange(len(cells.assets)), [names.get(a, a) for a in cells.assets], share)
    return _limited(_ordered(rows, order), max_rows, note="")


def _how(cells: HeatCells) -> str:
    value = {"min": tr("smallest value"), "max": tr("largest value")}.get(
        cells.request.measure, tr("mean of their values")
    )
    return tr("{value}, worst flag, largest share", value=value)


def _ordered(rows: HeatRows, order: Order) -> HeatRows:
    if order == "id":
        return rows
    if order == "value":
        some = np.isfinite(rows.value)
        total = np.where(some, rows.value, 0.0).sum(axis=1)
        key = np.where(some.any(axis=1), total / np.maximum(some.sum(axis=1), 1), -np.inf)
        return _taken(rows, np.argsort(-key, kind="stable"))
    sums = {flag: rows.counts[FLAGS.index(flag)].sum(axis=1) for flag in _BAD_FLAGS}
    return _taken(rows, np.lexsort((-sums[Flag.SUSPECT], -sums[Flag.MISSING], -sums[Flag.FAIL])))


def _taken(rows: HeatRows, places: NDArray[np.intp]) -> HeatRows:
    return replace(
        rows,
        labels=tuple(rows.labels[i] for i in places),
        members=tuple(rows.members[i] for i in places),
        value=rows.value[places],
        share=None if rows.share is None else rows.share[places],
        counts=rows.counts[:, places],
    )


def _limited(rows: HeatRows, most: int, *, note: str) -> HeatRows:
    """Merge neighbouring rows until at most ``most`` are left."""
    count = len(rows.labels)
    if count <= most:
        return replace(rows, grouped=note)
    per = -(-count // most)
    place = np.arange(count) // per
    titles = []
    for first in range(0, count, per):
        last = min(first + per, count) - 1
        titles.append(rows.labels[first] if first == last else f"{rows.labels[first]} … {rows.labels[last]}")
    merged = tr(
        "{count:,} rows drawn in {count2:,} of {per}: {cells}",
        count=count,
        count2=len(titles),
        per=per,
        cells=_how(rows.cells),
    )
    return _joined(rows, place, titles, grouped=f"{note}; {merged}" if note else merged)


def _merged(cells: HeatCells, place: NDArray[np.int64], titles: Sequence[str], share: Sequence[Flag]) -> HeatRows:
    part = None
    if share:
        total = np.maximum(cells.counts.sum(axis=0), 1)
        part = 100.0 * cells.counts[[FLAGS.index(flag) for flag in share]].sum(axis=0) / total
    members = tuple((asset,) for asset in cells.assets)
    single = HeatRows(cells, tuple(cells.assets), members, cells.value, part, cells.counts)
    if len(titles) == len(cells.assets):
        return replace(single, labels=tuple(titles))
    return _joined(single, place, titles, grouped="")


def _joined(rows: HeatRows, place: NDArray[np.int64], titles: Sequence[str], *, grouped: str) -> HeatRows:
    """Merge rows; ``place`` is the number of the new row of each."""
    sort = np.argsort(place, kind="stable")
    first = np.searchsorted(place[sort], np.arange(len(titles)))
    members: list[tuple[str, ...]] = [()] * len(titles)
    for old, new in enumerate(place):
        members[new] += rows.members[old]
    return HeatRows(
        rows.cells,
        tuple(titles),
        tuple(members),
        _joined_value(rows, sort, first),
        None if rows.share is None else np.maximum.reduceat(rows.share[sort], first, axis=0),
        _joined_counts(rows.counts, sort, first),
        grouped,
    )


def _joined_counts(counts: NDArray[np.int32], sort: NDArray[np.intp], first: NDArray[np.intp]) -> NDArray[np.int32]:
    out = np.zeros((len(counts), len(first), counts.shape[2]), counts.dtype)
    for joined, one in zip(out, counts, strict=True):
        # Most flags are rare.
        if one.any():
            np.add.reduceat(one[sort], first, axis=0, out=joined)
    return out


def _joined_value(rows: HeatRows, sort: NDArray[np.intp], first: NDArray[np.intp]) -> NDArray[np.float64]:
    value = rows.value[sort]
    some = np.isfinite(value)
    whole = bool(some.all())
    measure = rows.cells.request.measure
    if measure in ("min", "max"):
        none = np.inf if measure == "min" else -np.inf
        fold = np.minimum if measure == "min" else np.maximum
        best = fold.reduceat(np.where(some, value, none), first, axis=0)
        return np.where(np.isfinite(best), best, np.nan)
    good = rows.counts[FLAGS.index(Flag.PASS)] + rows.counts[FLAGS.index(Flag.SUSPECT)]
    weight = np.maximum(good[sort], 1) if whole else np.where(some, np.maximum(good[sort], 1), 0)
    total = np.add.reduceat((value if whole else np.where(some, value, 0.0)) * weight, first, axis=0)
    weights = np.add.reduceat(weight, first, axis=0)
    return np.divide(total, weights, out=np.full(total.shape, np.nan), where=weights > 0)


def worst_member(rows: HeatRows, row: int, column: int) -> str:
    """Return the asset that a click on a row selects: of several, the one with the most suspect and failed samples."""
    members = rows.members[row]
    places = [rows.cells.assets.index(asset) for asset in members]
    bad = rows.cells.counts[2:, places, column].sum(axis=0)
    return members[int(np.argmax(bad))]


def picked_place(rows: HeatRows | None, picked: tuple[str, Window] | None) -> tuple[int, int] | None:
    """Return (row, bin) of the cell selected as (asset, span), None if it isn't drawn."""
    if picked is None or rows is None or not rows.cells.time.size:
        return None
    asset, (start, _) = picked
    row = _row_of(rows, asset)
    column = int((start - rows.cells.time[0]) // rows.cells.width)
    return (row, column) if row is not None and 0 <= column < len(rows.cells.time) else None


def bin_at(rows: HeatRows, x: np.datetime64, y: float) -> tuple[int, int] | None:
    """Return (row, bin) at coordinates of the plot, None outside the image."""
    if not rows.cells.time.size:
        return None
    column = int((x - rows.cells.time[0]) // rows.cells.width)
    row = int(np.floor(y))
    inside = 0 <= row < len(rows.labels) and 0 <= column < len(rows.cells.time)
    return (row, column) if inside else None


def bin_span(rows: HeatRows, column: int) -> Window:
    """Return the span of a bin."""
    start = rows.cells.time[column]
    return start, start + rows.cells.width


def drawn_span(rows: HeatRows, asset: str, at: np.datetime64) -> Window | None:
    """Return the span of the bin of an asset at an instant, None if it isn't drawn."""
    row = _row_of(rows, asset)
    found = None if row is None else bin_at(rows, at, row + 0.5)
    return None if found is None else bin_span(rows, found[1])


def _row_of(rows: HeatRows, asset: str) -> int | None:
    return next((i for i, members in enumerate(rows.members) if asset in members), None)
