"""The protocol of live sources: batches of rows as they come, acknowledged once they are durable, with gaps and health."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import pyarrow as pa

from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.sources.base import RowBatch, Source

__all__ = [
    "Catalogue",
    "DeclaredTag",
    "Filled",
    "Gap",
    "Health",
    "LiveBatch",
    "LiveContext",
    "LiveSource",
    "LiveState",
    "Unreadable",
]

#: "connecting" includes the pauses between attempts; "ended" is a source that has no more rows, such as a replay.
LiveState = Literal["connecting", "connected", "ended", "failed"]


@dataclass(frozen=True, slots=True)
class DeclaredTag:
    """A tag as the source declares it."""

    tag: str
    """Tag of observations, or column of a table."""
    unit: str | None = None
    """Unit as the source spells it; None if it declares none."""
    table: str | None = None
    """Table of the column; None for tags of observations."""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a source says that it has, when it connects."""

    tags: tuple[DeclaredTag, ...] = ()
    complete: bool = False
    """Whether these are all tags: a tag of the mapping that isn't among them is missing at the source then."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that a source knows or suspects to be missing. Spans are half-open; a bound that isn't known is None."""

    stream: str
    """Part of the source: a gateway, a node, a table; an empty text for the whole source."""
    reason: str
    """Why: "shed", "queue overflow", "expired at the edge", "outage", …"""
    start_ns: int | None = None
    """Event times, ns UTC."""
    stop_ns: int | None = None
    epoch: int | None = None
    """Sequences of this epoch."""
    first_sequence: int | None = None
    stop_sequence: int | None = None
    tags: tuple[str, ...] = ()
    """Tags that miss rows; empty: all of the stream."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Rows of a gap that were recovered, or part of them."""

    gap: Gap
    by: str
    """What had the rows: "the server's history", "the table, read again", …"""
    rows: int
    """Number of rows that were recovered; 0 if none was missing."""
    opened_ns: int | None = None
    """When the source found a gap that it filled by itself, ns UTC of this machine's clock; None for one that it had yielded."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that can't be read as rows. It is kept as the bytes that arrived, see `twinlab.Twin.unreadable`."""

    place: str
    """Where it is at the source, ``telemetry/0/17``; a message that comes again has the same."""
    content: bytes
    reason: str
    """What was expected, and what the message has instead."""
    time_ns: int | None = None
    """Time that the source states for it, ns UTC."""
    key: bytes | None = None
    headers: str = ""
    """Other properties of the message, as JSON."""


@dataclass(frozen=True, slots=True)
class Health:
    """State of a live source at an instant. Times are ns UTC of this machine's clock; 0 is never."""

    state: LiveState
    since_ns: int
    """Since when the source is in this state."""
    rows: int = 0
    """Rows received since the start."""
    rate: float = 0.0
    """Rows received a second, over the last ten seconds."""
    last_row_ns: int = 0
    """When the last row was received."""
    last_event_ns: int = 0
    """Latest event time received, on the source's clock."""
    errors: int = 0
    """Number of errors since the start: failed connections, messages that can't be read."""
    error: str = ""
    """The last error; empty once rows come again."""
    connections: int = 0
    """Number of times that the source has connected."""
    gaps: tuple[Gap, ...] = ()
    """Gaps that aren't filled; the newest 100."""
    gaps_lost: int = 0
    """Number of gaps that can't be filled any more."""
    clock_offset: float | None = None
    """Estimate of the source's clock minus this machine's, seconds."""
    clock_suspect: bool = False
    """Whether the source's clock is so far off that its times are doubtful. They are never rewritten."""
    load: Mapping[str, float] = field(default_factory=dict)
    """Load on the peer: ``polls_per_second``, ``connections``, …"""
    stream_clocks: Mapping[str, float] = field(default_factory=dict)
    """Stream -> ``clock_offset`` of it, for a source whose streams have clocks of their own, such as gateways."""
    streams_offline: tuple[str, ...] = ()
    """Streams that the peer has reported as not connected, such as gateways whose connection broke."""
    streams: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Stream -> what is known of it: whether its messages are signed and by which key, epoch, sequence, messages in quarantine."""


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """Rows that are stored together, and acknowledged together once they are durable.

    A batch without rows, with ``offsets`` or ``gaps`` only, is stored and acknowledged as well.
    """

    parts: tuple[pa.RecordBatch | RowBatch, ...] = ()
    """Observations in the schema `twinlab.model.schema.OBSERVATIONS` (columns may be absent), or rows of tables."""
    file: Source | None = None
    """A whole file, in place of ``parts``; it is kept and read like a file given to ``twin.ingest``."""
    offsets: Mapping[str, object] = field(default_factory=dict)
    """Stream -> position after these rows, as JSON can represent it: where the source continues after a restart. It becomes
    durable together with the rows, or not at all; streams that aren't named keep theirs."""
    gaps: tuple[Gap, ...] = ()
    """Gaps that the source found or that shedding made; they are recorded."""
    filled: tuple[Filled, ...] = ()
    """Gaps whose rows have come with this batch and those before it; it is recorded once they are durable."""
    unreadable: tuple[Unreadable, ...] = ()
    """Messages that have no rows; they are durable before the ``offsets`` behind them are."""
    received_ns: int = field(default_factory=time.time_ns)
    """When the rows were received, ns UTC."""
    handle: object = None
    """For the source alone: what it needs to acknowledge the batch."""

    @property
    def rows(self) -> int:
        """Number of rows, 0 for a file, which isn't read yet."""
        return sum(part.rows.num_rows if isinstance(part, RowBatch) else part.num_rows for part in self.parts)


