"""Means of bins, and where they fit a reference best, period by period: what the tests of clocks compute, in memory or lazily."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from twinlab.model.flags import Flag
from twinlab.quality.clocks.kernels import bin_means, lagged_correlations
from twinlab.quality.labelled import series_table

if TYPE_CHECKING:
    import dask.array as da

__all__ = ["Grid", "Pieces", "pieces_of"]

#: Share of a period's bins that an asset and the reference need in common.
_COMMON: Final = 0.5

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint8]
Judge = Callable[[Floats], Flags]


@dataclass(frozen=True)
class Grid:
    """Periods, each of a whole number of bins, from the first to the last time; all durations in ns.

    Parameters
    ----------
    times : int64 [time]
        Rising, ns since 1970.
    period, resolution, largest : int
        Length of a period and of a bin, and the largest lag.
    """

    times: Integers
    period: int
    resolution: int
    largest: int

    @property
    def bins(self) -> int:
        """Number of bins of a period."""
        return self.period // self.resolution

    @property
    def lags(self) -> int:
        """Largest lag in bins."""
        return -(-self.largest // self.resolution)

    @property
    def first(self) -> int:
        """Number of the first period since 1970."""
        return int(self.times[0]) // self.period if self.times.size else 0

    @property
    def count(self) -> int:
        """Number of periods, those without a time included."""
        return int(self.times[-1]) // self.period - self.first + 1 if self.times.size else 0

    def means(self, values: npt.NDArray[np.generic], times: Integers, first: int, count: int) -> Floats:
        """Return the mean of each bin of ``count`` periods from the one of number ``first``: [bin, series]."""
        table = series_table(values)
        out = np.empty((count * self.bins, table.shape[1]))
        bin_means(table, times // self.resolution - first * self.bins, out)
        return out

    def fits(self, means: Floats, reference: Floats, first: int) -> Floats:
        """Return lags in bins, the correlations there and those without a lag, [3, period, series].

        Parameters
        ----------
        means : float64 [bin, series]
            Of whole periods from the one of number ``first``.
        reference : float64 [bin, series]
            Begins ``lags`` bins before ``means`` and ends as much after; may have one series for all.
        first : int
        """
        count = means.shape[0] // self.bins
        starts = np.arange(count) * self.bins
        # Times begin and end within a period: it is judged by the bins that there can be.
        low, high = (int(self.times[at]) // self.resolution - first * self.bins for at in (0, -1))
        found = np.empty((3, count, means.shape[1]))
        begins, ends = np.maximum(starts, low), np.minimum(starts + self.bins, high + 1)
        lagged_correlations(means, reference, begins, ends, self.lags, _COMMON, found)
        return found

    def fits_in_memory(self, values: npt.NDArray[np.generic], reference: npt.NDArray[np.generic]) -> Floats:
        """Return what `fits` does, [3, period, series], for values and a reference [time, ...] at all times."""
        if not self.count:
            return np.empty((3, 0, math.prod(values.shape[1:])))
        means, others = (self.means(each, self.times, self.first, self.count) for each in (values, reference))
        return self.fits(means, np.pad(others, ((self.lags,) * 2, (0, 0)), constant_values=np.nan), self.first)


@dataclass(frozen=True)
class Pieces:
    """Whole periods of a lazy signal: bins are small, so that no piece of values is read with its neighbours.

    Parameters
    ----------
    grid : Grid
    edges : int64 [piece + 1]
        First time of each piece, as a place in the grid's times, and their number; see `pieces_of`.
    """

    grid: Grid
    edges: Integers

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of times in each piece."""
        return tuple(np.diff(self.edges).tolist())

    @property
    def _firsts(self) -> list[int]:
        """Number of each piece's first period, and of the one after the last piece."""
        starts = self.grid.times[self.edges[:-1]] // self.grid.period
        return [*starts.tolist(), self.grid.first + self.grid.count]

    def flags(self, values: da.Array, reference: da.Array, judge: Judge) -> da.Array:
        """Return the flag that ``judge`` gives each period, at each of its values; 9 where a value is missing.

        Parameters
        ----------
        values : dask array [time, ...]
            In these pieces.
        reference : dask array [time, ...]
            In these pieces; other dimensions may have one entry for all.
        judge : callable
            ``judge(fits [3, period, series]) -> flags [period, series]``, see `Grid.fits`.
        """
        import dask.array as da  # noqa: PLC0415  (only for lazy arrays: it takes seconds)

        grid, edges, firsts = self.grid, self.edges, self._firsts
        counts = tuple(np.diff(firsts).tolist())
        bins = tuple(count * grid.bins for count in counts)

        def means(numbers: npt.NDArray[np.generic], block_id: tuple[int, ...]) -> Floats:
            place = block_id[0]
            times = grid.times[edges[place] : edges[place + 1]]
            return grid.means(numbers, times, firsts[place], counts[place]).reshape(-1, *numbers.shape[1:])

        def judged(mine: Floats, others: Floats, block_id: tuple[int, ...]) -> Flags:
            found = judge(grid.fits(series_table(mine), series_table(others), firsts[block_id[0]]))
            return found.reshape(-1, *mine.shape[1:])

        def spread(numbers: npt.NDArray[np.generic], found: Flags, block_id: tuple[int, ...]) -> Flags:
            place = block_id[0]
            rows = grid.times[edges[place] : edges[place + 1]] // grid.period - firsts[place]
            return np.where(np.isnan(numbers), np.uint8(Flag.MISSING), found[rows])

        nothing = np.empty((0,) * values.ndim)
        mine, others = (
            da.map_blocks(means, each, dtype=np.float64, chunks=(bins, *each.chunks[1:]), meta=nothing)
            for each in (values, reference)
        )
        around = da.overlap.overlap(others, depth={0: grid.lags}, boundary={0: np.nan})
        meta = nothing.astype(np.uint8)
        found = da.map_blocks(judged, mine, around, dtype=np.uint8, chunks=(counts, *values.chunks[1:]), meta=meta)
        flags: da.Array = da.map_blocks(spread, values, found, dtype=np.uint8, chunks=values.chunks, meta=meta)
        return flags


def pieces_of(grid: Grid, sizes: tuple[int, ...]) -> Pieces:
    """Return pieces of whole periods: each ends with the period in which one of ``sizes`` times does."""
    periods = grid.times // grid.period
    ends = np.searchsorted(periods, periods[np.cumsum(sizes) - 1], side="right")
    return Pieces(grid, np.unique(np.r_[0, ends]))
