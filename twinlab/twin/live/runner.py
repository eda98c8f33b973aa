"""Runs one live source: batches into a bounded queue, groups of them into the ledger, then acknowledgements."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SourceError, TwinlabError
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.mapping import Mapping
from twinlab.model.mapping.live import LiveRule
from twinlab.model.twinmodel import TwinModel
from twinlab.sources.live import Backoff, Gap, LiveBatch, LiveContext, LiveSource
from twinlab.twin.live.appender import LiveAppender
from twinlab.twin.live.batch_queue import BatchQueue
from twinlab.twin.live.catalogue_check import catalogue_findings
from twinlab.twin.live.gaps import GapChange, GapLog

__all__ = ["Counts", "SourceRunner"]

_LOG = logging.getLogger("twinlab.live")
#: Seconds between two appends at least, so that many small batches share a sync and a frame.
_COMMIT_EVERY = 0.05
#: Latencies that percentiles are computed from, and for how long.
_LATENCIES, _LATENCY_SECONDS = 4_096, 60.0
#: Seconds for which a source may take to declare its tags.
_CATALOGUE_SECONDS = 30.0
#: Seconds for which a source may take to say whether it has the rows of a gap.
_FILL_SECONDS = 30.0
#: Open gaps of an earlier run that a source is asked about, the newest ones.
_MOST_OPEN = 100
#: State of a gap -> level of its line in the log.
_LEVELS = {"open": logging.WARNING, "asked": logging.INFO, "lost": logging.WARNING}


@dataclass
class Counts:
    """What became of the rows of a source."""

    stored: int = 0
    """Durable rows since the start."""
    acknowledged_ns: int = 0
    """When the last group was acknowledged, ns UTC."""
    appends: int = 0
    refused: int = 0
    """Batches that don't fit the ledger's schema, kept as files."""
    unreadable: int = 0
    """Rows that the source couldn't read."""
    waiting: int = 0
    """Durable rows that aren't published yet: readers have them in the tail."""
    groups: int = 0
    """Appends that aren't published yet."""
    restarts: int = 0
    error: str = ""
    """Why nothing is stored at the moment."""
    findings: list[str] = field(default_factory=list)
    """What of the source's catalogue contradicts the mapping."""
    # (monotonic time, received -> durable, event -> durable or NaN), seconds.
    latencies: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=_LATENCIES))

    def percentiles(self) -> dict[str, float | None]:
        """Return p50 and p99 of the latencies of the last minute, seconds: from the receipt and from the event until durable."""
        since = time.monotonic() - _LATENCY_SECONDS
        while self.latencies and self.latencies[0][0] < since:
            self.latencies.popleft()
        # A copy, since groups are appended in another thread.
        recent = np.array([one[1:] for one in list(self.latencies)], dtype=float).reshape(-1, 2)
        out: dict[str, float | None] = {}
        for name, column in (("received", recent[:, 0]), ("event", recent[:, 1])):
            out[f"{name}_p50"], out[f"{name}_p99"] = _median_and_p99(column[~np.isnan(column)])
        return out


