"""Which cells differ between two states of a history: only chunks that the states don't share are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.history.layout.encoding import decode
from twinlab.history.layout.grid import Group
from twinlab.history.layout.spans import Span, clip, pieces, union
from twinlab.history.store.chunk_reader import DirectBytes
from twinlab.history.store.tiles import different_tiles
from twinlab.history.store.view import View
from twinlab.model.flags import Flag

__all__ = ["CELL_COLUMNS", "CellChanges", "cell_changes"]

#: Cells compared at once.
_PIECE_CELLS = 8_000_000
#: Columns of `CellChanges.table` and their types.
CELL_COLUMNS: dict[str, str] = {
    "asset_type": "str",
    "signal": "str",
    "unit": "str",
    "asset": "str",
    "period": "datetime64[ns]",
    "cells": "int64",
    "appeared": "int64",
    "vanished": "int64",
    "mean_change": "float64",
    "largest_change": "float64",
    "mean_before": "float64",
    "mean_after": "float64",
    "flags_changed": "int64",
    "first": "datetime64[ns]",
    "last": "datetime64[ns]",
}
#: Columns of `CellChanges.flags`.
FLAG_COLUMNS: dict[str, str] = {"asset_type": "str", "signal": "str", "before": "str", "after": "str", "cells": "int64"}

Floats = npt.NDArray[np.float64]


@dataclass
class CellChanges:
    """Cells and flags that differ between two states.

    Attributes
    ----------
    table : DataFrame
        A row a signal, asset and period, columns as `CELL_COLUMNS`. ``cells``: cells with another value, of which
        ``appeared`` had none before and ``vanished`` have none now; ``mean_change`` and ``largest_change`` (the one furthest
        from zero) of cells with a value in both, in ``unit``; ``flags_changed``: cells with another flag; ``first`` and
        ``last``: times of the first and last changed cell.
    flags : DataFrame
        ``asset_type, signal, before, after, cells``: how many cells went from one flag to another.
    """

    table: pd.DataFrame
    flags: pd.DataFrame

    @property
    def cells(self) -> int:
        """Number of cells with another value."""
        return int(self.table["cells"].sum())

    @property
    def flags_changed(self) -> int:
        """Number of cells with another flag."""
        return int(self.table["flags_changed"].sum())


@dataclass
class _Sums:
    """Rows of the two tables so far."""

    rows: list[pd.DataFrame] = field(default_factory=list)
    flags: list[tuple[str, str, str, str, int]] = field(default_factory=list)


def cell_changes(
    old: View, new: View, *, period: str = "D", span: tuple[int | None, int | None] = (None, None)
) -> CellChanges:
    """Compare the cells of two states of one history.

    Parameters
    ----------
    old, new : View
        States of the same repository.
    period : str
        ``"D"`` for a row a day, ``"M"`` for a row a month, ``"Y"`` for one a year.
    span : (int or None, int or None)
        Compare only cells in ``[start, stop)``, ns since 1970.
    """
    found = _Sums()
    for group in sorted({*old.groups(), *new.groups()}):
        names = {name for view in (old, new) if group in view.groups() for name in view.signals(group)}
        for name in sorted(names):
            for cells, columns in _candidates(old, new, group, name):
                axis = next(view for view in (old, new) if group in view.groups()).catalog.entry(group).axis
                low = cells[0] if span[0] is None else max(cells[0], axis.cell_ceil(span[0]))
                high = cells[1] if span[1] is None else min(cells[1], axis.cell_ceil(span[1]))
                longest = max(1, _PIECE_CELLS // (columns[1] - columns[0]))
                for piece in pieces([(low, high)] if low < high else [], longest=longest):
                    _compare(found, old, new, (group, name), piece, columns, period)
    return _tables(found)


def _tables(found: _Sums) -> CellChanges:
    parts = found.rows or [pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in CELL_COLUMNS.items()})]
    keys = ["asset_type", "signal", "unit", "asset", "period"]
    every = pd.concat(parts, ignore_index=True)
    grouped = every.groupby(keys, sort=True, as_index=False)
    sums = ["cells", "appeared", "vanished", "flags_changed", "_both", "_delta", "_before", "_after"]
    if found.rows:
        table: Any = grouped[sums].sum()
        furthest = every["largest_change"].abs().fillna(-1.0).groupby([every[key] for key in keys]).idxmax()
        largest = every.loc[furthest, [*keys, "largest_change"]]
        table = table.merge(largest, on=keys, how="left")
        table = table.merge(grouped.agg(first=("first", "min"), last=("last", "max")), on=keys)
        number = table["_both"].where(table["_both"] > 0).to_numpy()
        for name, total in (("mean_change", "_delta"), ("mean_before", "_before"), ("mean_after", "_after")):
            table[name] = table[total].to_numpy() / number
        every = pd.DataFrame(table)
    flags: Any = pd.DataFrame(found.flags, columns=list(FLAG_COLUMNS)).astype(FLAG_COLUMNS)
    flags = flags.groupby(["asset_type", "signal", "before", "after"], as_index=False)["cells"].sum()
    return CellChanges(every[list(CELL_COLUMNS)].astype(CELL_COLUMNS), flags[list(FLAG_COLUMNS)].astype(FLAG_COLUMNS))


def _candidates(old: View, new: View, group: Group, name: str) -> Iterator[tuple[Span, Span]]:
    """Yield rectangles of cells and columns outside of which two states share all chunks of a signal; they don't overlap."""
    by_columns: dict[Span, list[Span]] = {}
    for cells, columns in _unshared(old, new, group, name):
        by_columns.setdefault(columns, []).append(cells)
    # Hot and cold chunks have other widths: the columns of all are cut at the same places.
    edges = sorted({edge for columns in by_columns for edge in columns})
    for low, high in pairwise(edges):
        mine = union(*(spans for (a, b), spans in by_columns.items() if a <= low and high <= b))
        for cells in mine:
            yield cells, (low, high)


