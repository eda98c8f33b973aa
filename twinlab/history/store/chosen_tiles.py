"""Chosen tiles, fetched shard by shard: those of a rectangle that a scan has to decode, or those of many short windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.store.byte_store import ByteStore, Request
from twinlab.history.store.catalog import GroupEntry
from twinlab.history.store.codecs import EMPTY, ArraySpec, corrupt, decode_tile, index_bytes, parse_index
from twinlab.history.store.tiles import WHOLE, block_key, tile_grid

__all__ = ["chosen_tiles", "read_windows"]

Integers = NDArray[np.int64]


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


def _places(
    spec: ArraySpec, tiles: Sequence[tuple[int, int]], index: NDArray[np.uint64]
) -> dict[tuple[int, int], tuple[int, int]]:
    """Return offset and length of tiles within their shard."""
    rows, columns = tile_grid(spec)
    numbers = [row % rows * columns + column % columns for row, column in tiles]
    return {tile: (int(at), int(length)) for tile, (at, length) in zip(tiles, index[numbers].tolist(), strict=True)}


def _of_whole(
    spec: ArraySpec, block: tuple[int, int], wanted: Sequence[tuple[int, int]], store: ByteStore
) -> dict[tuple[int, int], bytes | memoryview]:
    key = block_key(spec, block)
    (data,) = store.fetch([(key, None)])
    if data is None:
        return {}
    view = memoryview(data)
    places = _places(spec, wanted, parse_index(data, tile_grid(spec), where=key))
    return {tile: view[at : at + length] for tile, (at, length) in places.items() if at != EMPTY}


def _of_some(
    spec: ArraySpec, block: tuple[int, int], wanted: Sequence[tuple[int, int]], store: ByteStore
) -> dict[tuple[int, int], bytes | memoryview]:
    key = block_key(spec, block)
    (tail,) = store.fetch([(key, (-index_bytes(tile_grid(spec)), 0))])
    if tail is None:
        return {}
    places = _places(spec, wanted, parse_index(tail, tile_grid(spec), where=key))
    stored = [tile for tile, (at, _) in places.items() if at != EMPTY]
    requests: list[Request] = [(key, (places[tile][0], sum(places[tile]))) for tile in stored]
    out: dict[tuple[int, int], bytes | memoryview] = {}
    for tile, data in zip(stored, store.fetch(requests), strict=True):
        if data is None:
            raise corrupt(key, "they are missing")
        out[tile] = data
    return out


def read_windows(
    entry: GroupEntry, signal: str, firsts: Integers, length: int, columns: Integers, *, flags: bool, store: ByteStore
) -> NDArray[Any]:
    """Return the stored cells of many short windows, each of one column from a cell on, as an array (window, time).

    Each tile is decoded once, however many windows are in it.
    """
    axis, stops = entry.axis, firsts + length
    kind = entry.cell_spec(axis.year(int(firsts.min(initial=0))), signal, part="cold", flags=flags)
    out = np.full((len(firsts), length), kind.fill, dtype=kind.dtype)
    for year, k0, k1 in axis.split(int(firsts.min(initial=0)), int(stops.max(initial=0))):
        first, hot = axis.year_cells(year)[0], entry.year(year).hot_chunks
        low, high = np.clip(firsts, k0, k1) - first, np.clip(stops, k0, k1) - first
        # Hot tiles replace the cells of cold ones.
        for part in ("cold", "hot"):
            spec = entry.cell_spec(year, signal, part=part, flags=flags)
            windows_of = _windows_of(spec, low, high, columns, None if part == "cold" else hot)
            stored = spec.path.removeprefix(entry.path(year) + "/") in entry.year(year).arrays
            found = chosen_tiles(spec, windows_of, store=store) if stored else {}
            for tile, mine in windows_of.items():
                cells = _decoded(spec, tile, found.get(tile))
                start, column = tile[0] * spec.layout.tile[0], tile[1] * spec.layout.tile[1]
                for n in mine:
                    a, b = max(int(low[n]), start), min(int(high[n]), start + spec.layout.tile[0])
                    at = a + first - int(firsts[n])
                    out[n, at : at + b - a] = cells[int(columns[n]) - column, a - start : b - start]
    return out


def _windows_of(
    spec: ArraySpec, low: Integers, high: Integers, columns: Integers, chunks: set[int] | None
) -> dict[tuple[int, int], list[int]]:
    """Return the tiles of windows by row and column, each with the numbers of its windows; with ``chunks`` only these rows."""
    long, wide = spec.layout.tile
    out: dict[tuple[int, int], list[int]] = {}
    for n, (first, stop, column) in enumerate(
        zip((low // long).tolist(), (-(-high // long)).tolist(), (columns // wide).tolist(), strict=True)
    ):
        if low[n] >= high[n]:
            continue
        for row in range(first, stop):
            if chunks is None or row in chunks:
                out.setdefault((row, column), []).append(n)
    return out


def _decoded(spec: ArraySpec, tile: tuple[int, int], data: bytes | memoryview | None) -> NDArray[Any]:
    """Return the cells (asset, time) of a tile; data are None if it isn't stored."""
    long, wide = spec.layout.tile
    if data is None:
        return spec.background((tile[0] * long, (tile[0] + 1) * long), (tile[1] * wide, (tile[1] + 1) * wide))
    out = np.empty((wide, long), dtype=spec.dtype)
    decode_tile(data, spec, out, where=f"{spec.path} tile {tile}")
    return out
