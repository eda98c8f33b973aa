"""Bytes of a tile: pcodec or zstd for integers, zstd for flags, each with a checksum, in shards of Zarr v3.

Our reader and writer process these bytes themselves, because Zarr's pipeline costs more per tile than decoding does.
The arrays are plain Zarr v3 all the same: ``zarr.open_group(session.store)`` reads the same numbers, except that long
spans without data, which the catalogue states (`twinlab.history.store.vacant`), read as "not evaluated".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import google_crc32c
import numpy as np
from numcodecs import Zstd
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from twinlab.errors import CorruptionError
from twinlab.history.layout.grid import Layout
from twinlab.history.store.vacant import Rectangles
from twinlab.model.flags import Flag

__all__ = [
    "CODEC",
    "EMPTY",
    "ArraySpec",
    "array_metadata",
    "assemble",
    "constant_flag",
    "corrupt",
    "decode_tile",
    "encode_tile",
    "index_bytes",
    "parse_index",
]

_CRC_BYTES = 4
#: Tiles of flags with fewer bytes may have the same flag in all cells.
_SHORT = 256
_ZSTD_CHECKSUM = True
#: Offset and length of a tile that isn't in its shard (Zarr v3 sharding specification).
EMPTY = 2**64 - 1
#: Codec of integers, unless the catalogue names another one for an array: "pcodec" or "zstd", and a level.
CODEC = "pcodec 8"


@dataclass(frozen=True)
class ArraySpec:
    """A stored array (time, asset): all that is needed to read or write a block."""

    path: str
    shape: tuple[int, int]
    dtype: np.dtype
    layout: Layout
    fill: int
    # Cells that have another number than `fill` where no tile is stored, and that number.
    vacant: Rectangles = field(default=Rectangles(), compare=False)
    vacant_fill: int = 0
    # Of integers.
    codec: str = CODEC

    def background(self, times: tuple[int, int], assets: tuple[int, int]) -> NDArray[np.generic]:
        """Return the cells (asset, time) of a rectangle of which no tile is stored."""
        out = np.full((assets[1] - assets[0], times[1] - times[0]), self.fill, dtype=self.dtype)
        self.vacant.paint(out, self.vacant_fill, times, assets)
        return out

    @property
    def is_flags(self) -> bool:
        """Whether it is an array of flags, which zstd compresses better than pcodec."""
        return self.dtype == np.uint8


def array_metadata(spec: ArraySpec, *, attributes: Mapping[str, object]) -> bytes:
    """Return the ``zarr.json`` of an array, from which Zarr can read it.

    numcodecs' pcodec isn't in the Zarr v3 specification, and Zarr warns about it. It is used because it takes a third
    fewer bytes than zstd; `twinlab.history.read.export` writes arrays with codecs of the specification only.
    """
    inner: list[dict[str, object]] = [{"name": "transpose", "configuration": {"order": [1, 0]}}]
    method, level = _method(spec.codec)
    if spec.is_flags:
        inner += [{"name": "bytes"}, {"name": "zstd", "configuration": {"level": 3, "checksum": _ZSTD_CHECKSUM}}]
    elif method == "zstd":
        inner += [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "zstd", "configuration": {"level": level, "checksum": _ZSTD_CHECKSUM}},
        ]
    else:
        inner += [{"name": "numcodecs.pcodec", "configuration": {"level": level}}, {"name": "crc32c"}]
    codecs = inner
    if spec.layout.shard is not None:
        index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
        sharding = {"chunk_shape": spec.layout.tile, "codecs": inner, "index_codecs": index, "index_location": "end"}
        codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    body = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": spec.shape,
        "data_type": spec.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": spec.layout.block}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": spec.fill,
        "codecs": codecs,
        "dimension_names": ["time", "asset"],
        "attributes": dict(attributes),
        "storage_transformers": [],
    }
    return json.dumps(body).encode()


@lru_cache
def _method(codec: str) -> tuple[str, int]:
    method, _, level = codec.partition(" ")
    return method, int(level)


def encode_tile(tile: NDArray[np.generic], codec: str = CODEC) -> bytes:
    """Return the bytes of a tile (time, asset), contiguous by asset; flags have a codec of their own."""
    flat = np.ascontiguousarray(tile.T).ravel()
    if flat.dtype == np.uint8:
        return bytes(Zstd(level=3, checksum=_ZSTD_CHECKSUM).encode(flat))
    method, level = _method(codec)
    if method == "zstd":
        return bytes(
            Zstd(level=level, checksum=_ZSTD_CHECKSUM).encode(flat.astype(flat.dtype.newbyteorder("<"), copy=False))
        )
    packed = standalone.simple_compress(flat, ChunkConfig(compression_level=level))
    return bytes(packed) + int(google_crc32c.value(packed)).to_bytes(_CRC_BYTES, "little")


@lru_cache(maxsize=64)
def _constant_flags(shape: tuple[int, int]) -> dict[bytes, int]:
    # Nearly every tile of flags has one flag in all cells: comparing bytes is faster than decompressing them.
    return {encode_tile(np.full(shape, flag, dtype=np.uint8)): int(flag) for flag in Flag}


def constant_flag(data: bytes | memoryview, spec: ArraySpec) -> int | None:
    """Return the flag of all cells of a tile, if that can be told without decompressing it, else None."""
    if not spec.is_flags or len(data) >= _SHORT:
        return None
    return _constant_flags(spec.layout.tile).get(bytes(data))


def decode_tile(data: bytes | memoryview, spec: ArraySpec, out: NDArray[np.generic], *, where: str) -> None:
    """Decode a tile into ``out`` (asset, time): a C-contiguous array of the tile's transposed shape.

    Raises
    ------
    CorruptionError
        If the bytes fail their checksum or don't decode to this shape; ``where`` names array and chunk.
    """
    if spec.is_flags:
        constant = constant_flag(data, spec)
        if constant is not None:
            out[...] = constant
            return
    if spec.is_flags or _method(spec.codec)[0] == "zstd":
        try:
            body = Zstd().decode(data)
        except RuntimeError as error:
            raise corrupt(where, str(error)) from error
        if len(body) != out.nbytes:
            raise corrupt(where, f"{len(body)} bytes instead of {out.nbytes}")
        out[...] = np.frombuffer(body, dtype=out.dtype.newbyteorder("<")).reshape(out.shape)
        return
    body = bytes(data[:-_CRC_BYTES])
    if google_crc32c.value(body) != int.from_bytes(data[-_CRC_BYTES:], "little"):
        raise corrupt(where, "the checksum differs")
    try:
        progress = standalone.simple_decompress_into(body, out.reshape(-1))
    except (RuntimeError, ValueError, TypeError) as error:
        raise corrupt(where, str(error)) from error
    if not progress.finished or progress.n_processed != out.size:
        raise corrupt(where, f"{progress.n_processed} values instead of {out.size}")


def corrupt(where: str, reason: str) -> CorruptionError:
    """Return the error for stored bytes that differ from what was written."""
    return CorruptionError(
        f"expected the bytes of {where} as they were written, but {reason}; "
        "run `twinlab verify`, then `twinlab rebuild` (the ledger still has every row)"
    )


def assemble(tiles: Sequence[bytes | memoryview | None], grid: tuple[int, int]) -> bytes:
    """Return a shard of tiles in C order; None for a tile with only the fill value."""
    index = np.full((*grid, 2), EMPTY, dtype="<u8").reshape(-1, 2)
    offset = 0
    for number, tile in enumerate(tiles):
        if tile is not None:
            index[number] = offset, len(tile)
            offset += len(tile)
    tail = index.tobytes()
    body = b"".join([tile for tile in tiles if tile is not None])
    return b"".join([body, tail, int(google_crc32c.value(tail)).to_bytes(_CRC_BYTES, "little")])


def index_bytes(grid: tuple[int, int]) -> int:
    """Return the length of a shard's index with its checksum."""
    return grid[0] * grid[1] * 16 + _CRC_BYTES


def parse_index(data: bytes, grid: tuple[int, int], *, where: str) -> NDArray[np.uint64]:
    """Return the index (tile, 2) of offset and length from the last bytes of a shard.

    Raises
    ------
    CorruptionError
        If the index fails its checksum.
    """
    tail = bytes(data[-index_bytes(grid) :])
    body = tail[:-_CRC_BYTES]
    if len(tail) != index_bytes(grid) or google_crc32c.value(body) != int.from_bytes(tail[-_CRC_BYTES:], "little"):
        raise corrupt(where, "the checksum of the shard's index differs")
    return np.frombuffer(body, dtype="<u8").reshape(-1, 2)
