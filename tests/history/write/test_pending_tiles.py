"""Decoded tiles of a transaction: changed ones are written once, unchanged ones never."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


#: Block, number of the tile, its value (0 as where none is stored), and what is done before.
CHANGES = st.tuples(
    st.integers(0, 1), st.integers(0, 1), st.integers(0, 3), st.sampled_from(["", "forget", "drop", "write"])
)


@given(st.lists(CHANGES, max_size=12), st.sampled_from([0, TILE_BYTES, 10 * TILE_BYTES]))
def test_encoded_tiles_are_read_changed_and_written_as_decoded_ones(changes, size):
    store, want = Store(), np.zeros((2, 2), dtype=np.int16)
    tiles = PendingTiles(store)
    tiles.limit_decoded(size)
    for block, number, value, before in changes:
        key = f"a/c/{block}/0"
        if before == "forget":
            tiles.forget_unchanged()
        elif before == "drop":
            tiles.drop(key)
            store.delete(key)
            want[block] = 0
        elif before == "write":
            tiles.flush()
        found = (tiles.of(key) or {}).get(number)
        if found is None:
            found = read_region(SPEC, _times(block, number), (0, 2), store=store).T.copy()
            tiles.keep(SPEC, (block, 0), number, found)
        assert (found == want[block, number]).all()
        # Changed in place, as a transaction does.
        found[...] = want[block, number] = value
        tiles.put(SPEC, (block, 0), number, found)
        for at, other in np.ndindex(2, 2):
            cells = read_region(SPEC, _times(at, other), (0, 2), store=store, pending=tiles.of)
            assert (cells == want[at, other]).all()
    tiles.flush()
    assert (tiles._bytes, tiles._decoded) == (0, 0)
    stored = read_region(SPEC, (0, 32), (0, 2), store=store)
    np.testing.assert_array_equal(stored[:, 1], np.repeat(want.ravel(), 8))


def _times(block: int, number: int) -> tuple[int, int]:
    return block * 16 + number * 8, block * 16 + number * 8 + 8


def test_tiles_changed_longest_ago_are_encoded_once():
    tiles = PendingTiles(Store())
    tiles.limit_decoded(2 * TILE_BYTES)
    with mock.patch.object(pending_tiles, "encode_tile", wraps=pending_tiles.encode_tile) as encode:
        for block in (0, 1):
            for number in (0, 1):
                tiles.put(SPEC, (block, 0), number, tile(1 + block))
        assert encode.call_count == 2
        tiles.flush()
        assert encode.call_count == 2
    assert tiles.of("a/c/0/0") is None


@pytest.mark.parametrize("forget", [PendingTiles.forget_unchanged, lambda tiles: tiles.drop("a/c/0/0")])
def test_forgotten_tiles_free_their_memory(monkeypatch, forget):
    monkeypatch.setattr(pending_tiles, "_MAX_BYTES", TILE_BYTES)
    tiles = PendingTiles(Store())
    for _ in range(3):
        tiles.keep(SPEC, (0, 0), 0, tile(1))
        assert tiles.of("a/c/0/0") is not None
        forget(tiles)
        assert tiles.of("a/c/0/0") is None
