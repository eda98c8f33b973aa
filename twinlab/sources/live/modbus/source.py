"""Polls all registers once an interval, and notes which polls were missed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import cast

from twinlab._backoff import Backoff
from twinlab.errors import SourceError
from twinlab.model.basics import parse_duration
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.modbus.options import ModbusOptions
from twinlab.sources.live.modbus.polling import Line, LineError
from twinlab.sources.live.modbus.registers import Block
from twinlab.sources.live.observed import Observed, observations
from twinlab.sources.live.protocol import Catalogue, DeclaredTag, Gap, LiveBatch, LiveContext

__all__ = ["ModbusSource"]

#: Upper limit of the pauses after which a block that fails is asked again, seconds.
_LONGEST_PAUSE = 60.0
#: Intervals after which a block that was read late has missed a poll.
_MISSED = 1.8


@dataclass
class _Poll:
    """A block with what became of it."""

    block: Block
    backoff: Backoff
    last_ns: int
    """Time of its last values, UTC; before the first ones, when the source was opened."""
    read: float
    """The same as monotonic seconds, which steps of the clock don't change."""
    not_before: float = 0.0
    """After a failure, when it is read again, monotonic seconds."""
    gap: Gap | None = None
    """Since it fails: the gap, without its end."""

    @property
    def stream(self) -> str:
        """Its name in offsets and gaps."""
        return f"{self.block.device}/{self.block.table}/{self.block.address}"


class ModbusSource(SourceBase):
    """Polls the registers of Modbus devices at one address.

    The protocol has no clock: the time of a value is that of its poll. It keeps no values either: what isn't polled is lost,
    and becomes a gap. Values are passed on as the device has them, sentinels included.

    Parameters
    ----------
    options : ModbusOptions
    context : LiveContext
        Of its offsets, the times of the last polls: the time since then is a gap.
    """

    not_kept = "the device keeps no values"

    def __init__(self, options: ModbusOptions, context: LiveContext) -> None:
        self.name = context.name
        self._options, self._once = options, context.once
        self._every = parse_duration(options.every) / 1e9
        self._line = Line(
            options.host,
            options.port,
            requests_per_second=options.requests_per_second,
            timeout=parse_duration(options.timeout) / 1e9,
        )
        self._polls = [self._poll(block, time.time_ns(), time.monotonic()) for block in options.blocks()]
        for poll in self._polls:
            last = context.offsets.get(poll.stream)
            if isinstance(last, int) and last < poll.last_ns:
                poll.read -= (poll.last_ns - last) / 1e9
                poll.last_ns = last
        self._meter = HealthMeter()
        self._state_load()

    def _poll(self, block: Block, last_ns: int, read: float) -> _Poll:
        return _Poll(block, Backoff(self._every, max(self._every, _LONGEST_PAUSE)), last_ns, read)

    def _state_load(self) -> None:
        wanted = len(self._polls) / self._every
        self._meter.load = {
            "connections": 1.0,
            "polls_per_second": min(wanted, self._options.requests_per_second),
        }

    async def catalogue(self) -> Catalogue:
        """Return the tags of the register map, without asking the device: the protocol has no units or names."""
        tags = [
            DeclaredTag(
                tag,
                description=f"{one.table} {one.address} of device {one.device}, {one.type}; times are those of polls",
            )
            for tag, one in self._options.registers.items()
        ]
        return Catalogue(tuple(tags), complete=True)

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Yield a batch for each round of polls, or one."""
        backoff = Backoff()
        try:
            due = time.monotonic()
            while True:
                await asyncio.sleep(due - time.monotonic())
                if not await self._connect():
                    due = time.monotonic() + backoff.next()
                    continue
                backoff.reset()
                batch = await self._round()
                if batch.rows:
                    yield batch
                if self._once:
                    self._meter.ended()
                    return
                due = max(due + self._every, time.monotonic())
        finally:
            self._line.close()

    async def _connect(self) -> bool:
        """Return whether there is a connection, after an attempt if there was none."""
        if self._line.connected:
            return True
        try:
            await self._line.connect()
        except SourceError as error:
            self._meter.disconnected(error)
            for poll in self._polls:
                self._open_gap(poll, "no connection")
            return False
        self._meter.connected()
        return True

    async def _round(self) -> LiveBatch:
        """Read each block once; return the values, and the gaps that have ended."""
        rows: list[Observed] = []
        gaps: list[Gap] = []
        failures: list[LineError] = []
        for poll in list(self._polls):
            if time.monotonic() < poll.not_before:
                continue
            if not await self._connect():
                break
            try:
                reply = await self._line.read(poll.block)
            except LineError as error:
                failures.append(error)
                self._failed(poll, error)
                continue
            rows += [Observed(tag, reply.time_ns, value) for tag, value in poll.block.values(reply.words)]
            gaps += self._read(poll, reply.time_ns)
        if rows:
            self._meter.received(len(rows), last_event_ns=rows[-1].time_ns)
        # After `received`, which says that all is well again.
        for failure in failures:
            self._meter.failed_once(failure)
        offsets = {poll.stream: poll.last_ns for poll in self._polls if poll.gap is None}
        return LiveBatch((observations(rows),) if rows else (), offsets=offsets, gaps=tuple(gaps))

    def _read(self, poll: _Poll, time_ns: int) -> list[Gap]:
        """Note that a block was read; return the gap before, if there is one."""
        now = time.monotonic()
        if poll.gap is None and now - poll.read > _MISSED * self._every:
            self._open_gap(poll, "not polled")
        ended = []
        if poll.gap is not None:
            self._meter.filled(poll.gap)
            ended = [replace(poll.gap, stop_ns=max(time_ns, poll.last_ns))]
            self._meter.gap(ended[0], lost=True)
        poll.gap, poll.last_ns, poll.read, poll.not_before = None, time_ns, now, 0.0
        poll.backoff.reset()
        return ended

    def _failed(self, poll: _Poll, error: LineError) -> None:
        """Note that a block wasn't read."""
        if not self._line.connected:
            self._meter.disconnected()
        self._open_gap(poll, error.reason)
        poll.not_before = time.monotonic() + poll.backoff.next()
        if error.illegal_address and len(poll.block.tags) > 1:
            # One address that the device doesn't have must not cost the others: each value is read by itself from now on.
            parts = [self._poll(part, poll.last_ns, poll.read) for part in poll.block.parts()]
            at = self._polls.index(poll)
            self._polls[at : at + 1] = parts
            self._meter.filled(cast("Gap", poll.gap))
            for part in parts:
                self._open_gap(part, "refused with others")
            self._state_load()

    def _open_gap(self, poll: _Poll, reason: str) -> None:
        if poll.gap is None:
            poll.gap = Gap(poll.stream, reason, start_ns=poll.last_ns + 1, tags=tuple(poll.block.tags))
            self._meter.gap(poll.gap)
