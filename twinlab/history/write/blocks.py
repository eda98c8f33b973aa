"""Decoded blocks that wait to be written, so that slab after slab of one block is encoded once."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from twinlab.history.store.codecs import ArraySpec
from twinlab.history.store.tiles import ByteStore, block_key, write_block

__all__ = ["Blocks"]

#: Decoded blocks that wait to be written; more are encoded early.
_HELD_BYTES = 256 * 2**20


class Blocks:
    """Blocks being written, decoded; the least recently touched are encoded when they outgrow their memory."""

    def __init__(self, store: ByteStore) -> None:
        self._store = store
        self._held: OrderedDict[str, tuple[ArraySpec, tuple[int, int], NDArray[np.generic]]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> NDArray[np.generic] | None:
        """Return the block of a key if it waits here."""
        found = self._held.get(key)
        return None if found is None else found[2]

    def hold(self, spec: ArraySpec, block: tuple[int, int], data: NDArray[np.generic]) -> None:
        """Keep a block (asset, time) until it is written."""
        key = block_key(spec, block)
        if key not in self._held:
            self._bytes += data.nbytes
        self._held[key] = (spec, block, data)
        self._held.move_to_end(key)
        while self._bytes > _HELD_BYTES and len(self._held) > 1:
            self._write(next(iter(self._held)))

    def drop(self, key: str) -> None:
        """Forget a block."""
        found = self._held.pop(key, None)
        if found is not None:
            self._bytes -= found[2].nbytes

    def _write(self, key: str) -> None:
        spec, block, data = self._held.pop(key)
        self._bytes -= data.nbytes
        write_block(spec, block, data, store=self._store)

    def flush(self) -> None:
        """Write every block that waits."""
        for key in list(self._held):
            self._write(key)
