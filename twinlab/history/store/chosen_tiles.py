"""Bytes of chosen tiles: those of a rectangle that a scan has to decode, fetched shard by shard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinlab.history.store.byte_store import ByteStore, Request
from twinlab.history.store.codecs import EMPTY, ArraySpec, corrupt, index_bytes, parse_index
from twinlab.history.store.tiles import WHOLE, block_key, tile_grid

__all__ = ["chosen_tiles"]


def chosen_tiles(
    spec: ArraySpec, tiles: Iterable[tuple[int, int]], *, store: ByteStore
) -> dict[tuple[int, int], bytes | memoryview]:
    """Return the bytes of tiles by their place (row, column) in the array's grid of tiles; those not stored are left out.

    Raises
    ------
    CorruptionError
        If stored bytes are missing, or a shard's index fails its checksum.
    """
    rows, columns = tile_grid(spec)
    blocks: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for row, column in tiles:
        blocks.setdefault((row // rows, column // columns), []).append((row, column))
    out: dict[tuple[int, int], bytes | memoryview] = {}
    for block, wanted in blocks.items():
        if spec.layout.shard is None:
            (data,) = store.fetch([(block_key(spec, block), None)])
            out |= {} if data is None else {wanted[0]: data}
        elif len(wanted) >= WHOLE * rows * columns:
            out |= _of_whole(spec, block, wanted, store)
        else:
            out |= _of_some(spec, block, wanted, store)
    return out


def _number(spec: ArraySpec, tile: tuple[int, int]) -> int:
    """Return the number of a tile within its shard."""
    rows, columns = tile_grid(spec)
    return tile[0] % rows * columns + tile[1] % columns


def _of_whole(
    spec: ArraySpec, block: tuple[int, int], wanted: Sequence[tuple[int, int]], store: ByteStore
) -> dict[tuple[int, int], bytes | memoryview]:
    key = block_key(spec, block)
    (data,) = store.fetch([(key, None)])
    if data is None:
        return {}
    index, view = parse_index(data, tile_grid(spec), where=key).tolist(), memoryview(data)
    places = {tile: index[_number(spec, tile)] for tile in wanted}
    return {tile: view[at : at + length] for tile, (at, length) in places.items() if at != EMPTY}


def _of_some(
    spec: ArraySpec, block: tuple[int, int], wanted: Sequence[tuple[int, int]], store: ByteStore
) -> dict[tuple[int, int], bytes | memoryview]:
    key = block_key(spec, block)
    (tail,) = store.fetch([(key, (-index_bytes(tile_grid(spec)), 0))])
    if tail is None:
        return {}
    index = parse_index(tail, tile_grid(spec), where=key).tolist()
    places = {tile: index[_number(spec, tile)] for tile in wanted}
    stored = [tile for tile, (at, _) in places.items() if at != EMPTY]
    requests: list[Request] = [(key, (places[tile][0], sum(places[tile]))) for tile in stored]
    out: dict[tuple[int, int], bytes | memoryview] = {}
    for tile, data in zip(stored, store.fetch(requests), strict=True):
        if data is None:
            raise corrupt(key, "they are missing")
        out[tile] = data
    return out
