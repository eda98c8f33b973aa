"""Windows straight from the cells: every tile is decoded into the processor's cache, folded, and forgotten."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.fold_kernels import fold_tile
from twinlab.history.layout.grid import Axis, Group, duration_text, rollup_steps
from twinlab.history.layout.rollup import reduce_rollup
from twinlab.history.read.datasets import instant_ns
from twinlab.history.read.lazy import finished
from twinlab.history.store.tiles import pool
from twinlab.history.store.view import View
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import parse_duration

__all__ = ["fold_cells", "heat_map"]


class _Sums:
    """Running results (asset, window)."""

    def __init__(self, assets: int, windows: int, dtype: np.dtype) -> None:
        info = np.iinfo(dtype)
        self.none = dtype.type(sentinel(dtype))
        self.total = np.zeros((assets, windows), "int64")
        self.low = np.full((assets, windows), info.max, dtype)
        self.high = np.full((assets, windows), info.min, dtype)
        self.count = np.zeros((assets, windows), "uint32")

    def add(
        self, values: NDArray[np.signedinteger], flags: NDArray[np.uint8] | None, *, assets: slice, first: int, per: int
    ) -> None:
        """Fold one tile (asset, cell); no flags: all pass."""
        constant = flags is None
        marks = np.empty((0, 0), "uint8") if flags is None else flags
        parts = (self.total[assets], self.low[assets], self.high[assets], self.count[assets])
        fold_tile(values, marks, constant, first, per, self.none, *parts)


def fold_cells(view: View, group: Group, signal: str, step: str, w0: int, w1: int) -> dict[str, NDArray[np.generic]]:  # noqa: PLR0917
    """Return ``sum min max count`` (window, asset) of all assets, computed from the raw cells, no rollup used.

    Parameters
    ----------
    w0, w1 : int
        Windows of ``step``, numbered from the origin.

    Raises
    ------
    SchemaError
        If ``step`` isn't a whole number of cells.
    CorruptionError
        If stored bytes fail their checksum.
    """
    per, rest = divmod(parse_duration(step), group.cadence_ns)
    if rest:
        msg = f"expected a step of whole cells of {group.cadence}, got {step!r}"
        raise SchemaError(msg)
    return _fold_windows(view, group, signal, per, w0, w1)


def _fold_windows(view: View, group: Group, signal: str, per: int, w0: int, w1: int) -> dict[str, NDArray[np.generic]]:  # noqa: PLR0917
    entry = view.catalog.entry(group)
    wide = max([y.cold.block[1] for y in entry.years.values()], default=64)
    bands = [(a, min(a + wide, entry.n_assets)) for a in range(0, entry.n_assets, wide)]
    sums = _Sums(entry.n_assets, w1 - w0, entry.signal(signal).storage_dtype)

    def work(band: tuple[int, int]) -> None:
        for values, flags, assets, cell in _tiles(view, group, signal, (w0 * per, w1 * per), band):
            sums.add(values, flags, assets=assets, first=cell - w0 * per, per=per)

    list(pool(os.getpid()).map(work, bands))
    sums.low[sums.count == 0] = sums.none
    return {"sum": sums.total.T, "min": sums.low.T, "max": sums.high.T, "count": sums.count.T}


def heat_map(view: View, group: Group, signal: str, start: object, stop: object, bins: int) -> xr.DataArray:  # noqa: PLR0917
    """Return the mean of all assets (time, column) in at least ``bins`` windows, for a heat map.

    The coarsest stored level that gives a window a bin is folded further by a whole number, so that hardly more numbers
    are returned than are drawn; windows start at multiples of their length from the origin, so panning doesn't move them.
    """
    entry = view.catalog.entry(group)
    axis = entry.axis
    low, high = entry.extent or (0, 0)
    first, end = max(instant_ns(start), axis.time(low)), min(instant_ns(stop), axis.time(high))
    wide = max(axis.cadence_ns, (instant_ns(stop) - instant_ns(start)) // max(1, bins))
    ready = [s for s in rollup_steps(axis.cadence_ns) if parse_duration(s) <= wide]
    base = parse_duration(ready[-1]) if ready else axis.cadence_ns
    per = wide // base
    windows = Axis(axis.origin_ns, base * per)
    w0 = windows.cell(first)
    w1 = max(w0, windows.cell_ceil(end))
    if ready:
        parts = view.rollup(group, signal, ready[-1], w0 * per, w1 * per, statistics=("sum", "count"))
        out = reduce_rollup(parts, per) if per > 1 else parts
    else:
        out = _fold_windows(view, group, signal, per, w0, w1)
    known = entry.signal(signal)
    attrs = {"units": known.unit, "step": duration_text(windows.cadence_ns)}
    return xr.DataArray(finished(out, "mean", known), {"time": windows.times(w0, w1)}, ("time", "column"), attrs=attrs)


_Tile = tuple[NDArray[np.signedinteger], NDArray[np.uint8] | None, slice, int]


def _tiles(view: View, group: Group, signal: str, span: tuple[int, int], band: tuple[int, int]) -> Iterator[_Tile]:
    """Yield values and flags (asset, cell) of a band of assets, tile by tile, with their place."""
    entry = view.catalog.entry(group)
    for year, first, stop in entry.axis.split(*span):
        base = entry.axis.year_cells(year)[0]
        for hot, l0, l1 in entry.year(year).runs(first - base, stop - base):
            part = "hot" if hot else "cold"
            names = [entry.cell_spec(year, signal, part=part, flags=flags) for flags in (False, True)]
            tiles = [view.stream(spec, (l0, l1), band) for spec in names]
            for (values, assets, at), (flags, _, _) in zip(*tiles, strict=True):
                plain = isinstance(flags, int)
                # A tile that isn't stored holds no value; one that is flagged fail or missing throughout doesn't count.
                if not isinstance(values, int) and (not plain or flags in (Flag.PASS, Flag.SUSPECT)):
                    yield values, None if plain else np.asarray(flags), assets, base + at
