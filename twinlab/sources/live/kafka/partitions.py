"""The partitions that a source reads: places, ends, and how far it is behind. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from twinlab.sources.live.kafka.place import Place, stream_of

__all__ = ["Partitions"]

Partition = tuple[str, int]


class Partitions:
    """Places of partitions, by topic and number.

    Parameters
    ----------
    places : mapping of str to Place
        Stream -> place, of all durable rows.

    Examples
    --------
    >>> known = Partitions({})
    >>> known.begin(("t", 0), Place(0), end=3)
    >>> known.move(("t", 0), 2, time_ms=1000)
    >>> known.behind, known.all_read
    (1, False)
    """

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = dict(places)
        # Where a partition ends at the moment, and where it ended at the start.
        self._ends: dict[Partition, int] = {}
        self._goals: dict[Partition, int] = {}
        self._reading: set[Partition] = set()
        # What was yielded last, and when.
        self._stored: dict[Partition, tuple[int, float]] = {}
        self.added = False
        """Whether there are partitions that aren't read yet."""

    @property
    def assigned(self) -> set[Partition]:
        """The partitions that are read."""
        return self._reading

    @property
    def count(self) -> int:
        """Number of partitions that are read, or were until the connection was closed."""
        return len(self._ends)

    def topics(self) -> frozenset[str]:
        """Return the topics of which a partition was read before."""
        return frozenset(stream.rpartition("/")[0] for stream in self._places)

    def place(self, one: Partition) -> Place | None:
        """Return how far a partition is read; None if it never was."""
        return self._places.get(stream_of(*one))

    def begin(self, one: Partition, place: Place, *, end: int) -> None:
        """Note that a partition is read from a place on, and where it ends now."""
        self._places[stream_of(*one)] = place
        self._ends[one] = end
        self._goals.setdefault(one, end)
        self._reading.add(one)

    def forget(self) -> None:
        """Note that no partition is read any more; their places stay."""
        self._reading.clear()

    def move(self, one: Partition, next_offset: int, *, time_ms: int | None) -> None:
        """Note that the messages before an offset were read, the last with a timestamp."""
        place = self._places[stream_of(*one)]
        time_ms = place.time_ms if time_ms is None else time_ms
        self._places[stream_of(*one)] = replace(place, next=next_offset, time_ms=time_ms)
        self._ends[one] = max(next_offset, self._ends[one])

    def reached(self, ends: Mapping[Partition, int]) -> None:
        """Note the ends that were reached: offsets before them without a message are those of transactions and of compaction."""
        for one, at in ends.items():
            place = self.place(one)
            if place is not None and one in self._ends:
                self._places[stream_of(*one)] = replace(place, next=max(at, place.next))
                self._ends[one] = max(at, place.next)

    def note_end(self, one: Partition, end: int) -> None:
        """Note where a partition ends now."""
        self._ends[one] = end

    def offsets(self, partitions: Iterable[Partition]) -> dict[str, object]:
        """Return the places of partitions as the offsets of a batch."""
        return {name: self._places[name].to_json() for name in (stream_of(*one) for one in partitions)}

    def nexts(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Return the next offset of partitions."""
        return {one: self._places[stream_of(*one)].next for one in partitions}

    def stored(self, partitions: Iterable[Partition], now: float) -> None:
        """Note that places are yielded, at a monotonic time."""
        self._stored |= {one: (self._places[stream_of(*one)].next, now) for one in partitions}

    def due(self, now: float, *, after: float) -> list[Partition]:
        """Return the partitions whose places have moved without messages, and weren't yielded for so many seconds; notes them as yielded."""
        found = []
        for one, (at, since) in self._stored.items():
            if self._places[stream_of(*one)].next != at and now - since >= after:
                found.append(one)
        self.stored(found, now)
        return found

    @property
    def behind(self) -> int:
        """Number of offsets between the places and the ends."""
        return sum(self._behind(one) for one in self._ends)

    def not_at_end(self) -> list[Partition]:
        """Return the partitions that aren't read to their ends."""
        return [one for one in self._ends if self._behind(one)]

    @property
    def all_read(self) -> bool:
        """Whether all partitions are read to where they ended at the start."""
        return all(self._places[stream_of(*one)].next >= end for one, end in self._goals.items())

    def seconds_behind(self, now: float) -> float:
        """Return the age of the last message that was read, of the partition that is behind most; 0 if none is behind."""
        times = [place.time_ms for one in self.not_at_end() if (place := self.place(one)) is not None and place.time_ms]
        return max(0.0, now - min(times) / 1000) if times else 0.0

    def streams(self) -> dict[str, dict[str, object]]:
        """Return place, end and messages behind of each partition."""
        return {
            stream_of(*one): {"next": self._places[stream_of(*one)].next, "end": end, "behind": self._behind(one)}
            for one, end in self._ends.items()
        }

    def _behind(self, one: Partition) -> int:
        return max(0, self._ends[one] - self._places[stream_of(*one)].next)
