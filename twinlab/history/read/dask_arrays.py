"""Dask arrays of history whose selections reach the reader: a task reads what is selected, not a chunk to cut it from."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from itertools import accumulate, product
from typing import Any

import dask.array as da
from dask.array.core import getter
from dask.highlevelgraph import HighLevelGraph, Layer, MaterializedLayer

from twinlab.history.read.lazy import Lazy

__all__ = ["TASK_CELLS", "as_dask", "as_dask_like", "source_of"]

#: Cells per task: about 50 ms of reading, 64 MB of float64.
TASK_CELLS = 2**23
_SPAN = 2**16
_BAND = 64

#: Sizes of the chunks along each axis.
Chunks = tuple[tuple[int, ...], ...]


class _Reads(Layer):
    """A graph of one task per chunk, made when it is computed.

    A task is a ``getter``: Dask joins it with a selection that follows, so that only what is selected is read. It doesn't
    do so with arrays that `dask.array.from_array` makes with ``fancy=False``.
    """

    def __init__(self, source: Lazy, chunks: Chunks) -> None:
        super().__init__()
        self.source, self.chunks = source, chunks
        told = blake2b(repr((source.token, chunks)).encode(), digest_size=16).hexdigest()
        self.name = f"{type(source).__name__.lower()}-{source.name}-{told}"

    def is_materialized(self) -> bool:
        """Return whether the tasks are made already: never."""
        return False

    def get_output_keys(self) -> set[Any]:
        """Return the keys of all tasks."""
        return set(self)

    def __iter__(self) -> Iterator[Any]:
        return ((self.name, *place) for place in product(*(range(len(sizes)) for sizes in self.chunks)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, key: object) -> tuple[Any, ...]:
        name, *place = key if isinstance(key, tuple) else (key,)
        if name != self.name or len(place) != len(self.chunks):
            raise KeyError(key)
        box = []
        for number, sizes in zip(place, self.chunks, strict=True):
            if not 0 <= number < len(sizes):
                raise KeyError(key)
            ends = list(accumulate(sizes[: number + 1], initial=0))
            box.append(slice(ends[-2], ends[-1], 1))
        return (getter, f"source-{self.name}", tuple(box), False, False)


def source_of(array: object) -> Lazy | None:
    """Return what a Dask array of history reads in full; None for a selection or a result, and for any other array."""
    layers = getattr(getattr(array, "dask", None), "layers", {})
    layer = layers.get(getattr(array, "name", None))
    return layer.source if isinstance(layer, _Reads) else None


def as_dask(lazy: Lazy, *, offset: int = 0) -> da.Array:
    """Return a Dask array of a source, in tasks of about `TASK_CELLS` cells.

    ``offset`` is the index of the first element in its year's arrays; tasks end at the edges of shards.
    """
    length, wide = lazy.shape[:2]
    per = lazy.cost
    band = min(wide, _BAND * 2)
    span = _SPAN
    while span * band < TASK_CELLS and span < length * per:
        span *= 2
    while span * band * 2 <= TASK_CELLS and band < wide:
        band *= 2
    step = max(1, span // per)
    head = -offset % step if length > step else 0
    times = [head] if 0 < head < length else []
    left = length - sum(times)
    times += [step] * (left // step) + ([left % step] if left % step else [])
    assets = [band] * (wide // band) + ([wide % band] if wide % band else []) if wide else [0]
    return _array(lazy, (tuple(times) or (0,), tuple(assets), *((n,) for n in lazy.shape[2:])))


def as_dask_like(lazy: Lazy, other: da.Array) -> da.Array:
    """Return a Dask array of a source, in the chunks of another array of the same shape."""
    return _array(lazy, other.chunks)


def _array(lazy: Lazy, chunks: Chunks) -> da.Array:
    reads = _Reads(lazy, chunks)
    of = f"source-{reads.name}"
    graph = HighLevelGraph({of: MaterializedLayer({of: lazy}), reads.name: reads}, {of: set(), reads.name: {of}})
    return da.Array(graph, reads.name, reads.chunks, dtype=lazy.dtype)
