"""What a twin's cells take in each codec without loss, and how long they take to decode and to encode; measured on stored tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import thread_time_ns
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from twinlab.history.retention.sizes import filled_tile, tile_places
from twinlab.history.store.catalog import GroupEntry
from twinlab.history.store.codecs import ArraySpec, decode_tile, encode_tile, index_bytes
from twinlab.history.store.tiles import split_blocks, tile_grid
from twinlab.history.store.view import View
from twinlab.model.storage.price import Codec

__all__ = ["CODECS", "CodecSize", "codec_sizes"]

CODECS: Final[tuple[str, ...]] = get_args(Codec)
#: Tiles of each signal that are encoded, at equal distances; decoding is timed as the least of so many runs.
_TILES, _RUNS = 8, 3


@dataclass(frozen=True)
class CodecSize:
    """Bytes of the values of all compacted cells in a codec; they are the same numbers, whatever the codec."""

    codec: str
    in_use: bool
    bytes: float
    others: float
    """Those of signals that aren't gauges."""
    decode_ns: float
    """CPU time to decode a cell."""
    encode_ns: float
    """CPU time to encode a cell."""


def codec_sizes(view: View) -> list[CodecSize]:
    """Return the bytes of the cells' values in the codec in use, first, and in others; an empty list without compacted cells.

    Each signal's stored bytes, apart from indexes of shards, are scaled by what a sample of its tiles takes in another codec.
    """
    stored, in_use = view.bytes(), view.catalog.codec
    order = [in_use, *(one for one in CODECS if one != in_use)]
    total, others = dict.fromkeys(order, 0.0), dict.fromkeys(order, 0.0)
    decoding, encoding, cells = dict.fromkeys(order, 0), dict.fromkeys(order, 0), 0
    for group in view.groups():
        entry = view.catalog.entry(group)
        for name, signal in entry.signals.items() if entry.extent is not None else ():
            paths = [f"{entry.path(year)}/cold/{name}" for year in entry.years]
            size = sum(stored.get(path, 0) or stored.get("/" + path, 0) for path in paths)
            taken = dict.fromkeys(order, 0)
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
                for codec in order:
                    length, decode_ns, encode_ns = _measured(tile, replace(spec, codec=codec))
                    taken[codec] += length
                    decoding[codec] += decode_ns
                    encoding[codec] += encode_ns
            if taken[entry.codec]:
                indexes = min(size, _index_bytes(entry, name))
                of_signal = {one: indexes + (size - indexes) * taken[one] / taken[entry.codec] for one in order}
                total = {codec: total[codec] + of_signal[codec] for codec in order}
                if signal.kind != "gauge":
                    others = {codec: others[codec] + of_signal[codec] for codec in order}
    if not cells:
        return []
    return [
        CodecSize(one, one == in_use, total[one], others[one], decoding[one] / cells, encoding[one] / cells)
        for one in order
    ]


def _index_bytes(entry: GroupEntry, name: str) -> int:
    """Return the bytes of the indexes of the shards of a signal's compacted values, which no codec changes."""
    total = 0
    for year, first, stop in entry.axis.split(*(entry.extent or (0, 0))):
        spec, base = entry.cell_spec(year, name, part="cold", flags=False), entry.axis.year_cells(year)[0]
        if spec.layout.shard is not None:
            times = (first - base, min(stop - base, entry.year(year).cold_end))
            total += index_bytes(tile_grid(spec)) * len(
                list(split_blocks(spec.layout.block, times, (0, entry.n_assets)))
            )
    return total


def _measured(tile: NDArray[Any], spec: ArraySpec) -> tuple[int, int, int]:
    """Return the bytes of a tile (time, asset), and the CPU time to decode and to encode it, ns."""
    encoding, data = _timed(partial(encode_tile, tile, spec.codec))
    out = np.empty(tile.T.shape, dtype=tile.dtype)
    decoding = min(_timed(partial(decode_tile, data, spec, out, where=spec.path))[0] for _ in range(_RUNS))
    return len(data), decoding, encoding


def _timed(run: Callable[[], Any]) -> tuple[int, Any]:
    began = thread_time_ns()
    found = run()
    return thread_time_ns() - began, found
