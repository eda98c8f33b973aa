"""Read and write rectangles (time, asset) of stored arrays; bytes are fetched in bulk, tiles decoded by two threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twinlab.history.store.byte_store import ByteStore, Request
from twinlab.history.store.codecs import (
    EMPTY,
    ArraySpec,
    assemble,
    constant_flag,
    corrupt,
    decode_tile,
    encode_tile,
    index_bytes,
    parse_index,
)

__all__ = [
    "WHOLE",
    "Pending",
    "block_key",
    "different_tiles",
    "read_region",
    "split_blocks",
    "stored_tiles",
    "stream_tiles",
    "tile_grid",
    "tiles_of",
    "write_tiles",
]

#: Share of a shard's tiles above which reading all of it is faster than reading its index first.
WHOLE = 0.3
#: Up to this many tiles are decoded in one thread; more are divided into so many pieces.
_ALONE, _PIECES = 4, 4

#: Returns the tiles (asset, time) of a block that haven't been written yet, by their number; None if there are none.
Pending = Callable[[str], "Mapping[int, NDArray[np.generic]] | None"]


@lru_cache(maxsize=1)
def pool(process: int) -> ThreadPoolExecutor:
    """Return the thread pool that decodes tiles in this process; a forked process needs its own."""
    return ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1), thread_name_prefix=f"tiles-{process}")


@dataclass(frozen=True)
class Part:
    """The overlap of a region with a block, in cells of the array."""

    block: tuple[int, int]
    times: tuple[int, int]
    assets: tuple[int, int]


def block_key(spec: ArraySpec, block: tuple[int, int]) -> str:
    """Return the key of a block's bytes."""
    return f"{spec.path}/c/{block[0]}/{block[1]}"


