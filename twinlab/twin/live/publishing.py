"""Publishes the history from time to time, through the code that every other publication uses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twinlab._memory import release_memory
from twinlab.errors import HistoryConflictError, TwinlabError
from twinlab.history import BuildReport
from twinlab.history.write.waiting_rows import publication_due
from twinlab.twin.live.runner import SourceRunner

__all__ = ["Publications", "Publisher"]

_LOG = logging.getLogger("twinlab.live")
#: Seconds between two checks for rows that wait, and while fewer than so many rows do.
_LOOK_EVERY, _FEW_EVERY, _FEW = 0.25, 1.0, 10_000
#: Seconds between two writes of offsets: a start reads the notes in the ledger since the last one.
_OFFSETS_EVERY = 30.0
#: Seconds after which a publication that failed is tried again.
_AGAIN = 5.0


@dataclass
class Publications:
    """Counts of publications."""

    count: int = 0
    last_ns: int = 0
    seconds: float = 0.0
    """Of the last one."""
    error: str = ""
    """Why the last one failed; rows stay readable in the tail."""


class Publisher:
    """Publishes rows of all sources together, once enough wait.

    Parameters
    ----------
    runners : sequence of SourceRunner
    publish : callable
        Brings the history and stored events up to date with the ledger; runs in a thread.
    """

    def __init__(self, runners: Sequence[SourceRunner], publish: Callable[[], BuildReport]) -> None:
        self._runners, self._publish = runners, publish
        self.done = Publications()
        #: What reads the history beside publications takes it, so that there is one of both at a time.
        self.pause = asyncio.Lock()
        self._at = self._offsets_at = time.monotonic()

    @property
    def waiting(self) -> int:
        """Durable rows that aren't published."""
        return sum(runner.counts.waiting for runner in self._runners)

    async def run(self) -> None:
        """Publish what an earlier process has left, then whenever it is due, until cancelled."""
        await self.publish()
        while True:
            await asyncio.sleep(_FEW_EVERY if self.waiting < _FEW else _LOOK_EVERY)
            now = time.monotonic()
            if now - self._offsets_at >= _OFFSETS_EVERY:
                await self._write_offsets()
            groups = sum(runner.counts.groups for runner in self._runners)
            since = now - self._at
            if self.done.error and since < _AGAIN:
                continue
            if publication_due(self.waiting, groups, seconds=since, bulk=True):
                await self.publish()

    async def publish(self) -> None:
        """Publish now. A failure is logged: the rows are durable, and readers have them."""
        async with self.pause:
            await self._publish_now()

    async def _publish_now(self) -> None:
        published = [(runner.counts, runner.counts.waiting, runner.counts.groups) for runner in self._runners]
        began = time.monotonic()
        # The thread can't be interrupted: a stop waits for it.
        task = asyncio.ensure_future(asyncio.to_thread(self._publish_and_release))
        try:
            report = await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise
        except Exception as error:  # noqa: BLE001  # rows are stored and acknowledged all the same
            line = " ".join(str(error).split()) or type(error).__name__
            if line != self.done.error:
                level = logging.INFO if isinstance(error, HistoryConflictError) else logging.ERROR
                _LOG.log(
                    level, "not published yet", extra={"error": line}, exc_info=not isinstance(error, TwinlabError)
                )
            self.done.error = line
        else:
            if report.rebuilt:
                _LOG.warning("the history was rebuilt", extra={"why": "; ".join(report.notes)})
            for counts, rows, groups in published:
                counts.waiting -= rows
                counts.groups -= groups
            self.done.error = ""
            self.done.count += 1
            self.done.last_ns = time.time_ns()
        self._at = time.monotonic()
        self.done.seconds = self._at - began

    def _publish_and_release(self) -> BuildReport:
        try:
            return self._publish()
        finally:
            # Windows take several times the memory of what the process needs otherwise.
            release_memory()

    async def _write_offsets(self) -> None:
        self._offsets_at = time.monotonic()
        for runner in self._runners:
            try:
                await asyncio.to_thread(runner.appender.offsets.write)
            except TwinlabError as error:
                _LOG.error("offsets aren't written", extra={"source": runner.name, "error": str(error)})
