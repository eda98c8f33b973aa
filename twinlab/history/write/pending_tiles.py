"""Decoded tiles that haven't been written yet, so that a tile is encoded once after several changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.codecs import ArraySpec
from twinlab.history.store.tiles import block_key, write_tiles

__all__ = ["PendingTiles"]

#: Maximum size of all decoded tiles; beyond it the blocks that were changed longest ago are written.
_MAX_BYTES = 256 * 2**20


@dataclass
class _Block:
    spec: ArraySpec
    place: tuple[int, int]
    tiles: dict[int, NDArray[np.generic]] = field(default_factory=dict)


class PendingTiles:
    """Decoded tiles to write; the blocks that were changed longest ago are written when the tiles exceed their memory."""

    def __init__(self, store: ByteStore) -> None:
        self._store = store
        self._blocks: OrderedDict[str, _Block] = OrderedDict()
        self._bytes = 0

    def of(self, key: str) -> Mapping[int, NDArray[np.generic]] | None:
        """Return the pending tiles (asset, time) of a block by number, None if it has none."""
        found = self._blocks.get(key)
        return None if found is None else found.tiles

    def put(self, spec: ArraySpec, block: tuple[int, int], number: int, tile: NDArray[np.generic]) -> None:
        """Add a tile (asset, time) of a block."""
        key = block_key(spec, block)
        found = self._blocks.setdefault(key, _Block(spec, block))
        # Cells may have become vacant since the block's first change.
        found.spec = spec
        if number not in found.tiles:
            self._bytes += tile.nbytes
        found.tiles[number] = tile
        self._blocks.move_to_end(key)
        while self._bytes > _MAX_BYTES and len(self._blocks) > 1:
            self._write(next(iter(self._blocks)))

    def drop(self, key: str) -> None:
        """Discard the tiles of a block."""
        found = self._blocks.pop(key, None)
        if found is not None:
            self._bytes -= sum(tile.nbytes for tile in found.tiles.values())

    def _write(self, key: str) -> None:
        found = self._blocks[key]
        self.drop(key)
        write_tiles(found.spec, found.place, found.tiles, store=self._store)

    def flush(self) -> None:
        """Write all pending tiles."""
        for key in list(self._blocks):
            self._write(key)
