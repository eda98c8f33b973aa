"""Which rows of gateways' outboxes are taken: the contiguous prefix of each, once. Pure: no clock, network or disk."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from twinlab.edge.handshake import RUNS, Reply
from twinlab.edge.messages import Lost, Message
from twinlab.edge.readings import Readings
from twinlab.errors import SchemaError

__all__ = ["Acceptance", "Accepted", "offsets_of"]

#: Outboxes of one gateway that may begin while the historian runs; a gateway has another one after a new disk.
_MAX_OUTBOXES = 64
#: End of the name of an offset with the runs of a gateway.
_RUNS = "/runs"
#: First sequence and random number of each run of a gateway's program.
Runs: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """Consecutive rows, or the report that they are lost, that come next in the ledger."""

    gateway: str
    token: int
    epoch: int
    first: int
    rows: int
    content: Readings | Lost
    runs: Runs = ()
    """Of the first rows after a handshake, what it has stated; empty otherwise."""

    @property
    def last(self) -> int:
        """Sequence of the last row."""
        return self.first + self.rows - 1


@dataclass(slots=True)
class _Outbox:
    """What is known of one outbox."""

    epoch: int
    durable: int
    """Rows up to here are on the ledger's disk."""
    taken: int
    """Rows up to here are accepted."""
    waiting: list[Message] = field(default_factory=list)
    """Later messages, by first sequence."""
    shed: bool = False
    """Whether the row after ``taken`` has arrived and was dropped."""
    runs: Runs = ()
    """The gateway's runs by the latest handshake; empty if they aren't known."""
    stored: bool = True
    """Whether rows with these runs were accepted."""
    copied: int = 0
    """Of an older copy of the outbox, the first sequence that it uses again; 0 if it isn't one."""
    met: bool = True
    """Whether there was a handshake; of an outbox whose runs are known from offsets, there wasn't yet."""

    def used_again(self, runs: Runs) -> int:
        """Return the first sequence that other runs than the known ones have used again; 0 if none has."""
        known = set(self.runs)
        # Runs before the known ones were forgotten.
        oldest = self.runs[0][0] if len(self.runs) == RUNS else 0
        strange = (opened for opened, number in runs if (opened, number) not in known and oldest < opened <= self.taken)
        return min(strange, default=0) if known else 0