def _unshared(old: View, new: View, group: Group, name: str) -> Iterator[tuple[Span, Span]]:
    views = [view for view in (old, new) if group in view.groups() and name in view.signals(group)]
    assets = max(view.n_assets(group) for view in views)
    extent = (min(view.extent(group)[0] for view in views), max(view.extent(group)[1] for view in views))
    stores = [view.bytes_store() for view in (old, new)]
    if len(views) < 2 or not all(isinstance(store, DirectBytes) for store in stores):
        yield extent, (0, assets)
        return
    metadata = [store.metadata for store in stores if isinstance(store, DirectBytes)]
    entries = [view.catalog.entry(group) for view in (old, new)]
    for year, _, _ in entries[0].axis.split(*extent):
        base, end = entries[0].axis.year_cells(year)
        shared_layout = all(year in entry.years for entry in entries)
        if not shared_layout or not _same_placement(entries, year, name):
            yield from ((cells, (0, assets)) for cells in clip([(base, end)], extent))
            continue
        for part in ("hot", "cold"):
            for flags in (False, True):
                spec = entries[1].cell_spec(year, name, part=part, flags=flags)
                refs = [one.chunks(spec.path) for one in metadata]
                for index in refs[0].keys() | refs[1].keys():
                    if refs[0].get(index) != refs[1].get(index):
                        for tile in different_tiles(spec, (index[0], index[1]), *stores):
                            span = (base + tile.times[0], min(end, base + tile.times[1]))
                            yield from ((cells, tile.assets) for cells in clip([span], extent))
        for hot in entries[0].year(year).hot_chunks ^ entries[1].year(year).hot_chunks:
            long = entries[1].year(year).hot.tile[0]
            yield from ((cells, (0, assets)) for cells in clip([(base + hot * long, base + (hot + 1) * long)], extent))


