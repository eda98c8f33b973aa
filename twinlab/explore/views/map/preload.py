"""History near the instant that is shown, read once: a step in time finds it at hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from twinlab.events.present_state.cached_reader import KeptReader

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["PreloadingReader"]

_T = TypeVar("_T")
#: Cells of one block, and of all blocks of a twin, each nine bytes.
_MOST = 2**21
_MOST_OF_ALL = 2**22
#: Who asks again at most this share of the span away goes step by step: then more is read than was asked for.
_NEAR = 0.25

Key = tuple[str, tuple[str, ...]]


@dataclass
class _Block:
    key: Key
    start: np.datetime64
    stop: np.datetime64
    data: xr.Dataset
    times: np.ndarray = field(init=False)
    #: Counted once: a hundred blocks are added up at each step.
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
    """The blocks of a twin, those used last at the end."""

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
            # What the new one holds too isn't needed any more.
            self._blocks = [one for one in self._blocks if not block.contains(one.key, one.start, one.stop)]
            self._blocks.append(block)
            while len(self._blocks) > 1 and sum(one.cells for one in self._blocks) > _MOST_OF_ALL:
                self._blocks.pop(0)


class PreloadingReader(KeptReader):
    """A `KeptReader` for somebody who goes through time: what lies around the spans asked for is kept in memory.

    Whoever asks for a span a little away from their last gets it with what lies before and behind. Blocks are shared by
    all readers of a twin, and dropped when its position moves.

    Parameters
    ----------
    reader : KeptReader
        What all readers of the twin share.
    """

    def __init__(self, reader: KeptReader) -> None:
        super().__init__(reader)
        self._reader = reader
        # Where each thing was asked for last, and how many cells that had.
        self._last: dict[Key, tuple[np.datetime64, int]] = {}

    def remember(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what was made under a key, for all readers of the twin."""
        return self._reader.remember(key, make)

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
        """Return the history of one asset type, from memory where that holds it."""
        if step is not None or signals is None or start is None or stop is None:
            return super().history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        key = (asset_type, tuple(signals))
        first, last = _instant(start), _instant(stop)
        blocks = self.remember("blocks of history", _Blocks)
        block = blocks.find(key, first, last)
        if block is None and assets is None:
            block = self._read(key, first, last)
            if block.cells <= _MOST:
                blocks.add(block)
        part = None if block is None else block.cut(first, last)
        if part is not None and assets is None:
            self._last[key] = first, _cells(part)
            return part
        places = None if part is None else part.indexes["asset"].get_indexer(pd.Index(list(assets or ())))
        if part is None or places is None or (places < 0).any():
            return super().history(asset_type, signals=signals, assets=assets, start=start, stop=stop)
        return part.isel(asset=places)

    def _read(self, key: Key, start: np.datetime64, stop: np.datetime64) -> _Block:
        """Read a span; where the last one lay near, with as much around it as may be kept."""
        span, (before, cells) = stop - start, self._last.get(key, (None, 0))
        if before is not None and abs(start - before) <= _NEAR * span and cells <= _MOST:
            around = min(0.5, (_MOST / max(1, cells) - 1) / 2) * span
            start, stop = start - around, stop + around
        data = super().history(key[0], signals=list(key[1]), start=start, stop=stop)
        # More than may be kept stays lazy.
        return _Block(key, start, stop, data.compute() if _cells(data) <= _MOST else data)


def _cells(data: xr.Dataset) -> int:
    return int(sum(one.size for one in data.data_vars.values())) // 2


def _instant(when: object) -> np.datetime64:
    return pd.Timestamp(when).to_datetime64().astype("datetime64[ns]")  # type: ignore[arg-type]
