"""A historian of one broker, without a twin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twinlab.sources.live import LIVE_KINDS, LiveContext

__all__ = ["Historian", "until"]


async def until(reached: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110  (what is asked has no event)
            await asyncio.sleep(0.05)


class Historian:
    """A live source whose rows are kept in memory and acknowledged."""

    def __init__(self, name: str, folder: Path, address: dict[str, Any]) -> None:
        kind = LIVE_KINDS.get("mqtt")
        options = {name: address[name] for name in ("host", "port", "ca", "certificate", "key")}
        self.offsets: dict[str, object] = {}
        self.source = kind.open(kind.parse(options), LiveContext(name, folder, offsets=self.offsets))
        self.rows: list[dict[str, Any]] = []
        self.lost = 0

    async def follow(self) -> None:
        async for batch in self.source.batches():
            for part in batch.parts:
                self.rows += part.to_pylist()
            self.offsets |= batch.offsets
            self.lost += len(batch.gaps)
            await self.source.acknowledge(batch)
