"""A bounded queue of batches between a live source and the ledger."""

from __future__ import annotations

import asyncio

from twinlab.sources.live import LiveBatch

__all__ = ["BatchQueue"]


class BatchQueue:
    """Batches that wait for the ledger; a source waits when there are too many, and isn't asked for more.

    Parameters
    ----------
    rows, batches : int
        The source waits while there are so many rows or batches. One batch always fits.
    """

    def __init__(self, *, rows: int = 200_000, batches: int = 1_000) -> None:
        self._limits = rows, batches
        self._waiting: list[LiveBatch] = []
        self._rows = 0
        self._changed = asyncio.Condition()
        self._taken = False
        self._closed = False

    @property
    def rows(self) -> int:
        """Number of rows that wait."""
        return self._rows

    async def put(self, batch: LiveBatch) -> None:
        """Add a batch, once there is room for it."""
        most_rows, most = self._limits
        async with self._changed:
            await self._changed.wait_for(lambda: self._rows < most_rows and len(self._waiting) < most)
            self._waiting.append(batch)
            self._rows += batch.rows
            self._changed.notify_all()

    async def take(self) -> list[LiveBatch]:
        """Return all batches that wait, in order, once there is one; an empty list if the queue is closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
            found, self._waiting, self._rows = self._waiting, [], 0
            self._taken = bool(found)
            self._changed.notify_all()
            return found

    async def finished(self) -> None:
        """Note that the batches that were taken last are acknowledged."""
        async with self._changed:
            self._taken = False
            self._changed.notify_all()

    async def drained(self) -> None:
        """Wait until all batches are taken and acknowledged."""
        async with self._changed:
            await self._changed.wait_for(lambda: not (self._waiting or self._taken))

    async def close(self) -> None:
        """Note that no more batches come."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
