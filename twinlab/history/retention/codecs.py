"""What a twin's cells would take in other codecs without loss, and how long they would take to decode; measured on stored tiles.

For information: all arrays of a history have one codec (`twinlab.history.store.codecs`), which compacting doesn't change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import thread_time_ns
from typing import Any, TypeAlias

import numpy as np
from numcodecs import Zstd
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from twinlab.history.retention.sizes import filled_tile, tile_places
from twinlab.history.store.codecs import ArraySpec, decode_tile, encode_tile
from twinlab.history.store.view import View

__all__ = ["CodecSize", "codec_sizes"]

#: Tiles of each signal that are encoded, at equal distances; times are the least of so many runs.
_TILES, _RUNS = 4, 3


@dataclass(frozen=True)
class CodecSize:
    """Bytes of the values of all compacted cells in a codec; they are the same numbers, whatever the codec."""

    codec: str
    in_use: bool
    bytes: float
    ns_per_cell: float
    """CPU time to decode."""


def _pcodec(level: int) -> Callable[[NDArray[Any]], bytes]:
    # With the checksum that follows each tile.
    return lambda flat: bytes(standalone.simple_compress(flat, ChunkConfig(compression_level=level))) + bytes(4)


def _from_pcodec(data: bytes, out: NDArray[Any]) -> None:
    standalone.simple_decompress_into(data[:-4], out)


def _zstd(level: int) -> Callable[[NDArray[Any]], bytes]:
    return lambda flat: bytes(Zstd(level=level, checksum=True).encode(flat))


def _from_zstd(data: bytes, out: NDArray[Any]) -> None:
    Zstd().decode(data, out)


_Encode: TypeAlias = Callable[[NDArray[Any]], bytes]
_Decode: TypeAlias = Callable[[bytes, NDArray[Any]], None]
#: Codecs that are tried beside the one in use; both come with what reads and writes histories.
_OTHERS: dict[str, tuple[_Encode, _Decode]] = {
    "pcodec 4": (_pcodec(4), _from_pcodec),
    "pcodec 12": (_pcodec(12), _from_pcodec),
    "zstd 3": (_zstd(3), _from_zstd),
    "zstd 19": (_zstd(19), _from_zstd),
}
_IN_USE = "pcodec 8"


def codec_sizes(view: View) -> list[CodecSize]:
    """Return the bytes of the cells' values in the codec in use, first, and in others; an empty list without compacted cells.

    Each signal's stored bytes are scaled by what a sample of its tiles takes in another codec.
    """
    stored = view.bytes()
    total, spent = dict.fromkeys([_IN_USE, *_OTHERS], 0.0), dict.fromkeys([_IN_USE, *_OTHERS], 0)
    cells = 0
    for group in view.groups():
        entry = view.catalog.entry(group)
        for name in entry.signals if entry.extent is not None else ():
            paths = [f"{entry.path(year)}/cold/{name}" for year in entry.years]
            size = sum(stored.get(path, 0) or stored.get("/" + path, 0) for path in paths)
            taken = dict.fromkeys(total, 0)
            places = list(tile_places(entry)) if size else []
            for place in places[:: max(1, -(-len(places) // _TILES))]:
                year, first, stop, low, high = place
                base = entry.axis.year_cells(year)[0]
                values, _ = view.cells(group, name, base + first, base + stop, np.arange(low, high))
                spec = entry.cell_spec(year, name, part="cold", flags=False)
                tile = filled_tile(spec, values, place)
                if tile is None:
                    continue
                cells += tile.size
                for codec, (length, time_ns) in _measured(tile, spec).items():
                    taken[codec] += length
                    spent[codec] += time_ns
            if taken[_IN_USE]:
                total = {codec: total[codec] + size * taken[codec] / taken[_IN_USE] for codec in total}
    return [CodecSize(codec, codec == _IN_USE, total[codec], spent[codec] / cells) for codec in total] if cells else []


def _measured(tile: NDArray[Any], spec: ArraySpec) -> dict[str, tuple[int, int]]:
    """Return the bytes of a tile (time, asset) in each codec, and the CPU time to decode it, ns."""
    flat = np.ascontiguousarray(tile.T).ravel()
    data, out = encode_tile(tile), np.empty(tile.T.shape, dtype=tile.dtype)
    found = {_IN_USE: (len(data), _least(partial(decode_tile, data, spec, out, where=spec.path)))}
    for codec, (encode, decode) in _OTHERS.items():
        data, into = encode(flat), np.empty_like(flat)
        found[codec] = len(data), _least(partial(decode, data, into))
        if not np.array_equal(into, flat):
            msg = f"expected {codec} to give the values of {spec.path} back, it gave others"
            raise RuntimeError(msg)
    return found


def _least(run: Callable[[], object]) -> int:
    times = []
    for _ in range(_RUNS):
        began = thread_time_ns()
        run()
        times.append(thread_time_ns() - began)
    return min(times)
