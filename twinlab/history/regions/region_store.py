"""A plain Zarr store of variables with one common first dimension, written a region at a time.

Chunks are encoded and decoded here, because Zarr's pipeline costs a millisecond a chunk and doesn't name a chunk that fails.
"""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dask.array as da
import google_crc32c
import numpy as np
import xarray as xr
from numcodecs import blosc
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec

from twinlab._files import write_atomically
from twinlab.errors import CorruptionError, SchemaError

__all__ = ["RegionStore"]

#: Numbers are often whole ones in float64: their shuffled bytes take a tenth.
_CODEC: Final = "zstd"
_LEVEL = 1
_CRC_BYTES = 4
#: Bytes that one task of a lazy array decodes at least.
_TASK_BYTES = 2**22
_LABELS = 4096


class RegionStore:
    """A folder with plain Zarr in which each variable is chunked along its first dimension only.

    The coordinate of that dimension counts from 0. Regions may be written from several threads as long as no two of them
    share a chunk. A chunk file is replaced in one step: whoever is killed leaves the old chunk or the new one.

    Parameters
    ----------
    path : Path
        Folder of the store, made by `create`.

    Raises
    ------
    SchemaError
        If there is no such store.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        root = self.path / "zarr.json"
        if not root.is_file():
            msg = f"expected a Zarr store at {self.path}, found none; choose another path"
            raise SchemaError(msg)
        about = json.loads(root.read_text(encoding="utf-8"))["attributes"]
        self.dim, self.chunk = str(about["region_dim"]), int(about["region_chunk"])
        with warnings.catch_warnings():
            _ignore_warnings()
            opened = xr.open_zarr(self.path, chunks=None, consolidated=True)
        self.size = opened.sizes[self.dim]
        self.attrs = {key: value for key, value in opened.attrs.items() if key not in {"region_dim", "region_chunk"}}
        labels = opened.drop_vars([*opened.data_vars, self.dim]).load()
        self._coords = {
            name: one.variable.astype(object) if one.dtype.kind == "T" else one.variable
            for name, one in labels.coords.items()
        }
        self._arrays = {str(name): _Chunks.of(self, str(name), one) for name, one in opened.data_vars.items()}

    @classmethod
    def create(cls, path: Path, template: xr.Dataset, *, dim: str, size: int, chunk: int) -> RegionStore:
        """Make a store without any region.

        Parameters
        ----------
        path : Path
            Folder; it mustn't exist.
        template : Dataset
            One or several entries along ``dim``: the shape and attributes of each variable, and all coordinates.
        dim : str
            First dimension of every variable.
        size, chunk : int
            Entries along ``dim``, in all and in a chunk.

        Raises
        ------
        SchemaError
            If the folder exists, or a variable has another first dimension or isn't of numbers or booleans.
        """
        if path.exists():
            msg = f"expected nothing at {path} yet; choose another path or remove it"
            raise SchemaError(msg)
        write_atomically(path, lambda draft: _write_metadata(draft, template, dim, size, chunk))
        store = cls(path)
        store._write_labels()
        return store

    def resize(self, size: int) -> None:
        """Make room for more entries; those that are there stay."""
        self.size = size
        # The root has a copy of all metadata, from which readers open the store: it is replaced last.
        for file in [*sorted(self.path.glob("*/zarr.json")), self.path / "zarr.json"]:
            body = json.loads(file.read_text(encoding="utf-8"))
            inside = body.get("consolidated_metadata", {}).get("metadata", {}).values()
            for array in [body, *inside]:
                if array.get("dimension_names", [None])[:1] == [self.dim]:
                    array["shape"][0] = size
            write_atomically(file, lambda draft, body=body: draft.write_text(json.dumps(body), encoding="utf-8"))  # type: ignore[misc]
        self._write_labels()

    def _write_labels(self) -> None:
        labels = _Chunks(self.path / self.dim, self.dim, (), np.dtype("int64"), _LABELS, (self.dim,), {})
        labels.write(0, np.arange(self.size, dtype="int64"))

    def write(self, first: int, part: xr.Dataset) -> None:
        """Write entries ``first``, ``first + 1``, … of all variables.

        Raises
        ------
        SchemaError
            If variables, dimensions, shapes or kinds of numbers differ from the template's.
        SourceError
            If a file can't be written, for example because the disk is full.
        """
        self._check(part)
        for name, array in self._arrays.items():
            array.write(first, part[name].to_numpy())

    def _check(self, part: xr.Dataset) -> None:
        missing = sorted(set(self._arrays) ^ {str(name) for name in part.data_vars})
        if missing:
            msg = f"expected the variables {sorted(self._arrays)}, got others: {missing} are on one side only"
            raise SchemaError(msg)
        for name, array in self._arrays.items():
            one = part[name]
            if one.dims != array.dims or one.shape[1:] != array.shape or not np.can_cast(one.dtype, array.dtype):
                msg = (
                    f"expected {name} as {array.dtype} with dims {array.dims} and shape {array.shape} behind the first, "
                    f"got {one.dtype} with {one.dims} and {one.shape[1:]}"
                )
                raise SchemaError(msg)

    def dataset(self, *, complete: bool = True) -> xr.Dataset:
        """Return all entries, lazy; those that aren't written yet raise `CorruptionError` once they are computed.

        Parameters
        ----------
        complete : bool
            Whether all entries are written. Then a task may read several chunks; otherwise each reads one, so that entries
            can be selected from those that are there.

        Raises
        ------
        CorruptionError
            At the computation, if a chunk is missing or fails its checksum; names its file and its entries.
        """
        variables = {
            name: (array.dims, array.lazy(self.size, complete=complete), array.attrs)
            for name, array in self._arrays.items()
        }
        labels = {self.dim: np.arange(self.size, dtype="int64")}
        return xr.Dataset(variables, self._coords, self.attrs).assign_coords(labels)

    def read(self, first: int, stop: int) -> xr.Dataset:
        """Return entries ``[first, stop)`` in memory, without coordinates of other dims.

        Raises
        ------
        CorruptionError
            If a chunk is missing or fails its checksum; names its file and its entries.
        """
        variables = {name: (array.dims, array.read(first, stop), array.attrs) for name, array in self._arrays.items()}
        return xr.Dataset(variables, {self.dim: np.arange(first, stop, dtype="int64")}, self.attrs)

    def remove(self, first: int, stop: int) -> None:
        """Remove the chunks that have any of the entries ``[first, stop)``, so that they can be written anew."""
        for array in self._arrays.values():
            array.remove(first, stop)


@dataclass(frozen=True)
class _Chunks:
    """Chunks of one variable; it can be sent to another process that sees the same files."""

    folder: Path
    name: str
    # Behind the first dimension.
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunk: int
    dims: tuple[str, ...]
    attrs: dict[str, Any]

    @classmethod
    def of(cls, store: RegionStore, name: str, variable: xr.DataArray) -> _Chunks:
        dims = tuple(map(str, variable.dims))
        return cls(store.path / name, name, variable.shape[1:], variable.dtype, store.chunk, dims, dict(variable.attrs))

    def _file(self, number: int) -> Path:
        return self.folder.joinpath("c", str(number), *["0"] * len(self.shape))

    def write(self, first: int, values: NDArray[np.generic]) -> None:
        """Write entries from ``first`` on; the other entries of a chunk stay."""
        stop = first + len(values)
        for number in range(first // self.chunk, -(-stop // self.chunk)):
            begin = number * self.chunk
            low, high = max(first, begin), min(stop, begin + self.chunk)
            body = np.zeros((self.chunk, *self.shape), dtype=self.dtype)
            if high - low < self.chunk and self._file(number).is_file():
                body[...] = self._decode(number)
            body[low - begin : high - begin] = values[low - first : high - first]
            packed = blosc.compress(body, _CODEC.encode(), _LEVEL, blosc.SHUFFLE, 0)
            data = bytes(packed) + int(google_crc32c.value(bytes(packed))).to_bytes(_CRC_BYTES, "little")
            write_atomically(self._file(number), lambda draft, data=data: draft.write_bytes(data))  # type: ignore[misc]

    def _decode(self, number: int) -> NDArray[np.generic]:
        file, first = self._file(number), number * self.chunk
        where = f"{file} ({self.dims[0]} {first} to {first + self.chunk - 1} of {self.name})"
        try:
            data = file.read_bytes()
        except FileNotFoundError as error:
            raise _corrupt(where, "is missing") from error
        body = data[:-_CRC_BYTES]
        if len(data) <= _CRC_BYTES or google_crc32c.value(body) != int.from_bytes(data[-_CRC_BYTES:], "little"):
            raise _corrupt(where, "fails its checksum")
        try:
            flat = np.frombuffer(blosc.decompress(body), dtype=self.dtype)
            return flat.reshape(self.chunk, *self.shape)
        except (RuntimeError, ValueError) as error:
            raise _corrupt(where, str(error)) from error

    def read(self, first: int, stop: int) -> NDArray[np.generic]:
        """Return entries ``[first, stop)``."""
        out = np.empty((stop - first, *self.shape), dtype=self.dtype)
        for number in range(first // self.chunk, -(-stop // self.chunk)):
            begin = number * self.chunk
            low, high = max(first, begin), min(stop, begin + self.chunk)
            out[low - first : high - first] = self._decode(number)[low - begin : high - begin]
        return out

    def remove(self, first: int, stop: int) -> None:
        for number in range(first // self.chunk, -(-stop // self.chunk)):
            self._file(number).unlink(missing_ok=True)

    def lazy(self, size: int, *, complete: bool) -> da.Array:
        """Return all entries as a dask array."""
        bytes_each = max(1, math.prod(self.shape) * self.dtype.itemsize * self.chunk)
        length = self.chunk * (max(1, _TASK_BYTES // bytes_each) if complete else 1)
        reader = _Reader(self, (size, *self.shape), self.dtype)
        empty = np.empty((0,) * reader.ndim, dtype=self.dtype)
        found: da.Array = da.from_array(reader, chunks=(length, *self.shape), asarray=False, meta=empty, name=False)
        return found


@dataclass(frozen=True)
class _Reader:
    """The entries of a variable as dask asks for them: by slices without a step."""

    chunks: _Chunks
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[np.generic]:
        first, stop, _ = index[0].indices(self.shape[0])
        return self.chunks.read(first, stop)[(slice(None), *index[1:])]


def _corrupt(where: str, reason: str) -> CorruptionError:
    return CorruptionError(f"{where} {reason}; compute these entries again, for results of a run by results.repair()")


def _ignore_warnings() -> None:
    # Variable-length text has no final Zarr v3 specification yet, but all current readers support it.
    warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification.*")
    warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part.*")


def _write_metadata(path: Path, template: xr.Dataset, dim: str, size: int, chunk: int) -> None:
    codecs = (BloscCodec(cname=_CODEC, clevel=_LEVEL, shuffle="shuffle"), Crc32cCodec())
    variables: dict[str, xr.Variable] = {}
    encoding: dict[str, dict[str, Any]] = {}
    for name, one in template.data_vars.items():
        if one.dims[:1] != (dim,) or one.dtype.kind not in "fiub":
            msg = f"expected {name} as numbers or booleans with the first dim {dim!r}, got {one.dtype} with {one.dims}"
            raise SchemaError(msg)
        shape = one.shape[1:]
        lazy = da.zeros((size, *shape), dtype=one.dtype, chunks=-1)
        variables[str(name)] = xr.Variable(one.dims, lazy, _plain(one.attrs))
        encoding[str(name)] = {"chunks": (chunk, *(max(1, length) for length in shape)), "compressors": codecs}
        encoding[str(name)] |= {"_FillValue": None}
    coords = {str(name): _label(one.variable) for name, one in template.coords.items() if dim not in one.dims}
    coords[dim] = xr.Variable((dim,), da.zeros(size, dtype="int64", chunks=-1), {"long_name": dim})
    encoding[dim] = {"chunks": (_LABELS,), "compressors": codecs}
    about = _plain(template.attrs) | {"region_dim": dim, "region_chunk": chunk}
    with warnings.catch_warnings():
        _ignore_warnings()
        xr.Dataset(variables, xr.Coordinates(coords, indexes={}), about).to_zarr(
            path, "w-", encoding=encoding, compute=False, consolidated=True, safe_chunks=False, zarr_format=3
        )


def _label(variable: xr.Variable) -> xr.Variable:
    if variable.dtype.kind in "OUT":
        return variable.astype("str").astype(np.dtypes.StringDType())
    if variable.dtype.kind == "M":
        one = variable.astype("datetime64[ns]")
        one.encoding = {"units": "nanoseconds since 1970-01-01", "calendar": "proleptic_gregorian", "dtype": "int64"}
        return one
    return variable


def _plain(attributes: Any) -> dict[str, Any]:  # noqa: ANN401  (xarray's attributes are of any kind)
    return {str(k): v.tolist() if isinstance(v, np.ndarray | np.generic) else v for k, v in attributes.items()}
