"""Follows the nodes of a server, and reads from its history what queues dropped and outages hid."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from asyncua import ua

from twinlab._backoff import Backoff
from twinlab.errors import SourceError
from twinlab.model.basics import parse_duration
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.observed import Observed, observations
from twinlab.sources.live.opcua.client_logs import filter_client_logs
from twinlab.sources.live.opcua.options import OpcuaOptions
from twinlab.sources.live.opcua.session import Changes, NoHistoryError, Session, WrongCredentialsError
from twinlab.sources.live.opcua.values import observed, overflowed
from twinlab.sources.live.protocol import Catalogue, Filled, Gap, LiveBatch, LiveContext

__all__ = ["OpcuaSource"]

_LOG = logging.getLogger("twinlab.live.opcua")

#: Pauses before the history is read again if it doesn't have the newest value yet, seconds.
_AGAIN = (0.0, 0.05, 0.2, 0.5, 1.0)
_HISTORY = "the server's history"


@dataclass
class _Tag:
    """How far a tag was received."""

    until_ns: int | None = None
    """Source time of the newest value before which nothing is missing."""
    at_until: set[object] = field(default_factory=set)
    """Values of that time."""
    new: bool = True
    """Whether no value has come since the last subscription."""

    def had(self, row: Observed) -> bool:
        """Return whether a value was received before."""
        # After a restart only the time is known.
        return row.time_ns == self.until_ns and (not self.at_until or _key(row) in self.at_until)

    def advance(self, rows: list[Observed]) -> None:
        """Note values that were received."""
        before = self.at_until if rows[-1].time_ns == self.until_ns else set()
        self.until_ns = rows[-1].time_ns
        self.at_until = before | {_key(row) for row in rows if row.time_ns == self.until_ns}
        self.new = False


class OpcuaSource(SourceBase):
    """Follows nodes of an OPC UA server by subscription.

    A server's queue that is full drops its oldest values. The server may say so in the status code; many don't, therefore a message
    with as many values of a node as its queue has room for is suspicious as well. Then, and after each outage, the values from the last
    received one on are read from the server's history. Where the history doesn't have them, the gap is recorded.

    Parameters
    ----------
    options : OpcuaOptions
    context : LiveContext
        Of its offsets, the source times of the last durable values: the history is read from there.
    """

    def __init__(self, options: OpcuaOptions, context: LiveContext) -> None:
        self.name = context.name
        self._options, self._folder, self._once = options, context.folder, context.once
        self._session: Session | None = None
        self._tags = {tag: _Tag() for tag in options.nodes}
        for tag, one in self._tags.items():
            last = context.offsets.get(tag)
            one.until_ns = last if isinstance(last, int) else None
        self._meter = HealthMeter()
        self._meter.load = {"connections": 1.0, "messages_per_second": 1e9 / parse_duration(options.publish_every)}

    async def catalogue(self) -> Catalogue:
        """Return the nodes that the server has, with the units and ranges that it declares; connects for it."""
        session = Session(self._options, self._folder)
        try:
            await session.open()
            return Catalogue(tuple(await session.declared()), complete=True)
        finally:
            await session.close()

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Yield the values as they change, and before them those that were missed; or once those that are there."""
        filter_client_logs()
        backoff = Backoff()
        while True:
            session = Session(self._options, self._folder)
            try:
                await session.open()
                await session.subscribe()
                self._start(session)
                while True:
                    changes = await session.changes()
                    backoff.reset()
                    async for batch in self._batches_of(session, changes):
                        yield batch
                    if self._once and not any(one.new for tag, one in self._tags.items() if tag not in session.refused):
                        self._meter.ended()
                        return
            except WrongCredentialsError as error:
                self._meter.failed(error)
                raise
            except SourceError as error:
                lost = error
                self._meter.disconnected(error)
            finally:
                self._session = None
                await session.close()
            pause = backoff.next()
            more = {"source": self.name, "error": str(lost), "next_attempt_in": round(pause, 2)}
            _LOG.warning("no connection", extra=more)
            await asyncio.sleep(pause)

    async def fill(self, gap: Gap) -> str:
        """Read the span of a gap from the server's history."""
        session = self._session
        if session is None:
            msg = f"{self._options.url} isn't connected"
            raise SourceError(msg)
        rows, why = 0, "the server's history has no values of that time"
        # A gap of the whole source has no stream, one of a node its tag.
        wanted = gap.tags or ((gap.stream,) if gap.stream else tuple(self._options.nodes))
        for tag in (one for one in wanted if one in self._options.nodes):
            try:
                async for values in session.history(tag, gap.start_ns or 0, gap.stop_ns or time.time_ns()):
                    await session.add(Changes({tag: values}, from_history=True))
                    rows += len(values)
            except NoHistoryError as error:
                self._meter.failed_once(error)
                why = str(error)
        if not rows:
            return why
        await session.add(Changes(from_history=True, fills=Filled(gap, _HISTORY, rows)))
        return ""

    # -- inside ----------------------------------------------------------------------------------------------------
    def _start(self, session: Session) -> None:
        """Note that a subscription has begun."""
        self._session = session
        self._meter.connected()
        self._meter.clock(session.clock_offset)
        for one in self._tags.values():
            one.new = True
        for tag, why in session.refused.items():
            gap = Gap(tag, f"the server lacks the node {why}", tags=(tag,))
            self._meter.filled(gap)
            self._meter.gap(gap)

    async def _batches_of(self, session: Session, changes: Changes) -> AsyncIterator[LiveBatch]:
        """Yield what was missed before some changes, then the changes."""
        rows: list[Observed] = []
        offsets: dict[str, object] = {}
        for tag, values in changes.values.items():
            got = [observed(tag, value, received_ns=changes.received_ns) for value in values]
            if changes.from_history:
                rows += got
                continue
            one = self._tags[tag]
            gap = self._suspected(session, tag, values, got)
            if gap is not None and gap.start_ns is None:
                yield self._lost(gap)
            elif gap is not None:
                async for batch in self._recovered(session, gap, got):
                    yield batch
            # The first value of a subscription is often one that came before the outage.
            rows += [row for row in got if not (one.new and one.had(row))]
            one.advance(got)
            offsets[tag] = one.until_ns
        if rows:
            yield self._batch(rows, offsets)
        if changes.fills is not None:
            self._meter.filled(changes.fills.gap)
            yield LiveBatch(filled=(changes.fills,))

    def _batch(self, rows: Sequence[Observed], offsets: Mapping[str, object]) -> LiveBatch:
        self._meter.received(len(rows), last_event_ns=max(row.time_ns for row in rows))
        return LiveBatch((observations(rows),), offsets=offsets)

    def _suspected(self, session: Session, tag: str, values: list[ua.DataValue], got: list[Observed]) -> Gap | None:
        """Return the span before some values in which others may be missing; None if nothing is.

        If the source's clock was set back, the span has no known start.
        """
        one = self._tags[tag]
        start = session.subscribed_ns if one.until_ns is None else one.until_ns
        stop = got[-1].time_ns
        if one.new and one.until_ns is not None:
            # A node that hasn't changed has the time of its last value.
            reason = "" if stop == start else "outage"
        elif overflowed(values):
            reason = "queue overflow"
        elif len(values) >= session.queue_sizes.get(tag, self._options.queue):
            reason = "full queue"
        else:
            reason = ""
        if not reason:
            return None
        return Gap(tag, reason, start + 1 if stop > start else None, stop, tags=(tag,))

    async def _recovered(self, session: Session, gap: Gap, got: list[Observed]) -> AsyncIterator[LiveBatch]:
        """Yield the values that the history has in a gap, or the gap if it hasn't the newest one of ``got``."""
        (tag,) = gap.tags
        one = self._tags[tag]
        start, stop = (gap.start_ns or 1) - 1, gap.stop_ns or 0
        known = one.at_until | {_key(row) for row in got}
        complete, count, opened_ns = False, 0, time.time_ns()
        self._meter.gap(gap)
        try:
            for pause in _AGAIN:
                await asyncio.sleep(pause)
                async for values in session.history(tag, start, stop):
                    read = [observed(tag, value, received_ns=time.time_ns()) for value in values]
                    # A history that has the newest value has those before it.
                    complete |= any(row.time_ns >= stop for row in read)
                    rows = [row for row in read if _key(row) not in known and not one.had(row)]
                    start = max([start, *(row.time_ns for row in read)])
                    known |= {_key(row) for row in read if row.time_ns == start}
                    count += len(rows)
                    if rows:
                        yield self._batch(rows, {tag: rows[-1].time_ns})
                if complete:
                    break
        except NoHistoryError as error:
            self._meter.failed_once(error)
        self._meter.filled(gap)
        if not complete:
            yield self._lost(replace(gap, start_ns=start + 1))
        elif count:  # without values that were missing, there was no gap
            yield LiveBatch(filled=(Filled(gap, _HISTORY, count, opened_ns),))

    def _lost(self, gap: Gap) -> LiveBatch:
        self._meter.gap(gap, lost=True)
        return LiveBatch(gaps=(gap,))


def _key(row: Observed) -> object:
    # NaN differs from itself.
    return row.time_ns, repr(row.value)
