"""A historian whose source numbers its rows and prints what is acknowledged; it may stop at a chosen call, for the power to be cut there.

``python -m tests.twin.live.cut_historian TWIN AIM CALL SECONDS [SHADOW]``
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pyarrow as pa

import twinlab as tl
from tests.simulated_cuts import Shadow
from twinlab.history.store import publish
from twinlab.history.write import housekeeping, rebuild
from twinlab.ledger import Ledger, seal, writer
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.sources.live import LIVE_KINDS, Catalogue, Gap, Health, HealthMeter, LiveBatch, LiveContext
from twinlab.twin.live import appender, offsets, publishing

__all__ = ["AIMS", "MINUTE", "START"]

MINUTE = 60 * 10**9
START = 1_772_323_200 * 10**9  # 2026-03-01

#: Aim -> (where the function is, its name, whether the power goes before or after it).
AIMS: dict[str, tuple[Any, str, str]] = {
    "rows written, not synced": (writer, "sync_data", "before"),
    "rows synced, position not published": (writer, "sync_data", "after"),
    "rows durable, not acknowledged": (appender.LiveAppender, "append", "after"),
    "a segment created": (writer, "create", "after"),
    "before a segment is sealed": (seal, "write_manifest", "before"),
    "after a segment was sealed": (seal, "_remove", "after"),
    "before the offsets are replaced": (offsets, "replace_file", "before"),
    "after the offsets were replaced": (offsets, "replace_file", "after"),
    "history committed to staging, not sealed": (publish, "write_seal", "before"),
    "history committed and sealed, not synced": (publish, "write_seal", "after"),
    "history synced, main not moved": (publish, "move", "before"),
    "main moved, not synced": (publish.icechunk.Repository, "reset_branch", "after"),
    "history published": (publish, "move", "after"),
    "the empty history made": (publish, "create", "after"),
    "an index written": (os, "replace", "after"),
    "a rebuilt history swapped in": (rebuild, "replace_file", "after"),
}


class Numbered:
    """Rows 0, 1, 2, … of one truck, one value a minute, from the first that isn't durable on."""

    def __init__(self, options: object, context: LiveContext) -> None:
        self.name, self._meter = context.name, HealthMeter()
        self._at = int(context.offsets.get("", 0))  # type: ignore[call-overload]
        self._chance = random.Random(self._at)

    async def catalogue(self) -> Catalogue:
        return Catalogue(())

    async def batches(self) -> AsyncIterator[LiveBatch]:
        self._meter.connected()
        while True:
            count = self._chance.choice((1, 3, 40, 400))
            n = range(self._at, self._at + count)
            rows = pa.RecordBatch.from_pydict(
                {
                    "tag": ["a.t"] * count,
                    "source_time": [START + k * MINUTE for k in n],
                    "value": [k % 500 / 10 for k in n],
                }
            )
            self._at += count
            self._meter.received(count)
            yield LiveBatch((rows,), offsets={"": self._at}, handle=self._at)
            await asyncio.sleep(self._chance.uniform(0, 0.03))

    async def acknowledge(self, batch: LiveBatch) -> None:
        say(f"ack {batch.handle}")

    async def fill(self, gap: Gap) -> bool:
        return False

    @property
    def health(self) -> Health:
        return self._meter.health()


def say(line: str) -> None:
    # One write: a line is whole although the process may be killed.
    os.write(1, f"{line}\n".encode())


def stop_at(aim: str, call: int) -> None:
    """Stop this process at the ``call``-th call of a function."""
    where, name, when = AIMS[aim]
    inner, left = getattr(where, name), [call]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGSTOP)

    @wraps(inner)
    def around(*args: object, **kwargs: object) -> object:
        if when == "before":
            count()
        found = inner(*args, **kwargs)
        if when == "after":
            count()
        return found

    setattr(where, name, around)


def main() -> None:
    twin, aim, call, seconds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    LIVE_KINDS.get("replay")
    LIVE_KINDS._loaded["replay"] = LiveKind("replay", Numbered, LIVE_KINDS.get("replay").options)
    # Small segments, and a publication, offsets and a sealed segment every moment.
    Ledger.writer.__kwdefaults__["segment_rows"] = 1_000
    due: Callable[..., bool] = lambda rows, groups, *, seconds, bulk: rows > 0  # noqa: E731
    for place, name, value in (
        (publishing, "publication_due", due),
        (publishing, "_OFFSETS_EVERY", 0.2),
        (housekeeping, "_SEAL_EVERY", 0.0),
        (housekeeping, "_SEAL_BYTES", 0),
    ):
        setattr(place, name, value)
    if sys.argv[5:]:
        Shadow(twin, Path(sys.argv[5])).follow()
    if aim:
        stop_at(aim, call)
    opened = tl.open(twin)
    say("running")
    inner = opened._publish_live

    def published() -> object:
        report = inner()
        for note in report.notes:
            say(f"note {note}")
        return report

    opened._publish_live = published  # type: ignore[method-assign,assignment]
    opened.run(seconds=seconds)


if __name__ == "__main__":
    main()