def _same_placement(entries: list[Any], year: int, name: str) -> bool:
    """Whether two states have the same layouts and state the same vacant cells in a year."""
    one, other = (entry.year(year) for entry in entries)
    vacant = [part.vacant.get(name) for part in (one, other)]
    same = [None if found is None else sorted(found.tolist()) for found in vacant]
    return (one.cold, one.hot) == (other.cold, other.hot) and same[0] == same[1]


def _read(view: View, key: tuple[Group, str], cells: Span, columns: Span) -> tuple[Floats, npt.NDArray[np.uint8]]:
    """Return values in the signal's unit and flags (time, asset); NaN and "not evaluated" where nothing is stored."""
    group, name = key
    shape = (cells[1] - cells[0], columns[1] - columns[0])
    values, flags = np.full(shape, np.nan), np.full(shape, Flag.NOT_EVALUATED.value, dtype=np.uint8)
    if group not in view.groups() or name not in view.signals(group):
        return values, flags
    stop = min(columns[1], view.n_assets(group))
    for low, high in clip([cells], view.extent(group)):
        if columns[0] < stop:
            at = (slice(low - cells[0], high - cells[0]), slice(0, stop - columns[0]))
            wanted = np.arange(columns[0], stop)
            values[at] = decode(view.values(group, name, low, high, wanted), view.signals(group)[name])
            flags[at] = view.flags(group, name, low, high, wanted)
    return values, flags


def _compare(  # noqa: PLR0917  (one caller)
    found: _Sums, old: View, new: View, key: tuple[Group, str], cells: Span, columns: Span, period: str
) -> None:
    group, name = key
    (a, f), (b, g) = _read(old, key, cells, columns), _read(new, key, cells, columns)
    there, here = ~np.isnan(a), ~np.isnan(b)
    other = (there != here) | (there & here & (a != b))
    flagged = f != g
    at, column = np.nonzero(other | flagged)
    if not len(at):
        return
    view = new if group in new.groups() and name in new.signals(group) else old
    ids: Any = new.meta.get("assets", {})
    names = np.array(list(ids.get(group.asset_type, ())), dtype=object)
    axis = view.catalog.entry(group).axis
    times = axis.origin_ns + (cells[0] + at) * axis.cadence_ns
    stamps = times.view("datetime64[ns]")
    was, now, had, has = a[at, column], b[at, column], there[at, column], here[at, column]
    both = had & has
    delta = np.where(both, now - was, np.nan)
    rows = pd.DataFrame(
        {
            "asset": column,
            "period": stamps.astype(f"datetime64[{period}]").astype("datetime64[ns]"),
            "cells": other[at, column],
            "appeared": has & ~had,
            "vanished": had & ~has,
            "flags_changed": flagged[at, column],
            "_both": both & other[at, column],
            "_delta": np.where(both, delta, 0.0),
            "_before": np.where(both & other[at, column], was, 0.0),
            "_after": np.where(both & other[at, column], now, 0.0),
            "low": delta,
            "high": delta,
            "first": stamps,
            "last": stamps,
        }
    )
    sums = ["cells", "appeared", "vanished", "flags_changed", "_both", "_delta", "_before", "_after"]
    how: dict[str, Any] = dict.fromkeys(sums, "sum") | {"low": "min", "high": "max", "first": "min", "last": "max"}
    table = rows.groupby(["asset", "period"], as_index=False).agg(how)
    table["largest_change"] = np.where(-table["low"] > table["high"], table["low"], table["high"])
    table["asset"] = names[table["asset"].to_numpy() + columns[0]]
    table.insert(0, "asset_type", group.asset_type)
    table.insert(1, "signal", name)
    table.insert(2, "unit", view.signals(group)[name].unit)
    found.rows.append(table.drop(columns=["low", "high"]))
    pairs, numbers = np.unique(np.stack([f[flagged], g[flagged]]), axis=1, return_counts=True)
    for (before, after), number in zip(pairs.T.tolist(), numbers.tolist(), strict=True):
        flag_names = Flag(before).name.lower(), Flag(after).name.lower()
        found.flags.append((group.asset_type, name, *flag_names, number))
