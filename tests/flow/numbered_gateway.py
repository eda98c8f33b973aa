"""A gateway process whose rows are functions of their sequences: rows that are stored are never made again after a kill.

``numbered_gateway.py SETTINGS STEP RATE TAGS SKEW [now]``: STEP rows of so many tags at once, RATE a second, until there is a file ``enough`` beside the settings, and
all rows are acknowledged. Its clock is SKEW seconds ahead. With ``now`` a row's time is the instant at which it was made.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import numpy as np

from twinlab.edge import Gateway, Readings, read_settings

#: 2026-02-01, ns.
START = 1_769_904_000 * 10**9
SECOND = 10**9


def numbered(first: int, count: int, *, tags: int = 1, now: bool = False) -> Readings:
    """Rows of tags in turn: tag, time and value follow from the sequence; with ``now`` the time is this instant."""
    n = np.arange(first, first + count, dtype=np.int64)
    nothing = np.zeros(count, dtype=bool)
    times = np.full(count, time.time_ns()) if now else START + n * SECOND
    return Readings(
        tags=tuple(f"t{number}" for number in range(tags)),
        units=("degC",) * tags,
        codes=(n % tags).astype(np.uint16),
        times=times,
        values=(n * 2654435761 % 100_003) / 100,
        has_value=~nothing,
        status=nothing.astype(np.int32),
        has_status=nothing,
    )


async def main(path: Path, *, step: int, rate: float, tags: int, skew: float, now: bool) -> None:
    async with Gateway(read_settings(path), now_ns=lambda: time.time_ns() + int(skew * SECOND)) as gateway:
        first, began = gateway.outbox.last, time.monotonic()
        while not path.with_name("enough").exists():
            await gateway.write(numbered(gateway.outbox.last + 1, step, tags=tags, now=now))
            await asyncio.sleep(max(0.0, began + (gateway.outbox.last - first) / rate - time.monotonic()))
        await gateway.drain()


if __name__ == "__main__":
    path, step, rate, tags, skew, *others = sys.argv[1:]
    asyncio.run(
        main(Path(path), step=int(step), rate=float(rate), tags=int(tags), skew=float(skew), now="now" in others)
    )
