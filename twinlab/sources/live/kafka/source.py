"""Kafka: messages of topics in the order of their partitions, each once, read on from where the ledger is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

from twinlab._backoff import Backoff
from twinlab._tasks import cancel_all, in_thread
from twinlab.model.basics import parse_duration
from twinlab.sources.live.base import SourceBase
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.kafka.connection import Connection, Partition, Taken, UselessError
from twinlab.sources.live.kafka.messages import Read, TopicReader
from twinlab.sources.live.kafka.options import KafkaOptions
from twinlab.sources.live.kafka.partitions import Partitions
from twinlab.sources.live.kafka.place import Extent, Place, begin, stream_of
from twinlab.sources.live.protocol import Catalogue, Gap, Health, LiveBatch, LiveContext

__all__ = ["KafkaSource"]

_LOG = logging.getLogger("twinlab.live.kafka")
#: Seconds after which places are stored although no message came: offsets without messages, such as ends of transactions.
_IDLE = 60.0


class KafkaSource(SourceBase):
    """Reads topics partition by partition; the next offsets are stored with the rows, and in no consumer group.

    Parameters
    ----------
    options : KafkaOptions
    context : LiveContext
        Of its offsets, the place of each partition.
    """

    not_kept = "the broker doesn't have the messages any more"

    def __init__(self, options: KafkaOptions, context: LiveContext) -> None:
        self.name = context.name
        self._options, self._once, self._folder = options, context.once, context.folder
        self._look_every = parse_duration(options.look_every) / 1e9
        self._meter = HealthMeter()
        reading = {} if context.mapping is None else context.mapping.reading
        texts, missing = reading.get("text_columns", ()), reading.get("missing", ())
        self._readers = {
            topic: TopicReader(topic, rule, options.add, texts=texts, missing=missing)
            for topic, rule in options.topics.items()
        }
        self._known = Partitions(
            {name: place for name, at in context.offsets.items() if (place := Place.from_json(at))}
        )
        self._connection: Connection | None = None
        self._ids: dict[str, str] = {}
        self._looking: list[asyncio.Task[None]] = []
        # Partitions that didn't have the offset from which they were to be read.
        self._outside: set[Partition] = set()
        self._tombstones = self._unreadable = 0
        self._durable: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}

    async def catalogue(self) -> Catalogue:
        """Return nothing: a topic declares no columns and no units."""
        return Catalogue()

    async def batches(self) -> AsyncIterator[LiveBatch]:
        """Read all partitions; with ``once`` of the context, until the offsets that were their ends at the start."""
        backoff = Backoff(0.2, 30.0)
        try:
            while True:
                try:
                    if self._connection is None:
                        self._connection = await in_thread(Connection, self._options, self.name, self._folder)
                    if not self._known.assigned or self._known.added:
                        async for batch in self._begin(self._connection):
                            yield batch
                        self._looking = self._looking or [asyncio.create_task(self._look(self._connection))]
                    if self._outside:
                        async for batch in self._begin_again(self._connection):
                            yield batch
                    taken = await in_thread(self._connection.take)
                    async for batch in self._batches_of(taken):
                        yield batch
                except UselessError as error:
                    self._meter.failed(error)
                    raise
                except OSError as error:  # no broker answers, see `Connection`
                    self._meter.disconnected(error)
                    _LOG.warning("no connection", extra={"source": self.name, "error": str(error)})
                    # What the library had read and nobody has seen comes again with the next connection.
                    await self._close()
                    await backoff.pause()
                    continue
                backoff.reset()
                if self._once and self._known.all_read:
                    self._meter.ended()
                    return
        finally:
            await self._close()

    async def acknowledge(self, batch: LiveBatch) -> None:
        """Note offsets that are durable; with `group` they are committed at the next look."""
        if isinstance(batch.handle, dict):
            self._durable |= batch.handle

    async def fill(self, gap: Gap) -> str:
        """Return why the messages of a gap are lost."""
        return f"{self.not_kept}: {gap.reason}"

    @property
    def health(self) -> Health:
        """State, rate, errors and gaps; ``streams`` has the place, the end and the messages behind of each partition."""
        self._meter.load |= {
            "partitions": float(self._known.count),
            "messages_behind": float(self._known.behind),
            "seconds_behind": self._known.seconds_behind(time.time()),
            "messages_unreadable": float(self._unreadable),
            "tombstones": float(self._tombstones),
        }
        return replace(self._meter.health(), streams=self._known.streams())

    # -- inside ----------------------------------------------------------------------------------------------------
    async def _close(self) -> None:
        """Close the connection; the next one reads on from the places that are known."""
        looking, self._looking = self._looking, []
        await cancel_all(looking)
        self._known.forget()
        if self._connection is not None:
            with suppress(OSError, UselessError):
                await self._commit(self._connection)
            await in_thread(self._connection.close)
            self._connection = None

    async def _begin(self, connection: Connection) -> AsyncIterator[LiveBatch]:
        """Read partitions that aren't read yet, from their places on; yield what is missing before them."""
        there = await in_thread(connection.partitions)
        if not self._known.assigned:
            self._ids = await in_thread(connection.topic_ids)
        new = [
            (topic, one) for topic, found in there.items() for one in found if (topic, one) not in self._known.assigned
        ]
        known_before = self._known.topics()
        async for batch in self._read_from(connection, new, known_before):
            yield batch
        self._known.added = False
        if self._meter.health().state != "connected":
            self._meter.connected()

    async def _begin_again(self, connection: Connection) -> AsyncIterator[LiveBatch]:
        """Read on in partitions from which the broker has lost messages meanwhile."""
        self._ids = await in_thread(connection.topic_ids)
        async for batch in self._read_from(connection, sorted(self._outside)):
            yield batch
        self._outside.clear()

    async def _read_from(
        self, connection: Connection, partitions: list[Partition], known: frozenset[str] = frozenset()
    ) -> AsyncIterator[LiveBatch]:
        """Begin, or begin again, at the place of each partition.

        A topic in ``known`` was read before: a partition of it without a place is new, and is read from its first message on.
        """
        places: dict[Partition, tuple[Place, int]] = {}
        gaps: list[Gap] = []
        for one in partitions:
            topic_id = self._ids.get(one[0], "")
            extent = await in_thread(connection.extent, one, topic_id)
            place = self._known.place(one)
            gap: Gap | None = None
            if place is not None:
                at, gap = begin(stream_of(*one), place, extent)
            elif one[0] in known:
                at = extent.low
            else:
                at = await self._first(connection, one, extent)
            places[one] = Place(at, topic_id, None if place is None else place.time_ms), extent.high
            gaps += [] if gap is None else [gap]
        await in_thread(connection.read_from, {one: place.next for one, (place, _) in places.items()})
        for one, (place, end) in places.items():
            self._known.begin(one, place, end=end)
        for found in gaps:
            self._meter.gap(found, lost=True)
        if places:
            # Stored before a message comes: `latest` must not be another offset after a restart.
            yield LiveBatch(offsets=self._known.offsets(places), gaps=tuple(gaps), handle=self._known.nexts(places))

    async def _first(self, connection: Connection, one: Partition, there: Extent) -> int:
        """Return the offset from which a partition is read that never was."""
        rule = self._options.topics[one[0]]
        if rule.start_ms is not None:
            found = await in_thread(connection.at_time, one, rule.start_ms)
            return there.high if found is None else found
        return there.high if rule.start == "latest" else there.low

    async def _batches_of(self, taken: Taken) -> AsyncIterator[LiveBatch]:
        """Yield a batch for each topic: its rows are one part, so that they and their offsets are durable in one frame."""
        if taken.ends or taken.messages:
            if self._meter.health().state != "connected":
                self._meter.connected()
            self._meter.answered()
        for text in taken.errors:
            self._meter.failed_once(text)
        for topic, messages in taken.messages.items():
            read = await in_thread(self._readers[topic].read, messages)
            moved = {(topic, one.partition() or 0): one for one in messages}  # the last of each partition
            for one, last in moved.items():
                kind, time_ms = last.timestamp()
                self._known.move(one, (last.offset() or 0) + 1, time_ms=time_ms if kind else None)
            for one in moved.keys() & taken.highs.keys():
                self._known.note_end(one, taken.highs[one])
            self._count(read)
            yield self._batch(read, list(moved))
        self._known.reached(taken.ends)
        self._outside |= set(taken.outside)
        if due := self._known.due(time.monotonic(), after=_IDLE):
            yield LiveBatch(offsets=self._known.offsets(due), handle=self._known.nexts(due))

    def _batch(self, read: Read, moved: list[Partition]) -> LiveBatch:
        parts = () if read.batch is None else (read.batch,)
        self._known.stored(moved, time.monotonic())
        return LiveBatch(
            parts, unreadable=read.unreadable, offsets=self._known.offsets(moved), handle=self._known.nexts(moved)
        )

    def _count(self, read: Read) -> None:
        self._tombstones += read.tombstones
        self._unreadable += len(read.unreadable)
        for one in read.unreadable[:1]:
            more = f" (and {len(read.unreadable) - 1} more)" if len(read.unreadable) > 1 else ""
            # Without the reason, which may quote what people wrote: a log isn't encrypted.
            text = f"message {one.place} can't be read{more}: twin.unreadable({self.name!r}) has it and says why"
            self._meter.failed_once(text)
            _LOG.warning("messages can't be read", extra={"source": self.name, "error": text})
        if read.batch is not None:
            self._meter.received(read.batch.rows.num_rows, last_event_ns=(read.last_ms or 0) * 1_000_000)

    async def _look(self, connection: Connection) -> None:
        """Ask for new partitions and for ends, again and again; commit what is durable to the group."""
        while True:
            await asyncio.sleep(self._look_every)
            try:
                there = await in_thread(connection.partitions)
                self._known.added |= any(
                    (topic, one) not in self._known.assigned for topic, found in there.items() for one in found
                )
                for one in self._known.not_at_end():
                    extent = await in_thread(connection.extent, one)
                    self._known.note_end(one, extent.high)
                await self._commit(connection)
            except (OSError, UselessError) as error:
                # Whether messages come says `batches`; a group that may not be committed to loses none.
                (self._meter.disconnected if isinstance(error, OSError) else self._meter.failed_once)(error)
            else:
                if self._meter.health().state == "connecting":
                    self._meter.connected()
                    self._meter.answered()

    async def _commit(self, connection: Connection) -> None:
        due = {one: at for one, at in self._durable.items() if self._committed.get(one) != at}
        if self._options.group is not None and due:
            await in_thread(connection.commit, due)
            self._committed |= due