def split_blocks(size: tuple[int, int], times: tuple[int, int], assets: tuple[int, int]) -> Iterator[Part]:
    """Yield the blocks of ``size`` that overlap a region."""
    (long, wide), (t0, t1), (a0, a1) = size, times, assets
    if t0 >= t1 or a0 >= a1:
        return
    for i in range(t0 // long, -(-t1 // long)):
        for j in range(a0 // wide, -(-a1 // wide)):
            yield Part(
                (i, j),
                (max(t0, i * long), min(t1, (i + 1) * long)),
                (max(a0, j * wide), min(a1, (j + 1) * wide)),
            )


def tile_grid(spec: ArraySpec) -> tuple[int, int]:
    """Return the numbers of rows and columns of tiles of a block."""
    (tile_t, tile_a), (block_t, block_a) = spec.layout.tile, spec.layout.block
    return block_t // tile_t, block_a // tile_a


@dataclass(frozen=True)
class _Job:
    data: bytes | memoryview
    tile: Part
    where: str


def _whole_jobs(spec: ArraySpec, part: Part, data: bytes) -> Iterator[_Job]:
    where = block_key(spec, part.block)
    if spec.layout.shard is None:
        yield _Job(data, Part(part.block, part.times, part.assets), where)
        return
    index = parse_index(data, tile_grid(spec), where=where)
    view = memoryview(data)
    for number, tile in tiles_of(spec, part):
        offset, length = (int(x) for x in index[number])
        if offset != EMPTY:
            yield _Job(view[offset : offset + length], tile, f"{where} tile {tile.block}")


def tiles_of(spec: ArraySpec, part: Part) -> Iterator[tuple[int, Part]]:
    """Yield the tiles of a block's part of a region, each with its number in the block."""
    rows, columns = tile_grid(spec)
    for tile in split_blocks(spec.layout.tile, part.times, part.assets):
        row = tile.block[0] - part.block[0] * rows
        column = tile.block[1] - part.block[1] * columns
        yield row * columns + column, tile


def _sparse_jobs(spec: ArraySpec, parts: list[Part], tails: list[bytes | None], store: ByteStore) -> Iterator[_Job]:
    grid = tile_grid(spec)
    requests: list[Request] = []
    wanted: list[list[tuple[Part, int, int]]] = []
    for part, tail in zip(parts, tails, strict=True):
        if tail is None:
            continue
        key = block_key(spec, part.block)
        index = parse_index(tail, grid, where=key)
        run: list[tuple[Part, int, int]] = []
        for number, tile in tiles_of(spec, part):
            offset, length = (int(x) for x in index[number])
            if offset == EMPTY:
                continue
            if run and run[-1][1] + run[-1][2] != offset:
                requests.append((key, (run[0][1], run[-1][1] + run[-1][2])))
                wanted.append(run)
                run = []
            run.append((tile, offset, length))
        if run:
            requests.append((key, (run[0][1], run[-1][1] + run[-1][2])))
            wanted.append(run)
    for (key, _), run, data in zip(requests, wanted, store.fetch(requests), strict=True):
        if data is None:
            raise corrupt(key, "they are missing")
        view = memoryview(data)
        for tile, offset, length in run:
            start = offset - run[0][1]
            yield _Job(view[start : start + length], tile, f"{key} tile {tile.block}")


def _share(spec: ArraySpec, part: Part) -> float:
    wanted = sum(1 for _ in tiles_of(spec, part))
    rows, columns = tile_grid(spec)
    return wanted / (rows * columns)


def _jobs(spec: ArraySpec, parts: list[Part], store: ByteStore) -> Iterator[_Job]:
    sparse = [p for p in parts if spec.layout.shard is not None and _share(spec, p) < WHOLE]
    whole = [p for p in parts if spec.layout.shard is None or _share(spec, p) >= WHOLE]
    ends = (-index_bytes(tile_grid(spec)), 0)
    # One fetch of whole shards and of the indexes of others.
    found = store.fetch(
        [(block_key(spec, p.block), None if n < len(whole) else ends) for n, p in enumerate(whole + sparse)]
    )
    for part, data in zip(whole, found, strict=False):
        if data is not None:
            yield from _whole_jobs(spec, part, data)
    if sparse:
        yield from _sparse_jobs(spec, sparse, found[len(whole) :], store)


def read_region(
    spec: ArraySpec,
    times: tuple[int, int],
    assets: tuple[int, int],
    *,
    store: ByteStore,
    pending: Pending | None = None,
) -> NDArray[np.generic]:
    """Return the cells of a rectangle as an array (time, asset) whose memory is contiguous by asset.

    Parameters
    ----------
    pending : function of a block's key, optional
        Returns the tiles (asset, time) of the block that haven't been written yet, by number.

    Raises
    ------
    CorruptionError
        If stored bytes fail their checksum; names array and chunk.
    """
    out = spec.background(times, assets)
    parts: list[Part] = []
    for part in split_blocks(spec.layout.block, times, assets):
        waiting = pending(block_key(spec, part.block)) if pending is not None else None
        if not waiting:
            parts.append(part)
            continue
        for number, tile in tiles_of(spec, part):
            if number in waiting:
                _place(out, waiting[number], tile, size=spec.layout.tile, times=times, assets=assets)
            else:
                parts.append(Part(part.block, tile.times, tile.assets))
    jobs = list(_jobs(spec, parts, store))

    def work(some: list[_Job]) -> None:
        scratch = np.empty(spec.layout.tile[::-1], dtype=spec.dtype)
        for job in some:
            decode_tile(job.data, spec, scratch, where=job.where)
            _place(out, scratch, job.tile, size=spec.layout.tile, times=times, assets=assets)

    if len(jobs) > _ALONE:
        # To hand a tile to a thread takes as long as to decode it, so each thread gets many.
        list(pool(os.getpid()).map(work, [jobs[n::_PIECES] for n in range(_PIECES)]))
    else:
        work(jobs)
    return out.T


#: A tile (asset, time), or the number that all its cells have; its columns; its first cell.
StreamedTile = tuple[NDArray[np.generic] | int, slice, int]


def stream_tiles(
    spec: ArraySpec, times: tuple[int, int], assets: tuple[int, int], *, store: ByteStore
) -> Iterator[StreamedTile]:
    """Yield the tiles of a rectangle in a fixed order; each array is valid only until the next one is yielded."""
    scratch = np.empty(spec.layout.tile[::-1], dtype=spec.dtype)
    long, wide = spec.layout.tile
    for part in split_blocks(spec.layout.block, times, assets):
        where = block_key(spec, part.block)
        for tile, body in _bodies(spec, part, store):
            columns, first = slice(*tile.assets), tile.times[0]
            if body is None:
                yield spec.background(tile.times, tile.assets) if len(spec.vacant) else spec.fill, columns, first
                continue
            constant = constant_flag(body, spec)
            if constant is not None:
                yield constant, columns, first
                continue
            decode_tile(body, spec, scratch, where=where)
            t, a = tile.block[0] * long, tile.block[1] * wide
            yield scratch[tile.assets[0] - a : tile.assets[1] - a, first - t : tile.times[1] - t], columns, first


def _bodies(spec: ArraySpec, part: Part, store: ByteStore) -> Iterator[tuple[Part, bytes | memoryview | None]]:
    """Yield the tiles of a block's part of a region with their bytes; None where a tile isn't stored."""
    tiles = [tile for _, tile in tiles_of(spec, part)] if spec.layout.shard is not None else [part]
    # If few tiles of a shard are needed, only those are fetched.
    found = {job.tile.block: job.data for job in _jobs(spec, [part], store)}
    for tile in tiles:
        yield tile, found.get(tile.block)


def _background_of(spec: ArraySpec, block: tuple[int, int], number: int) -> NDArray[np.generic] | int:
    """Return what is read of a tile of a block, by its number, if it isn't stored."""
    if not len(spec.vacant):
        return spec.fill
    (rows, columns), (long, wide) = tile_grid(spec), spec.layout.tile
    t, a = (block[0] * rows + number // columns) * long, (block[1] * columns + number % columns) * wide
    return spec.background((t, t + long), (a, a + wide))


def stored_tiles(
    spec: ArraySpec, times: tuple[int, int], assets: tuple[int, int], *, store: ByteStore, pending: Pending
) -> Iterator[Part]:
    """Yield the parts of a rectangle whose tiles are stored, or pending."""
    parts = list(split_blocks(spec.layout.block, times, assets))
    grid, sharded = tile_grid(spec), spec.layout.shard is not None
    ends = (-index_bytes(grid), 0) if sharded else None
    keys = [block_key(spec, part.block) for part in parts]
    for part, key, tail in zip(parts, keys, store.fetch([(key, ends) for key in keys]), strict=True):
        waiting = pending(key) or {}
        index = parse_index(tail, grid, where=key) if tail is not None and sharded else None
        for number, tile in tiles_of(spec, part):
            stored = tail is not None if index is None else int(index[number][0]) != EMPTY
            if stored or number in waiting:
                yield Part(part.block, tile.times, tile.assets)


def different_tiles(spec: ArraySpec, block: tuple[int, int], one: ByteStore, other: ByteStore) -> Iterator[Part]:
    """Yield the tiles of a block whose bytes differ between two states, none of which is decoded."""
    (long, wide), (times, assets) = spec.layout.block, spec.shape
    part = Part(
        block,
        (block[0] * long, min(times, (block[0] + 1) * long)),
        (block[1] * wide, min(assets, (block[1] + 1) * wide)),
    )
    if part.assets[0] >= part.assets[1]:
        return
    for (tile, data), (_, again) in zip(_bodies(spec, part, one), _bodies(spec, part, other), strict=True):
        if (data is None) != (again is None) or (data is not None and data != again):
            yield tile


def _place(
    out: NDArray[np.generic],
    block: NDArray[np.generic],
    part: Part,
    *,
    size: tuple[int, int],
    times: tuple[int, int],
    assets: tuple[int, int],
) -> None:
    t, a = part.block[0] * size[0], part.block[1] * size[1]
    out[
        part.assets[0] - assets[0] : part.assets[1] - assets[0], part.times[0] - times[0] : part.times[1] - times[0]
    ] = block[part.assets[0] - a : part.assets[1] - a, part.times[0] - t : part.times[1] - t]


def write_tiles(
    spec: ArraySpec, block: tuple[int, int], tiles: Mapping[int, NDArray[np.generic] | bytes], *, store: ByteStore
) -> None:
    """Store some tiles of one block by number, (asset, time) or encoded; the bytes of its other tiles stay as they are.

    A tile that equals what is read where none is stored isn't stored; nor is a block without tiles.
    """
    key, grid = block_key(spec, block), tile_grid(spec)

    def encode(number: int) -> bytes | None:
        tile = tiles[number]
        if isinstance(tile, bytes):
            decoded = np.empty(spec.layout.tile[::-1], dtype=spec.dtype)
            decode_tile(tile, spec, decoded, where=key)
            return None if (decoded == _background_of(spec, block, number)).all() else tile
        return None if (tile == _background_of(spec, block, number)).all() else encode_tile(tile.T, spec.codec)

    encoded: list[bytes | memoryview | None] = [None] * (grid[0] * grid[1])
    if spec.layout.shard is not None and len(tiles) < len(encoded):
        (data,) = store.fetch([(key, None)])
        if data is not None:
            view = memoryview(data)
            for number, (offset, length) in enumerate(parse_index(data, grid, where=key).tolist()):
                if offset != EMPTY:
                    encoded[number] = view[offset : offset + length]
    changed = list(tiles)
    for number, found in zip(changed, pool(os.getpid()).map(encode, changed), strict=True):
        encoded[number] = found
    if all(tile is None for tile in encoded):
        store.delete(key)
    elif spec.layout.shard is None:
        store.put(key, bytes(encoded[0] or b""))
    else:
        store.put(key, assemble(encoded, grid))