class Acceptance:
    """Accepts rows of outboxes in the order of their sequences, each once.

    Parameters
    ----------
    offsets : mapping, optional
        What `offsets_of` returned for the rows that are durable: where each outbox continues.
    queue_rows : int
        Maximum number of rows that are accepted but not durable. Further ones are dropped, and come again.
    buffer_rows : int
        Maximum number of rows that wait for earlier ones.

    Examples
    --------
    >>> from twinlab.edge.messages import pack, pack_readings, parse
    >>> from twinlab.edge.readings import Reading
    >>> one, two = (parse(pack(9, pack_readings(n, Readings.of([Reading("t", 0, 1.0)])), 0)) for n in (1, 2))
    >>> acceptance = Acceptance()
    >>> acceptance.offer("truck-1", two), acceptance.reply("truck-1", 9).missing
    ([], 1)
    >>> taken = acceptance.offer("truck-1", one)
    >>> [part.first for part in taken], acceptance.reply("truck-1", 9).accepted
    ([1, 2], 0)
    >>> acceptance.commit(taken)
    >>> acceptance.reply("truck-1", 9).accepted
    2
    """

    def __init__(
        self, offsets: Mapping[str, object] | None = None, *, queue_rows: int = 100_000, buffer_rows: int = 50_000
    ) -> None:
        self._queue_rows, self._buffer_rows = queue_rows, buffer_rows
        self._outboxes: dict[tuple[str, int], _Outbox] = {}
        self._begun: dict[str, int] = {}
        self._epoch = 0
        self.queued = 0
        """Rows that are accepted but not durable."""
        self.buffered = 0
        """Rows that wait for earlier ones."""
        self.duplicates = 0
        """Rows that had been accepted already."""
        self.shed = 0
        """Rows that were dropped unacknowledged because a queue was full."""
        given = offsets or {}
        for stream, place in given.items():
            if not stream.endswith(_RUNS):
                self._restore(stream, place, given.get(f"{stream}{_RUNS}", ()))

    def _restore(self, stream: str, place: object, runs: object) -> None:
        gateway, _, token = stream.rpartition("/")
        try:
            epoch, last = int(place["epoch"]), int(place["last"])  # type: ignore[index]
            known = tuple((int(opened), int(number)) for opened, number in runs)  # type: ignore[attr-defined]
            self._outboxes[gateway, int(token, 16)] = _Outbox(epoch, last, last, runs=known, met=not known)
        except (KeyError, TypeError, ValueError) as error:
            msg = f"offset {stream!r}: expected gateway/token with an epoch and the last sequence, got {place!r}"
            raise SchemaError(msg) from error
        self._epoch = max(self._epoch, epoch)

    def begin(self, gateway: str, token: int, first: int, *, runs: Runs = ()) -> list[Accepted]:
        """Note the handshake of an outbox whose oldest row has the sequence ``first``.

        ``runs`` are those of `twinlab.edge.handshake.Birth`. A run that isn't known and begins with a sequence that was accepted
        already is that of an older copy of the outbox, which uses sequences again: no row of it is taken until it has a new token.
        `copied` says so.

        Rows before it that this ledger doesn't have are lost, because a gateway deletes only what a historian has acknowledged:
        they are returned as accepted reports.

        Raises
        ------
        SchemaError
            If the gateway begins too many outboxes.
        """
        outbox = self._outbox(gateway, token)
        outbox.copied = outbox.used_again(runs)
        if outbox.copied:
            return []
        outbox.met = True
        if runs and runs != outbox.runs:
            outbox.runs, outbox.stored = runs, False
        if first <= outbox.taken + 1:
            return []
        rows = first - 1 - outbox.taken
        reason = "acknowledged to another historian, or the ledger is an older copy"
        return self._take(gateway, Message(token, outbox.taken + 1, rows, 0, Lost({"": rows}, (reason,), 0, 0)))

    def offer(self, gateway: str, message: Message, *, met: bool = False) -> list[Accepted]:
        """Return what a message makes acceptable, in order: its rows and those that waited for them, or nothing.

        Of an outbox that is known from ``offsets``, nothing is taken before its handshake, which comes first; with ``met`` it
        needs none, since a person has released the message.

        Append the rows to the ledger, then call `commit`.

        Raises
        ------
        SchemaError
            If the gateway begins too many outboxes.
        """
        outbox = self._outbox(gateway, message.token)
        outbox.met = outbox.met or met
        if outbox.copied or not outbox.met:
            return []
        last = message.first + message.rows - 1
        if last <= outbox.taken:
            self.duplicates += message.rows
            return []
        if message.first <= outbox.taken + 1:
            return self._take(gateway, message)
        if any(one.first == message.first and one.rows >= message.rows for one in outbox.waiting):
            self.duplicates += message.rows
        elif self.buffered + _size(message) > self._buffer_rows:
            self.shed += message.rows
        else:
            insort(outbox.waiting, message, key=lambda one: one.first)
            self.buffered += _size(message)
        return []

    def commit(self, parts: Iterable[Accepted]) -> None:
        """Note that accepted rows are durable; in the order in which they were accepted."""
        for part in parts:
            # It may have been accepted by the source that was open before this one.
            outbox = self._outboxes.setdefault((part.gateway, part.token), _Outbox(part.epoch, 0, 0))
            outbox.durable = max(outbox.durable, part.last)
            outbox.taken = max(outbox.taken, outbox.durable)
            self.queued = max(0, self.queued - _size(part))

    def reply(self, gateway: str, token: int) -> Reply:
        """Return what the gateway is answered: durable rows only are acknowledged."""
        outbox = self._outbox(gateway, token)
        if outbox.copied:
            # The rows before are the same in both copies; until they are durable, nothing is said.
            ready = outbox.durable >= outbox.copied - 1
            why = self.copied(gateway, token) if ready else ""
            return Reply(token, outbox.epoch, outbox.copied - 1 if ready else 0, refused=why)
        lacks = (outbox.waiting or outbox.shed) and self.queued < self._queue_rows
        return Reply(token, outbox.epoch, outbox.durable, outbox.taken + 1 if lacks else None)

    def copied(self, gateway: str, token: int) -> str:
        """Return why no row of an outbox is taken: it is an older copy. Empty if it isn't."""
        outbox = self._outbox(gateway, token)
        if not outbox.copied:
            return ""
        return (
            f"the outbox of gateway {gateway!r} is an older copy, such as a disk that was restored: it uses the sequences from "
            f"{outbox.copied} on again, of which the ledger has those up to {outbox.taken} with other rows. No row of it is taken until "
            "the gateway has begun a new epoch, which it does by itself and loses nothing. If its disk wasn't restored, somebody else "
            "has a copy of it: replace its certificate"
        )

    def known(self) -> list[tuple[str, int, int, int]]:
        """Return gateway, token, epoch and last durable sequence of each outbox."""
        return [(name, token, one.epoch, one.durable) for (name, token), one in self._outboxes.items()]

    def outboxes(self, gateway: str) -> list[int]:
        """Return the tokens of a gateway's outboxes."""
        return [token for name, token in self._outboxes if name == gateway]

    def _outbox(self, gateway: str, token: int) -> _Outbox:
        found = self._outboxes.get((gateway, token))
        if found is None:
            count = self._begun.get(gateway, 0)
            if count >= _MAX_OUTBOXES:
                msg = (
                    f"gateway {gateway!r}: has begun {count} outboxes since the historian started; expected a new one only "
                    "after a new disk. Stop the gateway, or restart the historian."
                )
                raise SchemaError(msg)
            self._begun[gateway] = count + 1
            self._epoch += 1
            found = self._outboxes[gateway, token] = _Outbox(self._epoch, 0, 0)
        return found

    def _take(self, gateway: str, message: Message) -> list[Accepted]:
        outbox = self._outboxes[gateway, message.token]
        taken: list[Accepted] = []
        following: Message | None = message
        while following is not None:
            part = self._part(gateway, outbox, following)
            if part is not None:
                if self.queued + _size(part) > self._queue_rows:
                    outbox.shed = True
                    self.shed += part.rows
                    break
                outbox.shed, outbox.taken = False, part.last
                self.queued += _size(part)
                taken.append(part if outbox.stored else replace(part, runs=outbox.runs))
                outbox.stored = True
            following = self._next(outbox)
        return taken

    def _next(self, outbox: _Outbox) -> Message | None:
        if not outbox.waiting or outbox.waiting[0].first > outbox.taken + 1:
            return None
        message = outbox.waiting.pop(0)
        self.buffered -= _size(message)
        return message

    def _part(self, gateway: str, outbox: _Outbox, message: Message) -> Accepted | None:
        """Return the rows of a message that weren't accepted before."""
        first, last = outbox.taken + 1, message.first + message.rows - 1
        content = message.content
        self.duplicates += min(first, last + 1) - message.first
        if isinstance(content, Lost):
            # Rows that have arrived aren't lost, whatever the gateway dropped later.
            later = [one.first for one in outbox.waiting if isinstance(one.content, Readings) and one.first <= last]
            last = min([last, *(start - 1 for start in later)])
            if first > last:
                return None
            return Accepted(gateway, message.token, outbox.epoch, first, last - first + 1, content)
        if first > last:
            return None
        rows = content.part(first - message.first, message.rows)
        return Accepted(gateway, message.token, outbox.epoch, first, last - first + 1, rows)


def offsets_of(parts: Iterable[Accepted]) -> dict[str, object]:
    """Return where the outboxes continue after accepted rows: stored together with them, and given to a new `Acceptance`."""
    found: dict[str, object] = {}
    for part in parts:
        stream = f"{part.gateway}/{part.token:016x}"
        found[stream] = {"epoch": part.epoch, "last": part.last}
        if part.runs:
            found[f"{stream}{_RUNS}"] = [list(run) for run in part.runs]
    return found


def _size(one: Message | Accepted) -> int:
    """Return the number of rows in memory: a report of lost rows is as one row, however many it reports."""
    return 1 if isinstance(one.content, Lost) else one.rows
