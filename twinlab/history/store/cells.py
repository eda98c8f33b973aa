"""Read spans of cells and rollups across years and hot and cold arrays; used by views and transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group, asset_runs
from twinlab.history.layout.rollup import STATISTICS, reduce_cells, reduce_rollup
from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.catalog import Catalog, GroupEntry
from twinlab.history.store.chosen_tiles import read_windows
from twinlab.history.store.codecs import ArraySpec
from twinlab.history.store.fold import fold_windows
from twinlab.history.store.tiles import Pending, read_region
from twinlab.objects.waiting import side_by_side

__all__ = ["CellReader"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class CellReader:
    """Reads the cells and rollups of a catalogue through a byte store."""

    def __init__(self, catalog: Catalog, store: ByteStore, *, pending: Pending | None = None) -> None:
        self.catalog = catalog
        self._store = store
        self._pending = pending

    def bytes_store(self) -> ByteStore:
        """Return where the bytes of chunks are read from."""
        return self._store

    def each(self, function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Return a function's results for some items, which read from the store: side by side if it is far."""
        return side_by_side(function, items) if self._store.far else [function(item) for item in items]

    def cells(
        self, group: Group, signal: str, k0: int, k1: int, assets: ArrayLike | None = None
    ) -> tuple[NDArray[np.signedinteger], NDArray[np.uint8]]:
        """Return stored integers and flags (time, asset) of the cells ``k0 .. k1 - 1``."""
        parts: list[NDArray[Any]] = self.each(
            lambda read: read(group, signal, k0, k1, assets), (self.values, self.flags)
        )
        return parts[0], parts[1]

    def values(
        self, group: Group, signal: str, k0: int, k1: int, assets: ArrayLike | None = None
    ) -> NDArray[np.signedinteger]:
        """Return the stored integers alone; the type's smallest where there is no value."""
        return self._cells(group, signal, k0, k1, assets, flags=False)

    def flags(self, group: Group, signal: str, k0: int, k1: int, assets: ArrayLike | None = None) -> NDArray[np.uint8]:
        """Return the flags alone; "not evaluated" where nothing was written."""
        return self._cells(group, signal, k0, k1, assets, flags=True)

    def windows(
        self,
        group: Group,
        signal: str,
        firsts: NDArray[np.int64],
        length: int,
        columns: NDArray[np.int64],
        *,
        flags: bool,
    ) -> NDArray[Any]:
        """Return stored integers or flags (window, time) of windows of ``length`` cells, each of one column from a cell on."""
        entry = self.catalog.entry(group)
        entry.signal(signal)
        return read_windows(entry, signal, firsts, length, columns, flags=flags, store=self._store)

    def _cells(
        self, group: Group, signal: str, k0: int, k1: int, assets: ArrayLike | None, *, flags: bool
    ) -> NDArray[Any]:
        entry = self.catalog.entry(group)
        entry.signal(signal)
        runs = []
        for year, first, stop in entry.axis.split(k0, k1):
            base = entry.axis.year_cells(year)[0]
            for hot, l0, l1 in entry.year(year).runs(first - base, stop - base):
                spec = entry.cell_spec(year, signal, part="hot" if hot else "cold", flags=flags)
                runs.append((year, spec, (l0, l1)))
        pieces = self.each(lambda run: self._region(entry, *run, assets), runs)
        if not pieces:
            year = entry.axis.year(k0)
            spec = entry.cell_spec(year, signal, part="cold", flags=flags)
            return self._region(entry, year, spec, (0, 0), assets)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _region(
        self, entry: GroupEntry, year: int, spec: ArraySpec, times: tuple[int, int], assets: ArrayLike | None
    ) -> NDArray[Any]:
        columns = np.arange(entry.n_assets) if assets is None else np.asarray(assets, dtype=np.int64)
        exists = spec.path.removeprefix(entry.path(year) + "/") in entry.year(year).arrays
        if not exists or columns.size == 0 or times[0] >= times[1]:
            if columns.size and len(spec.vacant) and times[0] < times[1]:
                first = int(columns.min())
                return spec.background(times, (first, int(columns.max()) + 1))[columns - first].T
            return np.full((columns.size, times[1] - times[0]), spec.fill, dtype=spec.dtype).T
        runs = list(asset_runs(columns, spec.layout.tile[1]))
        parts = self.each(lambda run: read_region(spec, times, run, store=self._store, pending=self._pending), runs)
        if len(runs) == 1 and columns.size == runs[0][1] - runs[0][0] and (np.diff(columns) == 1).all():
            return parts[0]
        every = np.concatenate([np.arange(a, b) for a, b in runs])
        place = np.searchsorted(every, columns)
        return np.concatenate([part.T for part in parts])[place].T

    def fold(  # noqa: PLR0917
        self,
        group: Group,
        signal: str,
        per: int,
        w0: int,
        w1: int,
        assets: ArrayLike | None = None,
        *,
        statistics: tuple[str, ...] = STATISTICS,
    ) -> dict[str, NDArray[Any]]:
        """Return statistics (window, asset) of windows of ``per`` cells, computed from the cells: no rollup is read."""
        entry = self.catalog.entry(group)
        if self._pending is None and set(statistics) <= set(STATISTICS):
            columns = np.arange(entry.n_assets) if assets is None else np.asarray(assets, dtype=np.int64)
            found = fold_windows(entry, signal, per, (w0, w1), columns, store=self._store)
        else:
            found = reduce_cells(*self.cells(group, signal, w0 * per, w1 * per, assets), per)
        return {name: found[name] for name in statistics}

    def rollup(  # noqa: PLR0917
        self,
        group: Group,
        signal: str,
        step: str,
        w0: int,
        w1: int,
        assets: ArrayLike | None = None,
        *,
        statistics: tuple[str, ...] = STATISTICS,
    ) -> dict[str, NDArray[Any]]:
        """Return statistics (window, asset) of the windows ``w0 .. w1 - 1``, numbered from the origin like cells.

        Statistics that aren't stored at this step, and windows with hot cells, are computed from a finer level or from
        the cells, which gives the same integers.
        """
        entry = self.catalog.entry(group)
        per = entry.per(step)
        lacking = tuple(name for name in statistics if name not in entry.statistics(signal, step))
        if lacking and self.catalog.cells_changed:
            return self._with_changed(entry, signal, step, (w0, w1), assets, statistics, lacking)
        if lacking:
            return self.fold(group, signal, per, w0, w1, assets, statistics=statistics)
        out: dict[str, list[NDArray[np.generic]]] = {name: [] for name in statistics}
        for year, first, stop in entry.axis.split(w0 * per, w1 * per):
            base = entry.axis.year_cells(year)[0]
            times = ((first - base) // per, -(-(stop - base) // per))
            specs = {name: entry.rollup_spec(year, signal, step, name) for name in statistics}
            found = self.each(partial(self._region, entry, year, times=times, assets=assets), specs.values())
            parts = dict(zip(specs, found, strict=True))
            for a, b in entry.year(year).hot_windows(per, *times):
                fresh = self._folded(entry, signal, step, (base // per + a, base // per + b), assets, statistics)
                for name in statistics:
                    parts[name][a - times[0] : b - times[0]] = fresh[name]
            for name in statistics:
                out[name].append(parts[name])
        return {name: parts[0] if len(parts) == 1 else np.concatenate(parts) for name, parts in out.items()}

    def _with_changed(  # noqa: PLR0917
        self,
        entry: GroupEntry,
        signal: str,
        step: str,
        windows: tuple[int, int],
        assets: ArrayLike | None,
        statistics: tuple[str, ...],
        lacking: tuple[str, ...],
    ) -> dict[str, NDArray[Any]]:
        """Return stored statistics, which are of all cells as they were, and the others of the windows none of whose cells was removed."""
        stored = tuple(dict.fromkeys([*(name for name in statistics if name not in lacking), "count"]))
        out = self.rollup(entry.group, signal, step, *windows, assets, statistics=stored)
        wanted = tuple(dict.fromkeys((*lacking, "count")))
        found = self.fold(entry.group, signal, entry.per(step), *windows, assets, statistics=wanted)
        whole = found["count"] == out["count"]
        for name in lacking:
            nothing = sentinel(found[name].dtype) if name in ("min", "max") else 0
            out[name] = np.where(whole, found[name], np.array(nothing, dtype=found[name].dtype))
        return {name: out[name] for name in statistics}

    def _folded(  # noqa: PLR0917
        self,
        entry: GroupEntry,
        signal: str,
        step: str,
        windows: tuple[int, int],
        assets: ArrayLike | None,
        statistics: tuple[str, ...],
    ) -> dict[str, NDArray[Any]]:
        """Compute windows from the next finer level."""
        per, parent = entry.per(step), entry.parent(signal, step)
        if parent is None:
            return self.fold(entry.group, signal, per, *windows, assets, statistics=statistics)
        ratio = per // entry.per(parent)
        wanted = tuple(dict.fromkeys((*statistics, "count")))
        below = self.rollup(
            entry.group, signal, parent, windows[0] * ratio, windows[1] * ratio, assets, statistics=wanted
        )
        return reduce_rollup(below, ratio)
