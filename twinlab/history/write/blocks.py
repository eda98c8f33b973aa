"""Decoded blocks that haven't been written yet, so that a block is encoded once after several changes."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from twinlab.history.store.codecs import ArraySpec
from twinlab.history.store.tiles import ByteStore, block_key, write_block

__all__ = ["PendingBlocks"]

#: Maximum size of all decoded blocks; beyond it the least recently used ones are written.
_MAX_BYTES = 256 * 2**20


class PendingBlocks:
    """Decoded blocks to write; the least recently used ones are written when they exceed their memory."""

    def __init__(self, store: ByteStore) -> None:
        self._store = store
        self._blocks: OrderedDict[str, tuple[ArraySpec, tuple[int, int], NDArray[np.generic]]] = OrderedDict()
        self._bytes = 0

    def get(self, key: str) -> NDArray[np.generic] | None:
        """Return the block of a key, None if it isn't pending."""
        found = self._blocks.get(key)
        return None if found is None else found[2]

    def put(self, spec: ArraySpec, block: tuple[int, int], data: NDArray[np.generic]) -> None:
        """Add a block (asset, time)."""
        key = block_key(spec, block)
        if key not in self._blocks:
            self._bytes += data.nbytes
        self._blocks[key] = (spec, block, data)
        self._blocks.move_to_end(key)
        while self._bytes > _MAX_BYTES and len(self._blocks) > 1:
            self._write(next(iter(self._blocks)))

    def drop(self, key: str) -> None:
        """Discard a block."""
        found = self._blocks.pop(key, None)
        if found is not None:
            self._bytes -= found[2].nbytes

    def _write(self, key: str) -> None:
        spec, block, data = self._blocks.pop(key)
        self._bytes -= data.nbytes
        write_block(spec, block, data, store=self._store)

    def flush(self) -> None:
        """Write all pending blocks."""
        for key in list(self._blocks):
            self._write(key)