class SourceRunner:
    """Runs one live source until it ends or is stopped.

    Parameters
    ----------
    kind : LiveKind
    rule : LiveRule
        Its options.
    context : LiveContext
        Its ``offsets`` are those of the appender, at each opening.
    appender : LiveAppender
    gaps : GapLog
        Where gaps of the source are recorded.
    model : TwinModel
        For the units of signals.
    """

    def __init__(
        self,
        kind: LiveKind,
        rule: LiveRule,
        context: LiveContext,
        appender: LiveAppender,
        *,
        gaps: GapLog,
        model: TwinModel,
    ) -> None:
        self.name = context.name
        self.rule, self.appender = rule, appender
        self.counts = Counts()
        self.queue = BatchQueue()
        self._kind, self._context, self._gaps, self._model = kind, context, gaps, model
        self.source: LiveSource = self._open()
        self._stopping = asyncio.Event()
        self._last_append = 0.0

    def _open(self) -> LiveSource:
        opened: Any = self._kind.open(self.rule.options, replace(self._context, offsets=self.appender.offsets.now))
        found: LiveSource = opened
        return found

    def stop(self) -> None:
        """Ask for no more batches; what is queued is stored and acknowledged."""
        self._stopping.set()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last row was received or stored, or since the start."""
        last = max(self.source.health.last_row_ns, self.source.health.since_ns, self.counts.acknowledged_ns)
        return (time.time_ns() - last) / 1e9

    async def run(self) -> None:
        """Read, store and acknowledge until the source has ended or is stopped, and all that it yielded is stored."""
        catalogue = asyncio.create_task(self._check_catalogue())
        storing = asyncio.create_task(self._store())
        try:
            await self._until_stopped(self._read())
        finally:
            catalogue.cancel()
            with suppress(asyncio.CancelledError):
                await catalogue
            await self.queue.close()
            await storing
            await self._record(partial(self._gaps.fill, (), ending=True))
            await asyncio.to_thread(self.appender.close)

    async def _until_stopped(self, work: Any) -> None:  # noqa: ANN401  (a coroutine)
        """Run until it is done or `stop` is called, which cancels it."""
        task = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _read(self) -> None:
        """Put the batches into the queue; open the source again after an error."""
        backoff, failed = Backoff(1.0, 300.0), False
        while True:
            try:
                if failed:
                    # The offsets of what is queued are durable then, and its acknowledgements belong to the source that yielded it.
                    await self.queue.drained()
                    self.source = self._open()
                    failed, self.counts.error = False, ""
                async with aclosing(self.source.batches()) as batches:  # type: ignore[type-var]
                    async for batch in batches:
                        backoff.reset()
                        await self.queue.put(batch)
            except Exception as error:  # noqa: BLE001  # whatever fails in one source must not end the others
                level = logging.ERROR if isinstance(error, TwinlabError) else logging.CRITICAL
                _LOG.log(
                    level,
                    "source failed",
                    extra={"source": self.name, "error": _line(error)},
                    exc_info=not isinstance(error, TwinlabError),
                )
                self.counts.restarts += 1
                self.counts.error = _line(error)
                failed = True
                await backoff.pause()
            else:
                return

    async def _store(self) -> None:
        """Append what is queued, group by group, and acknowledge it."""
        backoff = Backoff(0.5, 30.0)
        # Gaps of an earlier run that nobody was asked about, or whose rows hadn't come when it ended.
        before: list[Gap] = (await asyncio.to_thread(self._gaps.open))[-_MOST_OPEN:]
        while True:
            group = await self.queue.take()
            if not group:
                return
            await asyncio.sleep(max(0.0, self._last_append + _COMMIT_EVERY - time.monotonic()))
            self._last_append = time.monotonic()
            gaps = tuple(gap for batch in group for gap in batch.gaps)
            # Before the rows, whose offsets are beyond the gaps: a kill must not lose them.
            note = partial(self._gaps.note, gaps)
            for step in ([note] if gaps else []) + [partial(self._append, group)]:
                while not await self._done(step):
                    if self._stopping.is_set():
                        return  # not acknowledged: the source sends these rows again
                    await backoff.pause()
            backoff.reset()
            await self._acknowledge(group)
            filled = [one for batch in group for one in batch.filled]
            if filled or self._gaps.waits:
                await self._record(partial(self._gaps.fill, filled))
            done = {one.gap for one in filled}
            await self._fill([gap for gap in (*before, *gaps) if gap not in done])
            before = []
            await self.queue.finished()

    async def _done(self, step: Callable[[], None]) -> bool:
        """Run a step of storing in a thread; return whether it succeeded."""
        try:
            await asyncio.to_thread(step)
        except Exception as error:  # noqa: BLE001  # it is tried again: the rows are neither lost nor acknowledged
            known = isinstance(error, TwinlabError)
            if self.counts.error != _line(error):
                _LOG.error("rows aren't stored", extra={"source": self.name, "error": _line(error)}, exc_info=not known)
            self.counts.error = _line(error)
            with suppress(TwinlabError):
                await asyncio.to_thread(self.appender.reopen)
            return False
        self.counts.error = ""
        return True

    def _append(self, group: list[LiveBatch]) -> None:
        """Append a group and count it; its rows are durable when this returns."""
        done = self.appender.append(group)
        counts = self.counts
        counts.stored += done.rows
        counts.waiting += done.rows
        counts.unreadable += done.unreadable
        counts.appends += 1
        counts.groups += done.rows > 0
        for line in done.refused:
            counts.refused += 1
            _LOG.error("a batch doesn't fit the ledger", extra={"source": self.name, "error": line})
        now, clock = time.time_ns(), time.monotonic()
        late = (now - done.latest_ns) / 1e9 if done.latest_ns else float("nan")
        counts.latencies.extend((clock, (now - batch.received_ns) / 1e9, late) for batch in group)

    async def _fill(self, gaps: Sequence[Gap]) -> None:
        """Ask the source for the rows of gaps, which come as other rows do, and record what it says."""
        changes = []
        for gap in gaps:
            try:
                why = await asyncio.wait_for(self.source.fill(gap), _FILL_SECONDS)
            except Exception as error:  # noqa: BLE001  # the gap stays open: the next run asks again
                changes.append(GapChange(gap, "open", _line(error)))
            else:
                changes.append(GapChange(gap, "lost" if why else "asked", why))
            change = changes[-1]
            more = {"source": self.name, "stream": gap.stream, "gap": gap.reason, "why": change.note}
            _LOG.log(_LEVELS[change.state], "a gap is %s", change.state, extra=more)
        if changes:
            await self._record(partial(self._gaps.change, changes))

    async def _record(self, step: Callable[[], None]) -> None:
        """Record what became of gaps; an error of the disk leaves them as they are recorded, and the next run asks again."""
        try:
            await asyncio.to_thread(step)
        except TwinlabError as error:
            _LOG.warning("what became of gaps isn't recorded", extra={"source": self.name, "error": _line(error)})

    async def _acknowledge(self, group: list[LiveBatch]) -> None:
        self.counts.acknowledged_ns = time.time_ns()
        for batch in group:
            try:
                await self.source.acknowledge(batch)
            except Exception as error:  # noqa: BLE001  # the rows are durable; the peer sends them again, and they are dropped
                _LOG.warning("not acknowledged", extra={"source": self.name, "error": _line(error)})

    async def _check_catalogue(self) -> None:
        """Compare what the source declares with its mapping, once it answers."""
        mapping: Mapping | None = self._context.mapping
        if mapping is None:
            return
        backoff = Backoff(1.0, 60.0)
        while True:
            try:
                found = await asyncio.wait_for(self.source.catalogue(), _CATALOGUE_SECONDS)
            except (SourceError, TimeoutError):
                await backoff.pause()
                continue
            except Exception as error:  # noqa: BLE001  # as in `_read`
                _LOG.exception("the catalogue can't be read", extra={"source": self.name, "error": _line(error)})
                return
            self.counts.findings = catalogue_findings(found, mapping, self._model)
            for line in self.counts.findings:
                _LOG.warning("the source contradicts its mapping", extra={"source": self.name, "finding": line})
            return


def _median_and_p99(values: NDArray[np.float64]) -> tuple[float, float] | tuple[None, None]:
    """Return what `numpy.percentile` does, which takes twenty times as long for so few values; None without any."""
    if not len(values):
        return None, None
    places = np.array((0.5, 0.99)) * (len(values) - 1)
    median, p99 = np.interp(places, np.arange(len(values)), np.sort(values)).tolist()
    return median, p99


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
