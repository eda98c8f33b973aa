"""Decoded tiles of a transaction, so that a tile is decoded once, and encoded once after several changes."""

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
    """Decoded tiles: changed ones, to be written, and unchanged ones, so that they needn't be read again.

    The blocks that were changed longest ago are written when the tiles exceed their memory.
    """

    def __init__(self, store: ByteStore) -> None:
        self._store = store
        self._blocks: OrderedDict[str, _Block] = OrderedDict()
        self._bytes = 0
        # Tiles that are as they are stored: block's key, number.
        self._unchanged: set[tuple[str, int]] = set()

    def of(self, key: str) -> Mapping[int, NDArray[np.generic]] | None:
        """Return the decoded tiles (asset, time) of a block by number, None if it has none."""
        found = self._blocks.get(key)
        return None if found is None else found.tiles

    def changed(self, key: str) -> Mapping[int, NDArray[np.generic]] | None:
        """Return those of a block's tiles that must be written, None if there are none."""
        tiles = self.of(key) or {}
        return {number: tile for number, tile in tiles.items() if (key, number) not in self._unchanged} or None

    def put(self, spec: ArraySpec, block: tuple[int, int], number: int, tile: NDArray[np.generic]) -> None:
        """Add a tile (asset, time) of a block that must be written."""
        key = self._add(spec, block, number, tile)
        self._unchanged.discard((key, number))
        self._blocks.move_to_end(key)
        if self._bytes > _MAX_BYTES:
            self.forget_unchanged()
        while self._bytes > _MAX_BYTES and len(self._blocks) > 1:
            self._write(next(iter(self._blocks)))

    def keep(self, spec: ArraySpec, block: tuple[int, int], number: int, tile: NDArray[np.generic]) -> None:
        """Keep a tile as it was read: what is read there must not change before `forget_unchanged`."""
        if self._bytes + tile.nbytes <= _MAX_BYTES:
            self._unchanged.add((self._add(spec, block, number, tile), number))

    def _add(self, spec: ArraySpec, block: tuple[int, int], number: int, tile: NDArray[np.generic]) -> str:
        key = block_key(spec, block)
        found = self._blocks.setdefault(key, _Block(spec, block))
        # Cells may have become vacant since the block's first change.
        found.spec = spec
        if number not in found.tiles:
            self._bytes += tile.nbytes
        found.tiles[number] = tile
        return key

    def forget_unchanged(self) -> None:
        """Forget the tiles that needn't be written."""
        for key, number in self._unchanged:
            found = self._blocks[key]
            self._bytes -= found.tiles.pop(number).nbytes
            if not found.tiles:
                del self._blocks[key]
        self._unchanged.clear()

    def drop(self, key: str) -> None:
        """Discard the tiles of a block."""
        found = self._blocks.pop(key, None)
        if found is not None:
            self._bytes -= sum(tile.nbytes for tile in found.tiles.values())
            self._unchanged.difference_update([(key, number) for number in found.tiles])

    def _write(self, key: str) -> None:
        found, tiles = self._blocks[key], self.changed(key)
        self.drop(key)
        write_tiles(found.spec, found.place, tiles or {}, store=self._store)

    def flush(self) -> None:
        """Write all changed tiles."""
        self.forget_unchanged()
        for key in list(self._blocks):
            self._write(key)