@dataclass(frozen=True)
class LiveContext:
    """What a source gets beside its options when it is opened."""

    name: str
    """Name of the source in the twin."""
    folder: Path = field(default_factory=Path)
    """The twin's folder: relative paths of options begin here."""
    mapping: SourceMapping | None = None
    """The source's mapping, for tags and tables to subscribe to."""
    offsets: Mapping[str, object] = field(default_factory=dict)
    """Stream -> position, of all rows that are durable: of the ``offsets`` of earlier batches, the last of each stream."""
    stored: Callable[[str, int | None], Iterator[pa.RecordBatch]] | None = None
    """Returns the durable rows of a table that arrived since an instant (ns UTC; None: the newest ones), in the order of their arrival; for
    sources that read rows again. None if there is no ledger."""
    once: bool = False
    """Whether `batches` ends after the rows that are there now, if the source can say so: one look at a folder, one poll."""


@runtime_checkable
class LiveSource(Protocol):
    """Protocol of a source whose rows come while a twin runs. It only reads from its peer.

    One task iterates over `batches`; `acknowledge` is called from another task of the same event loop. `catalogue` is called
    once before `batches`, and by a source itself for nothing.
    """

    @property
    def name(self) -> str:
        """Name of the source in the twin."""

    async def catalogue(self) -> Catalogue:
        """Return the tags that the source declares, with their units; empty if the protocol has no such thing.

        Raises
        ------
        SourceError
            If the peer can't be reached; the historian asks again later, and starts `batches` meanwhile.
        """

    def batches(self) -> AsyncIterator[LiveBatch]:
        """Yield the rows as they come.

        The iterator connects, and connects again by itself with growing, random pauses. It keeps a bounded number of rows: while
        nobody asks for the next batch it reads no further, or sheds rows unacknowledged and yields the `Gap`. It ends if
        there will be no more rows. Closing it, or cancelling the task, closes all connections.

        Raises
        ------
        TwinlabError
            Only if trying again is useless, such as for a wrong password or a table that doesn't exist.
        """

    async def acknowledge(self, batch: LiveBatch) -> None:
        """Note that a batch is durable: the peer may forget its rows. Called once for each batch, in their order.

        A connection that is lost meanwhile isn't an error: rows that come again are dropped by their sequence or identity.
        """

    async def fill(self, gap: Gap) -> str:
        """Ask the peer for the rows of a gap. Return an empty text if it has them, otherwise why they are lost.

        `batches` yields the rows, and with the last of them a batch whose ``filled`` names the gap.

        Raises
        ------
        SourceError
            If the peer can't be asked at the moment; the gap stays open.
        """

    @property
    def health(self) -> Health:
        """State, rate, errors and gaps at this moment."""
