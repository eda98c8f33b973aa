"""Decoded tiles of a transaction: changed ones are written once, unchanged ones never."""

import numpy as np
import pytest

from twinlab.history.layout.grid import Layout
from twinlab.history.store.codecs import ArraySpec
from twinlab.history.store.tiles import read_region
from twinlab.history.write import pending_tiles
from twinlab.history.write.pending_tiles import PendingTiles

#: Two tiles of 8 cells and 2 assets in each block.
SPEC = ArraySpec("a", (32, 2), np.dtype("int16"), Layout((8, 2), (16, 2)), fill=0)
TILE_BYTES = 32


class Store:
    """Blocks by key."""

    def __init__(self) -> None:
        self.blocks: dict[str, bytes] = {}
        self.puts: list[str] = []

    def fetch(self, requests):
        found = [self.blocks.get(key) for key, _ in requests]
        return [
            None if data is None else data if span is None else data[slice(*span) if span[0] >= 0 else slice(span[0], None)]
            for data, (_, span) in zip(found, requests, strict=True)
        ]  # fmt: skip

    def put(self, key, data):
        self.puts.append(key)
        self.blocks[key] = data

    def delete(self, key):
        self.blocks.pop(key, None)


def tile(value: int) -> np.ndarray:
    return np.full((2, 8), value, dtype=np.int16)


def test_only_changed_tiles_are_written():
    store = Store()
    tiles = PendingTiles(store)
    tiles.keep(SPEC, (0, 0), 0, tile(1))
    tiles.keep(SPEC, (1, 0), 0, tile(2))
    tiles.put(SPEC, (1, 0), 1, tile(3))
    assert (tiles.of("a/c/0/0")[0] == 1).all()
    assert tiles.changed("a/c/0/0") is None
    assert list(tiles.changed("a/c/1/0")) == [1]
    # What was kept may be changed later.
    tiles.put(SPEC, (0, 0), 0, tile(4))
    tiles.flush()
    assert store.puts == ["a/c/1/0", "a/c/0/0"]
    found = read_region(SPEC, (0, 32), (0, 2), store=store)
    np.testing.assert_array_equal(found[:, 0], np.repeat([4, 0, 0, 3], 8))
    assert tiles.of("a/c/0/0") is None


def test_unchanged_tiles_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(pending_tiles, "_MAX_BYTES", 2 * TILE_BYTES)
    store = Store()
    tiles = PendingTiles(store)
    tiles.put(SPEC, (0, 0), 0, tile(1))
    tiles.keep(SPEC, (0, 0), 1, tile(2))
    # There is no more room for what needn't be kept.
    tiles.keep(SPEC, (1, 0), 0, tile(3))
    assert tiles.of("a/c/1/0") is None
    tiles.put(SPEC, (1, 0), 0, tile(4))
    assert store.puts == []
    assert list(tiles.of("a/c/0/0")) == [0]
    tiles.put(SPEC, (1, 0), 1, tile(5))
    assert store.puts == ["a/c/0/0"]


@pytest.mark.parametrize("forget", [PendingTiles.forget_unchanged, lambda tiles: tiles.drop("a/c/0/0")])
def test_forgotten_tiles_free_their_memory(monkeypatch, forget):
    monkeypatch.setattr(pending_tiles, "_MAX_BYTES", TILE_BYTES)
    tiles = PendingTiles(Store())
    for _ in range(3):
        tiles.keep(SPEC, (0, 0), 0, tile(1))
        assert tiles.of("a/c/0/0") is not None
        forget(tiles)
        assert tiles.of("a/c/0/0") is None
