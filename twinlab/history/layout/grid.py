"""The grid of cells: time axis, years, tiles, and the steps of stored rollups.

Cells are numbered from the origin (UTC midnight): cell k covers [origin + k * cadence, origin + (k + 1) * cadence).
The arrays of a year are in ``<type>/<cadence>/<year>/{hot,cold}``; a cell belongs to the year in which it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.model.twinmodel import parse_duration

__all__ = [
    "DAY_NS",
    "STEPS",
    "Axis",
    "Frontier",
    "Group",
    "Layout",
    "asset_runs",
    "cold_layout",
    "duration_text",
    "floor_midnight",
    "hot_layout",
    "rollup_layout",
    "rollup_steps",
    "search_step",
    "step_parent",
]

DAY_NS = 86_400_000_000_000
_MAX_NS = 2**63 - 1

#: Possible steps of rollups, finest first; the cadence decides which of them are stored.
STEPS = ("1min", "15min", "1h", "4h", "1d")

_UNITS = (("d", DAY_NS), ("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 10**9), ("ms", 10**6))

#: A cold tile has 2**15 cells, 4,096 x 8 once there are eight assets. One pcodec call decodes it in 80 us; a series
#: over a year and an instant over a thousand assets each touch about 130 tiles of a one-minute signal.
_TILE_CELLS = 2**15
_TILE_ASSETS = 8
#: Cells of one reading that searches for a value: those of a tile.
_SEARCHED = _TILE_CELLS // _TILE_ASSETS
#: Tiles are gathered in shards of 16 x 8 tiles, so that a whole scan fetches megabytes at a time.
_SHARD_TIMES, _SHARD_ASSETS = 16, 8
#: A hot tile is rewritten by every catch-up with cells in it: few cells in time, all assets.
_HOT_TIMES, _HOT_ASSETS = 128, 1024
#: Tiles of a shard of a rollup: more would mean fewer files, and more bytes that a late row rewrites.
_SHARD_TILES = 16


def floor_midnight(origin_ns: int) -> int:
    """Return the last UTC midnight at or before ``origin_ns`` (nanoseconds since 1970).

    >>> floor_midnight(86_400_000_000_001)
    86400000000000
    """
    return origin_ns - origin_ns % DAY_NS


def duration_text(nanoseconds: int) -> str:
    """Return a duration in its largest whole unit.

    >>> duration_text(900_000_000_000)
    '15min'
    """
    for name, size in _UNITS:
        if nanoseconds % size == 0 and nanoseconds > 0:
            return f"{nanoseconds // size}{name}"
    msg = f"expected a duration in whole milliseconds above zero, got {nanoseconds} ns; choose another cadence"
    raise SchemaError(msg)


@dataclass(frozen=True, order=True)
class Group:
    """The signals of one asset type and one cadence, which share a time axis. ``"60s"`` becomes ``"1min"``."""

    asset_type: str
    cadence: str

    def __post_init__(self) -> None:
        """Normalise the spelling of the cadence, so that equal groups compare equal."""
        object.__setattr__(self, "cadence", duration_text(parse_duration(self.cadence)))

    @property
    def cadence_ns(self) -> int:
        """The cadence in nanoseconds."""
        return parse_duration(self.cadence)

    @property
    def path(self) -> str:
        """Path of the group in the store."""
        return f"{self.asset_type}/{self.cadence}"

    @classmethod
    def at(cls, path: str) -> Group:
        """Return the group of a path such as ``"truck/1min"``."""
        asset_type, cadence = path.split("/")
        return cls(asset_type, cadence)


@dataclass(frozen=True)
class Axis:
    """A regular time axis: ``origin_ns`` at UTC midnight, ``cadence_ns`` a cell."""

    origin_ns: int
    cadence_ns: int

    def cell(self, time_ns: int) -> int:
        """Return the cell of an instant.

        >>> Axis(0, 60_000_000_000).cell(61_000_000_000)
        1
        """
        return (time_ns - self.origin_ns) // self.cadence_ns

    def cell_ceil(self, time_ns: int) -> int:
        """Return the first cell that starts at or after an instant."""
        return -((self.origin_ns - time_ns) // self.cadence_ns)

    def time(self, cell: int) -> int:
        """Return the start of a cell in nanoseconds since 1970."""
        return self.origin_ns + cell * self.cadence_ns

    def times(self, k0: int, k1: int) -> np.ndarray:
        """Return the starts of the cells ``k0 .. k1 - 1`` as datetime64[ns]."""
        return (self.origin_ns + np.arange(k0, k1, dtype="int64") * self.cadence_ns).astype("datetime64[ns]")

    def year(self, cell: int) -> int:
        """Return the UTC year in which a cell starts."""
        # In days: nanoseconds would overflow at both ends of their range.
        days = self.time(cell) // DAY_NS
        return int(np.datetime64(days, "D").astype("datetime64[Y]").astype("int64")) + 1970

    @lru_cache(maxsize=1024)  # noqa: B019  (axes are equal by value, and small)
    def year_cells(self, year: int) -> tuple[int, int]:
        """Return the cells ``(first, last + 1)`` that start in a year; the first can be before the origin."""
        january = [int(np.datetime64(f"{y:04d}-01-01", "D").astype("int64")) * DAY_NS for y in (year, year + 1)]
        return self.cell_ceil(january[0]), self.cell_ceil(january[1])

    def split(self, k0: int, k1: int) -> Iterator[tuple[int, int, int]]:
        """Yield ``(year, first, last + 1)`` for the cells of a span, split by year.

        >>> list(Axis(0, DAY_NS).split(364, 367))
        [(1970, 364, 365), (1971, 365, 367)]
        """
        if k0 < k1 and not (-_MAX_NS <= self.time(k0) <= self.time(k1) <= _MAX_NS):
            msg = f"expected cells from 1677-09-22 to 2262-04-11, the range of 64-bit nanoseconds, got {k0} to {k1}"
            raise SchemaError(msg)
        while k0 < k1:
            year = self.year(k0)
            stop = min(self.year_cells(year)[1], k1)
            yield year, k0, stop
            k0 = stop


@dataclass(frozen=True)
class Layout:
    """How an array is divided: shape of a tile, and of the shard of tiles (None: each tile is stored alone)."""

    tile: tuple[int, int]
    shard: tuple[int, int] | None

    @property
    def block(self) -> tuple[int, int]:
        """Shape of the cells stored under one key."""
        return self.shard or self.tile


def _power(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


def cold_layout(n_cells: int, n_assets: int) -> Layout:
    """Return the layout of compacted arrays with ``n_cells`` a year and ``n_assets`` at present."""
    wide = min(_TILE_ASSETS, _power(n_assets))
    long = min(_TILE_CELLS // wide, _power(n_cells))
    return Layout((long, wide), (min(long * _SHARD_TIMES, max(long, _power(n_cells))), wide * _SHARD_ASSETS))


def hot_layout(n_cells: int, n_assets: int) -> Layout:
    """Return the layout of the arrays for the newest cells: few cells in time, many assets."""
    wide = min(_HOT_ASSETS, _power(n_assets))
    return Layout((min(_HOT_TIMES * max(1, 64 // wide), _power(n_cells)), wide), None)


def rollup_layout(n_windows: int, n_assets: int) -> Layout:
    """Return the layout of rollup arrays of ``n_windows`` a year, close to square, as pages read them.

    Shards are one tile long: windows with hot cells aren't stored, so that the newest tiles are written when hot cells are
    compacted, and with each tile alone a thousand assets would have 32 files an array.
    """
    wide = min(32, _power(n_assets))
    long = min(1024, _power(n_windows))
    return Layout((long, wide), (long, wide * _SHARD_TILES) if n_assets > wide else None)


@lru_cache(maxsize=256)
def rollup_steps(cadence_ns: int) -> tuple[str, ...]:
    """Return the steps of the rollups stored for a cadence, finest first: those of at least four whole cells.

    >>> rollup_steps(3_600_000_000_000)
    ('4h', '1d')
    """
    return tuple(step for step in STEPS if (size := parse_duration(step)) % cadence_ns == 0 and size >= 4 * cadence_ns)


def search_step(steps: Sequence[str], cadence_ns: int) -> str | None:
    """Return the longest of ``steps`` with at most the cells of a tile: cells are searched in one such window at a time.

    >>> search_step(("1min", "15min", "1h", "4h", "1d"), 10**9)
    '1h'
    """
    return next((step for step in reversed(steps) if parse_duration(step) <= _SEARCHED * cadence_ns), None)


@lru_cache(maxsize=1024)
def step_parent(cadence_ns: int, step: str) -> str | None:
    """Return the stored step from which ``step`` is computed, or None if from the cells themselves."""
    finer = [s for s in rollup_steps(cadence_ns) if parse_duration(s) < parse_duration(step)]
    whole = [s for s in finer if parse_duration(step) % parse_duration(s) == 0]
    return whole[-1] if whole else None


def asset_runs(assets: NDArray[np.int64], wide: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of columns that cover the wanted ones; a gap of less than a tile doesn't end a range."""
    if assets.size and assets[-1] - assets[0] == assets.size - 1 and (np.diff(assets) == 1).all():
        yield int(assets[0]), int(assets[-1]) + 1
        return
    tiles = np.unique(assets // wide)
    if tiles.size == 0:
        return
    for run in np.split(tiles, np.flatnonzero(np.diff(tiles) > 1) + 1):
        inside = assets[(assets >= run[0] * wide) & (assets < (run[-1] + 1) * wide)]
        yield int(inside.min()), int(inside.max()) + 1


@dataclass(frozen=True)
class Frontier:
    """From where each series is expected and up to where it is settled: cells, int64 [signal, asset]."""

    # Cell of the series' first observation; no cell before it is missing.
    known_from: NDArray[np.int64]
    # First cell that the watermark hasn't passed, which is the cell of the watermark; -NEVER without a watermark.
    passed: NDArray[np.int64]
    # First cell of each asset's lifetime, and first one after it: int64 [2, asset]; None if the type states none.
    lifetimes: NDArray[np.int64] | None = None

    def part(self, first: int, stop: int) -> Frontier:
        """Return the frontier of the columns ``first .. stop - 1``."""
        lifetimes = None if self.lifetimes is None else self.lifetimes[:, first:stop]
        return Frontier(self.known_from[:, first:stop], self.passed[:, first:stop], lifetimes)

    def within_lifetimes(
        self, since: NDArray[np.int64], until: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the part of spans ``[since, until)`` of each asset, [..., asset], that is in its lifetime."""
        if self.lifetimes is None:
            return since, until
        return np.maximum(since, self.lifetimes[0]), np.minimum(until, self.lifetimes[1])
