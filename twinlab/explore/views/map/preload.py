"""Preloading of history around the shown instant, so that steps in time are served from memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from twinlab.events.present_state.cached_reader import CachedReader
from twinlab.history.read.direct import computed

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["PreloadingReader"]

_T = TypeVar("_T")
#: Cell limit of one block, and of all blocks of a twin; nine bytes per cell.
_MAX_CELLS = 2**21
_MAX_TOTAL_CELLS = 2**22
#: Requests at most this share of the span apart count as steps in time, which preload.
_STEP_SHARE = 0.25

Key = tuple[str, tuple[str, ...]]


@dataclass
class _Block:
    key: Key
    start: np.datetime64
    stop: np.datetime64
    data: xr.Dataset
    times: np.ndarray = field(init=False)
    #: Computed once, since each step adds up a hundred blocks.
    cells: int = field(init=False)

    def __post_init__(self) -> None:
        self.times = self.data["time"].values
        self.cells = _cells(self.data)

    def contains(self, key: Key, start: np.datetime64, stop: np.datetime64) -> bool:
        return bool(self.key == key and self.start <= start and stop <= self.stop)

    def cut(self, start: np.datetime64, stop: np.datetime64) -> xr.Dataset:
        first, last = np.searchsorted(self.times, np.array([start, stop], self.times.dtype))
        return self.data.isel(time=slice(int(first), int(last)))


class _Blocks:
    """The blocks of a twin, the most recently used ones last."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._lock = threading.Lock()

    def find(self, key: Key, start: np.datetime64, stop: np.datetime64) -> _Block | None:
        with self._lock:
            found = next((one for one in self._blocks if one.contains(key, start, stop)), None)
            if found is not None:
                self._blocks.remove(found)
                self._blocks.append(found)
            return found

    def add(self, block: _Block) -> None:
        with self._lock:
            # Without blocks that the new one contains.
            self._blocks = [one for one in self._blocks if not block.contains(one.key, one.start, one.stop)]
            self._blocks.append(block)
            while len(self._blocks) > 1 and sum(one.cells for one in self._blocks) > _MAX_TOTAL_CELLS:
                self._blocks.pop(0)


class PreloadingReader(CachedReader):
    """A `CachedReader` for steps in time: history around the requested spans is preloaded into memory.

    A request near the previous one also reads the history before and after it. Blocks are shared by all readers of a
    twin, and dropped when its position changes.

    Parameters
    ----------
    reader : CachedReader
        The reader that all users of the twin share.
    """

    def __init__(self, reader: CachedReader) -> None:
        super().__init__(reader)
        self._reader = reader
        # Start and number of cells of the last request for each key.
        self._last: dict[Key, tuple[np.datetime64, int]] = {}

    def cached(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return the cached value of a key, shared by all readers of the twin."""
        return self._reader.cached(key, make)

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type, from memory if it was preloaded."""
        if step is not None or signals is None or start is None or stop is None:
            return super().history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        key = (asset_type, tuple(signals))
        first, last = _instant(start), _instant(stop)
        blocks = self.cached("blocks of history", _Blocks)
        block = blocks.find(key, first, last)
        if block is None and assets is None:
            block = self._read(key, first, last)
            if block.cells <= _MAX_CELLS:
                blocks.add(block)
        part = None if block is None else block.cut(first, last)
        if part is not None and assets is None:
            self._last[key] = first, _cells(part)
            return part
        columns = None if part is None else part.indexes["asset"].get_indexer(pd.Index(list(assets or ())))
        if part is None or columns is None or (columns < 0).any():
            return super().history(asset_type, signals=signals, assets=assets, start=start, stop=stop)
        return part.isel(asset=columns)

    def _read(self, key: Key, start: np.datetime64, stop: np.datetime64) -> _Block:
        """Read a span; after a step in time, with as much history around it as the limit allows."""
        span, (before, cells) = stop - start, self._last.get(key, (None, 0))
        if before is not None and abs(start - before) <= _STEP_SHARE * span and cells <= _MAX_CELLS:
            around = min(0.5, (_MAX_CELLS / max(1, cells) - 1) / 2) * span
            start, stop = start - around, stop + around
        data = super().history(key[0], signals=list(key[1]), start=start, stop=stop)
        # Larger blocks stay lazy.
        return _Block(key, start, stop, computed(data) if _cells(data) <= _MAX_CELLS else data)


def _cells(data: xr.Dataset) -> int:
    return int(sum(one.size for one in data.data_vars.values())) // 2


def _instant(when: object) -> np.datetime64:
    return pd.Timestamp(when).to_datetime64().astype("datetime64[ns]")  # type: ignore[arg-type]
