"""Tiles of a transaction, so that a tile is decoded once, and stored once after several changes."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from twinlab.history.store.byte_store import ByteStore
from twinlab.history.store.codecs import ArraySpec, decode_tile, encode_tile
from twinlab.history.store.tiles import block_key, pool, write_tiles

__all__ = ["PendingTiles"]

#: Maximum size of all tiles; beyond it the blocks that were changed longest ago are written.
_MAX_BYTES = 256 * 2**20
#: Maximum size of the changed tiles that are decoded.
_MAX_DECODED = 128 * 2**20

Tile = NDArray[np.generic]


class _Tiles(Mapping[int, Tile]):
    """Tiles (asset, time) of a block by number; encoded ones are decoded when they are asked for."""

    def __init__(self, spec: ArraySpec, place: tuple[int, int]) -> None:
        self.spec, self.place = spec, place
        self.held: dict[int, Tile | bytes] = {}
        # Numbers of the tiles that are as they are stored.
        self.unchanged: set[int] = set()

    def __getitem__(self, number: int) -> Tile:
        tile = self.held[number]
        if not isinstance(tile, bytes):
            return tile
        decoded = np.empty(self.spec.layout.tile[::-1], dtype=self.spec.dtype)
        decode_tile(tile, self.spec, decoded, where=block_key(self.spec, self.place))
        return decoded

    def __contains__(self, number: object) -> bool:
        return number in self.held

    def __iter__(self) -> Iterator[int]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def changed(self) -> _Tiles:
        """Return the tiles that must be written."""
        part = _Tiles(self.spec, self.place)
        part.held = {number: tile for number, tile in self.held.items() if number not in self.unchanged}
        return part


class PendingTiles:
    """Tiles in bounded memory: changed ones, to be written, and unchanged ones, so that they needn't be read again.

    Changed tiles whose change is longest ago are encoded, and blocks written, when the tiles exceed their memory.
    """

    def __init__(self, store: ByteStore) -> None:
        self._store = store
        self._blocks: OrderedDict[str, _Tiles] = OrderedDict()
        # Keys of the blocks with changed tiles that are decoded, in order of their last change.
        self._fresh: OrderedDict[str, None] = OrderedDict()
        # Keys of the blocks with unchanged tiles.
        self._kept: set[str] = set()
        # Of all tiles, and of the changed ones that are decoded.
        self._bytes = self._decoded = 0
        self._most_decoded = _MAX_DECODED

    def limit_decoded(self, size: int) -> None:
        """Keep at most ``size`` bytes of changed tiles decoded: they take about a fifth when they are encoded."""
        self._most_decoded = size

    def of(self, key: str) -> Mapping[int, Tile] | None:
        """Return the tiles (asset, time) of a block by number, None if it has none."""
        return self._blocks.get(key)

    def changed(self, key: str) -> Mapping[int, Tile] | None:
        """Return those of a block's tiles that must be written, None if there are none."""
        found = self._blocks.get(key)
        return None if found is None else found.changed() or None

    def put(self, spec: ArraySpec, block: tuple[int, int], number: int, tile: Tile) -> None:
        """Add a tile (asset, time) of a block that must be written."""
        key, found = self._block(spec, block)
        self._release(found, number)
        found.held[number] = tile
        self._bytes += tile.nbytes
        self._decoded += tile.nbytes
        self._blocks.move_to_end(key)
        self._fresh[key] = None
        self._fresh.move_to_end(key)
        if self._decoded > self._most_decoded:
            self._encode(self._most_decoded // 2)
        if self._bytes > _MAX_BYTES:
            self.forget_unchanged()
        while self._bytes > _MAX_BYTES and len(self._blocks) > 1:
            self._write(next(iter(self._blocks)))

    def keep(self, spec: ArraySpec, block: tuple[int, int], number: int, tile: Tile) -> None:
        """Keep a tile as it was read: what is read there must not change before `forget_unchanged`."""
        if self._bytes + tile.nbytes <= _MAX_BYTES:
            key, found = self._block(spec, block)
            self._release(found, number)
            found.held[number] = tile
            found.unchanged.add(number)
            self._bytes += tile.nbytes
            self._kept.add(key)

    def _block(self, spec: ArraySpec, block: tuple[int, int]) -> tuple[str, _Tiles]:
        key = block_key(spec, block)
        found = self._blocks.setdefault(key, _Tiles(spec, block))
        # Cells may have become vacant since the block's first change.
        found.spec = spec
        return key, found

    def _release(self, found: _Tiles, number: int) -> None:
        tile = found.held.pop(number, None)
        if tile is None:
            return
        if isinstance(tile, bytes):
            self._bytes -= len(tile)
        else:
            self._bytes -= tile.nbytes
            self._decoded -= 0 if number in found.unchanged else tile.nbytes
        found.unchanged.discard(number)

    def _encode(self, most: int) -> None:
        """Encode changed tiles until at most ``most`` bytes of them are decoded, but not those of the block changed last."""
        chosen: list[tuple[_Tiles, int, Tile]] = []
        while self._decoded > most and len(self._fresh) > 1:
            found = self._blocks[self._fresh.popitem(last=False)[0]]
            for number, tile in found.held.items():
                if not isinstance(tile, bytes) and number not in found.unchanged:
                    chosen.append((found, number, tile))
                    self._decoded -= tile.nbytes
        encoded = pool(os.getpid()).map(lambda one: encode_tile(one[2].T, one[0].spec.codec), chosen)
        for (found, number, tile), data in zip(chosen, encoded, strict=True):
            found.held[number] = data
            self._bytes += len(data) - tile.nbytes

    def forget_unchanged(self) -> None:
        """Forget the tiles that needn't be written."""
        kept, self._kept = self._kept, set()
        for key in kept:
            found = self._blocks[key]
            for number in list(found.unchanged):
                self._release(found, number)
            if not found.held:
                self.drop(key)

    def drop(self, key: str) -> None:
        """Discard the tiles of a block."""
        self._fresh.pop(key, None)
        self._kept.discard(key)
        found = self._blocks.pop(key, None)
        if found is not None:
            for number in list(found.held):
                self._release(found, number)

    def _write(self, key: str) -> None:
        tiles = self._blocks[key].changed()
        self.drop(key)
        write_tiles(tiles.spec, tiles.place, tiles.held, store=self._store)

    def flush(self) -> None:
        """Write all changed tiles."""
        self.forget_unchanged()
        for key in list(self._blocks):
            self._write(key)
