"""Encode the values of a group's compacted cells with another codec: fewer bytes or faster reading, and every value as it was, bit for bit."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.history.store.codecs import (
    EMPTY,
    ArraySpec,
    array_metadata,
    assemble,
    corrupt,
    decode_tile,
    encode_tile,
    parse_index,
)
from twinlab.history.store.tiles import block_key, pool, tile_grid

if TYPE_CHECKING:
    from twinlab.history.store.byte_store import ByteStore
    from twinlab.history.store.catalog import GroupEntry

__all__ = ["RecodedCells", "recode_group"]


@dataclass(frozen=True)
class RecodedCells:
    """The compacted cells of one signal before and after: a part of the proof."""

    asset_type: str
    signal: str
    tiles: int
    bytes_before: int
    bytes_after: int
    # SHA-256 of the stored integers of these tiles, the same before and after, in order of year, then place.
    sha256: str


def recode_group(entry: GroupEntry, codec: str, store: ByteStore) -> Iterator[RecodedCells]:
    """Encode the values of a group's compacted cells with a codec, signal by signal."""
    old = entry.codec
    entry.codec = codec
    for name in entry.signals:
        digest, tiles, before, after = hashlib.sha256(), 0, 0, 0
        for year, part in sorted(entry.years.items()):
            fresh = entry.cell_spec(year, name, part="cold", flags=False)
            if f"cold/{name}" not in part.arrays:
                continue
            spec = replace(fresh, codec=old)
            store.put(f"{spec.path}/zarr.json", array_metadata(fresh, attributes=entry.attributes(fresh)))
            for block in np.ndindex(
                *(-(-size // long) for size, long in zip(spec.shape, spec.layout.block, strict=True))
            ):
                key = block_key(spec, block)
                (data,) = store.fetch([(key, None)])
                if data is None:
                    continue
                bodies = _bodies(spec, data, key)
                made = list(pool(os.getpid()).map(partial(_recoded, spec=spec, fresh=fresh, where=key), bodies))
                for one in made:
                    if one is not None:
                        digest.update(one[1].tobytes())
                        tiles += 1
                out = [None if one is None else one[0] for one in made]
                whole = assemble(out, tile_grid(spec)) if spec.layout.shard is not None else bytes(out[0] or b"")
                store.put(key, whole)
                before, after = before + len(data), after + len(whole)
        yield RecodedCells(entry.group.asset_type, name, tiles, before, after, digest.hexdigest())


def _bodies(spec: ArraySpec, data: bytes, key: str) -> list[memoryview | None]:
    """Return the bytes of the tiles of a block; None for those that aren't stored."""
    view = memoryview(data)
    if spec.layout.shard is None:
        return [view]
    places = parse_index(data, tile_grid(spec), where=key).tolist()
    return [None if offset == EMPTY else view[offset : offset + length] for offset, length in places]


def _recoded(
    body: memoryview | None, *, spec: ArraySpec, fresh: ArraySpec, where: str
) -> tuple[bytes, NDArray[np.generic]] | None:
    """Return a tile in the other codec, and its numbers, which are read back and compared."""
    if body is None:
        return None
    values, again = (np.empty(spec.layout.tile[::-1], dtype=spec.dtype) for _ in range(2))
    decode_tile(body, spec, values, where=where)
    data = encode_tile(values.T, fresh.codec)
    decode_tile(data, fresh, again, where=where)
    if not np.array_equal(values, again):
        raise corrupt(where, f"{fresh.codec} gives other values back; nothing was changed")
    return data, values
